"""A lean HTTP client that keeps a service busy: many connections, prepared requests, no thinking in between."""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httptools
import numpy as np
import uvloop


@dataclass
class Measured:
    """`seconds` are the times of requests answered 2xx."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    broken: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], measured: Measured, until: float, done: asyncio.Future[None]) -> None:
        self._requests, self._measured, self._until, self._done = requests, measured, until, done

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if time.perf_counter() >= self._until:
            self._finish()
            return
        self._parser = httptools.HttpResponseParser(self)
        self._began = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._measured.statuses[status] += 1
        if status < 300:
            self._measured.seconds.append(time.perf_counter() - self._began)
        if self._parser.should_keep_alive():
            asyncio.get_running_loop().call_soon(self._send)
        else:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._measured.broken += 1
        self._finish()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
        self._transport.close()


async def _keep_one(host: str, port: int, requests: Iterator[bytes], measured: Measured, until: float) -> None:
    loop = asyncio.get_running_loop()
    while time.perf_counter() < until:
        done = loop.create_future()
        try:
            await loop.create_connection(lambda: _Connection(requests, measured, until, done), host, port)  # noqa: B023
        except OSError:
            measured.broken += 1
            await asyncio.sleep(0.05)
            continue
        await done


def load(host: str, port: int, requests: list[bytes], connections: int, seconds: float) -> Measured:
    """Keeps so many connections busy for so long; each sends its next request when the last one is answered."""
    measured, source = Measured(), cycle(requests)

    async def run() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(_keep_one(host, port, source, measured, until) for _ in range(connections)))

    uvloop.run(run())
    return measured


def post(path: str, key: str, body: object, host: str = "127.0.0.1") -> bytes:
    """A request as it travels."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def main() -> None:
    """Reads prepared requests (a JSON list of [path, body]) and prints what was measured, as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    requests = [post(path, asked.key, body) for path, body in json.loads(asked.requests.read_text("utf-8"))]
    found = load("127.0.0.1", asked.port, requests, asked.connections, asked.seconds)
    answered = len(found.seconds)
    quantiles = np.quantile(found.seconds, [0.5, 0.99]) * 1_000 if answered else (0.0, 0.0)
    json.dump(
        {
            "statuses": found.statuses,
            "broken": found.broken,
            "per_second": answered / asked.seconds,
            "p50_ms": round(float(quantiles[0]), 2),
            "p99_ms": round(float(quantiles[1]), 2),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
