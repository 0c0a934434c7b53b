"""The full report: small sets counted by hand, and a real router on the shipped sample."""

import json
from collections import Counter
from datetime import datetime

import numpy as np
import pytest

from router_model.complaint import Complaint
from router_model.policy import Route
from router_model.portal import Agency, Category, Portal, UrgencyLevel
from router_model.prediction import Prediction, Ranked
from router_model.suggestion import Router, SuggestedAgency, Suggestion
from training.dataset import Example
from training.evaluation import Outcome, evaluate, summary
from training.report import (
    MOST_POINTS,
    RESAMPLES,
    by_group,
    channels,
    confusion,
    drawn_rows,
    full_report,
    interval,
    label_name,
    lengths,
    months,
    reliability,
    report_of,
    resampled,
    risk_coverage,
    share,
    stated,
    urgent,
)

SMALL = Portal(
    code="contoh",
    name="Contoh",
    government="Kota Contoh",
    timezone="Asia/Jakarta",
    agencies=(
        Agency("dishub", "Dinas Perhubungan", "dinas"),
        Agency("dlh", "Dinas Lingkungan Hidup", "dinas"),
        Agency("kel-a", "Kelurahan Anggrek", "kelurahan", territorial=True),
    ),
    categories=(Category("lampu", "Lampu jalan"), Category("sampah", "Sampah")),
    urgency=(UrgencyLevel("darurat", "Darurat"), UrgencyLevel("sedang", "Sedang")),
)


def row(text: str = "lampu jalan mati", moment: datetime | None = None, channel: str = "", **labels: str) -> Example:
    return Example("", "", moment, channel, Complaint(text), labels)


def said(agency: str, p: float = 0.9, *, route: Route = Route.REVIEW, urgency: str = "", size: int = 1) -> Suggestion:
    """A suggestion that names one agency first and `dishub` after it, and perhaps one level of urgency."""
    answers = {"unit": (Ranked(agency, p),)} | ({"urgency": (Ranked(urgency, p),)} if urgency else {})
    agencies = tuple(SuggestedAgency(code, code, "dinas", False, p) for code in dict.fromkeys((agency, "dishub")))
    return Suggestion(Prediction(Complaint(""), answers, "", 3, 3), agencies, (), route, (), None, (), size)


def outcome(ranked: str, wanted: str, p: float = 0.5, row: int = 0) -> Outcome:
    return Outcome(tuple(ranked), p, wanted, row)


def some_outcomes(n: int) -> list[Outcome]:
    """Four classes, the last in one row only; many wrong, many of equal confidence."""
    random = np.random.default_rng(7)
    given, p = random.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]).tolist(), random.random(n).round(1).tolist()
    wanted = ["a" if first == "b" and sure < 0.9 else first for first, sure in zip(given, p, strict=True)]
    wanted[0] = "d"
    return [Outcome((given[row], "b", "c"), p[row], wanted[row], row) for row in range(n)]


def test_the_report_holds_all_that_an_evaluation_holds(router: Router, examples: list[Example]) -> None:
    plain = evaluate(router, examples[:80], classes=True)
    full = full_report(router, examples[:80])
    assert full["rows"] == plain["rows"] == 80
    assert full["answers"] == plain["answers"]
    for route, figures in plain["routes"].items():
        assert figures.items() <= full["routes"][route].items()
    assert plain["danger"].items() <= full["danger"].items()
    for answer, table in plain["classes"].items():
        assert [
            figures | {"name": full_row["name"]}
            for figures, full_row in zip(table, full["classes"][answer], strict=True)
        ] == full["classes"][answer]


def test_the_report_is_plain_json_and_holds_no_word_of_a_complaint(router: Router, examples: list[Example]) -> None:
    asked = examples[:80]
    written = json.dumps(full_report(router, asked, examples[80:400]), allow_nan=False)
    assert not any(part in written for row in asked for part in row.complaint.text.split(". ") if len(part) > 30)


def test_the_same_rows_give_the_same_report(router: Router, examples: list[Example]) -> None:
    first, second = (full_report(router, examples[:40], examples[40:200]) for _ in range(2))
    assert first == second


def test_resampled_figures_are_those_of_the_summary_on_the_rows_drawn() -> None:
    rows = some_outcomes(60)
    figures = resampled(rows)
    drawn = np.concatenate(list(drawn_rows(len(rows))))
    assert drawn.shape == (RESAMPLES, 60)
    assert (drawn.sum(axis=1) == 60).all()
    for number in range(0, RESAMPLES, 50):
        wanted = summary([row for row, times in zip(rows, drawn[number], strict=True) for _ in range(int(times))])
        assert {name: values[number] for name, values in figures.items()} == pytest.approx(
            {name: wanted[name] for name in figures}
        )


def test_many_rows_are_drawn_in_parts_and_still_a_thousand_times() -> None:
    parts = list(drawn_rows(5_000))
    assert len(parts) > 1
    assert sum(len(part) for part in parts) == RESAMPLES
    assert all((part.sum(axis=1) == 5_000).all() for part in parts)


def test_an_interval_is_as_wide_as_chance_and_has_no_width_without_errors() -> None:
    """100 rows, half of them right: 0.5 +- 1.96 x 0.05."""
    half = resampled([outcome("ab", "a" if place % 2 else "b", row=place) for place in range(100)])
    assert interval(half["accuracy"]) == pytest.approx([0.402, 0.598], abs=0.025)
    assert interval(np.linspace(0, 1, 1_001)) == pytest.approx([0.025, 0.975])
    perfect = resampled([outcome("a", "a", row=place) for place in range(10)])
    assert [interval(values) for values in perfect.values()] == [[1.0, 1.0]] * 4


def test_a_share_has_the_interval_of_clopper_and_pearson() -> None:
    """With n of n right the lower end is 0.025^(1/n)."""
    assert share([True] * 30) == {"n": 30, "share": 1.0, "interval": [pytest.approx(0.025 ** (1 / 30)), 1.0]}
    assert share([]) == {"n": 0}


def test_wrong_pairs_are_counted_by_what_was_wanted() -> None:
    rows = [outcome("a", "b"), outcome("a", "b"), outcome("b", "b"), outcome("b", "a"), outcome("a", "a")]
    found = confusion(rows, SMALL, "agency")
    assert [(pair["wanted"], pair["given"], pair["count"], pair["support"]) for pair in found] == [
        ("b", "a", 2, 3),
        ("a", "b", 1, 2),
    ]
    assert found[0]["share"] == pytest.approx(2 / 3)


def test_of_many_wrong_pairs_the_fifteen_most_frequent_are_named() -> None:
    rows = [outcome("x", letter) for letter in "abcdefghijklmnopqr"] + [outcome("x", "r")]
    found = confusion(rows, SMALL, "agency")
    assert len(found) == 15
    assert (found[0]["wanted"], found[0]["count"]) == ("r", 2)


def test_precision_is_followed_from_the_surest_rows_to_all() -> None:
    rows = [outcome("a", "a", 0.9), outcome("a", "a", 0.8), outcome("a", "b", 0.8), outcome("a", "b", 0.1)]
    assert risk_coverage(rows) == [
        {"share": 0.25, "precision": 1.0, "p": 0.9},
        {"share": 0.75, "precision": pytest.approx(2 / 3), "p": 0.8},
        {"share": 1.0, "precision": 0.5, "p": 0.1},
    ]


def test_the_line_of_many_rows_has_few_points_and_ends_with_all_rows() -> None:
    rows = [outcome("a", "a" if place % 3 else "b", place / 1_000) for place in range(1_000)]
    points = risk_coverage(rows)
    assert len(points) == MOST_POINTS
    assert (points[0]["share"], points[-1]["share"]) == (0.001, 1.0)
    assert points[-1]["precision"] == pytest.approx(666 / 1_000, abs=0.001)


def test_reliability_has_fifteen_bins_and_fewer_for_fewer_rows() -> None:
    rows = [outcome("a", "a" if place % 2 else "b", place / 60) for place in range(60)]
    bins = reliability(rows)
    assert [part["n"] for part in bins] == [4] * 15
    assert bins[0] == {"confidence": pytest.approx(1.5 / 60), "right": 0.5, "n": 4}
    assert len(reliability(rows[:3])) == 3


def test_what_was_said_is_held_against_what_was_so_in_bands() -> None:
    rows = [outcome("a", "a", 0.88), outcome("a", "b", 0.92), outcome("a", "a", 1.0), outcome("a", "a", 0.2)]
    assert stated(rows) == [
        {"confidence": pytest.approx(0.9), "right": 0.5, "n": 2},
        {"confidence": 1.0, "right": 1.0, "n": 1},
    ]


def test_groups_come_in_order_and_rows_without_a_group_are_left_out() -> None:
    rows = [outcome("ab", "a", row=0), outcome("ba", "a", row=1), outcome("b", "a", row=2), outcome("a", "a", row=3)]
    assert by_group(rows, ["2026-02", "2026-02", "2026-01", ""]) == [
        {"group": "2026-01", "n": 1, "accuracy": 0.0, "top3": 0.0},
        {"group": "2026-02", "n": 2, "accuracy": 0.5, "top3": 1.0},
    ]


def test_months_come_from_the_date_and_lengths_from_the_words_of_title_and_text() -> None:
    assert months([row(moment=datetime(2026, 3, 31, 23, 59)), row()]) == ["2026-03", ""]
    long = Example("", "", None, "", Complaint("kata " * 9, title="judul"), {})
    assert lengths([row("kata " * 9), long, row("kata " * 44), row("kata " * 45), row("kata " * 500)]) == [
        1,
        10,
        20,
        45,
        90,
    ]


def test_rare_channels_are_shown_together_and_never_by_name() -> None:
    asked = [row(channel="Tatap_Muka"), *(row(channel="tatap muka") for _ in range(4)), row(channel="Ni Luh"), row()]
    assert channels(asked) == ["tatap muka"] * 5 + ["lainnya", ""]


def test_danger_is_counted_by_route_and_by_level() -> None:
    asked = [row(urgency=level) for level in ("darurat", "darurat", "tinggi", "tinggi", "sedang", "sedang")] + [row()]
    given = [
        said("dlh", urgency="sedang", route=Route.EMERGENCY),
        said("dlh", urgency="tinggi"),
        said("dlh", urgency="darurat", route=Route.EMERGENCY),
        said("dlh", urgency="sedang"),
        said("dlh", urgency="darurat"),
        said("dlh"),
        said("dlh", route=Route.EMERGENCY),
    ]
    found = urgent(given, asked)
    assert {name: (part["n"], part["share"]) for name, part in found.items()} == {
        "emergencies": (2, 0.5),
        "levels": (2, 0.5),
        "urgent": (4, 0.75),
        "alarms": (4, 0.25),
    }


def test_the_short_list_holds_the_right_agency_as_often_as_counted() -> None:
    """In the list of one, in the list of two, behind the list, and a row without a label."""
    asked = [row(agency="dlh"), row(agency="dishub"), row(agency="dishub"), row()]
    given = [said("dlh"), said("dlh", size=2), said("dlh"), said("dlh", size=2)]
    found = report_of(given, asked, SMALL)["candidates"]
    assert found == {"wanted": 0.95, "holding": pytest.approx(2 / 3), "mean_size": pytest.approx(4 / 3)}
    assert "candidates" not in report_of(given[3:], asked[3:], SMALL)


def test_a_route_says_how_many_took_it_how_many_had_a_label_and_how_sure_its_precision_is() -> None:
    asked = [row(agency="dlh", unit="dlh"), row(agency="dishub", unit="dishub"), row(category="lampu")]
    routes = report_of([said("dlh", route=Route.AUTO)] * 3, asked, SMALL)["routes"]
    assert routes["auto"] == {
        "share": 1.0,
        "precision": 0.5,
        "n": 3,
        "labelled": 2,
        "interval": pytest.approx([0.0126, 0.9874], abs=1e-3),
    }
    assert routes["prefill"] == {"share": 0.0, "n": 0, "labelled": 0}


@pytest.mark.parametrize(
    ("answer", "code", "name"),
    [
        ("agency", "dlh", "Dinas Lingkungan Hidup"),
        ("agency", "@kelurahan", "Kelurahan (tempat belum diketahui)"),
        ("agency_kind", "@kelurahan", "Kelurahan (semua kantor)"),
        ("category", "lampu", "Lampu jalan"),
        ("urgency", "darurat", "Darurat"),
        ("report_type", "informasi", "Permintaan informasi"),
        ("agency", "tidak-ada-lagi", "tidak-ada-lagi"),
        ("category", "tidak-ada-lagi", "tidak-ada-lagi"),
        ("urgency", "tidak-ada-lagi", "tidak-ada-lagi"),
    ],
)
def test_a_class_is_called_what_people_call_it(answer: str, code: str, name: str) -> None:
    assert label_name(SMALL, answer, code) == name


def test_our_lead_over_a_plain_model_is_the_difference_on_the_same_rows(
    router: Router, examples: list[Example]
) -> None:
    asked, known = examples[-100:], examples[:-100]
    report = full_report(router, asked, known)
    assert report["baselines"].keys() == {"agency_kind", "category", "urgency", "report_type"}
    for answer, models in report["baselines"].items():
        for model in models.values():
            for figure in ("accuracy", "macro_f1"):
                lead = model["lead"][figure]
                assert lead["value"] == pytest.approx(report["answers"][answer][figure] - model[figure])
                assert lead["interval"][0] <= lead["interval"][1]
    most = Counter(row.labels["urgency"] for row in known).most_common(1)[0][0]
    right = sum(row.labels["urgency"] == most for row in asked)
    assert report["baselines"]["urgency"]["majority"]["accuracy"] == pytest.approx(right / 100)


def test_the_lead_over_an_equal_model_is_none_in_every_resample() -> None:
    asked = [row("lampu mati", unit="dishub"), row("sampah", unit="dlh"), row("lampu", unit="dlh")] * 10
    known = [row("lampu padam", unit="dishub"), row("sampah bau", unit="dlh")]
    given = [said("dishub" if "lampu" in example.complaint.text else "dlh") for example in asked]
    lead = report_of(given, asked, SMALL, known)["baselines"]["agency_kind"]["plain"]["lead"]
    assert lead == {
        "accuracy": {"value": 0.0, "interval": [0.0, 0.0]},
        "macro_f1": {"value": 0.0, "interval": [0.0, 0.0]},
    }


@pytest.mark.parametrize(
    "asked",
    [[], [row()], [row(agency="dlh", unit="dlh")], [row(urgency="sedang")], [row("", category="lampu")]],
    ids=["nothing", "no label", "one agency", "one urgency", "no text"],
)
@pytest.mark.parametrize("known", [None, [], [row(unit="dlh")]], ids=["not given", "none", "one"])
def test_a_tiny_set_has_a_report(asked: list[Example], known: list[Example] | None) -> None:
    report = report_of([said("dlh", urgency="sedang")] * len(asked), asked, SMALL, known)
    json.dumps(report, allow_nan=False)
    assert report["rows"] == len(asked)
    assert report["answers"].keys() == report["intervals"].keys() == report["by_channel"].keys()
    assert ("baselines" in report) == (known is not None)


def test_an_answer_without_a_label_has_no_section_and_no_plain_model(router: Router, examples: list[Example]) -> None:
    asked = [
        Example(row.where, row.id, None, "", row.complaint, {"category": row.labels["category"]})
        for row in examples[:10]
    ]
    report = full_report(router, asked, examples[10:60])
    assert report["answers"].keys() == report["confusion"].keys() == report["baselines"].keys() == {"category"}
    assert report["by_month"] == report["by_channel"] == {"category": []}
    assert "danger" not in report
