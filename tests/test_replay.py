"""Living a history again: every complaint is asked about once, before it or anything later was learned."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from publisher import small_town
from test_learning import learnable, shuffled, town_history

from router_model.complaint import Complaint
from router_model.errors import AduanError, DatasetError
from router_model.policy import Route
from router_model.portal import Portal, load_portal
from router_model.prediction import Prediction
from router_model.suggestion import SuggestedAgency, Suggestion
from training.dataset import Example
from training.replay import STEPS, PlainModel, Workload, replay, steps

COUNT, DAYS = 240, 84
START = datetime(2025, 1, 6)
SINCE = START + timedelta(weeks=6)
CONTRACT = {"n", "accuracy", "top3", "macro_f1", "coverage_at_90", "coverage_at_95", "ece"}
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2025, 12, 31))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "portal")


@pytest.fixture(scope="module")
def portal(folder: Path) -> Portal:
    return load_portal(folder)


@pytest.fixture(scope="module")
def rows(portal: Portal) -> list[Example]:
    """Twenty complaints a week for twelve weeks."""
    return learnable(town_history(COUNT, days=DAYS), portal)


@pytest.fixture(scope="module")
def lived(rows: list[Example], portal: Portal) -> dict[str, Any]:
    return replay(rows, portal, SINCE)


def at(moment: datetime | None) -> Example:
    return Example("baris 1", "", moment, "", Complaint("lampu mati"), {})


def timeline(moments: Sequence[datetime], undated: int = 0) -> list[Example]:
    return [at(moment) for moment in sorted(moments)] + [at(None)] * undated


@given(
    st.lists(MOMENTS, min_size=1, max_size=40),
    st.integers(0, 3),
    MOMENTS,
    st.none() | MOMENTS,
    st.sampled_from(sorted(STEPS.values())),
)
def test_every_row_between_the_dates_is_in_exactly_one_step_and_no_other_row_is(
    moments: list[datetime], undated: int, since: datetime, until: datetime | None, every: timedelta
) -> None:
    rows = timeline(moments, undated)
    wanted = [
        index
        for index, row in enumerate(rows)
        if row.received_at and since <= row.received_at and (until is None or row.received_at < until)
    ]
    if not wanted:
        with pytest.raises(DatasetError, match=f"Tidak ada laporan sejak {since:%Y-%m-%d}"):
            steps(rows, since, until, every)
        return
    found = steps(rows, since, until, every)
    assert [index for step in found for index in range(step.start, step.end)] == wanted
    for step in found:
        assert (step.since - since) % every == timedelta()
        assert all(step.since <= moment < step.since + every for row in rows[step.start : step.end]
                   if (moment := row.received_at))  # fmt: skip


def test_a_row_at_the_very_moment_of_a_boundary_belongs_to_the_later_step() -> None:
    week = STEPS["week"]
    rows = timeline([START, START + week - timedelta(seconds=1), START + week, START + 2 * week], undated=2)
    assert [(step.start, step.end) for step in steps(rows, START, None, week)] == [(0, 2), (2, 3), (3, 4)]
    assert [(step.start, step.end) for step in steps(rows, START, START + week, week)] == [(0, 2)]
    assert [(step.start, step.end) for step in steps(rows, START + timedelta(seconds=1), None, week)] == [
        (1, 3), (3, 4),
    ]  # fmt: skip


def test_weeks_without_complaints_are_passed_over() -> None:
    rows = timeline([START, START + timedelta(weeks=5)])
    assert [step.since for step in steps(rows, START, None, STEPS["week"])] == [START, START + timedelta(weeks=5)]


def test_undated_rows_alone_cannot_be_replayed() -> None:
    with pytest.raises(DatasetError, match="tidak ada yang dapat diputar ulang"):
        steps([at(None)] * 3, START, None, STEPS["week"])


def test_each_week_is_asked_with_all_that_was_known_before_it(lived: dict[str, Any]) -> None:
    curve = lived["curve"]
    assert [point["since"] for point in curve] == [(SINCE + timedelta(weeks=week)).isoformat() for week in range(6)]
    assert [point["n"] for point in curve] == [20] * 6
    assert [point["trained_on"] for point in curve] == [120, 140, 160, 180, 200, 220]


def test_the_figures_are_those_of_the_contract(lived: dict[str, Any], rows: list[Example]) -> None:
    asked = COUNT // 2
    assert lived["rows"] == asked
    for side in (lived, lived["static"]):
        assert side["answers"].keys() == {"agency", "agency_kind", "category", "urgency", "report_type"}
        for figures in side["answers"].values():
            assert figures.keys() == CONTRACT
            assert figures["n"] == asked
        assert side["routes"].keys() == {route.value for route in Route}
        assert sum(route["share"] for route in side["routes"].values()) == pytest.approx(1)
        assert side["danger"]["darurat"] == sum(row.labels["urgency"] == "darurat" for row in rows[-asked:])
    assert lived["from"] == SINCE.isoformat()
    assert (lived["until"], lived["every"]) == (rows[-1].received_at and rows[-1].received_at.isoformat(), "week")
    assert lived["repeated"] == 0
    assert orjson.loads(orjson.dumps(lived)) == lived


@pytest.mark.parametrize(("curve", "total"), [("refit", ""), ("static", "static")])
def test_the_curve_and_the_totals_agree(lived: dict[str, Any], curve: str, total: str) -> None:
    totals = lived[total] if total else lived

    def mean(figure: str) -> float:
        return sum(point[curve][figure] * point["n"] for point in lived["curve"]) / lived["rows"]

    assert mean("agency") == pytest.approx(totals["answers"]["agency"]["accuracy"])
    assert mean("agency_kind") == pytest.approx(totals["answers"]["agency_kind"]["accuracy"])
    answered = {name: totals["routes"][name] for name in ("auto", "prefill")}
    assert mean("answered") == pytest.approx(sum(route["share"] for route in answered.values()))
    right = sum(
        (point[curve]["answered_right"] or 0) * point[curve]["answered"] * point["n"] for point in lived["curve"]
    )
    assert right == pytest.approx(
        sum(route["share"] * route.get("precision", 0) for route in answered.values()) * lived["rows"]
    )


def test_both_models_are_the_same_until_there_is_something_new_to_learn(lived: dict[str, Any]) -> None:
    first, *later = lived["curve"]
    assert first["refit"] == first["static"]
    assert any(point["refit"] != point["static"] for point in later)


@pytest.mark.parametrize("known_weeks", [7, 9])
def test_what_is_learned_later_changes_nothing_that_was_said_before(
    rows: list[Example], portal: Portal, lived: dict[str, Any], known_weeks: int
) -> None:
    """The labels of all rows after a moment are dealt out anew; answers given before it stay, their judgement of
    the week in which it lies excepted."""
    moment = START + timedelta(weeks=known_weeks)
    raw = town_history(COUNT, days=DAYS)
    known = sum(row["received_at"] < moment.isoformat(" ") for row in raw)
    other = replay(learnable(raw[:known] + shuffled(raw[known:]), portal), portal, SINCE)
    before = known_weeks - 6
    assert other["curve"][:before] == lived["curve"][:before]
    assert other["curve"][before]["refit"]["answered"] == lived["curve"][before]["refit"]["answered"]
    assert other["curve"][before]["refit"]["agency"] != lived["curve"][before]["refit"]["agency"]
    assert other["curve"][-1]["refit"]["answered"] != lived["curve"][-1]["refit"]["answered"]


def test_texts_that_come_later_change_nothing_that_was_said_before(
    rows: list[Example], portal: Portal, lived: dict[str, Any]
) -> None:
    later = [
        replace(row, complaint=Complaint(f"antrean panjang di loket {row.id} kantor catatan sipil")) for row in rows
    ]
    assert replay([*rows[:180], *later[180:]], portal, SINCE)["curve"][:3] == lived["curve"][:3]


def test_what_most_complaints_of_a_category_will_be_one_day_is_not_known_before(
    rows: list[Example], portal: Portal, lived: dict[str, Any]
) -> None:
    """After the last week come more complaints than there were, and all categories belong to another agency."""
    agencies = sorted({row["agency"] for row in town_history(COUNT)})
    later = [
        {
            **row,
            "received_at": (START + timedelta(days=DAYS, minutes=number)).isoformat(" "),
            "agency": agencies[agencies.index(row["agency"]) - 1],
        }
        for number, row in enumerate(town_history(COUNT + 60, seed=8))
    ]
    assert replay([*rows, *learnable(later, portal)], portal, SINCE)["curve"][:-1] == lived["curve"]


def test_complaints_without_a_date_are_neither_learned_nor_asked(
    rows: list[Example], portal: Portal, lived: dict[str, Any]
) -> None:
    undated = [replace(row, received_at=None, labels=rows[0].labels) for row in rows[:30]]
    assert replay([*rows, *undated], portal, SINCE) == lived


def test_until_ends_the_replay_before_that_date(rows: list[Example], portal: Portal, lived: dict[str, Any]) -> None:
    """In the middle of a week; what was said before it is the same."""
    found = replay(rows, portal, SINCE, SINCE + timedelta(weeks=2, days=3, hours=12))
    assert found["curve"][:2] == lived["curve"][:2]
    assert [point["n"] for point in found["curve"]] == [20, 20, 10]


def test_the_plain_model_beside_it_is_refitted_on_the_same_days_and_counts_the_same_complaints(
    rows: list[Example], portal: Portal, lived: dict[str, Any]
) -> None:
    counted = PlainModel()
    for point in lived["curve"]:
        known = point["trained_on"]
        counted.add(rows[:known], rows[known : known + point["n"]])
    assert lived["plain"] == counted.accuracy()
    assert lived["plain"].keys() == {"agency_kind", "category"}
    once = PlainModel()
    once.add(rows[:120], rows[120:])
    assert once.accuracy() != lived["plain"]


def test_a_matter_that_moved_to_another_agency_is_learned_by_the_refit_and_not_by_the_first_model(
    portal: Portal,
) -> None:
    """From the sixth week on lamps are the business of public works."""
    raw = town_history(COUNT, days=DAYS, vague=0)
    moved = [
        {**row, "agency": "Dinas Pekerjaan Umum"}
        if row["category"] == "Lampu jalan" and row["received_at"] >= SINCE.isoformat(" ")
        else row
        for row in raw
    ]
    drifted = replay(learnable(moved, portal), portal, SINCE)
    assert drifted["curve"][0]["refit"] == drifted["curve"][0]["static"]
    last = drifted["curve"][-1]
    assert last["refit"]["agency"] >= 0.9
    assert last["static"]["agency"] <= 0.75
    assert drifted["answers"]["agency"]["accuracy"] > drifted["static"]["answers"]["agency"]["accuracy"] + 0.1


@pytest.mark.parametrize(("every", "points"), [("day", 14), ("month", 1)])
def test_a_model_may_be_refitted_every_day_or_every_four_weeks(
    rows: list[Example], portal: Portal, every: str, points: int
) -> None:
    found = replay(rows, portal, SINCE, SINCE + timedelta(weeks=2), every)
    assert (found["every"], len(found["curve"])) == (every, points)
    assert found["rows"] == sum(point["n"] for point in found["curve"]) == 40


def test_repeated_complaints_are_counted_and_their_share_is_told(rows: list[Example], portal: Portal) -> None:
    again = [replace(row, received_at=SINCE + timedelta(hours=1)) for row in rows[:10]]
    together = sorted([*rows, *again], key=lambda row: row.received_at or START)
    found = replay(together, portal, SINCE, SINCE + timedelta(weeks=1))
    assert found["rows"] == 30
    assert found["repeated"] == pytest.approx(10 / 30)


def test_a_history_with_too_few_complaints_before_the_start_is_refused(rows: list[Example], portal: Portal) -> None:
    with pytest.raises(DatasetError, match="Hanya 6 laporan berlabel; perlu sedikitnya 20"):
        replay(rows, portal, START + timedelta(days=2))


def test_a_start_after_the_last_complaint_is_refused(rows: list[Example], portal: Portal) -> None:
    with pytest.raises(DatasetError, match="Tidak ada laporan sejak 2026-01-01"):
        replay(rows, portal, datetime(2026, 1, 1))


AGENCIES = tuple(SuggestedAgency(code, code.title(), "dinas", False, p) for code, p in (("a", 0.6), ("b", 0.3)))


def suggestion(route: Route) -> Suggestion:
    """Agency a first, b second, and only these two on the short list."""
    prediction = Prediction(Complaint(""), {}, "", 0, 0)
    return Suggestion(prediction, (*AGENCIES, replace(AGENCIES[0], code="c")), (), route, (), None, (), candidates=2)


@pytest.mark.parametrize(
    ("route", "wanted", "spent"),
    [
        (Route.AUTO, "a", (0, 0)),
        (Route.AUTO, "b", (90, 6)),
        (Route.PREFILL, "a", (20, 1)),
        (Route.PREFILL, "b", (40, 2)),
        (Route.EXTERNAL, "a", (20, 1)),
        (Route.REVIEW, "a", (40, 2)),
        (Route.REVIEW, "b", (40, 2)),
        (Route.REVIEW, "c", (90, 6)),
        (Route.EMERGENCY, "a", (40, 2)),
        (Route.INCOMPLETE, "c", (90, 6)),
    ],
)
def test_the_work_that_a_suggestion_leaves_to_a_person(route: Route, wanted: str, spent: tuple[int, int]) -> None:
    """A wrong automatic disposition is corrected by hand; what stands on the short list is one choice."""
    asked = replace(at(START), labels={"agency": wanted})
    assert Workload().spent([suggestion(route)], [asked]) == spent


def test_what_is_saved_is_the_difference_to_doing_all_by_hand() -> None:
    given = [suggestion(Route.AUTO), suggestion(Route.PREFILL), suggestion(Route.REVIEW)]
    asked = [replace(at(START), labels={"agency": "a"})] * 3
    saved = Workload(seconds_by_hand=3_600, clicks_by_hand=10).saved(given, asked)
    assert saved["hours_by_hand"] == 3
    assert saved["hours"] == pytest.approx(3 - 60 / 3_600)
    assert (saved["clicks_by_hand"], saved["clicks"]) == (30, 27)
    assert saved["assumed"] == {
        field.name: {"seconds_by_hand": 3_600, "clicks_by_hand": 10}.get(field.name, field.default)
        for field in fields(Workload)
    }


def test_the_portal_says_how_long_its_staff_need_and_the_result_repeats_it(
    folder: Path, rows: list[Example], lived: dict[str, Any], tmp_path: Path
) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "portal"))
    with (other / "portal.toml").open("a", encoding="utf-8") as toml:
        toml.write("\n[workload]\nseconds_by_hand = 180\nclicks_by_hand = 12\n")
    found = replay(rows, load_portal(other), SINCE)
    assert found["saved"]["assumed"] == lived["saved"]["assumed"] | {"seconds_by_hand": 180, "clicks_by_hand": 12}
    assert found["saved"]["hours_by_hand"] == 2 * lived["saved"]["hours_by_hand"] == pytest.approx(6)
    assert found["saved"]["clicks_by_hand"] == 1_440
    assert found["saved"]["hours"] > lived["saved"]["hours"] > 0
    assert found["curve"] == lived["curve"]


@pytest.mark.parametrize("given", ["seconds_by_hands = 180", 'seconds_to_save = "lama"', "clicks_to_save = -1"])
def test_an_assumption_that_cannot_be_used_is_named_before_anything_is_lived_again(
    folder: Path, rows: list[Example], tmp_path: Path, given: str
) -> None:
    other, stages = Path(shutil.copytree(folder, tmp_path / "portal")), []
    with (other / "portal.toml").open("a", encoding="utf-8") as toml:
        toml.write(f"\n[workload]\n{given}\n")
    with pytest.raises(AduanError, match=f"portal.toml, tabel workload: {given.split()[0]} ="):
        replay(rows[:160], load_portal(other), SINCE, progress=lambda *stage: stages.append(stage))
    assert stages == []


def test_stages_are_told_from_their_start_to_their_end(rows: list[Example], portal: Portal) -> None:
    told: list[tuple[str, int, int]] = []
    replay(rows, portal, SINCE, progress=lambda *stage: told.append(stage))
    stages = dict.fromkeys(stage for stage, _, _ in told)
    assert list(stages) == ["membaca laporan", "menguji maju menurut waktu", "memutar ulang riwayat"]
    for stage in stages:
        counts = [(done, total) for name, done, total in told if name == stage]
        assert counts == [(done, counts[-1][1]) for done in range(counts[-1][1] + 1)]
    assert not re.search(r"[A-Z]", "".join(stages))
