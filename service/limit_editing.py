"""What an admin changes of the limits in `portal.toml`: working days, closing time, what counts as a repeat.

Edits as in `portal_editing`; they leave alone what they do not name, and comments."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import tomlkit
from tomlkit import TOMLDocument

from router_model.portal import REPORT_TYPES, URGENCY_LEVELS
from router_model.resemblance_limits import limit_fault
from router_model.time_limits import VERIFICATION
from service.portal_editing import Edited, EditRefusedError, PortalFiles

TIMED_STEPS = {**REPORT_TYPES, VERIFICATION: "Memeriksa dan meneruskan laporan"}
"""What a portal sets a number of working days for."""
LIMIT = ("working_days", "source", "certainty")
REPEATS = {
    "days": "Teks sama dianggap dikirim ulang selama (hari)",
    "object_days": "Kata lain tentang hal yang sama selama (hari)",
    "campaign": "Kampanye mulai dari (pengirim)",
    "same_text": "Kemiripan teks yang sama",
    "same_words": "Kata sama, bila hanya jalannya yang sama",
    "metres": "Dua titik dianggap satu tempat sampai (meter)",
}
"""The limits of `[resemblance]` in words."""


def set_deadlines(files: PortalFiles, deadlines: Mapping[tuple[str, str], Mapping[str, Any]]) -> Edited:
    """For each of `TIMED_STEPS` and an urgency level ("" for all others) `working_days` as a number, `source`,
    `certainty`; nothing for what is promised no more."""
    settings = _copied(files)
    every = settings.setdefault("deadlines", tomlkit.table(is_super_table=True))
    for (step, level), values in deadlines.items():
        if step not in TIMED_STEPS or level not in ("", *URGENCY_LEVELS):
            raise EditRefusedError(f"days-{step}", "Klasifikasi atau urgensi ini tidak dikenal.")
        if not values and level not in (every.get(step, {}) if level else ("",)):
            continue
        above = every.setdefault(step, tomlkit.table())
        if values:
            _put(above.setdefault(level, tomlkit.table()) if level else above, values)
        elif level:
            above.pop(level)
        else:
            _put(above, dict.fromkeys(LIMIT))
        if not above:
            every.pop(step)
    if not every:
        settings.pop("deadlines")
    return replace(files, settings=settings), "Batas waktu diubah."


def set_closing(files: PortalFiles, closes: str, source: str, certainty: str) -> Edited:
    """When the offices close, such as 15.30; empty for our own time."""
    settings = _copied(files)
    if not closes:
        settings.pop("office_hours", None)
        return replace(files, settings=settings), "Jam kantor dihapus; berlaku jam bawaan."
    found = re.fullmatch(r"([01]?\d|2[0-3])[:.]([0-5]\d)", closes)
    if not found:
        raise EditRefusedError("closes", "Isi jam tutup kantor, contoh 15.30.")
    hours = settings.setdefault("office_hours", tomlkit.table())
    _put(hours, {"closes": f"{found[1]:0>2}:{found[2]}", "source": source or None, "certainty": certainty})
    return replace(files, settings=settings), f"Kantor tutup pukul {found[1]:0>2}.{found[2]}."


def set_repeats(files: PortalFiles, typed: Mapping[str, str], source: str, certainty: str) -> Edited:
    """The limits of `REPEATS` as they were typed, empty for ours. Those of single categories stay."""
    values = {name: _number(name, typed.get(name, "")) for name in REPEATS}
    settings = _copied(files)
    told = any(value is not None for value in values.values())
    table = settings.setdefault("resemblance", tomlkit.table())
    _put(table, {**values, "source": source or None if told else None, "certainty": certainty if told else None})
    if not table:
        settings.pop("resemblance")
    return replace(files, settings=settings), "Pengaturan laporan serupa diubah."


def _number(name: str, typed: str) -> int | float | None:
    if not typed:
        return None
    whole = typed.isascii() and typed.isdigit()
    number = typed.replace(",", ".")
    value = int(typed) if whole else float(number) if re.fullmatch(r"\d+\.\d+", number, re.ASCII) else typed
    if fault := limit_fault(name, value):
        raise EditRefusedError(name, f"{REPEATS[name]}: {fault.replace('0.3', '0,3')}.")
    return value if isinstance(value, int | float) else None


def _copied(files: PortalFiles) -> TOMLDocument:
    return tomlkit.parse(tomlkit.dumps(files.settings))


def _put(table: Any, values: Mapping[str, Any]) -> None:
    """Into a table of the document; what is `None` goes, what is the same stays as it is written."""
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        elif table.get(key) != value:
            table[key] = value
