"""Who asks: the key of a portal, what it may do, and how often."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.database import keys
from service.database.database import Database
from service.database.keys import ApiKey
from service.database.portal_settings import AS_IT_BEGINS, PortalSettings
from service.lane import Lane
from service.metrics import Metrics
from service.rate_limit import RateLimit
from service.serving import InForce, Serving
from service.settings import Settings

MOST_UNKNOWN = 1_000
_bearer = HTTPBearer(auto_error=False, description="Kunci API portal, dari `aduan key create`")


async def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def in_force_of(request: Request) -> InForce:
    in_force: InForce = request.app.state.in_force
    return in_force


async def lane_of(request: Request) -> Lane:
    lane: Lane = request.app.state.lane
    return lane


async def metrics_of(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def secret_of(request: Request) -> bytes:
    secret: bytes = request.app.state.secret
    return secret


@dataclass(frozen=True, slots=True)
class Answering:
    """What answering a complaint needs; one for a process."""

    database: Database
    lane: Lane
    metrics: Metrics
    secret: bytes


def answering_of(request: Request) -> Answering:
    """No dependency: what comes with every complaint should cost no more than it must."""
    answering: Answering = request.app.state.answering
    return answering


@dataclass(frozen=True, slots=True)
class Asker:
    """The portal that asks. `who` names the key in the audit log."""

    portal: str
    key: str
    scopes: frozenset[str]
    serving: Serving | None
    settings: PortalSettings = AS_IT_BEGINS

    @property
    def who(self) -> str:
        return f"key:{self.key}"


class KnownKeys:
    """The keys that work, kept in memory; a change reaches every process with the next `refresh`, a new key at
    once. Between two of them the database is asked about at most `MOST_UNKNOWN` keys that do not exist."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._working: dict[str, ApiKey] = {}
        self._unknown: set[str] = set()

    async def refresh(self) -> None:
        self._working = await self._database.read(lambda connection: keys.working(connection, datetime.now(UTC)))
        self._unknown = set()

    async def find(self, secret: str) -> ApiKey | None:
        digest = keys.hashed(secret)
        if digest not in self._working and digest not in self._unknown and len(self._unknown) < MOST_UNKNOWN:
            unknown = self._unknown | {digest}
            await self.refresh()
            self._unknown = unknown
        found = self._working.get(digest)
        return found if found and found.works(datetime.now(UTC)) else None


class Scope:
    """Asks for a key with a scope; counts the request against the key's limit."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(
        self, request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
    ) -> Asker:
        return await admitted(request, credentials.credentials if credentials else "", self.scope)


async def admitted(request: Request, secret: str, scope: str) -> Asker:
    """The asker behind a secret.

    Raises:
        HTTPException: 401 without a key that works, 403 without the scope, 429 over the limit.
    """
    state = request.app.state
    key = await state.known_keys.find(secret) if secret else None
    if key is None:
        raise HTTPException(401, "Sertakan Authorization: Bearer <kunci>.", {"WWW-Authenticate": "Bearer"})
    if scope not in key.scopes:
        raise HTTPException(403, f"Perlu kunci dengan lingkup {scope}.")
    settings = state.portal_settings.get(key.portal, AS_IT_BEGINS)
    asker = Asker(key.portal, key.id, key.scopes, state.in_force.of(key.portal), settings)
    request.state.asker = asker
    charge(request, asker, 1)
    return asker


def charge(request: Request, asker: Asker, cost: int) -> None:
    """Counts `cost` requests of this minute; raises 429 if there are too many.

    A batch larger than a whole minute's limit counts as the minute, or it could never be sent.
    """
    state = request.app.state
    limit = state.settings.requests_per_minute
    rates: RateLimit = state.rate_limit
    allowance = rates.take(asker.key, limit, time.time(), min(cost, max(limit - 1, 1)))
    headers = allowance.headers()
    request.state.headers = headers
    if not allowance.allowed:
        raise HTTPException(429, f"Paling banyak {limit} laporan tiap menit untuk kunci ini.", headers)
