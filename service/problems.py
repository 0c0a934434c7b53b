"""One place where errors become answers (RFC 9457), and where a status is chosen for each."""

from collections.abc import Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from router_model.errors import AduanError
from service.store import AlreadyDifferentError
from service.wire import Problem, ProblemError

STATUSES: dict[type[AduanError], int] = {AlreadyDifferentError: 409}
TITLES = {
    400: "Permintaan tidak dapat dibaca",
    401: "Kunci API diperlukan",
    403: "Kunci ini tidak punya lingkup yang diperlukan",
    404: "Tidak ditemukan",
    405: "Metode tidak diizinkan",
    409: "Bertentangan dengan yang sudah tersimpan",
    413: "Permintaan terlalu besar",
    422: "Isi permintaan belum benar",
    500: "Kesalahan pada server",
}
_MESSAGES = {
    "missing": "wajib diisi",
    "extra_forbidden": "kolom tidak dikenal; nama dan nomor identitas tidak diterima di sini",
    "string_too_long": "terlalu panjang",
    "string_too_short": "tidak boleh kosong",
    "json_invalid": "bukan JSON yang benar",
    "string_type": "harus teks",
    "datetime_from_date_parsing": "bukan tanggal ISO 8601",
    "datetime_parsing": "bukan tanggal ISO 8601",
}


def problem(
    status: int, detail: str = "", errors: Sequence[ProblemError] = (), headers: dict[str, str] | None = None
) -> Response:
    body = Problem(title=TITLES.get(status, "Kesalahan"), status=status, detail=detail, errors=list(errors))
    return JSONResponse(body.model_dump(), status_code=status, media_type="application/problem+json", headers=headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = [
        ProblemError(
            field=".".join(str(part) for part in fault["loc"] if part != "body") or "body",
            # Pydantic's own message may quote the input, so only messages of ours leave.
            message=_MESSAGES.get(fault["type"], "nilai tidak diterima"),
        )
        for fault in error.errors()
    ]
    return problem(422, "Perbaiki kolom yang disebut, lalu kirim ulang.", faults)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))


async def _named(_: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 500)
    return problem(status, str(error) if status < 500 else "")


async def _unnamed(_: Request, __: Exception) -> Response:
    return problem(500)


def install(app: FastAPI) -> None:
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(AduanError, _named)
    app.add_exception_handler(Exception, _unnamed)
