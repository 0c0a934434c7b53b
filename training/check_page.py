"""A check of a data set as one page for people: ready or not, what to settle first, then every finding.

The page needs nothing beside itself, quotes masked excerpts only, and the same check gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.charts import MONTHS, number, percent
from training.checking import Checkup
from training.excerpts import day_words, period_words
from training.findings import SEVERITIES
from training.time_findings import is_jump, usual_week

WIDTH, HEIGHT, TICK = 330, 110, 40
MOST_FIRST = 4
MOST_TICKS = 6
FEWEST_WEEKS = 4
SEVERITY_TITLES = {
    "salah": ("Salah", "Membuat laporan tidak dipelajari, atau mengajarkan yang keliru. Betulkan dulu."),
    "perlu dilihat": ("Perlu dilihat", "Belum tentu salah; seseorang yang mengenal datanya perlu menilai."),
    "keterangan": ("Keterangan", "Tidak perlu dikerjakan apa pun; baik diketahui."),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A week: place and size in units of the drawing, from the top left."""

    x: float
    y: float
    width: float
    height: float
    high: bool


@dataclass(frozen=True, slots=True)
class WeekChart:
    """Rows of each week as bars; `ticks` are places and names of months, `most` is the highest bar."""

    finding: str
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    most: int


def check_page(checkup: Checkup) -> str:
    environment = Environment(
        loader=PackageLoader("training"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "percent": percent}
    found = [item for item in checkup.found if item.code != "rows"]
    return environment.get_template("check.html").render(
        checkup=checkup,
        headline=_headline(checkup),
        period=period_words(*checkup.period) if checkup.period else "tanpa tanggal",
        facts=[example for item in checkup.findings if item.code == "rows" for example in item.examples[-1:]],
        first=checkup.to_do[:MOST_FIRST],
        groups=[
            (*SEVERITY_TITLES[severity], own)
            for severity in SEVERITIES
            if (own := [item for item in found if item.severity == severity])
        ],
        absent=[item.title for item in checkup.findings if not item.count],
        chart=week_chart(checkup.weeks or {}),
        width=WIDTH,
        height=HEIGHT,
    )


def _headline(checkup: Checkup) -> str:
    if checkup.obstacle:
        return "Belum dapat dilatih"
    return "Dapat dilatih, lebih baik sesudah dibetulkan" if checkup.wrong else "Siap dilatih"


def week_chart(weeks: Mapping[date, int]) -> WeekChart | None:
    """Bars of a period of some weeks; `None` for less."""
    if len(weeks) < FEWEST_WEEKS:
        return None
    usual, most = usual_week(weeks), max(weeks.values())
    step = WIDTH / len(weeks)
    bars = tuple(
        Bar(
            x=round(place * step, 2),
            y=round(HEIGHT * (1 - rows / most), 2),
            width=round(max(0.8 * step, 0.5), 2),
            height=round(HEIGHT * rows / most, 2),
            high=is_jump(rows, usual),
        )
        for place, rows in enumerate(weeks.values())
    )
    peak = max(weeks, key=lambda week: weeks[week])
    finding = (
        f"Biasanya {number(median(weeks.values()))} laporan seminggu; terbanyak {number(most)}, "
        f"pada minggu {day_words(peak)}."
    )
    return WeekChart(finding, bars, _ticks(list(weeks), step), most)


def _ticks(weeks: list[date], step: float) -> tuple[tuple[float, str], ...]:
    """The first Monday of some months, evenly chosen; none so far right that its name would not fit."""
    firsts = [place for place, week in enumerate(weeks) if week.day <= 7 and place * step < WIDTH - TICK]
    shown = firsts[:: -(-len(firsts) // MOST_TICKS) or 1]
    return tuple((round(place * step, 2), f"{MONTHS[weeks[place].month - 1][:3]} {weeks[place]:%y}") for place in shown)
