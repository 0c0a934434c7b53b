"""Who did what, for those who may know."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from service.access import Asker, Scope, database_of
from service.database import audit
from service.database.database import Database
from service.problems import described

router = APIRouter(tags=["Catatan"])
MOST = 200


class AuditOut(BaseModel):
    id: int
    at: datetime
    who: Annotated[str, Field(description="key:… kunci API, user:… akun, cli:… operator")]
    action: str
    subject: str
    release: str | None
    detail: dict[str, Any]


class AuditPage(BaseModel):
    entries: list[AuditOut]
    before: Annotated[int | None, Field(description="Kirim ini sebagai `before` untuk halaman berikutnya")]


@router.get("/v1/audit", summary="Siapa melakukan apa", responses=described(422))
async def audited(
    asker: Annotated[Asker, Depends(Scope("admin"))],
    database: Annotated[Database, Depends(database_of)],
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    most: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> AuditPage:
    """Newest first. The log only grows: nobody can change or delete a line."""
    found = await database.read(lambda connection: audit.entries(connection, asker.portal, before, most))
    entries = [
        AuditOut(
            id=entry.id,
            at=entry.at,
            who=entry.who,
            action=entry.action,
            subject=entry.subject,
            release=entry.release,
            detail=dict(entry.detail),
        )
        for entry in found
    ]
    return AuditPage(entries=entries, before=entries[-1].id if len(entries) == most else None)
