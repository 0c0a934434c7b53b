"""API keys of portals. Only hashes are kept."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, update

from router_model.errors import AduanError
from service.database import audit
from service.database.schema import api_keys, suggestions

SCOPES = ("suggest", "dispose", "review", "admin")
FIRST_KEY = "kunci-pertama"
"""What the key is called that the first start of the service prints."""


class KeyRefusedError(AduanError):
    """A key that is unknown, or scopes that do not exist."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    portal: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    rotated_to: str | None

    def works(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def hashed(secret: str) -> str:
    # Keys are 256 random bits, so a plain digest cannot be guessed back; a slow hash would only cost time.
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    connection: Connection,
    portal: str,
    name: str,
    scopes: Iterable[str],
    *,
    expires_at: datetime | None = None,
    by: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is shown once.

    Raises:
        KeyRefusedError: a scope that does not exist, or none.
    """
    wanted = sorted(set(scopes))
    if unknown := sorted(set(wanted) - set(SCOPES)):
        raise KeyRefusedError(f"Lingkup tidak dikenal: {', '.join(unknown)}; pilih dari {', '.join(SCOPES)}.")
    if not wanted:
        raise KeyRefusedError(f"Kunci perlu sedikitnya satu lingkup dari {', '.join(SCOPES)}.")
    secret = f"aduan_{secrets.token_urlsafe(32)}"
    row: dict[str, Any] = {
        "id": secrets.token_hex(6),
        "portal": portal,
        "name": name,
        "hash": hashed(secret),
        "scopes": wanted,
        "created_at": datetime.now(UTC),
        "expires_at": expires_at,
        "revoked_at": None,
        "rotated_to": None,
    }
    connection.execute(insert(api_keys).values(row))
    audit.record(connection, portal=portal, who=by, action="key.create", subject=row["id"], detail={"scopes": wanted})
    return _key(row), secret


def rotate(connection: Connection, key_id: str, overlap: timedelta, by: str = "") -> tuple[ApiKey, str]:
    """A new key with the same name, scopes and portal; the old one goes on for the overlap and then ends.

    Raises:
        KeyRefusedError: no such key, or one that no longer works or was rotated before.
    """
    now = datetime.now(UTC)
    old = one(connection, key_id)
    if not old.works(now) or old.rotated_to:
        raise KeyRefusedError(f"Kunci {key_id} sudah tidak berlaku atau sudah diganti. Buatlah kunci baru.")
    lasted = old.expires_at - old.created_at if old.expires_at else None
    new, secret = create(
        connection, old.portal, old.name, old.scopes, expires_at=now + lasted if lasted else None, by=by
    )
    ends = min(now + overlap, old.expires_at or datetime.max.replace(tzinfo=UTC))
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(expires_at=ends, rotated_to=new.id))
    audit.record(connection, portal=old.portal, who=by, action="key.rotate", subject=key_id, detail={"to": new.id})
    return new, secret


def revoke(connection: Connection, key_id: str, by: str = "") -> None:
    """Ends a key. Raises `KeyRefusedError` if there is none."""
    key = one(connection, key_id)
    connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
    )
    audit.record(connection, portal=key.portal, who=by, action="key.revoke", subject=key_id)


def one(connection: Connection, key_id: str) -> ApiKey:
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings().first()
    if row is None:
        raise KeyRefusedError(f"Kunci {key_id} tidak ada; lihat: aduan key list")
    return _key(row)


def in_portal(connection: Connection, portal: str, key_id: str) -> ApiKey:
    """Raises `KeyRefusedError` for a key that the portal does not have."""
    found = next((key for key in of_portal(connection, portal) if key.id == key_id), None)
    if found is None:
        raise KeyRefusedError("Kunci ini tidak ada di portal Anda.")
    return found


def of_portal(connection: Connection, portal: str) -> list[ApiKey]:
    """All keys of one portal, newest first."""
    query = select(api_keys).where(api_keys.c.portal == portal).order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    return [_key(row) for row in connection.execute(query).mappings()]


def last_asked(connection: Connection, portal: str, since: datetime) -> dict[str, datetime]:
    """When each key last sent a complaint, of those that did since then."""
    asked = suggestions.c
    query = (
        select(asked.asked_by, func.max(asked.created_at).label("last"))
        .where(asked.portal == portal, asked.created_at >= since)
        .group_by(asked.asked_by)
    )
    return {row.asked_by: row.last for row in connection.execute(query)}


def every(connection: Connection) -> list[ApiKey]:
    """All keys, oldest first."""
    rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at)).mappings()
    return [_key(row) for row in rows]


def working(connection: Connection, at: datetime) -> dict[str, ApiKey]:
    """The hash of each key's secret, for keys that work."""
    query = select(api_keys).where(
        api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > at)
    )
    return {row["hash"]: _key(row) for row in connection.execute(query).mappings()}


def _key(row: RowMapping | Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        row["id"],
        row["portal"],
        row["name"],
        frozenset(row["scopes"]),
        row["created_at"],
        row["revoked_at"],
        row["expires_at"],
        row["rotated_to"],
    )
