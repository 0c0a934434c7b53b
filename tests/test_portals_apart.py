"""Two portals in one service: with a key of the one, every call of the description is tried on what is the other's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import LAMP, Service, serving
from sqlalchemy import select, update

from router_model.registry import champions
from service.database.schema import schema, webhook_deliveries

TREE = "Pohon tumbang menutup gapura Beringin Kembar sejak kemarin"
ACCOUNT = "petugas-besar"
KEY = "kunci-besar"
PORTAL = "kota-besar"
NO_ID = {
    "text", "title", "channel", "received_at", "location", "report_type", "chosen_agency", "anonymous",
    "confidential", "agency", "category", "urgency", "reason", "url", "events", "file", "name", "description",
    "address_string", "address_id", "lat", "long", "route", "dry_run", "most", "start_date", "end_date", "status",
    "sender",
}  # fmt: skip
"""Parameters and fields that name nothing that a portal keeps. A new one that does belongs in `Theirs.values`."""
VALID: Mapping[str, Any] = {
    "text": LAMP,
    "agency": "Dinas Perhubungan",
    "reason": "uji",
    "url": "http://127.0.0.1:9/uji",
    "events": ["suggestion.created"],
    "description": LAMP,
    "file": ("uji.csv", f"text,agency\n{LAMP},Dinas Perhubungan\n", "text/csv"),
}
NAMED_IN_BODY = {("/v1/dispositions", "suggestion_id"), ("/v1/trainings", "datasets")}
FOR_OPERATORS = {"/livez", "/readyz", "/metrics", "/open311/v2/discovery.json"}
"""They need no key, and name portals and releases, but nothing that was asked."""


@dataclass(frozen=True)
class Theirs:
    """What the other portal has: a value for each parameter and field that could reach it, and words that only its
    rows, or only its folder and releases, hold."""

    values: Mapping[str, tuple[Any, ...]]
    rows: frozenset[str]
    portal: frozenset[str]


@dataclass(frozen=True)
class Attempt:
    """One request with `value` in the place of `name`; `route` is the path as it is described."""

    method: str
    route: str
    path: str
    name: str
    value: Any
    request: Mapping[str, Any]


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url, webhook_private=True) as started:
        yield started


@pytest.fixture
def theirs(service: Service, towns: Path) -> Theirs:
    """One of everything that the second portal can have."""

    def post(path: str, **sent: Any) -> dict[str, Any]:
        answer = service.big.post(path, **sent)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    hook = post("/v1/webhooks", json={"url": "http://127.0.0.1:9/gapura", "events": ["suggestion.created"]})
    asked = [
        post("/v1/suggestions", json={"text": TREE, "external_id": f"GAPURA-{turn}"}, headers=headers)
        for turn, headers in enumerate(({"Idempotency-Key": KEY}, {}, {}))
    ]
    disposed = {"agency": "Dinas Pertamanan", "external_id": "GAPURA-0", "by": ACCOUNT, "reason": "gapura roboh"}
    disposition = post("/v1/dispositions", json=disposed)
    post(f"/v1/review/{asked[1]['id']}/skip", json={"reason": "bukan gapura", "by": ACCOUNT})
    assert service.big.get("/v1/review/next", params={"by": ACCOUNT}).json()["item"]
    file = ("gapura.csv", f"text,agency\n{TREE},Dinas Pertamanan\n", "text/csv")
    dataset = post("/v1/datasets", files={"file": file})
    training = post("/v1/trainings", json={"datasets": [dataset["id"]], "reason": "gapura"})
    with service.database.begin() as connection:
        connection.execute(update(webhook_deliveries).values(state="dead"))
        delivery, message = connection.execute(
            select(webhook_deliveries.c.id, webhook_deliveries.c.message_id).limit(1)
        ).one()
    asked_ids, release = tuple(kept["id"] for kept in asked), champions(towns)[PORTAL]
    values: dict[str, tuple[Any, ...]] = {
        "suggestion_id": asked_ids,
        "external_id": ("GAPURA-0", "GAPURA-1"),
        "complaints": tuple([{"text": LAMP, "external_id": f"GAPURA-{turn}"}] for turn in range(2)),
        "service_request_id": asked_ids,
        "token_id": asked_ids,
        "service_code": ("pohon",),
        "dataset_id": (dataset["id"],),
        "datasets": ([dataset["id"]],),
        "training_id": (training["id"],),
        "release_id": (release,),
        "webhook_id": (hook["id"],),
        "delivery_id": (delivery, message, hook["id"]),
        "jurisdiction_id": (PORTAL,),
        "Idempotency-Key": (KEY,),
        "by": (ACCOUNT,),
        "refused_by": ("Dinas Pertamanan", "pertamanan"),
        "before": (10_000,),
        "api_key": ("",),
    }
    ids = {*asked_ids, disposition["id"], dataset["id"], training["id"], hook["id"], delivery, message}
    words = {"gapura", "GAPURA", "Beringin", ACCOUNT, hook["secret"]}
    return Theirs(values, frozenset(ids | words), frozenset({release, PORTAL, "Dinas Pertamanan", "pertamanan"}))


def attempts(description: Mapping[str, Any], theirs: Theirs) -> Iterator[Attempt]:
    """Every call with nothing of theirs, where it can be made so, and with each of their values in each place."""
    for path, calls in description["paths"].items():
        for method, call in calls.items():
            parameters = {item["name"]: item["in"] for item in call.get("parameters", [])}
            kind, fields = body_of(call, description)
            places = {**parameters, **dict.fromkeys(fields, kind)}
            unknown = places.keys() - theirs.values.keys() - NO_ID
            assert not unknown, f"{method} {path}: may {unknown} name what belongs to another portal?"
            in_path = [name for name, place in parameters.items() if place == "path"]
            valid = {name: VALID[name] for name in fields if name in VALID}
            if not in_path:
                yield Attempt(method, path, path, "", "", sent({}, valid, kind))
            for name, place in places.items():
                for value in theirs.values.get(name, ()):
                    filled = path
                    for other in in_path:
                        filled = filled.replace(
                            f"{{{other}}}", str(theirs.values[other][0] if other != name else value)
                        )
                    given = {place: {name: value}} if place in {"query", "header"} else {}
                    body = {**valid, name: value} if place == kind else valid
                    yield Attempt(method, path, filled, name, value, sent(given, body, kind))


def body_of(call: Mapping[str, Any], description: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The kind of body that a call takes, and the names of its fields."""
    content = call.get("requestBody", {}).get("content", {})
    for media, told in content.items():
        for found in told["schema"].get("anyOf", [told["schema"]]):
            if "$ref" in found:
                schema_name = found["$ref"].rpartition("/")[2]
                return media, list(description["components"]["schemas"][schema_name]["properties"])
    return "", []


def sent(given: Mapping[str, Mapping[str, Any]], body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    request: dict[str, Any] = {"params": given.get("query"), "headers": given.get("header")}
    if kind == "application/json":
        request["json"] = body
    elif kind:
        request["data"] = {name: value for name, value in body.items() if name != "file"}
        request["files"] = {"file": body["file"]} if "file" in body else None
    return request


def rows_of(service: Service, registry: Path) -> dict[str, list[str]]:
    """Everything the second portal has."""
    with service.database.connect() as connection:
        found = {
            table.name: sorted(
                json.dumps(tuple(row), default=str)
                for row in connection.execute(select(table).where(table.c.portal == PORTAL))
            )
            for table in schema.sorted_tables
        }
    return {**found, "in force": [champions(registry)[PORTAL]]}


def test_no_call_with_a_key_of_one_portal_shows_or_changes_what_is_of_another(
    service: Service, theirs: Theirs, towns: Path
) -> None:
    before = rows_of(service, towns)
    assert all(before[name] for name in ("suggestions", "dispositions", "skips", "datasets", "jobs", "repeats"))
    tried = set()
    for attempt in attempts(service.app.openapi(), theirs):
        answer = service.small.request(attempt.method, attempt.path, **attempt.request)
        told = f"{attempt.method} {attempt.path} {attempt.name}={attempt.value}: {answer.status_code} {answer.text}"
        assert answer.status_code < 500, told
        hidden = theirs.rows if attempt.path in FOR_OPERATORS else theirs.rows | theirs.portal
        asked = f"{attempt.path} {attempt.value}"
        assert not [word for word in hidden if word in answer.text and word not in asked], told
        if "{" in attempt.route or (attempt.route, attempt.name) in NAMED_IN_BODY:
            # The key that the other portal used is ours too, and we have used it by then.
            assert answer.status_code == 404 or (attempt.name == "Idempotency-Key" and answer.status_code == 422), told
        tried.add(attempt.name)
    assert tried == {"", *theirs.values}
    assert rows_of(service, towns) == before


def test_each_value_that_was_tried_does_reach_its_owner(service: Service, theirs: Theirs) -> None:
    def reached(path: str, **params: str) -> httpx.Response:
        return service.big.get(path, params=params)

    for path in (
        *(f"/v1/suggestions/{value}" for value in theirs.values["suggestion_id"]),
        *(f"/v1/{kind}s/{theirs.values[f'{kind}_id'][0]}" for kind in ("training", "release")),
        f"/open311/v2/requests/{theirs.values['token_id'][0]}.json",
        "/open311/v2/services/pohon.json",
    ):
        assert reached(path).status_code == 200, path
    for path, name in (
        ("/v1/datasets", "dataset_id"), ("/v1/webhooks", "webhook_id"), ("/v1/webhooks/dead", "delivery_id"),
    ):  # fmt: skip
        assert str(theirs.values[name][0]) in reached(path).text
    assert reached("/v1/review/next", by=ACCOUNT).json()["item"]["id"] in theirs.values["suggestion_id"]
    assert ACCOUNT not in reached("/v1/audit", before="1").text
    again = service.big.post("/v1/suggestions", json={"text": TREE, "external_id": "GAPURA-0"})
    assert (again.status_code, again.json()["id"]) == (200, theirs.values["suggestion_id"][0])
