"""A draft of labelled data: what reading left out, what a check found, mending it, and adding it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.datastructures import FormData

from router_model.errors import AduanError
from router_model.personal_data import KIND_LABELS
from router_model.portal import load_portal
from service.admin import draft_fixes
from service.admin.data_columns import MEANINGS
from service.admin.draft_fixes import RELABEL, WHOLE
from service.admin.draft_view import FindingView, finding_view, grouped, period_words
from service.choices import masked
from service.database import datasets, drafts
from service.database.database import Database
from service.database.datasets import Dataset
from service.database.drafts import Draft
from service.database.jobs import QUEUED, RUNNING, Job
from service.dataset_content import fingerprint, from_content, mended, rows_left
from service.pages import Administrator, Reader, page, templates
from service.portal_folders import portal_folder
from service.sessions import CheckedForm, SignedInUser
from service.settings import Settings

router = APIRouter(prefix="/draf", include_in_schema=False)
LONGEST_NAME = 100
FIRST_CASES, CASES_OF_A_PAGE = 4, 25
PATIENCE = timedelta(seconds=30)
"""A check that waits longer waits for a worker that may not run."""
NOTES = {
    "diperbaiki": "Perbaikan dicatat.",
    "dibatalkan": "Perbaikan dibatalkan.",
    "diperiksa": "Draf diperiksa lagi.",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A draft with its last check, the rows that its fixes leave, and the data sets it may replace."""

    draft: Draft
    job: Job | None
    left: int
    in_use: list[Dataset]

    @property
    def checking(self) -> bool:
        return bool(self.job and self.job.state in (QUEUED, RUNNING) and self.draft.findings is None)

    @property
    def waits_in_vain(self) -> bool:
        job = self.job
        return bool(job and job.state == QUEUED and datetime.now(UTC) - job.created_at > PATIENCE)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _opened(request: Request, user: SignedInUser, draft_id: str) -> Opened:
    """Raises `NoDraftError`."""

    def read(connection: Connection) -> tuple[Draft, Job | None, bytes, list[Dataset]]:
        draft = drafts.one(connection, user.portal, draft_id)
        content = drafts.content(connection, user.portal, draft_id) if draft.fixes else b""
        in_use = datasets.every(connection, user.portal)
        return draft, drafts.job_of(connection, draft), content, in_use[::-1]

    draft, job, content, in_use = await _database(request).read(read)
    left = await asyncio.to_thread(rows_left, content, draft.dropped, draft.cells) if content else draft.rows
    return Opened(draft, job, left, in_use)


async def _choices(request: Request, portal: str) -> dict[str, list[str]]:
    """Labels to choose from by column, of the portal as it is described now."""
    settings: Settings = request.app.state.settings

    def read() -> dict[str, list[str]]:
        try:
            return draft_fixes.choices(load_portal(portal_folder(settings, portal)))
        except AduanError:
            return {}

    return await asyncio.to_thread(read)


@router.get("/{draft_id}")
async def one(request: Request, user: Reader, draft_id: str, pesan: str = "") -> Response:
    return await _page(request, user, await _opened(request, user, draft_id), note=NOTES.get(pesan, ""))


async def _page(request: Request, user: SignedInUser, opened: Opened, status: int = 200, **context: Any) -> Response:
    draft, findings = opened.draft, opened.draft.findings
    choices = await _choices(request, user.portal) if findings else {}
    period = (findings or {}).get("period")
    views = [
        finding_view(found, draft.fixes, choices, most=FIRST_CASES) for found in (findings or {}).get("findings", ())
    ]
    return page(
        request,
        "admin/data_draft.html",
        user,
        status,
        **{
            "opened": opened,
            "draft": draft,
            "groups": grouped(views),
            "to_do": sum(view.severity != "keterangan" and not view.settled for view in views),
            "period": period_words(*map(date.fromisoformat, period)) if period else "",
            "masked_kinds": [(KIND_LABELS[kind], rows) for kind, rows in draft.read.get("masked", {}).items()],
            "meanings": MEANINGS,
            "name": draft.name,
            "replaces": draft.replaces,
            "note": "",
            "problem": "",
            "wrong": "",
            **context,
        },
    )


@router.get("/{draft_id}/kemajuan")
async def progress(request: Request, user: Reader, draft_id: str) -> Response:
    """How far the check is, as a piece of the page."""
    opened = await _opened(request, user, draft_id)
    return templates.TemplateResponse(request, "admin/data_progress.html", {"opened": opened, "draft": opened.draft})


@router.get("/{draft_id}/temuan/{code}")
async def finding(
    request: Request, user: Reader, draft_id: str, code: str, mulai: int = 0, pesan: str = ""
) -> Response:
    """All cases of one finding, some at a time."""
    opened = await _opened(request, user, draft_id)
    found = draft_fixes.finding_of(opened.draft.findings, code)
    start = max(0, mulai)
    choices = await _choices(request, user.portal)
    view: FindingView = finding_view(found, opened.draft.fixes, choices, start, CASES_OF_A_PAGE)
    return page(
        request,
        "admin/data_finding.html",
        user,
        opened=opened,
        draft=opened.draft,
        finding=view,
        start=start,
        before=max(0, start - CASES_OF_A_PAGE) if start else None,
        after=start + CASES_OF_A_PAGE if start + CASES_OF_A_PAGE < view.listed else None,
        note=NOTES.get(pesan, ""),
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _back(form: FormData, draft_id: str, code: str, note: str) -> Response:
    """To where the form stood: among all findings, or on the page of one."""
    start = _text(form, "mulai")
    place, anchor = f"/admin/data/draf/{draft_id}", quote(f"temuan-{code}")
    if start.isdecimal():
        return RedirectResponse(f"{place}/temuan/{quote(code)}?mulai={int(start)}&pesan={note}#{anchor}", 303)
    return RedirectResponse(f"{place}?pesan={note}#{anchor}", 303)


@router.post("/{draft_id}/perbaikan")
async def fix(request: Request, user: Administrator, form: CheckedForm, draft_id: str) -> Response:
    """Settles one case of a finding, or all that are not settled yet."""
    code, key = _text(form, "temuan"), _text(form, "kasus")
    act, _, value = _text(form, "cara").partition(":")
    choices = await _choices(request, user.portal) if act == RELABEL else {}

    def change(draft: Draft) -> list[drafts.Fix]:
        found = draft_fixes.finding_of(draft.findings, code)
        if key == WHOLE:
            return draft_fixes.put(draft.fixes, draft_fixes.fix_all(found, act, draft.fixes))
        chosen = value or str(draft_fixes.case_of(found, key)["proposed"])
        return draft_fixes.put(draft.fixes, [draft_fixes.fix_one(found, key, act, chosen, choices)])

    detail = {"finding": code, "act": act}
    await _database(request).write(
        lambda connection: drafts.change_fixes(connection, user.portal, draft_id, change, user.who, detail)
    )
    return _back(form, draft_id, code, "diperbaiki")


@router.post("/{draft_id}/perbaikan/batal")
async def unfix(request: Request, user: Administrator, form: CheckedForm, draft_id: str) -> Response:
    """Takes back what settled one case, or all of a finding."""
    code, key = _text(form, "temuan"), form.get("kasus")

    def change(draft: Draft) -> list[drafts.Fix]:
        return draft_fixes.taken_back(draft.fixes, code, key if isinstance(key, str) else None)

    detail = {"finding": code, "act": "batal"}
    await _database(request).write(
        lambda connection: drafts.change_fixes(connection, user.portal, draft_id, change, user.who, detail)
    )
    return _back(form, draft_id, code, "dibatalkan")


@router.post("/{draft_id}/periksa")
async def check_again(request: Request, user: Administrator, form: CheckedForm, draft_id: str) -> Response:
    await _database(request).write(lambda connection: drafts.check(connection, user.portal, draft_id, user.who))
    return RedirectResponse(f"/admin/data/draf/{draft_id}?pesan=diperiksa", 303)


@router.post("/{draft_id}/buang")
async def discard(request: Request, user: Administrator, form: CheckedForm, draft_id: str) -> Response:
    await _database(request).write(lambda connection: drafts.discard(connection, user.portal, draft_id, user.who))
    return RedirectResponse("/admin/data?pesan=dibuang", 303)


@router.post("/{draft_id}/tambahkan")
async def add(request: Request, user: Administrator, form: CheckedForm, draft_id: str) -> Response:
    """Keeps the mended rows as a data set, which may replace another one, and ends the draft."""
    opened = await _opened(request, user, draft_id)
    draft, database = opened.draft, _database(request)
    name, replaces = masked(_text(form, "nama")).strip()[:LONGEST_NAME], _text(form, "ganti")
    typed = {"name": _text(form, "nama"), "replaces": replaces}
    if not name:
        return await _page(request, user, opened, 422, problem="Beri nama data ini.", wrong="nama", **typed)
    if replaces and replaces not in {dataset.id for dataset in opened.in_use}:
        problem = "Data yang hendak diganti tidak dipakai lagi. Pilih yang lain."
        return await _page(request, user, opened, 422, problem=problem, wrong="ganti", **typed)
    before = await database.read(lambda connection: drafts.content(connection, user.portal, draft_id))
    content, rows, digest = await asyncio.to_thread(_mended, draft, before)
    if not rows:
        problem = "Tidak ada satu baris pun yang tersisa. Batalkan sebagian perbaikan dahulu."
        return await _page(request, user, opened, 422, problem=problem, **typed)

    def keep(connection: Connection) -> Dataset | None:
        drafts.taken(connection, draft, user.who)
        kept, new = datasets.add(
            connection, portal=user.portal, name=name, content=content, rows=rows, fingerprint=digest, by=user.who
        )
        if not new:
            raise _AlreadyThereError(kept)
        if replaces:
            datasets.replace(connection, user.portal, replaces, kept.id, user.who)
        return kept

    try:
        await database.write(keep)
    except _AlreadyThereError as error:
        return await _page(request, user, opened, 422, problem=str(error), **typed)
    return RedirectResponse(f"/admin/data?pesan={'diganti' if replaces else 'ditambahkan'}", 303)


class _AlreadyThereError(AduanError):
    """Undoes the transaction, so that the draft stays."""

    def __init__(self, kept: Dataset) -> None:
        state = "masih dipakai" if kept.in_use else "tersimpan sebagai versi lama; pakai lagi versi itu"
        super().__init__(f"Baris yang sama persis sudah ada: {kept.name}, versi {kept.version}, {state}.")


def _mended(draft: Draft, before: bytes) -> tuple[bytes, int, str]:
    content, rows = mended(before, draft.dropped, draft.cells)
    return content, rows, fingerprint(from_content(content))
