"""The frame of a chart over places such as weeks: its scale, its grid, and what is written around it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.chart_shapes import FONT, WIDTH, Hover, Label, Stroke, path, shortened, text_width
from service.pages import number, percent
from service.tables import Table, Unit, span

PLOT_HEIGHT = 150.0
LINE_HEIGHT = 16.0
GAP = 8.0
SWATCH = 18.0
"""Room for the sample that stands before a name beside the plot."""
MOST_STEPS = 5
MOST_BESIDE = 0.36
"""The share of the width that names beside the plot may take."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a place and a figure lie; `strokes` and `labels` are the grid and its figures."""

    left: float
    right: float
    top: float
    bottom: float
    height: float
    step: float
    low: float
    high: float
    strokes: tuple[Stroke, ...]
    labels: tuple[Label, ...]

    def x(self, place: int) -> float:
        return self.left + (place + 0.5) * self.step

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return self.bottom - (inside - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def names(self, wanted: Sequence[tuple[str, float]]) -> list[Label]:
        """Names beside the plot, each as near its height as the others allow, in the order given."""
        start = self.right + GAP + SWATCH
        heights = spread([y for _, y in wanted], LINE_HEIGHT, FONT / 2, self.height - FONT / 2)
        return [
            Label(start, y, shortened(name, WIDTH - start), kind="name")
            for (name, _), y in zip(wanted, heights, strict=True)
        ]

    def hovers(self, table: Table) -> tuple[Hover, ...]:
        """One for each place, which tells the row of the table."""
        heads = [column.name for column in table.columns[1:]]
        return tuple(
            Hover(
                self.left + place * self.step,
                self.top,
                self.step,
                self.bottom - self.top,
                f"{row[0]}: {', '.join(f'{head} {cell}' for head, cell in zip(heads, row[1:], strict=True))}",
            )
            for place, row in enumerate(table.written)
        )


def axes(names: Sequence[str], ticks: Sequence[float], unit: Unit, beside: Sequence[str] = ()) -> Axes:
    """For the places named from left to right, with room for the names `beside` the plot."""
    figures = [short(tick, unit) for tick in ticks]
    left = max(map(text_width, figures)) + GAP
    longest = min(max(map(text_width, beside), default=0.0), MOST_BESIDE * WIDTH)
    right = WIDTH - GAP - (longest + SWATCH if beside else 0.0)
    top = FONT / 2 + 1
    bottom = top + max(PLOT_HEIGHT, LINE_HEIGHT * len(beside))
    step = (right - left) / len(names)
    low, high = ticks[0], ticks[-1]
    heights = [bottom - (tick - low) / (high - low) * (bottom - top) for tick in ticks]
    strokes = [Stroke(path([(left, y), (right, y)]), "grid" if tick else "base") for tick, y in enumerate(heights)]
    labels = [Label(left - GAP, y, figure, "end") for figure, y in zip(figures, heights, strict=True)]
    labels += _below(names, left, step, bottom + 16)
    return Axes(left, right, top, bottom, bottom + 24, step, low, high, tuple(strokes), tuple(labels))


def _below(names: Sequence[str], left: float, step: float, y: float) -> Iterator[Label]:
    """Names of so many places as fit without touching, the last one always among them."""
    widest = max(map(text_width, names)) + 2 * GAP
    every = max(1, math.ceil(widest / step))
    for place in range(len(names) - 1, -1, -every):
        half = text_width(names[place]) / 2
        yield Label(min(max(left + (place + 0.5) * step, half), WIDTH - half), y, names[place], "middle")


def scale(low: float, high: float, unit: Unit) -> list[float]:
    """Round figures from no more than `low` to no less than `high`, at most five steps of 1, 2 or 5. Shares span at
    least 20 points, so that a small change does not look like a large one, and end at the whole."""
    if unit is Unit.SHARE:
        low, high = max(min(low, high - 0.2), 0.0), min(max(high, low + 0.2), 1.0)
    high = max(high, low)
    size = 10.0 ** math.floor(math.log10((high - low) / MOST_STEPS or 1.0))
    for step in (max(factor * size, 1.0 if unit is Unit.COUNT else 0.0) for factor in (1, 2, 5, 10)):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= MOST_STEPS:
            break
    ticks = [round(place * step, 10) for place in range(first, max(last, first + 1) + 1)]
    return [*(tick for tick in ticks if tick < 1), 1.0] if unit is Unit.SHARE and ticks[-1] > 1 else ticks


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Heights at least `gap` apart, between `low` and `high` if there is room, near those wanted."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    found = [0.0] * len(wanted)
    before = low - gap
    for place in order:
        before = found[place] = max(wanted[place], before + gap)
    after = high + gap
    for place in reversed(order):
        after = found[place] = min(found[place], after - gap)
    return found


def short(value: float, unit: Unit) -> str:
    """A figure on an axis or beside a bar."""
    if unit is Unit.SHARE:
        return percent(value, 0 if round(value * 100, 6).is_integer() else 1)
    if unit is Unit.SPAN:
        return span(value)
    return number(value, 0 if float(value).is_integer() else 1)
