"""Masked rows that an admin uploaded and has not added yet, what a check found in them, and what is to be mended."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, null, select, update

from router_model.errors import AduanError
from service.database import audit, jobs
from service.database.jobs import CHECK, QUEUED, RUNNING, Job, NoJobError
from service.database.schema import drafts
from service.dataset_content import without

_SHOWN = [column for column in drafts.c if column.name != "content"]
_LISTED = [
    drafts.c[name] for name in ("id", "portal", "name", "rows", "job_id", "replaces", "created_at", "created_by")
]


class NoDraftError(AduanError):
    """No such draft of this portal."""

    def __init__(self) -> None:
        super().__init__("Draf ini tidak ada lagi: sudah ditambahkan, dibuang, atau lewat tujuh hari.")


class DraftChangedError(AduanError):
    """Somebody else changed the draft meanwhile."""

    def __init__(self) -> None:
        super().__init__("Draf ini baru saja diubah orang lain. Lihat perbaikannya, lalu tambahkan sekali lagi.")


@dataclass(frozen=True, slots=True)
class Fix:
    """Settles a case of a finding in one way (`act`): `rows`, by where they stood, get `value` in `column`, or are
    left out if no column is named."""

    finding: str
    case: str
    act: str
    rows: Sequence[str]
    column: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """`read` says what reading left out, `findings` is what a check found, `None` until there was one."""

    id: str
    portal: str
    name: str
    rows: int
    read: Mapping[str, Any]
    fixes: Sequence[Fix]
    findings: Mapping[str, Any] | None
    job_id: str | None
    replaces: str | None
    created_at: datetime
    created_by: str

    @property
    def dropped(self) -> set[str]:
        """Rows that are left out."""
        return {row for fix in self.fixes if not fix.column for row in fix.rows}

    @property
    def cells(self) -> dict[str, dict[str, str]]:
        """New values by column and row; of several the last one counts."""
        changed: dict[str, dict[str, str]] = {}
        for fix in self.fixes:
            if fix.column:
                changed.setdefault(fix.column, {}).update(dict.fromkeys(fix.rows, fix.value))
        return changed


@dataclass(frozen=True, slots=True)
class ListedDraft:
    id: str
    portal: str
    name: str
    rows: int
    job_id: str | None
    replaces: str | None
    created_at: datetime
    created_by: str


def add(
    connection: Connection,
    *,
    portal: str,
    name: str,
    content: bytes,
    rows: int,
    read: Mapping[str, Any],
    replaces: str | None,
    by: str,
) -> str:
    """Keeps a draft and has it checked; its id."""
    draft_id = f"draf_{secrets.token_urlsafe(12)}"
    connection.execute(
        insert(drafts).values(
            id=draft_id,
            portal=portal,
            name=name,
            rows=rows,
            content=content,
            read=dict(read),
            fixes=[],
            findings=null(),
            replaces=replaces,
            created_at=datetime.now(UTC),
            created_by=by,
        )
    )
    audit.record(connection, portal=portal, who=by, action="draft.add", subject=draft_id, detail={"rows": rows})
    check(connection, portal, draft_id, by)
    return draft_id


def check(connection: Connection, portal: str, draft_id: str, by: str) -> None:
    """Forgets what was found and has the draft checked once more. Raises `NoDraftError`."""
    _end_check(connection, one(connection, portal, draft_id), by)
    job = jobs.enqueue(connection, portal, CHECK, {"draft": draft_id}, by)
    mine = drafts.c.portal == portal, drafts.c.id == draft_id
    connection.execute(update(drafts).where(*mine).values(findings=null(), job_id=job.id))


def _end_check(connection: Connection, draft: Draft, by: str) -> None:
    job = job_of(connection, draft)
    if job and job.state in (QUEUED, RUNNING):
        jobs.cancel(connection, draft.portal, job.id, by)


def job_of(connection: Connection, draft: Draft) -> Job | None:
    """The check that was begun last."""
    try:
        return jobs.one(connection, draft.portal, draft.job_id) if draft.job_id else None
    except NoJobError:
        return None


def every(connection: Connection, portal: str) -> list[ListedDraft]:
    """Newest first."""
    query = select(*_LISTED).where(drafts.c.portal == portal).order_by(drafts.c.created_at.desc(), drafts.c.id)
    return [ListedDraft(**row) for row in connection.execute(query).mappings()]


def one(connection: Connection, portal: str, draft_id: str) -> Draft:
    """Raises `NoDraftError`."""
    query = select(*_SHOWN).where(drafts.c.portal == portal, drafts.c.id == draft_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NoDraftError
    return Draft(**{**row, "fixes": [Fix(**fix) for fix in row["fixes"]]})


def content(connection: Connection, portal: str, draft_id: str) -> bytes:
    """Raises `NoDraftError`."""
    query = select(drafts.c.content).where(drafts.c.portal == portal, drafts.c.id == draft_id)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise NoDraftError
    return bytes(found)


def keep_findings(connection: Connection, portal: str, draft_id: str, job_id: str, found: Mapping[str, Any]) -> bool:
    """False if the draft is gone, or is being checked by another job."""
    mine = drafts.c.portal == portal, drafts.c.id == draft_id, drafts.c.job_id == job_id
    return bool(connection.execute(update(drafts).where(*mine).values(findings=dict(found))).rowcount)


def change_fixes(
    connection: Connection,
    portal: str,
    draft_id: str,
    change: Callable[[Draft], Sequence[Fix]],
    by: str,
    detail: Mapping[str, Any],
) -> None:
    """Keeps what `change` makes of the fixes as they are now. Raises `NoDraftError`."""
    mine = drafts.c.portal == portal, drafts.c.id == draft_id
    # Of two who change it at once the second one sees what the first one did.
    connection.execute(select(drafts.c.id).where(*mine).with_for_update())
    fixes = change(one(connection, portal, draft_id))
    connection.execute(update(drafts).where(*mine).values(fixes=[asdict(fix) for fix in fixes]))
    audit.record(connection, portal=portal, who=by, action="draft.fix", subject=draft_id, detail=detail)


def taken(connection: Connection, draft: Draft, by: str) -> None:
    """Ends a draft that is being added. Raises `DraftChangedError` if it is not what it was when it was read."""
    mine = drafts.c.portal == draft.portal, drafts.c.id == draft.id
    connection.execute(select(drafts.c.id).where(*mine).with_for_update())
    now = one(connection, draft.portal, draft.id)
    if (now.fixes, now.rows) != (draft.fixes, draft.rows):
        raise DraftChangedError
    _end_check(connection, now, by)
    connection.execute(delete(drafts).where(*mine))


def discard(connection: Connection, portal: str, draft_id: str, by: str) -> None:
    """Raises `NoDraftError`."""
    _end_check(connection, one(connection, portal, draft_id), by)
    connection.execute(delete(drafts).where(drafts.c.portal == portal, drafts.c.id == draft_id))
    audit.record(connection, portal=portal, who=by, action="draft.discard", subject=draft_id)


def forget(connection: Connection, before: datetime) -> int:
    """Drafts of all portals that nobody added since this moment; how many there were."""
    return connection.execute(delete(drafts).where(drafts.c.created_at < before)).rowcount


def remove_rows(connection: Connection, portal: str, external_id: str) -> int:
    """Takes the rows with this id out of every draft of a portal, and what a check quoted of such a draft; how many
    rows there were."""
    removed = 0
    for draft in every(connection, portal):
        before = content(connection, portal, draft.id)
        after, rows = without(before, external_id)
        if after is not before:
            removed += draft.rows - rows
            changed: dict[str, Any] = {"content": after, "rows": rows, "findings": null(), "job_id": None}
            connection.execute(update(drafts).where(drafts.c.id == draft.id).values(**changed))
    return removed


def rows_of(fixes: Iterable[Fix]) -> int:
    return len({row for fix in fixes for row in fix.rows})
