"""What every government does: the affairs that names of agencies tell, and complaints of each affair.

`data/knowledge/affairs.csv` lists the affairs of government (UU 23/2014, article 12 and its annex, and bodies outside
local government) with the words by which the name of an agency shows them, and which affair's agency takes them
where none does. `matters.csv` says which affairs the categories of the shipped sample belong to. Together they turn
the sample into examples for the agencies of any portal, before it has labels of its own.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from router_model.complaint import Complaint
from router_model.portal import Agency, Category, Portal, folded, load_portal
from training.dataset import Example, load_examples
from training.name_similarity import parse_name

_DATA = Path(__file__).parents[1] / "data"
FOLDER = _DATA / "knowledge"
SAMPLE = _DATA / "labeled_sample" / "denpasar"

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Affair:
    """A matter of government. `names` are phrases of agencies' names or `@kind`; `otherwise` the affairs whose agency
    takes it where no agency is named after it, in order."""

    code: str
    name: str
    names: tuple[str, ...]
    otherwise: tuple[str, ...]
    law: str


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


@cache
def affairs() -> Mapping[str, Affair]:
    with (FOLDER / "affairs.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Affair(row["code"], row["name"], _parts(row["names"]), _parts(row["otherwise"]), row["law"])
            for row in csv.DictReader(file)
        }


@cache
def matters() -> Mapping[str, tuple[str, ...]]:
    """Affairs of each category of the sample, the usual one first."""
    with (FOLDER / "matters.csv").open(encoding="utf-8", newline="") as file:
        return {row["category"]: _parts(row["affairs"]) for row in csv.DictReader(file)}


@cache
def _phrases() -> Sequence[tuple[Words, str]]:
    """Phrases with their affairs, longest first."""
    found = [(tuple(name.split()), affair.code) for affair in affairs().values() for name in affair.names]
    return sorted(found, key=lambda pair: -len(pair[0]))


def affairs_named(name: str) -> set[str]:
    """Codes of the affairs that a name shows. Of phrases that overlap the longest counts: `BPJS Kesehatan` is not a
    health office."""
    words = list(parse_name(name).words)
    found = set()
    for phrase, affair in _phrases():
        for start in range(len(words) - len(phrase) + 1):
            if tuple(words[start : start + len(phrase)]) == phrase:
                found.add(affair)
                words[start : start + len(phrase)] = [""] * len(phrase)
    return found


def affairs_of(agency: Agency) -> set[str]:
    """Codes of the affairs that the names of an agency show."""
    if agency.territorial:
        return {affair.code for affair in affairs().values() if agency.unit in affair.names}
    return {code for name in (agency.name, agency.short_name, *agency.aliases) if name for code in affairs_named(name)}


class Owners:
    """Which units of a portal have an affair."""

    def __init__(self, portal: Portal) -> None:
        inside: dict[str, list[Agency]] = defaultdict(list)
        outside: dict[str, list[Agency]] = defaultdict(list)
        for agency in portal.living_agencies:
            for affair in affairs_of(agency):
                (outside if agency.external else inside)[affair].append(agency)
        self._inside = {affair: _units(agencies) for affair, agencies in inside.items()}
        self._outside = {affair: _units(agencies) for affair, agencies in outside.items()}

    def of(self, affair: str) -> list[str]:
        """Units named after the affair, else those of the affairs that stand in for it; empty if there are none."""
        for code in _chain(affair):
            if units := self._inside.get(code) or self._outside.get(code):
                return units
        return []


def _units(agencies: Iterable[Agency]) -> list[str]:
    """Each unit once; of two spellings of one name the longer, which is the official one more often."""
    by_name: dict[object, Agency] = {}
    for agency in sorted(agencies, key=lambda agency: -len(agency.name)):
        by_name.setdefault(agency.unit if agency.territorial else parse_name(agency.name).key, agency)
    return sorted({agency.unit for agency in by_name.values()})


def _chain(affair: str) -> Iterator[str]:
    """The affair and all that may stand in for it, nearest first."""
    waiting, seen = [affair], set()
    while waiting:
        code = waiting.pop(0)
        if code not in seen:
            seen.add(code)
            yield code
            waiting += affairs()[code].otherwise


@cache
def _sample() -> tuple[Portal, Sequence[tuple[Example, str]]]:
    """The shipped sample: its portal, and its complaints with the affair each belongs to."""
    portal = load_portal(SAMPLE)
    owners = Owners(portal)
    found = []
    for row in load_examples([SAMPLE / "complaints.csv"], portal)[0]:
        usual = matters().get(row.labels.get("category", ""), ())
        own = [affair for affair in usual if row.labels.get("unit") in owners.of(affair)]
        if usual:
            found.append((row, (own or usual)[0]))
    return portal, found


def known_complaints(portal: Portal) -> list[Example]:
    """The sample's complaints with the labels this portal would give them, without date and place; those nobody here
    has the affair of are left out, and all where `portal.toml` says `knowledge = false`.

    Agencies that share an affair take turns. A category is that of the same code or the same national name, if the
    agency can own it.
    """
    if not portal.settings.get("knowledge", True):
        return []
    sample, complaints = _sample()
    owners, categories = Owners(portal), _categories(sample, portal)
    turns: Counter[str] = Counter()
    found = []
    for row, affair in complaints:
        category = categories.get(row.labels["category"])
        if not (units := _allowed(category, owners.of(affair))):
            continue
        unit = units[turns[affair] % len(units)]
        turns[affair] += 1
        labels = {answer: row.labels[answer] for answer in ("urgency", "report_type") if answer in row.labels}
        labels["unit"] = unit
        if category and portal.may_own(category, unit):
            labels["category"] = category.code
        complaint = Complaint(text=row.complaint.text, title=row.complaint.title)
        found.append(Example(row.where, row.id, None, row.channel, complaint, labels))
    return found


def _allowed(category: Category | None, named: list[str]) -> list[str]:
    """Of the units named after an affair those that the portal lets own the category; where it says that just another
    one does, that one."""
    if category is None or not category.units:
        return named
    both = [unit for unit in named if unit in category.units]
    return both or (sorted(category.units) if len(category.units) == 1 else named)


def shipped_categories(portal: Portal) -> list[Category]:
    """The sample's category tree as this portal can use it: leaves of affairs that somebody here has, and the main
    branches over them. Who may own which is left open: names do not tell it surely enough."""
    sample, _ = _sample()
    owners = Owners(portal)
    leaves = [
        replace(leaf, units=frozenset())
        for leaf in sample.leaves
        if any(owners.of(affair) for affair in matters().get(leaf.code, ()))
    ]
    parents = {leaf.parent for leaf in leaves}
    return [*(category for category in sample.categories if category.code in parents), *leaves]


def _categories(sample: Portal, portal: Portal) -> dict[str, Category]:
    """For categories of the sample those of the portal."""
    by_national = {folded(leaf.national_name): leaf for leaf in reversed(portal.leaves) if leaf.national_name}
    by_name = {folded(leaf.name): leaf for leaf in reversed(portal.leaves)}
    found = {}
    for leaf in sample.leaves:
        national = folded(leaf.national_name)
        twin = (
            portal.leaf.get(leaf.code)
            or by_name.get(folded(leaf.name))
            or by_name.get(national)
            or by_national.get(national)
        )
        if twin:
            found[leaf.code] = twin
    return found
