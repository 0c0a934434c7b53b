"""Which rules of a portal fit a complaint."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from router_model.complaint import Complaint
from router_model.place import FoundPlace
from router_model.portal import Portal
from router_model.rules import Rule, phrases
from router_model.tokens import normal_words

LIKELIER = 0.5
"""A condition on an answer holds where the model takes it to be at least as likely as not."""

Answers = Mapping[str, Mapping[str, float]]
"""Of `category`, `report_type` and `agency` (codes and `@kind`) the probability of each class."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A rule that fits, with the probability that its conditions on the model's answers and on the place hold; 1 if it
    has none."""

    rule: Rule
    p: float


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule with its words in normal forms and its main branches as leaves."""

    rule: Rule
    words: tuple[tuple[str, ...], ...]
    without: tuple[tuple[str, ...], ...]
    answers: Mapping[str, tuple[str, ...]]


def _below(code: str, portal: Portal) -> set[str]:
    """The category and all that stand under it."""
    found, size = {code}, 0
    while size < len(found):
        size = len(found)
        found |= {category.code for category in portal.categories if category.parent in found}
    return found


def _ready(rule: Rule, portal: Portal) -> _Ready:
    wanted: dict[str, Collection[str]] = {
        "category": {name for code in rule.categories for name in _below(code, portal)},
        "report_type": rule.report_types,
        "agency": rule.agencies,
    }
    # In a fixed order, or sums of probabilities would differ in their last digits from run to run.
    answers = {answer: tuple(sorted(codes)) for answer, codes in wanted.items() if codes}
    return _Ready(rule, _bounded(phrases(rule.words)), _bounded(phrases(rule.without)), answers)


def _bounded(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(f" {part} " for part in group) for group in groups)


def read_words(complaint: Complaint) -> str:
    """The normal forms of title, text and address, each with a blank on both sides; no phrase crosses a field."""
    fields = (complaint.title, complaint.text, complaint.address)
    return "\n".join(f" {' '.join(normal_words(field))} " for field in fields)


class Rulebook:
    """The rules of a portal, ready to be asked."""

    def __init__(self, portal: Portal) -> None:
        self._rules = [_ready(rule, portal) for rule in portal.rules]
        self._named = _NamedBodies(portal)
        self.asked = frozenset(answer for ready in self._rules for answer in ready.answers)
        """The answers that some rule has a condition on; others need not be given."""

    def __bool__(self) -> bool:
        return bool(self._rules)

    def fitting(self, complaint: Complaint, answers: Answers, place: FoundPlace | None) -> Iterator[Fit]:
        """The rules that fit, in the portal's order."""
        if not self._rules:
            return
        day = complaint.received_at.date() if complaint.received_at else None
        read = read_words(complaint)
        around = {place.place.code, place.place.district_code} if place else set[str]()
        for ready in self._rules:
            rule = ready.rule
            if not rule.in_force(day) or (rule.places and around.isdisjoint(rule.places)):
                continue
            p = _probability(ready.answers, answers) * (place.p if place and rule.places else 1.0)
            if p > 0 and (not ready.words or _stands(ready.words, read)) and not _stands(ready.without, read):
                yield Fit(rule, p)

    def named(self, complaint: Complaint) -> frozenset[str]:
        """Codes of the bodies that title or text call by name, and `@kind` of offices called by what they are."""
        return self._named.of(complaint)


def _stands(groups: tuple[tuple[str, ...], ...], read: str) -> bool:
    return any(all(part in read for part in group) for group in groups)


def _probability(wanted: Mapping[str, tuple[str, ...]], answers: Answers) -> float:
    """The product over the conditions, or 0 if one is less likely than not."""
    p = 1.0
    for answer, codes in wanted.items():
        given = answers.get(answer, {})
        share = min(sum(given.get(code, 0.0) for code in codes), 1.0)
        if share < LIKELIER:
            return 0.0
        p *= share
    return p


class _NamedBodies:
    """Finds the bodies of a portal by name, short name and alias, the longest name first.

    What is left of an office's name without its place (`lurah`, `kantor camat`) names every office of the kind.
    """

    def __init__(self, portal: Portal) -> None:
        self._names: dict[tuple[str, ...], set[str]] = {}
        places = {place.code: normal_words(place.name) for place in portal.places}
        for agency in portal.living_agencies:
            for name in filter(None, (agency.name, agency.short_name, *agency.aliases)):
                words = normal_words(name)
                self._names.setdefault(words, set()).add(agency.code)
                for place in (places[code] for code in agency.territory if agency.territorial):
                    if title := words[: len(words) - len(place)] if words[-len(place) :] == place else ():
                        self._names.setdefault(title, set()).add(agency.unit)
        self._longest = max(map(len, self._names), default=0)

    def of(self, complaint: Complaint) -> frozenset[str]:
        return frozenset(code for text in (complaint.title, complaint.text) for code in self._in(normal_words(text)))

    def _in(self, words: tuple[str, ...]) -> Iterator[str]:
        start = 0
        while start < len(words):
            for size in range(min(self._longest, len(words) - start), 0, -1):
                if found := self._names.get(words[start : start + size]):
                    yield from found
                    start += size - 1
                    break
            start += 1
