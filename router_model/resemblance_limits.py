"""When two complaints count as resembling: part of `portal.toml`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from router_model.point import MOST_METRES

MOST_DAYS = 365
MOST_SENDERS = 20
"""More are not looked at for one complaint."""


@dataclass(frozen=True, slots=True)
class ResemblanceLimits:
    """All of certainty D: no rule was found that says when a complaint is a repeat. Practice merges what has the same
    place, matter and category within days.

    `days` is how long the same text counts as sent again or as part of a campaign, `object_days` how long other words
    about the same thing do. `same_text` is the least similarity of texts that are practically the same, `same_words`
    the least share of words in common where only a road says that two mean the same thing. A campaign has at least
    `campaign` senders. Points up to `metres` apart are one spot: two phones that err by 30 metres each.
    """

    days: int = 30
    object_days: int = 14
    same_text: float = 0.7
    same_words: float = 0.5
    campaign: int = 5
    metres: int = 50

    @property
    def longest(self) -> int:
        return max(self.days, self.object_days)


@dataclass(frozen=True, slots=True)
class Resemblance:
    """What holds for a portal, and what is otherwise in one of its categories."""

    limits: ResemblanceLimits = ResemblanceLimits()
    categories: Mapping[str, ResemblanceLimits] = field(default_factory=dict)

    def of(self, category: str) -> ResemblanceLimits:
        return self.categories.get(category, self.limits)

    @property
    def longest(self) -> int:
        """Days after which nothing resembles anything any more."""
        return max(limits.longest for limits in (self.limits, *self.categories.values()))


OURS = Resemblance()
_MOST = {"days": MOST_DAYS, "object_days": MOST_DAYS, "campaign": MOST_SENDERS, "metres": MOST_METRES}
_LEAST = {"days": 0, "object_days": 0, "campaign": 2, "metres": 20}
_NAMES = tuple(item.name for item in fields(ResemblanceLimits))
_BESIDE = ("category", "source", "certainty")


def read_resemblance(settings: Mapping[str, Any], problems: list[str]) -> Resemblance:
    """From `[resemblance]` and `[resemblance.category.<code>]`; what is not given is as in the table above it, and at
    last ours. Faults go to `problems`."""
    given = settings.get("resemblance", {})
    if not isinstance(given, Mapping):
        problems.append("portal.toml, resemblance: harus berupa tabel, contoh: [resemblance]")
        return OURS
    limits = _limits("resemblance", given, ResemblanceLimits(), _BESIDE, problems)
    rows = given.get("category", {})
    if not isinstance(rows, Mapping):
        problems.append("portal.toml, resemblance.category: harus berupa tabel, contoh: [resemblance.category.sampah]")
        return Resemblance(limits)
    categories = {}
    for code, row in rows.items():
        where = f"resemblance.category.{code}"
        if isinstance(row, Mapping):
            categories[code] = _limits(where, row, limits, _BESIDE[1:], problems)
        else:
            problems.append(f"portal.toml, {where}: harus berupa tabel, contoh: [{where}]")
    return Resemblance(limits, categories)


def _limits(
    where: str, row: Mapping[str, Any], above: ResemblanceLimits, beside: Collection[str], problems: list[str]
) -> ResemblanceLimits:
    values = {}
    for name, value in row.items():
        if name in beside:
            continue
        if name not in _NAMES:
            problems.append(f"portal.toml, {where}.{name}: harus salah satu dari {', '.join(_NAMES)}")
        elif fault := limit_fault(name, value):
            problems.append(f"portal.toml, {where}: {name} {fault}")
        else:
            values[name] = value
    return replace(above, **values)


def limit_fault(name: str, value: object) -> str:
    """What is wrong with a value of `ResemblanceLimits`, "" for nothing."""
    if name in _MOST:
        least, most = _LEAST[name], _MOST[name]
        whole = type(value) is int and least <= value <= most
        return "" if whole else f"harus bilangan bulat dari {least} sampai {most}"
    share = isinstance(value, int | float) and not isinstance(value, bool) and 0.3 <= value <= 1
    return "" if share else "harus angka dari 0.3 sampai 1"


def resemblance_faults(resemblance: Resemblance, categories: Collection[str]) -> Iterator[str]:
    """Faults that only show when the files are read together; `categories` are the codes of leaves."""
    for code in resemblance.categories:
        if code not in categories:
            yield f"portal.toml, resemblance.category.{code}: bukan kode subkategori di categories.csv"
