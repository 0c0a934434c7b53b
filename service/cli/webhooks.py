"""`aduan webhook`: where portals are told of what happened."""

from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from service.cli.keys import open_database
from service.cli.output import AsJson, result, result_json, result_table, say
from service.cli.person import login_name
from service.database import webhooks
from service.database.webhooks import EVENTS
from service.settings import settings_from_environment
from service.webhook_address import receiver_of

app = typer.Typer(help="Pesan keluar ke sistem portal.", no_args_is_help=True)
Portal = Annotated[str, typer.Option("--portal", help="Kode portal.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="ALAMAT", help="Alamat https yang menerima pesan.")],
    portal: Portal,
    event: Annotated[
        list[str] | None,
        typer.Option(help=f"Peristiwa yang dikabarkan, boleh diulang: {', '.join(EVENTS)}. Bawaan semuanya."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Mendaftarkan penerima. Rahasia penanda tangannya ditampilkan sekali ini saja."""
    receiver = receiver_of(url, settings_from_environment().webhook_private)
    with closing(open_database()) as database, database.begin() as connection:
        made, secret = webhooks.add_endpoint(connection, portal, str(receiver.url), event or EVENTS, by=login_name())
    if as_json:
        result_json({**asdict(made), "secret": secret})
        return
    say(f"Webhook {made.id} untuk portal {portal}: {', '.join(made.events)}. Simpan rahasianya, tampil sekali ini:")
    result(secret)


@app.command("list")
def list_webhooks(portal: Portal, as_json: AsJson = False) -> None:
    """Penerima yang terdaftar, tanpa rahasianya."""
    with closing(open_database()) as database, database.connect() as connection:
        found = webhooks.endpoints(connection, portal)
    if as_json:
        result_json([asdict(endpoint) for endpoint in found])
        return
    result_table(
        "Webhook",
        ("webhook", "alamat", "peristiwa", "dibuat"),
        [(e.id, escape(e.url), ", ".join(e.events), e.created_at.isoformat(timespec="seconds")) for e in found],
    )


@app.command()
def remove(
    webhook_id: Annotated[str, typer.Argument(metavar="ID", help="Nomor webhook.")],
    portal: Portal,
) -> None:
    """Menghapus penerima; yang belum terkirim ke sana tidak dikirim lagi."""
    with closing(open_database()) as database, database.begin() as connection:
        webhooks.remove_endpoint(connection, portal, webhook_id, by=login_name())
    say(f"Webhook {webhook_id} dihapus.")


@app.command()
def dead(portal: Portal, as_json: AsJson = False) -> None:
    """Pesan yang tidak sampai setelah semua percobaan, yang terbaru dahulu."""
    with closing(open_database()) as database, database.connect() as connection:
        found = webhooks.dead(connection, portal)
    if as_json:
        result_json([asdict(delivery) for delivery in found])
        return
    result_table(
        "Tidak sampai",
        ("pengiriman", "peristiwa", "tentang", "alamat", "percobaan", "sebab", "terakhir"),
        [
            (
                d.id,
                d.type,
                escape(d.subject),
                escape(d.url),
                d.attempts,
                d.last_error,
                d.updated_at.isoformat(timespec="seconds"),
            )
            for d in found
        ],
    )


@app.command()
def replay(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Nomor pengiriman, pesan, atau webhook.")],
    portal: Portal,
) -> None:
    """Mengirim ulang sebuah pengiriman, atau semua yang gagal dari sebuah pesan atau webhook."""
    with closing(open_database()) as database, database.begin() as connection:
        again = webhooks.replay(connection, portal, wanted, by=login_name())
    say(f"{len(again)} pengiriman diantre ulang.")
