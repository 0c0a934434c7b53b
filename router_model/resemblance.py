"""Whether two complaints of a portal resemble each other: sent again, part of a campaign, or about the same thing.

A complaint is recognised by a signature of its clean, masked words: a bottom-k sketch of its words and neighbouring
words (Broder 1997, "On the resemblance and containment of documents"; exact for texts of up to `SKETCH` of them), the
spots that it names, and keys under which those that may resemble it are found (MinHash in bands). Where it points to,
if it says so, tells with the spots whether two are about one thing.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, cached_property
from itertools import islice, pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from router_model.complaint import Complaint
from router_model.name_words import no_names
from router_model.place import FoundPlace
from router_model.point import Point, cells, metres
from router_model.resemblance_limits import ResemblanceLimits
from router_model.spots import (
    DISTRICT,
    NUMBERS,
    ROADS,
    VILLAGE,
    Spot,
    differ,
    hashed,
    kind_of,
    shared,
    spot_words,
    spots_in,
    spots_of,
)
from router_model.tokens import Token, stem, tokens

SKETCH = 64
BANDS, ROWS = 8, 4
"""Of two texts with similarity 0.7 nine in ten share a key, with 0.8 all but one in a hundred; of texts with 0.1 one
in a thousand pairs. Equal texts always do."""
MOST_SPOT_KEYS, MOST_EXACT_KEYS, POINT_KEYS = 4, 2, 4
MOST_KEYS = 2 + BANDS + MOST_SPOT_KEYS + MOST_EXACT_KEYS + POINT_KEYS
"""The text, its bands, the text of a sender, spots in a category, exact spots in any, and a point's cells."""
FEW_WORDS = 6
"""A text of fewer words says too little: `lampu mati` is the same only where place or sender is the same too."""
MANY_WORDS = 15
"""A text of so many words is not written twice by chance: many who send it from different places are a campaign."""
FEW_IN_COMMON = 3
"""Of fewer words in common nothing follows where the categories differ."""
FAR = 10
"""So many times the distance at which two points are one spot they are two. A phone errs by 10 to 50 metres, and who
reports from the next corner means the same; few report from half a kilometre away."""
_PLEASE = frozenset(
    {"mohon", "tolong", "segera", "terima", "kasih", "terimakasih", "salam", "hormat", "min", "admin", "trims"}
)
"""What is added to a text that is sent again, and says nothing of its matter."""
_WORD, _PAIR = 0xFFFF_FFFE, 1
_SPREAD = 0x9E37_79B1
_MULTIPLIERS = np.random.default_rng(5171).integers(0, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)


class Kind(StrEnum):
    """How a complaint resembles an earlier one."""

    RESENT = "resent"
    CAMPAIGN = "campaign"
    SAME_OBJECT = "same_object"


KIND_LABELS = {
    Kind.RESENT: "Dikirim ulang",
    Kind.CAMPAIGN: "Kampanye (teks sama, banyak pengirim)",
    Kind.SAME_OBJECT: "Laporan lain tentang hal yang sama",
}
_OF_NUMBERS = frozenset(map(kind_of, NUMBERS))
_OF_ROADS = frozenset(map(kind_of, ROADS))
_OF_AREAS = frozenset({kind_of(VILLAGE), kind_of(DISTRICT)}) | _OF_NUMBERS
_ORDER = {Kind.RESENT: 0, Kind.SAME_OBJECT: 1, Kind.CAMPAIGN: 2}


@dataclass(frozen=True)
class Signature:
    """`sketch` holds the least hashes of words (even) and of neighbouring words (odd), ascending; `text` is the hash
    of all words in their order, and `words` their number."""

    words: int
    text: int
    sketch: tuple[int, ...]
    spots: tuple[Spot, ...] = ()

    @cached_property
    def hashes(self) -> frozenset[int]:
        return frozenset(self.sketch)


@dataclass(frozen=True)
class Reported:
    """A complaint as it is compared. `sender` is a hash, "" if it is not known; `category` is a code, "" for none;
    `point` is where it says that its matter is."""

    signature: Signature
    at: datetime
    category: str = ""
    sender: str = ""
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Resembling:
    """`number` is the place of the earlier complaint in what was compared; `similarity` is that of the texts."""

    number: int
    kind: Kind
    similarity: float


def signature_of(complaint: Complaint, place: FoundPlace | None = None) -> Signature | None:
    """Of a clean, masked complaint; `None` if it has no words."""
    text = complaint.words
    words = tokens(text)
    if not words:
        return None
    said = [_said(text, word) for word in words]
    told = [word for word in said if word not in _PLEASE] or said
    named = spots_in(text, words)
    naming = {number for item in named for number in range(item.first, item.last)}
    content = {
        stem(word)
        for number, word in enumerate(said)
        if number not in naming and len(word) > 1 and word not in no_names() and word not in _PLEASE
    }
    hashes = {_mixed(hashed(word)) & _WORD for word in content}
    hashes.update(_mixed(hashed(f"{one} {two}")) | _PAIR for one, two in pairwise(told))
    if not hashes:
        hashes.update(_mixed(hashed(word)) & _WORD for word in said)
    return Signature(
        words=len(words),
        text=hashed(" ".join(said)) << 16 | len(words),
        sketch=tuple(sorted(hashes)[:SKETCH]),
        spots=spots_of(complaint, named, place),
    )


def _said(text: str, word: Token) -> str:
    """Normal, but a number keeps its value: it may be that of a house."""
    return text[word.start : word.end].casefold().lstrip("0") if "0" in word.normal else word.normal


def _mixed(value: int) -> int:
    """The least of many such numbers are a random choice; those of CRC-32 alone might not be."""
    return value * _SPREAD & 0xFFFF_FFFF


def similarity(one: Signature, other: Signature) -> float:
    """Of the texts: the share of words and neighbouring words that both have of those that either has."""
    if one.text == other.text:
        return 1.0
    both = one.hashes | other.hashes
    if max(len(one.sketch), len(other.sketch)) == SKETCH:
        both = frozenset(sorted(both)[:SKETCH])
    return len(one.hashes & other.hashes & both) / len(both)


def words_shared(one: Signature, other: Signature) -> float:
    """The share of content words of the text with fewer of them that the other has too; names of spots are none."""
    ours, theirs = _content(one, other)
    fewer = min(len(ours), len(theirs))
    return len(ours & theirs) / fewer if fewer else 0.0


def _content(one: Signature, other: Signature) -> tuple[set[int], set[int]]:
    """Hashes of content words of both, as far as both sketches reach."""
    last = min(item.sketch[-1] if len(item.sketch) == SKETCH else 2**32 for item in (one, other))
    ours, theirs = ({value for value in item.sketch if not value & 1 and value <= last} for item in (one, other))
    return ours, theirs


def keys_of(portal: str, reported: Reported) -> list[int]:
    """Signed 32-bit numbers, at last `POINT_KEYS` of its point if it has one. Two complaints that resemble each other
    most likely share one; those that share one need not resemble each other."""
    signature = reported.signature
    named = [f"text {signature.text}", *_bands(signature.sketch)]
    if reported.sender:
        named.append(f"sender {signature.text} {reported.sender}")
    if reported.category:
        spots = [spot for spot in signature.spots if spot.kind not in _OF_AREAS]
        named.extend(f"spot {reported.category} {spot.kind} {spot.first}" for spot in spots[:MOST_SPOT_KEYS])
    named.extend(islice(_exact_spots(signature.spots), MOST_EXACT_KEYS))
    if reported.point:
        named.extend(f"cell {cell}" for cell in cells(reported.point))
    return list(dict.fromkeys(crc32(f"{portal} {name}".encode()) - 2**31 for name in named))


def _exact_spots(spots: Sequence[Spot]) -> Iterator[str]:
    """Of so few square metres that whatever is said of them may be looked through, in any category."""
    roads = [spot for spot in spots if spot.kind in _OF_ROADS]
    finer = [spot for spot in spots if spot.kind not in _OF_ROADS | {kind_of(VILLAGE), kind_of(DISTRICT)}]
    for road in roads:
        yield from (f"at {road.kind} {road.first} {spot.kind} {spot.first}" for spot in finer)
    yield from (f"at {spot.kind} {spot.first}" for spot in finer if spot.kind not in _OF_NUMBERS | _long())


def text_key(portal: str, signature: Signature) -> int:
    """The one of `keys_of` that only equal texts have."""
    return crc32(f"{portal} text {signature.text}".encode()) - 2**31


def _bands(sketch: Sequence[int]) -> Iterator[str]:
    values: NDArray[np.uint64] = np.array(sketch, np.uint64)[:, None] * _MULTIPLIERS
    least = (values >> np.uint64(32)).min(axis=0).astype(np.uint32)
    for number, band in enumerate(least.reshape(BANDS, ROWS)):
        yield f"band {number} {band.tobytes().hex()}"


def resembling(new: Reported, earlier: Sequence[Reported], limits: ResemblanceLimits) -> list[Resembling]:
    """Those of `earlier` that a complaint resembles: sent again first, then about the same thing, then of a campaign;
    the most similar first, and of equally similar ones the first given."""
    copies, elsewhere, objects = list[Resembling](), list[Resembling](), list[Resembling]()
    for number, other in enumerate(earlier):
        apart, where = abs(new.at - other.at), _where(new, other, limits)
        alike = similarity(new.signature, other.signature)
        if apart <= timedelta(days=limits.days) and alike >= limits.same_text and _tells(new, other, where):
            if not (where.differs or where.far):
                copies.append(Resembling(number, Kind.RESENT, alike))
                continue
            if (alike == 1.0 or not where.differs) and new.signature.words >= MANY_WORDS:
                elsewhere.append(Resembling(number, Kind.CAMPAIGN, alike))
                continue
        one_place = not (where.differs or where.far)
        if apart <= timedelta(days=limits.object_days) and one_place and _same_object(new, other, where, limits):
            objects.append(Resembling(number, Kind.SAME_OBJECT, alike))
    found = [*_copies(new, earlier, copies, elsewhere, limits.campaign), *objects]
    return sorted(found, key=lambda item: (_ORDER[item.kind], -item.similarity, item.number))


@dataclass(frozen=True, slots=True)
class _Where:
    """What two complaints say of where they are. `both` are the spots that both name, but for a mere district;
    `exact` tells that these are one place by themselves, `differs` that other spots speak against it. Points are near
    or far, or neither: what the complaints name exactly counts for more than points that are far apart, which may be
    where somebody sat and wrote."""

    both: frozenset[Spot]
    exact: bool
    differs: bool
    near: bool
    far: bool


def _where(new: Reported, other: Reported, limits: ResemblanceLimits) -> _Where:
    ours, theirs = new.signature.spots, other.signature.spots
    both = frozenset(spot for spot in shared(ours, theirs) if spot.kind != kind_of(DISTRICT))
    exact = _is_exact(both)
    apart = metres(new.point, other.point) if new.point and other.point else None
    return _Where(
        both=both,
        exact=exact,
        differs=differ(ours, theirs),
        near=apart is not None and apart <= limits.metres,
        far=apart is not None and apart > FAR * limits.metres and not exact,
    )


def _tells(new: Reported, other: Reported, where: _Where) -> bool:
    if new.signature.words >= FEW_WORDS and other.signature.words >= FEW_WORDS:
        return True
    return _same_sender(new, other) or where.near or bool(where.both)


def _same_sender(new: Reported, other: Reported) -> bool:
    return new.sender != "" and new.sender == other.sender


@cache
def _serving() -> frozenset[int]:
    return frozenset(map(kind_of, spot_words("serving")))


@cache
def _long() -> frozenset[int]:
    """Kinds of spots at which much may be the matter."""
    return _OF_ROADS | _serving()


@cache
def _single() -> frozenset[int]:
    return frozenset(map(kind_of, spot_words("one_of_a_kind")))


def _is_exact(both: Collection[Spot]) -> bool:
    """Whether spots that two complaints name are one place, at which few things are the matter."""
    village = any(spot.kind == kind_of(VILLAGE) for spot in both)
    roads = {spot for spot in both if spot.kind in _long()}
    numbers = {spot for spot in both if spot.kind in _OF_NUMBERS}
    marks = {spot for spot in both if spot.kind != kind_of(VILLAGE)} - roads - numbers
    if (roads and (numbers or marks)) or len(roads) > 1 or len(marks) > 1:
        return True
    return any(spot.second or village or spot.kind in _single() for spot in marks)


def _same_object(new: Reported, other: Reported, where: _Where, limits: ResemblanceLimits) -> bool:
    """The more the category says, the less words have to: of another one the place must be exact and words agree."""
    one, two = new.signature, other.signature
    alike = words_shared(one, two) >= limits.same_words
    if not new.category or new.category != other.category:
        ours, theirs = _content(one, two)
        return (where.exact or where.near) and alike and len(ours & theirs) >= FEW_IN_COMMON
    busy = any(spot.kind in _serving() for spot in (*one.spots, *two.spots))
    if where.exact or (where.near and not busy):
        return True
    return alike and (where.near or any(spot.kind in _long() for spot in where.both))


def _copies(
    new: Reported,
    earlier: Sequence[Reported],
    copies: Sequence[Resembling],
    elsewhere: Sequence[Resembling],
    campaign: int,
) -> Iterator[Resembling]:
    """Who is not known counts as one of many, but not where the places differ: that may be one who reports several
    things in the same words."""
    far = [item for item in elsewhere if new.sender and earlier[item.number].sender]
    known = {earlier[item.number].sender for item in (*copies, *far)} - {"", new.sender}
    unknown = sum(not earlier[item.number].sender for item in copies)
    is_campaign = 1 + len(known) + unknown >= campaign
    for item in (*copies, *(far if is_campaign else ())):
        own = _same_sender(new, earlier[item.number])
        yield Resembling(item.number, Kind.CAMPAIGN if is_campaign and not own else Kind.RESENT, item.similarity)
