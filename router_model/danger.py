"""A safety net under the learned urgency: readable rules that find danger in a citizen's own words.

The rules are tables in `lexicon/` that a person who does not program reads and changes: `danger_words.tsv` names groups
of words in many voices; `danger_rules.tsv` says which groups close together are danger of which family;
`danger_guards.tsv` says what around them takes the danger away or lessens it (negation, past, drill, question,
metaphor, name, thanks); `danger_families.tsv` says what a family is called and who must not see it. Levels follow the
hazard, who is exposed and how soon; tone, capitals and exclamation marks are not read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import pairwise
from typing import NamedTuple

from router_model.complaint import Complaint
from router_model.danger_families import families
from router_model.phrases import SIDES, SUFFIXES, UNLESS_WITHIN, Span, cells, rows
from router_model.portal import URGENCY_LEVELS
from router_model.tokens import Token, normal_words, tokens

HARMLESS = "(bukan bahaya)"
"""The group of set phrases, such as "kereta api", whose words stand for nothing else."""
GUARDED = "(dijaga)"
"""Stands among the groups of a complaint in which guards took a danger away or lessened it."""
ANYWHERE = "di mana saja"
"""The side of a guard that holds for a whole field, whatever sentence it stands in."""
_QUOTES = "\"'“”‘’«»"
_SENTENCE_ENDS = frozenset(".!?\n")
_NOW = "kini"
_NOT_NOW = frozenset({"lampau", "andai"})


class Danger(NamedTuple):
    """Danger of a family (`danger_families.tsv`), `darurat` or `tinggi`, and the citizen's words that tell of it:
    characters `start` to `end` of a field of the complaint. `confidential`: not everybody may see it."""

    family: str
    level: str
    field: str
    start: int
    end: int
    confidential: bool


class Signs(NamedTuple):
    """What a complaint says of danger: `groups` of words that stand in it, guards by their kind (none where no rule
    can begin), and `dangers`, what the rules make of them, worst first and one of each family."""

    groups: frozenset[str]
    dangers: tuple[Danger, ...]


@dataclass(slots=True)
class _Node:
    """Phrases by their next word; `groups` are those of the phrase that ends here."""

    next: dict[str, "_Node"] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rule:
    family: str
    level: str
    near: tuple[str, ...]
    within: int
    unless: tuple[str, ...]

    @cached_property
    def needed(self) -> frozenset[str]:
        return frozenset(self.near)


@dataclass(frozen=True, slots=True)
class _Guard:
    """`leaves` is the level that remains, empty for none; `families` are all if empty."""

    kind: str
    side: str
    reach: int
    leaves: str
    families: frozenset[str]

    @property
    def negates(self) -> bool:
        return self.kind == "negasi" and self.side == "sebelum"

    def holds(self, cue: Span, core: Span) -> bool:
        before, after = core.first - cue.last, cue.first - core.last
        return (self.side != "sesudah" and 0 <= before < self.reach) or (
            self.side != "sebelum" and 0 <= after < self.reach
        )


@dataclass(frozen=True)
class _Lexicon:
    phrases: Mapping[str, _Node]
    cores: frozenset[str]
    rules: Mapping[str, tuple[_Rule, ...]]
    guards: Mapping[str, _Guard]


@dataclass
class _Reading:
    """One field of a complaint: its words, and where each group of words stands."""

    name: str
    text: str
    hits: Mapping[str, list[Span]]
    guards: Mapping[str, _Guard]

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens(self.text)

    @cached_property
    def ends(self) -> list[int]:
        """Words with which a new sentence begins."""
        between = ((left.end, right.start) for left, right in pairwise(self.tokens))
        return [
            position
            for position, (end, start) in enumerate(between, start=1)
            if start - end > 1 and not _SENTENCE_ENDS.isdisjoint(self.text[end:start])
        ]

    @cached_property
    def negations(self) -> frozenset[int]:
        """Words that a negation stands right before."""
        cues = (self.hits.get(group, ()) for group, guard in self.guards.items() if guard.negates)
        return frozenset(cue.last for spans in cues for cue in spans)

    def same_sentence(self, one: Span, other: Span) -> bool:
        first, last = min(one.last, other.last), max(one.first, other.first)
        return not any(first <= end <= last for end in self.ends)

    def quoted(self, core: Span) -> bool:
        """Whether the words alone, or with up to two more, stand in quotation marks."""
        start, end = self.tokens[core.first].start, self.tokens[core.last - 1].end
        left, right = self.text[max(0, start - 25) : start], self.text[end : end + 25]
        opened = max(left.rfind(mark) for mark in _QUOTES)
        closed = min((at for mark in _QUOTES if (at := right.find(mark)) >= 0), default=-1)
        if opened < 0 or closed < 0 or len(left[opened:].split()) + len(right[:closed].split()) > 4:
            return False
        return opened == 0 or not left[opened - 1].isalnum()

    def nearest(self, core: Span, group: str, within: int) -> Span | None:
        found = [span for span in self.hits.get(group, ()) if 0 <= core.gap(span) <= within]
        found = [span for span in found if span.first not in self.negations]
        return min(found, key=core.gap, default=None)

    def lessened(self, core: Span, family: str, level: str) -> str:
        """The level that the guards leave, empty for none."""
        holding = list(self._holding(core, family))
        if any(guard.kind == _NOW for guard in holding):
            holding = [guard for guard in holding if guard.kind not in _NOT_NOW]
        holding = [guard for guard in holding if guard.kind != _NOW]
        if any(not guard.leaves for guard in holding) or self.quoted(core):
            return ""
        return "tinggi" if holding else level

    def _holding(self, core: Span, family: str) -> Iterator[_Guard]:
        for group, guard in self.guards.items():
            if guard.families and family not in guard.families:
                continue
            cues = self.hits.get(group, ())
            if guard.side == ANYWHERE:
                if cues:
                    yield guard
            elif any(guard.holds(cue, core) and self.same_sentence(cue, core) for cue in cues):
                yield guard


@cache
def _lexicon() -> _Lexicon:
    root = _Node()

    def add(group: str, cell: str) -> None:
        for phrase in cells(cell):
            *words, last = normal_words(phrase)
            for suffix in SUFFIXES if group != HARMLESS else ("",):
                node = root
                for word in (*words, last + suffix):
                    node = node.next.setdefault(word, _Node())
                node.groups = tuple(sorted({*node.groups, group}))

    for row in rows("danger_words.tsv"):
        add(row["group"], row["words"])
    guards = {}
    for number, row in enumerate(rows("danger_guards.tsv")):
        group = f"{row['guard']} {number}"
        add(group, row["words"])
        guards[group] = _Guard(
            row["guard"], row["side"], int(row["reach"]), row["leaves"], frozenset(cells(row["families"]))
        )
    rules: dict[str, list[_Rule]] = {}
    for row in rows("danger_rules.tsv"):
        near = cells(row["near"], "+")
        rule = _Rule(row["family"], row["level"], near, int(row["within"] or 3), cells(row["unless"]))
        rules.setdefault(row["core"], []).append(rule)
    return _Lexicon(root.next, frozenset(rules), {core: tuple(found) for core, found in rules.items()}, guards)


def _hits(words: Sequence[str], lexicon: _Lexicon) -> dict[str, list[Span]]:
    """Where each group of words stands, from left to right; nothing if no rule can begin."""
    found: list[tuple[Span, tuple[str, ...]]] = []
    known, count, harmless = lexicon.phrases.get, len(words), 0
    for first, word in enumerate(words):
        node = known(word)
        if node is None or first < harmless:
            continue
        last = first
        while node:
            last += 1
            if node.groups:
                if HARMLESS in node.groups:
                    harmless = last
                    while found and found[-1][0].first == first:
                        found.pop()
                else:
                    found.append((Span(first, last), node.groups))
            node = node.next.get(words[last]) if last < count else None
    if all(lexicon.cores.isdisjoint(groups) for _, groups in found):
        return {}
    hits: dict[str, list[Span]] = {}
    for span, groups in found:
        for group in groups:
            hits.setdefault(group, []).append(span)
    return hits


def _found(reading: _Reading, lexicon: _Lexicon) -> Iterator[tuple[Danger, str]]:
    """What the rules find and the guards leave of it, with the level before."""
    for group in reading.hits.keys() & lexicon.cores:
        for rule in lexicon.rules[group]:
            if not reading.hits.keys() >= rule.needed:
                continue
            for core in reading.hits[group]:
                if danger := _danger(reading, rule, core):
                    yield danger, rule.level


def _danger(reading: _Reading, rule: _Rule, core: Span) -> Danger | None:
    spans = [core]
    for group in rule.near:
        near = reading.nearest(core, group, rule.within)
        if near is None:
            return None
        spans.append(near)
    if any(reading.nearest(core, group, UNLESS_WITHIN) for group in rule.unless):
        return None
    level = reading.lessened(core, rule.family, rule.level)
    start = reading.tokens[min(span.first for span in spans)].start
    end = reading.tokens[max(span.last for span in spans) - 1].end
    confidential = bool(families()[rule.family].confidential)
    return Danger(rule.family, level, reading.name, start, end, confidential)


def signs(complaint: Complaint) -> Signs:
    """What in title and text of a cleaned complaint tells of danger."""
    lexicon = _lexicon()
    groups: set[str] = set()
    found: list[Danger] = []
    for name, text in (("title", complaint.title), ("text", complaint.text)):
        if text and (hits := _hits(normal_words(text), lexicon)):
            groups.update(lexicon.guards[group].kind if group in lexicon.guards else group for group in hits)
            for danger, before in _found(_Reading(name, text, hits, lexicon.guards), lexicon):
                if danger.level != before:
                    groups.add(GUARDED)
                if danger.level:
                    found.append(danger)
    worst: dict[str, Danger] = {}
    order = sorted(
        found, key=lambda danger: (_rank(danger.level), danger.field != "title", *danger[3:5], danger.family)
    )
    for danger in order:
        worst.setdefault(danger.family, danger)
    return Signs(frozenset(groups), tuple(worst.values()))


def dangers(complaint: Complaint) -> tuple[Danger, ...]:
    """The dangers among `signs`."""
    return signs(complaint).dangers


def _rank(level: str) -> int:
    return URGENCY_LEVELS.index(level)


def raised(level: str, found: Sequence[Danger]) -> str:
    """The level the model gives, or that of the worst danger if it is higher; never a lower one."""
    return min((level, *(danger.level for danger in found)), key=_rank)


def words_of(complaint: Complaint, danger: Danger) -> str:
    """The citizen's words that tell of it."""
    text: str = getattr(complaint, danger.field)
    return " ".join(text[danger.start : danger.end].split())


def confidentiality(found: Sequence[Danger]) -> str:
    """Who must not see the complaint, in Indonesian; empty if nobody is kept out."""
    return " ".join(dict.fromkeys(families()[danger.family].confidential for danger in found if danger.confidential))


def lexicon_faults() -> Iterator[str]:
    """What a row of the tables names and no table has, in Indonesian."""
    groups = {row["group"] for row in rows("danger_words.tsv")}
    for number, row in enumerate(rows("danger_rules.tsv"), start=2):
        named = {row["core"], *cells(row["near"], "+"), *cells(row["unless"])}
        for group in sorted(named - groups):
            yield f"danger_rules.tsv baris {number}: kelompok kata {group!r} tidak ada di danger_words.tsv"
        if row["family"] not in families():
            yield f"danger_rules.tsv baris {number}: keluarga {row['family']!r} tidak ada di danger_families.tsv"
        if row["level"] not in ("darurat", "tinggi"):
            yield f"danger_rules.tsv baris {number}: level {row['level']!r} harus darurat atau tinggi"
    for number, row in enumerate(rows("danger_guards.tsv"), start=2):
        for family in sorted(set(cells(row["families"])) - families().keys()):
            yield f"danger_guards.tsv baris {number}: keluarga {family!r} tidak ada di danger_families.tsv"
        if row["side"] not in (sides := (*SIDES, ANYWHERE)):
            yield f"danger_guards.tsv baris {number}: side {row['side']!r} harus salah satu dari {', '.join(sides)}"
