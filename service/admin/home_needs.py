"""What needs an admin now, each with the one place to go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from router_model.policy import Route
from service.admin.portal_view import PortalView
from service.admin.release_view import Line, Listed
from service.database.audit import AuditEntry
from service.database.jobs import FAILED, RUNNING, Job
from service.database.statistics import PortalStatistics
from service.pages import lasting, number
from service.serving import Refused
from service.training_schedule import Outlook


@dataclass(frozen=True, slots=True)
class Need:
    """`tone` is "danger", "warn" or "brand", in the order of urgency."""

    tone: str
    what: str
    why: str
    place: str
    go: str


@dataclass(frozen=True)
class Seen:
    """What the summary is made of. `jobs` are the latest trainings, newest first; `view` is None without a portal."""

    releases: Listed
    statistics: PortalStatistics
    jobs: list[Job]
    ahead: Outlook
    view: PortalView | None
    refused: Refused | None
    backup: AuditEntry | None
    now: datetime

    @property
    def release(self) -> Line | None:
        return next((line for line in self.releases.lines if line.in_force), None)

    @property
    def waiting(self) -> int:
        """Complaints that a person has not looked at."""
        return sum(self.statistics.waiting.values())

    @property
    def challengers(self) -> list[Line]:
        """Releases made since the one in force was put there that nobody has decided about."""
        since = self.release.change.at if self.release and self.release.change else None
        return [
            line
            for line in self.releases.lines
            if not line.fault and line.change is None and since and line.created_at and line.created_at >= since
        ]


def needs(seen: Seen) -> list[Need]:
    """The most urgent first."""
    order = {"danger": 0, "warn": 1, "brand": 2}
    return sorted([*_service(seen), *_portal(seen), *_learning(seen)], key=lambda need: order[need.tone])


def _service(seen: Seen) -> Iterator[Need]:
    if emergencies := seen.statistics.waiting.get(Route.EMERGENCY.value, 0):
        age = lasting(seen.statistics.oldest_emergency)
        yield Need("danger", f"{number(emergencies)} laporan darurat menunggu", f"Yang tertua {age}.", "/desk", "Buka")
    if seen.refused:
        why = "Rilis sebelumnya tetap melayani. Pulihkan foldernya, atau kembali ke rilis lain."
        yield Need("danger", f"Rilis {seen.refused.release} tidak dapat dipakai", why, "/admin/rilis", "Lihat rilis")
    if dead := seen.statistics.deliveries.get("dead", 0):
        why = "Portal tidak menerima pemberitahuan ini walau sudah dicoba berulang kali."
        yield Need("warn", f"{number(dead)} pesan webhook gagal terkirim", why, "/admin/akses#webhook", "Lihat webhook")


def _portal(seen: Seen) -> Iterator[Need]:
    if (view := seen.view) is None:
        return
    if view.faults:
        why = "Pelatihan tidak dapat berjalan sampai foldernya diperbaiki."
        yield Need("danger", "Folder portal belum bisa dipakai", why, "/admin/portal", "Lihat yang salah")
    if view.contacts_differ:
        why = "Warga melihat nomor lain daripada yang tertulis dalam portal."
        yield Need("danger", "Nomor darurat yang tampil berbeda", why, "/admin/portal/darurat", "Periksa nomor")
    elif view.waiting:
        how = "Berlaku setelah pelatihan berikutnya." if view.learns else "Dapat diberlakukan tanpa melatih."
        yield Need("brand", f"{len(view.waiting)} perubahan portal belum berlaku", how, "/admin/portal", "Lihat portal")


def _learning(seen: Seen) -> Iterator[Need]:
    last = next(iter(seen.jobs), None)
    if last and last.state == FAILED:
        why = last.error.splitlines()[0] if last.error else ""
        yield Need("warn", "Pelatihan terakhir gagal", why, f"/admin/pelatihan/{last.id}", "Lihat sebabnya")
    if last and not last.finished_at:
        what = "Pelatihan sedang berjalan" if last.state == RUNNING else "Pelatihan menunggu pekerja"
        yield Need("brand", what, "Rilis yang berlaku tetap melayani.", "/admin/pelatihan", "Lihat kemajuan")
    for line in seen.challengers[:1]:
        place = f"/admin/rilis/{line.id}"
        yield Need("warn", "Rilis penantang menunggu keputusan", line.verdict, place, "Bandingkan")
    new = seen.ahead.new
    if new and not (last and not last.finished_at) and seen.release:
        parts = [
            f"{number(new.dispositions)} disposisi" if new.dispositions else "",
            f"{number(new.datasets)} kumpulan data" if new.datasets else "",
        ]
        what = f"{' dan '.join(part for part in parts if part)} baru sejak pelatihan terakhir"
        yield Need("brand", what, "Model belum belajar darinya.", "/admin/pelatihan", "Latih")
