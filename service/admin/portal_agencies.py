"""The bodies of the portal: looked at, added, described, renamed, merged, split and ended."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.datastructures import FormData

from router_model.portal import Agency, Portal, folded
from service import portal_editing as editing
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
from service.pages import Administrator, Reader
from service.portal_editing import AGENCY_CELLS, Edited, EditRefusedError, PortalFiles
from service.sessions import CheckedForm, SignedInUser

router = APIRouter(include_in_schema=False)
STATES = {"": "Yang berlaku", "luar": "Di luar pemerintah daerah", "berakhir": "Yang sudah berakhir", "semua": "Semua"}
PLACE = "/admin/portal/instansi"


def matching(portal: Portal, state: str, sought: str) -> list[Agency]:
    """The agencies of a state that have every word sought in a name, alias, code or matter."""
    words = folded(sought).split()
    return [
        agency for agency in portal.agencies if _is(portal, agency, state) and all(w in searched(agency) for w in words)
    ]


def _is(portal: Portal, agency: Agency, state: str) -> bool:
    retired = agency.code in portal.retired
    if state == "luar":
        return agency.external and not retired
    return state == "semua" or retired == (state == "berakhir")


def searched(agency: Agency) -> str:
    return folded(
        " ".join((agency.code, agency.name, agency.short_name, *agency.aliases, agency.responsibilities, agency.kind))
    )


@router.get("/instansi")
async def every(request: Request, user: Reader, cari: str = "", keadaan: str = "", pesan: str = "") -> Response:
    view = await opened(request, user)
    found = matching(view.portal, keadaan, cari[:100]) if view.portal else []
    context: dict[str, Any] = {
        "agencies": found,
        "sought": cari[:100],
        "state": keadaan,
        "states": STATES,
        "searched": searched,
    }
    return await shown(request, user, "admin/portal_agencies.html", view, note=pesan, **context)


@router.get("/instansi-baru")
async def new(request: Request, user: Administrator) -> Response:
    return await shown(request, user, "admin/portal_agency_new.html", await opened(request, user))


@router.post("/instansi-baru")
async def add(request: Request, user: Administrator, form: CheckedForm) -> Response:
    view = await opened(request, user)
    typed = typed_in(form)

    def edit(files: PortalFiles) -> Edited:
        day = day_of(typed["day"]) if typed.get("day") else None
        return editing.add_agency(files, {**cells(view, form), "code": typed.get("code", "")}, day)

    outcome = await change(request, user, form, edit, "baru", AGENCY_CELLS)
    if isinstance(outcome, Faults):
        return await shown(request, user, "admin/portal_agency_new.html", view, outcome)
    return back(PLACE, "tersimpan" if outcome else "sama")


@router.get("/gabung")
async def merging(request: Request, user: Administrator, kode: str = "") -> Response:
    view = await opened(request, user)
    faults = Faults("gabung", typed={"codes": [kode]}) if kode else NO_FAULTS
    return await shown(request, user, "admin/portal_merge.html", view, faults, today=_today(view), searched=searched)


@router.post("/gabung")
async def merge(request: Request, user: Administrator, form: CheckedForm) -> Response:
    view = await opened(request, user)
    typed = typed_in(form)

    def edit(files: PortalFiles) -> Edited:
        into = living(view, text(form, "into"))
        return editing.merge_agencies(
            files, typed.get("codes", []), into, text(form, "name"), day_of(text(form, "day"))
        )

    outcome = await change(request, user, form, edit, "gabung")
    if isinstance(outcome, Faults):
        return await shown(
            request, user, "admin/portal_merge.html", view, outcome, today=_today(view), searched=searched
        )
    return back(PLACE, "tersimpan" if outcome else "sama")


@router.get("/instansi/{code:path}")
async def one(request: Request, user: Reader, code: str, pesan: str = "") -> Response:
    return await _one(request, user, await opened(request, user), code, note=pesan)


async def _one(
    request: Request, user: SignedInUser, view: PortalView, code: str, faults: Faults = NO_FAULTS, note: str = ""
) -> Response:
    portal = view.portal
    agency = portal.agency.get(code) if portal else None
    if portal and agency is None:
        raise HTTPException(404, f"Instansi {code} tidak ada di portal ini.")
    context = _around(portal, agency) if portal and agency else {}
    return await shown(
        request, user, "admin/portal_agency.html", view, faults, note, today=_today(view), agency=agency, **context
    )


def _around(portal: Portal, agency: Agency) -> dict[str, Any]:
    """What else of the portal concerns an agency."""
    places = {place.code: place for place in portal.places}
    return {
        "retired": agency.code in portal.retired,
        "owned": [leaf for leaf in portal.leaves if agency.unit in leaf.units],
        "heirs": [rule for rule in portal.successions if rule.agency == agency.code],
        "forerunners": [rule for rule in portal.successions if rule.successor == agency.code],
        "territory": [f"{code} {places[code].name}" for code in agency.territory],
    }


def _today(view: PortalView) -> str:
    zone = ZoneInfo(view.portal.timezone) if view.portal else UTC
    return datetime.now(zone).date().isoformat()


def cells(view: PortalView, form: FormData) -> dict[str, str]:
    """The cells of an agency from its form."""
    found = {name: text(form, name) for name in AGENCY_CELLS if name in form}
    found["external"] = "ya" if text(form, "external") else "tidak"
    found["aliases"] = ";".join(lines_of(text(form, "aliases")))
    found["territory"] = ";".join(place_code(view, line) for line in lines_of(text(form, "territory")))
    return found


def place_code(view: PortalView, line: str) -> str:
    """The code of a place that is given by code, by code and name, or by name. Raises `EditRefusedError`."""
    places = view.portal.places if view.portal else ()
    code = line.split()[0]
    if any(place.code == code for place in places):
        return code
    named = [place for place in places if folded(place.name) == folded(line)]
    if len(named) == 1:
        return named[0].code
    why = "Ada beberapa tempat bernama" if named else "Tidak ada di territory.csv:"
    codes = f"; tulis kodenya: {', '.join(place.code for place in named)}" if named else ""
    raise EditRefusedError("territory", f"{why} {line}{codes}.")


def living(view: PortalView, code: str) -> str:
    """The code of a body that can take over; "" stays "". Raises `EditRefusedError`."""
    if code and view.portal and (code not in view.portal.agency or code in view.portal.retired):
        raise EditRefusedError("into", "Pilih instansi yang masih berlaku.")
    return code


def _described(files: PortalFiles, *, code: str, view: PortalView, form: FormData) -> Edited:
    return editing.change_agency(files, code, cells(view, form))


def _renamed(files: PortalFiles, *, code: str, view: PortalView, form: FormData) -> Edited:
    if text(form, "how") == "baru":
        return editing.succeed_agency(files, code, text(form, "name"), day_of(text(form, "day")))
    return editing.rename_agency(files, code, text(form, "name"))


def _split(files: PortalFiles, *, code: str, view: PortalView, form: FormData) -> Edited:
    categories, day = typed_in(form).get("categories", []), day_of(text(form, "day"))
    return editing.hand_over(files, code, categories, living(view, text(form, "into")), text(form, "name"), day)


def _ended(files: PortalFiles, *, code: str, view: PortalView, form: FormData) -> Edited:
    return editing.retire_agency(files, code, day_of(text(form, "day")), living(view, text(form, "into")))


ACTS: Mapping[str, Callable[..., Edited]] = {
    "ubah": _described,
    "nama": _renamed,
    "pisah": _split,
    "akhiri": _ended,
}
"""What each form of an agency's page does."""


@router.post("/instansi/{code:path}")
async def changed(request: Request, user: Administrator, form: CheckedForm, code: str) -> Response:
    """Does what the form says in its field `tindakan`."""
    view, act = await opened(request, user), text(form, "tindakan")
    if act not in ACTS:
        raise HTTPException(422, "Tindakan ini tidak dikenal.")
    edit = partial(ACTS[act], code=code, view=view, form=form)
    outcome = await change(request, user, form, edit, act, AGENCY_CELLS)
    if isinstance(outcome, Faults):
        return await _one(request, user, view, code, outcome)
    return back(f"{PLACE}/{quote(code)}", "tersimpan" if outcome else "sama")
