"""The public page at `/`: paste a complaint, see where it belongs and why. Nothing typed there is stored."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from router_model.complaint import Complaint
from router_model.personal_data import KIND_LABELS as PERSONAL_LABELS
from router_model.policy import ROUTE_LABELS
from router_model.portal import Portal
from router_model.suggestion import Suggestion
from service.access import lane_of
from service.answering import contacts_for, level_out, report_type_out, suggestion_body
from service.deadline_counting import suggested_deadline
from service.found_places import located
from service.lane import Lane
from service.pages import clock
from service.serving import InForce, Serving
from service.suggesting import received
from service.wire import LONGEST_LINE, LONGEST_TEXT

templates = Jinja2Templates(Path(__file__).with_name("templates"))
router = APIRouter(include_in_schema=False)

EXAMPLES = (
    ("Lampu jalan", "lampu jalan depan bale banjar mati dr hari senin, gelap bgt. sdh lapor PLN katanya bukan mereka"),
    ("Air PDAM", "Sudah empat hari air PDAM di gang kami cuma keluar jam 2 pagi, itu pun netes. Ada bayi di rumah."),
    ("Bahaya", "maaf mengganggu, di kos sebelah ada ibu dipukuli suaminya, anaknya ikut teriak"),
    ("Pertanyaan", "Kalau mau pisah KK setelah menikah syaratnya apa saja, dan apakah bisa diurus hari Sabtu?"),
)
CERTAINTY_LABELS = {
    "A": "sumber resmi",
    "B": "dari pemberitaan",
    "C": "salinan pihak lain",
    "D": "belum diperiksa",
}
SHOWN_AGENCIES = 5
SHOWN_CATEGORIES = 3
KIND_LABELS = {
    "bumn": "BUMN",
    "rumah_sakit": "Rumah sakit",
    "satpol_pp": "Satpol PP",
    "tni": "TNI",
    "polri": "Polri",
}


@dataclass(frozen=True, slots=True)
class Highlight:
    """A stretch of the masked text; `strength` 0 is plain, 3 spoke loudest."""

    text: str
    weight: float = 0.0
    strength: int = 0
    answer: str = "instansi"


def highlights(suggestion: Suggestion) -> list[Highlight]:
    """The masked text cut where evidence starts and ends; the parts put together give the text."""
    text = suggestion.prediction.complaint.text
    evidence = sorted((item for item in suggestion.evidence if item.field == "text"), key=lambda item: item.start)
    strongest = max((item.weight for item in evidence), default=0.0)
    parts, position = [], 0
    for item in evidence:
        share = item.weight / strongest
        if share < 0.1 or item.start < position:
            continue
        parts.append(Highlight(text[position : item.start]))
        strength = 1 + (share >= 0.3) + (share >= 0.6)
        parts.append(Highlight(text[item.start : item.end], round(share, 2), strength))
        position = item.end
    return [part for part in (*parts, Highlight(text[position:])) if part.text]


def percent(p: float) -> str:
    return f"{p:.0%}".replace("%", " %") if p >= 0.01 else "< 1 %"


def kind_label(kind: str) -> str:
    return KIND_LABELS.get(kind, kind.replace("_", " ").capitalize())


def shown(suggestion: Suggestion, serving: Serving, now: datetime, took_ms: float) -> dict[str, Any]:
    """A suggestion as the page's template reads it; the deadline as if the complaint came now."""
    portal = serving.release.portal
    urgency, report_type = level_out(suggestion), report_type_out(suggestion)
    levels = {level.code: level for level in portal.urgency}
    masked: dict[str, int] = {}
    for masking in suggestion.masked:
        masked[masking.item.kind] = masked.get(masking.item.kind, 0) + 1
    return {
        "route": suggestion.route.value,
        "route_label": ROUTE_LABELS[suggestion.route],
        "reasons": [asdict(reason) for reason in suggestion.reasons],
        "agencies": [
            {
                "code": agency.code,
                "name": agency.name,
                "kind_label": kind_label(agency.kind),
                "p": agency.p,
                "percent": percent(agency.p),
                "external": agency.external,
                "channel": known.channel if (known := portal.agency.get(agency.code)) else "",
                "responsibilities": known.responsibilities if known else "",
            }
            for agency in suggestion.agencies[:SHOWN_AGENCIES]
        ],
        "categories": [
            {
                "name": portal.category[item.code].name,
                "parent": getattr(portal.category.get(portal.category[item.code].parent), "name", ""),
                "national_name": portal.category[item.code].national_name,
                "p": item.p,
                "percent": percent(item.p),
            }
            for item in suggestion.categories[:SHOWN_CATEGORIES]
        ],
        "urgency": {
            "level": urgency.level,
            "label": levels[urgency.level].name,
            "p": urgency.p,
            "percent": "" if urgency.p is None else percent(urgency.p),
            "by_rule": urgency.by_rule,
            "criteria": levels[urgency.level].criteria,
        }
        if urgency
        else None,
        "report_type": {
            "code": report_type.code,
            "label": report_type.name,
            "p": report_type.p,
            "percent": "" if report_type.p is None else percent(report_type.p),
            "by_rule": report_type.by_rule,
        }
        if report_type
        else None,
        "deadline": _deadline(suggestion, portal, now),
        "highlights": [asdict(part) for part in highlights(suggestion)],
        "personal_data": [{"kind_label": PERSONAL_LABELS[kind], "count": count} for kind, count in masked.items()],
        "emergency_contacts": [
            {"name": c.name, "number": c.number, "certainty": CERTAINTY_LABELS.get(c.certainty, "")}
            for c in contacts_for(suggestion.route, suggestion.dangers, portal)
        ],
        "confidential": suggestion.confidential,
        "missing": list(suggestion.missing),
        "located": located(suggestion_body(suggestion, portal), portal),
        "rules": [
            {"reason": rule.reason, "certainty": f"{rule.certainty}: {CERTAINTY_LABELS.get(rule.certainty, '')}"}
            for rule in suggestion.rules
        ],
        "took_ms": took_ms,
        "release": serving.release.id,
    }


def _deadline(suggestion: Suggestion, portal: Portal, now: datetime) -> dict[str, Any] | None:
    found = suggested_deadline(suggestion, portal, "", now)
    if found is None:
        return None
    return {
        "working_days": found.working_days,
        "until": clock(found.due, portal.timezone),
        "verified": clock(found.verify_by, portal.timezone) if found.verify_by else "",
        "source": found.source,
        "certainty": f"{found.certainty}: {CERTAINTY_LABELS.get(found.certainty, '')}",
    }


def page(
    request: Request,
    serving: Serving,
    form: dict[str, str],
    problem: str | None = None,
    result: dict[str, Any] | None = None,
) -> HTMLResponse:
    in_force: InForce = request.app.state.in_force
    portal = serving.release.portal
    context = {
        "portal_name": portal.name,
        "portal_code": portal.code,
        "portals": [found.release.portal for _, found in sorted(in_force.servings.items())],
        "release_id": serving.release.id,
        "agency_count": len(portal.living_agencies),
        "examples": [{"label": label, "text": text} for label, text in EXAMPLES],
        "villages": sorted(place.name for place in portal.places if place.district_code),
        "form": form,
        "problem": problem,
        "result": result,
    }
    return templates.TemplateResponse(request, "try_complaint.html", context, status_code=422 if problem else 200)


def serving_of(request: Request, portal: str) -> Serving:
    in_force: InForce = request.app.state.in_force
    serving = in_force.first(portal)
    if serving is None:
        raise HTTPException(503, "Belum ada rilis yang berlaku. Latih dahulu: aduan train DATA --portal DIR")
    return serving


@router.get("/")
async def empty_page(request: Request, portal: str = "") -> HTMLResponse:
    return page(request, serving_of(request, portal), {"title": "", "text": "", "address": "", "village": ""})


@router.post("/")
async def answered_page(
    request: Request,
    lane: Annotated[Lane, Depends(lane_of)],
    text: Annotated[str, Form()] = "",
    title: Annotated[str, Form()] = "",
    address: Annotated[str, Form()] = "",
    village: Annotated[str, Form()] = "",
    portal: Annotated[str, Form()] = "",
) -> HTMLResponse:
    serving = serving_of(request, portal)
    form = {
        "title": title[:300],
        "text": text[:LONGEST_TEXT],
        "address": address[:500],
        "village": village[:100],
    }
    if not text.strip():
        return page(request, serving, form, problem="Isi laporan masih kosong. Tulis apa yang terjadi dan di mana.")
    if len(text) > LONGEST_TEXT + text.count("\n"):
        return page(request, serving, form, problem="Isi laporan terlalu panjang, paling banyak 10.000 karakter.")
    complaint = Complaint(
        text=text, title=title[:LONGEST_LINE], address=address[:LONGEST_LINE], village=village[:LONGEST_LINE]
    )
    now, started = datetime.now(UTC), perf_counter()
    suggestion = await lane.run(serving.router.suggest, received(complaint, now, serving))
    return page(request, serving, form, result=shown(suggestion, serving, now, (perf_counter() - started) * 1000))
