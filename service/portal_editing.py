"""What an admin changes in the files of a portal: bodies that begin, are renamed, merged, split and end, categories,
emergency numbers, days of the calendar, rules, landmarks.

Each edit takes the files and gives the changed ones, and says in a sentence what it did. Whether the result is a portal
is checked where it is put in its place, over all files together; an edit refuses only what it cannot do. Files that an
edit leaves alone are not written again, and those that are keep their columns, their order and their comments.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import tomlkit

from router_model.danger_families import families
from router_model.errors import AduanError, PortalError
from router_model.office_calendar import DAY_KINDS
from router_model.portal import Portal, folded
from router_model.portal_table import cell_parts
from router_model.rules import COLUMNS as RULE_COLUMNS
from service.pages import calendar_day

AGENCY_CELLS = (
    "name", "short_name", "kind", "parent", "external", "aliases", "responsibilities", "territory", "channel",
    "certainty", "source", "note",
)  # fmt: skip
"""What may be changed of an agency without a date."""
CATEGORY_CELLS = ("name", "parent", "national_name", "agencies", "description")
_COLUMNS = {
    "agencies.csv": (
        "code", "name", "short_name", "kind", "parent", "external", "aliases", "responsibilities", "territory",
        "channel", "valid_from", "valid_to", "certainty", "source", "note",
    ),
    "categories.csv": ("code", "name", "parent", "national_name", "agencies", "description", "aliases"),
    "successions.csv": ("agency", "successor", "from", "categories", "certainty", "source", "note"),
    "calendar.csv": ("date", "kind", "name", "source", "certainty"),
    "rules.csv": RULE_COLUMNS,
    "landmarks.csv": ("name", "kind", "place", "aliases", "certainty", "source", "note"),
}  # fmt: skip
LONGEST_CODE = 60
LONGEST_CELL = 2_000


class EditRefusedError(AduanError):
    """An edit that cannot be done as asked; `field` names what of it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file, every cell as it stands there."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    def with_row(self, values: Mapping[str, str], after: int | None = None) -> "Table":
        """One more row, at the end or after a place. Columns that the file lacks and the row needs come last."""
        place = len(self.rows) if after is None else after + 1
        missing = tuple(name for name, value in values.items() if value and name not in self.columns)
        return Table((*self.columns, *missing), (*self.rows[:place], dict(values), *self.rows[place:]))

    def with_cells(self, place: int, values: Mapping[str, str]) -> "Table":
        missing = tuple(name for name, value in values.items() if value and name not in self.columns)
        rows = [*self.rows]
        rows[place] = {**rows[place], **values}
        return Table((*self.columns, *missing), tuple(rows))

    def without(self, place: int) -> "Table":
        return replace(self, rows=self.rows[:place] + self.rows[place + 1 :])

    def place(self, column: str, value: str) -> int | None:
        return next((number for number, row in enumerate(self.rows) if row.get(column, "").strip() == value), None)


@dataclass(frozen=True)
class PortalFiles:
    """The files that can be edited; `settings` is `portal.toml` with its comments."""

    tables: Mapping[str, Table]
    settings: tomlkit.TOMLDocument

    @property
    def agencies(self) -> Table:
        return self.tables["agencies.csv"]

    @property
    def categories(self) -> Table:
        return self.tables["categories.csv"]

    @property
    def successions(self) -> Table:
        return self.tables["successions.csv"]

    def with_table(self, name: str, table: Table) -> "PortalFiles":
        return replace(self, tables={**self.tables, name: table})


Edited = tuple[PortalFiles, str]
Edit = Callable[[PortalFiles], Edited]


def on_folder(edit: Edit) -> Callable[[Path], str]:
    """The same edit, done to the files of a folder."""

    def edited(folder: Path) -> str:
        before = read_files(folder)
        after, what = edit(before)
        for name, table in after.tables.items():
            if table != before.tables[name]:
                (folder / name).write_text(_csv(table), "utf-8")
        if (settings := tomlkit.dumps(after.settings)) != tomlkit.dumps(before.settings):
            (folder / "portal.toml").write_text(settings, "utf-8")
        return what

    return edited


def read_files(folder: Path) -> PortalFiles:
    """Raises `PortalError` for a file that cannot be read, or has a row with more cells than columns."""
    problems: list[str] = []
    tables = {name: _table(folder / name, columns, problems) for name, columns in _COLUMNS.items()}
    try:
        settings = tomlkit.parse((folder / "portal.toml").read_text("utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"portal.toml: {error}")
        settings = tomlkit.document()
    if problems:
        raise PortalError("Folder portal belum bisa disunting:", problems)
    return PortalFiles(tables, settings)


def _table(path: Path, columns: tuple[str, ...], problems: list[str]) -> Table:
    if not path.exists():
        return Table(columns, ())
    rows = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = tuple(next(reader, []))
            for cells in reader:
                if len(cells) > len(header):
                    problems.append(f"{path.name} baris {reader.line_num}: lebih banyak sel daripada kolom")
                if cells:
                    rows.append(dict(zip(header, cells, strict=False)))
    except (OSError, ValueError, csv.Error) as error:
        problems.append(f"{path.name}: tidak terbaca sebagai CSV UTF-8 ({error})")
        return Table(columns, ())
    return Table(header, tuple(rows))


def _csv(table: Table) -> str:
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([row.get(column, "") for column in table.columns] for row in table.rows)
    return text.getvalue()


def add_agency(files: PortalFiles, values: Mapping[str, str], day: date | None = None) -> Edited:
    """A body that complaints can be sent to from now on; `values` are `AGENCY_CELLS`, and `code` where the admin wants
    a certain one."""
    name = _needed(values, "name", "Nama instansi harus diisi.")
    _needed(values, "kind", "Jenis instansi harus diisi, misalnya dinas.")
    code = _new_code(values.get("code", ""), values.get("short_name") or name, files.agencies)
    row = {"code": code, **_cells(values, AGENCY_CELLS), "valid_from": day.isoformat() if day else ""}
    return files.with_table("agencies.csv", files.agencies.with_row(row)), f"{name} ditambahkan."


def change_agency(files: PortalFiles, code: str, values: Mapping[str, str]) -> Edited:
    """Other aliases, matters, channel and whatever else of the same body. Its name is changed by `rename_agency`."""
    place = _agency(files, code)
    _needed(values, "kind", "Jenis instansi harus diisi, misalnya dinas.")
    cells = _cells(values, [cell for cell in AGENCY_CELLS if cell != "name"])
    if cells.get("external") == "tidak" and not files.agencies.rows[place].get("external"):
        del cells["external"]
    table = files.agencies.with_cells(place, cells)
    return files.with_table("agencies.csv", table), f"Keterangan {_name(files, code)} diubah."


def rename_agency(files: PortalFiles, code: str, name: str) -> Edited:
    """The same body under a new name; older labels go on finding it by the old one."""
    place, old, name = _agency(files, code), _name(files, code), _new_name(files, name, code)
    aliases = _joined([*cell_parts(files.agencies.rows[place].get("aliases", "")), old], without=name)
    table = files.agencies.with_cells(place, {"name": name, "aliases": aliases})
    return files.with_table("agencies.csv", table), f"{old} berganti nama menjadi {name}."


def succeed_agency(files: PortalFiles, code: str, name: str, day: date) -> Edited:
    """A new body takes the place of an old one from a day on, with all its matters."""
    old = _name(files, code)
    files, heir = _with_heir(files, _agency(files, code), name, day)
    return _ended(files, code, heir, day), f"{old} digantikan {name.strip()} sejak {calendar_day(day)}."


def merge_agencies(files: PortalFiles, codes: Sequence[str], into: str, name: str, day: date) -> Edited:
    """Several bodies become one from a day on: `into`, or a new one called `name` where that is empty."""
    merged = [code for code in dict.fromkeys(codes) if code != into]
    if len(merged) < (1 if into else 2):
        raise EditRefusedError("codes", "Pilih sedikitnya dua instansi yang digabung.")
    names = [_name(files, code) for code in merged]
    places = [_agency(files, code) for code in merged]
    files, heir = (files, into) if into else _with_heir(files, places[-1], name, day)
    for code in merged:
        files = _ended(files, code, heir, day)
    return files, f"{_listed(names)} digabung ke {_name(files, heir)} sejak {calendar_day(day)}."


def hand_over(files: PortalFiles, code: str, categories: Sequence[str], into: str, name: str, day: date) -> Edited:
    """Some matters of a body that lives on go to another from a day on: to `into`, or to a new one called `name`. Who
    gets a category from an owner may own it: `load_portal` sees to that."""
    place, old = _agency(files, code), _name(files, code)
    if not categories:
        raise EditRefusedError("categories", "Pilih sedikitnya satu kategori yang berpindah.")
    files, heir = (files, into) if into else _with_heir(files, place, name, day, matters=False)
    moved = [_category_name(files, category) for category in categories]
    files = _succession(files, code, heir, day, categories)
    return files, f"{_listed(moved)} berpindah dari {old} ke {_name(files, heir)} sejak {calendar_day(day)}."


def retire_agency(files: PortalFiles, code: str, day: date, into: str = "") -> Edited:
    """A body ends before a day; what it still had goes to `into`, or to nobody."""
    heir = f"; urusannya pindah ke {_name(files, into)}" if into else ""
    return _ended(files, code, into, day), f"{_name(files, code)} berakhir sebelum {calendar_day(day)}{heir}."


def add_category(files: PortalFiles, values: Mapping[str, str]) -> Edited:
    name = _needed(values, "name", "Nama kategori harus diisi.")
    code = _new_code(values.get("code", ""), name, files.categories)
    parent = values.get("parent", "").strip()
    siblings = [number for number, row in enumerate(files.categories.rows) if row.get("parent", "").strip() == parent]
    after = max(siblings, default=files.categories.place("code", parent)) if parent else None
    row = {"code": code, **_cells(values, CATEGORY_CELLS)}
    return files.with_table("categories.csv", files.categories.with_row(row, after)), f"Kategori {name} ditambahkan."


def change_category(files: PortalFiles, code: str, values: Mapping[str, str]) -> Edited:
    """Under another name older labels go on finding it by the old one."""
    place, old = _category(files, code), _category_name(files, code)
    name = _needed(values, "name", "Nama kategori harus diisi.")
    cells = _cells(values, CATEGORY_CELLS)
    if name != old:
        known = cell_parts(files.categories.rows[place].get("aliases", ""))
        cells["aliases"] = _joined([*known, old], without=name)
    changed = files.with_table("categories.csv", files.categories.with_cells(place, cells))
    return changed, f"Kategori {old} berganti nama menjadi {name}." if name != old else f"Kategori {old} diubah."


def retire_category(files: PortalFiles, code: str, into: str = "") -> Edited:
    """No complaint gets it any more. With `into` its labels are read as those of another one; without, they teach
    nothing about categories any more."""
    place, name = _category(files, code), _category_name(files, code)
    if files.categories.place("parent", code) is not None:
        raise EditRefusedError(
            "into", "Kategori ini masih punya kategori di bawahnya; pindahkan atau akhiri itu dahulu."
        )
    if into == code:
        raise EditRefusedError("into", "Pilih kategori lain.")
    table = files.categories
    if into:
        heir = _category(files, into)
        known = cell_parts(table.rows[heir].get("aliases", ""))
        left = cell_parts(table.rows[place].get("aliases", ""))
        table = table.with_cells(heir, {"aliases": _joined([*known, name, code, *left])})
    files = files.with_table("categories.csv", table.without(place))
    files = _without_category(files, code, into)
    kept = f"; labelnya dibaca sebagai {_category_name(files, into)}" if into else ""
    return files, f"Kategori {name} diakhiri{kept}."


def _without_category(files: PortalFiles, code: str, into: str) -> PortalFiles:
    """Successions and rules that no longer name a category. A row without any would mean all, so it goes."""
    for name in ("successions.csv", "rules.csv"):
        rows = []
        for row in files.tables[name].rows:
            named = cell_parts(row.get("categories", ""))
            left = _joined(into if category == code else category for category in named)
            if left or not named:
                rows.append({**row, "categories": left} if code in named else row)
        files = files.with_table(name, replace(files.tables[name], rows=tuple(rows)))
    return files


def drop_succession(files: PortalFiles, place: int) -> Edited:
    """A row that no longer holds."""
    if not 0 <= place < len(files.successions.rows):
        raise EditRefusedError("row", "Baris ini tidak ada lagi.")
    row = files.successions.rows[place]
    changed = files.with_table("successions.csv", files.successions.without(place))
    return changed, f"Penerus {row.get('agency', '')} ke {row.get('successor', '')} dihapus."


def contact_rows(portal: Portal) -> list[dict[str, str]]:
    """The emergency numbers of a portal as `set_contacts` takes them."""
    return [
        {"name": one.name, "number": one.number, "certainty": one.certainty, "families": _joined(one.families)}
        for one in portal.emergency_contacts
    ]


def set_contacts(files: PortalFiles, contacts: Sequence[Mapping[str, str]]) -> Edited:
    """All emergency numbers, in the order in which they are shown; each `name`, `number`, `certainty`, and
    `families`, codes of dangers parted by ";" (empty for all)."""
    rows = tomlkit.aot()
    for number, contact in enumerate(contacts):
        row = tomlkit.table()
        for key in ("name", "number", "certainty"):
            row.add(key, _needed(contact, key, "Isi nama, nomor dan kepastiannya.", field=f"{key}-{number}"))
        if named := cell_parts(contact.get("families", "")):
            if unknown := [code for code in named if code not in families()]:
                known = f"{', '.join(unknown)} tidak dikenal. Yang ada: {', '.join(families())}."
                raise EditRefusedError(f"families-{number}", known)
            row.add("families", list(named))
        rows.append(row)
    settings = tomlkit.parse(tomlkit.dumps(files.settings))
    settings.pop("emergency_contacts", None)
    if rows:
        settings.append("emergency_contacts", rows)
    return replace(files, settings=settings), f"Nomor darurat diubah, sekarang {len(rows)}."


def add_day(files: PortalFiles, day: date, kind: str, name: str, source: str, certainty: str) -> Edited:
    """A day that is free or worked against the rule."""
    table = files.tables["calendar.csv"]
    if kind not in DAY_KINDS:
        raise EditRefusedError("kind", "Pilih libur atau kerja.")
    if not name.strip():
        raise EditRefusedError("name", "Tulis nama harinya, misalnya Cuti bersama Nyepi.")
    if table.place("date", day.isoformat()) is not None:
        raise EditRefusedError("date", f"Tanggal {calendar_day(day)} sudah ada; hapus dahulu yang lama.")
    row = {"date": day.isoformat(), "kind": kind, "name": name, "source": source, "certainty": certainty}
    rows = sorted((*table.rows, _cells(row, row)), key=lambda each: each.get("date", ""))
    changed = replace(table.with_row(row), rows=tuple(rows))
    return files.with_table("calendar.csv", changed), f"{calendar_day(day)} menjadi {DAY_KINDS[kind]}: {name.strip()}."


def drop_day(files: PortalFiles, day: str) -> Edited:
    table = files.tables["calendar.csv"]
    place = table.place("date", day)
    if place is None:
        raise EditRefusedError("date", "Tanggal ini tidak ada lagi.")
    return files.with_table(
        "calendar.csv", table.without(place)
    ), f"{calendar_day(day)} kembali menurut kalender biasa."


def add_rule(files: PortalFiles, values: Mapping[str, str], before: str = "") -> Edited:
    """A rule at the end, or before another one: of those that fit a complaint the first counts."""
    table = files.tables["rules.csv"]
    reason = _needed(values, "reason", "Tulis kalimat yang menerangkan aturan ini kepada petugas.")
    code = _new_code(values.get("code", ""), reason, table)
    after = _rule(files, before) - 1 if before else None
    row = {"code": code, **_cells(values, [column for column in RULE_COLUMNS if column != "code"])}
    return files.with_table("rules.csv", table.with_row(row, after)), f"Aturan {code} ditambahkan."


def end_rule(files: PortalFiles, code: str, day: date) -> Edited:
    """The last day on which complaints that come in follow it."""
    table = files.tables["rules.csv"].with_cells(_rule(files, code), {"to": day.isoformat()})
    return files.with_table("rules.csv", table), f"Aturan {code} berlaku sampai {calendar_day(day)}."


def drop_rule(files: PortalFiles, code: str) -> Edited:
    table = files.tables["rules.csv"].without(_rule(files, code))
    return files.with_table("rules.csv", table), f"Aturan {code} dihapus."


def add_landmark(files: PortalFiles, values: Mapping[str, str]) -> Edited:
    """A name that tells a village or district; `place` is a code of the territory."""
    table = files.tables["landmarks.csv"]
    name = _needed(values, "name", "Tulis nama patokannya, misalnya Pasar Badung.")
    row = _cells(values, _COLUMNS["landmarks.csv"])
    return files.with_table("landmarks.csv", table.with_row(row)), f"Patokan {name} ditambahkan."


def drop_landmark(files: PortalFiles, place: int) -> Edited:
    table = files.tables["landmarks.csv"]
    if not 0 <= place < len(table.rows):
        raise EditRefusedError("row", "Baris ini tidak ada lagi.")
    name = table.rows[place].get("name", "")
    return files.with_table("landmarks.csv", table.without(place)), f"Patokan {name} dihapus."


def _rule(files: PortalFiles, code: str) -> int:
    place = files.tables["rules.csv"].place("code", code)
    if place is None:
        raise EditRefusedError("code", "Aturan ini tidak ada lagi.")
    return place


def _agency(files: PortalFiles, code: str) -> int:
    place = files.agencies.place("code", code)
    if place is None:
        raise EditRefusedError("code", f"Instansi {code} tidak ada.")
    return place


def _category(files: PortalFiles, code: str) -> int:
    place = files.categories.place("code", code)
    if place is None:
        raise EditRefusedError("category", f"Kategori {code} tidak ada.")
    return place


def _name(files: PortalFiles, code: str) -> str:
    return files.agencies.rows[_agency(files, code)]["name"].strip()


def _category_name(files: PortalFiles, code: str) -> str:
    return files.categories.rows[_category(files, code)]["name"].strip()


def _new_name(files: PortalFiles, name: str, of: str = "") -> str:
    """A name that no other body has; the one it is for may have it in another spelling."""
    name = _needed(_cells({"name": name}, ["name"]), "name", "Tulis nama yang baru.")
    others = (row for row in files.agencies.rows if row["code"].strip() != of)
    if any(folded(row["name"]) == folded(name) for row in others):
        raise EditRefusedError("name", f"Sudah ada instansi bernama {name}.")
    return name


def _with_heir(
    files: PortalFiles, place: int, name: str, day: date, *, matters: bool = True
) -> tuple[PortalFiles, str]:
    """A new body after the row of an old one, like it in all but its name; without `matters` in its kind and place
    alone."""
    name, old = _new_name(files, name), files.agencies.rows[place]
    kept = ("kind", "parent", "external", *(("responsibilities", "territory", "channel") if matters else ()))
    code = _new_code("", name, files.agencies)
    row = {"code": code, "name": name, **{cell: old.get(cell, "") for cell in kept}}
    row |= {"valid_from": day.isoformat(), "certainty": "D"}
    return files.with_table("agencies.csv", files.agencies.with_row(row, after=place)), code


def _ended(files: PortalFiles, code: str, heir: str, day: date) -> PortalFiles:
    """A body that ends on the day before; everything that no other row names goes to the heir."""
    place = _agency(files, code)
    if ended := files.agencies.rows[place].get("valid_to", "").strip():
        raise EditRefusedError("code", f"{_name(files, code)} sudah berakhir pada {calendar_day(ended)}.")
    if heir:
        if heir == code:
            raise EditRefusedError("into", "Pilih instansi lain sebagai penerus.")
        files = _succession(files, code, heir, day, ())
    last = (day - timedelta(days=1)).isoformat()
    return files.with_table("agencies.csv", files.agencies.with_cells(place, {"valid_to": last}))


def _succession(files: PortalFiles, code: str, heir: str, day: date, categories: Sequence[str]) -> PortalFiles:
    _agency(files, heir)
    if heir == code:
        raise EditRefusedError("into", "Pilih instansi lain sebagai penerus.")
    row = {"agency": code, "successor": heir, "from": day.isoformat(), "categories": ";".join(categories)}
    return files.with_table("successions.csv", files.successions.with_row({**row, "certainty": "D"}))


def _needed(values: Mapping[str, str], key: str, message: str, field: str = "") -> str:
    if not (value := values.get(key, "").strip()):
        raise EditRefusedError(field or key, message)
    return value


def _cells(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The values of these columns, each on one line."""
    found = {name: " ".join(values[name].split()) for name in names if name in values}
    for name, value in found.items():
        if len(value) > LONGEST_CELL:
            raise EditRefusedError(name, f"Terlalu panjang; paling banyak {LONGEST_CELL} huruf.")
    return found


def _joined(parts: Iterable[str], without: str = "") -> str:
    """A cell of several values, each once."""
    kept = dict.fromkeys(part.replace(";", ",") for part in parts if part)
    return ";".join(part for part in kept if not without or folded(part) != folded(without))


def _new_code(wanted: str, name: str, table: Table) -> str:
    """The code an admin wants, or one made of a name; never one that was used before."""
    taken = {row.get("code", "").strip() for row in table.rows}
    if wanted := wanted.strip():
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", wanted):
            raise EditRefusedError("code", "Kode hanya huruf kecil, angka, titik, garis bawah dan tanda hubung.")
        if wanted in taken:
            raise EditRefusedError("code", f"Kode {wanted} sudah dipakai.")
        return wanted
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold())[:LONGEST_CODE].strip("-") or "tanpa-nama"
    number, code = 1, plain
    while code in taken:
        number += 1
        code = f"{plain}-{number}"
    return code


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} dan {names[-1]}"
