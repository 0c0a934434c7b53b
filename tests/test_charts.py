"""Charts: what is drawn stands where it should, whatever the figures are."""

import math
import re
from collections.abc import Sequence
from datetime import date
from itertools import combinations, cycle, islice, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.chart_shapes import WIDTH, Bar, Label
from service.charts import Chart, Row, Series, bar_chart, line_chart, stacked_bars
from service.pages import templates
from service.tables import Column, Table, Unit, csv_text, span

LONG = "Dinas Pemberdayaan Perempuan, Perlindungan Anak dan Keluarga Berencana"
WEEKS = [f"{day} Jan" for day in range(1, 13)]
NAMED = ("class", "id", "aria-labelledby")
SVG = "{http://www.w3.org/2000/svg}"
counts = st.one_of(st.none(), st.sampled_from([math.nan, math.inf, -math.inf]), st.floats(-10, 1e9, width=32))
shares = st.one_of(st.none(), st.just(math.nan), st.floats(0, 1, width=32))
names = st.lists(st.text("abcdeWMI %<&\"'", max_size=40), min_size=1, max_size=4)


def drawn(chart: Chart) -> ElementTree.Element:
    """The chart as a reader of XML takes it in."""
    text = str(templates.env.get_template("charts.html").make_module().drawing(chart))  # type: ignore[attr-defined]
    svg = ElementTree.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314
    given = " ".join(value for node in svg.iter() for name, value in node.attrib.items() if name not in NAMED)
    assert not re.search("nan|inf|none", given, re.IGNORECASE)
    return svg


def assert_legible(chart: Chart) -> None:
    """No label touches another or leaves the drawing."""
    boxes = [(label, label.box) for label in chart.labels if label.text]
    for label, (left, top, right, bottom) in boxes:
        assert -0.1 <= left <= right <= chart.width + 0.1, label
        assert -0.1 <= top <= bottom <= chart.height + 0.1, label
    for (one, first), (other, second) in combinations(boxes, 2):
        apart = first[2] <= second[0] or second[2] <= first[0] or first[3] <= second[1] or second[3] <= first[1]
        assert apart, (one, other)


def parts(chart: Chart, style: int) -> list[Bar]:
    """The bars of one part, from left to right, without the sample beside its name."""
    return [bar for bar in chart.bars if bar.style == style and bar.kind != "track"][: len(chart.hovers)]


def named(chart: Chart) -> list[Label]:
    return [label for label in chart.labels if label.kind == "name"]


def outline(path: str) -> tuple[int, ...]:
    """The corners of a mark as seen from the first, wherever it stands."""
    corners = [tuple(map(float, corner.split())) for corner in re.findall(r"[\d.]+ [\d.]+", path.partition("a")[0])]
    return tuple(round(end - start) for corner in corners for start, end in zip(corners[0], corner, strict=True))


def lines(chart: Chart) -> list[str]:
    return [stroke.path for stroke in chart.over if stroke.kind == "line"]


@settings(max_examples=60, deadline=None)
@given(names, st.integers(1, 60), st.lists(counts, min_size=1, max_size=9), st.lists(shares, min_size=3, max_size=9))
def test_any_figures_make_a_sound_drawing(
    called: list[str], places: int, counted: list[float | None], shared: list[float | None]
) -> None:
    def turned(cells: list[float | None], by: int) -> list[float | None]:
        return list(islice(cycle(cells[by % len(cells) :] + cells[: by % len(cells)]), places))

    weeks = [f"{place % 28 + 1} Sep" for place in range(places)]
    numbers = [Series(name, turned(counted, place)) for place, name in enumerate(called)]
    portions = [Series(name, *(turned(shared, place + of) for of in range(3))) for place, name in enumerate(called)]
    rows = [Row(name, value or 0.0, "dari 12", *shared[:2]) for name, value in zip(called, counted, strict=False)]
    for chart in (
        line_chart("a", "Judul", "Temuan", weeks, numbers, Unit.COUNT),
        line_chart("b", "Judul", "Temuan", weeks, portions, goals=[("Diminta", 0.9)]),
        stacked_bars("c", "Judul", "Temuan", weeks, numbers, running=True),
        stacked_bars("d", "Judul", "Temuan", weeks, portions, shares=True),
        bar_chart("e", "Judul", "Temuan", rows),
    ):
        drawn(chart)
        assert_legible(chart)


def test_the_drawing_tells_its_title_and_finding_to_those_who_cannot_see_it() -> None:
    svg = drawn(line_chart("laju", "Laju <kini>", "Naik & turun.", ["1 Jan"], [Series("Semua", [0.5])]))
    title, desc = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None and desc is not None
    assert (svg.get("role"), title.text, desc.text) == ("img", "Laju <kini>", "Naik & turun.")
    assert svg.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert svg.get("viewBox", "").startswith("0 0 360 ")
    assert [node.get("style") for node in svg.iter()] == [None] * len(list(svg.iter()))


@pytest.mark.parametrize("values", [[], [None], [None, math.nan]])
def test_nothing_to_draw_is_empty(values: Sequence[float | None]) -> None:
    weeks = WEEKS[: len(values)]
    for chart in (
        line_chart("a", "J", "T", weeks, [Series("x", values)]),
        stacked_bars("b", "J", "T", weeks, [Series("x", values)]),
        stacked_bars("c", "J", "T", weeks, [Series("x", [0.0 for _ in values])]),
        bar_chart("d", "J", "T", [Row("x", value) for value in values if value is not None]),
    ):
        assert chart.empty


def test_a_line_breaks_where_figures_are_missing_and_a_lone_point_is_marked() -> None:
    chart = line_chart("a", "J", "T", WEEKS[:5], [Series("x", [0.5, 0.6, None, 0.7, None])])
    first, lone, sample = lines(chart)
    assert (first.count("L"), lone.count("L"), sample.count("L")) == (1, 0, 1)
    assert len([stroke for stroke in chart.over if stroke.kind == "mark"]) == 4
    crowded = [0.5 if place != 1 else None for place in range(40)]
    many = line_chart("a", "J", "T", [str(place) for place in range(40)], [Series("x", crowded)])
    assert len([stroke for stroke in many.over if stroke.kind == "mark"]) == 2


def test_higher_is_drawn_higher_and_later_further_right() -> None:
    chart = line_chart("a", "J", "T", WEEKS[:3], [Series("x", [0.2, 0.5, 0.9])])
    points = [tuple(map(float, point.split())) for point in lines(chart)[0][1:].split("L")]
    assert all(left[0] < right[0] and left[1] > right[1] for left, right in pairwise(points))
    assert points[1][1] - points[0][1] == pytest.approx(-0.75 * (points[1][1] - points[2][1]), abs=0.03)


def test_lines_differ_by_more_than_colour() -> None:
    chart = line_chart("a", "J", "T", WEEKS[:2], [Series(str(n), [n / 10, n / 10]) for n in range(1, 4)])
    assert len({outline(stroke.path) for stroke in chart.over if stroke.kind == "mark"}) == 3


def test_names_beside_lines_that_end_together_keep_apart_and_the_long_ones_are_cut() -> None:
    series = [Series(f"{LONG} {n}", [0.9, 0.9]) for n in range(4)]
    chart = line_chart("a", "J", "T", WEEKS[:2], series, goals=[("Diminta", 0.9)])
    assert_legible(chart)
    assert [label.text[-1] for label in named(chart)[:4]] == ["…"] * 4
    assert chart.table.columns[1].name == f"{LONG} 0"


def test_stacked_parts_stand_on_each_other_in_the_order_of_their_names() -> None:
    chart = stacked_bars("a", "J", "T", WEEKS[:2], [Series("bawah", [30, 10]), Series("atas", [10, 10])])
    below, above = parts(chart, 1), parts(chart, 2)
    assert [bar.height for bar in below] == pytest.approx(
        [bar.height * n for bar, n in zip(above, (3, 1), strict=True)]
    )
    assert [bar.y for bar in below] == pytest.approx([bar.y + bar.height for bar in above])
    heights = {label.text: label.y for label in named(chart)}
    assert heights["atas"] < heights["bawah"]


def test_names_keep_the_order_of_parts_that_the_last_bar_lacks() -> None:
    series = [Series("bawah", [1, 1]), Series("tengah", [1, 0]), Series("atas", [1, 0])]
    names = sorted(named(stacked_bars("a", "J", "T", WEEKS[:2], series)), key=lambda label: label.y)
    assert [label.text for label in names] == ["atas", "tengah", "bawah"]


def test_shares_fill_every_bar_that_has_any() -> None:
    chart = stacked_bars("a", "J", "T", WEEKS[:3], [Series("x", [1, 0, 30]), Series("y", [3, 0, 10])], shares=True)
    tall = [sum(bar.height for bar in chart.bars if bar.x == x) for x in sorted({bar.x for bar in chart.bars})[:2]]
    assert tall == pytest.approx([150.0, 150.0])


def test_only_the_last_bar_of_what_is_not_over_is_pale() -> None:
    chart = stacked_bars("a", "J", "T", WEEKS[:3], [Series("x", [4, 5, 2])], running=True)
    assert [bar.kind for bar in chart.bars] == ["part", "part", "running"]
    assert not named(chart)


def test_few_places_are_named_the_last_always() -> None:
    weeks = [f"{place % 28 + 1} Sep" for place in range(52)]
    chart = stacked_bars("a", "J", "T", weeks, [Series("x", [5.0] * 52), Series("y", [5.0] * 52)])
    below = [label.text for label in chart.labels if label.anchor == "middle"]
    assert 2 <= len(below) <= 8
    assert below[0] == weeks[-1]
    assert_legible(chart)


@pytest.mark.parametrize(
    ("values", "unit", "written"),
    [
        ([640.0], Unit.COUNT, ["0", "200", "400", "600", "800"]),
        ([1.0], Unit.COUNT, ["0", "1"]),
        ([12_345.0], Unit.COUNT, ["0", "5.000", "10.000", "15.000"]),
        ([0.52, 0.93], Unit.SHARE, ["50 %", "60 %", "70 %", "80 %", "90 %", "100 %"]),
        ([0.99, 1.0], Unit.SHARE, ["80 %", "85 %", "90 %", "95 %", "100 %"]),
    ],
)  # fmt: skip
def test_the_scale_has_few_round_figures_as_indonesian_writes_them(
    values: list[float], unit: Unit, written: list[str]
) -> None:
    chart = line_chart("a", "J", "T", WEEKS[: len(values)], [Series("x", values)], unit)
    assert [label.text for label in chart.labels if label.anchor == "end"] == written


def test_lying_bars_are_as_long_as_their_figures_and_long_names_leave_room_for_them() -> None:
    rows = [Row(LONG, 0.5, "dari 30", 0.25, 0.75), Row("Dishub", 0.25, "dari 4")]
    chart = bar_chart("a", "J", "T", rows, Unit.SHARE, whole=1.0, goal=0.9)
    assert [bar.width / WIDTH for bar in chart.bars if bar.kind == "part"] == [0.5, 0.25]
    assert [label.text for label in chart.labels if label.kind == "value"] == ["50 % dari 30", "25 % dari 4"]
    assert named(chart)[0].text.endswith("…")
    assert chart.table.rows[0][0] == LONG
    assert_legible(chart)


def test_pointing_at_a_place_tells_its_row() -> None:
    table = Table((Column("Pekan"), Column("Laporan", Unit.COUNT), Column("Tepat", Unit.SHARE)), (("x", 1_234, 0.5),))
    chart = line_chart("a", "J", "T", ["x"], [Series("Tepat", [0.5])], table=table)
    assert [hover.text for hover in chart.hovers] == ["x: Laporan 1.234, Tepat 50,0 %"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 detik"), (59, "59 detik"), (90, "1,5 menit"), (660, "11 menit"), (7_200, "2 jam"), (129_600, "1,5 hari")],
)
def test_a_stretch_of_time_has_one_unit(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_a_file_of_figures_opens_as_utf8_and_holds_no_formula() -> None:
    columns = (Column("Kanal"), Column("Sejak", Unit.DAY), Column("Bagian", Unit.SHARE), Column("Tunggu", Unit.SPAN))
    rows = tuple(
        (text, date(2026, 1, 5), -0.25, None) for text in ("=1+1", "+62", "-1", "@a", "\tx", 'kata "ganda", é')
    )
    text = csv_text(Table(columns, rows))
    assert text.encode().startswith(b"\xef\xbb\xbfKanal,Sejak,Bagian,Tunggu (detik)\r\n")
    assert [line.split(",2026")[0] for line in text.split("\r\n")[1:6]] == ["'=1+1", "'+62", "'-1", "'@a", "'\tx"]
    assert text.endswith('"kata ""ganda"", é",2026-01-05,-0.25,\r\n')
