"""Another wish for precision as a job: the model in force with other thresholds, as a release of its own."""

from typing import Any

from router_model.errors import ReleaseError
from router_model.registry import champions, promote, release_folder
from router_model.release import open_release
from service.database.jobs import Job
from service.settings import Settings
from service.training_jobs import Tell, promoted
from training.publishing import publish_wish
from training.wishes import Wish

STAGES = ("memeriksa rilis yang berlaku", "memilih ambang", "memberlakukan")


def apply_wish(job: Job, settings: Settings, tell: Tell) -> dict[str, Any]:
    """Publishes and promotes; `job.request` holds `release`, which must still be in force, `auto` and `prefill`. Begun
    again, it finds what was promoted and promotes nothing twice.

    Raises:
        ReleaseError: another release is in force by now, or the registry cannot be read or written.
    """

    def at(step: int) -> None:
        tell({"stage": STAGES[step], "done": step, "total": len(STAGES), "seconds_left": None})

    if before := promoted(settings, job):
        return before
    at(0)
    in_force, base = champions(settings.registry).get(job.portal), job.request["release"]
    if in_force != base:
        raise ReleaseError(
            f"Rilis {base} tidak berlaku lagi; sekarang {in_force}. Buka lagi halaman Kebijakan, lalu ulangi."
        )
    release = open_release(release_folder(settings.registry, base))
    at(1)
    published = publish_wish(release, Wish(job.request["auto"], job.request["prefill"]), settings.registry)
    at(2)
    promote(settings.registry, published, by=job.created_by, request=job.id)
    found = promoted(settings, job)
    assert found is not None  # noqa: S101
    return found
