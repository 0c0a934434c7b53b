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
from service.database.keys import SCOPES
from service.server import command
from service.serving import serving_release
from service.settings import settings_from_environment

FIRST_KEY = "kunci-pertama"


def serve(
    host: Annotated[str, typer.Option(help="Alamat.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Porta.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Banyaknya proses.")] = 1,
    background: Annotated[
        bool, typer.Option("--background/--no-background", help="Jalankan juga aduan worker di sampingnya.")
    ] = True,
) -> None:
    """Menjalankan layanan dengan rilis yang berlaku."""
    registry = settings_from_environment().registry
    in_force = champions(registry)
    if not in_force:
        serving_release(registry)
    database = open_database()
    with database.begin() as connection:
        if not keys.every(connection):
            for portal in sorted(in_force):
                _, secret = keys.create(connection, portal, FIRST_KEY, SCOPES, by=login_name())
                say(f"Kunci API pertama portal {portal} (simpan; tidak ditampilkan lagi): {secret}")
    database.close()
    for portal, release in sorted(in_force.items()):
        say(f"Portal {portal}: rilis {release}.")
    say(f"Halaman coba: http://{host}:{port}/")
    sys.stderr.flush()
    os.execv(sys.executable, command(host, port, workers, background))  # noqa: S606
