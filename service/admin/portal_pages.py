"""The portal itself: agencies and categories with their dates, calendar, emergency numbers, rules,
places, and its versions."""

import asyncio
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from router_model.errors import PortalError, ReleaseError
from router_model.portal import Portal
from router_model.registry import Event
from service import portal_folders, portal_release
from service.admin import portal_agencies, portal_categories, portal_duty, portal_places, portal_rules
from service.admin.portal_view import NO_FAULTS, SEEN, Faults, back, opened, recorded, shown, text, told
from service.pages import Administrator, Reader
from service.portal_folders import FILES, NoPortalFolderError
from service.sessions import CheckedForm, SignedInUser
from service.settings import Settings

router = APIRouter(prefix="/admin/portal", include_in_schema=False)
for part in (portal_agencies, portal_categories, portal_duty, portal_places, portal_rules):
    router.include_router(part.router)


@router.get("")
async def overview(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _overview(request, user, note=pesan)


async def _overview(request: Request, user: SignedInUser, faults: Faults = NO_FAULTS, note: str = "") -> Response:
    view = await opened(request, user)
    context: dict[str, Any] = {"counts": _counts(view.portal)} if view.portal else {}
    if view.portal:
        context["files"] = [name for name in FILES if (view.folder / name).is_file()]
    return await shown(request, user, "admin/portal.html", view, faults, note, **context)


def _counts(portal: Portal) -> dict[str, int]:
    living = portal.living_agencies
    return {
        "agencies": len(living),
        "external": sum(agency.external for agency in living),
        "retired": len(portal.retired),
        "branches": len(portal.categories) - len(portal.leaves),
        "leaves": len(portal.leaves),
        "successions": len(portal.successions),
        "contacts": len(portal.emergency_contacts),
        "calendar": len(portal.calendar),
        "places": len(portal.places),
        "landmarks": len(portal.landmarks),
        "rules": len(portal.rules),
    }


@router.post("/berlakukan")
async def put_in_force(request: Request, user: Administrator, form: CheckedForm) -> Response:
    """Has the release in force know what of the folder it need not learn: all, or the emergency numbers alone."""
    settings: Settings = request.app.state.settings

    def publish() -> Event | None:
        folder = portal_folders.portal_folder(settings, user.portal)
        if text(form, "hanya") == "nomor":
            return portal_release.publish_contacts(settings.registry, folder, user.who)
        return portal_release.publish_portal(settings.registry, user.portal, folder, user.who)

    try:
        event = await asyncio.to_thread(publish)
    except (PortalError, ReleaseError) as error:
        message = str(error).replace(str(settings.home), "ADUAN_HOME")
        return await _overview(request, user, Faults("berlakukan", (message,)))
    if event:
        await told(request, user, event)
    return back("/admin/portal", "berlaku")


@router.get("/berkas/{name}")
async def file(request: Request, user: Reader, name: str) -> Response:
    settings: Settings = request.app.state.settings
    folder = await asyncio.to_thread(portal_folders.described, settings, user.portal)
    if name not in FILES or not (folder / name).is_file():
        raise HTTPException(404, f"Berkas {name} tidak ada dalam folder portal ini.")
    return FileResponse(folder / name, filename=name, media_type="application/octet-stream")


@router.get("/versi")
async def versions(request: Request, user: Reader, pesan: str = "") -> Response:
    return await _versions(request, user, NO_FAULTS, pesan)


async def _versions(request: Request, user: SignedInUser, faults: Faults, note: str = "") -> Response:
    """Also shown while the folder cannot be used: going back is what mends it."""
    view = await opened(request, user)
    settings: Settings = request.app.state.settings
    found = await asyncio.to_thread(portal_folders.versions, settings, user.portal)
    template = "admin/portal_versions.html" if view.portal else "admin/portal_broken.html"
    return await shown(request, user, template, view, faults, note, versions=found)


@router.post("/versi")
async def restore(request: Request, user: Administrator, form: CheckedForm) -> Response:
    settings: Settings = request.app.state.settings
    wanted = text(form, "nomor")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else 0
    try:
        version = await asyncio.to_thread(
            portal_folders.restore, settings, user.portal, number, text(form, SEEN), user.who
        )
    except NoPortalFolderError as error:
        return await _versions(request, user, Faults("versi", (str(error),)))
    except PortalError as error:
        return await _versions(request, user, Faults("versi", error.problems or (str(error),)))
    if version:
        await recorded(request, user, "portal.restore", version)
    return back("/admin/portal/versi", "kembali" if version else "sama")
