"""What an admin set for one portal; where nothing is set, what `PortalSettings` begins with."""

from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.dialects import postgresql, sqlite

from service.database import audit
from service.database.schema import portal_settings


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """`train_every_days` and `train_after` (new dispositions) begin a training by themselves, 0 never.
    `sampled_share` of the sure answers are looked at by a person all the same, `double_share` of what is reviewed
    by a second one; both of 1. `shadow_release` answers beside the one in force, and nobody is told."""

    train_every_days: int = 7
    train_after: int = 200
    sampled_share: float = 0.05
    double_share: float = 0.05
    shadow_release: str = ""


AS_IT_BEGINS = PortalSettings()
_NAMES = tuple(field.name for field in fields(PortalSettings))


def of(connection: Connection, portal: str) -> PortalSettings:
    return every(connection).get(portal, AS_IT_BEGINS)


def every(connection: Connection) -> dict[str, PortalSettings]:
    """Of each portal for which anything is set."""
    columns = (portal_settings.c[name] for name in ("portal", *_NAMES))
    rows = connection.execute(select(*columns)).mappings()
    return {row["portal"]: _settings(row) for row in rows}


def _settings(row: RowMapping) -> PortalSettings:
    return PortalSettings(**{name: row[name] for name in _NAMES if row[name] is not None})


def change(
    connection: Connection,
    portal: str,
    by: str,
    wanted: PortalSettings,
    *,
    action: str = "settings.change",
    subject: str = "",
) -> None:
    """The audit log tells of it as `action` on `subject`, which is the portal itself if none is named."""
    values = asdict(wanted)
    before = asdict(of(connection, portal))
    if changed := {name: value for name, value in values.items() if value != before[name]}:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(
            dialect.insert(portal_settings)
            .values(portal=portal, **values)
            .on_conflict_do_update(index_elements=["portal"], set_=values)
        )
        audit.record(connection, portal=portal, who=by, action=action, subject=subject or portal, detail=changed)
