"""The guided path from nothing to the first suggestion, and what of it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.admin.portal_view import PortalView
from service.database.audit import AuditEntry
from service.database.datasets import Dataset
from service.database.jobs import Job
from service.database.keys import FIRST_KEY, ApiKey
from service.database.users import User
from service.pages import number


@dataclass(frozen=True, slots=True)
class Step:
    """`name` is what the page draws for it, `told` how it stands."""

    name: str
    title: str
    done: bool
    told: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What there is already. `asked` are the keys that sent a complaint lately."""

    view: PortalView | None
    datasets: Sequence[Dataset]
    release: str
    training: Job | None
    tried: AuditEntry | None
    keys: Sequence[ApiKey]
    asked: Sequence[str]
    people: Sequence[User]
    now: datetime


def steps(begun: Begun) -> list[Step]:
    portal = begun.view.portal if begun.view else None
    rows = sum(dataset.rows for dataset in begun.datasets)
    keys = [key for key in begun.keys if key.works(begun.now) and (key.name != FIRST_KEY or key.id in begun.asked)]
    others = [person for person in begun.people if person.disabled_at is None][1:]
    return [
        Step(
            "portal",
            "Portal",
            portal is not None,
            f"{portal.name}: {number(len(portal.living_agencies))} instansi, {number(len(portal.leaves))} kategori."
            if portal
            else "Belum ada daftar instansi dan kategori.",
        ),
        Step(
            "data",
            "Data berlabel",
            bool(begun.datasets),
            f"{number(rows)} laporan dalam {number(len(begun.datasets))} kumpulan data."
            if begun.datasets
            else "Model belajar dari laporan lama yang sudah didisposisikan.",
        ),
        Step(
            "train",
            "Pelatihan pertama",
            bool(begun.release),
            f"Rilis {begun.release} berlaku."
            if begun.release
            else "Sedang menunggu atau berjalan."
            if begun.training
            else "Model diuji pada laporan yang belum dilihatnya sebelum berlaku.",
        ),
        Step(
            "try",
            "Saran pertama",
            begun.tried is not None or bool(begun.asked),
            "Sudah pernah ditanya."
            if begun.tried or begun.asked
            else "Tulis sebuah laporan dan lihat ke mana arahnya.",
        ),
        Step(
            "key",
            "Kunci API untuk portal",
            bool(keys),
            f"{number(len(keys))} kunci berlaku."
            if keys
            else "Dengan kunci, portal bertanya sendiri untuk setiap laporan.",
        ),
        Step(
            "people",
            "Petugas",
            bool(others),
            f"{number(len(others))} orang selain Anda." if others else "Undang yang akan meninjau laporan.",
        ),
    ]
