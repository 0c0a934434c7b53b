"""A field of a complaint, cut where the words that spoke for the first answer begin and end."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.wire import EvidenceOut

LEAST_SHARE = 0.1
STRONGER, STRONGEST = 0.3, 0.6
"""Shares of the heaviest word's weight from which a word is marked, marked more, and marked most."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the masked field; `strength` 0 is plain, 3 spoke loudest."""

    text: str
    strength: int = 0


def marked(text: str, field: str, evidence: Sequence[EvidenceOut]) -> list[Part]:
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
    return [part for part in (*parts, Part(text[position:])) if part.text]
