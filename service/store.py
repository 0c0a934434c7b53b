"""The embedded database: API keys and suggestions. All SQL lives here; texts arrive masked."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Engine,
    Index,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from router_model.errors import AduanError

SCOPES = ("suggest", "dispose", "review", "admin")
_schema = MetaData()
_keys = Table(
    "api_keys",
    _schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("name", String, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("revoked_at", DateTime),
)
_suggestions = Table(
    "suggestions",
    _schema,
    Column("id", String, primary_key=True),
    Column("portal", String, nullable=False),
    Column("external_id", String),
    Column("request_hash", String, nullable=False),
    Column("release", String, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("complaint", JSON, nullable=False),
    Column("body", JSON, nullable=False),
    Index("one_per_external_id", "portal", "external_id", unique=True),
)


class StoreError(AduanError):
    """A request the store refuses; `AlreadyDifferent` and `NotFound` say why."""


class AlreadyDifferentError(StoreError):
    """The same external id came before with another complaint."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    portal: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredSuggestion:
    id: str
    portal: str
    external_id: str
    release: str
    created_at: datetime
    body: Mapping[str, Any]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _hashed(secret: str) -> str:
    # Keys are 256 random bits, so a plain digest cannot be guessed back; a slow hash would only cost time.
    return hashlib.sha256(secret.encode()).hexdigest()


class Store:
    """Opens (and creates) the database of `url`. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url, hide_parameters=True)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _durable_sqlite)
        _schema.create_all(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    def create_key(self, portal: str, name: str, scopes: Iterable[str]) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown once and stored only as a hash."""
        wanted = sorted(set(scopes))
        if unknown := sorted(set(wanted) - set(SCOPES)):
            raise StoreError(f"Lingkup tidak dikenal: {', '.join(unknown)}; pilih dari {', '.join(SCOPES)}.")
        secret = f"aduan_{secrets.token_urlsafe(32)}"
        row = {
            "id": secrets.token_hex(6),
            "portal": portal,
            "name": name,
            "hash": _hashed(secret),
            "scopes": wanted,
            "created_at": _now(),
            "revoked_at": None,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(_keys).values(row))
        return _key(row), secret

    def keys(self) -> list[ApiKey]:
        with self._engine.connect() as connection:
            return [
                _key(dict(row)) for row in connection.execute(select(_keys).order_by(_keys.c.created_at)).mappings()
            ]

    def revoke_key(self, key_id: str) -> None:
        with self._engine.begin() as connection:
            changed = connection.execute(update(_keys).where(_keys.c.id == key_id).values(revoked_at=_now()))
        if not changed.rowcount:
            raise StoreError(f"Kunci {key_id} tidak ada; lihat: aduan key list")

    def find_key(self, secret: str) -> ApiKey | None:
        """The key of a secret, unless it was revoked."""
        query = select(_keys).where(_keys.c.hash == _hashed(secret), _keys.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return _key(dict(row)) if row else None

    def add_suggestion(
        self,
        portal: str,
        external_id: str,
        request: bytes,
        release: str,
        complaint: Mapping[str, Any],
        body: Mapping[str, Any],
    ) -> StoredSuggestion:
        """Stores a suggestion; the same complaint under the same external id gives back the stored one.

        Raises:
            AlreadyDifferentError: the external id belongs to another complaint.
        """
        row = {
            "id": secrets.token_urlsafe(12),
            "portal": portal,
            "external_id": external_id or None,
            "request_hash": hashlib.sha256(request).hexdigest(),
            "release": release,
            "created_at": _now(),
            "complaint": complaint,
            "body": body,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_suggestions).values(row))
        except IntegrityError:
            stored = self.suggestion_of(portal, external_id, request)
            if stored is None:
                raise
            return stored
        return _suggestion(row)

    def suggestion_of(self, portal: str, external_id: str, request: bytes) -> StoredSuggestion | None:
        """The suggestion stored for an external id.

        Raises:
            AlreadyDifferentError: the external id belongs to another complaint.
        """
        query = select(_suggestions).where(_suggestions.c.portal == portal, _suggestions.c.external_id == external_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        if row["request_hash"] != hashlib.sha256(request).hexdigest():
            raise AlreadyDifferentError("external_id ini sudah dipakai untuk laporan lain. Pakai nomor baru.")
        return _suggestion(dict(row))

    def suggestion(self, portal: str, suggestion_id: str) -> StoredSuggestion | None:
        query = select(_suggestions).where(_suggestions.c.portal == portal, _suggestions.c.id == suggestion_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return _suggestion(dict(row)) if row else None

    def ping(self) -> None:
        """Raises if the database does not answer."""
        with self._engine.connect() as connection:
            connection.execute(select(1))


def _durable_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _key(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey(row["id"], row["portal"], row["name"], frozenset(row["scopes"]), row["created_at"], row["revoked_at"])


def _suggestion(row: Mapping[str, Any]) -> StoredSuggestion:
    return StoredSuggestion(
        row["id"], row["portal"], row["external_id"] or "", row["release"], row["created_at"], row["body"]
    )
