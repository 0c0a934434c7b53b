"""What the registry did, told where portals look: in the audit log and by a message."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from router_model.registry import ROLLBACK
from router_model.registry import Event as RegistryEvent
from service.database import audit, webhooks
from service.database.schema import audit_log
from service.database.webhooks import Event

KINDS = ("release.promote", "release.rollback")
OWN_TIME = timedelta(seconds=30)
"""How long whoever changed the registry has to tell of it."""
LOOKED_BACK = timedelta(days=1)


def record(
    connection: Connection, *, portal: str, release: str, action: str, who: str, detail: Mapping[str, Any] | None = None
) -> None:
    """A release came into force; `action` is that of the registry's event."""
    kind = KINDS[action == ROLLBACK]
    audit.record(
        connection, portal=portal, who=who, action=kind, subject=release, release=release, detail=dict(detail or {})
    )
    webhooks.enqueue(connection, [Event(portal, "release.promoted", release, {"release": release, "action": action})])


def lately(events: Iterable[RegistryEvent], now: datetime) -> list[RegistryEvent]:
    """Changes that should have been told of by now, of the last day."""
    return [event for event in events if OWN_TIME < now - datetime.fromisoformat(event.at) < LOOKED_BACK]


def catch_up(connection: Connection, events: Iterable[RegistryEvent]) -> int:
    """Tells of what nobody told of: a change by command, or by a process that was killed in between. Returns how
    many."""
    told = 0
    for event in events:
        columns = audit_log.c
        known = select(columns.id).where(
            columns.portal == event.portal,
            columns.at >= datetime.fromisoformat(event.at),
            columns.action.in_(KINDS),
            columns.subject == event.release,
        )
        if connection.execute(known.limit(1)).first() is None:
            record(connection, portal=event.portal, release=event.release, action=event.action, who=event.by)
            told += 1
    return told
