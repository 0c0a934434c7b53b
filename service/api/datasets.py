"""Labelled data to learn from: sent, listed, taken back."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from router_model.errors import AduanError
from service.access import Asker, Scope, database_of, secret_of, settings_of
from service.choices import masked
from service.database import datasets
from service.database.database import Database
from service.database.repeats import Answer, Repeat, once
from service.once import IdempotencyKey, response
from service.portal_folders import portal_folder
from service.problems import described
from service.settings import Settings
from service.suggesting import fingerprint
from service.uploads import Upload, read_in_background
from service.wire import FaultOut

router = APIRouter(prefix="/v1/datasets", tags=["Pelatihan"])
Administering = Annotated[Asker, Depends(Scope("admin"))]
Db = Annotated[Database, Depends(database_of)]
DatasetId = Annotated[str, Path(max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
LONGEST_NAME = 100


class DatasetOut(BaseModel):
    id: str
    name: str
    rows: Annotated[int, Field(ge=0, description="Banyaknya baris yang tersimpan, sudah disamarkan")]
    created_at: datetime
    created_by: Annotated[str, Field(description="Kunci API atau pengguna yang menambahkan")]
    version: Annotated[int, Field(ge=1, description="Versi keberapa dari data yang sama")]
    replaced_by: Annotated[
        str | None, Field(description="Nomor kumpulan data yang menggantikannya; yang digantikan tidak dipelajari")
    ]


class DatasetsOut(BaseModel):
    datasets: list[DatasetOut]


class UnknownLabelOut(BaseModel):
    column: str
    label: str
    rows: Annotated[int, Field(ge=1, description="Banyaknya baris dengan label ini")]
    message: Annotated[str, Field(description="Mengapa label ini tidak dapat dipelajari")]


class UploadOut(BaseModel):
    id: Annotated[str | None, Field(description="Nomor kumpulan data; kosong bila hanya diperiksa")]
    name: str
    replaced_by: Annotated[
        str | None, Field(description="Diisi bila baris yang sama sudah tersimpan dan digantikan versi lain")
    ]
    rows: Annotated[int, Field(ge=1, description="Banyaknya baris yang dapat dipelajari")]
    faulty: Annotated[int, Field(ge=0, description="Banyaknya baris yang dilewati")]
    faults: Annotated[list[FaultOut], Field(description="Baris yang dilewati, paling banyak seratus yang pertama")]
    unknown_labels: Annotated[
        list[UnknownLabelOut] | None,
        Field(description="Label yang tidak dikenal portal; kosong (null) bila portal belum punya daftar label"),
    ]


@router.post(
    "",
    status_code=201,
    response_model=UploadOut,
    summary="Unggah data berlabel",
    responses={
        200: {"model": UploadOut, "description": "Sudah tersimpan, atau hanya diperiksa"},
        **described(400, 422),
    },
)
async def add(
    file: Annotated[UploadFile, Field(description="CSV, XLSX, JSON Lines, atau Parquet; ekspor LAPOR! apa adanya")],
    asker: Administering,
    database: Db,
    settings: Annotated[Settings, Depends(settings_of)],
    secret: Annotated[bytes, Depends(secret_of)],
    name: Annotated[str, Form(max_length=LONGEST_NAME, description="Nama untuk daftar; bawaan nama berkas")] = "",
    dry_run: Annotated[bool, Query(description="Hanya diperiksa, tidak disimpan")] = False,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Names of complainants are dropped at once and personal data in texts is masked before anything is kept. Rows
    that cannot be learned from are named and left out. The same rows again are the same data set."""
    folder = await asyncio.to_thread(_folder, settings, asker.portal)
    upload = await read_in_background(file.file, file.filename or "", folder)
    shown = masked(name or file.filename or "")[:LONGEST_NAME]
    content = fingerprint(secret, b"dataset", upload.fingerprint.encode(), shown.encode(), str(dry_run).encode())
    repeat = Repeat(asker.portal, idempotency_key, content) if idempotency_key else Repeat(asker.portal)

    def act(connection: Connection) -> Answer:
        if dry_run:
            return Answer(200, _told(upload, None, shown).model_dump_json())
        kept, new = datasets.add(
            connection,
            portal=asker.portal,
            name=shown,
            content=upload.content,
            rows=upload.rows,
            fingerprint=upload.fingerprint,
            by=asker.who,
        )
        return Answer(201 if new else 200, _told(upload, kept.id, kept.name, kept.replaced_by).model_dump_json())

    return response(await database.write(lambda connection: once(connection, repeat, act)))


def _folder(settings: Settings, portal: str) -> Folder | None:
    try:
        return portal_folder(settings, portal)
    except AduanError:
        return None


def _told(upload: Upload, dataset_id: str | None, name: str, replaced_by: str | None = None) -> UploadOut:
    unknown = None if upload.unknown is None else [UnknownLabelOut(**asdict(label)) for label in upload.unknown]
    return UploadOut(
        id=dataset_id,
        name=name,
        replaced_by=replaced_by,
        rows=upload.rows,
        faulty=upload.faulty,
        faults=[FaultOut(**asdict(fault)) for fault in upload.faults],
        unknown_labels=unknown,
    )


@router.get("", summary="Data berlabel yang tersimpan")
async def every(asker: Administering, database: Db) -> DatasetsOut:
    """Oldest first, also those that another version replaced."""
    found = await database.read(lambda connection: datasets.kept(connection, asker.portal))
    return DatasetsOut(datasets=[DatasetOut(**_public(asdict(dataset))) for dataset in found])


def _public(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in DatasetOut.model_fields}


@router.delete("/{dataset_id}", status_code=204, summary="Hapus data berlabel", responses=described(404, 422))
async def remove(dataset_id: DatasetId, asker: Administering, database: Db) -> None:
    """Releases that learned from it stay as they are; the next training does without it."""
    await database.write(lambda connection: datasets.remove(connection, asker.portal, dataset_id, asker.who))
