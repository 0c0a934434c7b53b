"""How much the words around a name tell that the complaint happened there.

Each way of naming a place has its share of complaints that happened there, counted on the first 80 % (8,646) of
Surabaya's tickets with the fields of the form withheld: `python -m benchmarks.places` counts them again. Words with a
role beside a name stand in `lexicon/place_words.tsv`.
"""

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from Sastrawi.Stemmer.StemmerFactory import StemmerFactory

from router_model.tokens import stem

OFFICE_WORD = 0.98
"""`kelurahan X`, `lurah X`, `desa X`: right in 0.976 of 1,060."""
DISTRICT_WORD = 0.97
"""`kecamatan X`, `camat X`: district X in 0.984 of 798."""
ADDRESS_PART_AGAIN = 0.95
"""A part of its own of an address, `Jl. Melati 3, X, Kota Y`, the name a second time, no other village named:
right in 0.953 of 426."""
HOUSEHOLD_NUMBER = 0.92
"""Behind RT or RW, `RT 02 RW 05 X`: right in 0.924 of 119."""
ADDRESS_PART = 0.81
"""A part of its own of an address, once or beside another village: right in 0.811 of 995."""
NUMBER = 0.80
"""A number or `gang` before or behind it, `X II no 5`: right in 0.811 of 322."""
PEOPLE_WORD = 0.75
"""`di X`, `daerah X`, `wilayah X`, `warga X`: right in 0.783 of 120."""
BARE = 0.65
"""A name of several words in a text, or any name in an address, with nothing that tells more: right in 0.690 of 577."""
ECHO = 0.0
"""Part of the name of a road, a school, a market, a housing estate: no ground by itself, but it backs another one.
A road that bears a village's name lay there in 0.66 of cases, an estate such as `X Indah` in 0.35."""


class Name(NamedTuple):
    """Words `first` to `last` (exclusive) that are a village's, a district's or both's name.

    `own_part`: it stands between commas or line ends. `proper`: it is written like a name, with a capital, so that a
    common word may count.
    """

    first: int
    last: int
    of_village: bool
    of_district: bool
    in_address: bool
    own_part: bool
    proper: bool


@cache
def place_words() -> dict[str, str]:
    """Normal word to its role beside the name of a place, such as `village` for `kelurahan`."""
    with (resources.files("router_model") / "lexicon" / "place_words.tsv").open(encoding="utf-8") as file:
        return {row["word"]: row["role"] for row in csv.DictReader(file, delimiter="\t")}


@cache
def words_of(role: str) -> frozenset[str]:
    return frozenset(word for word, own in place_words().items() if own == role)


@cache
def _dictionary() -> frozenset[str]:
    return frozenset(StemmerFactory().get_words())


def is_common_word(normal: str) -> bool:
    """Whether a word is in the dictionary or made from one that is, as `serangan` from `serang`."""
    return normal in _dictionary() or (stem(normal) != normal and stem(normal) in _dictionary())


def _is_number(word: str) -> bool:
    """A number, a Roman numeral or one of these with a letter, as `00b`; digits are zeros in normal words."""
    return word[:1] == "0" or (not word.strip("ivx") and word != "") or (len(word) > 1 and not word[:-1].strip("ivx"))


def evidence(words: Sequence[str], name: Name) -> float | None:
    """How sure the words around a name make that the place is meant; `None` if no place is."""
    first, last = name.first, name.last
    before = words[first - 1] if first else ""
    earlier = words[first - 2] if first > 1 else ""
    after = words[last] if last < len(words) else ""
    roles = place_words()
    role = roles.get(before)
    if role == "village":
        return OFFICE_WORD if name.of_village else PEOPLE_WORD
    if role == "district":
        return DISTRICT_WORD if name.of_district else PEOPLE_WORD
    several = last - first > 1
    if (role == "region" and not several) or role == "person" or (before == "n" and earlier == "a"):
        return None
    # "Pak Ketut X" is a person; "ibu di X" and "bapak warga X" are not.
    if roles.get(earlier) == "person" and role not in ("people", "road"):
        return None
    if "road" in (role, roles.get(earlier)) or role == "named_after" or roles.get(after) == "estate":
        return ECHO
    if name.in_address and name.own_part:
        return ADDRESS_PART
    if not (several or name.in_address or name.proper) and is_common_word(words[first]):
        return None
    if _is_number(before) and not {"rt", "rw"}.isdisjoint(words[max(0, first - 3) : first]):
        return HOUSEHOLD_NUMBER
    if _is_number(before) or _is_number(after) or after == "gang":
        return NUMBER if several or name.in_address else ECHO
    if role == "people":
        return PEOPLE_WORD
    return BARE if several or name.in_address else ECHO
