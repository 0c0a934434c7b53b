"""What the gate lets pass and what it refuses, on answers written by hand, and whom it may ask at all."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import orjson
import pytest
from publisher import small_town

from router_model.complaint import Complaint
from router_model.portal import load_portal
from router_model.succession import Succession
from router_model.suggestion import Router
from training.answered import Answered
from training.complaint_keys import seen_key
from training.dataset import Example, load_examples
from training.gate import FEWEST_COMPARED, FEWEST_OF_AGENCY, FIRST, Champion, Verdict, common, judge, of_today
from training.trainer import train

ROADS, CLEANING, LAMPS = "dinas-pekerjaan-umum", "dinas-kebersihan", "dinas-perhubungan"
LONG_AGO = "kota-kecil-20250101-aaaaaaaa"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Router:
    """A router of three agencies that raises danger from probability 0.12."""
    folder = small_town(tmp_path_factory.mktemp("town") / "portal")
    portal = load_portal(folder)
    return train(load_examples([folder / "complaints.csv"], portal)[0], portal).router


def said(
    key: int, wanted: str, given: str, p: float = 0.8, *, danger: float = 0.0, **others: tuple[str, str]
) -> Answered:
    """An answer about an agency; `others` are further answers, each what was given and what was wanted ("" for no
    label)."""
    return Answered(
        key=key,
        received_at=None,
        held_back=True,
        given={"agency": (given, p), "unit": (given, p)} | {name: (pair[0], p) for name, pair in others.items()},
        wanted={"agency": wanted, "unit": wanted} | {name: pair[1] for name, pair in others.items() if pair[1]},
        agency_p=p if given == wanted else 0.0,
        danger=danger,
    )


def answers(right: int, wrong: int, agency: str = LAMPS, first: int = 0, p: float = 0.8) -> list[Answered]:
    """So many right and so many wrong answers about complaints of one agency, mixed evenly."""
    other, count = ROADS if agency != ROADS else LAMPS, right + wrong
    hits = [(key + 1) * right // count > key * right // count for key in range(count)]
    return [said(first + key, agency, agency if hit else other, p) for key, hit in enumerate(hits)]


def complaint(key: int, text: str = "lampu jalan mati") -> Example:
    return Example(f"baris {key}", str(key), None, "", Complaint(text), {"agency": LAMPS, "unit": LAMPS})


def champion(router: Router, record: Sequence[Answered]) -> Champion:
    """A release that has learned all that it had answered before."""
    return Champion(LONG_AGO, router, {item.key: item for item in record}, frozenset(item.key for item in record))


def compared(router: Router, new: Sequence[Answered], old: Sequence[Answered]) -> Verdict:
    """The gate's word on two releases that answered before they learned."""
    return met(router, new, [complaint(item.key) for item in new], champion(router, old))


def met(router: Router, new: Sequence[Answered], rows: Sequence[Example], theirs: Champion) -> Verdict:
    return judge(router, common(new, rows, theirs, router.portal), theirs)


def with_answer(rows: Sequence[Answered], name: str, right: int) -> list[Answered]:
    """The rows with one more answer, right for so many of them."""
    return [
        replace(
            row,
            given={**row.given, name: ("tepat" if number < right else "keliru", 0.8)},
            wanted={**row.wanted, name: "tepat"},
        )
        for number, row in enumerate(rows)
    ]


def with_danger(rows: Sequence[Answered], probabilities: Sequence[float]) -> list[Answered]:
    """The first rows are real emergencies, given these probabilities of danger."""
    real = [
        replace(row, danger=danger, wanted={**row.wanted, "urgency": "darurat"})
        for row, danger in zip(rows, probabilities, strict=False)
    ]
    return [*real, *rows[len(probabilities) :]]


def test_a_first_release_has_nobody_to_meet() -> None:
    assert (FIRST.agrees, FIRST.against) == (True, None)
    assert "pertama" in FIRST.reasons[0]


def test_a_release_that_answers_as_the_champion_did_is_agreed_to(town: Router) -> None:
    same = with_danger(with_answer(answers(50, 10), "category", 45), [0.5, 0.0])
    verdict = compared(town, same, same)
    assert (verdict.agrees, verdict.against) == (True, LONG_AGO)
    assert verdict.reasons == ("Tidak lebih buruk pada 60 laporan yang belum dipelajari keduanya (+0,0 poin).",)
    assert verdict.compared["agency"] == {
        "n": 60, "champion": 50 / 60, "challenger": 50 / 60, "interval": [0.0, 0.0],
    }  # fmt: skip
    assert verdict.compared["category"]["challenger"] == 45 / 60
    assert verdict.compared["darurat"] == {"n": 2, "champion": 1, "challenger": 1}


def test_a_better_release_is_agreed_to_and_says_by_how_much(town: Router) -> None:
    verdict = compared(town, answers(90, 10), answers(75, 25))
    assert verdict.agrees
    assert "100 laporan" in verdict.reasons[0]
    assert "+15,0 poin" in verdict.reasons[0]


def test_one_complaint_more_or_less_is_chance(town: Router) -> None:
    assert compared(town, answers(89, 11), answers(90, 10)).agrees


def test_a_release_that_is_right_less_often_is_refused_and_the_loss_is_named(town: Router) -> None:
    verdict = compared(town, answers(70, 30), answers(90, 10))
    assert not verdict.agrees
    found = re.match(
        r"Ketepatan instansi turun 20,0 poin \(selang 95 %: (\d+),\d sampai (\d+),\d poin\)\.$", verdict.reasons[0]
    )
    assert found
    assert int(found[1]) < 20 < int(found[2])


@pytest.mark.parametrize(
    ("answer", "name"), [("category", "kategori"), ("urgency", "urgensi"), ("report_type", "klasifikasi")]
)
def test_each_answer_is_watched_and_called_by_its_indonesian_name(town: Router, answer: str, name: str) -> None:
    rows = answers(80, 0)
    verdict = compared(town, with_answer(rows, answer, 50), with_answer(rows, answer, 75))
    assert [reason.split(" poin")[0] for reason in verdict.reasons] == [f"Ketepatan {name} turun 31,2"]
    assert verdict.compared[answer]["n"] == 80


def test_an_answer_that_one_of_them_does_not_give_is_not_held_against_anybody(town: Router) -> None:
    rows = answers(80, 0)
    for new, old in ((with_answer(rows, "category", 0), rows), (rows, with_answer(rows, "category", 80))):
        verdict = compared(town, new, old)
        assert verdict.agrees
        assert "category" not in verdict.compared


def broken(right: int, of: int, others: int) -> list[Answered]:
    """One agency's own complaints, found so often, among those of others that are all found but `others`."""
    return [*answers(right, of - right, CLEANING), *answers(200 - others, others, LAMPS, first=1_000)]


def test_an_agency_whose_complaints_are_no_longer_found_is_named(town: Router) -> None:
    """As many rows right as before, so that no other fault is found."""
    verdict = compared(town, broken(20, 30, others=10), broken(30, 30, others=20))
    (reason,) = verdict.reasons
    assert re.match(r"Dinas Kebersihan: laporannya kini ditemukan 67 %, dahulu 100 % \(dari 30\)\.$", reason)


@pytest.mark.parametrize(("right", "of"), [(FEWEST_OF_AGENCY - 10, FEWEST_OF_AGENCY - 1), (27, 30)])
def test_an_agency_of_few_complaints_or_of_a_small_loss_does_not_stop_a_release(
    town: Router, right: int, of: int
) -> None:
    assert compared(town, broken(right, of, others=10), broken(of, of, others=20)).agrees


def test_a_loss_of_just_ten_points_is_not_more_than_ten(town: Router) -> None:
    assert compared(town, broken(28, 40, others=10), broken(32, 40, others=14)).agrees


def test_an_emergency_that_is_no_longer_raised_stops_a_release(town: Router) -> None:
    rows = answers(60, 0)
    verdict = compared(town, with_danger(rows, [0.9, 0.9, 0.11]), with_danger(rows, [0.3, 0.3, 0.3]))
    assert verdict.reasons == ("Laporan darurat yang terangkat turun dari 3 menjadi 2 (dari 3).",)
    assert compared(town, with_danger(rows, [0.3] * 3), with_danger(rows, [0.9, 0.9, 0.11])).agrees


def test_each_raises_danger_by_its_own_threshold(town: Router) -> None:
    rows = with_danger(answers(60, 0), [0.3, 0.3])
    deaf = replace(town, policy=replace(town.policy, emergency=0.5))
    examples = [complaint(row.key) for row in rows]
    assert met(town, rows, examples, champion(deaf, rows)).agrees
    refused = met(deaf, rows, examples, champion(town, rows))
    assert refused.reasons == ("Laporan darurat yang terangkat turun dari 2 menjadi 0 (dari 2).",)


def test_confidence_that_no_longer_fits_is_refused_and_named(town: Router) -> None:
    honest, boastful = answers(160, 40, p=0.8), answers(160, 40, p=0.99)
    verdict = compared(town, boastful, honest)
    (reason,) = verdict.reasons
    assert re.match(r"Keyakinan tidak lagi sesuai kenyataan: melenceng 19,0 %, dahulu [0-3],\d %\.$", reason)
    assert compared(town, honest, boastful).agrees
    assert compared(town, boastful, boastful).agrees


def test_confidence_a_little_off_is_borne(town: Router) -> None:
    """Less than five points, though so many complaints leave no doubt that it is more than before."""
    assert compared(town, answers(4_800, 1_200, p=0.845), answers(4_800, 1_200, p=0.8)).agrees
    assert not compared(town, answers(4_800, 1_200, p=0.855), answers(4_800, 1_200, p=0.8)).agrees


@pytest.mark.parametrize(("changed", "agrees"), [(10, True), (11, False)])
def test_data_in_which_many_labels_changed_is_not_trusted(town: Router, changed: int, agrees: bool) -> None:
    """Both are right of as many rows by the new labels: only the labels differ."""
    old = answers(100, 0)
    new = [*answers(changed, 0, CLEANING), *answers(100 - changed, 0, first=changed)]
    old = [replace(row, given=now.given) for row, now in zip(old, new, strict=True)]
    verdict = compared(town, new, old)
    assert verdict.agrees == agrees
    if not agrees:
        (reason,) = verdict.reasons
        assert re.match(r"Label instansi pada 11 % laporan yang sama berbeda .*; periksa datanya\.$", reason)


def test_a_row_whose_agency_is_not_labelled_is_compared_on_its_other_answers(town: Router) -> None:
    rows = with_answer(answers(60, 0), "category", 60)
    bare = [replace(row, wanted={"category": "tepat"}) for row in rows[:10]]
    verdict = compared(town, [*bare, *rows[10:]], [*bare, *rows[10:]])
    assert (verdict.compared["agency"]["n"], verdict.compared["category"]["n"]) == (50, 60)


def test_a_label_that_was_taken_back_does_not_break_the_comparison(town: Router) -> None:
    rows = with_answer(answers(60, 0), "category", 60)
    bare = [replace(row, wanted={"category": "tepat"}) for row in rows[:2]]
    assert compared(town, [*bare, *rows[2:]], rows).agrees


def test_every_fault_is_named_not_only_the_first(town: Router) -> None:
    old = with_danger(broken(60, 60, others=0), [0.9, 0.9])
    new = with_danger([replace(row, given={"agency": (ROADS, 0.99)}) for row in old], [0.0, 0.9])
    verdict = compared(town, new, old)
    for words in ("Ketepatan instansi", "Dinas Kebersihan", "Dinas Perhubungan", "darurat", "Keyakinan"):
        assert any(words in reason for reason in verdict.reasons), words


def test_fewer_common_complaints_than_fifty_are_too_few_and_it_says_so(town: Router) -> None:
    few = answers(FEWEST_COMPARED - 1, 0)
    verdict = compared(town, few, few)
    assert (verdict.agrees, verdict.against) == (False, LONG_AGO)
    assert verdict.reasons == ("Hanya 49 laporan belum dipelajari keduanya; perlu sedikitnya 50.",)
    assert verdict.compared == {"rows": 49}
    enough = answers(FEWEST_COMPARED, 0)
    assert compared(town, enough, enough).agrees


def test_what_the_champion_has_learned_and_never_answered_beforehand_is_not_asked(town: Router) -> None:
    """It would know the answers by heart."""
    new = answers(60, 0)
    knows_all = Champion(LONG_AGO, town, {}, frozenset(item.key for item in new))
    verdict = met(town, new, [complaint(item.key) for item in new], knows_all)
    assert not verdict.agrees
    assert "Hanya 0 laporan" in verdict.reasons[0]


def test_both_are_judged_on_exactly_the_same_complaints(town: Router) -> None:
    """The challenger is wrong of forty more, which the champion has learned without answering them first."""
    common = answers(50, 10)
    more = answers(0, 40, first=500)
    learned = Champion(
        LONG_AGO,
        town,
        {item.key: item for item in common},
        frozenset(item.key for item in [*common, *more]),
    )
    rows = [*more[:20], *common, *more[20:]]
    verdict = met(town, rows, [complaint(item.key) for item in rows], learned)
    assert verdict.agrees
    assert verdict.compared["rows"] == verdict.compared["agency"]["n"] == 60
    assert verdict.compared["agency"]["challenger"] == verdict.compared["agency"]["champion"] == 50 / 60


def test_the_champions_earlier_answer_is_used_before_it_is_asked_anew(town: Router) -> None:
    """Three complaints: one it answered and then learned, one it only learned, one that is new to it."""
    texts = ("lampu jalan mati di gang", "sampah menumpuk di pasar", "tong sampah penuh sekali")
    rows = [complaint(number, text) for number, text in enumerate(texts)]
    keys = [seen_key(row.complaint) for row in rows]
    earlier = said(keys[0], LAMPS, ROADS, p=0.31)
    learned = Champion(LONG_AGO, town, {keys[0]: earlier}, frozenset(keys[:2]))
    first, second, third = learned.answers(keys, rows)
    assert first == earlier
    assert second is None
    assert third is not None
    assert third.key == keys[2]
    assert third.given["agency"][0] == town.suggest(rows[2].complaint).agency.code == CLEANING


def test_the_word_on_the_same_answers_is_always_the_same_and_can_be_written_down(town: Router) -> None:
    new, old = answers(70, 30), answers(90, 10)
    verdict = compared(town, new, old)
    assert verdict == compared(town, new, old)
    written = orjson.loads(orjson.dumps(verdict.as_dict()))
    assert written.keys() == {"agrees", "against", "reasons", "compared"}
    assert written["reasons"] == list(verdict.reasons)


def test_a_body_that_was_renamed_since_the_champion_learned_it_is_the_body_of_today(town: Router) -> None:
    """Its old code stands in the champion's answers and labels, its new one in the challenger's."""
    old_name = replace(town.portal.agency[LAMPS], code="dinas-lampu", name="Dinas Lampu")
    renamed = replace(
        town.portal,
        agencies=(*town.portal.agencies, old_name),
        successions=(Succession("dinas-lampu", LAMPS, date(2026, 1, 1)),),
    )
    new = answers(50, 10)
    named = {LAMPS: "dinas-lampu", ROADS: ROADS}
    old = [
        replace(
            row,
            given={name: (named[code], p) for name, (code, p) in row.given.items()},
            wanted={name: named[code] for name, code in row.wanted.items()},
        )
        for row in new
    ]
    assert not compared(town, new, old).agrees
    today = compared(replace(town, portal=renamed), new, old)
    assert today.agrees, today.reasons
    assert today.compared["agency"]["champion"] == 50 / 60


def test_a_matter_that_went_over_to_another_body_counts_as_that_bodys_from_the_day_on(town: Router) -> None:
    """Only complaints about rubbish went from the road office to the cleaning office."""
    rules = (Succession(ROADS, CLEANING, date(2026, 1, 1), frozenset({"sampah"})),)
    portal = replace(town.portal, successions=rules)
    row = replace(said(1, ROADS, ROADS, category=("sampah", "sampah")), received_at=datetime(2025, 12, 31))
    assert (of_today(row, portal).given["agency"], of_today(row, portal).wanted["unit"]) == ((CLEANING, 0.8), CLEANING)
    later = replace(row, received_at=datetime(2026, 1, 1))
    other = replace(row, wanted={**row.wanted, "category": "jalan-rusak"})
    assert [of_today(item, portal) for item in (later, other)] == [later, other]
