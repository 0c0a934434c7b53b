"""The release in force, ready to answer."""

from dataclasses import dataclass
from pathlib import Path

from router_model.complaint import Complaint
from router_model.registry import champion, release_folder
from router_model.release import Release, open_release, router_of
from router_model.suggestion import Router


@dataclass(frozen=True)
class Serving:
    release: Release
    router: Router

    def prove(self) -> None:
        """One real prediction; raises if the model cannot answer."""
        self.router.suggest(Complaint(text="lampu jalan mati"))


def serving_release(registry: Path, release_id: str = "") -> Serving:
    """Verifies and loads a release, the one in force if none is named."""
    release = open_release(release_folder(registry, release_id)) if release_id else champion(registry)
    return Serving(release, router_of(release))
