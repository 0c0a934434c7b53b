"""What stands around every request: how large, how many, how long, how often, and what every answer carries."""

import asyncio
import json
import logging
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from half_sent import HalfSent, begin
from live_service import running_service
from served import LAMP, Service, problem, serving
from sqlalchemy import func, select

from service import problems
from service.around import SECURITY_HEADERS, Around
from service.database.connection import open_engine
from service.database.schema import suggestions
from service.metrics import Metrics
from service.settings import Settings

MOST_BODY = 50_000
PER_MINUTE = 6


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("around")


@pytest.fixture(scope="module")
def narrow(home: Path, towns: Path) -> Iterator[Service]:
    """One request at a time, and little in it."""
    limits = {"most_running": 1, "most_body": MOST_BODY}
    with serving(home / "narrow", towns, f"sqlite:///{home / 'narrow.db'}", **limits) as started:
        yield started


@pytest.fixture(scope="module")
def hasty(home: Path, towns: Path) -> Iterator[Service]:
    """One request at a time, each for a fifth of a second."""
    limits = {"most_running": 1, "most_seconds": 0.2}
    with serving(home / "hasty", towns, f"sqlite:///{home / 'hasty.db'}", **limits) as started:
        yield started


@pytest.fixture(scope="module")
def seldom(home: Path, towns: Path) -> Iterator[Service]:
    with serving(home / "seldom", towns, f"sqlite:///{home / 'seldom.db'}", requests_per_minute=PER_MINUTE) as started:
        yield started


def half_sent(service: Service, **complaint: Any) -> HalfSent:
    authorization = service.small.headers["Authorization"]
    return begin(service.url, authorization, "/v1/suggestions", {"text": LAMP, **complaint})


def in_pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 4_096):
        yield body[start : start + 4_096]


def test_a_body_beyond_the_limit_is_refused_even_if_it_does_not_say_its_length(narrow: Service) -> None:
    body = json.dumps({"text": "x" * MOST_BODY}).encode()
    for content in (body, in_pieces(body)):
        answer = narrow.small.post("/v1/suggestions", content=content)
        assert str(MOST_BODY) in problem(answer, 413)["detail"]
    fitting, json_type = json.dumps({"text": LAMP}).encode(), {"Content-Type": "application/json"}
    assert narrow.small.post("/v1/suggestions", content=in_pieces(fitting), headers=json_type).status_code == 201


def test_an_upload_may_be_larger_than_another_request(narrow: Service) -> None:
    rows = "".join(f"{LAMP} nomor {number},Dinas Perhubungan\n" for number in range(1_500))
    assert len(rows) > MOST_BODY
    file = ("a.csv", f"text,agency\n{rows}")
    answer = narrow.small.post("/v1/datasets", params={"dry_run": "true"}, files={"file": file})
    assert answer.status_code == 200, answer.text


def test_a_full_service_says_when_to_come_back_is_still_alive_and_finishes_what_it_began(narrow: Service) -> None:
    while narrow.small.get("/v1/taxonomy").status_code == 503:
        pass
    begun = half_sent(narrow)
    refused = narrow.small.get("/v1/taxonomy")
    assert problem(refused, 503)["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    for path in ("/livez", "/readyz", "/metrics"):
        assert narrow.small.get(path).status_code == 200
    assert begun.finish()[0] == 201
    assert narrow.small.get("/v1/taxonomy").status_code == 200


def test_a_request_that_takes_too_long_is_given_up_and_makes_room(hasty: Service) -> None:
    status, body, headers = half_sent(hasty).answer()
    assert (status, body["status"], headers["Content-Type"]) == (503, 503, "application/problem+json")
    assert headers["Retry-After"]
    assert headers["X-Request-ID"]
    assert hasty.small.get("/livez").status_code == 200
    # Were the first one still held to be running, every other would be refused as one too many.
    assert "terlalu lama" in half_sent(hasty).answer()[1]["detail"]


def asked_until_refused(client: httpx.Client) -> list[httpx.Response]:
    """At most two clock minutes are touched."""
    answers = [client.get("/v1/taxonomy")]
    while answers[-1].status_code == 200 and len(answers) <= 2 * PER_MINUTE:
        answers.append(client.get("/v1/taxonomy"))
    return answers


def test_a_key_that_asks_too_often_is_told_how_long_to_wait(seldom: Service) -> None:
    *answered, refused = asked_until_refused(seldom.small)
    problem(refused, 429)
    assert refused.headers["RateLimit-Limit"] == str(PER_MINUTE)
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(refused.headers["Retry-After"]) == int(refused.headers["RateLimit-Reset"]) <= 60
    assert [int(answer.headers["RateLimit-Remaining"]) for answer in answered][-1] == 0
    assert all(answer.headers["RateLimit-Limit"] == str(PER_MINUTE) for answer in answered)
    with seldom.with_scopes("suggest") as other:
        assert other.get("/v1/taxonomy").status_code == 200


def test_a_batch_counts_as_many_as_it_holds(seldom: Service) -> None:
    with seldom.with_scopes("suggest") as client:
        batch = {"complaints": [{"text": LAMP}] * PER_MINUTE}
        answers = [client.post("/v1/suggestions/batch", json=batch) for _ in range(3)]
        assert answers[0].status_code == 200
        # Of three, two are of one clock minute.
        problem(next(answer for answer in answers if answer.status_code != 200), 429)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/livez", 200), ("/", 200), ("/openapi.json", 200), ("/tidak-ada", 404), ("/static/aduan.css", 200),
        ("/v1/suggestions", 405), ("/v1/review/next", 401), ("/open311/v2/services.json", 403),
    ],
)  # fmt: skip
def test_every_answer_carries_an_id_and_forbids_foreign_content(narrow: Service, path: str, status: int) -> None:
    answer = httpx.get(f"{narrow.url}{path}", trust_env=False)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Request-ID"]
    assert (answer.headers.get("Cache-Control") == "no-store") != path.startswith("/static/")


def test_a_sane_request_id_comes_back_and_another_is_replaced(narrow: Service) -> None:
    def answered(given_id: str) -> str:
        return str(narrow.small.get("/livez", headers={"X-Request-ID": given_id}).headers["X-Request-ID"])

    assert answered("lapor-2026.11_07") == "lapor-2026.11_07"
    strange = ("", "a" * 300, "<script>", "dua kata", "a;b=c")
    assert not {answered(given_id) for given_id in strange} & set(strange)


def test_what_nobody_foresaw_is_a_problem_document_and_leaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(Around, settings=Settings(home=Path("tidak-dipakai")), metrics=Metrics())

    @app.get("/rusak")
    async def broken() -> None:
        raise LookupError(LAMP)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://uji") as client:
            return await client.get("/rusak")

    with caplog.at_level(logging.DEBUG):
        answer = asyncio.run(ask())
    problem(answer, 500)
    assert answer.headers["X-Request-ID"]
    assert LAMP not in answer.text
    told = [record for record in caplog.records if record.message == "unexpected"]
    assert [(vars(record)["error"], vars(record)["where"].split(":")[0]) for record in told] == [
        ("LookupError", "test_around")
    ]
    assert not any(LAMP in str(vars(record)) for record in caplog.records)


def test_a_service_that_is_told_to_stop_answers_and_keeps_what_it_had_begun(
    towns: Path, tmp_path: Path, database_url: str
) -> None:
    with running_service(tmp_path / "home", towns, database_url) as service:
        begun = [
            begin(service.url, f"Bearer {service.key}", "/v1/suggestions", {"text": LAMP, "external_id": f"S-{number}"})
            for number in range(8)
        ]
        service.process.send_signal(signal.SIGTERM)
        address = urlsplit(service.url)
        while listens(address.hostname or "", address.port or 0):
            time.sleep(0.01)
        answers = [request.finish() for request in begun]
        assert service.process.wait(timeout=60) in {0, -signal.SIGTERM}
    assert [status for status, _ in answers] == [201] * 8
    engine = open_engine(database_url)
    with engine.connect() as connection:
        kept = connection.execute(select(suggestions.c.id)).scalars().all()
        assert connection.scalar(select(func.count()).select_from(suggestions)) == 8
    engine.dispose()
    assert set(kept) == {body["id"] for _, body in answers}


def listens(host: str, port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((host, port)) == 0
