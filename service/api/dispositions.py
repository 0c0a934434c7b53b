"""The final choice comes back: one by one, or as the file a portal exports."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from service.access import Asker, Scope, database_of, secret_of
from service.choices import LONGEST_NAME, LONGEST_REASON, chosen
from service.database import dispositions
from service.database.database import Database
from service.database.dispositions import API, Disposition
from service.once import IdempotencyKey, done_once
from service.problems import described
from service.wire import ID_PATTERN, Body, ExternalId

router = APIRouter(tags=["Disposisi"])
Disposing = Annotated[Asker, Depends(Scope("dispose"))]
Label = Annotated[str, Field(max_length=300)]


def _named(field: str) -> dict[str, Any]:
    """A complaint is named in exactly one way; a field left empty names nothing."""
    return {"required": [field], "properties": {field: {"minLength": 1}}}


class DispositionIn(Body):
    """What a person chose. Labels may be codes, names or aliases. `by` is a work account, not a person's name."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"oneOf": [_named("suggestion_id"), _named("external_id")]}
    )

    suggestion_id: Annotated[str, Field(max_length=100, pattern=ID_PATTERN)] = ""
    external_id: ExternalId = ""
    agency: Annotated[Label, Field(min_length=1)]
    category: Label = ""
    urgency: Label = ""
    report_type: Label = ""
    by: Annotated[str, Field(max_length=LONGEST_NAME, description="Akun kerja petugas, bukan nama orang")] = ""
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


class DispositionOut(BaseModel):
    id: str
    suggestion_id: str
    external_id: str
    agency: str
    category: str | None
    urgency: str | None
    report_type: str | None
    by: str
    reason: str
    source: str
    outcome: Annotated[str, Field(description="accepted: sama dengan saran; changed: diganti; scratch: tanpa saran")]
    release: str | None
    created_at: datetime


def disposition_out(kept: Disposition) -> DispositionOut:
    picked = kept.chosen
    return DispositionOut(
        id=kept.id,
        suggestion_id=kept.suggestion_id,
        external_id=kept.external_id,
        agency=picked.agency,
        category=picked.category,
        urgency=picked.urgency,
        report_type=picked.report_type,
        by=picked.by,
        reason=picked.reason,
        source=kept.source,
        outcome=kept.outcome,
        release=kept.release,
        created_at=kept.created_at,
    )


@router.post(
    "/v1/dispositions",
    status_code=201,
    response_model=DispositionOut,
    summary="Disposisi akhir",
    responses={200: {"model": DispositionOut, "description": "Sudah tercatat sama"}, **described(404, 409, 422)},
)
async def dispose(
    body: DispositionIn,
    request: Request,
    asker: Disposing,
    database: Annotated[Database, Depends(database_of)],
    secret: Annotated[bytes, Depends(secret_of)],
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """The final choice for a complaint, by `suggestion_id` or `external_id`. Training learns from it. Another
    choice for the same complaint corrects the earlier one; the same choice again changes nothing."""
    if asker.serving is None:
        raise HTTPException(409, "Portal ini belum punya rilis yang berlaku.")
    if bool(body.suggestion_id) == bool(body.external_id):
        raise HTTPException(422, "Isi suggestion_id atau external_id, salah satu saja.")
    picked = chosen(
        asker.serving.release.portal,
        body.agency,
        body.category,
        body.urgency,
        body.report_type,
        body.by,
        body.reason,
    )

    def act(connection: Connection) -> tuple[int, DispositionOut]:
        kept, new = dispositions.record(
            connection,
            asker.portal,
            picked,
            who=asker.who,
            source=API,
            suggestion_id=body.suggestion_id,
            external_id=body.external_id,
        )
        return (201 if new else 200), disposition_out(kept)

    return await done_once(request, asker, database, secret, idempotency_key, act)
