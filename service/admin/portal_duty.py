"""What the portal says when it matters: emergency numbers, levels, deadlines, and the calendar they are counted by."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from router_model.danger_families import families
from router_model.office_calendar import DAY_KINDS
from router_model.portal import Portal
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
from service.pages import Administrator, Reader
from service.portal_editing import TIMED_STEPS, Edited, EditRefusedError, PortalFiles, contact_rows
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
    context: dict[str, Any] = {"timed_steps": TIMED_STEPS, "families": families()}
    if view.portal:
        context |= {"rows": _rows(view.portal, faults), "deadlines": _deadlines(view.portal)}
        context["closes"] = f"{view.portal.limits.closes:%H.%M}"
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
    given = portal.settings.get("deadlines", {})
    return {kind: dict(given.get(kind, {})) for kind in TIMED_STEPS}


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
async def set_deadlines(request: Request, user: Administrator, form: CheckedForm) -> Response:
    def edit(files: PortalFiles) -> Edited:
        given = {kind: _deadline(form, kind) for kind in TIMED_STEPS if text(form, f"days-{kind}")}
        return editing.set_deadlines(files, given)

    outcome = await change(request, user, form, edit, "tenggat")
    if isinstance(outcome, Faults):
        return await _duty(request, user, outcome)
    return back(PLACE, "tersimpan" if outcome else "sama")


def _deadline(form: FormData, kind: str) -> dict[str, Any]:
    days = text(form, f"days-{kind}")
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:5]) <= 999):
        raise EditRefusedError(f"days-{kind}", "Isi banyaknya hari kerja, 1 sampai 999.")
    source, certainty = text(form, f"source-{kind}"), text(form, f"certainty-{kind}") or "D"
    return {"working_days": int(days[:5]), "source": source, "certainty": certainty}


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
