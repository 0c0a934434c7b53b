"""Who took over the matters of a body that was renamed, merged or split.

`successions.csv` says where the matters of an agency go today: those of the categories it names, or all that no
other row of the agency names. Labels of history are read through it, so that a model learns the bodies of today.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from router_model.portal_table import cell_certainty, cell_date, cell_parts, table_rows


@dataclass(frozen=True, slots=True)
class Succession:
    """From the day `since` (`None`: always) matters of `agency` are the successor's; `categories` empty: all of them.

    Both bodies are codes of agencies, categories are codes of leaves; `where` is the row's file and line.
    """

    agency: str
    successor: str
    since: date | None = None
    categories: frozenset[str] = frozenset()
    certainty: str = "D"
    source: str = ""
    note: str = ""
    where: str = field(default="", compare=False)

    def is_after(self, day: date | None) -> bool:
        """Whether a complaint of that day (`None`: unknown) came in before the matter went over."""
        return self.since is None or day is None or day < self.since


def read_successions(path: Path, problems: list[str]) -> tuple[Succession, ...]:
    """Rows of `successions.csv`; none if the file does not exist. Faults go to `problems`."""
    if not path.exists():
        return ()
    found = []
    for where, row in table_rows(path, ("agency", "successor", "from", "categories"), problems):
        if not (row["agency"] and row["successor"]):
            problems.append(f"{where}: agency dan successor harus diisi")
            continue
        found.append(
            Succession(
                agency=row["agency"],
                successor=row["successor"],
                since=cell_date(row, "from", where, problems),
                categories=frozenset(cell_parts(row["categories"])),
                certainty=cell_certainty(row, where, problems),
                source=row.get("source", ""),
                note=row.get("note", ""),
                where=where,
            )
        )
    return tuple(found)


def by_agency(successions: Iterable[Succession]) -> dict[str, list[Succession]]:
    rules: dict[str, list[Succession]] = {}
    for succession in successions:
        rules.setdefault(succession.agency, []).append(succession)
    return rules


def rule_for(rules: Sequence[Succession], category: str) -> Succession | None:
    """Of one agency's rules the one for a category ("": unknown): the latest that names it, else that names none."""
    named = [rule for rule in rules if category in rule.categories] or [r for r in rules if not r.categories]
    return max(named, key=lambda rule: rule.since or date.min, default=None)


def handovers(
    rules: Mapping[str, Sequence[Succession]], retired: Collection[str], agency: str, category: str, day: date | None
) -> tuple[Succession, ...]:
    """The rules that lead from the agency on a label to the body in charge today, in order.

    A living agency keeps what came in on or after the day of its rule: whoever chose it then knew of the change.
    """
    followed: list[Succession] = []
    while (rule := rule_for(rules.get(agency, ()), category)) and (agency in retired or rule.is_after(day)):
        followed.append(rule)
        agency = rule.successor
        if rule.since and rule.is_after(day):
            day = rule.since
    return tuple(followed)


def succession_faults(
    successions: Sequence[Succession], agencies: Collection[str], leaves: Collection[str]
) -> Iterator[str]:
    """Rows that name what the portal does not have, that say the same thing twice, or that lead in a circle."""
    seen: dict[tuple[str, str, date | None], str] = {}
    for rule in successions:
        for column, code in (("agency", rule.agency), ("successor", rule.successor)):
            if code not in agencies:
                yield f"{rule.where}, kolom {column}: {code!r} tidak ada di agencies.csv"
        for code in sorted(rule.categories - set(leaves)):
            yield f"{rule.where}, kolom categories: {code!r} bukan kategori ujung di categories.csv"
        for category in sorted(rule.categories) or [""]:
            first = seen.setdefault((rule.agency, category, rule.since), rule.where)
            if first != rule.where:
                matter = f"kategori {category!r}" if category else "semua urusan lain"
                yield f"{rule.where}: {matter} dari {rule.agency!r} sudah diatur di {first} dengan tanggal yang sama"
    yield from _circles(by_agency(successions))


def _circles(rules: Mapping[str, Sequence[Succession]]) -> Iterator[str]:
    """A matter that goes from body to body must end somewhere; checked for each category by itself."""
    told: set[frozenset[str]] = set()
    for category in sorted({"", *(code for own in rules.values() for rule in own for code in rule.categories)}):
        heirs = {agency: rule.successor for agency, own in rules.items() if (rule := rule_for(own, category))}
        try:
            TopologicalSorter({agency: (successor,) for agency, successor in heirs.items()}).prepare()
        except CycleError as error:
            circle = error.args[1]
            if frozenset(circle) in told:
                continue
            told.add(frozenset(circle))
            matter = f" untuk kategori {category!r}" if category else ""
            path = " -> ".join(reversed(circle))
            yield f"successions.csv: penerus berputar{matter}: {path}; hapus baris yang sudah tidak berlaku"
