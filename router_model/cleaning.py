"""Turns what arrives into readable, masked text, without taking meaning away."""

import html
import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass

import ftfy

from router_model.complaint import Complaint
from router_model.personal_data import NO_NUMBERS, PersonalData, mask_personal_data

_TAG = re.compile(
    r"</?(?:a|b|br|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|script|small|span|strong|style|sub|sup|table|tbody|td|th|thead|tr|u|ul)\b[^<>]*>",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"<(script|style)\b[^<>]*>[^<]*+(?:<(?!/?\1\b)[^<]*+)*+</\1\s*>", re.IGNORECASE)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad\u20e3\ufe0e\ufe0f]")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_ENDLESS = re.compile(r"\S{1000}")
_BLANK = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


def _visible(character: str) -> str:
    return character if character == "\n" or not unicodedata.category(character).startswith("C") else " "


def _normal(text: str) -> str:
    """NFKC; a run of combining marks costs the square of its length, so a word without end is broken first."""
    return unicodedata.normalize("NFKC", _ENDLESS.sub(r"\g<0> ", text))


def readable(raw: str) -> str:
    """Unicode NFKC with mojibake, HTML, control and invisible characters removed; line ends kept as `\\n`.

    Never fails on any string: lone surrogates and NUL are dropped.
    """
    text = raw.encode("utf-8", "ignore").decode("utf-8")
    if "\\n" in text:
        text = text.replace("\\r\\n", "\n").replace("\\n", "\n")
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _normal(ftfy.fix_encoding(text))
        text = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), _INVISIBLE.sub("", text))
    if "<" in text:
        text = _TAG.sub(" ", _SCRIPT.sub(" ", text))
    if not text.isprintable():
        text = "".join(_visible(character) for character in text)
    return _LINES.sub("\n", _BLANK.sub(" ", text)).strip()


@dataclass(frozen=True, slots=True)
class Masking:
    """What was masked in one field of a complaint."""

    field: str
    item: PersonalData


def cleaned(complaint: Complaint, official: Container[str] = NO_NUMBERS) -> tuple[Complaint, list[Masking]]:
    """The complaint as it may be stored, shown and learned from, and what was masked in it.

    `official` are numbers that stay, see `Portal.official_numbers`.
    """
    fields: dict[str, str] = {}
    masked: list[Masking] = []
    for name in ("title", "text", "address", "village", "district"):
        fields[name], found = mask_personal_data(readable(getattr(complaint, name)), official)
        masked.extend(Masking(name, item) for item in found)
    return Complaint(received_at=complaint.received_at, **fields), masked
