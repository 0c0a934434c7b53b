"""What the columns of an uploaded file are taken for, as a person may change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from router_model.portal import folded
from service.upload_reading import ColumnLook
from training.reading import LABELS, NEVER_READ

MEANINGS: Mapping[str, str] = {
    "text": "Isi laporan",
    "title": "Judul",
    "agency": "Instansi tujuan",
    "category": "Kategori",
    "urgency": "Urgensi",
    "report_type": "Jenis laporan",
    "received_at": "Tanggal masuk",
    "received_time": "Jam masuk",
    "id": "Nomor laporan",
    "channel": "Kanal",
    "address": "Alamat",
    "village": "Kelurahan atau desa",
    "district": "Kecamatan",
    "lat": "Garis lintang",
    "lon": "Garis bujur",
}
UNUSED = "Tidak dipakai"
HEADER, MEANING = "judul", "arti"


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """A column with what it is taken for ("" for nothing), and what is wrong with that."""

    look: ColumnLook
    meaning: str
    fault: str = ""


def given(form: FormData) -> dict[str, str]:
    """The mapping of a form, by header; what may not be read, or is no column, is left out."""
    headers, meanings = form.getlist(HEADER), form.getlist(MEANING)
    found: dict[str, str] = {}
    names: set[str] = set()
    for header, meaning in zip(headers, meanings, strict=False):
        if not isinstance(header, str) or not isinstance(meaning, str):
            continue
        name = folded(header)
        if name and name not in names and name not in NEVER_READ and meaning in ("", *MEANINGS):
            names.add(name)
            found[header] = meaning
    return found


def fault(mapping: Mapping[str, str]) -> str:
    """What keeps a mapping from being used; "" for nothing."""
    used = [meaning for meaning in mapping.values() if meaning]
    if "text" not in used:
        return "Tentukan kolom mana yang berisi isi laporan."
    if set(used).isdisjoint(LABELS):
        names = ", ".join(MEANINGS[label].lower() for label in LABELS)
        return f"Tentukan sedikitnya satu kolom jawaban: {names}."
    twice = [MEANINGS[meaning] for meaning in MEANINGS if used.count(meaning) > 1]
    return f"Dipilih untuk lebih dari satu kolom: {', '.join(twice)}." if twice else ""


def choices(looks: Sequence[ColumnLook], mapping: Mapping[str, str]) -> list[ColumnChoice]:
    """The columns as they are proposed, or as `mapping` has them where it has any."""
    taken = [mapping.get(look.header, "") if mapping else look.column for look in looks]
    return [
        ColumnChoice(look, meaning, "Sudah dipilih untuk kolom lain." if meaning and taken.count(meaning) > 1 else "")
        for look, meaning in zip(looks, taken, strict=True)
    ]
