"""`aduan serve`: the web service."""

from typing import Annotated

import typer
import uvicorn

from service.application import settings_from_environment
from service.cli.keys import open_store
from service.cli.output import say
from service.serving import serving_release

FIRST_KEY = "kunci-pertama"


def serve(
    host: Annotated[str, typer.Option(help="Alamat.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Porta.")] = 8000,
    workers: Annotated[int, typer.Option(help="Banyaknya proses.")] = 1,
) -> None:
    """Menjalankan layanan dengan rilis yang berlaku."""
    serving = serving_release(settings_from_environment().registry)
    store = open_store()
    if not store.keys():
        _, secret = store.create_key(serving.release.portal.code, FIRST_KEY, ["suggest", "dispose", "review", "admin"])
        say(f"Kunci API pertama (simpan; tidak ditampilkan lagi): {secret}")
    store.close()
    say(f"Rilis {serving.release.id}. Halaman coba: http://{host}:{port}/")
    uvicorn.run(
        "service.application:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        server_header=False,
        log_level="warning",
    )
