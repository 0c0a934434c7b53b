"""Whatever is sent in whatever field, the service answers or refuses, and never breaks."""

import json
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_service import running_service
from served import LAMP, Service, problem, serving
from sqlalchemy import MetaData

any_text = st.text(st.characters(exclude_categories=()), max_size=200)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "location", "complaints", "agency", "reason"]) | any_text, inner)
    ),
    max_leaves=6,
)
often = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PLACE = ("address", "village", "district", "area_code")
COMPLAINT = ("external_id", "title", "text", "channel", "received_at", "report_type", "chosen_agency")
LABELS = ("agency", "category", "urgency", "report_type")
FREE = ("by", "reason")
REFUSED = {400, 404, 405, 409, 413, 422}
HOSTILE = {
    "surrogate": "\ud800",
    "nul": "\x00",
    "grows under NFKC": "ﷺ" * 9_999,
    "open tags": "<b>" * 3_000,
    "open scripts": "<script>" * 1_000,
    "digits": "1" * 9_999,
    "one-letter words": "a " * 4_999,
    "entities": "&" * 9_999,
    "nearly a megabyte": "lampu " * 160_000,
    "a megabyte": "x" * 1_000_000,
    "a megabyte of nothing": "\x00" * 1_000_000,
}


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


@pytest.fixture
def calls(service: Service) -> list[str]:
    """Every call that takes text, for complaints that exist."""
    waiting = service.asked(text="tolong")["id"]
    review = [f"/v1/review/{waiting}/{act}" for act in ("decision", "skip", "undo")]
    return ["/v1/suggestions", "/v1/suggestions/batch", "/v1/dispositions", "/v1/trainings", "/v1/webhooks", *review]


def send(service: Service, path: str, body: Any, **headers: bytes) -> httpx.Response:
    """Posts a body that httpx would not encode: lone surrogates and NaN travel as JSON text."""
    given_headers = {"Content-Type": b"application/json", **headers}
    return service.small.post(path, content=json.dumps(body).encode(), headers=given_headers)


def assert_answered(answer: httpx.Response) -> None:
    assert answer.is_success or answer.status_code in REFUSED, answer.text
    if not answer.is_success:
        problem(answer, answer.status_code)


@often
@given(data=st.data())
def test_any_text_in_any_field_of_a_complaint_is_answered_or_refused(service: Service, data: st.DataObject) -> None:
    drawn = data.draw(st.dictionaries(st.sampled_from([*COMPLAINT, *PLACE]), any_text, min_size=1))
    place = {name: text for name, text in drawn.items() if name in PLACE}
    body = {"text": LAMP, **{name: text for name, text in drawn.items() if name in COMPLAINT}, "location": place}
    assert_answered(send(service, "/v1/suggestions", body))
    assert send(service, "/v1/suggestions/batch", {"complaints": [body, body]}).status_code == 200


@often
@given(data=st.data())
def test_any_text_in_any_field_of_a_choice_is_answered_or_refused(
    service: Service, calls: list[str], data: st.DataObject
) -> None:
    drawn = data.draw(st.dictionaries(st.sampled_from([*LABELS, *FREE]), any_text, min_size=1))
    known = {"agency": "Dinas Perhubungan", **{name: text for name, text in drawn.items() if name in FREE}}
    waiting = next(path for path in calls if path.endswith("/decision"))
    named = data.draw(st.dictionaries(st.sampled_from(["suggestion_id", "external_id"]), any_text, max_size=1))
    for path, body in (
        (waiting, {"agency": "Dinas Perhubungan", **drawn}),
        (waiting, known),
        (waiting.replace("decision", "skip"), {name: drawn[name] for name in FREE if name in drawn}),
        ("/v1/dispositions", {**known, **drawn, "suggestion_id": waiting.split("/")[3]}),
        ("/v1/dispositions", {**known, **named}),
    ):
        assert_answered(send(service, path, body))


@often
@given(body=any_json)
def test_any_json_is_answered_or_refused_by_every_call(service: Service, calls: list[str], body: Any) -> None:
    for path in calls:
        assert_answered(send(service, path, body))


@pytest.mark.parametrize("name", ["\ud800", "rahasia sekali", "\x00", "x" * 10_000])
def test_a_field_that_is_no_name_is_refused_without_its_words(service: Service, calls: list[str], name: str) -> None:
    for path in calls:
        answer = send(service, path, {"text": LAMP, "complaints": [{"text": LAMP, name: 1}], name: 1})
        assert {error["field"] for error in problem(answer, 422)["errors"]} & {"?", "body"}, path
        assert name not in answer.text
    batch = send(service, "/v1/suggestions/batch", {"complaints": [{"text": LAMP, name: 1}]})
    assert [item["problem"]["errors"][0]["field"] in {"?", "body"} for item in batch.json()["items"]] == [True]


@often
@given(text=any_text.filter(bool), raw=st.binary(max_size=100))
def test_any_path_query_and_header_is_answered_or_refused(service: Service, text: str, raw: bytes) -> None:
    written = quote(text.encode("utf-8", "surrogatepass"), safe="")
    header = b"x" + bytes(byte for byte in raw if 0x20 < byte != 0x7F)
    for path in (
        f"/v1/suggestions/{written}",
        f"/v1/review/next?by={written}",
        f"/v1/review/next?route={written}",
        f"/v1/review/stats?by={written}",
    ):
        assert_answered(service.small.get(path, follow_redirects=True))
    for act, body in (("undo", {}), ("decision", {"agency": "Dinas Perhubungan"})):
        assert_answered(service.small.post(f"/v1/review/{written}/{act}", json=body, follow_redirects=True))
    assert_answered(send(service, "/v1/suggestions", {"text": LAMP}, **{"Idempotency-Key": header}))
    answer = service.small.get("/v1/taxonomy", headers={"Authorization": b"Bearer " + header})
    assert answer.status_code == 401


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_answered_or_refused(service: Service, calls: list[str], name: str) -> None:
    text = HOSTILE[name]
    chosen = {"agency": "Dinas Perhubungan", "suggestion_id": calls[-1].split("/")[3]}
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/v1/suggestions", {"text": text}),
        *(("/v1/suggestions", {"text": LAMP, field: text}) for field in ("title", "channel", "external_id")),
        ("/v1/suggestions", {"text": LAMP, "location": {"address": text}}),
        ("/v1/dispositions", {"agency": text, "suggestion_id": text}),
        *(("/v1/dispositions", {**chosen, field: text}) for field in (*LABELS[1:], *FREE)),
        *((path, {"agency": "Dinas Perhubungan", "reason": text}) for path in calls if path.endswith("decision")),
        *((path, {"reason": text}) for path in calls if path.endswith("skip")),
    ]
    for path, body in bodies:
        answer = send(service, path, body)
        assert_answered(answer)
        if len(text) > 100_000:
            assert answer.status_code in {413, 422}
        if not answer.is_success:
            assert text[:20] not in answer.text


def test_the_first_start_prints_keys_that_work(towns: Path, tmp_path: Path) -> None:
    with running_service(tmp_path / "home", towns) as service:
        headers = {"Authorization": f"Bearer {service.key}"}
        answer = httpx.post(f"{service.url}/v1/suggestions", json={"text": LAMP}, headers=headers, trust_env=False)
        assert answer.status_code == 201
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(timeout=30) in {0, -signal.SIGTERM}
        assert LAMP not in (service.home / "stderr.txt").read_text("utf-8")


def test_the_service_says_that_it_lives_and_is_ready(service: Service) -> None:
    assert service.small.get("/livez").json() == {"status": "ok"}
    ready = service.small.get("/readyz")
    assert (ready.status_code, ready.json()["status"], ready.json()["refused"]) == (200, "ok", {})
    assert ready.json()["releases"].keys() == {"kota-kecil", "kota-besar"}


def test_a_broken_database_is_told_and_nothing_leaks(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with service.database.begin() as connection:
        schema = MetaData()
        schema.reflect(connection)
        schema.drop_all(connection)
    with caplog.at_level(logging.DEBUG):
        answer = service.small.post("/v1/suggestions", json={"text": LAMP})
    assert answer.status_code in {500, 503}
    problem(answer, answer.status_code)
    assert answer.headers["X-Request-ID"]
    assert not any(LAMP in str(vars(record)) for record in caplog.records)
    ready = service.small.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "tidak siap")
    assert service.small.get("/livez").status_code == 200
