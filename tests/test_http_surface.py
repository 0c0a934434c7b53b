"""What every answer of the service carries, whoever asks and whatever is sent."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_service import LiveService, running_service

from service.application import Settings, create_application

LAMP = "Lampu penerangan jalan umum di depan sekolah mati sudah seminggu, gelap gulita kalau malam"
any_text = st.text(st.characters(exclude_categories=()), max_size=300)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "location", "lat"]), inner),
    max_leaves=6,
)
often = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, registry: Path) -> Iterator[LiveService]:
    with running_service(tmp_path_factory.mktemp("surface"), registry) as service:
        yield service


@pytest.fixture(scope="module")
def client(live: LiveService) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.url, trust_env=False, timeout=30) as opened:
        yield opened


def send(client: httpx.Client, live: LiveService, body: Any) -> httpx.Response:
    """Posts a body that httpx would not encode: lone surrogates and NaN travel as JSON text."""
    headers = {"Authorization": f"Bearer {live.key}", "Content-Type": "application/json"}
    return client.post("/v1/suggestions", content=json.dumps(body).encode(), headers=headers)


def test_the_first_start_prints_a_key_that_works(client: httpx.Client, live: LiveService) -> None:
    assert send(client, live, {"text": LAMP}).status_code == 201


@often
@given(text=any_text)
def test_any_text_is_answered_or_refused_and_never_breaks_the_service(
    client: httpx.Client, live: LiveService, text: str
) -> None:
    assert send(client, live, {"text": text}).status_code in {201, 422}


@often
@given(body=any_json)
def test_any_json_is_answered_or_refused(client: httpx.Client, live: LiveService, body: Any) -> None:
    assert send(client, live, body).status_code in {201, 422}


@often
@given(title=any_text, address=any_text, village=any_text, district=any_text, number=any_text)
def test_any_place_and_title_are_answered_or_refused(
    client: httpx.Client, live: LiveService, title: str, address: str, village: str, district: str, number: str
) -> None:
    place = {"address": address, "village": village, "district": district}
    body = {"text": LAMP, "title": title, "external_id": number, "location": place}
    assert send(client, live, body).status_code in {200, 201, 409, 422}


@pytest.mark.parametrize(
    ("letters", "times"),
    [
        ("\ud800", 1),
        ("\x00", 1),
        ("ﷺ", 9_999),
        ("<b>", 3_000),
        ("<script>", 1_000),
        ("1", 9_999),
        ("a ", 4_999),
        ("&", 9_999),
    ],
    ids=["surrogate", "nul", "grows under NFKC", "open tags", "open scripts", "digits", "one-letter words", "entities"],
)
def test_hostile_text_is_answered_or_refused(client: httpx.Client, live: LiveService, letters: str, times: int) -> None:
    answer = send(client, live, {"text": letters * times})
    assert answer.status_code in {201, 422}


def test_one_complaint_sent_eight_times_at_once_is_stored_once(client: httpx.Client, live: LiveService) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(client, live, {"external_id": "serentak", "text": LAMP}), range(8)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/", "/openapi.json", "/tidak-ada", "/static/aduan.css"])
def test_every_answer_forbids_foreign_content_and_sniffing(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Request-ID"]


def test_a_sane_request_id_comes_back_and_another_is_replaced(client: httpx.Client) -> None:
    def answered(given_id: str) -> str:
        return str(client.get("/livez", headers={"X-Request-ID": given_id}).headers["X-Request-ID"])

    assert answered("lapor-2026.11_07") == "lapor-2026.11_07"
    strange = ("", "a" * 300, "<script>", "dua kata", "a;b=c")
    assert not {answered(given_id) for given_id in strange} & set(strange)


def test_the_service_says_that_it_lives_and_is_ready(client: httpx.Client) -> None:
    assert client.get("/livez").json()["status"] == "ok"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert ready.json()["release"].startswith("denpasar-")


def test_the_published_description_lists_every_call_with_an_example(client: httpx.Client, tmp_path: Path) -> None:
    described = client.get("/openapi.json").json()
    served = create_application(Settings(tmp_path, "sqlite://")).openapi()
    assert described["paths"].keys() == served["paths"].keys()
    agreed = {"/v1/suggestions", "/v1/suggestions/{suggestion_id}", "/v1/taxonomy", "/livez", "/readyz"}
    assert agreed <= described["paths"].keys()
    example_body = described["components"]["schemas"]["ComplaintIn"]["examples"][0]
    assert example_body["text"]
    answer = described["components"]["schemas"]["SuggestionOut"]["properties"]
    assert all(answer[field]["description"] for field in ("candidates", "category_group"))
    for path, methods in described["paths"].items():
        for method, call in methods.items():
            assert call.get("summary"), f"{method} {path} has no summary"
            if path.startswith("/v1/"):
                assert call.get("security"), f"{method} {path} does not say that it needs a key"


def test_the_published_example_is_accepted_as_it_stands(client: httpx.Client, live: LiveService) -> None:
    schema = client.get("/openapi.json").json()["components"]["schemas"]["ComplaintIn"]
    assert [send(client, live, body).status_code for body in schema["examples"]] == [201] * len(schema["examples"])


def test_a_broken_database_is_a_problem_document_with_an_id_and_does_not_leak(tmp_path: Path, registry: Path) -> None:
    with running_service(tmp_path, registry) as service:
        with closing(sqlite3.connect(service.home / "aduan.db")) as database:
            database.execute("DROP TABLE suggestions")
            database.commit()
        with httpx.Client(base_url=service.url, trust_env=False, timeout=30) as client:
            answer = send(client, service, {"text": LAMP})
            assert answer.status_code == 500
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            assert answer.headers["X-Request-ID"]
            assert LAMP not in answer.text
            assert LAMP not in (service.home / "stderr.txt").read_text("utf-8")
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(timeout=15) in {0, -signal.SIGTERM}
