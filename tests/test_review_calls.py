"""The review queue as portals ask for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import LAMP, RUBBISH, Service, problem, serving
from sqlalchemy import update

from service.database.keys import hashed
from service.database.schema import api_keys, suggestions


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


def test_the_queue_over_http_shows_the_masked_complaint_and_keeps_what_is_decided(service: Service) -> None:
    kept = service.asked(text="tolong 081338765210", external_id="Q-1", confidential=True)
    assert kept["route"] in {"review", "incomplete"}
    item = following(service.small, "luh")
    assert (item["id"], item["suggestion"]) == (kept["id"], kept)
    assert item["complaint"]["text"] == "tolong [TELEPON]"
    assert item["complaint"]["confidential"]
    made = service.small.post(
        f"/v1/review/{kept['id']}/decision", json={"agency": "dinas perhubungan", "urgency": "Tinggi", "by": "luh"}
    )
    assert made.status_code == 201
    told = {name: made.json()[name] for name in ("agency", "urgency", "by", "source", "external_id")}
    assert told == {
        "agency": "dinas-perhubungan", "urgency": "tinggi", "by": "luh", "source": "review", "external_id": "Q-1",
    }  # fmt: skip
    assert service.small.get("/v1/review/next", params={"by": "luh"}).json() == {"item": None}


def following(client: httpx.Client, by: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/review/next", params={"by": by}).json()["item"]
    return found


def test_review_over_http_from_skip_to_undo(service: Service) -> None:
    ids = {service.asked(text=text)["id"] for text in ("tolong", f"{RUBBISH} {LAMP}")}
    first = following(service.small, "luh")["id"]
    decision, by = f"/v1/review/{first}/decision", {"by": "made"}
    problem(service.small.post(decision, json={"agency": "Dinas Kebersihan", **by}), 409)
    unknown = {"agency": "rahasia", "category": "rahasia", "urgency": "rahasia", "report_type": "rahasia"}
    refused = service.small.post(decision, json={**unknown, "by": "luh"})
    assert [error["field"] for error in problem(refused, 422)["errors"]] == list(unknown)
    assert "rahasia" not in refused.text
    problem(service.small.post(f"/v1/review/{first}/skip", json={"by": "luh"}), 422)
    skipped = service.small.post(f"/v1/review/{first}/skip", json={"reason": "bukan bidang saya", "by": "luh"})
    assert (skipped.status_code, skipped.json()) == (200, {"id": first, "state": "open"})
    assert following(service.small, "luh")["id"] in ids - {first}
    assert following(service.small, "made")["id"] == first
    assert service.small.post(decision, json={"agency": "Dinas Kebersihan", **by}).status_code == 201
    stats = service.small.get("/v1/review/stats", params=by).json()
    assert (sum(stats["open"].values()), stats["leased"], stats["decided"], stats["decided_by_me"]) == (1, 1, 1, 1)
    undone = service.small.post(f"/v1/review/{first}/undo", json=by)
    assert (undone.status_code, following(service.small, "made")["id"]) == (200, first)
    problem(service.small.post("/v1/review/tidak-ada/undo", json=by), 404)


def test_who_gives_no_account_reviews_as_their_key(service: Service) -> None:
    service.asked(text="tolong")
    with service.with_scopes("review") as other:
        first = other.get("/v1/review/next").json()["item"]["id"]
        assert service.small.get("/v1/review/next").json() == {"item": None}
        problem(service.small.post(f"/v1/review/{first}/decision", json={"agency": "Dinas Kebersihan"}), 409)
        made = other.post(f"/v1/review/{first}/decision", json={"agency": "Dinas Kebersihan"})
        assert made.json()["by"].startswith("key:")


def test_a_key_whose_id_looks_like_a_phone_number_holds_its_lease(service: Service) -> None:
    service.asked(text="tolong")
    with service.with_scopes("review") as other:
        digest = hashed(other.headers["Authorization"].removeprefix("Bearer "))
        with service.database.begin() as connection:
            connection.execute(update(api_keys).where(api_keys.c.hash == digest).values(id="081234567890"))
        waiting = other.get("/v1/review/next").json()["item"]["id"]
        made = other.post(f"/v1/review/{waiting}/decision", json={"agency": "Dinas Kebersihan"})
        assert (made.status_code, made.json()["by"]) == (201, "key:081234567890")


def test_the_queue_of_one_route_still_brings_emergencies_first(service: Service) -> None:
    calm, danger = (service.asked(text=text)["id"] for text in ("tolong", f"{RUBBISH} {LAMP}"))
    with service.database.begin() as connection:
        for kept, route in ((calm, "prefill"), (danger, "emergency")):
            connection.execute(update(suggestions).where(suggestions.c.id == kept).values(route=route))

    def asked(by: str) -> str:
        found: str = service.small.get("/v1/review/next", params={"by": by, "route": "prefill"}).json()["item"]["id"]
        return found

    assert [asked("luh"), asked("made")] == [danger, calm]


def test_a_second_look_over_http_is_answered_with_what_was_said_and_changes_nothing(service: Service) -> None:
    kept = service.asked(text="tolong", external_id="Q-2")
    with service.database.begin() as connection:
        connection.execute(update(suggestions).values(looks=2))
    decision = f"/v1/review/{kept['id']}/decision"
    said = {"luh": "dinas-perhubungan", "made": "dinas-kebersihan", "ayu": "dinas-kebersihan"}
    for by, agency in said.items():
        refused = service.small.post(decision, json={"agency": agency, "by": "orang lain"})
        assert (by == "luh" and refused.status_code == 201) or problem(refused, 409)
        if by == "luh":
            service.small.post(f"/v1/review/{kept['id']}/undo", json={"by": "orang lain"})
            service.small.post(f"/v1/review/{kept['id']}/skip", json={"by": "orang lain", "reason": "uji"})
        assert following(service.small, by)["id"] == kept["id"]
        made = service.small.post(decision, json={"agency": agency, "by": by})
        assert (made.status_code, made.json()["agency"], made.json()["by"]) == (201, agency, by)
        assert service.small.post(decision, json={"agency": agency, "by": by}).status_code == 200
    assert service.small.get("/v1/review/next", params={"by": "luh"}).json() == {"item": None}
