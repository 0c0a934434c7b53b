"""Every command of `aduan`: what it says it does, and where it is imported from once it is used.

Importing all of them takes seconds, listing them none. After "lazily loading subcommands" in click's documentation.
"""

from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

COMMANDS = {
    "check": (
        "service.cli.checking:check",
        "Memeriksa data sebelum dilatih: label, salinan, tanggal, data pribadi, dan label yang mungkin keliru.",
    ),
    "train": (
        "service.cli.training:train",
        "Melatih, menguji maju menurut waktu, menerbitkan rilis, dan memberlakukannya bila uji banding lolos.",
    ),
    "evaluate": (
        "service.cli.training:evaluate",
        "Menilai sebuah rilis pada data berlabel; laporan yang pernah dilihatnya dilewati.",
    ),
    "replay": (
        "service.cli.replaying:replay",
        "Memutar ulang riwayat: latih dari yang sudah diketahui, sarankan minggu berikutnya, belajar darinya, terus.",
    ),
    "policy": (
        "service.cli.policy:policy",
        "Menunjukkan akibat ketepatan lain pada laporan yang disisihkan; dengan --apply, memberlakukannya.",
    ),
    "predict": ("service.cli.prediction:predict", "Menjawab satu laporan dan menerangkan alasannya."),
    "score": (
        "service.cli.prediction:score",
        "Menjawab satu berkas; kolom jawaban ditambahkan pada setiap baris.",
    ),
    "serve": ("service.cli.serving:serve", "Menjalankan layanan dengan rilis yang berlaku."),
    "worker": (
        "service.cli.worker:worker",
        "Menjalankan pekerjaan latar sampai dihentikan: pelatihan, webhook, dan penghapusan data lama.",
    ),
    "erase": (
        "service.cli.erasing:erase",
        "Menghapus laporan beserta saran, disposisi, dan pesan tentangnya; tidak dapat dibatalkan.",
    ),
    "keep": (
        "service.cli.erasing:keep",
        "Menetapkan berapa hari laporan sebuah portal disimpan; tanpa --days, menampilkannya.",
    ),
    "backup": (
        "service.cli.backups:backup",
        "Mencadangkan basis data dan rilis ke satu berkas, selagi layanan berjalan.",
    ),
    "restore": (
        "service.cli.backups:restore",
        "Memulihkan basis data dan rilis dari cadangan, selagi layanan berjalan; catatan audit tidak dihapus.",
    ),
    "portal": ("service.cli.portals:app", "Folder portal: instansi, kategori, wilayah."),
    "release": ("service.cli.releases:app", "Daftar, keterangan, pemeriksaan dan pemberlakuan rilis."),
    "key": ("service.cli.keys:app", "Kunci API portal."),
    "disposition": ("service.cli.dispositions:app", "Disposisi akhir."),
    "user": ("service.cli.users:app", "Pengguna layar petugas."),
    "webhook": ("service.cli.webhooks:app", "Pesan keluar ke sistem portal."),
}


class LazyGroup(TyperGroup):
    """Lists the commands by their lines in the table, and imports the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and imported(listed.name or ""), rest


def imported(name: str) -> Any:
    """The command itself, or the group of that name, as typer makes it of a function or a `typer.Typer`."""
    found = resolve_name(COMMANDS[name][0])
    app = typer.Typer()
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
    else:
        app.command(name)(found)
    return get_group(app).commands[name]
