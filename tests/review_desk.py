"""Reviewers of a small town as a test commands them, and as processes of their own."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select

from service.database import review
from service.database.database import Database
from service.database.dispositions import Chosen
from service.database.review import Decided, Filters, NotYoursError, Waiting
from service.database.schema import suggestions

NOW = datetime.now(UTC)
PORTAL = "kota-kecil"


def row(suggestion_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": suggestion_id,
        "portal": PORTAL,
        "external_id": f"nomor-{suggestion_id}",
        "request_hash": "",
        "asked_by": "kunci",
        "created_at": NOW,
        "channel": "",
        "route": "review",
        "state": "open",
        "priority": 100.5,
        "agency": "dishub",
        "agency_p": 0.5,
        "category": "lampu",
        "complaint": "{}",
        "answer": "{}",
        **changed,
    }


@dataclass(frozen=True)
class Desk:
    """Each act in a transaction of its own, at the time that is given."""

    database: Database

    def add(self, suggestion_id: str, **changed: Any) -> str:
        with self.database.begin() as connection:
            connection.execute(insert(suggestions).values(row(suggestion_id, **changed)))
        return suggestion_id

    def waiting(self, by: str, now: datetime = NOW, **filters: Any) -> Waiting | None:
        with self.database.begin() as connection:
            return review.next_for(connection, PORTAL, by, Filters(**filters), now)

    def next(self, by: str, now: datetime = NOW, **filters: Any) -> str:
        """The id of what they get, "" for nothing."""
        found = self.waiting(by, now, **filters)
        return found.id if found else ""

    def open(self, suggestion_id: str, by: str, now: datetime = NOW) -> Waiting | None:
        with self.database.begin() as connection:
            return review.one(connection, PORTAL, suggestion_id, by, now)

    def decide(
        self, suggestion_id: str, by: str, agency: str = "dishub", now: datetime = NOW, **labels: Any
    ) -> Decided:
        seconds = labels.pop("seconds", None)
        with self.database.begin() as connection:
            chosen = Chosen(agency, **labels)
            return review.decide(
                connection, PORTAL, suggestion_id, chosen, by=by, who="key:1", seconds=seconds, now=now
            )

    def skip(self, suggestion_id: str, by: str, now: datetime = NOW) -> None:
        with self.database.begin() as connection:
            review.skip(connection, PORTAL, suggestion_id, by=by, who="key:1", reason="bukan bidang saya", now=now)

    def undo(self, suggestion_id: str, by: str, now: datetime = NOW) -> None:
        with self.database.begin() as connection:
            review.undo(connection, PORTAL, suggestion_id, by=by, who="key:1", now=now)

    def of(self, suggestion_id: str) -> RowMapping:
        with self.database.connect() as connection:
            return connection.execute(select(suggestions).where(suggestions.c.id == suggestion_id)).mappings().one()

    def held(self, by: str) -> list[str]:
        with self.database.connect() as connection:
            return sorted(connection.scalars(select(suggestions.c.id).where(suggestions.c.leased_by == by)))


def work_off(url: str, people: list[str]) -> list[tuple[str, str]]:
    """Decides whatever there is, taking turns, for a process of its own; who decided what."""

    def rounds() -> Iterator[tuple[str, str]]:
        while found := {by: desk.next(by, datetime.now(UTC)) for by in people}:
            if not any(found.values()):
                return
            for by, suggestion_id in found.items():
                if suggestion_id:
                    desk.decide(suggestion_id, by, now=datetime.now(UTC))
                    yield by, suggestion_id

    with closing(Database(url)) as database:
        desk = Desk(database)
        return list(rounds())


def answer_first(desk: Desk, suggestion_id: str, by: str) -> bool:
    try:
        return desk.decide(suggestion_id, by).new
    except NotYoursError:
        return False
