"""What the people of the portal know of who has a matter: rules that begin, end and are taken away."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from router_model.portal import REPORT_TYPES, Portal
from router_model.rules import COLUMNS, NAMED
from service import portal_editing as editing
from service.admin.portal_agencies import place_code
from service.admin.portal_view import (
    NO_FAULTS,
    Faults,
    PortalView,
    back,
    change,
    day_of,
    lines_of,
    opened,
    shown,
    text,
    typed_in,
)
from service.admin.rule_words import NAMED_WORDS, in_words, units
from service.pages import Administrator, Reader
from service.portal_editing import Edited, PortalFiles
from service.sessions import CheckedForm, SignedInUser

router = APIRouter(include_in_schema=False)
PLACE = "/admin/portal/aturan"


@router.get("/aturan")
async def every(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _every(request, user, await opened(request, user), NO_FAULTS, pesan)


async def _every(request: Request, user: SignedInUser, view: PortalView, faults: Faults, note: str = "") -> Response:
    serving = request.app.state.in_force.of(user.portal)
    context = _described(view.portal) if view.portal else {}
    context["records"] = serving.router.policy.rules if serving else {}
    return await shown(request, user, "admin/portal_rules.html", view, faults, note, **context)


def _described(portal: Portal) -> dict[str, Any]:
    today = _today(portal)
    bodies = list(units(portal))
    return {
        "today": today.isoformat(),
        "rules": [in_words(rule, portal, today) for rule in portal.rules],
        "units": bodies,
        "refusable": [(NAMED, NAMED_WORDS.capitalize()), *bodies],
        "categories": [(category.code, category.name) for category in portal.categories],
        "report_types": list(REPORT_TYPES.items()),
    }


def _today(portal: Portal) -> date:
    return datetime.now(ZoneInfo(portal.timezone) if portal else UTC).date()


@router.post("/aturan")
async def changed(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Adds a rule, ends the one in the field `akhiri`, or takes away the one in the field `hapus`."""
    view = await opened(request, user)

    def edit(files: PortalFiles) -> Edited:
        if dropped := text(form, "hapus"):
            return editing.drop_rule(files, dropped)
        if ended := text(form, "akhiri"):
            return editing.end_rule(files, ended, day_of(text(form, "day")))
        return editing.add_rule(files, _cells(view, form), before=text(form, "before"))

    name = next((act for act in ("hapus", "akhiri") if text(form, act)), "aturan")
    outcome = await change(request, user, form, edit, name, COLUMNS)
    if isinstance(outcome, Faults):
        return await _every(request, user, view, outcome)
    return back(PLACE, "tersimpan" if outcome else "sama")


def _cells(view: PortalView, form: FormData) -> dict[str, str]:
    """The cells of a rule from its form."""
    typed = typed_in(form)
    cells = {name: text(form, name) for name in ("agency", "reason", "certainty", "source", "note")}
    cells |= {name: day_of(day).isoformat() for name in ("from", "to") if (day := text(form, name))}
    cells |= {name: ";".join(lines_of(text(form, name))) for name in ("words", "without")}
    ticked = {"categories": "categories", "agencies": "units", "report_types": "report_types", "never": "never"}
    cells |= {column: ";".join(typed.get(name, [])) for column, name in ticked.items()}
    places = (place_code(view, line) for line in lines_of(text(form, "places")))
    return {**cells, "places": ";".join(places)}
