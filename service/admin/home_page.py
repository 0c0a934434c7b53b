"""What needs an admin now, and the guided path from empty to the first suggestion."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from router_model.complaint import Complaint
from service import portal_folders
from service.admin import portal_view, release_view
from service.admin.home_needs import Seen, needs
from service.admin.home_steps import Begun, steps
from service.admin.portal_view import recorded
from service.database import audit, datasets, jobs, keys, users
from service.database.database import Database
from service.database.jobs import TRAINING
from service.database.statistics import portal_statistics
from service.lane import Lane
from service.pages import Administrator, Reader, page
from service.portal_folders import SAMPLE, NoPortalFolderError, portal_name, sample_portal
from service.serving import InForce
from service.sessions import CheckedForm, SignedInUser
from service.settings import Settings
from service.training_schedule import outlook
from service.try_page import shown
from service.upload_checks import UploadRefusedError
from service.uploads import read_in_background
from service.wire import LONGEST_TEXT

router = APIRouter(prefix="/admin", include_in_schema=False)
NOTES = {
    "contoh": "Data contoh ditambahkan. Langkah berikutnya: pelatihan.",
    "contoh-ada": "Data contoh sudah ada, jadi tidak ditambahkan lagi.",
}
SAMPLE_DATA = "complaints.csv"
ASKED_DAYS = 30
LATEST = 5


@router.get("")
async def home(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _home(request, user, note=NOTES.get(pesan, ""))


async def _home(request: Request, user: SignedInUser, status: int = 200, **context: Any) -> Response:
    settings: Settings = request.app.state.settings
    in_force: InForce = request.app.state.in_force
    now = datetime.now(UTC)
    view = await _view(request, user)
    releases = await asyncio.to_thread(release_view.listed, settings.registry, user.portal)

    def read(connection: Connection) -> tuple[Seen, Begun]:
        trainings = jobs.newest(connection, user.portal, TRAINING, LATEST)
        seen = Seen(
            releases=releases,
            statistics=portal_statistics(connection, user.portal, now),
            jobs=trainings,
            ahead=outlook(connection, settings, user.portal, now),
            view=view,
            refused=in_force.refused.get(user.portal),
            backup=audit.last(connection, "", "backup"),
            now=now,
        )
        begun = Begun(
            view=view,
            datasets=datasets.every(connection, user.portal),
            release=releases.in_force,
            training=jobs.unfinished(connection, user.portal, TRAINING),
            tried=audit.last(connection, user.portal, "suggestion.try"),
            keys=keys.of_portal(connection, user.portal),
            asked=[*keys.last_asked(connection, user.portal, now - timedelta(days=ASKED_DAYS))],
            people=users.of_portal(connection, user.portal),
            now=now,
        )
        return seen, begun

    seen, begun = await _database(request).read(read)
    path = steps(begun)
    described = view.portal if view else None
    frame: Mapping[str, Any] = {
        "seen": seen,
        "needs": needs(seen),
        "steps": path,
        "first": next((step.name for step in path if not step.done), ""),
        "training": begun.training,
        "may_change": user.role == "admin",
        "is_sample": sample_portal() == user.portal,
        "sample_name": portal_name(SAMPLE),
        "most_text": LONGEST_TEXT,
        "zone": described.timezone if described else "UTC",
        "note": "",
        "problem": "",
        "typed": "",
        "answer": None,
    }
    return page(request, "admin/home.html", user, status, **{**frame, **context})


async def _view(request: Request, user: SignedInUser) -> portal_view.PortalView | None:
    try:
        return await portal_view.opened(request, user)
    except NoPortalFolderError:
        return None


@router.post("/contoh")
async def add_sample(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Begins with the shipped portal, where the user's portal is that one: its folder, and its labelled complaints."""
    settings: Settings = request.app.state.settings
    if sample_portal() != user.portal:
        return await _home(request, user, 422, problem="Data contoh hanya untuk portal contoh.")
    try:
        folder = await asyncio.to_thread(portal_folders.described, settings, user.portal)
    except NoPortalFolderError:
        version = await asyncio.to_thread(portal_folders.adopt, settings, user.portal, SAMPLE, user.who)
        if version:
            await recorded(request, user, "portal.change", version)
        folder = portal_folders.described(settings, user.portal)
    try:
        with (SAMPLE / SAMPLE_DATA).open("rb") as file:
            found = await read_in_background(file, SAMPLE_DATA, folder)
    except (OSError, UploadRefusedError) as error:
        why = str(error) if isinstance(error, UploadRefusedError) else "berkasnya tidak ada"
        return await _home(request, user, 422, problem=f"Data contoh tidak dapat dibaca: {why}.")

    def keep(connection: Connection) -> bool:
        _, new = datasets.add(
            connection,
            portal=user.portal,
            name=f"Contoh {portal_name(SAMPLE)}",
            content=found.content,
            rows=found.rows,
            fingerprint=found.fingerprint,
            by=user.who,
        )
        return new

    added = await _database(request).write(keep)
    return RedirectResponse(f"/admin?pesan={'contoh' if added else 'contoh-ada'}", 303)


@router.post("/latih")
async def begin_training(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """From all data and all dispositions, unless a training waits or runs already."""
    wanted = {"datasets": [], "reason": ""}

    def begin(connection: Connection) -> str:
        return "dimulai" if jobs.enqueue_alone(connection, user.portal, TRAINING, wanted, user.who) else "sudah"

    return RedirectResponse(f"/admin/pelatihan?pesan={await _database(request).write(begin)}", 303)


@router.post("/coba")
async def try_suggestion(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Asks the release in force. Nothing of the text is kept, only that somebody tried."""
    in_force: InForce = request.app.state.in_force
    lane: Lane = request.app.state.lane
    given = form.get("text")
    text = given.strip() if isinstance(given, str) else ""
    if not text or len(text) > LONGEST_TEXT:
        problem = "Tulis isi laporannya." if not text else f"Paling banyak {LONGEST_TEXT} karakter."
        return await _home(request, user, 422, problem=problem, typed=text[:LONGEST_TEXT])
    if (serving := in_force.of(user.portal)) is None:
        return await _home(request, user, 422, problem="Belum ada rilis yang berlaku; latih dahulu.", typed=text)
    suggestion = await lane.run(serving.router.suggest, Complaint(text=text))
    release = serving.release.id

    def keep(connection: Connection) -> None:
        audit.record(
            connection,
            portal=user.portal,
            who=user.who,
            action="suggestion.try",
            subject=release,
            release=release,
        )

    await _database(request).write(keep)
    return await _home(request, user, typed=text, answer=shown(suggestion, serving, datetime.now(UTC), 0.0))


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
