"""How a portal fares, counted from what is stored; for monitoring, which asks every few seconds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, and_, case, exists, func, select

from router_model.policy import Route
from service.database.schema import dispositions, jobs, suggestions, webhook_deliveries

CORRECTION_DAYS = 7
ACCURACY_DAYS = 30
DELIVERY_STATES = ("pending", "dead")
JOB_STATES = ("queued", "running", "done", "failed", "cancelled")
OUTCOMES = ("accepted", "changed", "scratch")


@dataclass(frozen=True, slots=True)
class PortalStatistics:
    """`waiting` counts open suggestions by route; `oldest_emergency` is the age in seconds of the oldest open one,
    0 if there is none. `outcomes` counts dispositions in force of the last `CORRECTION_DAYS`. `expected` and
    `observed` are the mean probability of the first agency and the share of complaints that went to it, over the
    `disposed` suggestions of the last `ACCURACY_DAYS`; None if there are none."""

    portal: str
    waiting: Mapping[str, int]
    oldest_emergency: float
    outcomes: Mapping[str, int]
    disposed: int
    expected: float | None
    observed: float | None
    deliveries: Mapping[str, int]
    jobs: Mapping[str, int]

    @property
    def correction_rate(self) -> float | None:
        """The share of suggestions disposed of whose agency or category a person changed."""
        judged = self.outcomes["accepted"] + self.outcomes["changed"]
        return self.outcomes["changed"] / judged if judged else None


def portal_statistics(connection: Connection, portal: str, now: datetime) -> PortalStatistics:
    asked, delivered = suggestions.c, webhook_deliveries.c
    is_open = and_(asked.portal == portal, asked.state == "open")
    oldest = connection.scalar(select(func.min(asked.created_at)).where(is_open, asked.route == Route.EMERGENCY.value))
    right = case((asked.agency == dispositions.c.agency, 1.0), else_=0.0)
    disposed, expected, observed = connection.execute(
        select(func.count(), func.avg(asked.agency_p), func.avg(right))
        .join_from(dispositions, suggestions)
        .where(_in_force(portal, now - timedelta(days=ACCURACY_DAYS)), asked.agency_p.is_not(None))
    ).one()
    return PortalStatistics(
        portal=portal,
        waiting=_counts(connection, asked.route, is_open, Route),
        oldest_emergency=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        outcomes=_counts(
            connection, dispositions.c.outcome, _in_force(portal, now - timedelta(days=CORRECTION_DAYS)), OUTCOMES
        ),
        disposed=disposed,
        expected=expected,
        observed=observed,
        deliveries=_counts(
            connection,
            delivered.state,
            and_(delivered.portal == portal, delivered.state.in_(DELIVERY_STATES)),
            DELIVERY_STATES,
        ),
        jobs=_counts(connection, jobs.c.state, jobs.c.portal == portal, JOB_STATES),
    )


def _in_force(portal: str, since: datetime) -> ColumnElement[bool]:
    """Dispositions since then that no later one has replaced."""
    here, later = dispositions.c, dispositions.alias().c
    replaced = exists().where(
        later.suggestion_id == here.suggestion_id, later.sequence > here.sequence, later.undone.is_(False)
    )
    return and_(here.portal == portal, here.created_at >= since, here.undone.is_(False), ~replaced)


def _counts(
    connection: Connection, column: Column[str], condition: ColumnElement[bool], values: Iterable[str]
) -> dict[str, int]:
    """How many rows have each of the values; 0 where none has."""
    found = connection.execute(select(column, func.count()).where(condition).group_by(column))
    return {str(value): 0 for value in values} | dict(found.all())
