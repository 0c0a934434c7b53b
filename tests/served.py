"""The application of two small portals on a free port of the test's own process."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from live_service import free_port
from sqlalchemy import insert, select

from service.application import create_application
from service.database import keys
from service.database.database import Database
from service.database.keys import SCOPES
from service.database.schema import portal_settings
from service.settings import Settings

LAMP, RUBBISH = "Lampu jalan mati dekat sekolah sejak kemarin", "Sampah menumpuk depan pasar sudah seminggu"
LONGEST_WAIT = 120.0


@dataclass(frozen=True)
class Service:
    """`small` and `big` ask with a key of all scopes, of `kota-kecil` and of `kota-besar`."""

    app: FastAPI
    url: str
    home: Path
    database: Database
    small: httpx.Client
    big: httpx.Client

    def asked(self, **complaint: Any) -> dict[str, Any]:
        """A stored suggestion of `kota-kecil`."""
        answer = self.small.post("/v1/suggestions", json={"text": LAMP, **complaint})
        assert answer.status_code == 201, answer.text
        kept: dict[str, Any] = answer.json()
        return kept

    def with_scopes(self, *scopes: str) -> httpx.Client:
        """One more client of `kota-kecil`; whoever asks for it closes it."""
        return client_of(self.url, self.database, "kota-kecil", *scopes)


def client_of(url: str, database: Database, portal: str, *scopes: str) -> httpx.Client:
    with database.begin() as connection:
        _, secret = keys.create(connection, portal, "uji", scopes)
    headers = {"Authorization": f"Bearer {secret}"}
    return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=LONGEST_WAIT)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all applications: FastAPI builds a route when it is first asked, which is not safe in two threads."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="served", daemon=True).start()
    return loop


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The address of an application that is served while the block runs."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    running = asyncio.run_coroutine_threadsafe(server.serve(), _loop())
    while not server.started and not running.done():
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        running.result()


@contextmanager
def serving(home: Path, registry: Path, database_url: str, **settings: Any) -> Iterator[Service]:
    """A home can be served again, or by two at once. Nobody reviews what only chance picked."""
    home.mkdir(exist_ok=True)
    if not (home / "registry").exists():
        (home / "registry").symlink_to(registry)
    app = create_application(
        Settings(home=home, database_url=database_url, **{"requests_per_minute": 100_000, **settings})
    )
    with (
        closing(without_chance(Database(database_url))) as database,
        listening(app) as url,
        client_of(url, database, "kota-kecil", *SCOPES) as small,
        client_of(url, database, "kota-besar", *SCOPES) as big,
    ):
        yield Service(app, url, home, database, small, big)


def without_chance(database: Database) -> Database:
    with database.begin() as connection:
        for portal in {"kota-kecil", "kota-besar"}.difference(connection.scalars(select(portal_settings.c.portal))):
            connection.execute(insert(portal_settings).values(portal=portal, sampled_share=0.0, double_share=0.0))
    return database


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of a refused request."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "errors"} <= body.keys()
    assert body["status"] == status
    return body
