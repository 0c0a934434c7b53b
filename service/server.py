"""The process that serves: uvicorn with its workers, and the background worker beside them.

Started by `aduan serve` in place of itself, so that nothing is loaded that only training needs.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import uvicorn

from service.first_run import invitation
from service.logs import logging_configuration
from service.settings import METRICS_VARIABLE, settings_from_environment

RESTART_SECONDS = 5.0
STOP_SECONDS = 20.0


def command(host: str, port: int, workers: int, background: bool) -> list[str]:
    """What to run in place of this process."""
    options = ["--host", host, "--port", str(port), "--workers", str(workers)]
    return [sys.executable, "-m", "service.server", *options, *(["--background"] if background else [])]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--background", action="store_true")
    asked = parser.parse_args()
    settings = settings_from_environment()
    metrics = settings.home / "run" / "metrics"
    count_anew(metrics)
    os.environ[METRICS_VARIABLE] = str(metrics)
    if invited := invitation(settings, asked.host, asked.port):
        # Not in the log, which may be sent elsewhere: whoever opens the address becomes the admin.
        sys.stderr.write(f"Belum ada pengguna. Buat admin pertama di: {invited}\n")
        sys.stderr.flush()
    with _background_worker(asked.background):
        uvicorn.run(
            "service.application:application",
            factory=True,
            host=asked.host,
            port=asked.port,
            workers=asked.workers,
            server_header=False,
            access_log=False,
            log_config=logging_configuration(settings.log_level),
            timeout_graceful_shutdown=int(settings.most_seconds) + 1,
            timeout_keep_alive=30,
            timeout_worker_healthcheck=60,
        )


def count_anew(folder: Path) -> None:
    """Counters of several processes meet in files; those of the last start are of no use."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@contextmanager
def _background_worker(wanted: bool) -> Iterator[None]:
    """Keeps `aduan worker` running; it ends with this process."""
    if not wanted:
        yield
        return
    stopping = Event()
    thread = Thread(target=_keep_running, args=[stopping], name="background")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _keep_running(stopping: Event) -> None:
    aduan = Path(sys.executable).with_name("aduan")
    environment = {name: value for name, value in os.environ.items() if name != METRICS_VARIABLE}
    while not stopping.is_set():
        worker = subprocess.Popen([aduan, "worker", "--with-parent"], env=environment)  # noqa: S603
        while worker.poll() is None and not stopping.wait(0.2):
            pass
        if worker.poll() is None:
            worker.terminate()
            try:
                worker.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
        else:
            stopping.wait(RESTART_SECONDS)


if __name__ == "__main__":
    main()
