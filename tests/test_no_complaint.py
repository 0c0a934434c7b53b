"""What is no complaint: it is told with a reason, and nothing that could be a matter is ever taken for it."""

import csv
from pathlib import Path

import pytest

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.no_complaint import (
    ABUSIVE_WORDS,
    NotComplaint,
    lexicon_faults,
    no_complaint,
    reasons,
    rules_held,
)
from router_model.phrases import rules

CASES = list(
    csv.DictReader((Path(__file__).parent / "data" / "no_complaint_cases.csv").read_text("utf-8").splitlines())
)
NONE = [case for case in CASES if case["kind"]]
TRAPS = [case for case in CASES if not case["kind"]]
LEAST_RECALL = {"thanks": 0.85, "spam": 0.94, "test": 1.0, "abuse": 1.0, "out_of_scope": 0.88}


def told(text: str, title: str = "", report_type: str = "") -> NotComplaint | None:
    return no_complaint(cleaned(Complaint(text, title=title))[0], report_type)


def kind(text: str, title: str = "", report_type: str = "") -> str:
    """The kind of a text without a matter, or nothing."""
    found = told(text, title, report_type)
    return found.kind if found and not found.matter else ""


def test_there_are_cases_enough_of_every_kind_and_as_many_traps() -> None:
    assert len(CASES) >= 240
    assert 0.45 <= len(TRAPS) / len(CASES) <= 0.55
    assert {case["kind"] for case in NONE} | {ABUSIVE_WORDS} == reasons().keys()


@pytest.mark.parametrize("half", ["tala", "uji"])
def test_no_real_complaint_is_taken_for_none(half: str) -> None:
    assert [case["text"] for case in TRAPS if case["half"] == half and kind(case["text"])] == []


@pytest.mark.parametrize("half", ["tala", "uji"])
@pytest.mark.parametrize("wanted", LEAST_RECALL)
def test_most_of_what_is_no_complaint_is_recognised(half: str, wanted: str) -> None:
    texts = [case["text"] for case in NONE if (case["half"], case["kind"]) == (half, wanted)]
    missed = [text for text in texts if kind(text) != wanted]
    assert len(missed) <= (1 - LEAST_RECALL[wanted]) * len(texts), missed


def test_abuse_with_a_matter_in_it_stays_a_complaint_and_its_words_are_told() -> None:
    for case in TRAPS:
        found = told(case["text"])
        assert bool(found and found.matter) == bool(case["abusive"]), case["text"]
    complaint = Complaint("Goblok, lampu merah mati seminggu")
    found = no_complaint(complaint)
    assert found
    assert (found.kind, found.matter, [quote.of(complaint) for quote in found.words]) == ("abuse", True, ["Goblok"])
    assert "sopan" in found.reason


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Terima kasih, jalan kami sudah diperbaiki.", "thanks"),
        ("Terima kasih, jalan kami sudah diperbaiki. Lampunya kapan?", ""),
        ("Terima kasih, jalan kami sudah diperbaiki, tapi gotnya mampet.", ""),
        ("Terima kasih lubangnya makin dalam.", ""),
        ("Terima kasih, jalan kami belum diperbaiki.", ""),
        ("Terima kasih. Jembatan kami bergoyang.", ""),
        ("Terima kasih. Semoga ada lampu di gang kami.", ""),
        ("Selamat pagi Pak Lurah. Terima kasih, sudah beres.", "thanks"),
        ("Yth. Dinas PUPR jembatan bergoyang, terima kasih.", ""),
        ("Terima kasih, jalan sudah diperbaiki. Mohon ditindaklanjuti.", ""),
        ("Terima kasih, jalan sudah diperbaiki?", ""),
        ("Pinjaman tanpa jaminan langsung cair, hubungi kami.", "spam"),
        ("Pinjaman tanpa jaminan langsung cair, hubungi kami. Iklan ini ditempel di tiang.", ""),
        ("https://contoh.example/abc", "spam"),
        ("https://contoh.example/abc lokasi got mampet", ""),
        ("tes", "test"),
        ("tes darah", ""),
        ("asdfgh", "test"),
        ("Banjir", ""),
        ("Pemerintah goblok", "abuse"),
        ("Petugas bilang saya goblok", ""),
        ("Anjing berkeliaran", ""),
        ("Teman saya tidak mau bayar utang.", "out_of_scope"),
        ("Pemkot belum bayar utang ke rekanan.", ""),
        ("Suami saya selingkuh.", "out_of_scope"),
        ("Suami saya selingkuh dan memukul saya.", ""),
        ("Putusan hakim tidak adil, mohon dibatalkan.", "out_of_scope"),
        ("Bagaimana cara meminta salinan putusan pengadilan?", ""),
    ],
)
def test_what_else_stands_in_the_text_decides(text: str, wanted: str) -> None:
    assert kind(text) == wanted


def test_a_title_of_thanks_or_a_test_does_not_hide_the_text_below_it() -> None:
    for title in ("Terima kasih", "tes", "Goblok"):
        assert kind("Got di gang kami mampet", title) == ""


def test_a_report_for_oversight_is_never_put_aside_and_a_question_is_no_thanks() -> None:
    assert kind("Terima kasih, jalan sudah diperbaiki.", report_type="pengaduan") == "thanks"
    assert kind("Terima kasih, jalan sudah diperbaiki.", report_type="informasi") == ""
    assert kind("Teman saya tidak mau bayar utang.", report_type="informasi") == ""
    for case in NONE:
        assert kind(case["text"], report_type="pengawasan") == ""


def test_the_words_that_made_it_so_are_the_citizens_own() -> None:
    complaint = Complaint("Main slot gacor,\nayo daftar sekarang")
    found = no_complaint(complaint)
    assert found
    assert [quote.of(complaint) for quote in found.words] == ["slot gacor", "daftar"]


def test_an_ordinary_complaint_says_nothing() -> None:
    assert told("Sampah di depan balai banjar belum diangkut sejak Senin") is None


def test_every_row_of_the_tables_can_hold() -> None:
    assert list(lexicon_faults()) == []


def test_every_rule_is_used_by_some_case() -> None:
    used = {line for case in NONE for line in rules_held(Complaint(case["text"]))}
    assert [rule for rule in rules("no_complaint_rules.tsv") if rule.line not in used] == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("", ""), (" ", ""), ("!!!", "test"), ("tes " * 3000, "test"), ("utang teman " * 900, ""), ("'\"" * 5000, "test")],
)
def test_no_text_is_too_strange(text: str, wanted: str) -> None:
    assert kind(text) == wanted
