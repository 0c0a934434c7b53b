"""Short quotations for reports: masked, on one line, cut."""

import re
import textwrap
from collections.abc import Sequence
from datetime import date

from router_model.cleaning import readable
from router_model.complaint import Complaint
from router_model.personal_data import mask_personal_data
from training.charts import MONTHS

LONGEST_EXCERPT = 120
LONGEST_LABEL = 80
MOST_PLACES = 8
MOST_READ = 600
NAME_MASK = "[NAMA]"
_SAID_NAME = re.compile(
    r"(\b(?:nama\s+(?:lengkap\s+)?(?:saya|pelapor|lengkap)|saya\s+(?:ber)?nama|nama\s*:|atas\s+nama|a\.\s?n\.?|an\.)"
    r"[\s:.,]*)(?:[^\W\d_][\w'’-]*\.?[ ]?){1,4}",
    re.IGNORECASE,
)
_TITLED_NAME = re.compile(
    r"(\b(?i:bapak|bpk|pak|ibu|bu|sdri?|saudar[ai]|saya|dr|drs|drg|h|hj|i|ni)\b\.?[\s:,]+)"
    r"(?:[A-Z][\w'’-]*\.?[ ]?){1,4}"
)


def masked(cleaned_text: str) -> str:
    """The text on one line with names of persons masked where a word before them gives them away.

    Other personal data must be masked already. A name that stands alone is not found.
    """
    line = " ".join(cleaned_text[:MOST_READ].split())
    for pattern in (_SAID_NAME, _TITLED_NAME):
        line = pattern.sub(lambda found: f"{found[1]}{NAME_MASK} ", line)
    return line.rstrip()


def shortened(text: str, longest: int) -> str:
    return textwrap.shorten(text, longest, placeholder=" …") if " " in text[:longest] else text[:longest]


def excerpt(complaint: Complaint) -> str:
    """The opening words of a cleaned complaint, in quotation marks."""
    return f"“{shortened(masked(complaint.text or complaint.title), LONGEST_EXCERPT)}”"


def quoted(label: str) -> str:
    """A label as written, in quotation marks; whatever stands in a wrong column may be personal."""
    return f"‘{shortened(mask_personal_data(readable(label))[0], LONGEST_LABEL) or '-'}’"


def places(wheres: Sequence[str]) -> str:
    """`baris 3, 8, 12 dan 4 lagi`."""
    shown = [
        where if number == 0 else where.removeprefix("baris ") for number, where in enumerate(wheres[:MOST_PLACES])
    ]
    more = len(wheres) - len(shown)
    return ", ".join(shown) + (f" dan {more} lagi" if more else "")


def day_words(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def period_words(first: date, last: date) -> str:
    return day_words(first) if first == last else f"{day_words(first)} sampai {day_words(last)}"
