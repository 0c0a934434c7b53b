"""Webhooks over HTTP: who may, what is answered, and what is shown only once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from live_service import free_port

from service.application import create_application
from service.database import keys
from service.database.database import Database
from service.database.webhooks import EVENTS, Event, enqueue
from service.settings import Settings
from service.webhooks import deliver_due

NOBODY = "http://127.0.0.1:9/aduan"


@dataclass
class Portals:
    """The service of two portals, without a release; `ours`, `theirs` and `weak` (no `admin`) are headers."""

    client: httpx.Client
    database: Database
    ours: dict[str, str]
    theirs: dict[str, str]
    weak: dict[str, str]

    def add(self, body: Any = None, **headers: str) -> httpx.Response:
        wanted = body or {"url": NOBODY, "events": ["suggestion.emergency", "suggestion.created"]}
        return self.client.post("/v1/webhooks", json=wanted, headers={**self.ours, **headers})

    def dead(self) -> list[Any]:
        """What could not be told after one message was tried once."""
        with self.database.begin() as connection:
            enqueue(connection, [Event("p", "suggestion.created", "s1", {"id": "s1"})])
        deliver_due(self.database, True, schedule=())
        found: list[Any] = self.client.get("/v1/webhooks/dead", headers=self.ours).json()["deliveries"]
        return found


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_application(settings), port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def portals(database: Database, database_url: str, tmp_path: Path) -> Iterator[Portals]:
    headers = []
    for portal, scope in (("p", "admin"), ("lain", "admin"), ("p", "suggest")):
        with database.begin() as connection:
            _, secret = keys.create(connection, portal, "uji", [scope])
        headers.append({"Authorization": f"Bearer {secret}"})
    settings = Settings(home=tmp_path / "home", database_url=database_url, webhook_private=True)
    with served(settings) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield Portals(client, database, *headers)


def test_the_secret_is_shown_once_and_the_webhook_is_listed_for_its_portal_alone(portals: Portals) -> None:
    added = portals.add()
    assert added.status_code == 201
    made = added.json()
    assert made.pop("secret").startswith("whsec_")
    assert made["events"] == ["suggestion.created", "suggestion.emergency"]
    assert portals.client.get("/v1/webhooks", headers=portals.ours).json() == {"webhooks": [made]}
    assert portals.client.get("/v1/webhooks", headers=portals.theirs).json() == {"webhooks": []}


def test_another_portal_or_a_key_without_the_scope_reaches_nothing(portals: Portals) -> None:
    webhook = portals.add().json()["id"]
    delivery = portals.dead()[0]["id"]
    calls = [
        ("GET", "/v1/webhooks", 200),
        ("GET", "/v1/webhooks/dead", 200),
        ("DELETE", f"/v1/webhooks/{webhook}", 404),
        ("POST", f"/v1/webhooks/deliveries/{delivery}/replay", 404),
    ]
    others = (portals.theirs, portals.weak, {})
    for method, path, for_others in calls:
        answers = [portals.client.request(method, path, headers=headers) for headers in others]
        assert [answer.status_code for answer in answers] == [for_others, 403, 401], path
        assert not any(secret in answer.text for answer in answers for secret in ("s1", NOBODY)), path
    wanted = {"url": NOBODY, "events": list(EVENTS)}
    assert portals.client.post("/v1/webhooks", json=wanted, headers=portals.weak).status_code == 403
    assert len(portals.client.get("/v1/webhooks", headers=portals.ours).json()["webhooks"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://169.254.169.254/latest", "events": ["suggestion.created"]},
        {"url": "https://admin:sandi@127.0.0.1/", "events": ["suggestion.created"]},
        {"url": "bukan alamat", "events": ["suggestion.created"]},
        {"url": "https://127.0.0.1/\x00", "events": ["suggestion.created"]},
        {"url": NOBODY, "events": ["suggestion.deleted"]},
        {"url": NOBODY, "events": []},
        {"url": NOBODY},
    ],
)
def test_what_cannot_be_a_webhook_is_refused_as_a_problem(portals: Portals, body: Any) -> None:
    answer = portals.add(body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "sandi@" not in answer.text
    assert portals.client.get("/v1/webhooks", headers=portals.ours).json() == {"webhooks": []}


def test_adding_again_under_the_same_idempotency_key_adds_nothing(portals: Portals) -> None:
    first, second = (portals.add(**{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len(portals.client.get("/v1/webhooks", headers=portals.ours).json()["webhooks"]) == 1


def test_what_did_not_arrive_is_listed_and_sent_again(portals: Portals) -> None:
    webhook = portals.add().json()["id"]
    (lost,) = portals.dead()
    assert (lost["state"], lost["subject"], lost["attempts"], lost["endpoint_id"]) == ("dead", "s1", 1, webhook)
    path = f"/v1/webhooks/deliveries/{lost['id']}/replay"
    again = portals.client.post(path, headers=portals.ours)
    assert again.status_code == 202
    assert [(d["message_id"], d["state"]) for d in again.json()["deliveries"]] == [(lost["message_id"], "pending")]
    assert portals.client.post(path, headers=portals.ours).status_code == 409
    assert portals.client.get("/v1/webhooks/dead", headers=portals.ours).json() == {"deliveries": []}


def test_a_removed_webhook_is_gone(portals: Portals) -> None:
    webhook = portals.add().json()["id"]
    answers = [portals.client.delete(f"/v1/webhooks/{webhook}", headers=portals.ours) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 404]
    assert portals.client.delete("/v1/webhooks/ep%00", headers=portals.ours).status_code == 422
