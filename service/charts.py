"""Charts as plain geometry, computed on the server: `templates/charts.html` draws them as SVG, `charts.css` gives them
their colours. All are as wide as the view box, and scale with the page."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from service.chart_axes import GAP, Axes, axes, scale, short
from service.chart_shapes import STYLES, WIDTH, Bar, Hover, Label, Point, Stroke, mark, path, shortened, text_width
from service.tables import Cell, Column, Table, Unit

ROW_HEIGHT = 40.0
CROWDED = 30
"""With more places than this, only points that stand alone get a mark."""


@dataclass(frozen=True, slots=True)
class Series:
    """One figure for each place on the horizontal axis, `None` where there is none; `lows` and `highs`, if any, bound
    them. `style` is one of `STYLES`, 0 for the next."""

    name: str
    values: Sequence[float | None]
    lows: Sequence[float | None] = ()
    highs: Sequence[float | None] = ()
    style: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One lying bar; `note` stands behind its figure, `low` and `high` bound it."""

    name: str
    value: float
    note: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """`key` names the chart in its page and in addresses; `finding` says in a sentence what it shows, for those who
    cannot see it. `table` holds the same figures. What is drawn `under` and `over` the bars comes in that order."""

    key: str
    title: str
    finding: str
    table: Table
    height: float = 0.0
    under: tuple[Stroke, ...] = ()
    bars: tuple[Bar, ...] = ()
    over: tuple[Stroke, ...] = ()
    labels: tuple[Label, ...] = ()
    hovers: tuple[Hover, ...] = ()
    width: float = WIDTH

    @property
    def empty(self) -> bool:
        """There was nothing to draw."""
        return not self.hovers


def line_chart(
    key: str,
    title: str,
    finding: str,
    names: Sequence[str],
    lines: Sequence[Series],
    unit: Unit = Unit.SHARE,
    *,
    goals: Sequence[tuple[str, float]] = (),
    of: str = "Pekan",
    table: Table | None = None,
) -> Chart:
    """A line for each series over the places named, broken where figures are missing.

    Shares begin where they need to, all else at zero. `goals` are named levels to compare with. `of` heads the column
    of names in the table; a table of one's own, with a row for each name, may tell more.
    """
    lines = _finite(lines)
    told = table or _table(of, names, lines, unit)
    drawn = [value for line in lines for value in (*line.values, *line.lows, *line.highs) if value is not None]
    if not drawn:
        return Chart(key, title, finding, told)
    drawn += [level for _, level in goals]
    ends = [(line.name, next((value for value in reversed(line.values) if value is not None), 0.0)) for line in lines]
    ticks = scale(min(drawn) if unit is Unit.SHARE else 0.0, max(drawn), unit)
    frame = axes(names, ticks, unit, [name for name, _ in (*ends, *goals)])
    bands, strokes, marks = list[Stroke](), list[Stroke](), list[Stroke]()
    for line in lines:
        style = line.style
        bands += [Stroke(outline, "band", style) for outline in _bands(frame, line)]
        for run in _runs(frame, line.values):
            strokes.append(Stroke(path(run), "line", style))
            marked = run if len(names) <= CROWDED or len(run) == 1 else []
            marks += [Stroke(mark(style, *point), "mark", style) for point in marked]
    for _, level in goals:
        strokes.append(Stroke(path([(frame.left, frame.y(level)), (frame.right, frame.y(level))]), "goal"))
    labels = frame.names([(name, frame.y(level)) for name, level in (*ends, *goals)])
    styles = [line.style for line in lines] + [0 for _ in goals]
    for style, label in zip(styles, labels, strict=True):
        sample = path([(frame.right + GAP, label.y), (frame.right + GAP + 13, label.y)])
        strokes.append(Stroke(sample, "line" if style else "goal", style))
        marks += [Stroke(mark(style, frame.right + GAP + 6.5, label.y), "mark", style)] if style else []
    return Chart(
        key,
        title,
        finding,
        told,
        frame.height,
        under=frame.strokes,
        over=(*bands, *strokes, *marks),
        labels=(*frame.labels, *labels),
        hovers=frame.hovers(told),
    )


def stacked_bars(
    key: str,
    title: str,
    finding: str,
    names: Sequence[str],
    parts: Sequence[Series],
    unit: Unit = Unit.COUNT,
    *,
    shares: bool = False,
    running: bool = False,
    of: str = "Pekan",
    table: Table | None = None,
) -> Chart:
    """An upright bar for each place named, of parts that stand on each other, the first at the bottom. One part alone
    makes plain bars and has no name beside them.

    With `shares` every bar is the whole; `running` says that the last stretch of time is not over. `of` and `table`
    as of `line_chart`.
    """
    parts = _finite(parts)
    told = table or _table(of, names, parts, unit)
    stacks = [[max(part.values[place] or 0.0, 0.0) for part in parts] for place in range(len(names))]
    if not any(map(any, stacks)):
        return Chart(key, title, finding, told)
    if shares:
        stacks = [[value / (sum(stack) or 1.0) for value in stack] for stack in stacks]
        unit = Unit.SHARE
    beside = [part.name for part in parts] if len(parts) > 1 else []
    frame = axes(names, scale(0.0, 1.0 if shares else max(map(sum, stacks)), unit), unit, beside)
    width = frame.step * 0.8
    bars = list[Bar]()
    for place, stack in enumerate(stacks):
        kind = "running" if running and place == len(names) - 1 else "part"
        for part, value, below in zip(parts, stack, _below(stack), strict=True):
            top, bottom = frame.y(below + value), frame.y(below)
            if value:
                bars.append(Bar(frame.x(place) - width / 2, top, width, bottom - top, kind, part.style))
    last = next(stack for stack in reversed(stacks) if any(stack))
    # Parts of nothing lie at one height: the sliver keeps their names in the order of the parts.
    middles = [
        frame.y(below + value / 2) - place / 1_000
        for place, (value, below) in enumerate(zip(last, _below(last), strict=True))
    ]
    labels = frame.names(list(zip(beside, middles, strict=True))) if beside else []
    bars += [
        Bar(frame.right + GAP, label.y - 5.5, 11, 11, "part", part.style)
        for part, label in zip(parts, labels, strict=False)
    ]
    return Chart(
        key,
        title,
        finding,
        told,
        frame.height,
        under=frame.strokes,
        bars=tuple(bars),
        labels=(*frame.labels, *labels),
        hovers=frame.hovers(told),
    )


def bar_chart(
    key: str,
    title: str,
    finding: str,
    rows: Sequence[Row],
    unit: Unit = Unit.COUNT,
    *,
    goal: float | None = None,
    whole: float | None = None,
    of: str = "Nama",
    table: Table | None = None,
) -> Chart:
    """Lying bars from top to bottom, each under its name, with its bounds as a line below; the longest fills the width,
    or `whole` would. `goal` is a figure to compare with."""
    rows = [Row(row.name, row.value, row.note, *_kept((row.low, row.high))) for row in rows if math.isfinite(row.value)]
    told = table or Table((Column(of), Column("Nilai", unit)), tuple((row.name, row.value) for row in rows))
    most = whole or max([goal or 0.0, *(max(row.value, row.high or 0.0) for row in rows)], default=0.0) or 1.0
    bars, strokes, labels, hovers = list[Bar](), list[Stroke](), list[Label](), list[Hover]()

    def x(value: float) -> float:
        return WIDTH * min(max(value / most, 0.0), 1.0)

    for place, row in enumerate(rows):
        top = place * ROW_HEIGHT
        value = f"{short(row.value, unit)} {row.note}".rstrip()
        name = shortened(row.name, WIDTH - text_width(value) - 2 * GAP)
        labels += [Label(0, top + 9, name, kind="name"), Label(WIDTH, top + 9, value, "end", "value")]
        bars += [Bar(0, top + 17, WIDTH, 8, "track"), Bar(0, top + 17, x(row.value), 8, "part", 1)]
        if row.low is not None and row.high is not None:
            strokes.append(Stroke(_range(x(row.low), x(row.high), top + 29), "range"))
        if goal is not None:
            strokes.append(Stroke(path([(x(goal), top + 15), (x(goal), top + 27)]), "goal"))
        hovers.append(Hover(0, top, WIDTH, ROW_HEIGHT, f"{row.name}: {value}"))
    height = ROW_HEIGHT * len(rows)
    return Chart(
        key,
        title,
        finding,
        told,
        height,
        bars=tuple(bars),
        over=tuple(strokes),
        labels=tuple(labels),
        hovers=tuple(hovers),
    )


def _finite(given: Sequence[Series]) -> list[Series]:
    """The same with `None` for what is no number, and with a style each."""
    return [
        Series(one.name, _kept(one.values), _kept(one.lows), _kept(one.highs), one.style or place % STYLES + 1)
        for place, one in enumerate(given)
    ]


def _kept(values: Sequence[float | None]) -> list[float | None]:
    return [value if value is not None and math.isfinite(value) else None for value in values]


def _table(of: str, names: Sequence[str], lines: Sequence[Series], unit: Unit) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, *(line.values[place] for line in lines)) for place, name in enumerate(names)]
    return Table((Column(of), *(Column(line.name, unit) for line in lines)), tuple(rows))


def _range(low: float, high: float, y: float) -> str:
    """A line with a tick at each end."""
    ends = "".join(path([(end, y - 2.5), (end, y + 2.5)]) for end in (low, high))
    return path([(low, y), (high, y)]) + ends


def _below(stack: Sequence[float]) -> list[float]:
    """What each part stands on."""
    return [sum(stack[:place]) for place in range(len(stack))]


def _runs(frame: Axes, values: Sequence[float | None]) -> Iterator[list[Point]]:
    """Points of each stretch without a gap."""
    for there, run in groupby(enumerate(values), key=lambda item: item[1] is not None):
        if there:
            yield [(frame.x(place), frame.y(value)) for place, value in run if value is not None]


def _bands(frame: Axes, line: Series) -> Iterator[str]:
    """Closed outlines between the lows and the highs, one for each stretch that has both."""
    bounds = enumerate(zip(line.lows, line.highs, strict=True))
    for there, run in groupby(bounds, key=lambda item: None not in item[1]):
        found = [
            (frame.x(place), frame.y(low), frame.y(high))
            for place, (low, high) in run
            if low is not None and high is not None
        ]
        if len(found) == 1:
            x, low, high = found[0]
            found = [(x - 3, low, high), (x + 3, low, high)]
        if there:
            upper, lower = [(x, high) for x, _, high in found], [(x, low) for x, low, _ in reversed(found)]
            yield path(upper + lower, closed=True)
