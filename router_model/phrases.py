"""Groups of words in readable tables, where they stand in a complaint, and rules over groups that stand close together.

A table of words has the columns `group` and `words`; phrases are separated by `;` and compared in their normal form
(`router_model.tokens`), so a number is written as zeros. A table of rules says: the words of `core`, with those of
every group in `near` (joined by `+`, alternatives by `/`) at most `within` words away, and no group of `unless` close
by, are a thing of this `kind`. A table of guards says which `words` at most `reach` words away, on which `side` of the
core, speak against it, for some `kinds` or, if empty, for all.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import NamedTuple

from router_model.complaint import Complaint
from router_model.tokens import Token, normal_words, tokens

SET_PHRASES = "(ungkapan)"
"""The group of set phrases, such as "kereta api", whose words stand for nothing else."""
SUFFIXES = ("", "nya", "ku", "mu", "e", "ne", "na")
"""What may hang on the last word of a phrase, in Indonesian, Javanese, Balinese and Sundanese."""
UNLESS_WITHIN = 3
"""Words between the core of a rule and what keeps it from holding."""
BEFORE, AFTER, AROUND, ANYWHERE = SIDES = ("sebelum", "sesudah", "sekitar", "di mana saja")
"""Where a guard stands: in the sentence of the core, or anywhere in what is read."""
_SENTENCE_ENDS = frozenset(".!?\n")


class Span(NamedTuple):
    """Words `first` to `last` (exclusive) of title and text together."""

    first: int
    last: int

    def gap(self, other: "Span") -> int:
        """Words between the two; negative if they overlap."""
        return max(other.first - self.last, self.first - other.last)


class Quote(NamedTuple):
    """Characters `start` to `end` of a field, `title` or `text`, of a complaint."""

    field: str
    start: int
    end: int

    def of(self, complaint: Complaint) -> str:
        """The citizen's words."""
        return " ".join(getattr(complaint, self.field)[self.start : self.end].split())


class Rule(NamedTuple):
    """`line` is where it stands in its table; each of `near` holds alternatives."""

    line: int
    kind: str
    core: str
    near: tuple[tuple[str, ...], ...]
    within: int
    unless: tuple[str, ...]


class Guard(NamedTuple):
    """`group` is that of its words, `name` what it has in common with other guards."""

    group: str
    name: str
    side: str
    reach: int
    kinds: frozenset[str]
    words: tuple[str, ...]

    def reaches(self, cue: Span, core: Span) -> bool:
        before, after = core.first - cue.last, cue.first - core.last
        return (self.side != AFTER and 0 <= before < self.reach) or (self.side != BEFORE and 0 <= after < self.reach)


@dataclass(slots=True)
class _Node:
    """Phrases by their next word; `groups` are those of the phrase that ends here."""

    next: dict[str, "_Node"] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


def rows(table: str) -> list[dict[str, str]]:
    """Rows of a table in `lexicon/`; the first stands on line 2."""
    with (resources.files("router_model") / "lexicon" / table).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, restval=""))


def cells(cell: str, separator: str = ";") -> tuple[str, ...]:
    """Parts of a cell, without blanks around them."""
    return tuple(part.strip() for part in cell.split(separator) if part.strip())


@dataclass
class Reading:
    """A complaint's words and where each group stands in them, from left to right."""

    complaint: Complaint
    words: Sequence[str]
    hits: Mapping[str, list[Span]]

    @cached_property
    def tokens(self) -> list[tuple[str, Token]]:
        """Field and token of each word."""
        fields = (("title", self.complaint.title), ("text", self.complaint.text))
        return [(name, token) for name, text in fields if text for token in tokens(text)]

    @cached_property
    def sentences(self) -> list[int]:
        """For each word the number of its sentence; the title is one of its own."""
        numbers: list[int] = []
        before = ("", 0)
        for name, token in self.tokens:
            between = "\n" if name != before[0] else getattr(self.complaint, name)[before[1] : token.start]
            ends = between == "\n" or (len(between) > 1 and not _SENTENCE_ENDS.isdisjoint(between))
            numbers.append((numbers[-1] if numbers else 0) + ends)
            before = (name, token.end)
        return numbers

    def quote(self, span: Span) -> Quote:
        """Where the words stand; of a span over both fields, the part in the field it begins in."""
        name, first = self.tokens[span.first]
        ends = (token.end for other, token in self.tokens[span.first : span.last] if other == name)
        return Quote(name, first.start, max(ends))

    def nearest(self, core: Span, groups: Sequence[str], within: int, across: bool = False) -> Span | None:
        """The nearest words of any of the groups that do not overlap the core; in its sentence, unless `across`."""
        found = [span for group in groups for span in self.hits.get(group, ()) if 0 <= core.gap(span) <= within]
        if not found or across:
            return min(found, key=core.gap, default=None)
        sentence = self.sentences[core.first]
        return min((span for span in found if self.sentences[span.first] == sentence), key=core.gap, default=None)

    def guarded(self, core: Span, kind: str, guard: Guard) -> bool:
        """Whether the guard speaks against a rule of this kind."""
        cues = self.hits.get(guard.group, ()) if not guard.kinds or kind in guard.kinds else ()
        if guard.side == ANYWHERE:
            return bool(cues)
        return any(guard.reaches(cue, core) and self.sentences[cue.first] == self.sentences[core.first] for cue in cues)

    def around(self, core: Span, rule: Rule, across: bool = False) -> tuple[Span, ...]:
        """The core and its near words where the rule holds, else nothing; in one sentence, unless `across`."""
        spans = [core]
        for groups in rule.near:
            if not (span := self.nearest(core, groups, rule.within, across)):
                return ()
            spans.append(span)
        return () if self.nearest(core, rule.unless, UNLESS_WITHIN, across) else tuple(spans)

    def held(self, rules: Iterable[Rule], across: bool = False) -> Iterator[tuple[Rule, tuple[Span, ...]]]:
        """Each place where a rule holds, in the order of the rules, with what is `around` its core."""
        for rule in rules:
            for core in self.hits.get(rule.core, ()):
                if spans := self.around(core, rule, across):
                    yield rule, spans


class Groups:
    """Groups of phrases and those of guards, ready to be found; `unbent` groups take no suffix."""

    def __init__(
        self,
        phrases: Mapping[str, Sequence[str]],
        guards: Sequence[Guard] = (),
        unbent: Collection[str] = (SET_PHRASES,),
    ) -> None:
        root = _Node()
        for group, found in (*phrases.items(), *((guard.group, guard.words) for guard in guards)):
            for phrase in found:
                *words, last = normal_words(phrase)
                for suffix in ("",) if group in unbent else SUFFIXES:
                    node = root
                    for word in (*words, last + suffix):
                        node = node.next.setdefault(word, _Node())
                    node.groups = tuple(sorted({*node.groups, group}))
        self._phrases: Mapping[str, _Node] = root.next

    def read(self, complaint: Complaint) -> Reading:
        """A cleaned complaint, title first."""
        words = normal_words(complaint.title) + normal_words(complaint.text)
        hits: dict[str, list[Span]] = {}
        count, harmless = len(words), 0
        known = self._phrases
        for first in [place for place, word in enumerate(words) if word in known]:
            if first < harmless:
                continue
            last = first
            found: list[tuple[Span, tuple[str, ...]]] = []
            node: _Node | None = known[words[first]]
            while node:
                last += 1
                if SET_PHRASES in node.groups:
                    harmless = last
                    found.clear()
                elif node.groups:
                    found.append((Span(first, last), node.groups))
                node = node.next.get(words[last]) if last < count else None
            for span, groups in found:
                for group in groups:
                    hits.setdefault(group, []).append(span)
        return Reading(complaint, words, hits)


def phrases(table: str) -> dict[str, list[str]]:
    """Phrases of each group of a table of words."""
    found: dict[str, list[str]] = {}
    for row in rows(table):
        found.setdefault(row["group"], []).extend(cells(row["words"]))
    return found


def rules(table: str) -> tuple[Rule, ...]:
    """The rules of a table, in its order."""
    return tuple(
        Rule(
            line,
            row["kind"],
            row["core"],
            tuple(cells(groups, "/") for groups in cells(row["near"], "+")),
            int(row["within"] or 0),
            cells(row["unless"]),
        )
        for line, row in enumerate(rows(table), start=2)
    )


def guards(table: str) -> tuple[Guard, ...]:
    """The guards of a table, in its order."""
    return tuple(
        Guard(
            f"{row['guard']} {line}",
            row["guard"],
            row["side"],
            int(row["reach"]),
            frozenset(cells(row["kinds"])),
            cells(row["words"]),
        )
        for line, row in enumerate(rows(table), start=2)
    )


def table_faults(
    words: str, rules_table: str, kinds: frozenset[str], read_elsewhere: frozenset[str] = frozenset()
) -> Iterator[str]:
    """What is wrong with the rows of two tables, in Indonesian: words nobody reads, names that no table has.

    `read_elsewhere` are groups that no rule needs to name.
    """
    known = phrases(words)
    seen: set[tuple[str, str]] = set()
    for line, row in enumerate(rows(words), start=2):
        place = f"{words} baris {line}"
        if not row["group"] or not cells(row["words"]):
            yield f"{place}: kolom group dan words harus terisi"
        for phrase in cells(row["words"]):
            if not normal_words(phrase):
                yield f"{place}: {phrase!r} tidak berisi kata"
            if (row["group"], phrase) in seen:
                yield f"{place}: {phrase!r} tertulis dua kali"
            seen.add((row["group"], phrase))
    used = {SET_PHRASES, *read_elsewhere}
    for line, row in enumerate(rows(rules_table), start=2):
        place = f"{rules_table} baris {line}"
        if row["kind"] not in kinds:
            yield f"{place}: kind {row['kind']!r} tidak dikenal"
        if row["near"] and not row["within"].isdigit():
            yield f"{place}: within {row['within']!r} harus bilangan bulat"
        near = (group for groups in cells(row["near"], "+") for group in cells(groups, "/"))
        named = {row["core"], *near, *cells(row["unless"])}
        used |= named
        for group in sorted(named - known.keys()):
            yield f"{place}: kelompok kata {group!r} tidak ada di {words}"
    for group in sorted(known.keys() - used):
        yield f"{words}: kelompok kata {group!r} tidak dipakai aturan mana pun"


def guard_faults(table: str, kinds: frozenset[str]) -> Iterator[str]:
    """What is wrong with the rows of a table of guards, in Indonesian."""
    for line, row in enumerate(rows(table), start=2):
        place = f"{table} baris {line}"
        if row["side"] not in SIDES:
            yield f"{place}: side {row['side']!r} harus salah satu dari {', '.join(SIDES)}"
        if not row["reach"].isdigit():
            yield f"{place}: reach {row['reach']!r} harus bilangan bulat"
        if not any(map(normal_words, cells(row["words"]))):
            yield f"{place}: kolom words harus terisi"
        for kind in sorted(set(cells(row["kinds"])) - kinds):
            yield f"{place}: kind {kind!r} tidak dikenal"
