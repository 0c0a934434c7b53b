"""Emergencies: how many, how soon somebody saw and decided them, and which still wait."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from service.admin.health_figures import decided_after, seconds_to, seen_after, week_of
from service.admin.health_view import View
from service.charts import Chart, Series, line_chart, stacked_bars
from service.database.health import Emergency
from service.pages import number
from service.tables import Cell, Column, Table, Unit, span

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """`seconds` is its age; `place` is its number for people, the id of its suggestion."""

    place: str
    agency: str
    created_at: datetime
    seconds: float
    seen: bool


def waiting(view: View) -> list[Waiting]:
    """Those that nobody has decided, oldest first."""
    return [
        Waiting(
            found.id,
            view.short_name(found.agency),
            found.created_at,
            seconds_to(found.created_at, view.now) or 0.0,
            found.seen_at is not None,
        )
        for found in view.emergencies
        if found.state == "open"
    ]


def of_period(view: View) -> list[Emergency]:
    return [found for found in view.emergencies if week_of(view.stored.edges, found.created_at) >= 0]


def middle(found: Sequence[Emergency], after: Callable[[Emergency], float | None]) -> float | None:
    """The median of seconds, over those it has happened to."""
    seconds = [value for item in found if (value := after(item)) is not None]
    return median(seconds) if seconds else None


def slowest(found: Sequence[Emergency], after: Callable[[Emergency], float | None]) -> float | None:
    return max((value for item in found if (value := after(item)) is not None), default=None)


def emergency_chart(view: View) -> Chart:
    weeks = _by_week(view)
    found = of_period(view)
    open_now = sum(item.state == "open" for item in found)
    finding = f"{number(len(found))} laporan darurat dalam masa ini, {number(open_now)} masih menunggu keputusan."
    return stacked_bars(
        "darurat",
        "Laporan darurat tiap pekan",
        finding,
        view.day_names,
        [Series("Darurat", [len(week) for week in weeks])],
        running=True,
        table=_table(view, weeks),
    )


def speed_chart(view: View) -> Chart:
    weeks = _by_week(view)
    found = of_period(view)
    seen, decided = middle(found, seen_after), middle(found, decided_after)
    finding = "Median menit tiap pekan sampai dilihat dan sampai diputuskan."
    if seen is not None:
        finding = f"Separuh sudah dilihat dalam {span(seen)}; paling lambat {span(slowest(found, seen_after) or 0.0)}."
    if decided is not None:
        finding += f" Diputuskan dalam {span(decided)}; paling lambat {span(slowest(found, decided_after) or 0.0)}."
    lines = [
        Series(name, [None if (value := middle(week, after)) is None else value / MINUTE for week in weeks])
        for name, after in (("Dilihat", seen_after), ("Diputuskan", decided_after))
    ]
    return line_chart(
        "kecepatan-darurat",
        "Median menit sampai ditangani",
        finding,
        view.day_names,
        lines,
        Unit.COUNT,
        table=_table(view, weeks),
    )


def _by_week(view: View) -> list[list[Emergency]]:
    weeks: list[list[Emergency]] = [[] for _ in range(view.weeks)]
    for found in of_period(view):
        weeks[week_of(view.stored.edges, found.created_at)].append(found)
    return weeks


def _table(view: View, weeks: Sequence[Sequence[Emergency]]) -> Table:
    rows = list[tuple[Cell, ...]]()
    for day, week in zip(view.days, weeks, strict=True):
        speeds = [measure(week, after) for after in (seen_after, decided_after) for measure in (middle, slowest)]
        rows.append((day, len(week), sum(found.state == "open" for found in week), *speeds))
    columns = (
        Column("Pekan mulai"),
        Column("Darurat", Unit.COUNT),
        Column("Masih menunggu", Unit.COUNT),
        Column("Dilihat, median", Unit.SPAN),
        Column("Dilihat, paling lambat", Unit.SPAN),
        Column("Diputuskan, median", Unit.SPAN),
        Column("Diputuskan, paling lambat", Unit.SPAN),
    )
    return Table(columns, tuple(rows))
