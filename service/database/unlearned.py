"""What a portal has that it did not have when it last learned."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, union

from service.database.schema import datasets, dispositions


@dataclass(frozen=True, slots=True)
class Unlearned:
    """How many data sets in use and how many complaints with a new disposition; `oldest` is the first of them."""

    datasets: int
    dispositions: int
    oldest: datetime | None

    def __bool__(self) -> bool:
        return bool(self.datasets or self.dispositions)


def portals(connection: Connection) -> list[str]:
    """Those that have anything to learn from."""
    tables = (datasets, dispositions)
    return sorted(connection.scalars(union(*(select(table.c.portal) for table in tables))))


def since(connection: Connection, portal: str, moment: datetime | None) -> Unlearned:
    """After this moment, or ever."""
    sets = select(func.count(), func.min(datasets.c.created_at)).where(
        datasets.c.portal == portal, datasets.c.replaced_by.is_(None)
    )
    chosen = select(func.count(dispositions.c.suggestion_id.distinct()), func.min(dispositions.c.created_at)).where(
        dispositions.c.portal == portal, dispositions.c.undone.is_(False)
    )
    if moment:
        sets = sets.where(datasets.c.created_at > moment)
        chosen = chosen.where(dispositions.c.created_at > moment)
    (new_sets, first_set), (new_chosen, first_chosen) = (connection.execute(query).one() for query in (sets, chosen))
    oldest = min((found for found in (first_set, first_chosen) if found), default=None)
    return Unlearned(new_sets, new_chosen, oldest)
