"""What an operator set for single portals."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from service.database.schema import portal_settings


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """`None` leaves the service's own setting in force."""

    portal: str
    keep_days: int | None
    requests_per_minute: int | None


def every(connection: Connection) -> dict[str, PortalSettings]:
    return {row["portal"]: PortalSettings(**row) for row in connection.execute(select(portal_settings)).mappings()}
