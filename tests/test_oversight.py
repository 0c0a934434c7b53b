"""The rules for "pengaduan berkadar pengawasan": what they find, what they leave alone, and who must not see it."""

import csv
from pathlib import Path

import pytest

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.oversight import (
    Oversight,
    confidentiality,
    kinds,
    lexicon_faults,
    oversights,
    rules_held,
)
from router_model.phrases import rules

CASES = list(csv.DictReader((Path(__file__).parent / "data" / "oversight_cases.csv").read_text("utf-8").splitlines()))
REAL = [case for case in CASES if case["kind"]]
TRAPS = [case for case in CASES if not case["kind"]]


def found(text: str, title: str = "") -> tuple[Oversight, ...]:
    return oversights(cleaned(Complaint(text, title=title))[0])


def kinds_of(text: str) -> set[str]:
    return {item.kind for item in found(text)}


def test_there_are_cases_enough_of_every_kind_and_as_many_traps() -> None:
    assert len(CASES) >= 160
    assert 0.45 <= len(TRAPS) / len(CASES) <= 0.55
    assert {case["kind"] for case in REAL} == kinds().keys()


@pytest.mark.parametrize("half", ["tala", "uji"])
def test_what_officials_do_wrong_is_found_and_traps_are_not_taken_for_it(half: str) -> None:
    real, traps = ([case for case in side if case["half"] == half] for side in (REAL, TRAPS))
    missed = [case["text"] for case in real if case["kind"] not in kinds_of(case["text"])]
    alarms = [case["text"] for case in traps if found(case["text"])]
    assert len(missed) <= 0.02 * len(real), missed
    assert alarms == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Petugas loket minta uang 50 ribu.", {"bribe"}),
        ("Petugas loket tidak minta uang 50 ribu.", set()),
        ("Preman di pasar minta uang 50 ribu.", set()),
        ("Bagaimana cara melapor kalau petugas loket minta uang 50 ribu?", set()),
        ("Semoga tidak ada petugas loket minta uang.", set()),
        ("Terima kasih, petugas loket menolak uang suap.", set()),
        ("Oknum satpol minta uang rokok.", {"bribe"}),
        ("Oknum jukir minta uang rokok.", set()),
        ("Petugas loket minta 50 ribu sesuai karcis resmi.", set()),
        ("Mobil dinas dipakai mudik.", {"abuse"}),
        ("Mobil dinas dipakai menyiram taman.", set()),
        ("Dana desa ditilep.", {"embezzlement"}),
        ("Mohon bantuan pemotongan pohon di depan kelurahan.", set()),
        ("Mahasiswa KKN di desa kami rajin.", set()),
    ],
)
def test_what_stands_around_the_words_decides(text: str, wanted: set[str]) -> None:
    assert kinds_of(text) == wanted


def test_words_of_two_sentences_are_not_put_together() -> None:
    assert kinds_of("Ada yang minta uang. Petugas sedang cuti.") == set()


def test_a_guard_does_not_reach_into_another_sentence() -> None:
    assert kinds_of("Bagaimana cara melapor? Pegawai kelurahan minta uang 100 ribu.") == {"bribe"}


def test_title_and_text_are_both_read_and_the_words_are_the_citizens_own() -> None:
    complaint = Complaint("Mohon diperiksa.", title="Kepala sekolah  minta uang")
    (item,) = oversights(complaint)
    assert {quote.field for quote in item.words} == {"title"}
    assert [quote.of(complaint) for quote in item.words] == ["minta", "uang", "Kepala sekolah"]


def test_each_kind_is_told_once_with_its_reason() -> None:
    items = found(
        "Petugas loket minta uang 50 ribu. Petugas loket minta uang 70 ribu. Titip absen biasa di kantor ini."
    )
    assert [item.kind for item in items] == ["bribe", "discipline"]
    assert "meminta atau menerima uang" in items[0].reason


def test_the_accused_and_their_unit_must_not_see_it() -> None:
    advice = confidentiality(found("Petugas loket minta uang 50 ribu. Mobil dinas dipakai mudik."))
    for words in ("Inspektorat", "terlapor", "unit kerjanya", "daftar publik", "dijawab otomatis"):
        assert advice.count(words) == 1
    assert confidentiality(()) == advice


def test_every_row_of_the_tables_can_hold() -> None:
    assert list(lexicon_faults()) == []


def test_every_rule_is_used_by_some_case() -> None:
    used = {item.line for case in REAL for item in rules_held(Complaint(case["text"]))}
    assert [rule for rule in rules("oversight_rules.tsv") if rule.line not in used] == []


@pytest.mark.parametrize(
    "text", ["", " ", "!!!", "\n" * 50, "pungli " * 3000, "petugas minta uang " * 600, "'\"" * 5000]
)
def test_no_text_is_too_strange(text: str) -> None:
    assert len(oversights(Complaint(text))) <= 1
