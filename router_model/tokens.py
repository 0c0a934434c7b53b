"""Words of a complaint with their place in the text, their normal form and their stem.

Nothing here removes a word: removing stop words cost accuracy on every labelled set it was tried on. The few words
that plead and press are left out where the model reads, see `router_model.terms.TONE`.
"""

import csv
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from itertools import islice
from typing import NamedTuple

from Sastrawi.Dictionary.ArrayDictionary import ArrayDictionary
from Sastrawi.Stemmer.Stemmer import Stemmer
from Sastrawi.Stemmer.StemmerFactory import StemmerFactory

_WORD = re.compile(
    r"""
    (?P<skip> https?://\S+ | www\.\S+ | <(?:TELP|NIK|EMAIL|NOMOR)>
        | \[(?:NIK|KK|TELEPON|SUREL|PELAT|NPWP|BPJS|NOMOR|TAUTAN|NAMA)\] )
    | (?P<tag> \#\w+ )
    | (?P<mention> @\w+ )
    | (?P<word> [^\W_]+ )
    """,
    re.VERBOSE,
)
_TAG_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+")
_ELONGATED = re.compile(r"([^\W\d])\1{2,}")
_REDUPLICATED = re.compile(r"([^\W\d_]{3,})2(?:nya)?")
LONGEST_WORD = 30
LONGEST_READ = 80
MOST_WORDS = 2_000
"""Words read of one text. The longest complaint known has 1,247; hostile text must not occupy a worker."""

# What staff, not the citizen, wrote: it names the answer, so it must not be learned from.
_LEAK = re.compile(
    r"""
    ^\s* (?: (?:kepada\s+)? yth\.? | kepada\s+yang\s+terhormat | yang\s+terhormat )
        \s* [:,]? \s*
        # A sentence that goes on into the complaint is no mere address: nothing of it may be lost.
        (?: (?! \b(?:ada|tolong|mohon|minta|saya|kami|kita|ini|itu|mau|ingin|sudah|belum|tidak)\b ) [^,\n:] ){3,90}?
        (?: [,\n:] | \.\s )
    | \b (?:telah\s+|sudah\s+)? (?: ter|di ) disposisi (?:kan)? \s+ (?: ke(?:pada)? ) \s+ [^.,\n]{3,90}
    | \b disposisi \s* : \s* [^.,\n]{3,90}
    | \b mohon \s+ (?: (?:untuk\s+)? (?:segera\s+)? di \s? tindak \s? lanjut[ia] (?:nya)? | informasinya )
        \s* ,? \s* (?: terima \s* kasih )? \s* [.!]* \s* $
    """,
    re.VERBOSE | re.IGNORECASE,
)


_MAY_LEAK = re.compile(r"yth|terhormat|disposisi|mohon", re.IGNORECASE)


_PLAIN_WORD = re.compile(r"[^\W_]+")
_NOT_ONLY_WORDS = re.compile(r"[#@\[<]|://|www\.", re.IGNORECASE)


class Token(NamedTuple):
    """One word: where it stands in the text it came from, and its normal form (see `normal_form`)."""

    start: int
    end: int
    normal: str


def _table(name: str) -> dict[str, str]:
    with (resources.files("router_model") / "lexicon" / name).open(encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return {row[0]: row[1] for row in rows}


@cache
def abbreviations() -> dict[str, str]:
    """Short form to full word, one token each; our own list, in the sense that complaints give the words."""
    return _table("abbreviations.tsv")


@cache
def stem_exceptions() -> dict[str, str]:
    """Word to stem where Sastrawi is wrong or merges matters that belong to different agencies."""
    return _table("stem_exceptions.tsv")


@cache
def _stemmer() -> Stemmer:
    # StemmerFactory.create_stemmer() keeps a dictionary that grows for ever; the bounded cache below replaces it.
    return Stemmer(ArrayDictionary(StemmerFactory().get_words()))


def is_root(word: str) -> bool:
    """Whether a lower-case word is a root in the stemmer's dictionary."""
    return bool(_stemmer().dictionary.contains(word))


@lru_cache(maxsize=65_536)
def stem(normal: str) -> str:
    """The stem of a normal form. Bounded cache: hostile text cannot grow it for ever."""
    known = stem_exceptions().get(normal)
    if known is not None:
        return known
    if len(normal) > LONGEST_WORD or not normal.isascii() or not normal.isalpha():
        return normal
    return str(_stemmer().stem_word(normal)) or normal


@lru_cache(maxsize=65_536)
def normal_form(word: str) -> str:
    """Lower case, elongation undone ("tolooong"), "jalan2" as "jalan", abbreviation spelled out.

    Numbers keep only their length, as a run of zeros up to three: the value of a number tells no agency and
    may tell a person.
    """
    word = word.casefold()
    if word.isdigit():
        return "0" * min(len(word), 3)
    word = _ELONGATED.sub(r"\1", word)
    if reduplicated := _REDUPLICATED.fullmatch(word):
        word = reduplicated[1]
    if any(character.isdigit() for character in word):
        word = re.sub(r"\d", "0", word)
    return abbreviations().get(word, word)[:LONGEST_WORD]


def disposition_leaks(text: str) -> list[tuple[int, int]]:
    """Spans, as start and end, of what staff add when they forward: it gives the agency away."""
    if not _MAY_LEAK.search(text):
        return []
    return [match.span() for match in _LEAK.finditer(text)]


@lru_cache(maxsize=64)
def tokens(text: str) -> tuple[Token, ...]:
    """Words of a readable, masked text from left to right; links, masks and disposition leaks are left out.

    Cut once for all that read the same complaint one after the other.
    """
    leaks = disposition_leaks(text)
    if not leaks and not _NOT_ONLY_WORDS.search(text):
        found = islice(_PLAIN_WORD.finditer(text), MOST_WORDS)
        return tuple([Token(*match.span(), normal_form(match[0][:LONGEST_READ])) for match in found])
    return tuple(_tokens(text, leaks))


def _tokens(text: str, leaks: list[tuple[int, int]]) -> Iterator[Token]:
    hidden = bytearray(len(text)) if leaks else bytearray()
    for first, last in leaks:
        hidden[first:last] = b"\1" * (last - first)
    for match in islice(_WORD.finditer(text), MOST_WORDS):
        kind, start = match.lastgroup, match.start()
        if kind == "skip" or (hidden and hidden[start]):
            continue
        if kind == "word":
            word = match.group()
            yield Token(start, start + len(word), normal_form(word[:LONGEST_READ]))
        else:
            for part in _TAG_PART.finditer(match.group()):
                yield Token(start + part.start(), start + part.end(), normal_form(part.group()))


@lru_cache(maxsize=64)
def normal_words(text: str) -> tuple[str, ...]:
    """Normal forms of `tokens(text)`, faster where the text holds nothing but words."""
    if _NOT_ONLY_WORDS.search(text) or disposition_leaks(text):
        return tuple(token.normal for token in tokens(text))
    return tuple([normal_form(word[:LONGEST_READ]) for word in _PLAIN_WORD.findall(text)[:MOST_WORDS]])
