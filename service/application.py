"""Wires the service: settings in, a FastAPI application out."""

import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router_model import __version__
from service import api, problems, try_page
from service.serving import serving_release
from service.store import Store

MOST_BODY_BYTES = 1_000_000
TOO_LARGE = f"Paling banyak {MOST_BODY_BYTES} byte."
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True)
class Settings:
    home: Path
    database_url: str

    @property
    def registry(self) -> Path:
        return self.home / "registry"


def settings_from_environment() -> Settings:
    home = Path(os.environ.get("ADUAN_HOME", "var"))
    return Settings(home, os.environ.get("ADUAN_DATABASE_URL", f"sqlite:///{home / 'aduan.db'}"))


def create_application(settings: Settings) -> FastAPI:
    """Loads the release in force and opens the database when the application starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.home.mkdir(parents=True, exist_ok=True)
        app.state.serving = serving_release(settings.registry)
        app.state.store = Store(settings.database_url)
        app.state.serving.prove()
        yield
        app.state.store.close()

    app = FastAPI(
        title="Aduan",
        version=__version__,
        description="Memilihkan instansi, kategori dan urgensi bagi pengaduan masyarakat, sebelum disposisi.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(_Around)
    app.include_router(api.router)
    app.include_router(api.health)
    app.include_router(try_page.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    return app


class _Around:
    """Request id and security headers on every answer, a failed one too, and the size limit of a body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given, length = headers.get("X-Request-ID", ""), headers.get("Content-Length", "0")
        request_id = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
        received, started = 0, False

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BODY_BYTES:
                raise HTTPException(413, TOO_LARGE)
            return message

        async def stamped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                answer = MutableHeaders(scope=message)
                answer["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    answer.setdefault(name, value)
            await send(message)

        if not length.isdigit() or int(length) > MOST_BODY_BYTES:
            await problems.problem(413, TOO_LARGE)(scope, receive, stamped)
            return
        try:
            await self.app(scope, limited, stamped)
        except Exception:
            if not started:
                await problems.problem(500)(scope, receive, stamped)
            raise


def application() -> FastAPI:
    """Entry point for uvicorn; reads the environment."""
    return create_application(settings_from_environment())
