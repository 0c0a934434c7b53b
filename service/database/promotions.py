"""What the registry did, told where portals look: in the audit log and by a message."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from service.database import audit, webhooks
from service.database.webhooks import Event


def record(
    connection: Connection, *, portal: str, release: str, action: str, who: str, detail: Mapping[str, Any] | None = None
) -> None:
    """A release came into force; `action` is that of the registry's event."""
    kind = "release.rollback" if action == "rollback" else "release.promote"
    audit.record(
        connection, portal=portal, who=who, action=kind, subject=release, release=release, detail=dict(detail or {})
    )
    webhooks.enqueue(connection, [Event(portal, "release.promoted", release, {"release": release, "action": action})])
