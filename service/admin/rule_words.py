"""A rule of the portal as people read it: when it holds, and what follows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from router_model.portal import REPORT_TYPES, Portal
from router_model.rules import NAMED, Rule
from service.pages import calendar_day

NAMED_WORDS = "instansi yang disebut namanya dalam laporan"


@dataclass(frozen=True, slots=True)
class RuleWords:
    """`when` holds conditions that must all hold, `then` what follows. `state` is "berlaku", "mulai" or "berakhir"."""

    rule: Rule
    when: tuple[str, ...]
    then: tuple[str, ...]
    state: str
    dates: str


def in_words(rule: Rule, portal: Portal, today: date) -> RuleWords:
    names = {place.code: place.name for place in portal.places}
    conditions = (
        ("laporan menyebut", map(_phrase, rule.words)),
        ("laporan tidak menyebut", map(_phrase, rule.without)),
        ("kategorinya", (portal.category[code].name for code in rule.categories)),
        ("model menyarankan", (unit_words(code, portal) for code in rule.agencies)),
        ("klasifikasinya", (REPORT_TYPES[code] for code in rule.report_types)),
        ("tempatnya", (names[code] for code in rule.places)),
    )
    when = [f"{what} {either(said)}" for what, values in conditions if (said := list(values))]
    then = [f"diteruskan ke {unit_words(rule.agency, portal)}"] if rule.agency else []
    if rule.never:
        then.append(f"tidak pernah ke {either([unit_words(code, portal) for code in rule.never])}")
    return RuleWords(rule, tuple(when), tuple(then), _state(rule, today), _dates(rule))


def unit_words(code: str, portal: Portal) -> str:
    """The name of an agency, or of the offices of a kind."""
    if code == NAMED:
        return NAMED_WORDS
    if code.startswith("@"):
        return f"kantor {portal.unit_name(code).lower()} setempat"
    return portal.agency[code].name if code in portal.agency else code


def either(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} atau {values[-1]}"


def _phrase(words: str) -> str:
    return " bersama ".join(f"“{part.strip()}”" for part in words.split("+"))


def _state(rule: Rule, today: date) -> str:
    if rule.until and rule.until < today:
        return "berakhir"
    return "mulai" if rule.since and rule.since > today else "berlaku"


def _dates(rule: Rule) -> str:
    since = f"sejak {calendar_day(rule.since)}" if rule.since else ""
    until = f"sampai {calendar_day(rule.until)}" if rule.until else ""
    return " ".join(part for part in (since, until) if part) or "selalu"


def units(portal: Portal) -> Iterable[tuple[str, str]]:
    """All that a rule can name as a body: agencies by name, then offices by kind."""
    kinds = sorted({agency.unit for agency in portal.living_agencies if agency.territorial})
    yield from ((kind, unit_words(kind, portal).capitalize()) for kind in kinds)
    found = [(agency.code, agency.name) for agency in portal.living_agencies if not agency.territorial]
    yield from sorted(found, key=lambda item: item[1])
