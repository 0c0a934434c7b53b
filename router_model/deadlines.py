"""Until when a complaint should be answered, in working days of the portal.

A working day is Monday to Friday (Perpres 21/2023) but for national holidays and cuti bersama, unless the portal's
`calendar.csv` says otherwise. What comes from closing time on, or on a day off, came on the next working day. The day
it came is not counted, and the last one ends when the offices close.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import GOVERNMENT, PUBLIC
from holidays.countries.indonesia import Indonesia

from router_model.portal import Portal
from router_model.time_limits import VERIFICATION, TimeLimit

SATURDAY = 5
LONGEST_COUNT = timedelta(days=800)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """Moments in UTC. Until `verify_by` a person should have looked; `None` where the portal promises nothing."""

    limit: TimeLimit
    due: datetime
    verify_by: datetime | None


@lru_cache(maxsize=64)
def national_holidays(year: int) -> frozenset[date]:
    """National holidays and cuti bersama (the library's category `government`). Cuti bersama is known as soon as it
    is decreed, about three months before its year; until then feasts of the moon are reckoned."""
    return frozenset(Indonesia(years=year, expand=False, categories=(PUBLIC, GOVERNMENT)))


def joint_leave_is_known(year: int) -> bool:
    """Whether the library has the decree about that year's cuti bersama."""
    return bool(Indonesia(years=year, expand=False, categories=GOVERNMENT))


def is_working(portal: Portal, day: date) -> bool:
    known = portal.days_against_rule.get(day)
    if known is not None:
        return known
    return day.weekday() < SATURDAY and day not in national_holidays(day.year)


def counted_from(portal: Portal, arrived: datetime) -> date:
    """The working day on which something came that arrived at this moment.

    Raises:
        OverflowError: it lies behind the end of all calendars.
    """
    local = arrived.astimezone(ZoneInfo(portal.timezone))
    if is_working(portal, local.date()) and local.time() < portal.limits.closes:
        return local.date()
    return next(_working_days(portal, local.date()))


def _working_days(portal: Portal, day: date) -> Iterator[date]:
    """Those after a day."""
    while True:
        day += _DAY
        if is_working(portal, day):
            yield day


def deadline_of(portal: Portal, report_type: str, urgency: str, arrived: datetime) -> Deadline | None:
    """`None` where the portal sets no limit for the report type, or no calendar goes that far."""
    limit, verification = portal.limits.of(report_type, urgency), portal.limits.of(VERIFICATION, urgency)
    if limit is None:
        return None
    try:
        came = counted_from(portal, arrived)
        due = _end(portal, came, limit)
        return Deadline(limit, due, min(_end(portal, came, verification), due) if verification else None)
    except OverflowError:
        return None


def _end(portal: Portal, came: date, limit: TimeLimit) -> datetime:
    days = _working_days(portal, came)
    for _ in range(limit.working_days - 1):
        next(days)
    return datetime.combine(next(days), portal.limits.closes, ZoneInfo(portal.timezone)).astimezone(UTC)


def days_left(portal: Portal, due: datetime, now: datetime) -> int | None:
    """Working days after today up to the last one; below zero, those gone since it. `None` for more than
    `LONGEST_COUNT`, which nobody counts."""
    if abs(due - now) > LONGEST_COUNT:
        return None
    zone = ZoneInfo(portal.timezone)
    last, today = due.astimezone(zone).date(), now.astimezone(zone).date()
    first, end, sign = (today, last, 1) if today <= last else (last, today, -1)
    span = (first + _DAY * number for number in range(1, (end - first).days + 1))
    return sign * sum(is_working(portal, day) for day in span)
