"""What the documents say works: their calls are made, their settings, routes and files exist."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import openpyxl
import pytest
from live_service import LiveService, running_service
from publisher import copy_release
from standardwebhooks import Webhook

from router_model.registry import champions, promote
from service.application import create_application
from service.database.database import Database
from service.metrics import Metrics
from service.problems import STATUSES
from service.settings import Settings

ROOT = Path(__file__).parents[1]
API, INTEGRATION, OPERATOR = (ROOT / "docs" / f"{name}.md" for name in ("api", "integration", "operator"))
THREATS, README, CLIENT = ROOT / "docs/threat-model.md", ROOT / "README.md", ROOT / "docs/examples/aduan_client.py"
OLD = "denpasar-20200101-00000000"
SECRET = "whsec_" + "QWR1YW4gdWppIGNvYmEgdGFuZGEgdGFuZ2FuIQ=="
BODY = b'{"type":"suggestion.created","data":{"id":"s-1"}}'
needs_shell = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "jq"))), reason="the calls are written for bash, curl and jq"
)


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def cells(document: Path, heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its header."""
    section = document.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, registry: Path) -> Iterator[LiveService]:
    """A service with two releases, whose webhooks may stay on this machine."""
    folder = tmp_path_factory.mktemp("documents")
    own = Path(shutil.copytree(registry, folder / "registry"))
    release = champions(own)["denpasar"]
    promote(own, copy_release(own / release, own, OLD, created_at="2020-01-01T00:00:00Z"))
    environment = {"ADUAN_WEBHOOK_PRIVATE": "1", "ADUAN_SECRET": ""}
    with running_service(folder / "home", own, environment=environment) as service:
        yield service


def run_as_written(script: str, live: LiveService, folder: Path) -> None:
    """Runs commands of a document against the service; an answer that is an error ends them."""
    script = script.replace("http://127.0.0.1:8000", live.url)
    script = script.replace("https://portal.example.go.id", "http://127.0.0.1:9")
    strict = 'set -euo pipefail\ncurl() { command curl --fail-with-body --show-error --max-time 60 "$@"; }\n'
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {"ADUAN_HOME": str(live.home), "PATH": path, "NO_PROXY": "*", "KUNCI": live.key, "KUNCI_ADMIN": live.key}
    environment = {**os.environ, **given, "ADUAN_DATABASE_URL": ""}
    done = subprocess.run(
        ["bash", "-c", strict + script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@needs_shell
def test_every_call_of_the_api_guide_is_answered(live: LiveService, tmp_path: Path) -> None:
    run_as_written("\n".join(blocks(API, "sh")), live, tmp_path)


@needs_shell
def test_the_call_of_the_readme_is_answered(live: LiveService, tmp_path: Path) -> None:
    (call,) = (block for block in blocks(README, "sh") if "curl" in block)
    run_as_written(call, live, tmp_path)


@needs_shell
def test_an_export_is_fed_back_as_the_integration_guide_says(live: LiveService, denpasar: Path, tmp_path: Path) -> None:
    (tmp_path / "portal-kami").symlink_to(denpasar)
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(["Tracking ID", "Tanggal Laporan Masuk", "Nama Pelapor", "Isi Laporan Awal", "Instansi Terdisposisi"])
    for number in range(4):
        text = f"Lampu jalan di gang {number} mati sejak {number + 2} hari yang lalu"
        sheet.append([f"70{number}", "12 Nov 2024", "Nama Rekaan", text, "Dinas Perhubungan Kota Denpasar"])
    workbook.save(tmp_path / "ekspor-lapor.xlsx")
    run_as_written("\n".join(blocks(INTEGRATION, "sh")), live, tmp_path)


def test_every_call_is_in_the_api_guide_and_none_that_does_not_exist(tmp_path: Path) -> None:
    paths = create_application(Settings(home=tmp_path)).openapi()["paths"]
    real = {f"{method.upper()} {path}" for path, calls in paths.items() for method in calls}
    listed = re.findall(r"`((?:GET|POST|DELETE) /[^`]+)`", " ".join(map(str, cells(API, "Semua panggilan"))))
    assert sorted(listed) == sorted(real)


def test_every_status_that_the_service_describes_is_explained(tmp_path: Path) -> None:
    paths = create_application(Settings(home=tmp_path)).openapi()["paths"]
    described = {
        int(status)
        for calls in paths.values()
        for call in calls.values()
        for status in call["responses"]
        if status != "4XX"
    }
    explained = {int(status) for row in cells(API, "Kesalahan") for status in re.findall(r"\d{3}", row[0])}
    assert {status for status in described if status >= 400} | set(STATUSES.values()) <= explained


def test_every_setting_stands_in_the_operators_table_with_its_default() -> None:
    def written(value: object) -> str:
        number = int(value) if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()) else value
        return f"`{number}`" if str(number) else "kosong"

    told = {name.strip("`"): default for name, default, _ in cells(OPERATOR, "Pengaturan")}
    real = {f"ADUAN_{name.upper()}": written(field.default) for name, field in Settings.model_fields.items()}
    assert told == real


@pytest.mark.parametrize("document", [README, API, INTEGRATION, OPERATOR, THREATS], ids=lambda path: path.stem)
def test_no_document_names_a_setting_that_does_not_exist(document: Path) -> None:
    named = set(re.findall(r"\bADUAN_([A-Z_]*[A-Z])\b", document.read_text("utf-8")))
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


def test_every_metric_that_operators_are_told_to_watch_exists(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'aduan.db'}")) as database:
        measured = Metrics().render(database, {}).decode()
    known = {name for _, name in re.findall(r"^# (HELP|TYPE) (aduan_\w+)", measured, re.MULTILINE)}
    watched = set(re.findall(r"`(aduan_[a-z_]+)", OPERATOR.read_text("utf-8")))
    assert watched
    assert watched <= known


def test_every_module_and_test_that_the_threat_model_relies_on_exists() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", THREATS.read_text("utf-8")))
    assert len(named) > 20
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def signed(body: bytes, sent: datetime) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": f"v1,bukan {Webhook(SECRET).sign('msg_1', sent, body.decode())}",
    }


def _python(headers: Mapping[str, str], body: bytes) -> bool:
    (code,) = blocks(API, "python")
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102
    return bool(namespace["is_genuine"](SECRET, headers, body))


def _php(headers: Mapping[str, str], body: bytes) -> bool:
    (code,) = blocks(API, "php")
    call = "echo is_genuine($argv[1], json_decode($argv[2], true), $argv[3]) ? 'ya' : 'tidak';"
    php = shutil.which("php") or pytest.skip("no PHP here")
    script = f"{code.removeprefix('<?php')}\n{call}"
    done = subprocess.run([php, "-r", script, "--", SECRET, json.dumps(headers), body], capture_output=True, check=True)
    return done.stdout == b"ya"


@pytest.mark.parametrize("genuine", [_python, _php])
def test_the_examples_tell_a_genuine_webhook_from_another(genuine: Callable[[Mapping[str, str], bytes], bool]) -> None:
    now = datetime.now(UTC)
    assert genuine(signed(BODY, now), BODY)
    assert not genuine(signed(BODY, now), BODY.replace(b"s-1", b"s-2"))
    assert not genuine(signed(BODY, now - timedelta(hours=1)), BODY)
    assert not genuine({**signed(BODY, now), "webhook-id": "msg_2"}, BODY)
    assert not genuine({}, BODY)


@pytest.fixture(scope="module")
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("aduan_client", CLIENT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_client_asks_and_tells_what_was_chosen(live: LiveService, client: ModuleType) -> None:
    with client.Aduan(live.url, live.key) as aduan:
        text = "Lampu jalan di depan balai banjar mati sejak Senin, gelap"
        saran = aduan.suggest({"external_id": "KLIEN-1", "text": text})
        assert saran["external_id"] == "KLIEN-1"
        kept = aduan.dispose("KLIEN-1", agency=saran["agencies"][0]["code"], by="disposisi01")
        assert (kept["outcome"], kept["by"]) == ("accepted", "disposisi01")
        assert "agencies" in aduan.taxonomy()
        many = [
            {"external_id": f"KLIEN-B-{number}", "text": f"Sampah menumpuk di gang {number}"} for number in range(501)
        ]
        items = aduan.suggest_many([*many, {"text": ""}])
    assert [item["status"] for item in items] == [201] * 501 + [422]
    assert items[500]["suggestion"]["external_id"] == "KLIEN-B-500"


def test_the_example_client_tells_why_it_was_refused(live: LiveService, client: ModuleType) -> None:
    with client.Aduan(live.url, live.key) as aduan, pytest.raises(client.RefusedError, match="422") as refused:
        aduan.suggest({"text": "x", "nik": "1"})
    assert refused.value.problem["errors"][0]["field"] == "nik"


@contextmanager
def busy_service(refusals: list[tuple[int, str]]) -> Iterator[tuple[str, list[str]]]:
    """Refuses with each status and Retry-After in turn, then answers `{}`; lists the Idempotency-Key of each call."""
    left, keys = list(refusals), list[str]()

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            keys.append(self.headers["Idempotency-Key"])
            self.rfile.read(int(self.headers["Content-Length"]))
            status, wait = left.pop(0) if left else (200, "")
            self.send_response(status)
            if wait:
                self.send_header("Retry-After", wait)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", keys
        server.shutdown()
        thread.join()


def test_the_example_client_tries_again_under_the_same_key_when_it_is_told_to_wait(client: ModuleType) -> None:
    with busy_service([(429, "0"), (503, "0")]) as (url, keys), client.Aduan(url, "kunci") as aduan:
        assert aduan.suggest({"text": "Lampu mati"}) == {}
        assert aduan.suggest({"text": "Lampu mati"}) == {}
    assert len(keys) == 4
    assert len(set(keys[:3])) == 1
    assert keys[3] != keys[0]


@pytest.mark.parametrize(("refusals", "calls"), [([(500, "")], 1), ([(503, "3600")], 1), ([(503, "0")] * 3, 2)])
def test_the_example_client_gives_up_in_time(client: ModuleType, refusals: list[tuple[int, str]], calls: int) -> None:
    with busy_service(refusals) as (url, keys), client.Aduan(url, "kunci", attempts=2) as aduan:
        with pytest.raises(client.RefusedError):
            aduan.suggest({"text": "Lampu mati"})
        assert len(keys) == calls


def test_the_example_client_is_small_typed_and_needs_nothing_of_ours(tmp_path: Path) -> None:
    source = CLIENT.read_text("utf-8")
    assert len(source.splitlines()) < 150
    assert not re.search(r"^(?:from|import) (?:router_model|training|service)\b", source, re.MULTILINE)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", tmp_path, CLIENT],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
