"""`aduan backup` and `aduan restore`: everything as one file."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service import backup as backups
from service.cli.keys import open_database
from service.cli.output import AsJson, progress, result, result_json, say
from service.cli.person import login_name
from service.database.connection import open_engine
from service.settings import settings_from_environment


def backup(
    file: Annotated[Path, typer.Argument(help="Berkas cadangan yang akan dibuat, misalnya aduan.zip.")],
    force: Annotated[bool, typer.Option("--force", help="Timpa berkas yang sudah ada.")] = False,
    as_json: AsJson = False,
) -> None:
    """Mencadangkan basis data dan rilis ke satu berkas, selagi layanan berjalan."""
    settings = settings_from_environment()
    engine = open_engine(settings.database)
    try:
        with progress() as call:
            made = backups.backup(engine, settings.home, file, force=force, progress=call)
    finally:
        engine.dispose()
    for fault in made.left_out:
        say(f"Tidak ikut dicadangkan karena tidak dapat dipercaya: {fault}")
    say(
        f"Berkas {settings.home / 'secret'} (atau ADUAN_SECRET) tidak ikut; salin sendiri bila pindah ke mesin lain. "
        "Cadangan memuat laporan dan rahasia webhook: simpan di tempat yang aman."
    )
    if as_json:
        result_json({"file": str(file), "bytes": file.stat().st_size, **asdict(made)})
    else:
        result(
            f"{file}: {sum(made.rows.values())} baris, {len(made.releases)} rilis, {file.stat().st_size / 1e6:.1f} MB"
        )


def restore(
    file: Annotated[Path, typer.Argument(help="Berkas cadangan.")],
    replace: Annotated[bool, typer.Option("--replace", help="Ganti seluruh isi basis data yang sekarang.")] = False,
    as_json: AsJson = False,
) -> None:
    """Memulihkan basis data dan rilis dari cadangan, selagi layanan berjalan; catatan audit tidak dihapus."""
    settings = settings_from_environment()
    with closing(open_database()) as database, progress() as call:
        done = backups.restore(database, settings.home, file, replace=replace, by=login_name(), progress=call)
    for name in done.different:
        say(f"{name} di sini berbeda dari cadangan dan dibiarkan.")
    if done.history_kept:
        say("Riwayat rilis di sini berbeda dari cadangan dan dibiarkan. Periksa yang berlaku: aduan release list")
    if as_json:
        result_json({"file": str(file), **asdict(done)})
    else:
        result(
            f"Pulih ke keadaan {done.created_at}: {sum(done.rows.values())} baris, "
            f"{len(done.releases)} folder rilis atau portal ditambahkan."
        )
