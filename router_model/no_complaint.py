"""Recognises by readable rules what is no complaint for the government: thanks, spam, tests, abuse, private disputes.

Precision comes first: a real complaint that is taken for spam is far worse than spam that staff see. So thanks must
leave no clause without a good word, a test or abuse no word unexplained, and any word that could be a matter keeps the
text a complaint. Abusive words in a real complaint are reported with `matter`, so that the reply can be prepared
politely. The words are tables in `lexicon/` (see `router_model.phrases`).
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from router_model.complaint import Complaint
from router_model.oversight import OVERSIGHT
from router_model.phrases import SET_PHRASES, Groups, Quote, Reading, Rule, Span, phrases, rows, rules, table_faults
from router_model.tokens import disposition_leaks

ABUSIVE_WORDS = "abusive words"
"""The row of `no_complaint_kinds.tsv` that says why abuse in a real complaint is pointed out."""
GOOD = ("terima kasih", "pujian", "pujian lemah", "selesai")
QUESTION = "informasi"
BEGINNINGS = ("uji", "terima kasih", "pujian", "hinaan", "hinaan hewan")
NEVER_IN_THANKS = ("permintaan", "tapi", "hinaan")
COVERED_IN_TESTS = ("uji", "basa uji")
COVERED_IN_ABUSE = ("hinaan", "hinaan hewan", "sasaran", "basa hinaan")
NEVER_IN_SPAM = ("tanda aduan",)
NEVER_OUT_OF_SCOPE = ("urusan pemerintah",)
READ_HERE = frozenset(
    {*GOOD, *BEGINNINGS, *NEVER_IN_THANKS, *COVERED_IN_TESTS, *COVERED_IN_ABUSE, *NEVER_IN_SPAM, *NEVER_OUT_OF_SCOPE}
    | {"salam", "masalah", "sudah", "benda", "kata orang", "disapa"}
)
"""Groups of words that no rule names but this module does."""
MOST_SAID = 8
"""Words without a meaning of their own for each good word of thanks."""
SETTLED_WITHIN = 8
"""Words between a trouble and the words that say it is settled."""
_WORDS = "no_complaint_words.tsv"
_RULES = "no_complaint_rules.tsv"
_UNBENT = (SET_PHRASES, "basa uji", "basa hinaan", "uji")
_CLAUSE_ENDS = re.compile(r"[.,;:!?\n()]")
_LINK = re.compile(r"\[TAUTAN\]|https?://|www\.", re.IGNORECASE)
_MASK = re.compile(r"\[[A-Z]+\]|<[A-Z]+>")
_KEYS = re.compile(r"(?:asdf?g?h?j?k?l?|qwer?t?y?u?i?o?p?|zxcv?b?n?m?|[fdg]?hjkl?|(?:jk)+l?)+|(.)\1{3,}|[^aeiouy]{8,}")
_SHORTEST_NOISE = 4


class NotComplaint(NamedTuple):
    """A `kind` of `no_complaint_kinds.tsv`, why (Indonesian, for staff) and the citizen's words that made it so.

    `matter` tells that there is something to be handled all the same: the kind is `abuse` and it is a complaint.
    """

    kind: str
    reason: str
    matter: bool
    words: tuple[Quote, ...]


@cache
def reasons() -> dict[str, str]:
    """Why, in Indonesian, for each kind and for abusive words in a complaint."""
    return {row["kind"]: row["reason"] for row in rows("no_complaint_kinds.tsv")}


@cache
def _tables() -> tuple[Groups, tuple[Rule, ...], frozenset[str]]:
    """The words, the rules, and the groups one of which a text must hold to be anything but a complaint."""
    known = rules(_RULES)
    return Groups(phrases(_WORDS), unbent=_UNBENT), known, frozenset({*BEGINNINGS, *(rule.core for rule in known)})


def _spans(reading: Reading, groups: Iterable[str]) -> list[Span]:
    return sorted({span for group in groups for span in reading.hits.get(group, ())})


def _uncovered(reading: Reading, groups: Iterable[str]) -> int:
    """Words that no phrase of the groups holds."""
    covered = {word for first, last in _spans(reading, groups) for word in range(first, last)}
    return len(reading.words) - len(covered)


def _clauses(reading: Reading) -> Iterator[range]:
    """Words between commas and ends of sentences."""
    first = 0
    for position in range(1, len(reading.words)):
        (before, left), (name, right) = reading.tokens[position - 1 : position + 1]
        if before != name or _CLAUSE_ENDS.search(getattr(reading.complaint, name), left.end, right.start):
            yield range(first, position)
            first = position
    yield range(first, len(reading.words))


def _thanks(reading: Reading) -> list[Span]:
    hits, text = reading.hits, reading.complaint.words
    good = _spans(reading, GOOD)
    if not hits.keys().isdisjoint(NEVER_IN_THANKS) or "?" in text:
        return []
    if "terima kasih" not in hits and ("pujian" not in hits or len(good) == 1):
        return []
    if ("selesai" in hits and "sudah" not in hits) or _uncovered(reading, (*GOOD, "salam")) > MOST_SAID * len(good):
        return []
    # Words that are not read could hold the matter.
    if disposition_leaks(text):
        return []
    settled = hits.get("selesai", [])
    if any(min(map(trouble.gap, settled), default=99) >= SETTLED_WITHIN for trouble in hits.get("masalah", ())):
        return []
    said, greeted = ({word for span in spans for word in range(*span)} for spans in (good, hits.get("salam", ())))
    if any(
        said.isdisjoint(clause) and len(greeted.intersection(clause)) < len(clause) - 1 for clause in _clauses(reading)
    ):
        return []
    return good


def _test(reading: Reading) -> list[Span]:
    if "uji" in reading.hits:
        return _spans(reading, ("uji",)) if not _uncovered(reading, COVERED_IN_TESTS) else []
    return []


def _noise(complaint: Complaint) -> bool:
    """Whether nothing is written but signs, digits or keys hit at random."""
    text = _MASK.sub("", complaint.words)
    letters = "".join(filter(str.isalpha, text)).casefold()
    if not letters:
        return bool(text.strip()) and text.strip() == complaint.words.strip()
    return len(letters) >= _SHORTEST_NOISE and " " not in text.strip() and bool(_KEYS.fullmatch(letters))


def _wordless(reading: Reading) -> str:
    """The kind of a text that is a link or noise, empty for any other."""
    if not reading.words and _LINK.search(reading.complaint.words):
        return "spam"
    return "test" if _noise(reading.complaint) else ""


def _insults(reading: Reading) -> list[Span]:
    """Words of abuse that the citizen uses, not reports; an animal only where it stands for somebody."""
    animals = reading.hits.get("hinaan hewan", [])
    meant = [animal for animal in animals if reading.nearest(animal, ("disapa",), 0)]
    if len(animals) == len(reading.words) or (len(animals) == 1 and next(_clauses(reading)) == range(*animals[0])):
        meant = animals
    return [
        span
        for span in sorted({*reading.hits.get("hinaan", ()), *meant})
        if not any(0 <= span.first - said.last <= 3 for said in reading.hits.get("kata orang", ()))
    ]


def _only_abuse(reading: Reading) -> bool:
    insults = _spans(reading, ("hinaan",))
    for thing in reading.hits.get("benda", ()):
        if all(thing.gap(insult) >= 0 for insult in insults):
            return False
    if "kata orang" in reading.hits:
        return False
    return _uncovered(reading, COVERED_IN_ABUSE) <= 1


def _held(reading: Reading, kind: str, blocked_by: Iterable[str]) -> list[Span]:
    if any(group in reading.hits for group in blocked_by) or ".go.id" in reading.complaint.words:
        return []
    known = (rule for rule in _tables()[1] if rule.kind == kind)
    return next((list(spans) for _, spans in reading.held(known, across=True)), [])


def rules_held(complaint: Complaint) -> set[int]:
    """Lines of `no_complaint_rules.tsv` whose words stand in a cleaned complaint, whatever else stands in it."""
    groups, known, _ = _tables()
    return {rule.line for rule, _ in groups.read(complaint).held(known, across=True)}


def no_complaint(complaint: Complaint, report_type: str = "") -> NotComplaint | None:
    """What a cleaned complaint is if it is none, or the abusive words in it; `None` for an ordinary complaint.

    A `report_type` of `pengawasan` is always a matter; one of `informasi` is no mere thanks, and a question
    about a private dispute can be answered.
    """
    if not complaint.words.strip():
        return None
    reading = _tables()[0].read(complaint)
    if report_type != OVERSIGHT and len(reading.words) <= 1 and (kind := _wordless(reading)):
        return NotComplaint(kind, reasons()[kind], False, (_whole(complaint),))
    if _tables()[2].isdisjoint(reading.hits):
        return None
    insults = _insults(reading)
    if report_type != OVERSIGHT:
        for kind, spans in _kinds(reading, insults, report_type):
            if spans:
                return NotComplaint(kind, reasons()[kind], False, tuple(map(reading.quote, spans)))
    if insults:
        return NotComplaint("abuse", reasons()[ABUSIVE_WORDS], True, tuple(map(reading.quote, insults)))
    return None


def _kinds(reading: Reading, insults: list[Span], report_type: str) -> Iterator[tuple[str, list[Span]]]:
    yield "test", _test(reading)
    yield "spam", _held(reading, "spam", NEVER_IN_SPAM)
    if report_type != QUESTION:
        yield "thanks", _thanks(reading)
    if insults and _only_abuse(reading):
        yield "abuse", insults
    if report_type != QUESTION:
        yield "out_of_scope", _held(reading, "out_of_scope", NEVER_OUT_OF_SCOPE)


def _whole(complaint: Complaint) -> Quote:
    name = "text" if complaint.text.strip() else "title"
    return Quote(name, 0, len(getattr(complaint, name)))


def lexicon_faults() -> Iterator[str]:
    """What a row of the tables names and no table has, in Indonesian."""
    return table_faults(_WORDS, _RULES, frozenset(reasons()), READ_HERE)
