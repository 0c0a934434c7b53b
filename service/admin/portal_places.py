"""The places of the portal: its territory, and the names that people give instead of a village."""

from collections import Counter
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from router_model.landmark import LANDMARK_KINDS
from service import portal_editing as editing
from service.admin.portal_agencies import place_code
from service.admin.portal_view import NO_FAULTS, Faults, PortalView, back, change, lines_of, opened, shown, text
from service.pages import Administrator, Reader
from service.portal_editing import Edited, EditRefusedError, PortalFiles
from service.sessions import CheckedForm, SignedInUser

router = APIRouter(include_in_schema=False)
PLACE = "/admin/portal/wilayah"
CELLS = ("name", "kind", "place", "aliases", "certainty", "source", "note")


@router.get("/wilayah")
async def places(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _places(request, user, await opened(request, user), NO_FAULTS, pesan)


async def _places(request: Request, user: SignedInUser, view: PortalView, faults: Faults, note: str = "") -> Response:
    context: dict[str, Any] = {"landmark_kinds": LANDMARK_KINDS}
    if portal := view.portal:
        context["kinds"] = Counter(place.kind for place in portal.places)
        inside = Counter(place.district_code for place in portal.places if place.district_code)
        marked = _marked(view)
        context["districts"] = [
            (place, inside[place.code], marked[place.code]) for place in portal.places if not place.district_code
        ]
        context["place_names"] = {place.code: f"{place.kind.capitalize()} {place.name}" for place in portal.places}
    return await shown(request, user, "admin/portal_territory.html", view, faults, note, **context)


def _marked(view: PortalView) -> Counter[str]:
    """Landmarks by the code of the district they are in."""
    portal = view.portal
    districts = {place.code: place.district_code or place.code for place in portal.places} if portal else {}
    return Counter(districts.get(landmark.place, "") for landmark in (portal.landmarks if portal else ()))


@router.post("/wilayah")
async def changed(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Adds a landmark, or takes away the one in the field `hapus`, which is its place in the list."""
    view = await opened(request, user)
    dropped = text(form, "hapus")
    if dropped:
        number = int(dropped) if dropped.isascii() and dropped.isdigit() and len(dropped) < 9 else -1
        outcome = await change(request, user, form, partial(editing.drop_landmark, place=number), "hapus")
    else:
        outcome = await change(request, user, form, partial(_added, view=view, form=form), "patokan", CELLS)
    if isinstance(outcome, Faults):
        return await _places(request, user, view, outcome)
    return back(PLACE, "tersimpan" if outcome else "sama")


def _added(files: PortalFiles, *, view: PortalView, form: FormData) -> Edited:
    cells = {name: text(form, name) for name in CELLS}
    if not cells["place"]:
        raise EditRefusedError("place", "Tulis kelurahan, desa, atau kecamatannya.")
    try:
        place = place_code(view, cells["place"])
    except EditRefusedError as error:
        raise EditRefusedError("place", str(error)) from None
    return editing.add_landmark(files, {**cells, "place": place, "aliases": ";".join(lines_of(cells["aliases"]))})
