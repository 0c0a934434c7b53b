"""What complaints are about: categories, and who took matters over."""

from functools import partial
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.datastructures import FormData

from router_model.portal import Category, Portal, folded
from service import portal_editing as editing
from service.admin.portal_view import (
    NO_FAULTS,
    Faults,
    PortalView,
    back,
    change,
    lines_of,
    opened,
    shown,
    text,
)
from service.pages import Administrator, Reader
from service.portal_editing import CATEGORY_CELLS, Edited, EditRefusedError, PortalFiles
from service.sessions import CheckedForm, SignedInUser

router = APIRouter(include_in_schema=False)
PLACE = "/admin/portal/kategori"


def branches(portal: Portal, sought: str) -> list[tuple[Category | None, list[Category]]]:
    """Main branches with their leaves that have every word sought; `None` for leaves that stand alone."""
    words = folded(sought).split()
    found = [leaf for leaf in portal.leaves if all(word in searched(leaf) for word in words)]
    parents = {leaf.parent for leaf in found}
    groups = [portal.category[code] for code in portal.category if code in parents]
    alone = [leaf for leaf in found if not leaf.parent]
    tree = [(branch, [leaf for leaf in found if leaf.parent == branch.code]) for branch in groups]
    return [*tree, *([(None, alone)] if alone else [])]


def searched(leaf: Category) -> str:
    return folded(" ".join((leaf.code, leaf.name, leaf.national_name, leaf.description, *leaf.aliases)))


@router.get("/kategori")
async def every(request: Request, user: Reader, cari: str = "", pesan: str = "") -> Response:
    view = await opened(request, user)
    tree = branches(view.portal, cari[:100]) if view.portal else []
    context: dict[str, Any] = {"tree": tree, "sought": cari[:100], "searched": searched}
    return await shown(request, user, "admin/portal_categories.html", view, note=pesan, **context)


@router.get("/kategori-baru")
async def new(request: Request, user: Administrator, induk: str = "") -> Response:
    faults = Faults("baru", typed={"parent": induk}) if induk else NO_FAULTS
    return await _new(request, user, await opened(request, user), faults)


async def _new(request: Request, user: SignedInUser, view: PortalView, faults: Faults) -> Response:
    return await shown(request, user, "admin/portal_category_new.html", view, faults, parents=_parents(view, ""))


@router.post("/kategori-baru")
async def add(request: Request, user: Administrator, form: CheckedForm) -> Response:
    view = await opened(request, user)

    def edit(files: PortalFiles) -> Edited:
        return editing.add_category(files, {**cells(view, form), "code": text(form, "code")})

    outcome = await change(request, user, form, edit, "baru", CATEGORY_CELLS)
    if isinstance(outcome, Faults):
        return await _new(request, user, view, outcome)
    return back(PLACE, "tersimpan" if outcome else "sama")


@router.get("/kategori/{code:path}")
async def one(request: Request, user: Reader, code: str) -> Response:
    return await _one(request, user, await opened(request, user), code)


async def _one(
    request: Request, user: SignedInUser, view: PortalView, code: str, faults: Faults = NO_FAULTS
) -> Response:
    portal = view.portal
    category = portal.category.get(code) if portal else None
    if portal and category is None:
        raise HTTPException(404, f"Kategori {code} tidak ada di portal ini.")
    context: dict[str, Any] = {"category": category}
    if portal and category:
        context |= {
            "children": [child for child in portal.categories if child.parent == code],
            "owners": owner_lines(portal, category),
            "parents": _parents(view, code),
            "others": [leaf for leaf in portal.leaves if leaf.code != code],
        }
    return await shown(request, user, "admin/portal_category.html", view, faults, **context)


def _parents(view: PortalView, code: str) -> list[Category]:
    """Categories that can have others below them: those that stand on top, but the one itself."""
    return [one for one in view.portal.categories if not one.parent and one.code != code] if view.portal else []


def owner_lines(portal: Portal, category: Category) -> list[str]:
    """Who may own a category, each by code and name."""
    units = [unit for unit in portal.units if unit in category.units]
    return [f"{unit} {portal.unit_name(unit)}" for unit in units]


def cells(view: PortalView, form: FormData) -> dict[str, str]:
    found = {name: text(form, name) for name in CATEGORY_CELLS if name in form}
    found["agencies"] = ";".join(owner_code(view, line) for line in lines_of(text(form, "agencies")))
    return found


def owner_code(view: PortalView, line: str) -> str:
    """The unit that is given by code, by code and name, or by a name of the agency. Raises `EditRefusedError`."""
    if (portal := view.portal) is None:
        return line
    code = line.split()[0]
    units = {agency.unit for agency in portal.agencies}
    if code in units or code in portal.agency:
        return portal.agency[code].unit if code in portal.agency else code
    if agency := portal.find_agency(line):
        return agency.unit
    raise EditRefusedError("agencies", f"Bukan instansi portal ini: {line}.")


@router.post("/kategori/{code:path}")
async def changed(request: Request, user: Administrator, form: CheckedForm, code: str) -> Response:
    view, act = await opened(request, user), text(form, "tindakan")
    if act == "akhiri":
        edit = partial(editing.retire_category, code=code, into=text(form, "into"))
    else:
        act, edit = "ubah", partial(_described, code=code, view=view, form=form)
    outcome = await change(request, user, form, edit, act, CATEGORY_CELLS)
    if isinstance(outcome, Faults):
        return await _one(request, user, view, code, outcome)
    return back(PLACE, "tersimpan" if outcome else "sama")


def _described(files: PortalFiles, *, code: str, view: PortalView, form: FormData) -> Edited:
    return editing.change_category(files, code, cells(view, form))


@router.get("/penerus")
async def successions(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _successions(request, user, NO_FAULTS, pesan)


async def _successions(request: Request, user: SignedInUser, faults: Faults, note: str = "") -> Response:
    return await shown(request, user, "admin/portal_successions.html", await opened(request, user), faults, note)


@router.post("/penerus")
async def drop(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Takes away one row, by its place in the file; the form's fingerprint says that it is still the same row."""
    row = text(form, "row")
    place = int(row) if row.isascii() and row.isdigit() and len(row) < 9 else -1
    outcome = await change(request, user, form, partial(editing.drop_succession, place=place), "hapus")
    if isinstance(outcome, Faults):
        return await _successions(request, user, outcome)
    return back("/admin/portal/penerus", "tersimpan" if outcome else "sama")
