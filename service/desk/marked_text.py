"""A field of a complaint, cut where the words that spoke for the first answer, or that name a place, begin and end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from service.wire import EvidenceOut, FoundPlaceOut

LEAST_SHARE = 0.1
STRONGER, STRONGEST = 0.3, 0.6
"""Shares of the heaviest word's weight from which a word is marked, marked more, and marked most."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the masked field; `strength` 0 is plain, 3 spoke loudest. `place` where it names one."""

    text: str
    strength: int = 0
    place: bool = False


def marked(text: str, field: str, evidence: Sequence[EvidenceOut], places: Sequence[FoundPlaceOut] = ()) -> list[Part]:
    """The parts put together give the text. Strengths of all fields of one complaint can be compared."""
    heaviest = max((item.weight for item in evidence), default=0.0)
    parts, position = [], 0
    for item in sorted((item for item in evidence if item.field == field), key=lambda item: item.start):
        share = item.weight / heaviest if heaviest > 0 else 0.0
        if share < LEAST_SHARE or item.start < position or item.end > len(text):
            continue
        parts.append(Part(text[position : item.start]))
        parts.append(Part(text[item.start : item.end], 1 + (share >= STRONGER) + (share >= STRONGEST)))
        position = item.end
    words = [(item.start, item.end) for item in places if item.source == field and item.end <= len(text)]
    return list(_with_places([part for part in (*parts, Part(text[position:])) if part.text], words))


def _with_places(parts: Sequence[Part], words: Sequence[tuple[int, int]]) -> Iterator[Part]:
    """The parts, cut once more where the names of places begin and end."""
    edges = sorted({edge for pair in words for edge in pair})
    position = 0
    for part in parts:
        end = position + len(part.text)
        cuts = [position, *(edge for edge in edges if position < edge < end), end]
        for start, stop in pairwise(cuts):
            named = any(first <= start and stop <= last for first, last in words)
            yield Part(part.text[start - position : stop - position], part.strength, named)
        position = end
