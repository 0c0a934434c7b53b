"""How a portal fares: the figures are those that one counts by hand, on either database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from health_rows import MONDAY, TOWN, asked, chosen

from router_model.policy import Policy
from router_model.registry import champions
from service.admin.health_accuracy import agency_rows, corrected_chart, pair_sheet
from service.admin.health_change import shift_sheet, word_sheet
from service.admin.health_emergency import speed_chart, waiting
from service.admin.health_figures import Share, Stored, known_words, seen_after, shifts, total, week_edges
from service.admin.health_summary import notices, tiles
from service.admin.health_view import View
from service.admin.health_volume import channel_chart, route_chart
from service.admin.health_words import NewWord, new_words
from service.database import health
from service.database.database import Database
from service.database.health import Asked, Decided, Emergency, Wait, Written
from service.database.judgements import Agreed, Agreement, ByAnswer
from service.serving import serving_release

MINUTE, WEEK = timedelta(minutes=1), timedelta(weeks=1)
EDGES = tuple(MONDAY + WEEK * week for week in range(5))
NOBODY = Agreed(0, None, None)
NEVER = Agreement(0, ByAnswer(NOBODY, NOBODY, NOBODY, NOBODY), {})


def view(
    asked: Sequence[Asked] = (),
    decided: Sequence[Decided] = (),
    emergencies: Sequence[Emergency] = (),
    words: Sequence[NewWord] = (),
    agency: str = "",
    waits: Sequence[Wait] = (),
) -> View:
    stored = Stored(EDGES, tuple(asked), tuple(decided), tuple(waits), tuple(emergencies))
    return View(stored, tuple(words), agency, None, Policy(), "Asia/Makassar", EDGES[-1], NEVER)


def test_weeks_begin_on_monday_midnight_of_the_portals_own_zone() -> None:
    sunday = datetime(2026, 1, 11, 15, 59, tzinfo=UTC)
    assert week_edges(sunday, "Asia/Makassar", 2) == (MONDAY - WEEK, MONDAY, MONDAY + WEEK)
    assert week_edges(sunday + MINUTE, "Asia/Makassar", 1) == (MONDAY + WEEK, MONDAY + 2 * WEEK)
    summer = week_edges(datetime(2026, 4, 1, tzinfo=UTC), "Europe/Amsterdam", 2)
    assert {edge.astimezone(ZoneInfo("Europe/Amsterdam")).hour for edge in summer} == {0}
    assert summer[1] - summer[0] == WEEK - timedelta(hours=1)


def test_what_came_in_is_counted_by_week_agency_route_and_channel(database: Database) -> None:
    with database.begin() as connection:
        for at, more in (
            (MONDAY - MINUTE, {}),
            (MONDAY, {"known_words": 0.5}),
            (MONDAY + WEEK - MINUTE, {"known_words": 1.0}),
            (MONDAY + WEEK, {"route": "auto", "channel": "sms"}),
            (MONDAY + WEEK, {"ranked": ()}),
            (MONDAY + 4 * WEEK, {}),
            (MONDAY, {"portal": "kota-besar"}),
        ):
            asked(connection, at, **more)  # type: ignore[arg-type]
        found = health.asked(connection, TOWN, EDGES)
    assert sorted(found, key=str) == sorted(
        [
            Asked(0, "a", "review", "web", 2, 2, 1.5),
            Asked(1, "a", "auto", "sms", 1, 1, 0.8),
            Asked(1, None, "review", "web", 1, 0, 0.0),
        ],
        key=str,
    )
    assert known_words(found, 4) == [(0.75, 2), (0.8, 1), (None, 0), (None, 0)]


def test_only_the_disposition_in_force_counts(database: Database) -> None:
    with database.begin() as connection:
        corrected = asked(connection)
        chosen(connection, corrected, "a", outcome="accepted")
        chosen(connection, corrected, "b", sequence=2)
        taken_back = asked(connection)
        chosen(connection, taken_back, "a", outcome="accepted")
        chosen(connection, taken_back, "b", sequence=2, undone=True)
        nothing_left = asked(connection)
        chosen(connection, nothing_left, "a", undone=True)
        asked(connection)
        elsewhere = asked(connection, portal="kota-besar")
        chosen(connection, elsewhere, "a", portal="kota-besar")
        found = health.decided(connection, TOWN, EDGES)
    assert {(group.chosen, group.n, group.listed) for group in found} == {("b", 1, 1), ("a", 1, 1)}


def test_the_first_three_agencies_of_the_stored_answer_count_and_no_more(database: Database) -> None:
    with database.begin() as connection:
        for agency in ("a", "b", "c", "d", "e"):
            new = asked(connection, ranked=("a", "b", "c", "d"), agency_p=0.7)
            chosen(connection, new, agency, outcome="accepted" if agency == "a" else "changed")
        other_category = asked(connection, agency_p=0.5)
        chosen(connection, other_category, "a")
        unanswered = asked(connection, ranked=())
        chosen(connection, unanswered, "a", outcome="scratch")
        whole = total(health.decided(connection, TOWN, EDGES))
    assert (whole.n, whole.right, whole.listed, whole.recategorised) == (6, 2, 4, 1)
    assert whole.expected == pytest.approx(5 * 0.7 + 0.5)


def test_a_drawn_answer_is_audited_once_a_person_has_looked_at_it(database: Database) -> None:
    with database.begin() as connection:
        for state, sampled, agency in (
            ("done", True, "a"), ("second", True, "b"), ("open", True, "a"), ("free", False, "a"), ("done", False, "b")
        ):  # fmt: skip
            new = asked(connection, route="auto", state=state, sampled=sampled)
            chosen(connection, new, agency, outcome="accepted" if agency == "a" else "changed")
        found = health.decided(connection, TOWN, EDGES)
    audited = total(group for group in found if group.audited)
    assert (audited.right, audited.n) == (1, 2)
    assert (total(found).right, total(found).n) == (3, 5)


def test_waits_are_the_middle_and_the_ninth_of_ten_of_those_that_needed_a_person(database: Database) -> None:
    with database.begin() as connection:
        for minutes in (3, 1, 10, 7, 5, 2, 9, 4, 8, 6):
            new = asked(connection, received_at=MONDAY)
            chosen(connection, new, "a", minutes * MINUTE)
            chosen(connection, new, "b", 600 * MINUTE, sequence=2)
        one = asked(connection, MONDAY + 5 * MINUTE)
        chosen(connection, one, "b", 6 * MINUTE)
        for more in ({"route": "auto"}, {"portal": "kota-besar"}):
            chosen(connection, asked(connection, **more), "a", 900 * MINUTE, portal=more.get("portal", TOWN))
        chosen(connection, asked(connection), "a", 900 * MINUTE, source="import")
        found = health.waits(connection, TOWN, EDGES[0], EDGES[-1])
    assert sorted(found, key=lambda wait: wait.agency) == [Wait("a", 10, 300.0, 540.0), Wait("b", 1, 60.0, 60.0)]


def test_emergencies_of_the_period_are_told_and_older_ones_that_still_wait(database: Database) -> None:
    with database.begin() as connection:
        old_open = asked(connection, MONDAY - WEEK, route="emergency", state="open")
        asked(connection, MONDAY - WEEK, route="emergency")
        both = asked(connection, route="emergency", seen_at=MONDAY + MINUTE)
        chosen(connection, both, "a", 3 * MINUTE, undone=True)
        chosen(connection, both, "a", 4 * MINUTE, sequence=2)
        chosen(connection, both, "b", 9 * MINUTE, sequence=3)
        new_open = asked(connection, MONDAY + MINUTE, route="emergency", state="open")
        asked(connection)
        asked(connection, route="emergency", portal="kota-besar", state="open")
        found = health.emergencies(connection, TOWN, EDGES[0], EDGES[-1])
    assert found == [
        Emergency(old_open, "a", "open", MONDAY - WEEK, None, None),
        Emergency(both, "a", "done", MONDAY, MONDAY + MINUTE, MONDAY + 4 * MINUTE),
        Emergency(new_open, "a", "open", MONDAY + MINUTE, None, None),
    ]
    assert [item.place for item in waiting(view(emergencies=found))] == [old_open, new_open]


def test_the_newest_complaints_are_read_and_no_more_than_asked_for(database: Database) -> None:
    with database.begin() as connection:
        for day in range(4):
            asked(connection, MONDAY + timedelta(days=day), text=f"hari {day}")
        asked(connection, MONDAY + timedelta(days=5), portal="kota-besar")
        found = health.written(connection, TOWN, EDGES[0], EDGES[-1], 2)
    assert ["hari 3" in item.complaint for item in found] == [True, False]
    assert "hari 2" in found[1].complaint


@pytest.mark.parametrize(
    ("right", "n", "low", "high"), [(9, 10, 0.5958, 0.9821), (0, 10, 0.0, 0.2775), (97, 100, 0.9155, 0.9897)]
)
def test_shares_have_wilsons_bounds(right: int, n: int, low: float, high: float) -> None:
    share = Share(right, n)
    assert (share.low, share.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_share_of_nothing_is_nothing() -> None:
    assert (Share().value, Share().low, Share().high) == (None, None, None)


def test_the_last_quarter_of_the_weeks_is_compared_with_those_before() -> None:
    def came(week: int, agency: str, n: int) -> Asked:
        return Asked(week, agency, "review", "web", n, n, n)

    groups = [came(0, "a", 60), came(2, "a", 40), came(1, "b", 900), came(3, "a", 60), came(3, "b", 240)]
    found = {shift.agency: shift for shift in shifts(groups, 4)}
    assert (found["a"].before, found["a"].lately) == (Share(100, 1_000), Share(60, 300))
    # 160 of 1300 are 0.12308: 0.1 / sqrt(0.12308 * 0.87692 * (1 / 1000 + 1 / 300))
    assert (found["a"].z, found["b"].z) == (pytest.approx(4.624, abs=0.001), pytest.approx(-4.624, abs=0.001))
    assert ("a", 0.1, 0.2, 60, "jelas") in shift_sheet(view(groups)).table.rows
    assert [shift.agency for shift in shifts([*groups, came(3, "c", 19)], 4)] == ["b", "a"]
    assert shifts(groups[:3], 4) == []


def test_who_decides_an_emergency_has_seen_it() -> None:
    def after(seen: int | None, decided: int | None) -> float | None:
        moments = [None if minutes is None else MONDAY + minutes * MINUTE for minutes in (seen, decided)]
        return seen_after(Emergency("s", "a", "done", MONDAY, *moments))

    assert [after(1, 4), after(None, 4), after(6, 4), after(None, None)] == [60.0, 240.0, 240.0, None]


def group(agency: str, chosen: str, n: int, week: int = 3, route: str = "review", audited: bool = False) -> Decided:
    return Decided(week, agency, chosen, route, audited, n, 0.9 * n, n if agency == chosen else 0, 0)


def test_one_agency_is_told_of_alone() -> None:
    decided = [
        group("a", "a", 30),
        group("a", "b", 10),
        group("b", "b", 40),
        group("b", "a", 5),
        group("@desa", "a", 9),
    ]
    came = [Asked(3, "a", "auto", "web", 40, 40, 30.0), Asked(2, "b", "review", "sms", 45, 45, 40.0)]
    everything, one = view(came, decided), view(came, decided, agency="a")
    assert [row.name for row in agency_rows(everything)] == ["b", "a", "@desa"]
    assert [(row.name, row.every.first) for row in agency_rows(one)] == [("a", Share(30, 40))]
    assert [row[1] for row in channel_chart(everything).table.rows] == [0, 0, 45, 40]
    assert [row[1] for row in channel_chart(one).table.rows] == [0, 0, 0, 40]
    assert route_chart(one).table.rows[3][1:] == (40, 1.0)
    assert pair_sheet(one).table.rows == (("a", "b", 10), ("b", "a", 5))


def test_a_kind_of_body_without_a_place_was_not_mistaken_for_an_office() -> None:
    found = view(decided=[group("@desa", "desa-x", 50), group("a", "b", 6), group("a", "a", 24)])
    assert pair_sheet(found).table.rows == (("a", "b", 6),)
    assert [row[:3] for row in corrected_chart(found).table.rows] == [("a", 30, 0.2)]


def test_what_stands_out_is_said_gravest_first() -> None:
    found = view(
        decided=[group("a", "a", 80, route="auto", audited=True), group("a", "b", 20, route="auto", audited=True)],
        emergencies=[Emergency("s", "a", "open", EDGES[-1] - timedelta(hours=2), None, None)],
    )
    told = notices(found)
    assert [notice.tone for notice in told] == ["danger", "danger", "warn"]
    assert "1 laporan darurat belum dilihat siapa pun; yang tertua sudah 2 jam." in told[0].text
    assert "80,0 % dari 100 (71,1–86,7 %), padahal yang diminta 97 %" in told[1].text
    assert "terlalu yakin: memperkirakan 90,0 % tepat, nyatanya 80,0 %" in told[2].text


def test_nothing_stands_out_where_all_is_well_or_too_little_is_known() -> None:
    well = [group("a", "a", 90, route="auto", audited=True), group("a", "b", 10)]
    assert notices(view(decided=well)) == []
    below_by_chance = [group("a", "a", 95, route="auto", audited=True), group("a", "b", 5, route="auto", audited=True)]
    assert notices(view(decided=below_by_chance)) == []
    assert notices(view(decided=[group("a", "b", 1, route="auto", audited=True)])) != []
    assert notices(view(decided=[group("a", "a", 2, route="auto", audited=True)])) == []
    assert notices(view()) == []
    assert [tile.value for tile in tiles(view())] == ["0", "–", "–", "–", "–", "–"]


def test_the_speed_of_each_week_is_its_median_in_minutes() -> None:
    seen = [Emergency(str(n), "a", "done", MONDAY, MONDAY + n * MINUTE, None) for n in (2, 4, 30)]
    chart = speed_chart(view(emergencies=seen))
    assert chart.table.rows[0][1:5] == (3, 0, 240.0, 1_800.0)
    assert "Separuh sudah dilihat dalam 4 menit; paling lambat 30 menit." in chart.finding


def test_new_words_are_those_that_many_complaints_use_and_the_model_does_not_know(towns: Path) -> None:
    scorer = serving_release(towns, champions(towns)[TOWN]).router.scorer

    def complaint(text: str, agency: str = "a", title: str = "") -> Written:
        return Written(agency, f'{{"title": "{title}", "text": "{text}"}}')

    said = [complaint(f"lampu mati dekat skuter {word} 0812345") for word in ("x", "y", "z", "v")]
    few = new_words(
        [
            *said,
            *([complaint("skuter lagi, skuter lagi")] * 3),
            complaint("skuter LAGI! Skuter lagi"),
            complaint("skuter 0812345"),
        ],
        scorer,
    )
    assert [(word.word, word.n) for word in few] == [("skuter", 6)]
    assert new_words([*said, *([said[0]] * 9)], scorer) == []
    titled = [complaint("sampah", "b", f"Skuter {word}") for word in ("satu", "dua")]
    more = new_words([*said, *titled], scorer)
    assert [(word.word, word.agencies) for word in more] == [("skuter", {"a": 4, "b": 2})]
    assert word_sheet(view(words=more)).table.rows == (("skuter", 6, "a"),)
    assert word_sheet(view(words=more, agency="b")).table.rows == ()
