"""Charts of a report as SVG text that stands in a page: no script, no outside file, the page's own font.

The same figures give the same bytes. Every chart is drawn 330 units wide, so that it stays legible on a phone.
"""

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

BRAND, GOOD, WARN, DANGER = "#0c5a70", "#17683a", "#b97a0b", "#c4202d"
TEXT, SOFT, LINE, TRACK, PALE = "#14232a", "#4a5c64", "#d3dcde", "#e6ecee", "#8fb3bf"
LINE_COLOURS = (BRAND, WARN, GOOD, DANGER)
WIDTH, POINTS_AN_INCH = 330, 72
FEWEST_DRAWN = 20
"""Rows below which a share says little: such a start of a line is not drawn, such a bar is pale."""
LONGEST_NAME = 38
MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
    "Desember",
)  # fmt: skip
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 11,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "svg.fonttype": "none",
    "text.color": TEXT,
    "text.parse_math": False,
    "xtick.color": SOFT,
    "xtick.labelsize": 10.5,
    "xtick.major.pad": 6,
    "xtick.major.size": 0,
    "ytick.color": SOFT,
    "ytick.labelsize": 10.5,
    "ytick.major.size": 0,
}


def number(value: float, decimals: int = 0) -> str:
    """As Indonesian writes it: 2.162 and −0,05."""
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.-", ".,−"))


def percent(share: float, decimals: int = 0) -> str:
    """A share in [0, 1] as 98,7 %, with a space that does not break."""
    return f"{number(100 * share, decimals)}\u00a0%"


def risk_coverage_chart(lines: Mapping[str, Sequence[Mapping[str, float]]], title: str, finding: str) -> str:
    """One line a name: share right among the surest rows, by the share of rows answered."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        lowest = 0.9
        for colour, (name, points) in zip(LINE_COLOURS, lines.items(), strict=False):
            drawn = _steady(points)
            precision = [point["precision"] for point in drawn]
            lowest = min([lowest, *precision])
            axes.plot([point["share"] for point in drawn], precision, color=colour, label=name)
        axes.axhline(0.95, color=SOFT, linewidth=1, linestyle=(0, (2, 3)))
        axes.set(xlim=(0, 1.02), ylim=(max(0.0, int(10 * lowest - 0.5) / 10), 1.01))
        axes.set_xlabel("bagian laporan yang dijawab, dari yang paling yakin")
        axes.set_ylabel("tepat")
        _shares(axes, "x", "y")
        axes.legend(loc="lower left", borderaxespad=0.2)

    return _svg(draw, 250, title, finding)


def _steady(points: Sequence[Mapping[str, float]]) -> Sequence[Mapping[str, float]]:
    """The points without those of the first few rows; all of them if nothing else is there."""
    step = min(point["share"] for point in points)
    return [point for point in points if point["share"] >= min(0.05, 3 * step)] or points


def reliability_chart(bins: Sequence[Mapping[str, float]], title: str, finding: str) -> str:
    """Confidence against the share right; the size of a point is the number of rows in its bin."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        most = max(part["n"] for part in bins)
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot([part["confidence"] for part in bins], [part["right"] for part in bins], color=PALE, linewidth=1.2)
        axes.scatter(
            [part["confidence"] for part in bins],
            [part["right"] for part in bins],
            s=[60 * part["n"] / most for part in bins],
            color=BRAND,
            zorder=3,
        )
        axes.text(0.03, 0.95, "terlalu ragu", color=SOFT, va="top")
        axes.text(0.98, 0.04, "terlalu yakin", color=SOFT, ha="right")
        axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="peluang yang disebut model", ylabel="nyatanya tepat")
        _shares(axes, "x", "y")

    return _svg(draw, 290, title, finding)


def bar_chart(rows: Sequence[tuple[str, float, int]], title: str, finding: str, average: float | None = None) -> str:
    """Horizontal bars of `(name, share, n)`, from top to bottom; `average` is a line through them."""
    height = 36 * len(rows) + 8

    def draw(figure: Figure) -> None:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        for position, (name, share, n) in enumerate(rows):
            top = 36 * position + 4
            short = textwrap.shorten(name, LONGEST_NAME, placeholder=" …") or "-"
            axes.text(0, top + 11, short, va="baseline")
            axes.text(WIDTH, top + 11, f"{percent(share)} dari {number(n)}", ha="right", va="baseline", color=SOFT)
            axes.barh(top + 22, WIDTH, height=10, color=TRACK)
            axes.barh(top + 22, WIDTH * share, height=10, color=BRAND if n >= FEWEST_DRAWN else PALE)
            if average is not None:
                axes.plot([WIDTH * average] * 2, [top + 16, top + 28], color=TEXT, linewidth=1.2)

    return _svg(draw, height, title, finding)


def month_chart(lines: Mapping[str, Sequence[Mapping[str, Any]]], title: str, finding: str) -> str:
    """Share right by month, one line a name, above the number of rows; groups are named `2026-01`."""
    months = sorted({group["group"] for groups in lines.values() for group in groups})
    counts = dict.fromkeys(months, 0)
    for groups in lines.values():
        for group in groups:
            counts[group["group"]] = max(counts[group["group"]], group["n"])

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        lowest = 0.9
        for colour, (name, groups) in zip(LINE_COLOURS, lines.items(), strict=False):
            places = [months.index(group["group"]) for group in groups]
            shares = [group["accuracy"] for group in groups]
            lowest = min([lowest, *shares])
            upper.plot(places, shares, color=colour, label=name, marker="o", markersize=4)
        upper.set(ylim=(max(0.0, int(10 * lowest - 1) / 10), 1.02), ylabel="tepat")
        _shares(upper, "y")
        upper.legend(loc="lower left", ncols=2, borderaxespad=0.1)
        lower.bar(range(len(months)), list(counts.values()), color=PALE, width=0.7)
        lower.set(ylabel="laporan")
        lower.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        shown = list(range(0, len(months), -(-len(months) // 6)))
        lower.set_xticks(shown, [_month(months[place]) for place in shown])
        lower.set_xlim(-0.6, len(months) - 0.4)

    return _svg(draw, 270, title, finding)


def _month(code: str) -> str:
    return f"{MONTHS[int(code[5:7]) - 1][:3]} {code[2:4]}"


def _shares(axes: Axes, *names: str) -> None:
    """Percentages and a light grid on the axes named."""
    for name in names:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    axes.grid(axis="both" if len(names) > 1 else "y")


def _svg(draw: Callable[[Figure], None], height: int, title: str, finding: str) -> str:
    written = io.StringIO()
    with rc_context({**STYLE, "svg.hashsalt": f"{title} {finding}"}), warnings.catch_warnings():
        # A letter that the measuring font lacks is drawn by the page's font all the same.
        warnings.filterwarnings("ignore", "Glyph")
        figure = Figure(figsize=(WIDTH / POINTS_AN_INCH, height / POINTS_AN_INCH), layout="constrained")
        draw(figure)
        nameless = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nameless)
    return _inline(written.getvalue(), title, finding)


def _inline(svg: str, title: str, finding: str) -> str:
    """The drawing without what only a file of its own needs: namespaces, size, font, names nobody refers to."""
    body = re.search(r"<svg[^>]*?viewBox=\"([^\"]*)\"[^>]*>(.*)</svg>", svg, re.DOTALL)
    if body is None:
        raise ValueError("no drawing in the SVG")
    inner = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", body[2], count=1, flags=re.DOTALL)
    inner = inner.replace("xlink:href", "href")
    inner = re.sub(r"font-family: [^;\"]*(; )?", "", inner)
    used = set(re.findall(r"(?:href=\"|url\()#([^\")]+)", inner))
    inner = re.sub(r" id=\"([^\"]*)\"", lambda found: found[0] if found[1] in used else "", inner)
    inner = re.sub(r"[ \n]+", " ", inner)
    opening = f'<svg class="chart" viewBox="{body[1]}" role="img" aria-label="{escape(finding)}">'
    return f"{opening}<title>{escape(title)}</title>{inner}</svg>"
