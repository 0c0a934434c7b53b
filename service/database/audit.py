"""Who did what, when, and with which release in force. Rows are added and never changed; the database sees to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select

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


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries are wanted; what is empty counts for all. `who` is part of the name of whoever acted, `also` names
    some exactly; `until` is not in the period any more."""

    who: str = ""
    also: Sequence[str] = ()
    actions: Sequence[str] = ()
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Sought()


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


def entries(
    connection: Connection,
    portal: str,
    before: int | None = None,
    most: int = 100,
    sought: Sought = EVERYTHING,
) -> list[AuditEntry]:
    """Newest first; `before` is the id that the previous page ended with."""
    query = select(audit_log).where(audit_log.c.portal == portal).order_by(audit_log.c.id.desc()).limit(most)
    if before is not None:
        query = query.where(audit_log.c.id < before)
    return [AuditEntry(**row) for row in connection.execute(_narrowed(query, sought)).mappings()]


def last(connection: Connection, portal: str, action: str) -> AuditEntry | None:
    """When something was done the last time."""
    return next(iter(entries(connection, portal, most=1, sought=Sought(actions=(action,)))), None)


def _narrowed(query: Select[Any], sought: Sought) -> Select[Any]:
    columns = audit_log.c
    if sought.who or sought.also:
        named = columns.who.icontains(sought.who, autoescape=True) if sought.who else columns.who.in_(())
        query = query.where(or_(named, columns.who.in_(sought.also)))
    if sought.actions:
        query = query.where(columns.action.in_(sought.actions))
    if sought.subject:
        query = query.where(columns.subject == sought.subject)
    if sought.since:
        query = query.where(columns.at >= sought.since)
    if sought.until:
        query = query.where(columns.at < sought.until)
    return query
