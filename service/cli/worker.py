"""`aduan worker`: the background jobs of the service."""

import os
import signal
from threading import Event, Thread
from typing import Annotated

import typer

from service import logs
from service.cli.output import say
from service.database.database import Database
from service.settings import settings_from_environment
from service.worker import work


def worker(
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="Berhenti bila proses yang memulainya berakhir.")
    ] = False,
) -> None:
    """Menjalankan pekerjaan latar sampai dihentikan: pelatihan, webhook, dan penghapusan data lama."""
    settings = settings_from_environment()
    logs.configure(settings.log_level)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if with_parent:
        Thread(target=_stop_without, args=[os.getppid(), stop], daemon=True).start()
    else:
        say("Pekerja siap. Hentikan dengan Ctrl+C.")
    database = Database(settings.database)
    try:
        work(database, settings, stop)
    finally:
        database.close()


def _stop_without(parent: int, stop: Event) -> None:
    while os.getppid() == parent and not stop.wait(1.0):
        pass
    stop.set()
