"""Whether a word is made of the initials or syllables of a longer name, as names of Indonesian offices are.

`disdukcapil` is Dinas Kependudukan dan Pencatatan Sipil: `dis` + `duk` + `ca` + `pil`.
"""

import re
from functools import lru_cache

LONGEST_ACRONYM = 14
LONGEST_PIECE = 5
MOST_WORDS = 16
_PREFIXES = ("peng", "pem", "pen", "per", "pe", "ke")
_OTHERWISE = frozenset({"bandara", "dprd"})
"""Words that fit the letters of an office (Badan Pendapatan, Dinas Perindustrian dan Perdagangan) but mean another."""
_TAIL = "-"
_VOWEL = re.compile("[aeiou]")
_REPEATED = re.compile("([a-z])([2-4])")


def acronym_fit(acronym: str, words: tuple[str, ...], *, kind_first: bool) -> float:
    """How well an acronym stands for the words, 0 to 1; 0: it does not.

    `kind_first`: the first word is a kind of office such as `dinas`, which an acronym may leave out. `dp3a` counts
    as `dpppa`. Below half of the words (three quarters for up to four letters) chance explains a fit as well.
    """
    acronym = _REPEATED.sub(lambda match: match[1] * int(match[2]), acronym)
    if acronym in _OTHERWISE or not (3 <= len(acronym) <= LONGEST_ACRONYM and acronym.isalpha()):
        return 0.0
    if not 2 <= len(words) <= MOST_WORDS or not all(map(_VOWEL.search, words)):
        return 0.0
    fit = max(_fit(acronym, words), _fit(acronym, words[1:]) if kind_first else 0.0)
    return fit if fit >= (0.75 if len(acronym) <= 4 else 0.5) else 0.0


def _fit(acronym: str, words: tuple[str, ...]) -> float:
    """The share of the words that have a piece; of two equal ones that with fewer pieces is the better."""
    worth, pieces = _best_split(acronym, words)
    # More than 1 takes pieces of two words.
    return worth / len(words) - 0.01 * pieces if worth > 1 else 0.0


@lru_cache(maxsize=16_384)
def _best_split(acronym: str, words: tuple[str, ...]) -> tuple[float, int]:
    """Worth of the best way to cut the acronym along the words, and how many pieces that makes."""
    if not acronym:
        return 0.0, 0
    if not words:
        return float("-inf"), 0
    worth, pieces = _best_split(acronym, words[1:])
    best = (worth, -pieces)
    for size in range(1, min(len(acronym), LONGEST_PIECE) + 1):
        gain, end = _piece(acronym[:size], words[0])
        if not end:
            continue
        # `pen` and `duk` of `dispendukcapil` are of one word.
        for rest in (words[1:], (_TAIL + words[0][end:], *words[1:])):
            worth, pieces = _best_split(acronym[size:], rest)
            best = max(best, (worth + gain, -pieces - 1))
    return best[0], -best[1]


def _piece(piece: str, word: str) -> tuple[float, int]:
    """What a piece is worth and where it ends in the word; 0 and 0 if it is no piece of it.

    1 for the beginning of a word or two letters and more after its prefix, less for letters from its middle; a
    further piece of the same word must have three letters and adds nothing.
    """
    if word.startswith(_TAIL):
        return 0.0, word.find(piece) + len(piece) if len(piece) > 2 and piece in word else 0
    if (piece, word) == ("dis", "dinas"):
        return 1.0, len(word)
    if word.startswith(piece):
        return (1.0 if len(piece) > 1 else 0.9), len(piece)
    for prefix in _PREFIXES:
        if word.startswith(prefix + piece):
            return (1.0 if len(piece) > 1 else 0.3), len(prefix + piece)
    if len(piece) > 1 and piece in word:
        return (0.8 if len(piece) > 2 else 0.3), word.find(piece) + len(piece)
    return 0.0, 0
