"""Complaints as reviewers read them: one by its id, settled ones to lay beside it, and what they may not read yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, and_, func, or_, select

from service.database.dispositions import NoSuchSuggestionError
from service.database.judgements import said_by
from service.database.leases import WAITING
from service.database.refusals import answer_now
from service.database.schema import dispositions, suggestions

MOST = 400
LOOKED_AT = 4_000
"""Of so many of the newest, those that may resemble are taken: a look costs the same however many there are."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A complaint with what was answered: the JSON texts, the answer as it is now and as it was at first."""

    id: str
    external_id: str
    complaint: str
    answer: str
    first_answer: str
    route: str
    state: str
    created_at: datetime
    received_at: datetime | None
    due_at: datetime | None
    release: str | None


def kept(connection: Connection, portal: str, suggestion_id: str) -> Kept:
    """Raises `NoSuchSuggestionError` if the portal has no such complaint."""
    texts = {"answer": answer_now(), "first_answer": suggestions.c.answer}
    columns = (texts[name].label(name) if name in texts else suggestions.c[name] for name in Kept.__slots__)
    query = select(*columns).where(suggestions.c.portal == portal, suggestions.c.id == suggestion_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NoSuchSuggestionError
    return Kept(**{**row, "external_id": row["external_id"] or ""})


@dataclass(frozen=True, slots=True)
class Written:
    """What a citizen wrote, masked."""

    title: str = ""
    text: str = ""
    confidential: bool = False


def written(complaint: str) -> Written:
    """Of the JSON text as it was kept."""
    said = orjson.loads(complaint)
    return Written(said.get("title") or "", said.get("text") or "", bool(said.get("confidential")))


def each_written(connection: Connection, portal: str, ids: Sequence[str]) -> dict[str, Written]:
    columns = suggestions.c
    query = select(columns.id, columns.complaint).where(columns.portal == portal, columns.id.in_(ids))
    return {row.id: written(row.complaint) for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Earlier:
    """A settled complaint with the code of the agency it went to."""

    id: str
    written: Written
    created_at: datetime
    agency: str

    @property
    def words(self) -> str:
        return f"{self.written.title}\n{self.written.text}"


def earlier(
    connection: Connection, portal: str, agencies: Sequence[str], category: str, but: str, most: int = MOST
) -> list[Earlier]:
    """The newest of which the model's or the people's agency is one of `agencies`, or the model's category is
    `category`. What is still to be looked at once more is left out: nobody may learn from here what was said of it."""
    columns = suggestions.c
    newest = (
        select(columns.id, columns.agency, columns.category, columns.created_at)
        .where(columns.portal == portal, columns.state == "done", columns.id != but)
        .order_by(columns.created_at.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    said = dispositions.c
    later = dispositions.alias()
    last = (
        select(func.max(later.c.sequence))
        .where(later.c.suggestion_id == newest.c.id, later.c.undone.is_(False))
        .scalar_subquery()
    )
    chosen = (
        select(newest.c.id, newest.c.created_at, said.agency)
        .join_from(newest, dispositions, and_(said.suggestion_id == newest.c.id, said.sequence == last))
        .where(or_(newest.c.agency.in_(agencies), said.agency.in_(agencies), newest.c.category == category))
        .order_by(newest.c.created_at.desc())
        .limit(most)
        .subquery()
    )
    query = select(chosen, columns.complaint).join_from(chosen, suggestions, columns.id == chosen.c.id)
    rows = connection.execute(query)
    return [Earlier(row.id, written(row.complaint), row.created_at, row.agency) for row in rows]


def channels(connection: Connection, portal: str) -> list[str]:
    """Of complaints that wait."""
    columns = suggestions.c
    query = select(columns.channel).where(columns.portal == portal, columns.state.in_(WAITING), columns.channel != "")
    return list(connection.scalars(query.distinct().order_by(columns.channel)))


def unread_by(connection: Connection, portal: str, by: str) -> frozenset[str]:
    """Ids of complaints that wait for another look and of which `by` has said nothing: they may be the next to look,
    and should not know what others said."""
    columns = suggestions.c
    waiting = (columns.portal == portal, columns.state.in_(("second", "third")))
    return frozenset(connection.scalars(select(columns.id).where(*waiting, ~said_by(by))))
