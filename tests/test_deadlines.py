"""Deadlines in working days: as one counts them with a finger on the calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publisher import small_town

from router_model.deadlines import counted_from, days_left, deadline_of, is_working, national_holidays
from router_model.office_calendar import CalendarDay
from router_model.portal import Portal, load_portal
from router_model.time_limits import VERIFICATION, TimeLimit, TimeLimits

WIB, WITA, WIT = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"
FREE = {
    2026: "0101 0116 0216 0217 0318 0319 0320 0323 0324 0403 0501 0514 0515 0527 0528 0601 0616 0817 0825 1224 1225",
    2027: "0101 0105 0205 0308 0309 0310 0311 0312 0315 0325 0326 0506 0517 0518 0519 0520 0601 0817 1224",
}
"""Free weekdays as the two decrees of three ministers name them, month and day, typed off by hand."""
OFF = {date(year, int(day[:2]), int(day[2:])) for year, days in FREE.items() for day in days.split()}
EVERY_DAY = [date(2026, 1, 1) + timedelta(days=number) for number in range(730)]
MOMENTS = st.datetimes(datetime(2026, 1, 2), datetime(2027, 6, 30), timezones=st.just(UTC))
DAYS = st.integers(1, 90)
ZONES = st.sampled_from((WIB, WITA, WIT))
CLOSING = st.sampled_from((time(12), time(15, 30), time(16), time(23, 59)))
CALENDARS = st.dictionaries(st.sampled_from(EVERY_DAY), st.sampled_from(("libur", "kerja")), max_size=12)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return load_portal(small_town(tmp_path_factory.mktemp("tenggat") / "kecil"))


def portal_of(
    town: Portal, days: int = 5, zone: str = WITA, calendar: dict[date, str] | None = None, closes: time = time(16)
) -> Portal:
    limits = TimeLimits({("pengaduan", ""): TimeLimit(days)}, closes)
    known = tuple(CalendarDay(day, kind, "Hari") for day, kind in (calendar or {}).items())
    return replace(town, timezone=zone, limits=limits, calendar=known)


def due(portal: Portal, arrived: datetime, urgency: str = "") -> datetime:
    found = deadline_of(portal, "pengaduan", urgency, arrived)
    assert found
    return found.due


def local_due(portal: Portal, *arrived: int) -> datetime:
    """For a moment in the portal's time, and in its time, without a zone."""
    zone = ZoneInfo(portal.timezone)
    return due(portal, datetime(*arrived, tzinfo=zone)).astimezone(zone).replace(tzinfo=None)  # type: ignore[misc,arg-type]


def by_hand(arrived: datetime, days: int, zone: str, calendar: dict[date, str], closes: time) -> datetime:
    """All worked days in a row, a finger on the one it came, and so many further."""
    worked = [day for day in EVERY_DAY if day.weekday() < 5 and day not in OFF and calendar.get(day) != "libur"]
    worked = sorted({*worked, *(day for day, kind in calendar.items() if kind == "kerja")})
    local = arrived.astimezone(ZoneInfo(zone))
    missed = local.time() >= closes
    came = next(day for day in worked if day > local.date() or (day == local.date() and not missed))
    return datetime.combine(worked[worked.index(came) + days], closes, ZoneInfo(zone))


@settings(deadline=None)
@given(MOMENTS, DAYS, ZONES, CALENDARS, CLOSING)
def test_a_deadline_is_what_counting_by_hand_gives(
    town: Portal, arrived: datetime, days: int, zone: str, calendar: dict[date, str], closes: time
) -> None:
    portal = portal_of(town, days, zone, calendar, closes)
    assert due(portal, arrived) == by_hand(arrived, days, zone, calendar, closes)


@settings(deadline=None)
@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=20)), DAYS, ZONES, CALENDARS)
def test_who_comes_later_is_not_due_earlier(
    town: Portal, arrived: datetime, later: timedelta, days: int, zone: str, calendar: dict[date, str]
) -> None:
    portal = portal_of(town, days, zone, calendar)
    assert due(portal, arrived) <= due(portal, arrived + later)


@settings(deadline=None)
@given(MOMENTS, DAYS, st.integers(1, 20), ZONES, CALENDARS)
def test_more_days_end_later(
    town: Portal, arrived: datetime, days: int, more: int, zone: str, calendar: dict[date, str]
) -> None:
    longer = portal_of(town, days + more, zone, calendar)
    assert due(portal_of(town, days, zone, calendar), arrived) < due(longer, arrived)


@settings(deadline=None)
@given(MOMENTS, DAYS, ZONES, CALENDARS)
def test_no_deadline_falls_on_a_day_off_or_before_the_complaint(
    town: Portal, arrived: datetime, days: int, zone: str, calendar: dict[date, str]
) -> None:
    portal = portal_of(town, days, zone, calendar)
    last = due(portal, arrived).astimezone(ZoneInfo(zone))
    assert is_working(portal, last.date())
    assert calendar.get(last.date()) == "kerja" or (last.weekday() < 5 and last.date() not in OFF)
    assert last > arrived + timedelta(days=days - 1)


@settings(deadline=None)
@given(MOMENTS, DAYS, ZONES, CALENDARS)
def test_on_the_day_it_counts_from_all_its_days_are_left(
    town: Portal, arrived: datetime, days: int, zone: str, calendar: dict[date, str]
) -> None:
    portal = portal_of(town, days, zone, calendar)
    noon = datetime.combine(counted_from(portal, arrived), time(12), ZoneInfo(zone))
    assert days_left(portal, due(portal, arrived), noon) == days


def test_the_library_knows_the_free_days_that_were_decreed() -> None:
    assert {day for year in FREE for day in national_holidays(year) if day.weekday() < 5} == OFF


def test_a_deadline_over_lebaran_leaves_out_nyepi_and_the_days_around(town: Portal) -> None:
    assert local_due(portal_of(town, 5), 2026, 3, 13, 9, 0) == datetime(2026, 3, 27, 16)


def test_a_deadline_over_new_year_goes_on_in_the_next_year(town: Portal) -> None:
    assert local_due(portal_of(town, 5), 2026, 12, 30, 9, 0) == datetime(2027, 1, 8, 16)


@pytest.mark.parametrize(
    ("zone", "last"),
    [
        (WIB, datetime(2026, 11, 27, 9, tzinfo=UTC)),
        (WITA, datetime(2026, 11, 30, 8, tzinfo=UTC)),
        (WIT, datetime(2026, 11, 30, 7, tzinfo=UTC)),
    ],
)
def test_one_moment_may_be_before_closing_time_in_one_zone_and_after_it_in_another(
    town: Portal, zone: str, last: datetime
) -> None:
    friday_half_past_three_in_jakarta = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert due(portal_of(town, 5, zone), friday_half_past_three_in_jakarta) == last


@pytest.mark.parametrize(
    ("arrived", "last"),
    [
        ((2026, 11, 20, 3, 0), 23),
        ((2026, 11, 20, 15, 59), 23),
        ((2026, 11, 20, 16, 0), 24),
        ((2026, 11, 21, 8, 0), 24),
        ((2026, 11, 22, 23, 59), 24),
        ((2026, 11, 23, 8, 0), 24),
    ],
)
def test_what_comes_from_closing_time_on_or_at_the_weekend_came_on_monday(
    town: Portal, arrived: tuple[int, ...], last: int
) -> None:
    assert local_due(portal_of(town, 1), *arrived) == datetime(2026, 11, last, 16)


def test_the_calendar_of_the_portal_stands_above_weekday_and_decree(town: Portal) -> None:
    calendar = {
        date(2026, 3, 20): "kerja",
        date(2026, 3, 21): "kerja",
        date(2026, 3, 25): "libur",
    }
    portal = portal_of(town, 3, calendar=calendar)
    assert local_due(portal, 2026, 3, 17, 9, 0) == datetime(2026, 3, 26, 16)
    assert local_due(portal_of(town, 3), 2026, 3, 17, 9, 0) == datetime(2026, 3, 27, 16)


def test_an_urgency_level_may_have_its_own_limit_and_a_person_looks_no_later_than_the_answer(town: Portal) -> None:
    rows = {
        ("pengaduan", ""): TimeLimit(14),
        ("pengaduan", "darurat"): TimeLimit(1, "SOP", "A"),
        (VERIFICATION, ""): TimeLimit(3),
    }
    portal = replace(town, timezone=WITA, limits=TimeLimits(rows))
    monday = datetime(2026, 11, 16, 2, tzinfo=UTC)
    usual, urgent = (
        deadline_of(portal, "pengaduan", "sedang", monday),
        deadline_of(portal, "pengaduan", "darurat", monday),
    )
    assert usual and urgent
    assert (usual.due, usual.verify_by) == (datetime(2026, 12, 4, 8, tzinfo=UTC), datetime(2026, 11, 19, 8, tzinfo=UTC))
    assert urgent.due == urgent.verify_by == datetime(2026, 11, 17, 8, tzinfo=UTC)
    assert urgent.limit == TimeLimit(1, "SOP", "A")


def test_no_limit_gives_no_deadline(town: Portal) -> None:
    assert deadline_of(portal_of(town), "aspirasi", "sedang", datetime(2026, 3, 2, tzinfo=UTC)) is None


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
def test_a_moment_at_the_end_of_all_calendars_breaks_nothing(town: Portal, moment: datetime) -> None:
    found = deadline_of(portal_of(town), "pengaduan", "", moment.replace(tzinfo=UTC))
    assert (found is None) == (moment == datetime.max)


def test_years_that_no_decree_knows_yet_are_reckoned(town: Portal) -> None:
    assert date(2031, 8, 17) in national_holidays(2031)
    assert local_due(portal_of(town, 1), 2031, 8, 15, 9, 0) == datetime(2031, 8, 18, 16)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (datetime(2026, 11, 26, 1, tzinfo=UTC), 2),
        (datetime(2026, 11, 28, 1, tzinfo=UTC), 1),
        (datetime(2026, 11, 30, 7, tzinfo=UTC), 0),
        (datetime(2026, 11, 30, 15, tzinfo=UTC), 0),
        (datetime(2026, 12, 2, 1, tzinfo=UTC), -2),
        (datetime(2032, 1, 1, tzinfo=UTC), None),
    ],
)
def test_days_left_are_working_days(town: Portal, now: datetime, left: int | None) -> None:
    assert days_left(portal_of(town), datetime(2026, 11, 30, 8, tzinfo=UTC), now) == left
