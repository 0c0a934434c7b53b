"""`aduan erase` and `aduan keep`: what is forgotten, and when."""

import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from router_model.errors import AduanError
from service import retention
from service.cli.keys import open_database
from service.cli.output import AsJson, result, result_json, say
from service.cli.person import login_name
from service.database import erasure
from service.database.erasure import Erased
from service.settings import settings_from_environment

MOST_DAYS = 36_500
NAMES = {
    "suggestions": "laporan dengan saran",
    "dispositions": "disposisi",
    "skips": "lewatan",
    "judgements": "penilaian petugas",
    "refusals": "penolakan instansi",
    "shadow_answers": "jawaban rilis bayangan",
    "repeats": "jawaban tersimpan",
    "webhook_messages": "pesan webhook",
    "webhook_deliveries": "pengiriman webhook",
    "datasets": "baris himpunan data",
    "drafts": "baris draf data",
}
Portal = Annotated[str, typer.Option(help="Kode portal.")]


class NothingErasedError(AduanError):
    """There was nothing to erase, or the person did not mean it."""


def erase(
    portal: Portal,
    external_id: Annotated[
        list[str] | None, typer.Option("--external-id", help="Nomor laporan pada portal; dapat diulang.")
    ] = None,
    older_than: Annotated[
        int | None, typer.Option(min=0, max=MOST_DAYS, metavar="DAYS", help="Semua yang lebih tua dari sekian hari.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Tanpa bertanya lagi.")] = False,
    as_json: AsJson = False,
) -> None:
    """Menghapus laporan beserta saran, disposisi, dan pesan tentangnya; tidak dapat dibatalkan."""
    if (older_than is None) == (not external_id):
        raise typer.BadParameter("Pilih salah satu: --external-id atau --older-than.")
    erased, by = Erased(), login_name()
    missing: list[str] = []
    with closing(open_database()) as database:
        if older_than is not None:
            before = datetime.now(UTC) - timedelta(days=older_than)
            with database.connect() as connection:
                count = erasure.older(connection, portal, before)
            _confirm(portal, count, yes)
            for batch in retention.erase_older(database, portal, before, by):
                erased += batch
        else:
            wanted = list(dict.fromkeys(external_id or ()))
            with database.connect() as connection:
                count = len(erasure.found(connection, portal, wanted))
            _confirm(portal, count, yes)
            for name in wanted:
                with database.begin() as connection:
                    rows = erasure.erase(connection, portal, name, by)
                erased += rows
                missing += [] if rows else [name]
        # Also when nothing is left to erase: an earlier run may have been stopped before this.
        scrubbed = erasure.scrub(database.engine)
    if missing and not erased:
        raise NothingErasedError(f"Portal {portal} tidak punya laporan {', '.join(missing)}.")
    if missing:
        say(f"Tidak ada di portal {portal}: {', '.join(missing)}")
    if not scrubbed:
        say("Sisa di berkas basis data belum dibersihkan karena sedang dipakai. Ulangi saat lebih lengang.")
    say("Cadangan yang dibuat sebelumnya masih memuatnya; hapus cadangan itu bila perlu.")
    if as_json:
        result_json({"portal": portal, "rows": dict(erased), "missing": missing, "scrubbed": scrubbed})
    else:
        told = ", ".join(f"{count} {NAMES[name]}" for name, count in erased.items())
        result(f"Dihapus dari portal {portal}: {told or 'tidak ada'}")


def _confirm(portal: str, count: int, yes: bool) -> None:
    """Asks for the portal's code, which nobody types by habit."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise NothingErasedError("Tidak ada yang dihapus. Tambahkan --yes untuk menghapus tanpa bertanya.")
    say(f"{count} laporan portal {portal} akan dihapus beserta semua yang berkaitan; tidak dapat dibatalkan.")
    if typer.prompt("Ketik kode portal untuk melanjutkan", default="", show_default=False, err=True) != portal:
        raise NothingErasedError("Dibatalkan; tidak ada yang dihapus.")


def keep(
    portal: Portal,
    days: Annotated[
        int | None, typer.Option(min=0, max=MOST_DAYS, help="Lama simpan dalam hari; 0 berarti selamanya.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Menetapkan berapa hari laporan sebuah portal disimpan; tanpa --days, menampilkannya."""
    with closing(open_database()) as database:
        if days is not None:
            with database.begin() as connection:
                erasure.set_days_kept(connection, portal, days, login_name())
        otherwise = settings_from_environment().keep_days
        with database.connect() as connection:
            kept = erasure.days_kept(connection, otherwise).get(portal, otherwise)
    if as_json:
        result_json({"portal": portal, "days": kept})
    else:
        result(f"Laporan portal {portal} disimpan {f'{kept} hari' if kept else 'selamanya'}.")
