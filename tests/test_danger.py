"""The rules for danger: what they raise, what they leave alone, and that tone means nothing to them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.danger import (
    DENIED,
    Danger,
    confidentiality,
    dangers,
    families,
    lexicon_faults,
    raised,
    signs,
)
from router_model.phrases import Quote
from router_model.policy import Route
from router_model.suggestion import Router

CASES = list(csv.DictReader((Path(__file__).parent / "data" / "danger_cases.csv").read_text("utf-8").splitlines()))
REAL = [case for case in CASES if case["darurat"] == "ya"]
TRAPS = [case for case in CASES if case["darurat"] == "tidak"]
WRITINGS: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small letters": str.lower,
    "exclamation marks": lambda text: text.rstrip(".") + "!!!",
    "cries for haste": lambda text: f"TOLONG SEGERA URGENT!!! {text} Mohon segera, urgent, tolong!!!",
}


def found(text: str, title: str = "") -> tuple[Danger, ...]:
    return dangers(cleaned(Complaint(text, title=title))[0])


def level(text: str) -> str:
    return raised("rendah", found(text))


def test_there_are_cases_enough_of_every_family_on_both_sides() -> None:
    assert len(CASES) >= 400
    assert 0.45 <= len(TRAPS) / len(CASES) <= 0.55
    for side in (REAL, TRAPS):
        assert {case["family"] for case in side} == families().keys()


@pytest.mark.parametrize("half", ["tala", "uji"])
def test_danger_is_found_and_traps_are_not_taken_for_it(half: str) -> None:
    real, traps = ([case["text"] for case in side if case["half"] == half] for side in (REAL, TRAPS))
    missed = [text for text in real if level(text) != "darurat"]
    alarms = [text for text in traps if level(text) == "darurat"]
    assert len(missed) <= 0.02 * len(real), missed
    assert len(alarms) <= 0.05 * len(traps), alarms


def test_a_danger_that_is_found_is_named_by_its_family() -> None:
    named = [case["family"] in {danger.family for danger in found(case["text"])} for case in REAL]
    assert sum(named) >= 0.97 * len(REAL)


@pytest.mark.parametrize("writing", WRITINGS)
def test_capitals_exclamation_marks_and_words_of_haste_change_no_level(writing: str) -> None:
    changed = [case["text"] for case in CASES if level(case["text"]) != level(WRITINGS[writing](case["text"]))]
    assert changed == []


@pytest.mark.parametrize("writing", WRITINGS)
def test_nor_do_they_change_what_model_and_rules_say_together(router: Router, writing: str) -> None:
    calm = router.suggest_many([Complaint(case["text"]) for case in CASES])
    loud = router.suggest_many([Complaint(WRITINGS[writing](case["text"])) for case in CASES])
    levels = [(one.urgency, one.route is Route.EMERGENCY) for one in calm]
    changed = [
        (case["text"], before, (after.urgency, after.route is Route.EMERGENCY))
        for case, before, after in zip(CASES, levels, loud, strict=True)
        if before != (after.urgency, after.route is Route.EMERGENCY)
    ]
    assert changed == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ada kebakaran di pasar.", "darurat"),
        ("Tidak ada kebakaran di pasar.", "rendah"),
        ("Tahun lalu ada kebakaran di pasar.", "rendah"),
        ("Tahun lalu ada kebakaran di pasar, sekarang kebakaran lagi.", "darurat"),
        ("Kebakaran di pasar sudah dipadamkan.", "rendah"),
        ("Ada simulasi kebakaran di pasar.", "rendah"),
        ("Kapan sosialisasi kebakaran di pasar?", "rendah"),
        ("Terima kasih kepada petugas atas kebakaran di pasar yang ditangani.", "rendah"),
        ("Got di Jalan Kebakaran mampet.", "rendah"),
        ("Parkir Toko Bom Mencurigakan di tepi jalan.", "rendah"),
        ("Kompor begini bisa kebakaran.", "tinggi"),
        ("Pohon menimpa warga.", "darurat"),
        ("Pohon menimpa pagar, bukan warga.", "rendah"),
        ("Ada tulisan kebakaran di tembok.", "darurat"),
        ('Ada tulisan "kebakaran" di tembok.', "rendah"),
        ('Ada tulisan "kebakaran di blok sebelah timur" di tembok.', "darurat"),
        ("Macetnya bikin mati.", "rendah"),
        ("Harga mencekik istri saya.", "rendah"),
        ("Kami dibunuh pelan-pelan.", "rendah"),
        ('Spanduk film "Dikejar Parang Dibacok Orang" menutup rambu.', "rendah"),
    ],
)
def test_what_stands_around_the_words_decides(text: str, wanted: str) -> None:
    assert level(text) == wanted


@pytest.mark.parametrize("end", [". ", "\n"])
def test_a_guard_does_not_reach_into_another_sentence_or_line(end: str) -> None:
    assert level(f"Kami pernah ikut simulasi{end}Kebakaran di rumah sebelah, api besar.") == "darurat"


def test_a_guard_and_the_words_of_a_rule_stand_in_one_field() -> None:
    assert [one.level for one in found("Kebakaran di rumah sebelah", title="Simulasi")] == ["darurat"]
    assert found("menjuntai di gang", title="Kabel listrik") == ()
    assert [one.level for one in found("Kabel listrik menjuntai di gang")] == ["tinggi"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ada anak tenggelam di embung", "tenggelam"),
        ("Perahu kami aman, tidak ada yang tenggelam", f"tenggelam{DENIED}"),
        ("Kapan ada pelatihan menolong orang tenggelam", f"tenggelam{DENIED}"),
        ("Tidak ada yang tenggelam kemarin. Sekarang anak saya tenggelam di kali", "tenggelam"),
        ("Takut ada anak tenggelam di embung", "tenggelam"),
    ],
)
def test_the_model_reads_words_that_are_denied_wherever_they_stand_as_others(text: str, told: str) -> None:
    assert {group for group in signs(Complaint(text)).groups if "tenggelam" in group} == {told}


def test_dead_signals_at_a_crossing_are_high_and_no_emergency() -> None:
    assert level("Lampu merah di perempatan mati sejak pagi") == "tinggi"


def test_the_net_raises_and_never_lowers() -> None:
    lesser, worse = (Danger("api", name, Quote("text", 0, 1)) for name in ("tinggi", "darurat"))
    assert raised("sedang", ()) == "sedang"
    assert raised("sedang", (lesser,)) == "tinggi"
    assert raised("darurat", (lesser,)) == "darurat"
    assert raised("rendah", (lesser, worse)) == "darurat"


def test_the_words_are_the_citizens_own_in_the_field_they_stand_in() -> None:
    complaint = Complaint("mohon segera ke sini", title="Anak saya kesetrum di taman")
    (danger,) = dangers(complaint)
    assert (danger.words.field, danger.words.of(complaint)) == ("title", "kesetrum")
    complaint = Complaint("di gang ada ular\nmasuk rumah, tolong")
    (danger,) = dangers(complaint)
    assert danger.words.of(complaint) == "ular masuk rumah"


def test_the_worst_danger_comes_first_and_each_family_once() -> None:
    found_all = found("Lampu merah mati. Ada kebakaran, rumah kebakaran, anak saya dipukul suami saya.")
    assert [danger.level for danger in found_all] == ["darurat", "darurat", "tinggi"]
    assert [danger.family for danger in found_all] == ["api", "kekerasan", "lalin"]


def test_violence_suicide_children_and_threats_are_for_few_eyes_only() -> None:
    hidden = {code for code, family in families().items() if family.confidential}
    assert hidden == {"kekerasan", "bunuh-diri", "hilang", "ancaman"}
    both = found("Istri saya dipukul suami tetangga. Ada orang mau gantung diri di rumah sebelah.")
    assert "UPTD PPA" in confidentiality(both)
    assert "jiwa" in confidentiality(both)
    assert confidentiality(found("Ada kebakaran di pasar")) == ""


def test_every_rule_and_guard_can_hold() -> None:
    assert list(lexicon_faults()) == []


@pytest.mark.parametrize("text", ["", " ", "!!!", "\n" * 50, "kebakaran " * 3000, "tidak ada " * 2000, "'\"" * 5000])
def test_no_text_is_too_strange(text: str) -> None:
    assert len(dangers(Complaint(text))) <= 1


def test_danger_goes_up_at_once_however_unsure_the_agency_is(router: Router) -> None:
    text = "Tanggaku bendino digebugi bojone, saiki lagi dicekik"
    suggestion = router.suggest(Complaint(text))
    assert suggestion.route is Route.EMERGENCY
    assert [item.code for item in suggestion.reasons] == ["danger"]
    assert "kekerasan dalam rumah tangga" in suggestion.reasons[0].message
    assert "digebugi bojone" in suggestion.reasons[0].message
    assert "daftar publik" in suggestion.confidential


def test_without_danger_nothing_is_kept_from_anybody(router: Router) -> None:
    suggestion = router.suggest(Complaint("Sampah di depan balai banjar belum diangkut sejak Senin"))
    assert suggestion.route is not Route.EMERGENCY
    assert (suggestion.dangers, suggestion.confidential) == ((), "")


def raised_of(router: Router, cases: list[dict[str, str]]) -> float:
    routes = [suggestion.route for suggestion in router.suggest_many([Complaint(case["text"]) for case in cases])]
    return routes.count(Route.EMERGENCY) / len(cases)


def test_net_and_model_together_miss_almost_nothing_and_leave_most_traps_alone(router: Router) -> None:
    assert raised_of(router, REAL) >= 0.98
    assert raised_of(router, TRAPS) <= 0.08
