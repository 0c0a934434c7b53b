"""A service of its own for a test: `aduan serve` as a child process, on a free port, with its own database."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

ADUAN = Path(sys.executable).with_name("aduan")
LONGEST_START = 180.0


@dataclass(frozen=True)
class LiveService:
    url: str
    home: Path
    key: str
    process: subprocess.Popen[bytes]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running_service(
    home: Path,
    registry: Path,
    database_url: str = "",
    *,
    background: bool = False,
    options: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[LiveService]:
    """Serves the releases in force of `registry`; everything else of the service lives in `home`. `key` is the one
    that the first start printed. With `background` the worker runs beside it. A home can be served again."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "registry").exists():
        (home / "registry").symlink_to(registry.resolve())
    port, said = free_port(), home / "stderr.txt"
    given = {"ADUAN_HOME": str(home), "ADUAN_DATABASE_URL": database_url, **environment}
    command = [ADUAN, "serve", "--port", str(port), "--background" if background else "--no-background", *options]
    with said.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env={**os.environ, **given})
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, said)
        key = re.search(r"aduan_[\w-]+", said.read_text("utf-8"))
        yield LiveService(url, home, key[0] if key else "", process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/readyz", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the service did not start:\n{said.read_text('utf-8')}")
