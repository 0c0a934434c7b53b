"""How much came in, by channel and by route."""

from router_model.policy import Route
from service.admin.health_figures import counted
from service.admin.health_view import ROUTE_NAMES, View
from service.charts import Chart, Series, stacked_bars
from service.pages import number, percent
from service.tables import Cell, Column, Table, Unit

MOST_CHANNELS = 4
OTHERS, UNNAMED = "Lainnya", "Tidak disebut"


def channel_chart(view: View) -> Chart:
    counts = counted(view.asked, lambda group: (group.channel, group.week))
    totals = counted(view.asked, lambda group: group.channel)
    ranked = sorted(totals, key=lambda channel: (-totals[channel], channel))
    # Five channels need no place for the others.
    shown = ranked if len(ranked) <= MOST_CHANNELS + 1 else ranked[:MOST_CHANNELS]
    weeks = range(view.weeks)
    parts = [Series(channel or UNNAMED, [counts[channel, week] for week in weeks]) for channel in shown]
    if len(shown) < len(ranked):
        rest = ranked[MOST_CHANNELS:]
        parts.append(Series(OTHERS, [sum(counts[channel, week] for channel in rest) for week in weeks]))
    columns = (Column("Pekan mulai"), Column("Semua", Unit.COUNT), *(Column(part.name, Unit.COUNT) for part in parts))
    rows = tuple[tuple[Cell, ...], ...](
        (day, sum(part.values[week] or 0 for part in parts), *(part.values[week] for part in parts))
        for week, day in enumerate(view.days)
    )
    everything = totals.total()
    finding = f"{number(everything)} laporan dalam {view.weeks} pekan. Pekan terakhir masih berjalan."
    if len(ranked) > 1:
        most = percent(totals[ranked[0]] / everything)
        finding = f"{number(everything)} laporan, {most} lewat {parts[0].name}. Pekan terakhir masih berjalan."
    return stacked_bars(
        "kanal", "Laporan masuk tiap pekan", finding, view.day_names, parts, running=True, table=Table(columns, rows)
    )


def route_chart(view: View) -> Chart:
    counts = counted(view.asked, lambda group: (group.route, group.week))
    totals = counted(view.asked, lambda group: group.route)
    everything = totals.total()
    styles = {route.value: place for place, route in enumerate(Route, 1)}
    shown = [route for route in styles if totals[route]]
    parts = [
        Series(ROUTE_NAMES[route], [counts[route, week] for week in range(view.weeks)], style=styles[route])
        for route in shown
    ]
    rows = []
    for week, day in enumerate(view.days):
        n = sum(counts[route, week] for route in shown)
        rows.append((day, n, *(counts[route, week] / n if n else None for route in shown)))
    columns = (
        Column("Pekan mulai"),
        Column("Laporan", Unit.COUNT),
        *(Column(ROUTE_NAMES[route], Unit.SHARE) for route in shown),
    )
    told = sorted(shown, key=lambda route: -totals[route])[:3]
    words = ", ".join(f"{percent(totals[route] / everything)} {ROUTE_NAMES[route].lower()}" for route in told)
    finding = f"Bagian tiap rute. Dalam masa ini {words}." if told else "Bagian tiap rute."
    return stacked_bars(
        "rute",
        "Rute saran",
        finding,
        view.day_names,
        parts,
        shares=True,
        table=Table(columns, tuple(rows)),
    )
