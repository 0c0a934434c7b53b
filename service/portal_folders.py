"""Where a portal is described."""

from pathlib import Path

from router_model.errors import AduanError
from router_model.portal import load_portal
from router_model.registry import champions, release_folder
from service.settings import Settings


class NoPortalFolderError(AduanError):
    """Nothing says what agencies and categories a portal has."""


def portal_folder(settings: Settings, portal: str) -> Path:
    """Where a portal is described: in `ADUAN_HOME/portals` by its code, where an operator may keep it; otherwise as
    it was when the release in force was trained.

    Raises:
        NoPortalFolderError: in neither place, or the folder describes another portal.
        ReleaseError: which release is in force is not known.
    """
    kept = settings.home / "portals" / Path(portal).name
    in_force = champions(settings.registry).get(portal)
    if kept.is_dir():
        folder = kept
    elif in_force:
        folder = release_folder(settings.registry, in_force) / "portal"
    else:
        raise NoPortalFolderError(
            f"Portal {portal} belum punya rilis dan belum punya folder portal. "
            f"Minta operator menaruh folder portal di ADUAN_HOME/portals/{portal}."
        )
    if (code := load_portal(folder).code) != portal:
        raise NoPortalFolderError(f"Folder portal {portal} berisi portal {code}. Minta operator memperbaikinya.")
    return folder
