"""What people finally chose. Each one is kept; the newest that was not undone counts, and training learns from it."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from router_model.errors import AduanError
from service.database import audit, deadlines, webhooks
from service.database.schema import dispositions, suggestions
from service.database.webhooks import Event

API, IMPORT, REVIEW = "api", "import", "review"


class NoSuchSuggestionError(AduanError):
    """No suggestion of this portal has the id or external id."""

    def __init__(self) -> None:
        super().__init__("Saran untuk laporan ini tidak ada pada portal Anda.")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Codes of the portal's labels; `None` where nothing was said. `by` and `reason` arrive masked."""

    agency: str
    category: str | None = None
    urgency: str | None = None
    report_type: str | None = None
    by: str = ""
    reason: str = ""

    @property
    def labels(self) -> tuple[str | None, ...]:
        return self.agency, self.category, self.urgency, self.report_type


@dataclass(frozen=True, slots=True)
class Disposition:
    """`outcome` is "accepted", "changed", or "scratch" where nothing had been suggested. `deadline` is the JSON text of
    the complaint's deadline since then, "null" for none."""

    id: str
    portal: str
    suggestion_id: str
    external_id: str
    chosen: Chosen
    source: str
    outcome: str
    created_at: datetime
    release: str | None
    deadline: str = "null"


Count = Callable[[RowMapping, Chosen], str | None]
"""From the row of a suggestion and what was chosen: the JSON text of the deadline, "null" where nothing is promised,
`None` for the one that was answered."""


def as_answered(row: RowMapping, chosen: Chosen) -> str | None:
    return None


def record(
    connection: Connection,
    portal: str,
    chosen: Chosen,
    *,
    who: str,
    source: str,
    suggestion_id: str = "",
    external_id: str = "",
    count: Count = as_answered,
) -> tuple[Disposition, bool]:
    """Keeps a choice, and whether it is new: what is in force already is not kept twice. `count` counts the deadline
    again.

    Raises:
        NoSuchSuggestionError: there is no such suggestion in this portal.
    """
    row = _whole(connection, asked_about(connection, portal, suggestion_id, external_id)["id"])
    result = outcome(row["agency"], row["category"], chosen)
    before = newest(connection, row["id"])
    if before and _chosen(before).labels == chosen.labels:
        return _disposition(before, row, row["deadline"]), False
    counted = count(row, chosen)
    values = {
        "id": secrets.token_urlsafe(12),
        "portal": portal,
        "suggestion_id": row["id"],
        "sequence": _sequence(connection, row["id"]),
        "agency": chosen.agency,
        "category": chosen.category,
        "urgency": chosen.urgency,
        "report_type": chosen.report_type,
        "by": chosen.by,
        "reason": chosen.reason,
        "source": source,
        "outcome": result,
        "undone": False,
        "created_at": datetime.now(UTC),
        "deadline": counted,
        "deadline_before": row["deadline"],
    }
    connection.execute(insert(dispositions).values(values))
    deadlines.put(connection, row["id"], row["answer"], counted)
    if not (row["sampled"] and row["state"] == "open" and source != REVIEW and result == "accepted"):
        # A portal that carries out a sure answer says nothing of whether it was right.
        connection.execute(
            update(suggestions)
            .where(suggestions.c.id == row["id"])
            .values(state="done", leased_by=None, leased_until=None)
        )
    kept = _disposition(values, row, counted)
    detail = {"agency": kept.chosen.agency, "outcome": kept.outcome, "source": source}
    audit.record(
        connection,
        portal=portal,
        who=who,
        action="disposition.record",
        subject=row["id"],
        release=row["release"],
        detail=detail,
    )
    webhooks.enqueue(connection, [_event(kept)])
    return kept, True


def asked_about(connection: Connection, portal: str, suggestion_id: str, external_id: str) -> RowMapping:
    """The suggestion without its texts, which nobody else changes until the transaction is over.

    Raises:
        NoSuchSuggestionError: there is no such suggestion in this portal.
    """
    found = suggestions.c.id == suggestion_id if suggestion_id else suggestions.c.external_id == external_id
    columns = (
        suggestions.c[name] for name in ("id", "external_id", "release", "agency", "category", "state", "sampled")
    )
    query = select(*columns).where(suggestions.c.portal == portal, found).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NoSuchSuggestionError
    return row


def _whole(connection: Connection, suggestion_id: str) -> RowMapping:
    return connection.execute(select(suggestions).where(suggestions.c.id == suggestion_id)).mappings().one()


def take_back(connection: Connection, disposition_id: str) -> None:
    """Takes the force from one, if there is such; its complaint has the deadline of before again."""
    mine = connection.execute(select(dispositions).where(dispositions.c.id == disposition_id)).mappings().first()
    if mine is None:
        return
    connection.execute(update(dispositions).where(dispositions.c.id == disposition_id).values(undone=True))
    row = _whole(connection, mine["suggestion_id"])
    deadlines.put(connection, row["id"], row["answer"], mine["deadline_before"])


def newest(connection: Connection, suggestion_id: str) -> RowMapping | None:
    """The row in force for a suggestion, if any."""
    query = (
        select(dispositions)
        .where(dispositions.c.suggestion_id == suggestion_id, dispositions.c.undone.is_(False))
        .order_by(dispositions.c.sequence.desc())
        .limit(1)
    )
    return connection.execute(query).mappings().first()


def _sequence(connection: Connection, suggestion_id: str) -> int:
    query = select(func.max(dispositions.c.sequence)).where(dispositions.c.suggestion_id == suggestion_id)
    return (connection.execute(query).scalar() or 0) + 1


def outcome(agency: str | None, category: str | None, chosen: Chosen) -> str:
    """A choice next to the `agency` and `category` that were suggested; see `Disposition`."""
    if agency is None:
        return "scratch"
    same = agency == chosen.agency and chosen.category in (None, category)
    return "accepted" if same else "changed"


def _chosen(row: RowMapping | Mapping[str, Any]) -> Chosen:
    return Chosen(row["agency"], row["category"], row["urgency"], row["report_type"], row["by"], row["reason"])


def _disposition(row: RowMapping | Mapping[str, Any], suggestion: RowMapping, counted: str | None) -> Disposition:
    return Disposition(
        id=row["id"],
        portal=row["portal"],
        suggestion_id=row["suggestion_id"],
        external_id=suggestion["external_id"] or "",
        chosen=_chosen(row),
        source=row["source"],
        outcome=row["outcome"],
        created_at=row["created_at"],
        release=suggestion["release"],
        deadline=deadlines.in_force(suggestion["answer"], counted),
    )


def _event(kept: Disposition) -> Event:
    due = deadlines.due(kept.deadline)
    data = {
        "id": kept.id,
        "suggestion_id": kept.suggestion_id,
        "external_id": kept.external_id,
        "agency": kept.chosen.agency,
        "category": kept.chosen.category,
        "urgency": kept.chosen.urgency,
        "report_type": kept.chosen.report_type,
        "due": due.isoformat() if due else None,
        "outcome": kept.outcome,
        "source": kept.source,
        "release": kept.release,
    }
    return Event(kept.portal, "disposition.recorded", kept.suggestion_id, data)
