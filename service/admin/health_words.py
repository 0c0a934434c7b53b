"""Words that citizens use and the model does not know."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from router_model.scorer import Scorer
from router_model.terms import TermExtractor
from router_model.tokens import normal_words
from service.database.health import Written

FEWEST_COMPLAINTS = 5
"""A word of fewer complaints may be somebody's name."""
SHORTEST = 3


@dataclass(frozen=True, slots=True)
class NewWord:
    """How many complaints used it, by the agency that they were suggested to."""

    word: str
    agencies: Mapping[str | None, int]

    @property
    def n(self) -> int:
        return sum(self.agencies.values())


def new_words(complaints: Iterable[Written], scorer: Scorer) -> list[NewWord]:
    """Most frequent first. A text that came more than once counts once; numbers count for nothing. A word is shown in
    the form that was used most."""
    known = {term for term in scorer.arrays.vocabularies["words"] if " " not in term}
    extractor = TermExtractor(scorer.arrays.place_words)
    forms: dict[str, Counter[str]] = {}
    agencies: dict[str, Counter[str | None]] = {}
    seen: set[tuple[str, ...]] = set()
    for complaint in complaints:
        words = _words(complaint.complaint)
        if words in seen:
            continue
        seen.add(words)
        unknown = {word: extractor.root(word) for word in set(words) if len(word) >= SHORTEST and "0" not in word}
        unknown = {word: root for word, root in unknown.items() if root not in known}
        for word, root in unknown.items():
            forms.setdefault(root, Counter())[word] += 1
        for root in set(unknown.values()):
            agencies.setdefault(root, Counter())[complaint.agency] += 1
    found = [
        NewWord(forms[root].most_common(1)[0][0], counts)
        for root, counts in agencies.items()
        if counts.total() >= FEWEST_COMPLAINTS
    ]
    return sorted(found, key=lambda word: (-word.n, word.word))


def _words(complaint: str) -> tuple[str, ...]:
    """As the model reads them, title first."""
    fields = orjson.loads(complaint)
    return tuple(word for name in ("title", "text") for word in normal_words(fields.get(name) or ""))
