"""Finds and masks what identifies a person, before a text is stored, shown or learned.

Text must be NFKC-normalised first: full-width digits would slip past the patterns. What is masked follows
UU 27/2022 (PDP), art. 4: identity numbers, contact data and accounts. Official and emergency numbers stay.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

KIND_LABELS = {
    "nik": "NIK atau nomor KK",
    "phone": "Nomor telepon",
    "email": "Alamat surel",
    "plate": "Pelat kendaraan",
    "account": "Nomor rekening atau kartu",
}
MASKS = {"nik": "[NIK]", "phone": "[TELEPON]", "email": "[SUREL]", "plate": "[PELAT]", "account": "[NOMOR]"}

_GAP = r"[ .\-]?"
_PATTERNS = (
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b")),
    # NIK and KK numbers have 16 digits and start with a province code, 11 to 96.
    ("nik", re.compile(rf"(?<!\d)[1-9]\d(?:{_GAP}\d){{14}}(?!\d)")),
    (
        "phone",
        re.compile(rf"(?<!\d)(?<!\d[.,])(?:\+?62{_GAP}(?:\(0\))?|\(?0){_GAP}8{_GAP}\d(?:\)?{_GAP}\d){{7,10}}(?!\d)"),
    ),
    # A landline behind its area code; short official numbers (110, 112, 129, 1708) never match.
    (
        "phone",
        re.compile(
            r"(?i)\b(?:telp?|telepon|hp|wa|whatsapp|nomor saya)\b[ .:]*"
            r"(\(?0\d{2,3}\)?[ .\-]?\d{3,4}[ .\-]?\d{2,4})(?!\d)"
        ),
    ),
    (
        "account",
        re.compile(
            r"(?i)(?<!\d )\b(?:rek(?:ening)?|bpjs|npwp|kis|pelanggan|sambungan|meter)\b"
            r"(?:(?!rp)[^\d\n]){0,18}(\d[\d .\-]{7,20}\d)"
        ),
    ),
    (
        "plate",
        re.compile(
            r"\b(?!P3K\b)(?:A[ABDEG]?|B[ABDEGHKLMNP]?|D[ABCDEGHKMNRST]?|E[ABD]?|F|G|H|K[BHTU]?|L|M|N|P[AB]?|R|S|T|W|Z)"
            r" ?\d{1,4} ?(?!(?:RT|RW|NO|KM)\b[ .]*\d)[A-Z]{1,3}\b"
        ),
    ),
    # A long number that is no money, or three and more groups that are no years and no official numbers.
    (
        "account",
        re.compile(
            r"(?i)(?<!\d)(?<!\d[.,\-])(?<!rp)(?<!rp )(?<!rp\. )"
            r"(?:\d{10,19}|(?!1\d\d |(?:19|20)\d\d[ \-])\d{3,6}(?:[ \-]\d{3,7}){2,4})(?!\d|[.,]\d)"
        ),
    ),
)


# Most texts hold nothing that any pattern above could match; this finds out in one pass.
_ANY = re.compile(r"@|\d[ .\-]?\d[ .\-]?\d[ .\-]?\d[ .\-]?\d|\b[A-Z]{1,2} ?\d")


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One masked span; `start` and `end` count characters of the text before masking."""

    kind: str
    start: int
    end: int


def find_personal_data(text: str) -> list[PersonalData]:
    """Spans that do not overlap, in the order of the text; the earlier pattern wins."""
    found: list[PersonalData] = []
    if not _ANY.search(text):
        return found
    taken = bytearray(len(text))
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span(match.lastindex or 0)
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(PersonalData(kind, start, end))
    return sorted(found, key=lambda item: item.start)


def _masked(text: str, found: list[PersonalData]) -> Iterator[str]:
    position = 0
    for item in found:
        yield text[position : item.start]
        yield MASKS[item.kind]
        position = item.end
    yield text[position:]


def mask_personal_data(text: str) -> tuple[str, list[PersonalData]]:
    """The text with each find replaced by its mask, such as `[NIK]`, and the finds."""
    found = find_personal_data(text)
    return "".join(_masked(text, found)), found
