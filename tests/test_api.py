"""The HTTP calls of a portal, against the served application, a real release and a real SQLite file."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_service import LiveService, running_service

from router_model.complaint import Complaint
from router_model.prediction import Ranked
from router_model.suggestion import Router
from service.store import Store
from service.wire import suggestion_body

LAMP = "Lampu penerangan jalan umum di depan sekolah mati sudah seminggu, gelap gulita kalau malam"
NIK, PHONE = "5171034507890002", "081338765210"
SHAPE = {
    "id", "external_id", "release", "portal", "agencies", "candidates", "category", "category_group", "urgency",
    "report_type", "route", "reasons", "deadline", "duplicates", "explanation", "personal_data",
}  # fmt: skip
ROUTES = {"auto", "prefill", "review", "emergency", "external", "incomplete"}
Keys = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, registry: Path) -> Iterator[LiveService]:
    with running_service(tmp_path_factory.mktemp("api"), registry) as service:
        yield service


@pytest.fixture(scope="module")
def keys(live: LiveService) -> Keys:
    """Headers of four keys: of the portal, of it without `suggest`, revoked, and of another portal."""
    store = Store(f"sqlite:///{live.home / 'aduan.db'}")
    made = {
        "good": store.create_key("denpasar", "uji", ["suggest"]),
        "review": store.create_key("denpasar", "meja", ["review"]),
        "revoked": store.create_key("denpasar", "lama", ["suggest"]),
        "foreign": store.create_key("badung", "tetangga", ["suggest"]),
    }
    store.revoke_key(made["revoked"][0].id)
    store.close()
    return {name: {"Authorization": f"Bearer {secret}"} for name, (_, secret) in made.items()}


@pytest.fixture(scope="module")
def client(live: LiveService) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live.url, trust_env=False, timeout=30) as opened:
        yield opened


def ask(client: httpx.Client, keys: Keys, body: Any, key: str = "good") -> httpx.Response:
    return client.post("/v1/suggestions", json=body, headers=keys[key])


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "errors"} <= body.keys()
    assert body["status"] == status
    return body


def test_a_complaint_gets_a_stored_suggestion_of_the_agreed_shape(client: httpx.Client, keys: Keys) -> None:
    answer = ask(client, keys, {"external_id": "A-1", "text": LAMP, "location": {"village": "Sidakarya"}})
    body = answer.json()
    assert answer.status_code == 201
    assert body.keys() >= SHAPE
    assert body["portal"] == "denpasar"
    assert body["route"] in ROUTES
    assert body["agencies"][0]["code"] == "dishub"
    assert [item["p"] for item in body["agencies"]] == sorted((i["p"] for i in body["agencies"]), reverse=True)
    assert 1 <= body["candidates"] <= len(body["agencies"])
    assert body["urgency"].keys() == {"level", "p", "reasons"}
    assert all(LAMP[item["start"] : item["end"]] == item["term"] for item in body["explanation"])
    assert client.get(f"/v1/suggestions/{body['id']}", headers=keys["good"]).json() == body


def test_a_category_that_is_sure_only_as_a_group_comes_with_the_group(router: Router) -> None:
    suggestion, portal = router.suggest(Complaint(LAMP)), router.portal
    parent = portal.category[portal.category[suggestion.categories[0].code].parent]
    body = suggestion_body(replace(suggestion, category_group=Ranked(parent.code, 0.9)), portal)
    assert body.category_group
    assert (body.category_group.code, body.category_group.name, body.category_group.p) == (
        parent.code,
        parent.name,
        0.9,
    )
    assert suggestion_body(replace(suggestion, category_group=None), portal).category_group is None


def test_the_same_complaint_under_the_same_number_gets_the_same_answer(client: httpx.Client, keys: Keys) -> None:
    first, again = (ask(client, keys, {"external_id": "A-2", "text": LAMP}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


def test_another_complaint_under_a_used_number_is_refused(client: httpx.Client, keys: Keys) -> None:
    ask(client, keys, {"external_id": "A-3", "text": LAMP})
    assert_problem(ask(client, keys, {"external_id": "A-3", "text": "Got depan toko mampet"}), 409)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer aduan_salah"}, {"Authorization": "Basic eDp5"}])
def test_without_a_valid_key_nothing_is_answered(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/v1/suggestions", json={"text": LAMP}, headers=headers)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("key", "status"), [("review", 403), ("revoked", 401), ("foreign", 403)])
def test_a_key_without_the_scope_a_revoked_one_and_a_foreign_one_are_refused(
    client: httpx.Client, keys: Keys, key: str, status: int
) -> None:
    assert_problem(ask(client, keys, {"text": LAMP}, key), status)
    assert_problem(client.get("/v1/taxonomy", headers=keys[key]), status)


def test_a_suggestion_is_read_only_with_a_key_of_its_portal(client: httpx.Client, keys: Keys) -> None:
    id_ = ask(client, keys, {"text": LAMP}).json()["id"]
    assert client.get(f"/v1/suggestions/{id_}", headers=keys["foreign"]).status_code in {403, 404}
    assert_problem(client.get("/v1/suggestions/tidak-ada", headers=keys["good"]), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "Jalan rusak parah sekali", "nama": "Ni Luh Rahasia"}, "nama"),
        ({"text": ""}, "text"),
        ({"title": "Rahasia tanpa isi"}, "text"),
        ({"text": "rahasia " * 2_000}, "text"),
        ({"text": ["rahasia"]}, "text"),
        ({"text": "rahasia", "location": {"nik": NIK}}, "location.nik"),
        ({"text": "rahasia", "received_at": "kemarin rahasia"}, "received_at"),
    ],
)
def test_a_faulty_body_is_refused_with_the_field_and_without_what_was_written(
    client: httpx.Client, keys: Keys, body: dict[str, Any], field: str
) -> None:
    answer = ask(client, keys, body)
    assert field in [error["field"] for error in assert_problem(answer, 422)["errors"]]
    assert not any(secret in answer.text.casefold() for secret in ("rahasia", "jalan rusak", NIK))


def test_every_refusal_is_a_problem_document(client: httpx.Client, keys: Keys) -> None:
    assert_problem(client.get("/v1/tidak-ada"), 404)
    assert_problem(client.delete("/v1/suggestions"), 405)
    broken = client.post("/v1/suggestions", content=b'{"text": "rahas', headers=keys["good"])
    assert_problem(broken, 422)
    assert "rahas" not in broken.text


def test_a_body_beyond_the_limit_is_refused_even_if_it_does_not_say_its_length(
    client: httpx.Client, keys: Keys
) -> None:
    body = json.dumps({"text": "x" * 3_000_000}).encode()
    assert_problem(client.post("/v1/suggestions", content=body, headers=keys["good"]), 413)
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    assert_problem(client.post("/v1/suggestions", content=pieces, headers=keys["good"]), 413)


def test_identity_and_phone_numbers_never_reach_the_database_file(
    client: httpx.Client, keys: Keys, live: LiveService
) -> None:
    said = f"hubungi {PHONE}, NIK {NIK}"
    fields = dict.fromkeys(("address", "village", "district"), said)
    body = {"external_id": "A-9", "title": said, "text": f"{LAMP}, {said}", "channel": PHONE, "location": fields}
    answer = ask(client, keys, body)
    assert answer.status_code == 201
    assert {item["kind"] for item in answer.json()["personal_data"]} == {"nik", "phone"}
    files = list(live.home.glob("aduan.db*"))
    stored = b"".join(path.read_bytes() for path in files)
    assert b"A-9" in stored
    assert NIK.encode() not in stored
    assert PHONE.encode() not in stored


def test_the_taxonomy_lists_every_label_an_answer_can_hold(client: httpx.Client, keys: Keys) -> None:
    taxonomy = client.get("/v1/taxonomy", headers=keys["good"]).json()
    answer = ask(client, keys, {"text": LAMP}).json()
    codes = {agency["code"] for agency in taxonomy["agencies"]}
    assert {a["code"] for a in answer["agencies"] if not a["code"].startswith("@")} <= codes
    assert {c["code"] for c in answer["category"]} <= {c["code"] for c in taxonomy["categories"]}
    assert [level["code"] for level in taxonomy["urgency"]] == ["darurat", "tinggi", "sedang", "rendah"]
