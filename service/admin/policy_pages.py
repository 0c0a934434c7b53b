"""How sure the model has to be: what a wish for precision would do, and putting it in force."""

import asyncio
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.datastructures import FormData

from router_model.errors import AduanError
from router_model.policy import Policy
from router_model.registry import champions, release_folder
from router_model.release import read_manifest
from service.admin import policy_view
from service.admin.policy_view import LEFT, RIGHT, TICKS, Foresight, Looked, x_of, y_of
from service.database import jobs, repeats
from service.database.database import Database
from service.database.jobs import POLICY, Job, NoJobError
from service.database.repeats import Answer, Repeat
from service.pages import Administrator, Reader, page
from service.sessions import CheckedForm, SignedInUser
from service.settings import Settings
from service.suggesting import fingerprint
from training.wishes import STEPS, Wish

PAGE = "/admin/kebijakan"
router = APIRouter(prefix=PAGE, include_in_schema=False)
LOWEST, HIGHEST = STEPS[0], STEPS[-1]
NOTES = {
    "berganti": "Rilis yang berlaku berganti sejak halaman Anda dibuka, jadi tidak ada yang diubah. Periksa lagi.",
    "sama": "Ketepatan itu sudah berlaku, jadi tidak ada yang diubah.",
    "sibuk": "Perubahan sebelumnya belum selesai diberlakukan. Tunggu sebentar, lalu ulangi.",
}
RANGE = "Tulis angka dari 80 sampai 99,5."
BELOW = (
    "Ketepatan otomatis tidak boleh di bawah ketepatan yang dipilihkan: yang diteruskan tanpa orang harus lebih pasti."
)
_TOKEN = re.compile(r"[\w-]{8,64}")


@dataclass(frozen=True, slots=True)
class InForce:
    """The release whose thresholds are looked at, and what its wishes do; both last ones are None where it keeps no
    forward answers to look at."""

    release: str
    wish: Wish
    now: Looked | None
    foresight: Foresight | None


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody wrote, the wish it means if it means one, and what is wrong with each field."""

    auto: str
    prefill: str
    wish: Wish | None
    problems: dict[str, str]


def _registry(request: Request) -> Path:
    settings: Settings = request.app.state.settings
    return settings.registry


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _in_force(registry: Path, portal: str) -> InForce | None:
    release = champions(registry).get(portal)
    if release is None:
        return None
    folder = release_folder(registry, release)
    wish = Wish.of(Policy.from_values(read_manifest(folder)["policy"]))
    try:
        return InForce(release, wish, policy_view.looked(folder, wish), policy_view.foresight(folder))
    except (AduanError, OSError, ValueError):
        return InForce(release, wish, None, None)


def _read(auto: str, prefill: str) -> Typed:
    """Percentages as people write them."""
    shares = {name: _share(text) for name, text in (("auto", auto), ("prefill", prefill))}
    problems = {name: RANGE for name, share in shares.items() if share is None}
    if shares["auto"] is None or shares["prefill"] is None:
        return Typed(auto, prefill, None, problems)
    if shares["auto"] < shares["prefill"]:
        return Typed(auto, prefill, None, {"auto": BELOW})
    return Typed(auto, prefill, Wish(shares["auto"], shares["prefill"]), {})


def _share(text: str) -> float | None:
    match = re.fullmatch(r"\s*(\d{1,3}(?:[.,]\d{1,3})?)\s*%?\s*", text)
    share = round(float(match[1].replace(",", ".")) / 100, 5) if match else 0.0
    return share if LOWEST <= share <= HIGHEST else None


def _written(share: float) -> str:
    """As a number field takes it."""
    return f"{min(max(100 * share, 100 * LOWEST), 100 * HIGHEST):.5g}"


@router.get("")
async def policy(
    request: Request, user: Reader, auto: str = "", prefill: str = "", pesan: str = "", pekerjaan: str = ""
) -> Response:
    typed = _read(auto, prefill) if auto or prefill else None
    return await _page(request, user, typed, note=NOTES.get(pesan, ""), job_id=pekerjaan)


async def _page(
    request: Request, user: SignedInUser, typed: Typed | None, note: str = "", job_id: str = ""
) -> Response:
    registry = _registry(request)
    found = await asyncio.to_thread(_in_force, registry, user.portal)
    job = await _database(request).read(lambda connection: _job(connection, user.portal, job_id))
    context: dict[str, Any] = {
        "found": found,
        "job": job,
        "note": note,
        "problems": {},
        "token": secrets.token_urlsafe(12),
    }
    if found and found.foresight:
        typed = typed or Typed(_written(found.wish.auto), _written(found.wish.prefill), found.wish, {})
        folder = release_folder(registry, found.release)
        seen = await asyncio.to_thread(policy_view.looked, folder, typed.wish) if typed.wish else None
        context |= {
            "typed": typed,
            "problems": typed.problems,
            "wished": seen,
            "ticks": TICKS,
            "left": LEFT,
            "right": RIGHT,
            "x_of": x_of,
            "y_of": y_of,
            "lowest": f"{100 * LOWEST:g}",
            "highest": f"{100 * HIGHEST:g}",
        }
    return page(request, "admin/policy.html", user, 422 if context["problems"] else 200, **context)


def _job(connection: Connection, portal: str, job_id: str) -> Job | None:
    """The one asked about, or else one that is under way."""
    if not job_id:
        return jobs.unfinished(connection, portal, POLICY)
    try:
        job = jobs.one(connection, portal, job_id)
    except NoJobError:
        return None
    return job if job.kind == POLICY else None


@router.post("")
async def apply(request: Request, user: Administrator, form: CheckedForm) -> Response:
    typed = _read(_text(form, "auto"), _text(form, "prefill"))
    if typed.wish is None:
        return await _page(request, user, typed)
    found = await asyncio.to_thread(_in_force, _registry(request), user.portal)
    if found is None or found.foresight is None:
        raise HTTPException(409, "Belum ada rilis yang ambangnya dapat dipilih lagi.")
    asked = {"release": _text(form, "berlaku"), **asdict(typed.wish)}
    token = _text(form, "permintaan")
    if not _TOKEN.fullmatch(token):
        raise HTTPException(422, "Formulir ini tidak lengkap. Muat ulang halamannya, lalu kirim sekali lagi.")
    content = fingerprint(request.app.state.secret, b"policy", orjson.dumps(asked))
    repeat = Repeat(user.portal, f"{user.id}:{token}", content)

    def act(connection: Connection) -> str:
        if before := repeats.earlier(connection, repeat):
            return f"pekerjaan={before.body}"
        if asked["release"] != found.release:
            return "pesan=berganti"
        if typed.wish == found.wish:
            return "pesan=sama"
        job = jobs.enqueue_alone(connection, user.portal, POLICY, asked, user.who)
        if job is None:
            return "pesan=sibuk"
        repeats.remember(connection, [(repeat, Answer(303, job.id))])
        return f"pekerjaan={job.id}"

    return RedirectResponse(f"{PAGE}?{await _database(request).write(act)}", 303)


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
