"""Wires the service: settings in, a FastAPI application out."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from router_model import __version__
from service import account_page, first_run_page, logs, problems, try_page
from service.access import Answering, KnownKeys
from service.admin import (
    access_pages,
    audit_pages,
    data_pages,
    health_pages,
    home_page,
    policy_pages,
    portal_pages,
    release_pages,
    training_pages,
)
from service.api import (
    audit,
    datasets,
    disposition_import,
    dispositions,
    health,
    open311,
    releases,
    review,
    suggestions,
    trainings,
    webhooks,
)
from service.around import Around
from service.database import portal_settings
from service.database.database import Database
from service.desk import history_page, progress_page, review_page
from service.lane import Lane
from service.metrics import Metrics
from service.rate_limit import RateLimit
from service.serving import InForce
from service.sessions import Sessions
from service.settings import Settings, settings_from_environment

_log = logging.getLogger(__name__)
WATCH_SECONDS = 1.0
PAGES = (
    account_page, first_run_page, history_page, progress_page, review_page, home_page, data_pages, training_pages,
    release_pages, policy_pages, health_pages, portal_pages, access_pages, audit_pages, try_page,
)  # fmt: skip
CALLS = (suggestions, disposition_import, dispositions, review, datasets, trainings, releases, webhooks, audit)


def create_application(settings: Settings) -> FastAPI:
    """Opens the database and loads the releases in force when the application starts; from then on it follows
    what is promoted, rolled back, created and revoked."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.home.mkdir(parents=True, exist_ok=True)
        state = app.state
        state.settings, state.metrics, state.lane = settings, metrics, Lane()
        state.secret = settings.signing_secret
        state.sessions = Sessions(state.secret, secure=settings.secure_cookies)
        state.in_force = InForce(settings.registry)
        state.rate_limit = RateLimit(settings.home / "run" / "requests")
        state.database = Database(settings.database)
        state.known_keys = KnownKeys(state.database)
        state.portal_settings = {}
        state.answering = Answering(state.database, state.lane, metrics, state.secret)
        await _look(app)
        gc.collect()
        gc.freeze()
        watching = asyncio.create_task(_watch(app))
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await asyncio.to_thread(state.database.close)

    app = FastAPI(
        title="Aduan",
        version=__version__,
        description="Memilihkan instansi, kategori dan urgensi bagi pengaduan masyarakat, sebelum disposisi.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(Around, settings=settings, metrics=metrics)
    for calls in CALLS:
        app.include_router(calls.router, responses=problems.described(400, 401, 403, 413, 429, 503))
    app.include_router(open311.router)
    app.include_router(health.router)
    for pages in PAGES:
        app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    return app


async def _look(app: FastAPI) -> None:
    """Takes up what changed; whatever fails is told, and what served before goes on."""
    state = app.state
    try:
        changes = await asyncio.to_thread(state.in_force.refresh)
        if changes:
            # A release holds a million small objects that live as long as it does: no collection should look at them.
            gc.freeze()
        for change in changes:
            extra = {"portal": change.portal, "release": change.release}
            if change.fault:
                _log.error("release refused", extra={**extra, "fault": change.fault})
                state.metrics.release_refused(change.portal)
            else:
                _log.info("release in force", extra=extra)
        await state.known_keys.refresh()
        state.portal_settings = await state.database.read(portal_settings.every)
    except Exception as error:
        _log.error("could not look for changes", extra={"error": type(error).__name__})


async def _watch(app: FastAPI) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        await _look(app)


def application() -> FastAPI:
    """Entry point for uvicorn; reads the environment."""
    settings = settings_from_environment()
    logs.configure(settings.log_level)
    return create_application(settings)
