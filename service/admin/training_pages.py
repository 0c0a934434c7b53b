"""Trainings: begun, watched, cancelled, on a schedule; and the release in the shadow."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.datastructures import FormData

from service import shadowing
from service.choices import masked
from service.database import datasets, job_log, jobs, portal_settings, shadow, unlearned
from service.database.database import Database
from service.database.datasets import Dataset
from service.database.job_log import Line
from service.database.jobs import CHECK, POLICY, RUNNING, TRAINING, Job, JobOverError
from service.database.portal_settings import PortalSettings
from service.database.shadow import Comparison
from service.pages import Administrator, Reader, lasting, page
from service.sessions import CheckedForm, SignedInUser
from service.settings import Settings
from service.training_schedule import outlook

PAGE = "/admin/pelatihan"
router = APIRouter(prefix=PAGE, include_in_schema=False)
JobId = Annotated[str, Path(max_length=40, pattern=r"^job_[A-Za-z0-9_-]+$")]
SHOWN = 20
LONGEST_NOTE = 500
MOST_DAYS, MOST_DISPOSITIONS = 365, 100_000
UNTAKEN = timedelta(seconds=60)
SILENT = timedelta(minutes=5)
NOTES = {
    "dimulai": "Pelatihan diminta. Kemajuannya tampil di bawah ini.",
    "sudah": "Pelatihan lain masih menunggu atau berjalan, jadi tidak ada yang baru dimulai.",
    "batal": "Pembatalan diminta. Rilis yang berlaku tidak berubah.",
    "berakhir": "Pekerjaan itu sudah berakhir, jadi tidak ada yang dibatalkan.",
    "jadwal": "Jadwal disimpan.",
    "bayangan": "Rilis itu sekarang berjalan sebagai bayangan.",
    "bayangan-berhenti": "Rilis bayangan dihentikan. Jawabannya tetap tersimpan.",
}
_STATES = {
    "queued": ("menunggu", "neutral"),
    "running": ("berjalan", "brand"),
    "done": ("selesai", "good"),
    "failed": ("gagal", "danger"),
    "cancelled": ("dibatalkan", "neutral"),
}
_KINDS = {TRAINING: "Pelatihan", CHECK: "Pemeriksaan data", POLICY: "Perubahan kebijakan"}
_BACK = re.compile(r"/admin/(?:pelatihan|rilis)(?:/[\w-]{1,100})?")


@dataclass(frozen=True, slots=True)
class Watched:
    """A job as people read it. `part` of it is done, of 1; `untaken` while no worker takes it up."""

    job: Job
    kind: str
    by: str
    state: str
    tone: str
    stage: str
    part: float
    steps: str
    left: str
    lasted: str
    in_force_now: bool
    untaken: bool

    @property
    def over(self) -> bool:
        return self.job.state not in (jobs.QUEUED, RUNNING)

    @property
    def result(self) -> Mapping[str, Any]:
        return self.job.result or {}

    @property
    def gate(self) -> Sequence[str]:
        """What the comparison with the release in force said."""
        return list((self.result.get("gate") or {}).get("reasons", ()))

    @property
    def outcome(self) -> str:
        if "release" not in self.result:
            return self.job.error
        verdict = "Diberlakukan." if self.result["in_force"] else "Tidak diberlakukan."
        return " ".join([verdict, *self.gate[:1]])


def asked_by(who: str) -> str:
    """Who asked for something, as the audit log names them, in words."""
    kind, _, name = who.partition(":")
    return {"user": name, "key": f"kunci API {name}"}.get(kind, who)


def watched(job: Job, in_force: str, now: datetime) -> Watched:
    state, tone = ("sedang dibatalkan", "warn") if job.cancel and job.state == RUNNING else _STATES[job.state]
    progress = job.progress if job.state == RUNNING else {}
    stage, done, total = progress.get("stage", ""), progress.get("done", 0), progress.get("total", 0)
    lasted = ((job.finished_at or now) - job.started_at).total_seconds() if job.started_at else None
    left = progress.get("seconds_left")
    return Watched(
        job=job,
        kind=_KINDS.get(job.kind, "Pekerjaan"),
        by=asked_by(job.created_by),
        state=state,
        tone=tone,
        stage=f"{stage[:1].upper()}{stage[1:]}" if stage else "Menunggu pekerja" if not job.started_at else "Mulai",
        part=_part(done, total, lasted or 0.0, left),
        steps=f"langkah {min(done + 1, total)} dari {total}" if total > 1 else "",
        left=_left(left),
        lasted=span(lasted) if lasted is not None else "",
        in_force_now=bool(in_force) and (job.result or {}).get("release") == in_force,
        untaken=job.state == jobs.QUEUED and now - job.created_at > UNTAKEN,
    )


def span(seconds: float) -> str:
    """Exactly, as whoever watches wants it: 40 detik, 1 menit 12 detik, 2 jam 5 menit."""
    whole = max(0, int(seconds))
    if whole < 3_600:
        return f"{whole // 60} menit {whole % 60} detik" if whole >= 60 else f"{whole} detik"
    return f"{whole // 3_600} jam {whole % 3_600 // 60} menit"


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"sekitar {lasting(seconds)} lagi" if seconds > 0 else "hampir selesai"


def _part(done: int, total: int, lasted: float, left: float | None) -> float:
    """By time where it can be told; otherwise of the present stage. Never all before the end."""
    found = lasted / (lasted + left) if left is not None and lasted + left > 0 else done / total if total else 0.0
    return min(found, 0.99)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the page shows of a portal."""

    live: dict[str, Any]
    known: list[Dataset]
    learnable: bool
    wanted: PortalSettings
    shadow: Comparison | None


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _in_force(request: Request, portal: str) -> str:
    serving = request.app.state.in_force.of(portal)
    return serving.release.id if serving else ""


def _live(connection: Connection, settings: Settings, portal: str, in_force: str, now: datetime) -> dict[str, Any]:
    """What changes while somebody watches."""
    current = jobs.unfinished(connection, portal, TRAINING)
    lines: list[Line] = job_log.lines(connection, portal, current.id) if current else []
    past = [job for job in jobs.newest(connection, portal, TRAINING, SHOWN) if not (current and job.id == current.id)]
    return {
        "current": watched(current, in_force, now) if current else None,
        "lines": lines,
        "past": [watched(job, in_force, now) for job in past],
        "ahead": outlook(connection, settings, portal, now),
        "wanted": portal_settings.of(connection, portal),
        "now": now,
    }


@router.get("")
async def overview(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _overview(request, user, note=NOTES.get(pesan, ""))


async def _overview(request: Request, user: SignedInUser, status: int = 200, **context: Any) -> Response:
    settings: Settings = request.app.state.settings
    in_force, now = _in_force(request, user.portal), datetime.now(UTC)

    def read(connection: Connection) -> _Seen:
        wanted = portal_settings.of(connection, user.portal)
        beside = wanted.shadow_release if wanted.shadow_release != in_force else ""
        return _Seen(
            live=_live(connection, settings, user.portal, in_force, now),
            known=datasets.every(connection, user.portal),
            learnable=user.portal in unlearned.portals(connection),
            wanted=wanted,
            shadow=shadow.compare(connection, user.portal, beside) if beside else None,
        )

    seen = await _database(request).read(read)
    frame = {
        **seen.live,
        "datasets": seen.known,
        "rows": sum(dataset.rows for dataset in seen.known),
        "learnable": seen.learnable,
        "typed": {"hari": seen.wanted.train_every_days, "disposisi": seen.wanted.train_after, "catatan": ""},
        "chosen": {dataset.id for dataset in seen.known},
        "problems": {},
        "most": {"hari": MOST_DAYS, "disposisi": MOST_DISPOSITIONS, "catatan": LONGEST_NOTE},
        "note": "",
        **shadow_context(seen.shadow, PAGE, now),
    }
    return page(request, "admin/training.html", user, status, **{**frame, **context})


def shadow_context(comparison: Comparison | None, back: str, now: datetime) -> dict[str, Any]:
    """What `admin/_shadow.html` needs; `back` is the page to return to after ending it."""
    waits = comparison.waits_since if comparison else None
    return {
        "shadow": comparison,
        "shadow_release": comparison.release if comparison else "",
        "shadow_silent": bool(waits and now - waits > SILENT),
        "shadow_back": back,
    }


@router.get("/keadaan")
async def live(request: Request, user: Reader) -> Response:
    """The part of the page that changes, for the script."""
    settings: Settings = request.app.state.settings
    in_force, now = _in_force(request, user.portal), datetime.now(UTC)
    seen = await _database(request).read(lambda connection: _live(connection, settings, user.portal, in_force, now))
    return page(request, "admin/training_live.html", user, **seen)


@router.post("")
async def begin(request: Request, user: Administrator, form: CheckedForm) -> Response:
    chosen = {value for value in form.getlist("data") if isinstance(value, str)}
    note = _text(form, "catatan")

    def act(connection: Connection) -> str | None:
        known = {dataset.id for dataset in datasets.every(connection, user.portal)}
        if known and not chosen & known:
            return None
        wanted = [] if known <= chosen else sorted(chosen & known)
        request = {"datasets": wanted, "reason": masked(note)[:LONGEST_NOTE]}
        return "dimulai" if jobs.enqueue_alone(connection, user.portal, TRAINING, request, user.who) else "sudah"

    code = await _database(request).write(act)
    if code is None:
        typed = {"catatan": note}
        problems = {"data": "Pilih sedikitnya satu kumpulan data. Disposisi petugas selalu ikut."}
        return await _refused(request, user, typed, problems, chosen=chosen)
    return RedirectResponse(f"{PAGE}?pesan={code}", 303)


async def _refused(
    request: Request, user: SignedInUser, typed: dict[str, Any], problems: dict[str, str], **context: Any
) -> Response:
    saved = await _database(request).read(lambda connection: portal_settings.of(connection, user.portal))
    before = {"hari": saved.train_every_days, "disposisi": saved.train_after, "catatan": ""}
    return await _overview(request, user, 422, typed=before | typed, problems=problems, **context)


@router.post("/jadwal")
async def schedule(request: Request, user: Administrator, form: CheckedForm) -> Response:
    typed = {"hari": _text(form, "hari").strip(), "disposisi": _text(form, "disposisi").strip()}
    days, after = _whole(typed["hari"], MOST_DAYS), _whole(typed["disposisi"], MOST_DISPOSITIONS)
    if days is None or after is None:
        faults = {
            "hari": f"Tulis bilangan bulat dari 0 sampai {MOST_DAYS}." if days is None else "",
            "disposisi": "Tulis bilangan bulat dari 0 sampai 100.000." if after is None else "",
        }
        return await _refused(request, user, typed, {name: fault for name, fault in faults.items() if fault})

    def change(connection: Connection) -> None:
        before = portal_settings.of(connection, user.portal)
        wanted = replace(before, train_every_days=days, train_after=after)
        portal_settings.change(connection, user.portal, user.who, wanted)

    await _database(request).write(change)
    return RedirectResponse(f"{PAGE}?pesan=jadwal", 303)


def _whole(typed: str, most: int) -> int | None:
    number = int(typed) if re.fullmatch(r"[0-9]{1,6}", typed) else -1
    return number if 0 <= number <= most else None


@router.post("/bayangan")
async def begin_shadow(request: Request, user: Administrator, form: CheckedForm) -> Response:
    settings: Settings = request.app.state.settings
    await shadowing.begin(_database(request), settings.registry, user.portal, _text(form, "rilis"), user.who)
    return RedirectResponse(f"{_back(form)}?pesan=bayangan", 303)


@router.post("/bayangan/akhiri")
async def end_shadow(request: Request, user: Administrator, form: CheckedForm) -> Response:
    release = _text(form, "rilis")
    await _database(request).write(lambda connection: shadow.end(connection, user.portal, release, user.who))
    return RedirectResponse(f"{_back(form)}?pesan=bayangan-berhenti", 303)


def _back(form: FormData) -> str:
    wanted = _text(form, "kembali")
    return wanted if _BACK.fullmatch(wanted) else PAGE


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


@router.get("/{job_id}")
async def one(request: Request, user: Reader, job_id: JobId, pesan: str = "") -> Response:
    return await _one(request, user, job_id, "admin/training_job.html", note=NOTES.get(pesan, ""))


@router.get("/{job_id}/keadaan")
async def one_live(request: Request, user: Reader, job_id: JobId) -> Response:
    return await _one(request, user, job_id, "admin/training_job_live.html")


async def _one(request: Request, user: SignedInUser, job_id: str, template: str, **context: Any) -> Response:
    in_force, now = _in_force(request, user.portal), datetime.now(UTC)

    def read(connection: Connection) -> tuple[Job, list[Line], list[Dataset], str]:
        job = jobs.one(connection, user.portal, job_id)
        wanted = set(job.request.get("datasets", ()))
        chosen = [dataset for dataset in datasets.kept(connection, user.portal) if dataset.id in wanted]
        beside = portal_settings.of(connection, user.portal).shadow_release
        return job, job_log.lines(connection, user.portal, job_id), chosen, beside

    job, lines, chosen, beside = await _database(request).read(read)
    shown = {"current": watched(job, in_force, now), "lines": lines, "datasets": chosen, "shadow_release": beside}
    return page(request, template, user, **{**shown, **context})


@router.post("/{job_id}/batal")
async def cancel(request: Request, user: Administrator, form: CheckedForm, job_id: JobId) -> Response:
    try:
        await _database(request).write(lambda connection: jobs.cancel(connection, user.portal, job_id, user.who))
    except JobOverError:
        code = "berakhir"
    else:
        code = "batal"
    place = f"{PAGE}/{job_id}" if form.get("dari") == "catatan" else PAGE
    return RedirectResponse(f"{place}?pesan={code}", 303)
