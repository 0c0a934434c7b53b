"""`aduan key`: API keys of portals."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from service.cli.output import AsJson, result, result_json, result_table, say
from service.cli.person import login_name
from service.database import keys
from service.database.database import Database
from service.database.keys import SCOPES, ApiKey
from service.settings import settings_from_environment

app = typer.Typer(help="Kunci API portal.", no_args_is_help=True)


def open_database() -> Database:
    """The service's database, as the environment names it."""
    settings = settings_from_environment()
    settings.home.mkdir(parents=True, exist_ok=True)
    return Database(settings.database)


@app.callback()
def key() -> None:
    """Kunci API portal."""


@app.command()
def create(
    portal: Annotated[str, typer.Option("--portal", help="Kode portal.")],
    name: Annotated[str, typer.Option(help="Untuk apa kunci ini.")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help=f"Lingkup, boleh diulang: {', '.join(SCOPES)}. Bawaan suggest.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, help="Berlaku sekian hari; 0 berarti tanpa batas.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Membuat kunci. Rahasianya ditampilkan sekali ini saja."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    database = open_database()
    with database.begin() as connection:
        made = keys.create(connection, portal, name, scope or ["suggest"], expires_at=expires_at, by=login_name())
    database.close()
    _show_once(*made, as_json)


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Nomor kunci lama.")],
    overlap: Annotated[int, typer.Option(min=0, help="Kunci lama masih berlaku sekian jam.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Kunci baru dengan lingkup yang sama; yang lama masih berlaku sebentar agar portal sempat menggantinya."""
    database = open_database()
    with database.begin() as connection:
        made = keys.rotate(connection, key_id, timedelta(hours=overlap), by=login_name())
    database.close()
    _show_once(*made, as_json)
    say(f"Kunci lama {key_id} berakhir dalam {overlap} jam.")


def _show_once(made: ApiKey, secret: str, as_json: bool) -> None:
    if as_json:
        result_json({"id": made.id, "portal": made.portal, "scopes": sorted(made.scopes), "key": secret})
        return
    say(
        f"Kunci {made.id} untuk portal {made.portal}, lingkup {', '.join(sorted(made.scopes))}. "
        "Simpan, tampil sekali ini:"
    )
    result(secret)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Semua kunci, tanpa rahasianya."""
    database, now = open_database(), datetime.now(UTC)
    with database.connect() as connection:
        rows = [
            (
                k.id,
                k.portal,
                k.name,
                ", ".join(sorted(k.scopes)),
                k.created_at.isoformat(timespec="seconds"),
                k.expires_at.isoformat(timespec="seconds") if k.expires_at else "",
                "berlaku" if k.works(now) else "dicabut" if k.revoked_at else "berakhir",
            )
            for k in keys.every(connection)
        ]
    database.close()
    columns = ("id", "portal", "name", "scopes", "created_at", "expires_at", "state")
    if as_json:
        result_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        result_table("Kunci", ("kunci", "portal", "nama", "lingkup", "dibuat", "berakhir", "keadaan"), rows)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="Nomor kunci.")]) -> None:
    """Mencabut sebuah kunci; layanan yang sedang berjalan menolaknya dalam dua detik."""
    database = open_database()
    with database.begin() as connection:
        keys.revoke(connection, key_id, by=login_name())
    database.close()
    say(f"Kunci {key_id} dicabut.")
