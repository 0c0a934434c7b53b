"""What the pages of the review desk are made of: candidates, marked words, similar complaints, the alarm."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import openpyxl
import pytest

from router_model.complaint import Complaint
from router_model.portal import Portal
from router_model.suggestion import Router
from service.answering import suggestion_body
from service.database.complaints import Written
from service.database.review import Alarm, Filters, Stats
from service.database.review_history import Entry
from service.desk.alarm import banner
from service.desk.candidates import FEWEST_SHOWN, Labels, beforehand, candidates, search_lists
from service.desk.export import write
from service.desk.filters import filters_of, query_of, queue_of
from service.desk.marked_text import marked
from service.desk.similar import similar
from service.wire import EvidenceOut, SuggestionOut

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.fixture(scope="session")
def lamp(router: Router, portal: Portal) -> SuggestionOut:
    return answered(router, portal, "Lampu penerangan jalan umum di depan sekolah mati sudah seminggu")


def answered(router: Router, portal: Portal, text: str) -> SuggestionOut:
    body = suggestion_body(router.suggest(Complaint(text=text)), portal)
    return SuggestionOut(id="a", external_id="", release="r", portal=portal.code, created_at=NOW, **vars(body))


def evidence(start: int, end: int, weight: float, field: str = "text") -> EvidenceOut:
    return EvidenceOut(term="", weight=weight, field=field, start=start, end=end)


def test_marked_parts_put_together_give_the_text_and_heavier_words_are_marked_more() -> None:
    text = "lampu jalan mati total"
    said = [evidence(12, 16, 0.5), evidence(0, 5, 1.0), evidence(6, 11, 0.2), evidence(17, 22, 0.05)]
    parts = marked(text, "text", [*said, evidence(0, 5, 2.0, "title"), evidence(14, 99, 1.0), evidence(3, 8, 1.0)])
    assert "".join(part.text for part in parts) == text
    assert [(part.text, part.strength) for part in parts if part.strength] == [("lampu", 2), ("jalan", 1), ("mati", 1)]
    assert marked("", "text", said) == []


def test_the_sure_set_comes_first_and_some_others_after_it(lamp: SuggestionOut, portal: Portal) -> None:
    ranked = [replace(item, p=p) for item, p in zip(lamp.agencies, (0.6, 0.3, 0.04, 0.03, 0.02, 0.005), strict=False)]
    shown = candidates(replace(lamp, agencies=ranked, candidates=2), portal)
    assert [item.code for item in shown] == [item.code for item in ranked[:5]]
    assert [item.likely for item in shown] == [True, True, False, False, False]
    sure = candidates(replace(lamp, agencies=[replace(ranked[0], p=0.99), ranked[-1]], candidates=1), portal)
    assert [item.percent for item in sure] == ["99 %", "< 1 %"]
    many = [replace(item, p=0.1) for item in lamp.agencies]
    assert len(candidates(replace(lamp, agencies=many, candidates=len(many)), portal)) == min(9, len(many))
    few = [replace(item, p=0.001) for item in lamp.agencies]
    assert len(candidates(replace(lamp, agencies=few, candidates=len(few)), portal)) == FEWEST_SHOWN


def test_a_kind_of_office_is_offered_without_choosing_one_and_what_ended_is_left_out(
    lamp: SuggestionOut, portal: Portal
) -> None:
    first = lamp.agencies[0]
    ranked = [replace(first, code="@kelurahan", name="Kelurahan"), replace(first, code="sudah-bubar"), first]
    shown = candidates(replace(lamp, agencies=ranked, candidates=3), portal)
    assert [(item.code, item.office) for item in shown] == [("@kelurahan", False), (first.code, True)]
    assert beforehand(lamp, shown, portal).agency == ""


def test_what_is_filled_in_is_what_the_model_ranks_first(lamp: SuggestionOut, portal: Portal) -> None:
    labels = beforehand(lamp, candidates(lamp, portal), portal, "aspirasi")
    assert labels.agency == lamp.agencies[0].code
    assert labels.category == lamp.category[0].code
    assert lamp.urgency
    assert lamp.report_type
    assert (labels.urgency, labels.report_type) == (lamp.urgency.level, lamp.report_type.code)
    assert beforehand(replace(lamp, report_type=None), [], portal, "aspirasi").report_type == "aspirasi"


def test_each_candidate_brings_a_category_that_it_can_own(lamp: SuggestionOut, portal: Portal) -> None:
    for item in candidates(lamp, portal):
        if item.category:
            assert portal.may_own(portal.category[item.category], portal.agency[item.code].unit)


def test_two_views_to_settle_stand_in_front_with_their_own_categories(lamp: SuggestionOut, portal: Portal) -> None:
    views = [Labels("dlhk", "pengangkutan-sampah", "tinggi", ""), Labels("pupr", "drainase-dan-got", "tinggi", "")]
    shown = candidates(lamp, portal, views)
    assert [(item.code, item.category) for item in shown[:2]] == [(view.agency, view.category) for view in views]
    assert len({item.code for item in shown}) == len(shown)
    filled = beforehand(lamp, shown, portal, views=views)
    assert (filled.agency, filled.category, filled.urgency) == ("", "", "tinggi")


def test_all_agencies_and_categories_can_be_searched_with_what_the_model_ranked_in_front(
    lamp: SuggestionOut, portal: Portal
) -> None:
    lists = search_lists(lamp, portal)
    assert {item["code"] for item in lists["agency"]} == {agency.code for agency in portal.living_agencies}
    assert {item["code"] for item in lists["category"]} == {leaf.code for leaf in portal.leaves}
    assert lists["agency"][0]["code"] == lamp.agencies[0].code
    assert lists["category"][0]["code"] == lamp.category[0].code
    assert "Dishub" in next(item for item in lists["agency"] if item["code"] == "dishub")["also"]


@dataclass(frozen=True)
class Said:
    words: str


def test_similar_complaints_are_the_nearest_three_and_none_that_only_shares_small_words() -> None:
    mine = "Lampu jalan mati di depan pasar, gelap sekali kalau malam"
    near = [Said(f"lampu jalan di dekat pasar mati sejak hari ke-{number}, gelap") for number in range(4)]
    far = [Said("tolong ktp saya belum jadi di kantor camat"), Said("sampah di sungai berbau"), Said("")]
    found = similar(mine, [*far, *near])
    assert [item in near for _, item in found] == [True] * 3
    assert found == sorted(found, key=lambda pair: -pair[0])
    assert similar(mine, far) == []
    assert similar("", near) == []
    assert similar(mine, []) == []
    assert similar(mine, [Said(mine)])[0][0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("alarm", "here", "shown", "loud", "words"),
    [
        (Alarm(0, 0, None, None), "", False, False, ""),
        (Alarm(1, 1, NOW - timedelta(minutes=2), "a"), "", True, True, "1 laporan darurat menunggu sejak 2 menit."),
        (Alarm(1, 0, NOW - timedelta(minutes=2), "a"), "", True, False, "1 laporan darurat menunggu sejak 2 menit."),
        (Alarm(1, 0, NOW - timedelta(minutes=10), "a"), "", True, True, "sejak 10 menit"),
        (Alarm(1, 0, NOW - timedelta(hours=3), "a"), "a", False, False, ""),
        (Alarm(2, 1, NOW - timedelta(seconds=5), "b"), "a", True, True, "1 laporan darurat lain menunggu."),
        (
            Alarm(2, 1, NOW - timedelta(seconds=5), "b"),
            "",
            True,
            True,
            "2 laporan darurat menunggu, yang tertua sejak 5 d",
        ),
    ],
)
def test_the_alarm_is_loud_for_what_nobody_sees_and_silent_for_what_is_on_the_screen(
    alarm: Alarm, here: str, shown: bool, loud: bool, words: str
) -> None:
    told = banner(alarm, NOW, here)
    assert (told.shown, told.loud) == (shown, loud)
    assert words in told.words
    assert told.on_screen == (alarm.first_id == here != "")


def test_a_table_to_take_away_ends_with_a_word_where_more_is_left(portal: Portal) -> None:
    entry = Entry(
        id="d", suggestion_id="s", external_id="A-1", created_at=NOW, by="luh", agency="dishub", category=None,
        urgency=None, report_type=None, reason="", source="review", outcome="scratch", suggested_agency=None,
        suggested_p=None, suggested_category=None, suggested_urgency=None, route="review", release=None, looks=1,
        undone=False,
    )  # fmt: skip
    with write(((entry, Written()) for _ in range(5)), portal, "Asia/Makassar", most=3) as file:
        rows = openpyxl.load_workbook(file, read_only=True)["Riwayat"].iter_rows(values_only=True)
        firsts = [row[0] for row in rows]
    assert len(firsts) == 5
    assert firsts[1] == "2026-01-05 16:00"
    assert str(firsts[-1]).startswith("Hanya 3 keputusan terbaru")


def test_the_address_and_the_filters_say_the_same(portal: Portal) -> None:
    filters = Filters("review", "dlhk", "pengangkutan-sampah", "tinggi", "web & app", 24.0)
    assert filters_of(dict(parse_qsl(query_of(filters)[1:])), portal) == filters
    assert query_of(Filters()) == ""
    assert filters_of({"rute": "auto", "instansi": "x", "urgensi": "", "umur": "25"}, portal) == Filters()


def test_second_looks_and_sampled_ones_hide_among_the_others() -> None:
    stats = Stats(
        {"review": 3, "prefill": 2, "auto": 1, "emergency": 1}, None, 0, 0, 0, 0, second=2, third=1, overdue=0
    )
    queue = queue_of(stats)
    assert queue.total == 10
    assert queue.parts == (("darurat", 1), ("perlu dilihat", 6), ("sudah dipilihkan", 3))
