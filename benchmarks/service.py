"""What the served service bears, as ratios within one run: python -m benchmarks.service

The load comes from a process of its own (`benchmarks.load`). Compared are the same service with the model's answer
replaced by a constant, with the scikit-learn chain in place of our scorer, with predictions in a thread pool, with two
workers, with promotions under load, and with four times the requests at once that it lets in.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import joblib
import uvicorn
from fastapi import FastAPI

from benchmarks.killed import SAMPLE, sample_registry
from router_model.complaint import Complaint
from router_model.decoding import Decoder
from router_model.policy import Policy
from router_model.prediction import Evidence, Prediction
from router_model.registry import champion, champions, promote, rollback
from router_model.release import Release
from router_model.scorer import Scorer
from service import logs, serving
from service.application import create_application
from service.database import keys
from service.database.database import Database
from service.lane import Lane
from service.settings import METRICS_VARIABLE, settings_from_environment
from training.answered import FORWARD_FILE, read_answered
from training.publishing import publish_policy
from training.reading import read_rows
from training.thresholds import effect

CONNECTIONS = 32
BURST = 4 * 64
ALIVE_EVERY = 0.02
UNLIMITED = "100000000"
VARIANTS = {
    "": "as it is",
    "constant": "answer replaced by a constant",
    "chain": "scikit-learn chain in place of our scorer",
    "threads": "predictions in a thread pool in place of the event loop",
}


class ConstantScorer:
    """Answers every complaint with what it said to the first."""

    def __init__(self, scorer: Scorer) -> None:
        self._said = scorer.predict_explained(Complaint("lampu jalan di depan sekolah mati sudah seminggu"))

    def predict_explained(self, complaint: Complaint) -> tuple[Prediction, tuple[Evidence, ...]]:
        prediction, evidence = self._said
        return replace(prediction, complaint=complaint), evidence


class ChainScorer:
    """The fitted scikit-learn pipeline of the same release, in place of our scorer."""

    def __init__(self, scorer: Scorer, release: Release) -> None:
        self._pipeline = joblib.load(release.folder / "pipeline.joblib")
        arrays = scorer.arrays
        self._decoder = Decoder(arrays.classes, arrays.links, arrays.agreement)

    def predict_explained(self, complaint: Complaint) -> tuple[Prediction, tuple[Evidence, ...]]:
        scores = self._pipeline.predict([complaint])
        belief = self._decoder.beliefs(scores)[0]
        words = len(complaint.words.split())
        return Prediction(complaint, belief.answers, belief.category, words, words), ()


def application() -> FastAPI:
    """The service with the scorer that `BENCHMARK_SCORER` names; entry point for uvicorn."""
    make = {"constant": lambda scorer, _: ConstantScorer(scorer), "chain": ChainScorer}.get(
        os.environ.get("BENCHMARK_SCORER", "")
    )
    if make:
        _replace_scorer(make)
    if os.environ.get("BENCHMARK_SCORER") == "threads":
        Lane.run = _in_thread  # type: ignore[assignment,method-assign]
    logs.configure("info")
    return create_application(settings_from_environment())


async def _in_thread(_: Lane, act: Callable[..., Any], *args: Any) -> Any:
    return await asyncio.to_thread(act, *args)


def _replace_scorer(make: Callable[[Scorer, Release], Any]) -> None:
    true = serving.router_of

    def router_of(release: Release) -> Any:
        router = true(release)
        return replace(router, scorer=make(router.scorer, release))

    serving.router_of = router_of


@dataclass(frozen=True)
class Service:
    port: int
    key: str
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def memory(self) -> float:
        """Resident megabytes of the process and its children."""
        listed = subprocess.run(
            ["ps", "-o", "rss=", "--pid", str(self.process.pid), "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        )
        return sum(map(int, listed.stdout.split())) / 1024


@contextmanager
def running(registry: Path, scorer: str = "", workers: int = 1, **settings: str) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        (home / "registry").symlink_to(registry.resolve())
        (home / "metrics").mkdir()
        given = {name: value for name, value in os.environ.items() if not name.startswith("ADUAN_")}
        environment = {
            **given,
            "ADUAN_HOME": str(home),
            "ADUAN_REQUESTS_PER_MINUTE": UNLIMITED,
            METRICS_VARIABLE: str(home / "metrics"),
            "BENCHMARK_SCORER": scorer,
            **settings,
        }
        database = Database(f"sqlite:///{home / 'aduan.db'}")
        with database.begin() as connection:
            _, key = keys.create(connection, "denpasar", "bench", ["suggest"])
        database.close()
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.service", "--serve", str(port), "--workers", str(workers)]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            _until_ready(port)
            yield Service(port, key, home, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _until_ready(port: int) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


def loaded(service: Service, requests: Path, seconds: float, connections: int = CONNECTIONS) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.load", "--port", str(service.port), "--key", service.key]
    command += ["--requests", str(requests), "--seconds", str(seconds), "--connections", str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def asking_alive(port: int) -> Iterator[list[float]]:
    """Milliseconds that `/livez` took, asked all the time from one connection."""
    took: list[float] = []
    stop = Event()

    def ask() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            while not stop.wait(ALIVE_EVERY):
                began = time.perf_counter()
                client.get("/livez").raise_for_status()
                took.append((time.perf_counter() - began) * 1_000)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


@contextmanager
def promoting(registry: Path, first: str, second: str, every: float) -> Iterator[list[str]]:
    """Promotes and rolls back by turns; the list holds what was put in force."""
    acts: list[str] = []
    stop = Event()

    def turn() -> None:
        while not stop.wait(every):
            if len(acts) % 2 == 0:
                acts.append(promote(registry, second, reason="bench").release)
            else:
                acts.append(rollback(registry, "denpasar").release)

    thread = Thread(target=turn)
    thread.start()
    try:
        yield acts
    finally:
        stop.set()
        thread.join()
        promote(registry, first, reason="bench")


def told(name: str, found: Mapping[str, Any], base: float = 0.0) -> float:
    rate = float(found["per_second"])
    against = f", {rate / base:.2f} x" if base else ""
    print(
        f"{name}: {rate:.0f} requests a second{against}; p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms; "
        f"statuses {found['statuses']}, broken {found['broken']}"
    )
    return rate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--promoting", type=float, default=300, help="seconds of load with promotions")
    parser.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        uvicorn.run(
            "benchmarks.service:application",
            factory=True,
            port=asked.serve,
            workers=asked.workers,
            access_log=False,
            log_level="error",
        )
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        measure(folder, asked.seconds, asked.promoting)


def measure(folder: Path, seconds: float, promoting_seconds: float) -> None:
    registry = sample_registry(folder / "registry")
    first = champions(registry)["denpasar"]
    requests = folder / "requests.json"
    requests.write_text(json.dumps(_requests()), "utf-8")
    rates: dict[str, float] = {}
    for name in ("constant", "", "chain", "threads"):
        with running(registry, name) as service, asking_alive(service.port) as alive:
            loaded(service, requests, 5)
            alive.clear()
            rates[name] = told(VARIANTS[name], loaded(service, requests, seconds))
            print(f"  /livez under this load: p99 {_quantile(alive, 0.99):.1f} ms, longest {max(alive):.1f} ms")
    print(f"as it is / constant: {rates[''] / rates['constant']:.2f} (at least 0.5 is wanted)")
    print(f"as it is / scikit-learn chain: {rates[''] / rates['chain']:.1f} (at least 5 is wanted)")
    print(f"event loop / thread pool: {rates[''] / rates['threads']:.2f}")
    with running(registry, workers=2) as service:
        loaded(service, requests, 5, 2 * CONNECTIONS)
        two = told("two workers", loaded(service, requests, seconds, 2 * CONNECTIONS), rates[""])
    print(f"two workers / one: {two / rates['']:.2f} (at least 1.6 is wanted)")
    with running(registry) as service:
        before = service.memory
        told(f"{BURST} connections at once", loaded(service, requests, seconds, BURST))
        print(f"  memory before {before:.0f} MB, after {service.memory:.0f} MB")
        time.sleep(1)
        told("  one second later", loaded(service, requests, 5))
    if promoting_seconds:
        second = with_other_wishes(registry)
        with running(registry) as service, promoting(registry, first, second, 10) as acts:
            told(
                f"promoted or rolled back every 10 s for {promoting_seconds:.0f} s",
                loaded(service, requests, promoting_seconds),
            )
            print(f"  {len(acts)} changes of the release in force")


def with_other_wishes(registry: Path) -> str:
    """Another release with the same arrays, which is not in force."""
    opened = champion(registry)
    rows = read_answered(opened.folder / FORWARD_FILE)
    now = Policy.from_values(opened.manifest["policy"])
    wished = replace(now, precision_auto=0.96)
    return publish_policy(opened, wished, effect(wished, rows, frozenset()), registry)


def _requests() -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            "/v1/suggestions",
            {
                "text": row.get("text"),
                "title": row.get("title"),
                "channel": "web",
                "location": {"village": row.get("village"), "address": row.get("address")},
            },
        )
        for row in read_rows(SAMPLE / "complaints.csv")
    ]


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))] if values else 0.0


if __name__ == "__main__":
    main()
