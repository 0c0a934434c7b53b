"""Named spots of a complaint finer than a village: roads, house numbers, banjar, schools, markets.

Two complaints of one kind of spot that name different ones are not about the same thing.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple
from zlib import crc32

from router_model.complaint import Complaint
from router_model.name_words import no_names
from router_model.place import FoundPlace
from router_model.place_evidence import is_common_word, place_words, words_of
from router_model.portal import folded
from router_model.tokens import Token, normal_form, stem, tokens

ROAD, GANG, BANJAR, VILLAGE, DISTRICT = "jalan", "gang", "banjar", "desa", "kecamatan"
ROADS = frozenset({ROAD, GANG})
NUMBERS = frozenset({"nomor", "kilometer", "rt", "rw", "blok"})
_NUMBER_WORDS = {"no": "nomor", "nomor": "nomor", "km": "kilometer", "kilometer": "kilometer"} | {
    word: word for word in ("rt", "rw", "blok")
}
_NEIGHBOURHOODS = {"banjar": BANJAR, "dusun": BANJAR, "lingkungan": BANJAR}
_CROSSINGS = {"simpang": "simpang", "perempatan": "simpang", "pertigaan": "simpang", "bundaran": "simpang"}
_SCHOOLS = {"sdn": "sd", "smpn": "smp", "sman": "sma", "smkn": "smk"}
_STREETS = {"jalan": ROAD, "dijalan": ROAD, "jalur": ROAD, "gang": GANG}
_ABBREVIATED = frozenset({"jl", "jln", "jlan", "gg", "br", "bjr", "psr"})
_BREAK = re.compile(r"[,;:()\n/!?]|\.\s")
_ROMAN = {
    tens + ones: str(10 * ten + one)
    for ten, tens in enumerate(("", "x", "xx", "xxx"))
    for one, ones in enumerate(("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"))
    if ten or one
}
_NAMED_BY_NUMBER = frozenset({GANG, "sd", "smp", "sma", "smk", "tk", "blok"})
LONGEST_NAME = 2
"""Words of a name that are compared."""
MOST_SPOTS = 12


class Spot(NamedTuple):
    """`kind`, and the first and second word of a name, as hashes; `second` is 0 for a name of one word."""

    kind: int
    first: int
    second: int = 0

    def is_like(self, other: "Spot") -> bool:
        """Whether both may be the same: `Pasar Badung`, `pasar badung kota` and `Pasar Badung lama` are."""
        return self[:2] == other[:2] and (self.second == other.second or not (self.second and other.second))


class Found(NamedTuple):
    """A spot, and which words (`last` exclusive) name it."""

    spot: Spot
    first: int
    last: int


@cache
def spot_words(role: str) -> frozenset[str]:
    """`no_name`: no name though it stands behind the word of a spot, as in `jalan rusak`. `road_name`: begins many
    names of roads, and is no name elsewhere. `one_of_a_kind`: a city has one of them by a name of one word, as `Pasar
    Badung`, but many by `Banjar Kaja`. `serving`: much that differs is said of what they do, so their name alone tells
    no more than that of a road."""
    with (resources.files("router_model") / "lexicon" / "spot_words.tsv").open(encoding="utf-8") as file:
        return frozenset(row["word"] for row in csv.DictReader(file, delimiter="\t") if row["role"] == role)


def hashed(word: str) -> int:
    """The same in every process and on every machine."""
    return crc32(word.encode())


@cache
def kind_of(kind: str) -> int:
    return hashed(f"kind {kind}")


@cache
def _kinds() -> dict[str, str]:
    """Word to the kind of spot that it names; unlike kinds do not rule each other out."""
    return ({word: word for word in words_of("named_after")} | _NEIGHBOURHOODS | _CROSSINGS | _SCHOOLS | _STREETS) | {
        "jembatan": "jembatan"
    }


@cache
def _cues() -> frozenset[str]:
    """Normal words after which a spot may be named; `no` is in the abbreviations."""
    return frozenset(_kinds()) | _NUMBER_WORDS.keys() | {normal_form(word) for word in _NUMBER_WORDS}


def numeral(word: str) -> str:
    """`03` and `III` are 3; "" for what is no number. `12a` stays."""
    low = word.casefold()
    return _ROMAN.get(low, "") if not any(letter.isdigit() for letter in low) else low.lstrip("0") or "0"


def spots_in(text: str, words: Sequence[Token], *, is_address: bool = False) -> list[Found]:
    """What is named among the words of a text, from left to right. An address may begin with a road's bare name."""
    shouted, found = text.isupper(), list[Found]()
    for index, word in enumerate(words):
        if word.normal not in _cues() or (found and index < found[-1].last):
            continue
        raw = text[word.start : word.end].casefold()
        if number := _NUMBER_WORDS.get(raw) or _NUMBER_WORDS.get(word.normal):
            value = _value(text, words[index + 1], number) if index + 1 < len(words) else ""
            if value:
                found.append(Found(Spot(kind_of(number), hashed(value)), index, index + 2))
        elif kind := _kinds().get(word.normal):
            found.extend(_named(text, words, index, kind, shouted=shouted, sure=raw in _ABBREVIATED))
    if is_address and words and not any(item.spot.kind in (kind_of(ROAD), kind_of(GANG)) for item in found):
        found.extend(_named(text, words, -1, ROAD, shouted=shouted, sure=True))
    return found


def _value(text: str, word: Token, kind: str) -> str:
    raw = text[word.start : word.end]
    return numeral(raw) or (raw.casefold() if kind == "blok" and len(raw) == 1 else "")


def _named(text: str, words: Sequence[Token], index: int, kind: str, *, shouted: bool, sure: bool) -> Iterator[Found]:
    """The spot of a kind whose word stands at `index`."""
    name: list[str] = []
    first = index + 1
    while first < len(words) and words[first].normal in ("raya", "negeri") and kind in (ROAD, *_SCHOOLS.values()):
        first += 1
    last = first
    while last < len(words) and not ((last > first or not sure) and _breaks(text, words, last)):
        raw, normal = text[words[last].start : words[last].end], words[last].normal
        number = numeral(raw)
        if number and kind == ROAD and name:
            # `Tukad Badung XX` and `Mawar 1 no 12` are side roads of their own, `Mawar 12` is a house.
            side = not raw[0].isdigit() or _is_number_word(text, words, last + 1)
            yield Found(Spot(kind_of(GANG if side else "nomor"), hashed(number)), last, last + 1)
            break
        if len(name) == LONGEST_NAME:
            break
        if number and kind in _NAMED_BY_NUMBER:
            name.append(number)
        elif not number and _is_name(raw, normal, kind, shouted=shouted, sure=sure, first=not name):
            name.append(normal)
        else:
            break
        last += 1
    if name:
        yield Found(Spot(kind_of(kind), *map(hashed, name)), max(index, 0), last)


def _is_number_word(text: str, words: Sequence[Token], index: int) -> bool:
    return index < len(words) and text[words[index].start : words[index].end].casefold() in ("no", "nomor", "blok")


def _breaks(text: str, words: Sequence[Token], index: int) -> bool:
    return index > 0 and bool(_BREAK.search(text, words[index - 1].end, words[index].start))


def _is_name(raw: str, normal: str, kind: str, *, shouted: bool, sure: bool, first: bool) -> bool:
    low = raw.casefold()
    proper = raw[0].isupper() and not shouted
    if kind in ROADS and first and low in spot_words("road_name") and (proper or sure):
        return True
    if normal == "kota":
        return proper and first
    if normal in spot_words("no_name") or low in no_names() or normal in _kinds() or _is_area(normal):
        return False
    if proper or (not is_common_word(normal) and stem(normal) == normal):
        return True
    return first and (sure or kind == BANJAR)


def _is_area(normal: str) -> bool:
    return place_words().get(normal) in ("village", "district", "region")


def spots_of(complaint: Complaint, named: Sequence[Found], place: FoundPlace | None) -> tuple[Spot, ...]:
    """Every spot of a clean complaint: `named` in its title and text, in its address, and its village and district."""
    address = complaint.address
    given = spots_in(address, tokens(address), is_address=True) if address else []
    spots = dict.fromkeys(item.spot for item in (*given, *named))
    return (*_area(complaint, place), *list(spots)[:MOST_SPOTS])


def _area(complaint: Complaint, place: FoundPlace | None) -> Iterator[Spot]:
    if place:
        village, district = place.place.code, place.place.district_code
        if district:
            yield Spot(kind_of(VILLAGE), hashed(village))
        yield Spot(kind_of(DISTRICT), hashed(district or village))
        return
    for kind, said in ((VILLAGE, complaint.village), (DISTRICT, complaint.district)):
        if name := folded(said):
            yield Spot(kind_of(kind), hashed(name))


def differ(one: Sequence[Spot], other: Sequence[Spot]) -> bool:
    """Whether both name a spot of some kind, and none of one is like one of the other."""
    kinds = {spot.kind for spot in one} & {spot.kind for spot in other}
    return any(not any(a.is_like(b) for a in one if a.kind == kind for b in other if b.kind == kind) for kind in kinds)


def shared(one: Sequence[Spot], other: Sequence[Spot]) -> set[Spot]:
    """Those of `one` that `other` names too."""
    return {a for a in one for b in other if a.is_like(b)}
