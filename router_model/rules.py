"""What the people of a portal know of who has a matter: rules applied after the model, each with its own sentence.

`rules.csv` holds one rule a row; of the rows that fit a complaint the first one counts. What fits is decided in
`router_model.rulebook`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from router_model.portal_table import cell_certainty, cell_date, cell_parts, table_rows
from router_model.tokens import normal_words

NAMED = "@disebut"
"""In `never`: the bodies that the complaint calls by name."""
COLUMNS = (
    "code", "words", "without", "categories", "agencies", "report_types", "places", "from", "to", "agency", "never",
    "reason", "certainty", "source", "note",
)  # fmt: skip
PRIOR = {"A": 0.95, "B": 0.9, "C": 0.8, "D": 0.7}
"""How often a rule of each certainty is taken to be right before any labelled complaint has shown it."""
PRIOR_WEIGHT = 10
"""So many complaints of history count as much as the prior."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions that must all hold (an empty one always does), and what follows from them.

    Of `words` one phrase must stand in title, text or address, of `without` none; `a+b` wants both. `categories`
    are codes of leaves or of main branches, `agencies` codes or `@kind`, `places` codes of villages or districts;
    of each the model, or the place, must give one. The complaint came in from `since` to `until`, both included.
    The matter goes to `agency` (a code, or `@kind` for the office of the place), never to those in `never` (as
    `agencies`, or `NAMED`); at least one of the two is there. `where` is the row's file and line.
    """

    code: str
    reason: str
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    report_types: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    agency: str = ""
    never: tuple[str, ...] = ()
    certainty: str = "D"
    source: str = ""
    note: str = ""
    where: str = field(default="", compare=False)

    def in_force(self, day: date | None) -> bool:
        """Whether it holds for a complaint of that day; without a day only a rule without an end does."""
        if day is None:
            return self.until is None
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    @property
    def has_condition(self) -> bool:
        return bool(self.words or self.categories or self.agencies or self.report_types or self.places)


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A rule that fitted a complaint, for those who read the suggestion."""

    code: str
    reason: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How a rule did on labelled complaints of its dates: it fitted `fired` of them, `right` of these were sent
    where it says. `expected` is the sum over them of the probability that its conditions really held."""

    fired: int = 0
    right: int = 0
    expected: float = 0.0

    def precision(self, prior: float) -> float:
        """How often the rule is right where its conditions hold: times the probability that they do, this adds up to
        `right` over the complaints counted, drawn towards the prior by `PRIOR_WEIGHT`."""
        return min(1.0, (self.right + PRIOR_WEIGHT * prior) / (self.expected + PRIOR_WEIGHT))


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """How a rule did where the model said the same, and where it overruled the model.

    Kept apart, or a rule would borrow the confidence of the complaints that the model had right without it.
    """

    agreed: Tally = Tally()
    overruled: Tally = Tally()

    @property
    def fired(self) -> int:
        return self.agreed.fired + self.overruled.fired

    @property
    def right(self) -> int:
        return self.agreed.right + self.overruled.right


def phrases(cell: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The phrases of `words` or `without` in normal forms; inner ones must all stand in a complaint."""
    return tuple(tuple(" ".join(normal_words(part)) for part in phrase.split("+")) for phrase in cell)


def read_rules(path: Path, problems: list[str]) -> tuple[Rule, ...]:
    """Rows of `rules.csv`; none if the file does not exist. Faults go to `problems`."""
    if not path.exists():
        return ()
    found, foreign = [], set[str]()
    for where, row in table_rows(path, ("code", "reason"), problems):
        foreign |= row.keys() - set(COLUMNS)
        found.append(
            Rule(
                code=row["code"],
                reason=row["reason"],
                words=cell_parts(row.get("words", "")),
                without=cell_parts(row.get("without", "")),
                categories=cell_parts(row.get("categories", "")),
                agencies=cell_parts(row.get("agencies", "")),
                report_types=cell_parts(row.get("report_types", "")),
                places=cell_parts(row.get("places", "")),
                since=cell_date(row, "from", where, problems),
                until=cell_date(row, "to", where, problems),
                agency=row.get("agency", ""),
                never=cell_parts(row.get("never", "")),
                certainty=cell_certainty(row, where, problems),
                source=row.get("source", ""),
                note=row.get("note", ""),
                where=where,
            )
        )
    # A condition under a misspelled header would be no condition at all.
    problems.extend(
        f"{path.name}, kolom {column}: tidak dikenal; kolomnya: {', '.join(COLUMNS)}" for column in sorted(foreign)
    )
    return tuple(found)


def rule_faults(
    rules: Sequence[Rule],
    agencies: Collection[str],
    categories: Collection[str],
    report_types: Collection[str],
    places: Collection[str],
) -> Iterator[str]:
    """Rows that name what the portal does not have, that can never fit, or that say nothing. `agencies` holds codes and
    `@kind`."""
    counted = Counter(rule.code for rule in rules)
    for rule in rules:
        if not rule.code or counted[rule.code] > 1:
            yield f"{rule.where}, kolom code: {rule.code!r} harus diisi dan hanya dipakai sekali"
        if not rule.reason:
            yield f"{rule.where}, kolom reason: tulis kalimat yang menerangkan aturan ini kepada petugas"
        if not rule.has_condition:
            yield f"{rule.where}: tanpa syarat; isi words, categories, agencies, report_types, atau places"
        if not rule.agency and not rule.never:
            yield f"{rule.where}: tanpa akibat; isi agency, never, atau keduanya"
        if rule.since and rule.until and rule.until < rule.since:
            yield f"{rule.where}, kolom to: {rule.until} sebelum from ({rule.since})"
        if rule.agency in rule.never:
            yield f"{rule.where}, kolom never: {rule.agency!r} juga tujuan di kolom agency"
        yield from _unreadable(rule)
        known: Mapping[str, tuple[Sequence[str], Collection[str], str]] = {
            "agency": ((rule.agency,) if rule.agency else (), agencies, "agencies.csv"),
            "agencies": (rule.agencies, agencies, "agencies.csv"),
            "never": (tuple(code for code in rule.never if code != NAMED), agencies, "agencies.csv"),
            "categories": (rule.categories, categories, "categories.csv"),
            "report_types": (rule.report_types, report_types, f"pilihan {', '.join(report_types)}"),
            "places": (rule.places, places, "territory.csv"),
        }
        for column, (codes, closed, file) in known.items():
            for code in codes:
                if code not in closed:
                    yield f"{rule.where}, kolom {column}: {code!r} tidak ada di {file}"


def _unreadable(rule: Rule) -> Iterator[str]:
    for column, cell in (("words", rule.words), ("without", rule.without)):
        for phrase, parts in zip(cell, phrases(cell), strict=True):
            if not all(parts):
                yield f"{rule.where}, kolom {column}: {phrase!r} memuat bagian tanpa kata"
