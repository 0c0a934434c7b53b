"""A portal folder: what is true of one complaint portal, and no code.

`portal.toml` names the portal; `agencies.csv`, `categories.csv`, `urgency.csv` and `territory.csv` hold its
closed label sets, `successions.csv`, if there is one, what became of bodies that were renamed, merged or split,
`calendar.csv` the days that are worked or free against the rule, `rules.csv` what is known of who has a matter, and
`landmarks.csv` the names that people give instead of a village.
A `Portal` that could be built is complete and free of contradictions.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from router_model.danger_families import families
from router_model.errors import PortalError
from router_model.identity_numbers import digits_of
from router_model.landmark import Landmark, landmark_faults, read_landmarks
from router_model.office_calendar import CalendarDay, read_calendar
from router_model.portal_table import CERTAINTIES, cell_certainty, cell_date, cell_parts, table_rows
from router_model.resemblance_limits import OURS, Resemblance, read_resemblance, resemblance_faults
from router_model.rules import Rule, read_rules, rule_faults
from router_model.succession import Succession, by_agency, handovers, read_successions, succession_faults
from router_model.time_limits import NO_LIMITS, TimeLimits, read_time_limits

PORTAL_FILES = ("portal.toml", "agencies.csv", "categories.csv", "urgency.csv", "territory.csv")
OPTIONAL_PORTAL_FILES = ("successions.csv", "calendar.csv", "rules.csv", "landmarks.csv")
REPORT_TYPES = {
    "pengawasan": "Pengaduan berkadar pengawasan",
    "pengaduan": "Pengaduan tidak berkadar pengawasan",
    "informasi": "Permintaan informasi",
    "aspirasi": "Aspirasi",
}
URGENCY_LEVELS = ("darurat", "tinggi", "sedang", "rendah")
_NUMBER = re.compile(r"\+?\(?\d[\d ().\-]*\d")
KIND_LABELS = {
    "kelurahan": "Kelurahan",
    "desa": "Desa",
    "kecamatan": "Kecamatan",
    "desa_adat": "Desa Adat",
}


@dataclass(frozen=True, slots=True)
class Agency:
    """One body that complaints are sent to. `territory` holds Kemendagri codes of the area it serves.

    `valid_from` and `valid_to` are ISO dates; a body with `valid_to` is retired, see `Portal.retired`.
    """

    code: str
    name: str
    kind: str
    short_name: str = ""
    parent: str = ""
    external: bool = False
    aliases: tuple[str, ...] = ()
    responsibilities: str = ""
    territory: tuple[str, ...] = ()
    channel: str = ""
    valid_from: str = ""
    valid_to: str = ""
    certainty: str = "D"
    source: str = ""
    note: str = ""
    territorial: bool = False

    @property
    def unit(self) -> str:
        """The class the model learns: the agency itself, or `@kind` for every territorial body of a kind."""
        return f"@{self.kind}" if self.territorial else self.code


@dataclass(frozen=True, slots=True)
class Category:
    """A leaf or a main branch of the category tree; `units` may own complaints of it (empty: anyone).

    `aliases` are names and codes by which older labels call it.
    """

    code: str
    name: str
    parent: str = ""
    national_name: str = ""
    units: frozenset[str] = frozenset()
    description: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UrgencyLevel:
    code: str
    name: str
    criteria: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A village or district with its Kemendagri code; `district_code` is empty for a district."""

    code: str
    name: str
    kind: str
    district_code: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmergencyContact:
    """`families` are the codes of the dangers that it is for, all if empty."""

    name: str
    number: str
    certainty: str
    families: tuple[str, ...] = ()


def folded(label: str) -> str:
    """The form in which two spellings of one name are equal: case, spacing and punctuation dropped."""
    return " ".join(re.findall(r"[^\W_]+", label.casefold()))


@dataclass(frozen=True)
class Portal:
    """Build with `load_portal`; a direct call skips the checks."""

    code: str
    name: str
    government: str
    timezone: str
    agencies: tuple[Agency, ...]
    categories: tuple[Category, ...]
    urgency: tuple[UrgencyLevel, ...]
    places: tuple[Place, ...] = ()
    emergency_contacts: tuple[EmergencyContact, ...] = ()
    successions: tuple[Succession, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()
    rules: tuple[Rule, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    limits: TimeLimits = NO_LIMITS
    resemblance: Resemblance = OURS
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def official_numbers(self) -> frozenset[str]:
        """Numbers of emergency contacts and of agencies' channels, as `digits_of` gives them: no person's, so they
        stay in a text."""
        channels = [agency.channel for agency in self.agencies] + [
            contact.number for contact in self.emergency_contacts
        ]
        return frozenset(digits_of(number) for channel in channels for number in _NUMBER.findall(channel))

    def contacts_for(self, dangers: Collection[str]) -> tuple[EmergencyContact, ...]:
        """Emergency contacts for these families of danger, the most certain first; all as listed if none is known."""
        contacts = self.emergency_contacts
        if dangers:
            fitting = [one for one in contacts if not one.families or not set(one.families).isdisjoint(dangers)]
            contacts = tuple(sorted(fitting, key=lambda one: one.certainty)) or contacts
        return contacts

    @cached_property
    def agency(self) -> dict[str, Agency]:
        return {agency.code: agency for agency in self.agencies}

    @cached_property
    def category(self) -> dict[str, Category]:
        return {category.code: category for category in self.categories}

    @cached_property
    def days_against_rule(self) -> dict[date, bool]:
        """Days of the portal's calendar, and whether they are worked."""
        return {one.day: one.kind == "kerja" for one in self.calendar}

    @cached_property
    def leaves(self) -> tuple[Category, ...]:
        """Categories a complaint can be given: those that no other category names as its parent."""
        parents = {category.parent for category in self.categories}
        return tuple(category for category in self.categories if category.code not in parents)

    @cached_property
    def leaf(self) -> dict[str, Category]:
        return {leaf.code: leaf for leaf in self.leaves}

    @cached_property
    def retired(self) -> frozenset[str]:
        """Codes of agencies that no complaint is sent to any more: they end, or all they had went to others.

        No clock decides this, or a release would change its classes overnight: who writes `valid_to` says so.
        """
        ended = {agency.code for agency in self.agencies if agency.valid_to}
        return frozenset(ended | {rule.agency for rule in self.successions if not rule.categories})

    @cached_property
    def living_agencies(self) -> tuple[Agency, ...]:
        """Agencies that complaints are sent to today, in the folder's order."""
        return tuple(agency for agency in self.agencies if agency.code not in self.retired)

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Classes of the answer `agency_kind`, in the folder's order; retired agencies are none."""
        return tuple(dict.fromkeys(agency.unit for agency in self.living_agencies))

    @cached_property
    def _rules(self) -> dict[str, list[Succession]]:
        return by_agency(self.successions)

    def handovers(self, agency: Agency, category: str = "", day: date | None = None) -> tuple[Succession, ...]:
        """The successions between the agency on a label and the body in charge today, in order.

        `category` is the code of the label's leaf, "" if it has none; `day` is when the complaint came in.
        """
        return handovers(self._rules, self.retired, agency.code, category, day)

    def in_charge(self, agency: Agency, category: str = "", day: date | None = None) -> Agency | None:
        """The living body that has the matter today; `None` if no succession tells. Arguments as of `handovers`."""
        path = self.handovers(agency, category, day)
        heir = self.agency[path[-1].successor] if path else agency
        return None if heir.code in self.retired else heir

    @cached_property
    def _agency_labels(self) -> dict[str, Agency]:
        # A body often leaves its short name to its heir, so living ones come first.
        living = [agency for agency in self.agencies if agency.code not in self.retired]
        retired = [agency for agency in self.agencies if agency.code in self.retired]
        labels: dict[str, Agency] = {}
        for agency in living + retired:
            for alias in agency.aliases:
                labels.setdefault(folded(alias), agency)
        for agency in retired + living:
            for label in (agency.short_name, agency.name, agency.code):
                if label:
                    labels[folded(label)] = agency
        return labels

    @cached_property
    def _category_labels(self) -> dict[str, Category]:
        labels = {folded(alias): category for category in reversed(self.categories) for alias in category.aliases}
        labels.update({folded(category.name): category for category in reversed(self.categories)})
        labels.update({folded(category.code): category for category in self.categories})
        labels.update({folded(category.name): category for category in self.leaves})
        return labels

    def find_agency(self, label: str) -> Agency | None:
        """The agency a label names by code, name, short name or alias, however it is spelled."""
        return self._agency_labels.get(folded(label))

    def find_category(self, label: str) -> Category | None:
        return self._category_labels.get(folded(label))

    def may_own(self, category: Category, unit: str) -> bool:
        return not category.units or unit in category.units

    def unit_name(self, unit: str) -> str:
        if unit.startswith("@"):
            return KIND_LABELS.get(unit[1:], unit[1:].replace("_", " ").title())
        return self.agency[unit].name


def _yes(cell: str, where: str, problems: list[str]) -> bool:
    if cell.casefold() not in {"ya", "tidak", ""}:
        problems.append(f"{where}, kolom external: {cell!r} harus 'ya' atau 'tidak'")
    return cell.casefold() == "ya"


def _agencies(folder: Path, territorial: Iterable[str], problems: list[str]) -> tuple[Agency, ...]:
    kinds = set(territorial)
    agencies = []
    for where, row in table_rows(folder / "agencies.csv", ("code", "name", "kind"), problems):
        if not (row["code"] and row["name"] and row["kind"]):
            problems.append(f"{where}: code, name dan kind harus diisi")
            continue
        for column in ("valid_from", "valid_to"):
            cell_date(row, column, where, problems)
        agencies.append(
            Agency(
                code=row["code"],
                name=row["name"],
                kind=row["kind"],
                short_name=row.get("short_name", ""),
                parent=row.get("parent", ""),
                external=_yes(row.get("external", ""), where, problems),
                aliases=cell_parts(row.get("aliases", "")),
                responsibilities=row.get("responsibilities", ""),
                territory=cell_parts(row.get("territory", "")),
                channel=row.get("channel", ""),
                valid_from=row.get("valid_from", ""),
                valid_to=row.get("valid_to", ""),
                certainty=cell_certainty(row, where, problems),
                source=row.get("source", ""),
                note=row.get("note", ""),
                territorial=row["kind"] in kinds,
            )
        )
    return tuple(agencies)


def _contacts(rows: Any, problems: list[str]) -> tuple[EmergencyContact, ...]:
    contacts = []
    for number, row in enumerate(rows if isinstance(rows, Sequence) else [rows], 1):
        if not (isinstance(row, Mapping) and row.get("name") and row.get("number")):
            problems.append(f"portal.toml, emergency_contacts ke-{number}: name dan number harus diisi")
            continue
        certainty = str(row.get("certainty", "D"))
        if certainty not in CERTAINTIES:
            problems.append(f"portal.toml, emergency_contacts ke-{number}: certainty harus A, B, C atau D")
        named = row.get("families", [])
        if not isinstance(named, list) or (unknown := [str(one) for one in named if one not in families()]):
            what = f"{', '.join(unknown)} tidak dikenal" if isinstance(named, list) else "harus berupa daftar"
            known = ", ".join(families())
            problems.append(f"portal.toml, emergency_contacts ke-{number}: families {what}; yang ada: {known}")
            named = []
        contacts.append(EmergencyContact(str(row["name"]), str(row["number"]), certainty, tuple(map(str, named))))
    return tuple(contacts)


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _contradictions(portal: Portal) -> Iterator[str]:
    """Faults that only show when the files are read together."""
    if not portal.living_agencies:
        yield "agencies.csv: tidak ada satu pun instansi yang masih berlaku"
    for code in _twice(agency.code for agency in portal.agencies):
        yield f"agencies.csv: code {code!r} dipakai dua kali"
    for name in _twice(folded(agency.name) for agency in portal.agencies):
        yield f"agencies.csv: nama {name!r} dipakai dua kali"
    for code in _twice(category.code for category in portal.categories):
        yield f"categories.csv: code {code!r} dipakai dua kali"
    for code in _twice(place.code for place in portal.places):
        yield f"territory.csv: code {code!r} dipakai dua kali"
    place_codes = {place.code for place in portal.places}
    for agency in portal.agencies:
        if agency.parent and agency.parent not in portal.agency:
            yield f"agencies.csv, {agency.code}, kolom parent: {agency.parent!r} tidak ada di agencies.csv"
        for code in agency.territory:
            if code not in place_codes:
                yield f"agencies.csv, {agency.code}, kolom territory: {code!r} tidak ada di territory.csv"
    units = {agency.unit for agency in portal.agencies}
    for category in portal.categories:
        if category.parent and category.parent not in portal.category:
            yield f"categories.csv, {category.code}, kolom parent: {category.parent!r} tidak ada"
        for unit in sorted(category.units - units):
            yield f"categories.csv, {category.code}, kolom agencies: {unit!r} bukan instansi portal ini"
    for place in portal.places:
        if place.district_code and place.district_code not in place_codes:
            yield f"territory.csv, {place.code}, kolom district_code: {place.district_code!r} tidak ada"
    yield from succession_faults(portal.successions, portal.agency, portal.leaf)
    yield from rule_faults(
        portal.rules,
        agencies=units | portal.agency.keys(),
        categories=portal.category,
        report_types=REPORT_TYPES,
        places=place_codes,
    )
    yield from landmark_faults(portal.landmarks, {place.code: (place.name, *place.aliases) for place in portal.places})
    yield from resemblance_faults(portal.resemblance, portal.leaf)
    levels = [level.code for level in portal.urgency]
    if sorted(levels) != sorted(URGENCY_LEVELS):
        yield f"urgency.csv: harus berisi tepat {', '.join(URGENCY_LEVELS)}; sekarang {', '.join(levels)}"


def _with_heirs(portal: Portal, problems: list[str]) -> Portal:
    """The same portal, where the owners of a category are bodies of today: `categories.csv` may name older ones."""
    categories = []
    for category in portal.categories:
        owners = {unit for unit in category.units if unit in portal.units}
        for agency in (portal.agency[unit] for unit in sorted(category.units & portal.agency.keys())):
            if heir := portal.in_charge(agency, category.code):
                owners.add(heir.unit)
        if category.units and not owners:
            names = ", ".join(sorted(category.units))
            problems.append(
                f"categories.csv, {category.code}, kolom agencies: {names} tidak berlaku lagi, penerusnya tidak ada"
            )
        categories.append(replace(category, units=frozenset(owners)))
    rules = tuple(_of_today(rule, portal, problems) for rule in portal.rules)
    return replace(portal, categories=tuple(categories), rules=rules)


def _of_today(rule: Rule, portal: Portal, problems: list[str]) -> Rule:
    """The same rule for the bodies of today: it may name older ones, but its matter must be one body's now."""

    def heir(code: str, category: str = "") -> str:
        if code not in portal.retired:
            return code
        found = portal.in_charge(portal.agency[code], category)
        return found.code if found else ""

    heirs = {heir(rule.agency, category) for category in rule.categories or ("",)}
    if rule.agency and (len(heirs) > 1 or "" in heirs):
        problems.append(
            f"{rule.where}, kolom agency: {rule.agency!r} tidak berlaku lagi; tulis satu instansi penerusnya"
        )
        return rule
    return replace(
        rule,
        agency=heirs.pop(),
        agencies=tuple(heir(code) or code for code in rule.agencies),
        never=tuple(heir(code) or code for code in rule.never),
    )


def load_portal(folder: Path) -> Portal:
    """Reads and checks a portal folder.

    Raises:
        PortalError: naming every fault with its file, line and column.
    """
    if not folder.is_dir():
        raise PortalError(f"Folder portal {folder} tidak ada. Buat dengan: aduan portal init DATA --out {folder}")
    problems: list[str] = []
    settings: dict[str, Any] = {}
    try:
        settings = tomllib.loads((folder / "portal.toml").read_text("utf-8"))
    except FileNotFoundError:
        problems.append("portal.toml: berkas tidak ada")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"portal.toml: {error}")
    for key in ("code", "name", "government", "timezone"):
        if settings and not isinstance(settings.get(key), str):
            problems.append(f"portal.toml: {key} harus diisi dengan teks")
    portal = Portal(
        code=str(settings.get("code", "")),
        name=str(settings.get("name", "")),
        government=str(settings.get("government", "")),
        timezone=str(settings.get("timezone", "")),
        agencies=_agencies(folder, settings.get("territorial_kinds", ()), problems),
        categories=tuple(
            Category(
                code=row["code"],
                name=row["name"],
                parent=row.get("parent", ""),
                national_name=row.get("national_name", ""),
                units=frozenset(cell_parts(row.get("agencies", ""))),
                description=row.get("description", ""),
                aliases=cell_parts(row.get("aliases", "")),
            )
            for _, row in table_rows(folder / "categories.csv", ("code", "name"), problems)
        ),
        urgency=tuple(
            UrgencyLevel(row["code"], row["name"], row.get("criteria", ""), row.get("action", ""))
            for _, row in table_rows(folder / "urgency.csv", ("code", "name"), problems)
        ),
        places=tuple(
            Place(
                row["code"],
                row["name"],
                row["kind"],
                row.get("district_code", ""),
                cell_parts(row.get("aliases", "")),
            )
            for _, row in table_rows(folder / "territory.csv", ("code", "name", "kind"), problems)
        ),
        emergency_contacts=_contacts(settings.get("emergency_contacts", ()), problems),
        successions=read_successions(folder / "successions.csv", problems),
        calendar=read_calendar(folder / "calendar.csv", problems),
        rules=read_rules(folder / "rules.csv", problems),
        landmarks=read_landmarks(folder / "landmarks.csv", problems),
        limits=read_time_limits(settings, REPORT_TYPES, URGENCY_LEVELS, problems),
        resemblance=read_resemblance(settings, problems),
        settings=settings,
    )
    if not problems:
        problems.extend(_contradictions(portal))
    if not problems:
        portal = _with_heirs(portal, problems)
    if problems:
        raise PortalError(f"Folder portal {folder} belum bisa dipakai:", problems)
    return portal
