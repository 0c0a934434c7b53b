"""Which words make a person's name, and where a name that begins in a text ends."""

import re
from functools import cache, lru_cache
from importlib import resources

from router_model.tokens import abbreviations, is_root, stem, stem_exceptions

MOST_WORDS = 6
"""Words of the longest name that is read."""

WORD = re.compile(r"([^\W\d_](?:(?!(?<=[a-z]{3})[A-Z])\w|['’`](?=\w)|-(?=[^\W\d_]))*)(\.?)")
"""A word and its full stop; "sutejoNo" is two words that lost what stood between them."""
_JOINT = re.compile(r" ?(?=[^\W\d_])")
_SHAPE = re.compile(
    r".(?:[dtwrnmkyi]anto|[iyjnh]ono|wati|ningsih|ningrum|ningtyas|wardh?ani|[aou]?uddin|[mrhl]udin|ull?ah|ull?oh|rahman|rohman|iyatun"
    r"|inah|i[yj]em|inem|iani|yanti|ianti|[dnrw]awan)$"
)
"""Endings that only names have; a word of the language that has one too is no name."""
_NO_SHAPE = frozenset(("rasulullah", "baitullah", "masyaullah", "astaghfirullah", "jumantono"))
_PREFIXED = re.compile(r"me|di|ter|ber|pe|ke|se|\w+(?:nya|kan)$")
_END = re.compile(r" ?(?:[\n,;()]|\.(?: |$)|$)")
_LABEL = re.compile(r" ?[:=]")
_GOES_ON = frozenset(("mau", "ingin", "hendak", "mohon", "warga", "tinggal", "alamat", "umur", "nik", "asal"))
"""Words by which one who has said a name goes on; what stands before them may be a name that is a word too."""
_PARTICLES = ("i", "ni", "si")
_JOINERS = ("al", "el", "ar", "as", "az", "bin", "binti")


@cache
def _listed(name: str) -> frozenset[str]:
    file = resources.files("router_model") / "lexicon" / name
    return frozenset(file.read_text("utf-8").split()[1:])


@cache
def no_names() -> frozenset[str]:
    """Words after a cue that are no name: who speaks, bodies, offices, the words of a sentence."""
    return _listed("no_names.tsv")


@cache
def _no_persons() -> frozenset[str]:
    """Bodies, ranks, greetings and shops that stand capitalised where names do."""
    return _listed("no_persons.tsv")


@lru_cache(maxsize=65_536)
def is_common(low: str) -> bool:
    """Whether a lower-case word is one of the language, or comes from one."""
    return low in abbreviations() or low in stem_exceptions() or is_root(low) or is_root(stem(low))


@lru_cache(maxsize=65_536)
def is_known(low: str) -> bool:
    """Whether a lower-case word is on our own list of names of persons, or is built as only a name is."""
    if low in _listed("names.tsv"):
        return True
    return _SHAPE.search(low) is not None and low not in _NO_SHAPE and not is_common(low)


@lru_cache(maxsize=65_536)
def is_name(word: str, loose: bool, first: bool = True) -> bool:
    """`loose`: after a clear cue any word passes that is no Indonesian word; else only names and capitals."""
    low = word.lower().replace("’", "'")
    if (
        low in no_names()
        or low in _no_persons()
        or not word.replace("'", "").replace("’", "").replace("`", "").replace("-", "").isalpha()
    ):
        return False
    if is_known(low):
        return True
    if len(word) == 1:
        return word.isupper()
    if word[0].isupper() and not word.isupper():
        if not first and not _PREFIXED.match(low) and low not in abbreviations():
            return True
        return not is_common(low) or (is_root(low) and stem(low) == low)
    return not is_common(low) and (loose or word.isupper()) and len(word) > 2


def _passes(text: str, match: re.Match[str], loose: bool, first: bool, sure: bool) -> bool:
    """Whether a word belongs to a name: by itself, or because a name follows ("i wayan", "KADEK SULUH PERMANA")."""
    word, low = match[1], match[1].lower()
    if not first and _LABEL.match(text, match.end(1)):
        return False
    if is_name(word, loose, first):
        return True
    if (low in no_names() and low not in _JOINERS) or low in _no_persons():
        following = WORD.match(text, match.end() + 1)
        return low == "anak" and following is not None and following[1].lower() == "agung"
    if not first and len(word) == 1 and match[2]:
        return True
    if sure and _is_odd_word(text, match, first):
        return True
    if len(low) > 2 and not is_root(low):
        following = WORD.match(text, match.end() + 1)
        if not sure or following is None:
            return False
        if first:
            return word[0].isupper() and is_known(following[1].lower())
        return _is_middle(low, following[1])
    following = WORD.match(text, match.end() + 1)
    if not first and loose and word[0].isupper() and is_root(low) and _END.match(text, match.end(1)):
        return True
    if not first and loose and following and following[1].lower() in _GOES_ON:
        return is_root(low)
    if not following or not is_name(following[1], loose and (sure or word[0].isupper())):
        return False
    known = is_known(following[1].lower())
    if low in _JOINERS and not first:
        return True
    if low in _PARTICLES:
        return known
    if len(low) == 1:
        return bool(match[2]) and (known or sure)
    return loose and is_root(low) and (known or word.isupper() or sure)


def _is_middle(low: str, following: str) -> bool:
    return not _PREFIXED.match(low) and is_name(following, loose=True) and following.lower() not in abbreviations()


def _is_odd_word(text: str, match: re.Match[str], first: bool) -> bool:
    """After a sure cue: "Kamiran", though "kamir" is a word, and "Hadi Safii," though "saf" is one."""
    if _PREFIXED.match(match[1].lower()) or len(match[1]) < 3 or not match[1].isalpha():
        return False
    if match[1][0].isupper():
        return not match[1].isupper() or first or _END.match(text, match.end(1)) is not None
    return not first and _END.match(text, match.end(1)) is not None


def name_at(text: str, start: int, loose: bool, sure: bool = False) -> tuple[int, int] | None:
    """Start and end of the name that begins at `start`; `sure`: what stands before says that a name follows."""
    end = position = start
    initial = False
    for _ in range(MOST_WORDS):
        match = WORD.match(text, position)
        if not match:
            break
        after_initial = initial and match[1][0].isupper() and match[1].lower() not in no_names()
        if not after_initial and not _passes(text, match, loose, position == start, sure):
            break
        end = match.end(1)
        initial = len(match[1]) == 1
        joint = _JOINT.match(text, match.end())
        if (match[2] and len(match[1]) > 4) or not joint or (joint[0] == "" and not match[2]):
            break
        position = joint.end()
    if end - start < 2:
        return None
    return start, end


def ends(text: str, end: int) -> bool:
    """Whether a line, a bracket or a part of the sentence ends here."""
    return _END.match(text, end) is not None


def words_of(text: str, name: tuple[int, int]) -> list[str]:
    return [word[1] for word in WORD.finditer(text, *name)]


def is_trusted(words: list[str]) -> bool:
    """Whether the words look like a name by themselves: one of them is known as one, or a capital starts a word that
    is none of the language."""
    return any(_is_trusted(word) for word in words)


def _is_trusted(word: str) -> bool:
    low = word.lower().replace("’", "'")
    if low in no_names() or low in _no_persons():
        return False
    if is_known(low):
        return word[0].isupper() or not is_root(low)
    return len(word) > 2 and word[0].isupper() and not word.isupper() and not is_common(low)
