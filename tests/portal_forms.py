"""The portal editor of the admin desk as an admin uses it."""

import re

import httpx
from served import Service
from signed_in import Person

from router_model.portal import Portal, load_portal
from service.portal_folders import portal_folder

TOWN = "kota-kecil"


def described(service: Service) -> Portal:
    """The small town's portal as its folder says it now."""
    return load_portal(portal_folder(service.app.state.settings, TOWN))


def changed(admin: Person, path: str, posted_to: str = "", **fields: str | list[str]) -> httpx.Response:
    """The answer to a form of a page that was just opened, which is sent to the page itself or elsewhere."""
    found = re.search(r'name="versi" value="(\w+)"', admin.read(path))
    assert found
    return admin.send(posted_to or path, versi=found[1], **fields)
