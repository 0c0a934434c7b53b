"""Finds and masks what identifies a person, before a text is stored, shown or learned.

Text must be `readable` first: full-width and other foreign digits would slip past the patterns. What is masked
follows UU 27/2022 (PDP), art. 4: names, identity numbers, contact data and accounts. Official and emergency numbers
stay, as do the names of streets, shops and bodies.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import chain

from router_model.identity_numbers import lowered, number_spans
from router_model.online_identity import apart, online_spans
from router_model.person_names import name_spans

KIND_LABELS = {
    "nik": "NIK",
    "kk": "Nomor KK",
    "phone": "Nomor telepon",
    "email": "Alamat surel",
    "plate": "Pelat kendaraan",
    "npwp": "NPWP",
    "bpjs": "Nomor BPJS",
    "account": "Nomor rekening, pelanggan atau kartu",
    "link": "Tautan yang memuat identitas",
    "name": "Nama orang",
}
MASKS = {
    "nik": "[NIK]",
    "kk": "[KK]",
    "phone": "[TELEPON]",
    "email": "[SUREL]",
    "plate": "[PELAT]",
    "npwp": "[NPWP]",
    "bpjs": "[BPJS]",
    "account": "[NOMOR]",
    "link": "[TAUTAN]",
    "name": "[NAMA]",
}
NO_NUMBERS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One masked span; `start` and `end` count characters of the text before masking."""

    kind: str
    start: int
    end: int


def find_personal_data(text: str, official: Container[str] = NO_NUMBERS) -> list[PersonalData]:
    """Spans that do not overlap, in the order of the text.

    `official` are numbers that stay, digits only and from the 0 on, such as "0361223333".
    """
    if not text or text.isspace():
        return []
    lower, taken = lowered(text), bytearray(len(text))
    found = list(apart(chain(online_spans(text, lower), number_spans(text, lower, official)), taken))
    found += apart(name_spans(text, lower, taken, tuple(found)), taken)
    return [PersonalData(*span) for span in sorted(found, key=lambda span: span[1])]


def _masked(text: str, found: list[PersonalData]) -> Iterator[str]:
    position = 0
    for item in found:
        yield text[position : item.start]
        yield MASKS[item.kind]
        position = item.end
    yield text[position:]


def mask_personal_data(text: str, official: Container[str] = NO_NUMBERS) -> tuple[str, list[PersonalData]]:
    """The text with each find replaced by its mask, such as `[NIK]`, and the finds."""
    found = find_personal_data(text, official)
    return ("".join(_masked(text, found)) if found else text), found
