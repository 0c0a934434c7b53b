"""A release beside the one it met, as its page shows it: the same complaints, answer by answer and class by class."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from router_model.errors import PortalError
from router_model.portal import Portal, load_portal
from service.database.learning_data import learning_rows
from training.comparison import (
    ANSWERS,
    ClassChange,
    Difference,
    Pair,
    changed,
    class_changes,
    difference,
    read_pairs,
    wilson,
)
from training.complaint_keys import seen_key
from training.label_names import label_name
from training.reading import parse_moment

NAMES = {"agency": "Instansi", "category": "Kategori", "urgency": "Urgensi", "report_type": "Jenis laporan"}
MOST_EXAMPLES = 10
LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer of both; `words` say plainly who is better."""

    answer: str
    found: Difference

    @property
    def name(self) -> str:
        return NAMES[self.answer]

    @property
    def tone(self) -> str:
        return "neutral" if not self.found.clear else "good" if self.found.lead > 0 else "danger"

    @property
    def words(self) -> str:
        return "tidak berbeda nyata" if not self.found.clear else "lebih baik" if self.found.lead > 0 else "lebih buruk"


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How often the complaints of one class were named so by each, with 95 % intervals."""

    name: str
    change: ClassChange
    champion: tuple[float, float]
    challenger: tuple[float, float]

    @property
    def moved(self) -> bool:
        return self.change.gained + self.change.lost > 0

    @property
    def tone(self) -> str:
        return "neutral" if not self.change.clear else "good" if self.change.gained > self.change.lost else "danger"

    @property
    def words(self) -> str:
        if not self.change.clear:
            return "tidak nyata" if self.moved else "sama"
        return "membaik" if self.change.gained > self.change.lost else "memburuk"


@dataclass(frozen=True, slots=True)
class Example:
    """A complaint that only one of them was right of; each answer with its probability. `key` finds its text."""

    key: int
    received_at: datetime | None
    wanted: str
    champion: tuple[str, float]
    challenger: tuple[str, float]

    @property
    def day(self) -> datetime | None:
        """In the portal's own time, whatever a page's zone is."""
        return self.received_at.replace(tzinfo=UTC) if self.received_at else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`rows` complaints that neither had learned. Classes and examples are of one `answer`; there are `gained`
    complaints that only the newer release is right of, and `lost` ones."""

    rows: int
    measured: tuple[Measured, ...]
    answer: str
    classes: tuple[ClassRow, ...]
    gained: int
    lost: int
    better: tuple[Example, ...]
    worse: tuple[Example, ...]


def compared(registry: Path, manifest: Mapping[str, Any], wanted: str) -> Comparison | None:
    """`None` where no release was met, or the rows of the meeting were not kept; see `figures_of` then.

    `wanted` is the answer to look into; the first one both gave where they gave none of that.
    """
    folder = registry / manifest["id"]
    gate = manifest.get("gate") or {}
    pairs = read_pairs(folder) if gate.get("compared") else None
    if not pairs:
        return None
    measured = tuple(Measured(answer, found) for answer in ANSWERS if (found := difference(pairs, answer)))
    answers = [item.answer for item in measured]
    if not answers:
        return None
    answer = wanted if wanted in answers else answers[0]
    names = _Names([folder / "portal", registry / Path(gate["against"]).name / "portal"], answer)
    better, worse = changed(pairs, answer)
    return Comparison(
        rows=len(pairs),
        measured=measured,
        answer=answer,
        classes=tuple(_class_row(item, names) for item in class_changes(pairs, answer)),
        gained=len(better),
        lost=len(worse),
        better=tuple(_example(pair, answer, names) for pair in better[:MOST_EXAMPLES]),
        worse=tuple(_example(pair, answer, names) for pair in worse[:MOST_EXAMPLES]),
    )


def figures_of(gate: Mapping[str, Any]) -> tuple[Measured, ...]:
    """What a gate kept of its comparison: enough for the answers, not for classes and examples."""
    kept = gate.get("compared") or {}
    return tuple(
        Measured(
            answer,
            Difference(item["n"], item["champion"], item["challenger"], (item["interval"][0], item["interval"][1])),
        )
        for answer in ANSWERS
        if (item := kept.get(answer))
    )


def texts(connection: Connection, portal: str, examples: Collection[Example]) -> dict[int, str]:
    """The opening of each complaint by its key, masked as it is kept; what was erased is missing.

    Releases hold no text, so it is looked for in all that the portal learns from. The moment narrows that down.
    """
    keys = {example.key for example in examples}
    moments = {example.received_at for example in examples}
    found: dict[int, str] = {}
    for row in learning_rows(connection, portal) if keys else ():
        moment = parse_moment(row.get("received_at"))
        if (moment.replace(microsecond=0) if moment else None) not in moments:
            continue
        if (key := seen_key(row.complaint)) in keys:
            text = " ".join(filter(None, (row.get("title"), row.get("text"))))
            found[key] = textwrap.shorten(text, LONGEST_TEXT, placeholder=" …")
    return found


class _Names:
    """What people call a class: as the first portal that knows it does."""

    def __init__(self, folders: Sequence[Path], answer: str) -> None:
        self._portals = [portal for folder in folders if (portal := _portal(folder))]
        self._answer = answer

    def of(self, code: str) -> str:
        for portal in self._portals:
            if (name := label_name(portal, self._answer, code)) != code:
                return name
        return code


def _portal(folder: Path) -> Portal | None:
    """A release that was met long ago may be gone or broken."""
    try:
        return load_portal(folder)
    except PortalError:
        return None


def _class_row(change: ClassChange, names: _Names) -> ClassRow:
    return ClassRow(
        names.of(change.code), change, wilson(change.champion, change.n), wilson(change.challenger, change.n)
    )


def _example(pair: Pair, answer: str, names: _Names) -> Example:
    old, new = pair.old.given[answer], pair.new.given[answer]
    return Example(
        key=pair.new.key,
        received_at=pair.new.received_at,
        wanted=names.of(pair.wanted(answer)),
        champion=(names.of(old[0]), old[1]),
        challenger=(names.of(new[0]), new[1]),
    )
