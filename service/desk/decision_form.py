"""The form of a decision: what stands in it beforehand, and what somebody sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from router_model.portal import REPORT_TYPES, Portal
from service.choices import UnknownLabelError, chosen
from service.database.dispositions import Chosen
from service.database.refusals import Refusal
from service.desk.candidates import Labels, agency_groups, beforehand, candidates, category_groups, search_lists
from service.desk.complaint_view import agency_name, category_name, urgency_name
from service.try_page import percent
from service.wire import SuggestionOut

OTHER = "lain"
"""Instead of a candidate: one from the list of all."""
LONGEST_ON_SCREEN = 3_600.0
SKIP_REASONS = (
    "Perlu ditanyakan dahulu",
    "Saya terlibat atau mengenal pelapor",
    "Bahasa atau tulisannya tidak saya pahami",
    "Bukan bidang saya",
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a sent form holds, as it was typed. `other` is an agency from the list of all; `seconds` is how long the
    complaint was on the screen, by the browser's word. `insists` on an agency that refused."""

    labels: Labels
    other: str = ""
    reason: str = ""
    seconds: float | None = None
    insists: bool = False


def text_of(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def given(form: FormData) -> Given:
    agency = text_of(form, "instansi")
    labels = Labels(
        agency="" if agency == OTHER else agency,
        category=text_of(form, "kategori"),
        urgency=text_of(form, "urgensi"),
        report_type=text_of(form, "klasifikasi"),
    )
    other, reason, seconds = (text_of(form, name) for name in ("instansi_lain", "alasan", "detik"))
    return Given(labels, other, reason, _seconds(seconds), insists=text_of(form, "tetap") == "ya")


def _seconds(typed: str) -> float | None:
    try:
        seconds = float(typed)
    except ValueError:
        return None
    return min(seconds, LONGEST_ON_SCREEN) if seconds > 0 else None


def picked(portal: Portal, said: Given) -> tuple[Chosen | None, dict[str, str]]:
    """What was chosen, or what is wrong with each field."""
    labels = said.labels
    if labels.agency and said.other:
        return None, {"agency": "Anda memilih calon dan instansi lain sekaligus. Pilih salah satu."}
    if not (agency := labels.agency or said.other):
        return None, {"agency": "Pilih dahulu instansinya."}
    try:
        return chosen(portal, agency, labels.category, labels.urgency, labels.report_type, reason=said.reason), {}
    except UnknownLabelError as error:
        return None, {field: f"{fault[0].upper()}{fault[1:]}." for field, fault in error.faults.items()}


def refused_before(portal: Portal, chosen: Chosen, said: Given, refused: Iterable[Refusal]) -> dict[str, str]:
    """What is wrong with sending it to one that refused already, unless somebody means to."""
    if said.insists or chosen.agency not in {refusal.agency for refusal in refused}:
        return {}
    name = agency_name(portal, chosen.agency)
    ask = "Pilih instansi lain, atau centang “Tetap kirim” bila memang sudah disepakati."
    return {"agency": f"{name} sudah menolak laporan ini (bukan wewenang). {ask}"}


def told(portal: Portal, said: Given) -> list[tuple[str, str]]:
    """What was chosen, for people to read: names and values."""
    labels = said.labels
    pairs = (
        ("Instansi", agency_name(portal, labels.agency or said.other)),
        ("Kategori", category_name(portal, labels.category)),
        ("Urgensi", urgency_name(portal, labels.urgency)),
        ("Klasifikasi", REPORT_TYPES.get(labels.report_type, "")),
        ("Catatan", said.reason),
    )
    return [(name, value) for name, value in pairs if value]


def fields(
    portal: Portal, answer: SuggestionOut, report_type: str, views: Sequence[Labels], said: Given | None
) -> dict[str, Any]:
    """For the template. `report_type` is what the citizen chose, `views` is what is to be settled, `said` is what was
    sent and could not be taken."""
    ranked = candidates(answer, portal, views)
    said = said or Given(beforehand(answer, ranked, portal, report_type, views))
    return {
        "candidates": ranked,
        "more": 0 if views else answer.candidates - sum(item.likely for item in ranked),
        "chosen": said.labels,
        "other": said.other,
        "reason": said.reason,
        "insists": said.insists,
        "refused_codes": {item.code for item in answer.refused},
        "category_sure": percent(answer.category[0].p) if answer.category and not views else "",
        "agency_groups": agency_groups(portal),
        "category_groups": category_groups(portal),
        "levels": portal.urgency,
        "report_types": list(REPORT_TYPES.items()),
        "skip_reasons": SKIP_REASONS,
        "lists": search_lists(answer, portal),
    }
