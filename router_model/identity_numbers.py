"""Numbers that identify a person, in whatever writing: identity cards, phones, plates, accounts.

The kind follows the word before the number where there is one, else the number's own shape.
"""

import re
from collections.abc import Container, Iterator

from lokal.nik import is_valid_nik

from router_model.online_identity import Span

GAP = r"[ .\-‐–—/_,]{0,3}"
"""What may stand between two digits of one number."""
_SEP = r"[ .\-‐–—/]?"

_KIND_WORDS = re.compile(
    r"""
    (?<![\w\[]) (?:
        (?P<kk> kk | kartu\ keluarga | kkg )
      | (?P<nik> nik | e?-?ktp (?:-el)? | nomor\ induk\ kependudukan )
      | (?P<npwp> npwp )
      | (?P<bpjs> bpjs | bpjstk | jkn (?:\W{1,3}kis)? | kis | kpj )
      | (?P<phone> telp?(?:on|pon|epon)? | tlp?n? | tilp | hp | handphone | ponsel | wa | whatsapp? | cp
            | contact\ person | kontak | hubungi | (?:no|nomor)\ (?:saya|kami) )
      | (?P<account> (?:no)?rek (?:ening)? | bca | bni | bri | bpd | btn | mandiri | nisn | nip | nib | nopel
            | (?:id)?\ ?pel (?:anggan)? | sambungan | meter(?:an)? | nasabah )
    ) (?![^\W\d_])
    """,
    re.VERBOSE,
)
_LEAST = {"kk": 12, "nik": 12, "npwp": 12, "bpjs": 10, "phone": 8, "account": 7}
"""Digits below which the word and the number do not belong together."""
_AFTER_WORD = re.compile(
    rf"(?!\s*rp)(?:(?!rp\b)[^\d\n\[\]]){{0,24}}?(?P<number>[(+]{{0,2}}\d(?:\)?{_SEP}\d){{6,21}})(?![\d])"
)
_NO_NUMBER = re.compile(
    r"""
    (?: (?:19|20)\d\d (?: [ \-.] | $ )
      | \d{1,2} [-/. ] \d{1,2} [-/. ] (?:19|20) \d\d
      | \d{1,3} (?: \.\d{3} )+ (?: ,\d+ )? $
      | 1\d\d [ ,./]
      | \(? 0 [ -]? 8 [ -]? 0 [0489]
      | \(? 0\d{2,3} \)? [ -]? 1500
      | 1500 | 14\d{3} \b
      | \d{1,3} \. \d{5,} )
    """,
    re.VERBOSE,
)
_OFFICIAL_SHAPE = re.compile(r"080[0489]\d{4,8}|1500\d{3}|0\d{2,3}1500\d{3}")

_SIXTEEN = re.compile(
    rf"(?<!\d)(?<!\d\.)(?!\d{{1,3}}[.,]\d{{5}}|(?:19|20)\d\d (?:19|20)\d\d )[1-9]\d(?:{_SEP}\d){{14}}(?!\d)"
)
_SPACED_SIXTEEN = re.compile(r"(?<!\d)(?<!\d[ .\-])[1-9][ .\-]\d(?:[ .\-]\d){14}(?![ .\-]?\d)")
_NPWP = re.compile(r"(?<!\d)\d\d[. ]\d{3}[. ]\d{3}[. ]\d[-. ]\d{3}[. ]\d{3}(?!\d)")
_MOBILE = re.compile(
    rf"(?<!\d)(?<!\d[.,])(?<![a-z]o)"
    r"(?![0-3]?\d[-/. ]\d\d[-/. ](?:19|20)\d\d\b)(?!0\d[.:]\d\d ?[-–] ?\d\d[.:]\d\d)(?!0[.,]\d{3})"
    rf"(?:\(?(?:\+|00)?62\)?{GAP}(?:\(?0\)?)?|\(?(?:0|(?<!\w)o))\)?{GAP}8\)?{GAP}[1-9](?:\)?{GAP}\d){{7,10}}(?!\d)"
)
_REGIONS = "A[ABDEG]?|B[ABDEGHKLMNP]?|D[ABCDEGHKLMNRST]?|E[ABD]?|F|G|H|K[BHTU]?|L|M|N|P[ABSTY]?|R|S|T|W|Z"
_NO_SUFFIX = (
    r"(?!(?:RT|RW|NO|KM)\b[ .]*\d)"
    r"(?!(?:DI|KE|DAN|INI|ITU|ADA|YG|TDK|SDH|UDH|BLM|DR|DGN|UTK|KRN|CM|MM|KG|KM|RT|RW|GG|JL|ORG|THN|TH|BLN|KWH|VA|WIB|PS|CC"
    r"|BOX|KK|RB|JT|SD|SMP|SMA|TPS|PJU|LT|NO)\b)"
)
_PLATE = re.compile(rf"\b(?!P3K\b)(?:{_REGIONS})[ .\-]?\d{{3,4}}[ .\-]?{_NO_SUFFIX}[A-Z]{{1,3}}\b")
_NEAR_VEHICLE = re.compile(
    r"(?i)\b(?:plat|pelat|nopol|no\.? ?pol|nomor polisi|mobil|motor|truk|truck|bus|angkot|kendaraan|taksi"
    r"|avanza|pick ?up)"
    rf"[^\d\n]{{0,20}}?\b((?:{_REGIONS})[ .\-]?\d{{1,4}}[ .\-]?{_NO_SUFFIX}[A-Z]{{1,3}})\b"
)
_JOINED_PLATE = re.compile(rf"(?i)(?<![\w/.])(?:{_REGIONS})\d{{4}}[a-z]{{2,3}}\b")
# A long number that is no money, or three and more groups that are no years and no official numbers.
_LONG = re.compile(
    r"(?<!\d)(?<!\d[.,\-/])(?<!rp)(?<!rp )(?<!rp\. )(?<!/)"
    r"(?:\d{10,19}|\d{3}\.\d{3}\.\d{4}|(?!1\d\d |(?:19|20)\d\d[ \-]|\d{1,3} 1500)\d{3,6}(?:[ \-]\d{3,7}){2,4})"
    r"(?!\d|[.,]\d)"
)

_DIGITS = {
    word: digit
    for digit, words in {
        "0": "kosong nol enol nul", "1": "satu", "2": "dua", "3": "tiga", "4": "empat ampat", "5": "lima",
        "6": "enam nam enem", "7": "tujuh tuju", "8": "delapan lapan dlapan", "9": "sembilan semilan",
    }.items()
    for word in words.split()
}  # fmt: skip
_WORD_OR_DIGIT = rf"(?:\d|\b(?:{'|'.join(sorted(_DIGITS, key=len, reverse=True))})\b)"
_SPOKEN = re.compile(rf"(?<!\d)(?<!\d[.,])(?:plus )?{_WORD_OR_DIGIT}(?:[ ,.\-–/]{{0,3}}{_WORD_OR_DIGIT}){{8,19}}(?!\d)")
_SPOKEN_PART = re.compile(r"\d|[a-z]+")
_MIXED = re.compile(rf"\d[ ,.\-–/]{{1,3}}(?:{'|'.join(_DIGITS)})[ ,.\-–/]{{1,3}}{_WORD_OR_DIGIT}")

_SEVEN_DIGITS = re.compile(r"\d(?:[^\w\n]{0,4}\d){6}")
_JOINED = re.compile(r"\d{4}[a-z]{2,3}\b")
_VEHICLES = ("plat", "nopol", "pol", "mobil", "motor", "tru", "bus", "angkot", "kendaraan", "taksi", "avanza", "pick")
_NOT_DIGITS = re.compile(r"\D+")


def lowered(text: str) -> str:
    """Lower case, with every character in its place."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(character.lower()[0] for character in text)


def digits_of(number: str) -> str:
    """Digits only, from the 0 on: "+62 (361) 223333" is "0361223333"."""
    digits = _NOT_DIGITS.sub("", number)
    return f"0{digits[2:].lstrip('0')}" if digits.startswith("62") and len(digits) > 9 else digits


def number_spans(text: str, lower: str, official: Container[str]) -> Iterator[Span]:
    """Numbers, some of them twice: the first of overlapping ones counts. `official` as in `find_personal_data`."""
    for kind, start, end in _candidates(text, lower):
        if kind not in ("phone", "account") or not _stays(digits_of(text[start:end]), official):
            yield kind, start, end


def _stays(digits: str, official: Container[str]) -> bool:
    return digits in official or _OFFICIAL_SHAPE.fullmatch(digits) is not None


def _candidates(text: str, lower: str) -> Iterator[Span]:
    long = _SEVEN_DIGITS.search(lower) is not None
    if long:
        yield from _long_numbers(lower)
    yield from _plates(text, lower)
    if long:
        for match in _LONG.finditer(lower):
            digits = _NOT_DIGITS.sub("", match[0])
            yield "bpjs" if len(digits) == 13 and digits.startswith("000") else "account", *match.span()
    yield from _spoken(lower)


def _long_numbers(lower: str) -> Iterator[Span]:
    for match in _NPWP.finditer(lower):
        yield "npwp", *match.span()
    for pattern in (_SIXTEEN, _SPACED_SIXTEEN):
        for match in pattern.finditer(lower):
            yield _kind_of_sixteen(lower, match), *match.span()
    for match in _MOBILE.finditer(lower):
        yield "phone", *match.span()
    yield from _announced(lower)


def _plates(text: str, lower: str) -> Iterator[Span]:
    for match in _PLATE.finditer(text):
        yield "plate", *match.span()
    if any(vehicle in lower for vehicle in _VEHICLES):
        for match in _NEAR_VEHICLE.finditer(text):
            yield "plate", *match.span(1)
    if _JOINED.search(lower):
        for match in _JOINED_PLATE.finditer(text):
            yield "plate", *match.span()


def _kind_of_sixteen(lower: str, match: re.Match[str]) -> str:
    kind = _word_before(lower, match.start())
    if kind and kind != "phone":
        return kind
    return "nik" if is_valid_nik(_NOT_DIGITS.sub("", match[0])) else "account"


def _word_before(lower: str, start: int) -> str:
    kind = ""
    for word in _KIND_WORDS.finditer(lower, max(0, start - 40), start):
        kind = word.lastgroup or ""
    return kind


def _announced(lower: str) -> Iterator[Span]:
    for word in _KIND_WORDS.finditer(lower):
        number = _AFTER_WORD.match(lower, word.end())
        if not number or _NO_NUMBER.match(number["number"]):
            continue
        start, end = number.span("number")
        kind = _word_before(lower, start) or word.lastgroup or ""
        if sum(map(str.isdigit, number["number"])) >= _LEAST[kind]:
            yield kind, start, end


def _spoken(lower: str) -> Iterator[Span]:
    """Numbers in words, such as "kosong delapan satu dua ...", wholly or in part."""
    if "lapan" not in lower and not _MIXED.search(lower):
        return
    for match in _SPOKEN.finditer(lower):
        parts = _SPOKEN_PART.findall(match[0].removeprefix("plus "))
        digits = "".join(_DIGITS.get(part, part) for part in parts)
        if digits == "".join(parts):
            continue
        if len(digits) == 16:
            yield _word_before(lower, match.start()) or "nik", *match.span()
        elif digits.startswith(("08", "628", "8")) or _word_before(lower, match.start()) == "phone":
            yield "phone", *match.span()
        elif len(digits) >= 10:
            yield _word_before(lower, match.start()) or "account", *match.span()
