"""The names of a portal's places and landmarks, and where they stand among the words of a text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein

from router_model.landmark import Landmark, landmark_words
from router_model.place_evidence import is_common_word, place_words, words_of
from router_model.portal import Place
from router_model.tokens import abbreviations, normal_words, tokens

_BANJAR_WORDS = frozenset({"banjar", "lingkungan", "dusun"})
KIND_WORDS = _BANJAR_WORDS | {"kelurahan", "desa", "kecamatan"}
_HARD_BREAK = re.compile(r"[,;\n]")

_WRITTEN = re.compile(r"[^\W_]+")

SHORTEST_SPLIT = 4
"""Letters of the first part of a name that is written in two words though the portal writes it in one."""
SHORTEST_MISSPELT = 6
LEAST_ALIKE = 86
"""Similarity (0 to 100, rapidfuzz `ratio`) of a misspelt name: one letter in seven may be wrong."""
LEAST_AHEAD = 6
"""How much more alike than the next place a misspelt name must be."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words `first` to `last` (exclusive) that name places; several where places share the name."""

    first: int
    last: int
    places: tuple[Place, ...]
    landmark: Landmark | None = None


class Reading(NamedTuple):
    """The words of a text in their normal form, and where each starts and ends."""

    words: tuple[str, ...]
    spans: list[tuple[int, int]]

    def is_broken(self, text: str, first: int, last: int) -> bool:
        """Whether a comma or a line end stands among these words (`last` exclusive)."""
        return bool(_HARD_BREAK.search(text, self.spans[first][0], self.spans[last - 1][1]))


def _read(text: str) -> Reading:
    """As `tokens`, faster where each word as written is one of them; only `#LampuMati` and `@x_y` may give several."""
    words = normal_words(text)
    spans = [match.span() for match in _WRITTEN.finditer(text)]
    if len(words) != len(spans) or "#" in text or "@" in text:
        read = tokens(text)
        return Reading(tuple(token.normal for token in read), [(token.start, token.end) for token in read])
    return Reading(words, spans)


class Gazetteer:
    """Names are kept as their normal words joined, so that `Padang Sambian` and `Padangsambian` are one."""

    def __init__(self, places: Sequence[Place], landmarks: Sequence[Landmark] = ()) -> None:
        self.place = {place.code: place for place in places}
        self._places: dict[str, list[Place]] = {}
        self._landmarks: dict[str, list[Landmark]] = {}
        self._beginnings: set[str] = set()
        self._whole: set[str] = set()
        self._firsts: set[str] = set()
        self._variants: dict[str, list[tuple[str, ...]]] = {}
        self._longest = 1
        short = {short for short, word in abbreviations().items() if word in words_of("village")}
        self._cues = words_of("village") | short
        for place in places:
            for words in self._names(place):
                self._add(words)
                own = self._places.setdefault("".join(words), [])
                if place not in own:
                    own.append(place)
                for size in range(1, len(words)):
                    self._variants.setdefault("".join(words[:size]), []).append(words[size:])
        self._variants = {name: ends for name, ends in self._variants.items() if name in self._places}
        for landmark in landmarks:
            for name in (landmark.name, *landmark.aliases):
                words = landmark_words(name, landmark.kind)
                self._add(words)
                self._add(_WRITTEN.findall(name.casefold()))
                self._landmarks.setdefault("".join(words), []).append(landmark)
        self._spelled = {
            village: [
                n for n, own in self._places.items() if any(bool(place.district_code) == village for place in own)
            ]
            for village in (True, False)
        }
        # One more, as a name of three words may be written in four.
        self._longest += 1

    def _names(self, place: Place) -> Iterator[tuple[str, ...]]:
        """A village that bears its district's name at the end (`Wonorejo Rungkut`) is called without it as well."""
        district = self.place.get(place.district_code)
        ending = normal_words(district.name) if district else ()
        for name in (place.name, *place.aliases):
            if words := normal_words(name):
                self._add(_WRITTEN.findall(name.casefold()))
                yield words
                if ending and len(words) > len(ending) and words[-len(ending) :] == ending:
                    yield words[: -len(ending)]

    def _add(self, words: Sequence[str]) -> None:
        joined = "".join(words)
        self._whole.add(joined)
        self._firsts.update(words[: len(words) - 1][:1])
        self._longest = max(self._longest, len(words))
        self._beginnings.update("".join(words[:size]) for size in range(1, len(words) + 1))
        self._beginnings.update(joined[:size] for size in range(SHORTEST_SPLIT, len(joined)))

    def given(self, cell: str, *, village: bool, district: Place | None = None) -> tuple[tuple[Place, ...], bool]:
        """Places of a level that a form's field names, and whether it is spelled as the portal does.

        `district` chooses among villages of one name; a village that is only elsewhere is given all the same.
        """
        words = normal_words(cell)
        bare = next((words[start:] for start, word in enumerate(words) if word not in KIND_WORDS), ())
        for joined in ("".join(words), "".join(bare)):
            if places := self._of_level(self._places.get(joined, ()), village, district):
                return places, True
        if places := self.misspelt("".join(bare), village=village, district=district):
            return places, False
        named = [self._of_level(mention.places, village, district) for mention in self._whole_names(cell)]
        named = [places for places in named if places]
        return (named[0] if len(named) == 1 else ()), False

    def _whole_names(self, cell: str) -> Iterator[Mention]:
        """Names in a field that end with it, or before a comma, a word such as `Kec.` or another name."""
        read, mentions = self.mentions(cell)
        begun = {mention.first for mention in mentions}
        for mention in mentions:
            last = mention.last
            ends = last == len(read.words) or read.is_broken(cell, last - 1, last + 1)
            if ends or last in begun or read.words[last] in KIND_WORDS:
                yield mention

    def _of_level(self, places: Iterable[Place], village: bool, district: Place | None) -> tuple[Place, ...]:
        own = tuple(place for place in places if bool(place.district_code) == village)
        return tuple(place for place in own if district and place.district_code == district.code) or own

    def misspelt(self, joined: str, *, village: bool, district: Place | None = None) -> tuple[Place, ...]:
        """The one place whose name is nearly this; none if two are or if the word is too short to be sure."""
        if len(joined) < SHORTEST_MISSPELT:
            return ()
        names = self._spelled[village]
        if district:
            names = [
                name for name in names if any(place.district_code == district.code for place in self._places[name])
            ]
        alike = process.extract(joined, names, scorer=fuzz.ratio, limit=2, score_cutoff=LEAST_ALIKE - LEAST_AHEAD)
        if not alike or alike[0][1] < LEAST_ALIKE or (len(alike) > 1 and alike[0][1] - alike[1][1] < LEAST_AHEAD):
            return ()
        return tuple(place for place in self._places[alike[0][0]] if bool(place.district_code) == village)

    def mentions(self, text: str) -> tuple[Reading, list[Mention]]:
        """Names from left to right, longest first, none inside another; the words are given only if there are any."""
        if not self._may_name(text):
            return Reading((), []), []
        read = _read(text)
        return read, list(self._mentions(text, read))

    def _may_name(self, text: str) -> bool:
        """A quick look that spares most texts the careful reading."""
        written = _WRITTEN.findall(text.casefold())
        return any(
            written[position] in self._cues or self._reach(written, position) for position in self._starts(written)
        )

    def _starts(self, words: Sequence[str]) -> list[int]:
        """Positions of words that may begin a name, and of those behind which one may be misspelt."""
        beginnings, cues = self._beginnings, self._cues
        return [position for position, word in enumerate(words) if word in beginnings or word in cues]

    def _reach(self, words: Sequence[str], position: int) -> int:
        """The most words from here that form a name; 0 if none do."""
        joined, reach = "", 0
        for size, word in enumerate(words[position : position + self._longest], 1):
            joined += word
            if joined not in self._beginnings:
                break
            if joined in self._whole:
                reach = size
        return reach

    def _mentions(self, text: str, read: Reading) -> Iterator[Mention]:
        """A landmark's own words may name a place once more, as `Pantai Sanur` does."""
        words = read.words
        free = covered = 0
        for start in self._starts(words):
            found = None
            if start >= free and words[start] in self._beginnings:
                found = self._named(text, read, start, landmarks=start >= covered)
            if found is None and start >= free and words[start] in self._cues:
                found = self._nearly(text, read, start + 1)
            if found is None:
                continue
            yield found
            if found.landmark:
                covered = found.last
            else:
                free = found.last

    def _named(self, text: str, read: Reading, first: int, *, landmarks: bool) -> Mention | None:
        words = read.words
        before = words[first - 1] if first else ""
        reach = self._reach(words, first)
        while reach and read.is_broken(text, first, first + reach):
            reach -= 1
        for size in range(reach, 0, -1):
            joined = "".join(words[first : first + size])
            for landmark in self._landmarks.get(joined, ()) if landmarks else ():
                if _announced(landmark, before):
                    same = [item for item in self._landmarks[joined] if item.kind == landmark.kind]
                    places = tuple(self.place[item.place] for item in same)
                    return Mention(first, first + size, places, landmark)
            if places := tuple(self._places.get(joined, ())):
                return self._variant(words, joined, Mention(first, first + size, places))
        return None

    def _variant(self, words: tuple[str, ...], joined: str, found: Mention) -> Mention:
        """`Pemecutan Kja` is a misspelt Pemecutan Kaja, not Pemecutan."""
        for ending in self._variants.get(joined, ()):
            last = found.last + len(ending)
            said, meant = "".join(words[found.last : last]), "".join(ending)
            if len(meant) > 3 and said and DamerauLevenshtein.distance(said, meant, score_cutoff=1) == 1:
                return Mention(found.first, last, tuple(self._places.get(joined + meant, found.places)))
        return found

    def _nearly(self, text: str, read: Reading, first: int) -> Mention | None:
        """A misspelt village behind a word such as `kelurahan`, the longest reading first; no name, no common word."""
        words = read.words
        if first == len(words) or self._reach(words, first):
            return None
        if words[first] not in self._firsts and is_common_word(words[first]):
            return None
        for size in range(min(self._longest, len(words) - first), 0, -1):
            if read.is_broken(text, first, first + size):
                continue
            if places := self.misspelt("".join(words[first : first + size]), village=True):
                return Mention(first, first + size, places)
        return None


def _announced(landmark: Landmark, before: str) -> bool:
    """Whether the word before a name lets it be this landmark: `jalan` for a road, `banjar` for a banjar."""
    if landmark.kind == "tempat":
        return True
    return place_words().get(before) == "road" if landmark.kind == "jalan" else before in _BANJAR_WORDS
