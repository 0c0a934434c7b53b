"""`aduan serve`: the web service."""

import os
import sys
from typing import Annotated

import typer

from router_model.registry import champions
from service.cli.keys import open_database
from service.cli.output import say
from service.cli.person import login_name
from service.database import keys
from service.database.keys import FIRST_KEY, SCOPES
from service.server import command
from service.settings import settings_from_environment


def serve(
    host: Annotated[str, typer.Option(help="Alamat.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Porta.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Banyaknya proses.")] = 1,
    background: Annotated[
        bool, typer.Option("--background/--no-background", help="Jalankan juga aduan worker di sampingnya.")
    ] = True,
) -> None:
    """Menjalankan layanan dengan rilis yang berlaku."""
    in_force = champions(settings_from_environment().registry)
    database = open_database()
    with database.begin() as connection:
        if not keys.every(connection):
            for portal in sorted(in_force):
                _, secret = keys.create(connection, portal, FIRST_KEY, SCOPES, by=login_name())
                say(f"Kunci API pertama portal {portal} (simpan; tidak ditampilkan lagi): {secret}")
    database.close()
    for portal, release in sorted(in_force.items()):
        say(f"Portal {portal}: rilis {release}.")
    if not in_force:
        say("Belum ada rilis yang berlaku. Latih dari /admin, atau dengan: aduan train DATA --portal DIR")
    say(f"Halaman coba: http://{host}:{port}/")
    sys.stderr.flush()
    os.execv(sys.executable, command(host, port, workers, background))  # noqa: S606
