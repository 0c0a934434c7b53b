"""Labelled data of a portal: what there is, its versions, and uploading more."""

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.datastructures import FormData, UploadFile

from service.admin import data_columns, draft_pages
from service.admin.draft_fixes import COLUMN_NAMES
from service.admin.draft_view import period_words
from service.choices import masked
from service.database import datasets, drafts
from service.database.database import Database
from service.database.datasets import Dataset
from service.dataset_content import labelled, period, with_places
from service.pages import Administrator, Reader, page, templates
from service.sessions import CSRF_HEADER, CheckedForm, SignedInUser
from service.upload_checks import KINDS, UploadRefusedError
from service.upload_reading import DRAFT
from service.uploads import Look, UnknownHeadersError, look_in_background, read_in_background

router = APIRouter(prefix="/admin/data", include_in_schema=False)
router.include_router(draft_pages.router)
LONGEST_NAME = 100
NOTES = {
    "ditambahkan": "Data ditambahkan. Pelatihan berikutnya belajar darinya.",
    "diganti": "Data ditambahkan dan menggantikan versi sebelumnya. Pelatihan berikutnya belajar darinya.",
    "dibuang": "Draf dibuang.",
    "dihapus": "Data dihapus. Rilis yang sudah belajar darinya tidak berubah.",
    "dipakai": "Versi ini dipakai lagi. Pelatihan berikutnya belajar darinya.",
}
NO_FILE = "Pilih berkas dahulu."


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


@router.get("")
async def every(request: Request, user: Reader, ganti: str = "", pesan: str = "") -> Response:
    return await _list(request, user, replaces=ganti, note=NOTES.get(pesan, ""))


async def _list(
    request: Request, user: SignedInUser, status: int = 200, replaces: str = "", **context: Any
) -> Response:
    def read(connection: Connection) -> tuple[list[Dataset], list[drafts.ListedDraft]]:
        return datasets.kept(connection, user.portal), drafts.every(connection, user.portal)

    known, waiting = await _database(request).read(read)
    in_use = [dataset for dataset in reversed(known) if dataset.in_use]
    return page(
        request,
        "admin/data.html",
        user,
        status,
        **{
            "in_use": in_use,
            "replaced": [dataset for dataset in reversed(known) if not dataset.in_use],
            "drafts": waiting,
            "rows": sum(dataset.rows for dataset in in_use),
            "replaces": next((dataset for dataset in in_use if dataset.id == replaces), None),
            "endings": ",".join(KINDS),
            "most_upload": request.app.state.settings.most_upload,
            "note": "",
            "problem": "",
            **context,
        },
    )


def _file(form: FormData) -> UploadFile | None:
    file = form.get("berkas")
    return file if isinstance(file, UploadFile) and file.filename else None


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


@router.post("/pratinjau")
async def preview(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """What the columns of a file seem to mean, as a piece of a page. Nothing is kept."""
    file = _file(form)
    if file is None:
        return _piece(request, problem=NO_FILE)
    try:
        look = await look_in_background(file.file, file.filename or "")
    except UploadRefusedError as error:
        return _piece(request, problem=str(error))
    return _piece(request, look)


def _piece(
    request: Request, look: Look | None = None, mapping: dict[str, str] | None = None, problem: str = ""
) -> Response:
    context = {"problem": problem, **(_mapping(look, mapping or {}) if look else {"columns": ()})}
    return templates.TemplateResponse(request, "admin/data_columns.html", context, status_code=422 if problem else 200)


def _mapping(look: Look, mapping: dict[str, str]) -> dict[str, Any]:
    return {
        "columns": data_columns.choices(look.columns, mapping),
        "meanings": data_columns.MEANINGS,
        "unused": data_columns.UNUSED,
        "encoding": look.encoding,
    }


@router.post("/draf")
async def upload(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Masks all rows of a file and keeps them as a draft, which is then checked."""
    file, mapping, replaces = _file(form), data_columns.given(form), _text(form, "ganti")
    if file is None:
        return await _refused(request, user, NO_FILE, replaces)
    name = file.filename or ""
    try:
        if problem := data_columns.fault(mapping) if mapping else "":
            look = await look_in_background(file.file, name)
            return await _to_map(request, user, look, mapping, problem, replaces)
        found = await read_in_background(file.file, name, purpose=DRAFT, columns=mapping)
    except UnknownHeadersError as error:
        return await _to_map(request, user, error.look, mapping, str(error), replaces)
    except UploadRefusedError as error:
        return await _refused(request, user, str(error), replaces)
    shown = masked(_text(form, "nama") or name)[:LONGEST_NAME]
    read = {
        "file": masked(name)[:LONGEST_NAME],
        "encoding": found.encoding,
        "faulty": found.faulty,
        "faults": [{"where": f.where, "column": f.column, "message": f.message} for f in found.faults],
        "masked": dict(found.masked),
    }

    def keep(connection: Connection) -> str:
        in_use = {dataset.id for dataset in datasets.every(connection, user.portal)}
        return drafts.add(
            connection,
            portal=user.portal,
            name=shown,
            content=found.content,
            rows=found.rows,
            read=read,
            replaces=replaces if replaces in in_use else None,
            by=user.who,
        )

    return RedirectResponse(f"/admin/data/draf/{await _database(request).write(keep)}", 303)


async def _refused(request: Request, user: SignedInUser, problem: str, replaces: str) -> Response:
    if CSRF_HEADER in request.headers:
        return _piece(request, problem=problem)
    return await _list(request, user, 422, replaces, problem=problem)


async def _to_map(
    request: Request, user: SignedInUser, look: Look, mapping: dict[str, str], problem: str, replaces: str
) -> Response:
    """The columns to map; without a script the file has to be chosen again, for the service does not keep it."""
    if CSRF_HEADER in request.headers:
        return _piece(request, look, mapping, problem)
    return await _list(request, user, 422, replaces, mapping=_mapping(look, mapping), problem=problem)


@router.get("/{dataset_id}")
async def one(request: Request, user: Reader, dataset_id: str, pesan: str = "") -> Response:
    database = _database(request)
    known = await database.read(lambda connection: datasets.kept(connection, user.portal))
    content = await database.read(lambda connection: datasets.content(connection, user.portal, dataset_id))
    dataset = next(found for found in known if found.id == dataset_id)
    moments, labels = await asyncio.gather(asyncio.to_thread(period, content), asyncio.to_thread(labelled, content))
    return page(
        request,
        "admin/data_set.html",
        user,
        dataset=dataset,
        versions=datasets.versions(known, dataset),
        period=period_words(*map(datetime.fromisoformat, moments)) if moments else "",
        labels=[(COLUMN_NAMES[column], rows) for column, rows in labels.items()],
        note=NOTES.get(pesan, ""),
    )


@router.post("/{dataset_id}/perbaiki")
async def mend(request: Request, user: Administrator, form: CheckedForm, dataset_id: str) -> Response:
    """Opens a draft with the rows of a data set, which will replace it."""
    database = _database(request)
    dataset = await database.read(lambda connection: datasets.one(connection, user.portal, dataset_id))
    content = await database.read(lambda connection: datasets.content(connection, user.portal, dataset_id))
    rows = await asyncio.to_thread(with_places, content)

    def keep(connection: Connection) -> str:
        return drafts.add(
            connection,
            portal=user.portal,
            name=dataset.name,
            content=rows,
            rows=dataset.rows,
            read={},
            replaces=dataset.id if dataset.in_use else None,
            by=user.who,
        )

    return RedirectResponse(f"/admin/data/draf/{await database.write(keep)}", 303)


@router.post("/{dataset_id}/pakai-lagi")
async def use_again(request: Request, user: Administrator, form: CheckedForm, dataset_id: str) -> Response:
    await _database(request).write(lambda connection: datasets.use_again(connection, user.portal, dataset_id, user.who))
    return RedirectResponse(f"/admin/data/{dataset_id}?pesan=dipakai", 303)


@router.get("/{dataset_id}/hapus")
async def removal(request: Request, user: Administrator, dataset_id: str) -> Response:
    dataset = await _database(request).read(lambda connection: datasets.one(connection, user.portal, dataset_id))
    return page(request, "admin/data_remove.html", user, dataset=dataset)


@router.post("/{dataset_id}/hapus")
async def remove(request: Request, user: Administrator, form: CheckedForm, dataset_id: str) -> Response:
    await _database(request).write(lambda connection: datasets.remove(connection, user.portal, dataset_id, user.who))
    return RedirectResponse("/admin/data?pesan=dihapus", 303)
