"""What arrives is made readable without losing meaning, and no text makes it fail."""

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_model.cleaning import cleaned, readable
from router_model.complaint import Complaint

ANY_TEXT = st.text(st.characters(), max_size=300)
"""All of Unicode, lone surrogates and NUL too."""
MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("ｌａｍｐｕ　ｍａｔｉ", "lampu mati"),
        ("nomor ①②", "nomor 12"),
        ("ke pasar ﬁsh", "ke pasar fish"),
    ],
)
def test_letters_and_digits_of_other_widths_become_plain(raw: str, wanted: str) -> None:
    assert readable(raw) == wanted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("<p>Got mampet</p><p>sejak Senin</p>", "Got mampet sejak Senin"),
        ("Pohon<br/>tumbang", "Pohon tumbang"),
        ('<a href="https://contoh.id/x">foto</a> jalan', "foto jalan"),
        ("<script>alert('x')</script>Air mati", "Air mati"),
        ("got&nbsp;mampet &amp; bau", "got mampet & bau"),
        ("lebar jalan < 3 meter dan > 2 meter", "lebar jalan < 3 meter dan > 2 meter"),
    ],
)
def test_html_is_taken_out_and_other_angle_brackets_stay(raw: str, wanted: str) -> None:
    assert readable(raw) == wanted


def test_text_that_was_decoded_wrongly_is_repaired() -> None:
    assert readable("CafÃ© di sebelah bising") == "Café di sebelah bising"
    assert readable("katanya â€œsegeraâ€\x9d, nyatanya tidak") == "katanya “segera”, nyatanya tidak"


def test_emoji_stay_and_do_not_swallow_the_words_beside_them() -> None:
    assert readable("banjir😭🌊di gang kami 🙏🏽") == "banjir😭🌊di gang kami 🙏🏽"


@pytest.mark.parametrize("hidden", ["\u200b", "\u200d", "\u00ad", "\ufeff", "\u202e", "\u2060", "\u2067", "\u2069"])
def test_invisible_characters_do_not_split_a_word(hidden: str) -> None:
    assert readable(f"ba{hidden}njir") == "banjir"


def test_control_characters_become_blanks_and_blanks_are_not_repeated() -> None:
    assert readable("air\x07\t\x0b mati\x00\x00total") == "air mati total"


def test_lines_stay_apart_and_empty_ones_go() -> None:
    assert readable("  satu\r\n\r\n \n dua \n") == "satu\ndua"
    assert readable("satu\\ndua\\r\\ntiga") == "satu\ndua\ntiga"


def test_characters_written_as_entities_are_normalised_like_any_other() -> None:
    """Else full-width digits written as entities would slip past the masks."""
    assert readable("&#65296;&#65304;&#65297;&#65298;") == "0812"


@pytest.mark.parametrize("raw", ["", " ", "\x00", "\ud800", "\udfff\ud800", "\u200b", "\n\n", "<br>", "&nbsp;"])
def test_text_without_anything_to_read_becomes_empty(raw: str) -> None:
    assert readable(raw) == ""


def test_lone_surrogates_are_dropped_and_the_rest_stays() -> None:
    assert readable("lampu\ud83d mati") == "lampu mati"


@given(ANY_TEXT)
def test_any_text_becomes_printable_utf8_in_normal_form(raw: str) -> None:
    text = readable(raw)
    text.encode("utf-8")
    assert unicodedata.is_normalized("NFKC", text)
    assert not [c for c in text if c != "\n" and unicodedata.category(c).startswith("C")]
    assert text == text.strip()


@given(ANY_TEXT, ANY_TEXT)
def test_no_complaint_makes_cleaning_fail(one: str, other: str) -> None:
    complaint, masked = cleaned(Complaint(text=one, title=other, address=one, village=other, district=one))
    assert {item.field for item in masked} <= {"title", "text", "address"}
    assert complaint.words.isprintable() or "\n" in complaint.words


@pytest.mark.parametrize(
    "text",
    [
        "<p>Lampu&nbsp;mati</p> hubungi 081234567890 atau made@contoh.id",
        "NIK ５１７１０１４５０８９５０００１ rek BCA 123-456-7890, pelat DK 1234 AB",
        "Terima kasih 🙏🏽\r\n\r\nwarga banjar\u200b kami",
        "katanya â€œbesokâ€\x9d terus",
    ],
)
def test_cleaning_a_cleaned_complaint_changes_nothing(text: str) -> None:
    once, _ = cleaned(Complaint(text=text, title=text, address=text))
    assert cleaned(once) == (once, [])


@given(st.text(st.sampled_from("0123456789 .,-+()[]abADK@rekNIK\n"), max_size=60))
@settings(max_examples=300)
def test_what_was_masked_is_not_masked_again(text: str) -> None:
    once, _ = cleaned(Complaint(text=text))
    assert cleaned(once)[0] == once


@pytest.mark.parametrize(
    "piece",
    [
        "a", "a.", "a-", "@a.", "1", "1 ", "@", "<", "<a ", "<script>", "&", "&amp;", "\n", " ", "\u0301",
        "\u0344\u0316", "081234567890 ", "Ã©",
    ],
)  # fmt: skip
def test_a_megabyte_of_anything_is_cleaned_in_seconds(piece: str) -> None:
    start = time.perf_counter()
    cleaned(Complaint(text=piece * (MEGABYTE // len(piece))))
    assert time.perf_counter() - start < 10
