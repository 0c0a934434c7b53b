"""Suggestions and what became of them, as Open311 reads them. Confidential complaints are not among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from service.database.refusals import advised
from service.database.schema import dispositions, suggestions

MOST = 1_000
_CONFIDENTIAL = '"confidential":true'
"""As it stands in `complaint`; inside a text the quotes would be escaped."""


@dataclass(frozen=True, slots=True)
class Reported:
    """`agency` and `category` are the chosen ones where `disposed`, else the suggested ones. `complaint` is the JSON
    text as it was kept."""

    id: str
    requested_at: datetime
    updated_at: datetime
    due_at: datetime | None
    route: str
    disposed: bool
    agency: str | None
    category: str | None
    complaint: str


def reported(
    connection: Connection,
    portal: str,
    *,
    ids: Sequence[str] = (),
    categories: Sequence[str] = (),
    period: tuple[datetime, datetime] | None = None,
) -> list[Reported]:
    """The newest `MOST`, newest first; of these ids, of these categories, of this period where they are given."""
    asked, chosen, other = suggestions.c, dispositions.c, dispositions.alias()
    newest = (
        select(func.max(other.c.sequence))
        .where(other.c.suggestion_id == asked.id, other.c.undone.is_(False))
        .correlate(suggestions)
        .scalar_subquery()
    )
    in_force = and_(chosen.suggestion_id == asked.id, chosen.sequence == newest)
    requested_at = func.coalesce(asked.received_at, asked.created_at)
    category = func.coalesce(chosen.category, advised("category"))
    query = (
        select(
            asked.id,
            requested_at.label("requested_at"),
            func.coalesce(chosen.created_at, asked.created_at).label("updated_at"),
            asked.due_at,
            asked.route,
            chosen.id.is_not(None).label("disposed"),
            func.coalesce(chosen.agency, advised("agency")).label("agency"),
            category.label("category"),
            asked.complaint,
        )
        .select_from(suggestions.outerjoin(dispositions, in_force))
        .where(asked.portal == portal, ~asked.complaint.contains(_CONFIDENTIAL, autoescape=True))
        .order_by(requested_at.desc(), asked.id)
        .limit(MOST)
    )
    if ids:
        query = query.where(asked.id.in_(ids))
    if categories:
        query = query.where(category.in_(categories))
    if period:
        # Nothing is asked about before it is received, so the index on `created_at` helps.
        query = query.where(asked.created_at >= period[0], requested_at.between(*period))
    return [Reported(*row) for row in connection.execute(query)]
