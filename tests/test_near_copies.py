"""The same text sent again is found however it was edited, and another matter is never taken for a copy."""

import tracemalloc
from itertools import permutations

import numpy as np
import pytest

from router_model.complaint import Complaint
from router_model.tokens import normal_words
from training.near_copies import STRIP, copy_groups

LAMP = "Lampu penerangan jalan di depan balai banjar kami padam sejak hari Senin, malam hari gelap gulita"
LITTER = "Sampah rumah tangga di tepi kali belakang pasar belum diangkut petugas, baunya tercium sampai ke sekolah"
ROAD = "Aspal jalan menuju puskesmas berlubang besar, dua pengendara motor terjatuh dalam minggu ini"
MATTERS = (LAMP, LITTER, ROAD)


def groups(*texts: str) -> list[int]:
    return [int(group) for group in copy_groups([Complaint(text) for text in texts])]


def many(size: int) -> list[Complaint]:
    """Texts of seven words of their own."""
    syllables = ("ba", "ci", "du", "fe", "go", "ha", "ki", "lu", "me", "no")
    own = ["".join(syllables[int(digit)] for digit in f"{number:04}") for number in range(size)]
    return [
        Complaint(" ".join(f"{start}{word}" for start in ("pa", "ri", "su", "te", "wo", "ya", "za"))) for word in own
    ]


@pytest.mark.parametrize(
    "again",
    [
        LAMP,
        LAMP.upper(),
        LAMP.replace(", ", " !!! ").replace(" ", "  "),
        f"Mohon izin melapor. {LAMP}",
        LAMP.replace("sejak hari Senin", "dari hari Senin"),
        LAMP.removesuffix(" gulita"),
        " ".join(reversed(LAMP.split())),
    ],
    ids=["equal", "capitals", "signs", "greeting", "one word", "shortened", "turned round"],
)
def test_a_text_sent_again_is_a_copy_even_if_it_was_edited(again: str) -> None:
    first, other, copy = groups(LAMP, LITTER, again)
    assert first == copy != other


@pytest.mark.parametrize(
    "other",
    [
        "Lampu penerangan jalan di depan pasar kami padam sejak bulan lalu, tolong segera diganti petugas",
        "Gelap gulita, lampu taman kota padam semua",
        ROAD,
        "",
    ],
)
def test_another_text_is_no_copy_even_of_the_same_matter(other: str) -> None:
    first, second, _ = groups(LAMP, other, LITTER)
    assert first != second


def test_title_and_text_count_together() -> None:
    apart = Complaint(LAMP.partition(" di depan")[2], title=LAMP.partition(" di depan")[0] + " di depan")
    assert len(set(copy_groups([Complaint(LAMP), apart]))) == 1
    assert len(set(copy_groups([Complaint(LAMP), Complaint(LAMP, title=LITTER)]))) == 2


def test_short_texts_are_copies_only_if_they_are_equal() -> None:
    found = groups("Lampu jalan mati", "LAMPU jalan mati!", "Mati lampu jalan", "Lampu jalan mati lagi")
    assert found == [0, 0, 1, 2]


def test_texts_without_a_word_are_copies_of_each_other() -> None:
    assert groups("", "!!!", "Lampu jalan mati", "😭") == [0, 0, 1, 0]


def test_a_copy_of_a_copy_is_a_copy() -> None:
    """Word by word becomes another text; the first and the last have little in common."""
    words, replaced = LAMP.split(), LITTER.split()
    chain = [" ".join([*replaced[:step], *words[step:]]) for step in range(0, 13, 2)]
    ends = (chain[0], chain[-1])
    assert len(set(groups(*chain, ROAD))) == 2
    assert len(set(groups(*ends, ROAD))) == 3


@pytest.mark.parametrize("texts", list(permutations(("Lampu jalan mati", LAMP, f"{LAMP} sekali"))))
def test_the_order_of_the_complaints_does_not_matter(texts: tuple[str, ...]) -> None:
    found = dict(zip(texts, groups(*texts), strict=True))
    assert found[LAMP] == found[f"{LAMP} sekali"] != found["Lampu jalan mati"]


def test_no_complaints_have_no_groups_and_one_has_its_own() -> None:
    assert copy_groups([]).tolist() == []
    assert groups(LAMP) == groups("Lampu") == groups("") == [0]


def test_copies_are_found_however_far_apart_they_stand() -> None:
    """Farther than what is compared at once, in a history where the usual words are common."""
    between = many(STRIP + 90)
    late = [Complaint(ROAD), Complaint(f"Mohon izin, {LAMP}"), Complaint(LITTER), Complaint(f"{ROAD}. Mohon izin")]
    found = copy_groups([Complaint(LAMP), *between[:40], Complaint(LITTER), *between[40:], *late])
    assert found[0] == found[-3]
    assert found[41] == found[-2]
    assert found[-4] == found[-1]
    assert len(set(found.tolist())) == len(between) + 3


def test_a_long_history_of_a_few_texts_sent_again_and_again_is_grouped() -> None:
    """Every word stands in a third of the complaints, so no word is rare."""
    found = groups(*MATTERS * 60)
    assert found == [0, 1, 2] * 60


def test_one_rare_word_in_common_does_not_make_a_copy() -> None:
    """In a history of lamps the words of lamps are common; a village's name is not. Two of its complaints differ."""
    first = Complaint("Kenanga: lampu gelap sudah lama, warga takut")
    second = Complaint("tolong segera jalan Kenanga diperbaiki karena mati")
    usual = [word for item in (first, second) for word in normal_words(item.text) if word != "kenanga"]
    chance = np.random.default_rng(5)
    others = [Complaint(f"{' '.join(chance.permutation(usual)[:9])} {item.text.split()[0]}") for item in many(150)]
    found = copy_groups([*others, first, second])
    assert found[-2] != found[-1]


def test_thousands_of_copies_of_one_text_take_no_memory_for_each_pair() -> None:
    campaign = [Complaint(LAMP)] * 5_000
    tracemalloc.start()
    try:
        assert len(set(copy_groups(campaign).tolist())) == 1
        assert tracemalloc.get_traced_memory()[1] < 250_000_000
    finally:
        tracemalloc.stop()
