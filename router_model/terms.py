"""The terms a complaint is made of, as the model counts them.

Six blocks: stems of title and text (single words and pairs), character n-grams inside the words as written,
stems of the title alone, the words of the address, each stem together with the village (or district) that
the form gives (the same matter in the same place goes to the same body more often than elsewhere), and the groups
of words and the dangers that the rules for danger know. Training
counts these terms through scikit-learn, the scorer looks them up one word at a time; both use the functions
here, so that they agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from router_model.complaint import Complaint
from router_model.danger import Signs, signs
from router_model.tokens import Token, normal_words, stem, tokens

BLOCKS = ("words", "characters", "title", "place", "local", "danger")
UNSCALED = frozenset({"danger"})
"""Blocks that are not brought to unit length: three signs of danger say more than one."""
AREA_END = " | "
NGRAM_SIZES = (3, 4, 5)
TONE = frozenset(("tolong", "tolonglah", "mohon", "segera", "secepatnya", "mendesak", "urgen"))
"""Normal forms that plead and press. They are not read: how loudly somebody asks says nothing of the danger."""


def told_tokens(text: str) -> list[Token]:
    """Words of a text but for those of `TONE`."""
    return [token for token in tokens(text) if token.normal not in TONE]


def told_words(text: str) -> list[str]:
    """Normal forms of `told_tokens(text)`."""
    return [normal for normal in normal_words(text) if normal not in TONE]


@lru_cache(maxsize=65_536)
def character_ngrams(normal: str) -> tuple[str, ...]:
    """Runs of 3 to 5 characters of one word between blanks, like scikit-learn's `char_wb`.

    A number has none: digits must never become features.
    """
    if normal[0] == "0":
        return ()
    padded = f" {normal} "
    return tuple(
        padded[start : start + size] for size in NGRAM_SIZES for start in range(max(len(padded) - size + 1, 0))
    )


def area(complaint: Complaint) -> str:
    """The village that the form gives, else the district, in its normal form; empty for none."""
    return " ".join(normal_words(complaint.village)) or " ".join(normal_words(complaint.district))


def danger_terms(found: Signs) -> list[str]:
    """Groups of words, each once. Not what the rules made of them: the rules were written with labelled complaints at
    hand, and a model that learned from the same ones would trust the rules too much."""
    return sorted(found.groups)


@dataclass(frozen=True, slots=True)
class TermExtractor:
    """Terms of cleaned complaints. Words of `place_words` (normal forms) are names and are not stemmed."""

    place_words: frozenset[str] = frozenset()

    def root(self, normal: str) -> str:
        """What a normal form counts as: itself if it is part of a place's name, its stem otherwise."""
        return normal if normal in self.place_words else stem(normal)

    def _pairs(self, text: str) -> Iterator[str]:
        previous = ""
        for token in told_tokens(text):
            root = self.root(token.normal)
            yield root
            if previous:
                yield f"{previous} {root}"
            previous = root

    def words(self, complaint: Complaint) -> list[str]:
        return [*self._pairs(complaint.title), *self._pairs(complaint.text)]

    def characters(self, complaint: Complaint) -> list[str]:
        return [
            ngram
            for text in (complaint.title, complaint.text)
            for token in told_tokens(text)
            for ngram in character_ngrams(token.normal)
        ]

    def title(self, complaint: Complaint) -> list[str]:
        return [self.root(token.normal) for token in told_tokens(complaint.title)]

    def place(self, complaint: Complaint) -> tuple[str, ...]:
        return normal_words(complaint.address)

    def danger(self, complaint: Complaint) -> list[str]:
        return danger_terms(signs(complaint))

    def local(self, complaint: Complaint) -> list[str]:
        here = area(complaint)
        if not here:
            return []
        fields = (complaint.title, complaint.text)
        return [f"{here}{AREA_END}{self.root(token.normal)}" for text in fields for token in told_tokens(text)]
