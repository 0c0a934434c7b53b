"""Recognises complaints "berkadar pengawasan" by readable rules: who, an official or a body of government, does what.

What counts follows the whistle-blowing rules of SP4N-LAPOR!: abuse of office, corruption and nepotism, breaches of
discipline and of neutrality. The rules are tables in `lexicon/` (see `router_model.phrases`): `oversight_words.tsv`,
`oversight_rules.tsv`, `oversight_guards.tsv` (questions, wishes, praise and negation that keep a rule from holding) and
`oversight_kinds.tsv` (what a kind is called, why staff see it, and who must not). The rules only ever raise the report
type to `pengawasan`.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from router_model.complaint import Complaint
from router_model.phrases import Groups, Guard, Quote, Rule, guard_faults, guards, phrases, rows, rules, table_faults

OVERSIGHT = "pengawasan"
"""The report type that a finding raises to."""


class Kind(NamedTuple):
    """A kind's name, why staff see it, and who must not see such a complaint, in Indonesian."""

    name: str
    reason: str
    confidential: str


class Oversight(NamedTuple):
    """What a rule, on a `line` of `oversight_rules.tsv`, found; first the words of the act, then what makes it one."""

    kind: str
    line: int
    words: tuple[Quote, ...]

    @property
    def reason(self) -> str:
        """Why, in Indonesian, for staff."""
        return kinds()[self.kind].reason


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its code."""
    return {row["kind"]: Kind(row["name"], row["reason"], row["confidential"]) for row in rows("oversight_kinds.tsv")}


@cache
def _tables() -> tuple[Groups, tuple[Rule, ...], tuple[Guard, ...]]:
    against = guards("oversight_guards.tsv")
    return Groups(phrases("oversight_words.tsv"), against), rules("oversight_rules.tsv"), against


def rules_held(complaint: Complaint) -> Iterator[Oversight]:
    """Every place where a rule holds in title and text of a cleaned complaint, in the order of the rules."""
    groups, known, against = _tables()
    reading = groups.read(complaint)
    for rule, spans in reading.held(known):
        if not any(reading.guarded(spans[0], rule.kind, guard) for guard in against):
            yield Oversight(rule.kind, rule.line, tuple(map(reading.quote, spans)))


def oversights(complaint: Complaint) -> tuple[Oversight, ...]:
    """What in a cleaned complaint calls for oversight, one of each kind."""
    found: dict[str, Oversight] = {}
    for item in rules_held(complaint):
        found.setdefault(item.kind, item)
    return tuple(found.values())


def confidentiality(found: Sequence[Oversight]) -> str:
    """Who must not see such a complaint, in Indonesian, also where no rule found of which kind it is."""
    said = [kinds()[item.kind].confidential for item in found] or [next(iter(kinds().values())).confidential]
    return " ".join(dict.fromkeys(said))


def lexicon_faults() -> Iterator[str]:
    """What a row of the tables names and no table has, in Indonesian."""
    known = frozenset(kinds())
    yield from table_faults("oversight_words.tsv", "oversight_rules.tsv", known)
    yield from guard_faults("oversight_guards.tsv", known)
