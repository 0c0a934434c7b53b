"""What the portal says when it matters: emergency numbers, levels, deadlines and the calendar they are counted by; and
what counts as a repeat."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from router_model.danger_families import families
from router_model.office_calendar import DAY_KINDS
from router_model.portal import URGENCY_LEVELS, Portal
from router_model.resemblance_limits import ResemblanceLimits
from router_model.time_limits import CLOSES, MOST_DAYS
from service import portal_editing as editing
from service.admin.portal_view import (
    NO_FAULTS,
    Faults,
    back,
    change,
    contacts_put_in_force,
    day_of,
    opened,
    shown,
    text,
)
from service.limit_editing import LIMIT, REPEATS, TIMED_STEPS, set_closing, set_deadlines, set_repeats
from service.pages import Administrator, Reader
from service.portal_editing import Edit, Edited, EditRefusedError, PortalFiles, contact_rows
from service.sessions import CheckedForm, SignedInUser

router = APIRouter(include_in_schema=False)
PLACE = "/admin/portal/darurat"
MORE_ROWS = 2
MOST_CONTACTS = 30
CONTACT = ("name", "number", "certainty", "families")


@router.get("/darurat")
async def duty(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _duty(request, user, NO_FAULTS, pesan)


async def _duty(request: Request, user: SignedInUser, faults: Faults, note: str = "") -> Response:
    view = await opened(request, user)
    context: dict[str, Any] = {"timed_steps": TIMED_STEPS, "families": families(), "repeats": REPEATS}
    if view.portal:
        context |= {"rows": _rows(view.portal, faults), "deadlines": _deadlines(view.portal)}
        context |= {"closes": f"{view.portal.limits.closes:%H.%M}", "our_closes": f"{CLOSES:%H.%M}"}
        context |= {"office": view.portal.settings.get("office_hours", {}), "ours": _told(asdict(ResemblanceLimits()))}
        resemblance = view.portal.settings.get("resemblance", {})
        context |= {"resemblance": _told(resemblance), "own_limits": len(resemblance.get("category", {}))}
        context["wishes"] = view.portal.settings.get("policy", {})
    return await shown(request, user, "admin/portal_duty.html", view, faults, note, **context)


def _rows(portal: Portal, faults: Faults) -> list[dict[str, str]]:
    """The numbers as fields: what was typed if it came back, and a few empty ones for more."""
    if faults.form == "nomor":
        return [
            {key: faults.typed.get(f"{key}-{number}", "") for key in CONTACT}
            for number in range(MOST_CONTACTS)
            if f"name-{number}" in faults.typed
        ]
    return [*contact_rows(portal), *(dict.fromkeys(CONTACT, "") for _ in range(MORE_ROWS))]


def _deadlines(portal: Portal) -> dict[str, dict[str, Any]]:
    """By step and by step and level, as `deadline_name` calls them."""
    given = portal.settings.get("deadlines", {})
    return {
        deadline_name(step, level): dict(given.get(step, {}).get(level, {}) if level else given.get(step, {}))
        for step in TIMED_STEPS
        for level in ("", *URGENCY_LEVELS)
    }


def deadline_name(step: str, level: str) -> str:
    return f"{step}-{level}" if level else step


def _told(limits: Mapping[str, Any]) -> dict[str, str]:
    """Numbers as they are typed, with a decimal comma."""
    return {name: str(value).replace(".", ",") for name, value in limits.items() if name in REPEATS} | {
        name: str(limits[name]) for name in ("source", "certainty") if name in limits
    }


@router.post("/darurat")
async def set_contacts(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Rows without a name and a number are left out."""

    def edit(files: PortalFiles) -> Edited:
        rows = [
            row
            for number in range(MOST_CONTACTS)
            if (row := {key: text(form, f"{key}-{number}") for key in CONTACT})["name"] or row["number"]
        ]
        return editing.set_contacts(files, [{**row, "certainty": row["certainty"] or "D"} for row in rows])

    outcome = await change(request, user, form, edit, "nomor")
    if isinstance(outcome, Faults):
        return await _duty(request, user, outcome)
    if outcome is None:
        return back(PLACE, "sama")
    return back(PLACE, "nomor" if await contacts_put_in_force(request, user) else "nomor-nanti")


@router.post("/tenggat")
async def change_deadlines(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """A field left empty takes its limit away; one that was not sent leaves it alone."""

    def edit(files: PortalFiles) -> Edited:
        steps = ((step, level) for step in TIMED_STEPS for level in ("", *URGENCY_LEVELS))
        sent = {at: _deadline(form, name) for at in steps if f"days-{(name := deadline_name(*at))}" in form}
        return set_deadlines(files, sent)

    return await _changed(request, user, form, edit, "tenggat")


def _deadline(form: FormData, name: str) -> dict[str, Any]:
    days = text(form, f"days-{name}")
    if not days:
        return {}
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:5]) <= MOST_DAYS):
        raise EditRefusedError(f"days-{name}", f"Isi banyaknya hari kerja, 1 sampai {MOST_DAYS}.")
    source, certainty = text(form, f"source-{name}"), text(form, f"certainty-{name}") or "D"
    return dict(zip(LIMIT, (int(days[:5]), source, certainty), strict=True))


@router.post("/jam-kantor")
async def change_closing(request: Request, user: Administrator, form: CheckedForm) -> Response:
    closes, source, certainty = text(form, "closes"), text(form, "source"), text(form, "certainty") or "D"
    edit = partial(set_closing, closes=closes, source=source, certainty=certainty)
    return await _changed(request, user, form, edit, "jam")


@router.post("/serupa")
async def change_repeats(request: Request, user: Administrator, form: CheckedForm) -> Response:
    typed = {name: text(form, name) for name in REPEATS}
    source, certainty = text(form, "source"), text(form, "certainty") or "D"
    edit = partial(set_repeats, typed=typed, source=source, certainty=certainty)
    return await _changed(request, user, form, edit, "serupa")


async def _changed(request: Request, user: SignedInUser, form: FormData, edit: Edit, name: str) -> Response:
    outcome = await change(request, user, form, edit, name)
    if isinstance(outcome, Faults):
        return await _duty(request, user, outcome)
    return back(PLACE, "tersimpan" if outcome else "sama")


@router.get("/kalender")
async def calendar(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _calendar(request, user, NO_FAULTS, pesan)


async def _calendar(request: Request, user: SignedInUser, faults: Faults, note: str = "") -> Response:
    view = await opened(request, user)
    days = sorted(view.portal.calendar, key=lambda one: one.day) if view.portal else []
    today = _today(view.portal)
    context: dict[str, Any] = {
        "coming": [one for one in days if one.day >= today],
        "past": [one for one in reversed(days) if one.day < today],
        "day_kinds": DAY_KINDS,
    }
    return await shown(request, user, "admin/portal_calendar.html", view, faults, note, **context)


def _today(portal: Portal | None) -> date:
    return datetime.now(ZoneInfo(portal.timezone) if portal else UTC).date()


@router.post("/kalender")
async def change_calendar(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Adds a day, or takes away the one in the field `hapus`."""
    if dropped := text(form, "hapus"):
        outcome = await change(request, user, form, partial(editing.drop_day, day=dropped), "hapus")
    else:
        outcome = await change(request, user, form, partial(_added, form=form), "hari", ("kind", "name", "certainty"))
    if isinstance(outcome, Faults):
        return await _calendar(request, user, outcome)
    return back("/admin/portal/kalender", "tersimpan" if outcome else "sama")


def _added(files: PortalFiles, *, form: FormData) -> Edited:
    return editing.add_day(
        files,
        day_of(text(form, "day")),
        text(form, "kind"),
        text(form, "name"),
        text(form, "source"),
        text(form, "certainty") or "D",
    )
