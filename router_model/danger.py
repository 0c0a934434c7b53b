"""A safety net under the learned urgency: readable rules that find danger in a citizen's own words.

The rules are tables in `lexicon/` that a person who does not program reads and changes: `danger_words.tsv` names groups
of words in many voices; `danger_rules.tsv` says which groups close together are danger of which family;
`danger_guards.tsv` says what around them takes the danger away or lessens it (negation, past, drill, question,
metaphor, name, thanks); `danger_families.tsv` says what a family is called and who must not see it. Levels follow the
hazard, who is exposed and how soon; tone, capitals and exclamation marks are not read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import NamedTuple

from router_model.complaint import Complaint
from router_model.danger_families import families
from router_model.phrases import (
    BEFORE,
    Groups,
    Guard,
    Quote,
    Reading,
    Rule,
    Span,
    guard_faults,
    guards,
    phrases,
    rows,
    rules,
    table_faults,
)
from router_model.portal import URGENCY_LEVELS

GUARDED = "(dijaga)"
"""Stands among the groups of a complaint in which guards took a danger away or lessened it."""
DENIED = " (dibantah)"
"""Follows the name of a group with which rules begin, where guards take away whatever its words tell."""
_WORDS, _RULES, _GUARDS = "danger_words.tsv", "danger_rules.tsv", "danger_guards.tsv"
_NEGATION = "negasi"
_NOW = "kini"
_NOT_NOW = frozenset({"lampau", "andai"})
_QUOTES = frozenset("\"'“”‘’«»")
_OPENED = re.compile(r"""(?:\A|[\W_])(["'“”‘’«»][^"'“”‘’«»]*)\Z""")
_CLOSED = re.compile(r"""([^"'“”‘’«»]*)["'“”‘’«»]""")


class Danger(NamedTuple):
    """Danger of a family (`danger_families.tsv`), `darurat` or `tinggi`, and the citizen's words that tell of it."""

    family: str
    level: str
    words: Quote


class Signs(NamedTuple):
    """What a complaint says of danger: `groups` of words that stand in it, marked where they are `DENIED`, guards by
    their name (none where no rule can begin), and `dangers`, what the rules make of them, worst first and one of each
    family."""

    groups: frozenset[str]
    dangers: tuple[Danger, ...]


class _Lexicon(NamedTuple):
    """Rules with their level by their core; guards with the level that they leave, empty for none."""

    groups: Groups
    rules: dict[str, list[tuple[Rule, str]]]
    guards: dict[str, tuple[Guard, str]]


@cache
def _lexicon() -> _Lexicon:
    against = guards(_GUARDS)
    by_core: dict[str, list[tuple[Rule, str]]] = {}
    for rule, row in zip(rules(_RULES), rows(_RULES), strict=True):
        by_core.setdefault(rule.core, []).append((rule, row["level"]))
    leaves = {guard.group: (guard, row["leaves"]) for guard, row in zip(against, rows(_GUARDS), strict=True)}
    return _Lexicon(Groups(phrases(_WORDS), against), by_core, leaves)


def _affirmed(reading: Reading) -> Reading:
    """Without the words that a negation stands right before."""
    negations = (
        guard.group for guard, _ in _lexicon().guards.values() if (guard.name, guard.side) == (_NEGATION, BEFORE)
    )
    negated = {cue.last for group in negations for cue in reading.hits.get(group, ())}
    if not negated:
        return reading
    hits = {group: [span for span in spans if span.first not in negated] for group, spans in reading.hits.items()}
    return replace(reading, hits=hits)


@lru_cache(maxsize=2)
def _characters(complaint: Complaint) -> frozenset[str]:
    return frozenset(complaint.title + complaint.text)


def _in_quotation_marks(reading: Reading, core: Span) -> bool:
    """Whether the words stand in them alone, or with up to two more on either side."""
    if _QUOTES.isdisjoint(_characters(reading.complaint)):
        return False
    name, start, end = reading.quote(core)
    text = getattr(reading.complaint, name)
    opened, closed = _OPENED.search(text[max(0, start - 25) : start]), _CLOSED.match(text[end : end + 25])
    return opened is not None and closed is not None and len(opened[1].split()) + len(closed[1].split()) <= 4


def _left(reading: Reading, core: Span, family: str, level: str) -> str:
    """The level that the guards leave, empty for none."""
    known = _lexicon().guards
    heard = (known[group] for group in reading.hits.keys() & known.keys())
    holding = [(guard.name, leaves) for guard, leaves in heard if reading.guarded(core, family, guard)]
    if any(name == _NOW for name, _ in holding):
        holding = [(name, leaves) for name, leaves in holding if name not in _NOT_NOW | {_NOW}]
    if any(not leaves for _, leaves in holding) or _in_quotation_marks(reading, core):
        return ""
    return "tinggi" if holding else level


def _found(reading: Reading) -> Iterator[tuple[Danger, str]]:
    """What the rules find and the guards leave of it, with the level before."""
    affirmed = _affirmed(reading)
    for group in reading.hits.keys() & _lexicon().rules:
        for rule, level in _lexicon().rules[group]:
            for core in reading.hits[group]:
                if spans := affirmed.around(core, rule, across=True):
                    words = reading.quote(Span(min(span.first for span in spans), max(span.last for span in spans)))
                    yield Danger(rule.kind, _left(reading, core, rule.kind, level), words), level


def _told(reading: Reading, group: str) -> str:
    """The group as the model reads it."""
    lexicon = _lexicon()
    if group in lexicon.guards:
        return lexicon.guards[group][0].name
    kinds = {rule.kind for rule, _ in lexicon.rules.get(group, ())}
    places = ((core, kind) for core in reading.hits[group] for kind in kinds)
    denied = bool(kinds) and not any(_left(reading, core, kind, "darurat") for core, kind in places)
    return group + DENIED * denied


def signs(complaint: Complaint) -> Signs:
    """What in title and text, each for itself, of a cleaned complaint tells of danger."""
    lexicon = _lexicon()
    groups: set[str] = set()
    found: list[Danger] = []
    for part in (Complaint("", title=complaint.title), Complaint(complaint.text)):
        reading = lexicon.groups.read(part)
        if lexicon.rules.keys().isdisjoint(reading.hits):
            continue
        groups.update(_told(reading, group) for group in reading.hits)
        for danger, before in _found(reading):
            if danger.level != before:
                groups.add(GUARDED)
            if danger.level:
                found.append(danger)
    # A title stands before the text.
    found.sort(key=lambda danger: (_rank(danger.level), danger.words.field != "title", danger.words, danger.family))
    worst: dict[str, Danger] = {}
    for danger in found:
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


def confidentiality(found: Sequence[Danger]) -> str:
    """Who must not see the complaint, in Indonesian; empty if nobody is kept out."""
    return " ".join(filter(None, dict.fromkeys(families()[danger.family].confidential for danger in found)))


def lexicon_faults() -> Iterator[str]:
    """What a row of the tables names and no table has, in Indonesian."""
    known = frozenset(families())
    yield from table_faults(_WORDS, _RULES, known)
    yield from guard_faults(_GUARDS, known)
    for line, row in enumerate(rows(_RULES), start=2):
        if row["level"] not in ("darurat", "tinggi"):
            yield f"{_RULES} baris {line}: level {row['level']!r} harus darurat atau tinggi"
