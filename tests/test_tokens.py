"""Words keep their place, their meaning and their urgency; what staff wrote and what identifies people goes."""

import csv
import inspect
import re
from importlib import resources
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary

from router_model.cleaning import cleaned, readable
from router_model.complaint import Complaint
from router_model.terms import TermExtractor
from router_model.tokens import LONGEST_WORD, abbreviations, normal_form, normal_words, stem, stem_exceptions, tokens
from training.dataset import Example

NEVER_LOST = re.findall(
    r"\w+",
    "tidak tak tiada bukan belum jangan tanpa kurang gak ga gk nggak enggak tdk blm jgn "
    "cepat sekarang darurat penting parah sangat terlalu sekali paling tiba terus "
    "selalu sering masih lagi sudah lama kapan nyaris hampir sempat harus perlu minta "
    "dua tiga hari minggu bulan tahun jam malam depan dekat belakang tetapi tapi namun percuma seenaknya keterlaluan",
)


def normals(text: str) -> list[str]:
    return [token.normal for token in tokens(text)]


def root(word: str) -> str:
    return stem(normal_form(word))


@given(st.text(st.characters(), max_size=200))
def test_every_position_points_at_the_word_it_came_from(raw: str) -> None:
    text = readable(raw)
    end = 0
    for token in tokens(text):
        assert end <= token.start < token.end <= len(text)
        assert normal_form(text[token.start : token.end]) == token.normal != ""
        end = token.end


def test_positions_are_those_of_the_written_form_not_of_the_normal_form() -> None:
    text = "Tlg perbaiki jln2 kami, gelaaap!"
    assert [text[token.start : token.end] for token in tokens(text)] == ["Tlg", "perbaiki", "jln2", "kami", "gelaaap"]
    assert normals(text)[:2] == ["tolong", "perbaiki"]


def test_stretched_and_doubled_words_are_the_plain_word() -> None:
    assert normals("tolooooong GELAAAP jalan2 anak2nya saat maaf") == [
        "tolong", "gelap", "jalan", "anak", "saat", "maaf",
    ]  # fmt: skip


def test_short_forms_mean_what_complaints_mean_by_them() -> None:
    assert normals("kel kec gg jl kab tdk blm lpju") == [
        "kelurahan", "kecamatan", "gang", "jalan", "kabupaten", "tidak", "belum", "pju",
    ]  # fmt: skip
    assert normals("rt rw tps parah macet") == ["rt", "rw", "tps", "parah", "macet"]


def test_hashtags_and_mentions_are_read_as_their_words() -> None:
    assert normals("#JalanRusak #sampah_menumpuk @DishubDenpasar") == [
        "jalan", "rusak", "sampah", "menumpuk", "dishub", "denpasar",
    ]  # fmt: skip


def test_links_and_masks_are_no_words() -> None:
    text = "lihat https://contoh.id/foto?a=banjir www.contoh.id/x [TELEPON] [NIK] [SUREL] [PELAT] [NOMOR] <TELP> ya"
    assert normals(text) == ["lihat", "ya"]


@pytest.mark.parametrize(
    "text",
    [
        "Yth. Dinas Perhubungan, lampu mati",
        "Kepada Yth. Bapak Wali Kota: lampu mati",
        "lampu mati. Telah didisposisikan ke Dinas Perhubungan",
        "Disposisi: Dinas Perhubungan\nlampu mati",
        "lampu mati. Mohon segera ditindaklanjuti. ",
        "lampu mati, mohon informasinya terima kasih",
    ],
)
def test_what_names_the_addressee_is_not_learned_from(text: str) -> None:
    assert normals(text) == ["lampu", "mati"]


@pytest.mark.parametrize(
    "text",
    [
        "Yth. PLN. Listrik mati sejak pagi. Tolong segera.",
        "Yth Bapak Wali Kota. Listrik mati sejak pagi. Tolong segera.",
        "Yth Bapak, listrik mati sejak pagi. Tolong segera.",
    ],
)
def test_a_salutation_takes_no_sentence_of_the_complaint_with_it(text: str) -> None:
    assert normals(text) == ["listrik", "mati", "sejak", "pagi", "tolong", "segera"]


def test_a_salutation_without_a_comma_does_not_swallow_the_danger_it_tells_of() -> None:
    assert "kebakaran" in normals("Yth Bapak Wali Kota tolong ada kebakaran besar di Jalan Gajah Mada. Cepat")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("kerusakan", "rusak"), ("perampokan", "rampok"), ("pemadam", "padam"), ("membakar", "bakar")],
)
def test_words_that_the_stemmer_breaks_get_their_real_stem(word: str, wanted: str) -> None:
    assert root(word) == wanted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kebakaran", "membakar"),
        ("meninggal", "tinggal"),
        ("perempatan", "empat"),
        ("perbaikan", "terbaik"),
        ("kelurahan", "lurah"),
        ("kecamatan", "camat"),
        ("petugas", "tugas"),
        ("pembantu", "bantuan"),
        ("bukan", "buka"),
        ("terlalu", "lalu"),
    ],
)
def test_words_of_different_agencies_do_not_share_a_stem(one: str, other: str) -> None:
    assert root(one) != root(other)


@pytest.mark.parametrize("word", NEVER_LOST)
def test_negation_time_and_degree_stay_words_of_the_complaint(word: str) -> None:
    terms = TermExtractor().words(Complaint(text=f"warga {word} menunggu"))
    assert len(normals(f"warga {word} menunggu")) == 3
    assert f"warga {root(word)}" in terms


@pytest.mark.parametrize("word", ["tolong", "mohon", "segera", "secepatnya", "URGENT", "tlg", "please", "sgr"])
def test_words_that_plead_and_press_stand_in_the_text_and_are_not_read(word: str) -> None:
    pressed, calm = Complaint(text=f"warga {word} menunggu", title=word), Complaint(text="warga menunggu")
    extractor = TermExtractor()
    assert len(normals(pressed.text)) == 3
    assert (extractor.words(pressed), extractor.characters(pressed)) == (
        extractor.words(calm),
        extractor.characters(calm),
    )
    assert extractor.title(pressed) == []


def test_every_way_to_say_no_is_one_word() -> None:
    assert {root(word) for word in ("tidak", "tak", "ga", "gak", "gk", "nggak", "enggak", "tdk", "ndak")} == {"tidak"}


@given(st.text(st.sampled_from("0123456789abrtRW٣५٪ #@"), max_size=40))
def test_no_number_keeps_its_digits(text: str) -> None:
    complaint = Complaint(text=text, title=text, address=text)
    extractor = TermExtractor()
    for block in (extractor.words, extractor.characters, extractor.title, extractor.place):
        assert not [c for term in block(complaint) for c in term if c.isdigit() and c != "0"]


def test_endless_words_are_cut_and_not_stemmed() -> None:
    assert normals("ab" * 10_000) == ["ab" * (LONGEST_WORD // 2)]


@pytest.mark.parametrize("name", ["abbreviations.tsv", "stem_exceptions.tsv"])
def test_a_lexicon_table_is_sorted_without_doubles_and_one_word_to_one_word(name: str) -> None:
    with (resources.files("router_model") / "lexicon" / name).open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    keys = [row[0] for row in rows]
    assert all(len(row) == 2 for row in rows)
    assert keys == sorted(set(keys))
    assert not [word for row in rows for word in row if len(normals(word)) != 1 or word != word.strip().casefold()]


def test_an_abbreviation_is_spelled_out_in_one_step() -> None:
    table = abbreviations()
    assert not table.keys() & set(table.values())


def test_a_stem_is_its_own_stem() -> None:
    table = stem_exceptions()
    assert [value for value in table.values() if table.get(value, value) != value] == []
    assert [key for key in table if normal_form(key) != key] == [key for key in table if key in abbreviations()]


def test_the_stemmer_is_the_fast_one_with_a_dictionary_look_up() -> None:
    """Sastrawi 1.0.1 has the same import name and scans a list: 700 times slower."""
    assert version("PySastrawi")
    assert isinstance(ArrayDictionary(["air"]).words, dict), inspect.getsource(ArrayDictionary)


@given(st.text(alphabet="aB1 #@[]<>:/w.,_-'\nyth mohonéＡ", max_size=60))
def test_normal_words_are_those_of_the_tokens(text: str) -> None:
    assert list(normal_words(text)) == [token.normal for token in tokens(text)]


def test_normal_words_of_the_sample_are_those_of_the_tokens(examples: list[Example]) -> None:
    for example in examples:
        text = cleaned(example.complaint)[0].text
        assert list(normal_words(text)) == [token.normal for token in tokens(text)]
