"""Earlier complaints that resemble one, by the words of both."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

from router_model.tokens import normal_words, stem

LEAST_SIMILARITY = 0.2
"""Of pairs this similar in the sample, nine of ten went to the same agency; below 0.15, six."""
MOST_SIMILAR = 3


class Worded(Protocol):
    @property
    def words(self) -> str: ...


Earlier = TypeVar("Earlier", bound=Worded)


@lru_cache(maxsize=4_096)
def _counts(words: str) -> Mapping[str, int]:
    return Counter(stem(normal) for normal in normal_words(words))


def similar(words: str, earlier: Sequence[Earlier]) -> list[tuple[float, Earlier]]:
    """The `MOST_SIMILAR` most similar with their cosine, most similar first; none that resembles it too little.

    Words weigh by how rare they are among `earlier`.
    """
    mine, theirs = _counts(words), [_counts(item.words) for item in earlier]
    weights = _rarity([mine, *theirs])
    vector = _unit(mine, weights)
    scored = (
        (sum(value * other.get(word, 0.0) for word, value in vector.items()), item)
        for item, other in zip(earlier, (_unit(counts, weights) for counts in theirs), strict=True)
    )
    close = [(score, item) for score, item in scored if score >= LEAST_SIMILARITY]
    return sorted(close, key=lambda found: -found[0])[:MOST_SIMILAR]


def _rarity(all_counts: Sequence[Mapping[str, int]]) -> dict[str, float]:
    """One plus the logarithm: with few complaints a word that all have still says something."""
    found: Counter[str] = Counter()
    for counts in all_counts:
        found.update(counts.keys())
    return {word: 1.0 + math.log(len(all_counts) / number) for word, number in found.items()}


def _unit(counts: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, float]:
    """A vector of length one."""
    values = {word: (1.0 + math.log(number)) * weights[word] for word, number in counts.items()}
    length = math.sqrt(_squares(values.values())) or 1.0
    return {word: value / length for word, value in values.items()}


def _squares(values: Iterable[float]) -> float:
    return sum(value * value for value in values)
