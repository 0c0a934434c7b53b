"""The final choice comes back: one by one, or as the file a portal exports."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from service.access import Asker, Scope, database_of, secret_of
from service.choices import LONGEST_NAME, LONGEST_REASON, UnknownLabelError, chosen, masked
from service.database import dispositions
from service.database.database import Database
from service.database.dispositions import API, Chosen, Disposition
from service.database.refusals import Refusal
from service.deadline_counting import counting
from service.once import IdempotencyKey, done_once
from service.problems import described
from service.refusing import refuse, refusing_agency
from service.serving import Serving
from service.wire import ID_PATTERN, Body, DeadlineOut, ExternalId, deadline_in

router = APIRouter(tags=["Disposisi"])
Disposing = Annotated[Asker, Depends(Scope("dispose"))]
Label = Annotated[str, Field(max_length=300)]


def _named(field: str) -> dict[str, Any]:
    """A complaint is named in exactly one way; a field left empty names nothing."""
    return {"required": [field], "properties": {field: {"minLength": 1}}}


class DispositionIn(Body):
    """What a person chose, or that an agency refused, or both. Labels may be codes, names or aliases. `by` is a work
    account, not a person's name."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [_named("suggestion_id"), _named("external_id")],
            "anyOf": [_named("agency"), _named("refused_by")],
        },
    )

    suggestion_id: Annotated[str, Field(max_length=100, pattern=ID_PATTERN)] = ""
    external_id: ExternalId = ""
    agency: Label = ""
    category: Label = ""
    urgency: Label = ""
    report_type: Label = ""
    refused_by: Annotated[
        Label, Field(description="Instansi yang menolak karena bukan wewenangnya; tidak disarankan lagi")
    ] = ""
    by: Annotated[str, Field(max_length=LONGEST_NAME, description="Akun kerja petugas, bukan nama orang")] = ""
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


class DispositionOut(BaseModel):
    id: str
    suggestion_id: str
    external_id: str
    agency: Annotated[str | None, Field(description="Kosong bila hanya penolakan yang dicatat")]
    category: str | None
    urgency: str | None
    report_type: str | None
    refused_by: Annotated[str | None, Field(description="Instansi yang menolak, bila disebut")] = None
    by: str
    reason: str
    source: str
    outcome: Annotated[
        str,
        Field(
            description="accepted: sama dengan saran; changed: diganti; scratch: tanpa saran; refused: hanya penolakan"
        ),
    ]
    deadline: Annotated[
        DeadlineOut | None,
        Field(
            description="Tenggat laporan sesudah keputusan ini, dihitung lagi dari saat masuk bila klasifikasi atau "
            "urgensinya lain; kosong bila tidak ada, atau bila hanya penolakan yang dicatat"
        ),
    ] = None
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
        deadline=deadline_in(kept.deadline),
        release=kept.release,
        created_at=kept.created_at,
    )


def refusal_out(kept: Refusal, external_id: str, release: str | None) -> DispositionOut:
    return DispositionOut(
        id=kept.id,
        suggestion_id=kept.suggestion_id,
        external_id=external_id,
        agency=None,
        category=None,
        urgency=None,
        report_type=None,
        refused_by=kept.agency,
        by=kept.by,
        reason=kept.reason,
        source=kept.source,
        outcome="refused",
        release=release,
        created_at=kept.created_at,
    )


@router.post(
    "/v1/dispositions",
    status_code=201,
    response_model=DispositionOut,
    summary="Disposisi akhir, atau penolakan instansi",
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
    choice for the same complaint corrects the earlier one; the same choice again changes nothing.

    With `refused_by` an agency said that it is not its matter ("bukan wewenang"): it is not suggested for this
    complaint any more, what was chosen before loses its force, and without a new `agency` the complaint goes back to
    the review queue."""
    if asker.serving is None:
        raise HTTPException(409, "Portal ini belum punya rilis yang berlaku.")
    if bool(body.suggestion_id) == bool(body.external_id):
        raise HTTPException(422, "Isi suggestion_id atau external_id, salah satu saja.")
    serving = asker.serving
    picked, refused_by = _said(body, serving)

    def act(connection: Connection) -> tuple[int, DispositionOut]:
        named = {"suggestion_id": body.suggestion_id, "external_id": body.external_id}
        if picked and not refused_by:
            return _recorded(connection, asker, serving, picked, **named)
        by, reason = masked(body.by)[:LONGEST_NAME], masked(body.reason)[:LONGEST_REASON]
        refusal, new = refuse(connection, serving, refused_by, who=asker.who, source=API, by=by, reason=reason, **named)
        if picked:
            status, told = _recorded(connection, asker, serving, picked, **named)
            return max(status, 201 if new else 200), told.model_copy(update={"refused_by": refused_by})
        about = dispositions.asked_about(connection, asker.portal, refusal.suggestion_id, "")
        return (201 if new else 200), refusal_out(refusal, about["external_id"] or "", about["release"])

    return await done_once(request, asker, database, secret, idempotency_key, act)


def _recorded(
    connection: Connection, asker: Asker, serving: Serving, picked: Chosen, **named: str
) -> tuple[int, DispositionOut]:
    count = counting(serving.release.portal)
    kept, new = dispositions.record(connection, asker.portal, picked, who=asker.who, source=API, count=count, **named)
    return (201 if new else 200), disposition_out(kept)


def _said(body: DispositionIn, serving: Serving) -> tuple[Chosen | None, str]:
    """What was chosen, if anything was, and the code of the agency that refused, "" for none."""
    portal = serving.release.portal
    if not body.agency and not body.refused_by:
        raise HTTPException(422, "Isi agency, refused_by, atau keduanya.")
    if not body.agency and any((body.category, body.urgency, body.report_type)):
        raise UnknownLabelError({"agency": "wajib diisi bila ada kategori, urgensi, atau klasifikasi"})
    refused_by = refusing_agency(portal, body.refused_by) if body.refused_by else ""
    if not body.agency:
        return None, refused_by
    picked = chosen(portal, body.agency, body.category, body.urgency, body.report_type, body.by, body.reason)
    if picked.agency == refused_by:
        raise UnknownLabelError({"refused_by": "sama dengan agency; instansi yang menolak tidak dapat menjadi tujuan"})
    return picked, refused_by
