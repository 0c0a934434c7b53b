"""The final choices of a whole file: what a portal exports closes the loop."""

from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Response, UploadFile
from pydantic import BaseModel, Field

from service.access import Asker, Scope, database_of, secret_of
from service.database import repeats
from service.database.database import Database
from service.database.repeats import Answer, Repeat
from service.dataset_content import from_content
from service.disposition_import import Imported, in_batches, record_rows
from service.once import IdempotencyKey, response
from service.problems import described
from service.suggesting import fingerprint
from service.upload_reading import DISPOSE
from service.uploads import read_in_background
from service.wire import FaultOut

router = APIRouter(tags=["Disposisi"])


class ImportOut(BaseModel):
    recorded: Annotated[int, Field(ge=0, description="Disposisi yang baru tercatat")]
    refused: Annotated[int, Field(ge=0, description="Penolakan instansi (bukan wewenang) yang baru tercatat")]
    unchanged: Annotated[int, Field(ge=0, description="Sudah tercatat sama")]
    unmatched: Annotated[int, Field(ge=0, description="Laporan yang belum pernah dimintakan saran")]
    unmatched_ids: Annotated[list[str], Field(description="Nomornya, paling banyak seratus yang pertama")]
    faulty: Annotated[int, Field(ge=0, description="Baris yang tidak dapat dipakai")]
    faults: Annotated[list[FaultOut], Field(description="Sebabnya, paling banyak seratus yang pertama")]


@router.post(
    "/v1/dispositions/import",
    response_model=ImportOut,
    summary="Disposisi dari berkas ekspor portal",
    responses=described(400, 409, 422),
)
async def import_all(
    file: Annotated[UploadFile, Field(description="CSV, XLSX, JSON Lines, atau Parquet; ekspor LAPOR! apa adanya")],
    asker: Annotated[Asker, Depends(Scope("dispose"))],
    database: Annotated[Database, Depends(database_of)],
    secret: Annotated[bytes, Depends(secret_of)],
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Rows are matched by their number, which is the `external_id` that was sent. Rows of other complaints are named
    and change nothing: send that file to `POST /v1/datasets` too. Sending a file again records nothing twice. A row
    with `refused_by`, or one of which a LAPOR! export says "bukan wewenang", is a refusal."""
    if asker.serving is None:
        raise HTTPException(409, "Portal ini belum punya rilis yang berlaku.")
    upload = await read_in_background(file.file, file.filename or "", purpose=DISPOSE)
    repeat = Repeat(asker.portal)
    if idempotency_key:
        repeat = Repeat(asker.portal, idempotency_key, fingerprint(secret, b"import", upload.fingerprint.encode()))
    before = await database.read(lambda connection: repeats.earlier(connection, repeat))
    if before:
        return response(before)
    imported = Imported(faulty=upload.faulty, faults=list(upload.faults))
    for rows in in_batches(from_content(upload.content)):
        imported.add(await database.write(partial(record_rows, serving=asker.serving, rows=rows, who=asker.who)))
    told = ImportOut(
        recorded=imported.recorded,
        refused=imported.refused,
        unchanged=imported.unchanged,
        unmatched=imported.unmatched,
        unmatched_ids=imported.unmatched_ids,
        faulty=imported.faulty,
        faults=[FaultOut(**asdict(fault)) for fault in imported.faults],
    )
    answer = Answer(200, told.model_dump_json())
    return response(await database.write(lambda connection: repeats.once(connection, repeat, lambda _: answer)))
