"""`aduan key`: API keys of portals."""

from typing import Annotated

import typer

from service.application import settings_from_environment
from service.cli.output import AsJson, result, result_json, result_table, say
from service.store import SCOPES, Store

app = typer.Typer(help="Kunci API portal.", no_args_is_help=True)


def open_store() -> Store:
    settings = settings_from_environment()
    settings.home.mkdir(parents=True, exist_ok=True)
    return Store(settings.database_url)


@app.command()
def create(
    portal: Annotated[str, typer.Option(help="Kode portal.")],
    name: Annotated[str, typer.Option(help="Untuk siapa kunci ini.")] = "portal",
    scope: Annotated[list[str] | None, typer.Option(help=f"Lingkup: {', '.join(SCOPES)}.")] = None,
    as_json: AsJson = False,
) -> None:
    """Membuat kunci; rahasianya hanya ditampilkan sekali."""
    key, secret = open_store().create_key(portal, name, scope or ["suggest"])
    if as_json:
        result_json({"id": key.id, "portal": key.portal, "scopes": sorted(key.scopes), "key": secret})
        return
    say(f"Kunci {key.id} untuk portal {portal}, lingkup {', '.join(sorted(key.scopes))}. Simpan, tampil sekali ini:")
    result(secret)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Semua kunci, tanpa rahasianya."""
    keys = open_store().keys()
    rows = [
        (
            k.id,
            k.portal,
            k.name,
            ", ".join(sorted(k.scopes)),
            k.created_at.isoformat(),
            "dicabut" if k.revoked_at else "",
        )
        for k in keys
    ]
    columns = ("id", "portal", "name", "scopes", "created_at", "revoked")
    if as_json:
        result_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        result_table("Kunci", ("kunci", "portal", "nama", "lingkup", "dibuat", "keadaan"), rows)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="Nomor kunci.")]) -> None:
    """Mencabut sebuah kunci; berlaku seketika."""
    open_store().revoke_key(key_id)
    say(f"Kunci {key_id} dicabut.")
