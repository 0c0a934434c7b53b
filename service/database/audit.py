"""Who did what, when, and with which release in force. Rows are added and never changed; the database sees to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from service.database.schema import audit_log


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`subject` is the id of what was acted on; `detail` holds codes and counts, never text of a complaint."""

    id: int
    at: datetime
    portal: str
    who: str
    action: str
    subject: str
    release: str | None
    detail: Mapping[str, Any]


def record(
    connection: Connection,
    *,
    portal: str,
    who: str,
    action: str,
    subject: str,
    release: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """In the same transaction as the act itself, so that neither is kept without the other."""
    connection.execute(
        insert(audit_log).values(
            at=datetime.now(UTC),
            portal=portal,
            who=who,
            action=action,
            subject=subject,
            release=release,
            detail=dict(detail or {}),
        )
    )


def entries(connection: Connection, portal: str, before: int | None = None, most: int = 100) -> list[AuditEntry]:
    """Newest first; `before` is the id that the previous page ended with."""
    query = select(audit_log).where(audit_log.c.portal == portal).order_by(audit_log.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(audit_log.c.id < before)
    return [AuditEntry(**row) for row in connection.execute(query).mappings()]
