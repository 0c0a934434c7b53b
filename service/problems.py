"""One place where errors become answers (RFC 9457), and where a status is chosen for each."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from router_model.errors import AduanError
from service.admin.draft_fixes import FixRefusedError
from service.choices import UnknownLabelError
from service.database.datasets import DatasetReplacedError, NoDatasetError
from service.database.dispositions import NoSuchSuggestionError
from service.database.drafts import DraftChangedError, NoDraftError
from service.database.jobs import JobOverError, NoJobError
from service.database.repeats import KeyReusedError
from service.database.review import NotYoursError
from service.database.suggestions import AlreadyDifferentError
from service.database.webhooks import NoWebhookError, WebhookRefusedError
from service.pages import templates
from service.portal_folders import NoPortalFolderError, PortalChangedError
from service.serving import NoReleaseError, ReleaseRefusedError
from service.sessions import CSRF_HEADER
from service.upload_checks import UploadRefusedError
from service.webhook_address import AddressRefusedError
from service.wire import Problem, ProblemError

_log = logging.getLogger(__name__)
STATUSES: dict[type[AduanError], int] = {
    NoDatasetError: 404,
    NoDraftError: 404,
    NoJobError: 404,
    NoPortalFolderError: 404,
    NoReleaseError: 404,
    NoSuchSuggestionError: 404,
    NoWebhookError: 404,
    AlreadyDifferentError: 409,
    DatasetReplacedError: 409,
    DraftChangedError: 409,
    JobOverError: 409,
    NotYoursError: 409,
    PortalChangedError: 409,
    ReleaseRefusedError: 409,
    WebhookRefusedError: 409,
    AddressRefusedError: 422,
    FixRefusedError: 422,
    KeyReusedError: 422,
    UnknownLabelError: 422,
    UploadRefusedError: 422,
}
BUSY = (OperationalError, InterfaceError, PoolTimeoutError, TimeoutError)
RETRY_AFTER = {"Retry-After": "1"}
TITLES = {
    400: "Permintaan tidak dapat dibaca",
    401: "Kunci API diperlukan",
    403: "Kunci ini tidak punya lingkup yang diperlukan",
    404: "Tidak ditemukan",
    405: "Metode tidak diizinkan",
    408: "Permintaan terlalu lama dikirim",
    409: "Bertentangan dengan yang sudah tersimpan",
    413: "Permintaan terlalu besar",
    415: "Jenis isi tidak diterima",
    422: "Isi permintaan belum benar",
    429: "Terlalu banyak permintaan",
    500: "Kesalahan pada server",
    503: "Sedang sibuk",
}
_MESSAGES = {
    "missing": "wajib diisi",
    "extra_forbidden": "kolom tidak dikenal; nama dan nomor identitas tidak diterima di sini",
    "string_too_long": "terlalu panjang",
    "string_too_short": "tidak boleh kosong",
    "string_pattern_mismatch": "berisi tanda yang tidak diterima",
    "string_unicode": "berisi tanda yang bukan Unicode",
    "too_long": "terlalu banyak",
    "too_short": "tidak boleh kosong",
    "json_invalid": "bukan JSON yang benar",
    "string_type": "harus teks",
    "datetime_from_date_parsing": "bukan tanggal ISO 8601",
    "datetime_parsing": "bukan tanggal ISO 8601",
    "sender_not_opaque": "harus acuan acak tanpa data pribadi: hanya huruf, angka, dan . : + / = _ -",
}

PAGES = ("/desk", "/admin", "/akun", "/masuk", "/keluar", "/mulai")
"""Where people read, rather than programs."""
_PAGE_TITLES = {
    403: "Anda tidak dapat membuka halaman ini",
    409: "Sudah berubah sementara itu",
    422: "Ada yang perlu diperbaiki",
    500: "Terjadi kesalahan",
}
_DETAILS = {
    "Not Found": "",
    "Method Not Allowed": "",
    "There was an error parsing the body": "Isi permintaan tidak dapat dibaca. Kirim teks UTF-8.",
}
"""What the framework says of its own accord."""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How these statuses stand in the OpenAPI description."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}


def problem(
    status: int,
    detail: str = "",
    errors: Sequence[ProblemError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = Problem(title=TITLES.get(status, "Kesalahan"), status=status, detail=detail, errors=list(errors))
    return JSONResponse(body.model_dump(), status_code=status, media_type="application/problem+json", headers=headers)


def _told(
    request: Request,
    status: int,
    detail: str = "",
    errors: Sequence[ProblemError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """As a page to people who opened one, as a problem document to programs and scripts."""
    path = request.url.path
    reading = "text/html" in request.headers.get("Accept", "") and CSRF_HEADER not in request.headers
    if status < 400 or not reading or not path.startswith(PAGES):
        return problem(status, detail, errors, headers)
    desk = next((part for part in ("/desk", "/admin") if path.startswith(part) and path != part), "/akun")
    context = {"portal_name": "", "release_id": "", "title": _PAGE_TITLES.get(status, TITLES.get(status, "Kesalahan"))}
    return templates.TemplateResponse(
        request, "problem.html", {**context, "detail": detail, "back": desk}, status_code=status, headers=headers
    )


def faults_of(errors: Iterable[Any]) -> list[ProblemError]:
    """Pydantic's own message may quote the input, so only messages of ours leave; and no name that is not one."""
    return [
        ProblemError(
            field=".".join(_named_part(part) for part in fault["loc"] if part != "body") or "body",
            message=_MESSAGES.get(fault["type"], "nilai tidak diterima"),
        )
        for fault in errors
    ]


def _named_part(part: str | int) -> str:
    return str(part) if _NAME.fullmatch(str(part)) else "?"


def problem_of(error: Exception) -> Problem:
    """What may be told of an error."""
    if isinstance(error, AduanError):
        status = next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 500)
        faults = error.faults.items() if isinstance(error, UnknownLabelError) else ()
        errors = [ProblemError(field=field, message=message) for field, message in faults]
        return Problem(title=TITLES[status], status=status, detail=str(error) if status < 500 else "", errors=errors)
    status = 503 if isinstance(error, BUSY) else 500
    return Problem(title=TITLES[status], status=status)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return _told(request, 422, "Perbaiki kolom yang disebut, lalu kirim ulang.", faults_of(error.errors()))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = dict(error.headers or {})
    if allowed := _allowed(request) if error.status_code == 405 else "":
        headers["Allow"] = allowed
    return _told(request, error.status_code, _DETAILS.get(error.detail, str(error.detail)), headers=headers)


def _allowed(request: Request) -> str:
    """All methods of what stands at a path; the framework names those of one route."""
    paths: Mapping[str, Mapping[str, Any]] = request.app.openapi()["paths"]
    fitting = [path for path in paths if compile_path(path)[0].match(request.url.path)]
    return ", ".join(sorted(paths[min(fitting, key=lambda path: path.count("{"))])).upper() if fitting else ""


async def _named(request: Request, error: Exception) -> Response:
    found = problem_of(error)
    if found.status >= 500:
        _log.error("request failed", extra={"error": type(error).__name__})
    headers = RETRY_AFTER if found.status == 503 else None
    return _told(request, found.status, found.detail, found.errors, headers)


async def _unnamed(request: Request, _: Exception) -> Response:
    return _told(request, 500)


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(AduanError, _named)
    for kind in BUSY:
        app.add_exception_handler(kind, _named)
    app.add_exception_handler(Exception, _unnamed)
