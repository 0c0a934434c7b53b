"""A complaint as the pages of the review desk show it: in words, with nothing that tells who looked at it before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson

from router_model.deadlines import days_left
from router_model.policy import ROUTE_LABELS, Route, reason
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal
from service.database.complaints import Earlier, Written
from service.desk.candidates import Labels
from service.desk.marked_text import marked
from service.found_places import located
from service.pages import lasting
from service.try_page import CERTAINTY_LABELS
from service.wire import DuplicateOut, SuggestionOut, suggestion_of

LONGEST_EXCERPT = 140
"""Letters of an earlier complaint."""
LIKELIER = 0.5
TO_SETTLE = "Dua petugas menilainya berbeda. Penilaian Anda yang menentukan."


class Shown(Protocol):
    """What is read of a complaint that waits, and of one that was kept."""

    @property
    def complaint(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def route(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def received_at(self) -> datetime | None: ...
    @property
    def due_at(self) -> datetime | None: ...


def facts(shown: Shown, now: datetime, portal: Portal | None) -> dict[str, Any]:
    """The complaint and what came with it, for a template."""
    answer, complaint = suggestion_of(shown.answer), orjson.loads(shown.complaint)
    title, text = complaint.get("title") or "", complaint.get("text") or ""
    route = disguised(shown.route)
    title_parts = marked(title, "title", answer.explanation, answer.places)
    text_parts = marked(text, "text", answer.explanation, answer.places)
    told = [complaint.get(name) or "" for name in ("address", "village", "district")]
    return {
        "answer": answer,
        "complaint": complaint,
        "title": title,
        "title_parts": title_parts,
        "text_parts": text_parts,
        "has_marks": bool(answer.explanation),
        "names_place": any(part.place for part in (*title_parts, *text_parts)),
        "place": ", ".join(dict.fromkeys(part for part in told if part)) or (answer.place.name if answer.place else ""),
        "located": located(answer, portal),
        "refused": answer.refused,
        "external": answer.external if likely_outside(answer) else None,
        "channel": (complaint.get("channel") or "").replace("_", " "),
        "came": shown.received_at or shown.created_at,
        "due_at": shown.due_at,
        "deadline": remaining(shown.due_at, now, portal) if shown.due_at else "",
        "late": shown.due_at is not None and shown.due_at <= now,
        "route": route.value,
        "route_label": ROUTE_LABELS[route],
        "missing": answer.missing,
        "ask": answer.ask,
        "confidential": answer.confidential,
        "contacts": portal.contacts_for({one.family for one in answer.dangers if one.level == URGENCY_LEVELS[0]})
        if portal
        else answer.emergency_contacts,
    }


def remaining(due_at: datetime, now: datetime, portal: Portal | None) -> str:
    """In working days; in hours on the last day, and as time goes by where no portal tells its working days."""
    days, seconds = days_left(portal, due_at, now) if portal else None, (due_at - now).total_seconds()
    return f"{'sisa' if seconds > 0 else 'lewat'} {f'{abs(days)} hari kerja' if days else lasting(abs(seconds))}"


def likely_outside(answer: SuggestionOut) -> bool:
    """Whether to tell a citizen of the body outside that is ranked first; after a refusal it may be a poor guess."""
    return answer.route == Route.EXTERNAL.value or bool(answer.agencies and answer.agencies[0].p >= LIKELIER)


def disguised(route: str) -> Route:
    """What the model was sure of, and a person sees all the same, looks like what it was fairly sure of."""
    return Route.PREFILL if route == Route.AUTO.value else Route(route)


def why(answer: SuggestionOut) -> str:
    """What brought it to a person."""
    rules = {rule.reason: rule for rule in answer.rules}
    said = []
    for item in answer.reasons:
        rule = rules.get(item.message) if item.code == "rule" else None
        message = reason("fairly_sure").message if item.code == "sure" else item.message
        said.append(f"{message.rstrip('.')}{f' (aturan portal {sureness(rule.certainty)})' if rule else ''}.")
    return " ".join(said) or "Petugas perlu memilih."


def sureness(certainty: str) -> str:
    """Of a rule, by its letter."""
    known = CERTAINTY_LABELS.get(certainty)
    return f"{certainty}: {known}" if known else certainty


def resembling(portal: Portal, item: Earlier) -> dict[str, Any]:
    return {
        "id": item.id,
        "excerpt": _excerpt(item.written),
        "agency": agency_name(portal, item.agency),
        "came": item.created_at,
        "confidential": item.written.confidential,
    }


def duplicate(portal: Portal, item: DuplicateOut, written: Written, agency: str) -> dict[str, Any]:
    """`agency` is the code of where it went, as it is known now."""
    return {
        "id": item.id,
        "excerpt": _excerpt(written),
        "label": item.label,
        "agency": agency_name(portal, agency),
        "came": item.at,
        "confidential": written.confidential,
    }


def _excerpt(written: Written) -> str:
    words = " ".join(f"{written.title}. {written.text}".removeprefix(". ").split())
    excerpt = words if len(words) <= LONGEST_EXCERPT else f"{words[:LONGEST_EXCERPT].rsplit(' ', 1)[0]} …"
    return excerpt or "Laporan tanpa teks"


def named(portal: Portal, labels: Labels) -> list[str]:
    """What was chosen, as people read it; what was not said is left out."""
    parts = (
        agency_name(portal, labels.agency),
        category_name(portal, labels.category),
        f"urgensi {urgency_name(portal, labels.urgency).lower()}" if labels.urgency else "",
        REPORT_TYPES.get(labels.report_type, ""),
    )
    return [part for part in parts if part]


def labels_of(codes: Sequence[str | None]) -> Labels:
    """Of agency, category, urgency and report type, in this order."""
    return Labels(*(code or "" for code in codes))


def agency_name(portal: Portal, code: str | None) -> str:
    """The code itself for a body that the portal does not have any more."""
    if code and code.startswith("@"):
        return portal.unit_name(code)
    return portal.agency[code].name if code in portal.agency else code or ""


def category_name(portal: Portal, code: str | None) -> str:
    return portal.category[code].name if code in portal.category else code or ""


def urgency_name(portal: Portal, code: str | None) -> str:
    return next((level.name for level in portal.urgency if level.code == code), code or "")
