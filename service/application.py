"""Wires the service: settings in, a FastAPI application out."""

import os
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

from router_model import __version__
from service import api, problems, try_page
from service.serving import serving_release
from service.store import Store

MOST_BODY_BYTES = 1_000_000
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
    app.middleware("http")(_around)
    app.include_router(api.router)
    app.include_router(api.health)
    app.include_router(try_page.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    return app


async def _around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Request id, security headers and the size limit of a body that says its length."""
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
    length = request.headers.get("Content-Length", "0")
    if not length.isdigit() or int(length) > MOST_BODY_BYTES:
        response = problems.problem(413, f"Paling banyak {MOST_BODY_BYTES} byte.")
    else:
        response = await call_next(request)
    response.headers["X-Request-ID"] = request_id
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def application() -> FastAPI:
    """Entry point for uvicorn; reads the environment."""
    return create_application(settings_from_environment())
