"""The queue of those who review: who gets what, for how long, and whose answer counts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import LAMP, RUBBISH, Service, problem, serving
from sqlalchemy import insert, update

from service.database import review
from service.database.database import Database
from service.database.dispositions import Chosen, NoSuchSuggestionError
from service.database.keys import hashed
from service.database.review import LEASE, NotYoursError, Waiting
from service.database.schema import api_keys, suggestions

NOW = datetime.now(UTC)
LATER = NOW + LEASE + timedelta(seconds=1)
LIGHTS = Chosen("dishub", by="luh")
PORTAL = "kota-kecil"


@pytest.fixture
def queue(database: Database) -> Database:
    """Twelve complaints: the second one raised as an emergency, the others the less sure the later."""
    with database.begin() as connection:
        for number in range(12):
            route, priority = ("emergency", 1_000.0) if number == 1 else ("review", 100.0 + number / 100)
            connection.execute(insert(suggestions).values(**row(f"s{number}", route=route, priority=priority)))
    return database


def row(suggestion_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": suggestion_id,
        "portal": PORTAL,
        "request_hash": "",
        "asked_by": "kunci",
        "created_at": NOW,
        "channel": "",
        "state": "open",
        "agency": "dishub",
        "category": "lampu",
        "complaint": "{}",
        "answer": "{}",
        **changed,
    }


def handed(database: Database, by: str, now: datetime = NOW, route: str = "") -> str:
    with database.begin() as connection:
        found = review.next_for(connection, PORTAL, by, route, now)
        return found.id if found else ""


def decide(database: Database, suggestion_id: str, by: str, agency: str = "dishub", now: datetime = NOW) -> bool:
    with database.begin() as connection:
        chosen = Chosen(agency, by=by)
        return review.decide(connection, PORTAL, suggestion_id, chosen, by=by, who="key:1", now=now)[1]


def skip(database: Database, suggestion_id: str, by: str, now: datetime = NOW) -> None:
    with database.begin() as connection:
        review.skip(connection, PORTAL, suggestion_id, by=by, who="key:1", reason="bukan bidang saya", now=now)


def undo(database: Database, suggestion_id: str, by: str, now: datetime = NOW) -> None:
    with database.begin() as connection:
        review.undo(connection, PORTAL, suggestion_id, by=by, who="key:1", now=now)


def test_emergencies_come_first_then_the_least_sure_and_a_route_can_be_chosen(queue: Database) -> None:
    assert [handed(queue, by) for by in ("luh", "made", "nyoman")] == ["s1", "s11", "s10"]
    assert handed(queue, "ketut", route="emergency") == ""
    assert handed(queue, "ketut", route="review") == "s9"


def test_asking_again_gives_the_same_until_it_is_answered(queue: Database) -> None:
    assert [handed(queue, "luh") for _ in range(3)] == ["s1"] * 3
    decide(queue, "s1", "luh")
    assert handed(queue, "luh") == "s11"


def test_many_reviewers_at_once_never_get_the_same(queue: Database) -> None:
    def take(number: int) -> str:
        return handed(queue, f"petugas-{number}", datetime.now(UTC))

    with ThreadPoolExecutor(12) as pool:
        taken = [found for found in pool.map(take, range(16)) if found]
    assert len(taken) == len(set(taken))
    # Who finds only what somebody else is just taking may go away with nothing; what is left is there at once.
    left = [handed(queue, f"nanti-{number}", datetime.now(UTC)) for number in range(12 - len(taken))]
    assert sorted(taken + left) == sorted(f"s{number}" for number in range(12))
    assert handed(queue, "terlambat", datetime.now(UTC)) == ""


def test_of_many_answers_at_once_the_first_wins(queue: Database) -> None:
    def answer(number: int) -> bool:
        try:
            return decide(queue, "s5", f"petugas-{number}")
        except NotYoursError:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(answer, range(8))) == 1


def test_what_somebody_holds_is_theirs_until_the_time_is_up(queue: Database) -> None:
    assert handed(queue, "luh") == "s1"
    for act in (decide, skip, undo):
        with pytest.raises(NotYoursError):
            act(queue, "s1", "made")
    assert handed(queue, "made", LATER) == "s1"
    with pytest.raises(NotYoursError):
        decide(queue, "s1", "luh", now=LATER)
    assert decide(queue, "s1", "made", now=LATER)
    with pytest.raises(NotYoursError):
        decide(queue, "s1", "luh", now=LATER)


def test_who_decided_may_correct_it_and_the_same_again_changes_nothing(queue: Database) -> None:
    handed(queue, "luh")
    assert [decide(queue, "s1", "luh", agency) for agency in ("dishub", "dishub", "pupr")] == [True, False, True]
    with pytest.raises(NotYoursError):
        decide(queue, "s1", "made", "dishub")


def test_what_was_skipped_comes_to_others_and_not_back(queue: Database) -> None:
    assert handed(queue, "luh") == "s1"
    skip(queue, "s1", "luh")
    assert handed(queue, "luh") == "s11"
    assert handed(queue, "made") == "s1"
    with pytest.raises(NotYoursError):
        skip(queue, "s1", "luh")


def test_a_decision_taken_back_is_with_the_same_person_again(queue: Database) -> None:
    handed(queue, "luh")
    decide(queue, "s1", "luh")
    with pytest.raises(NotYoursError):
        undo(queue, "s1", "made")
    undo(queue, "s1", "luh")
    assert handed(queue, "made") == "s11"
    assert handed(queue, "luh") == "s1"
    with pytest.raises(NotYoursError):
        undo(queue, "s1", "luh")


def test_a_skip_taken_back_is_with_the_same_person_again_unless_somebody_has_it(queue: Database) -> None:
    for complaint, holder in (("s1", ""), ("s1", "made")):
        assert handed(queue, "luh") == complaint
        skip(queue, complaint, "luh")
        assert handed(queue, holder) == complaint if holder else True
        undo(queue, complaint, "luh")
    assert handed(queue, "luh") == "s11"
    assert handed(queue, "made") == "s1"


def test_another_portal_has_no_part_in_it(queue: Database) -> None:
    with queue.begin() as connection:
        assert review.next_for(connection, "kota-lain", "luh", now=NOW) is None
        with pytest.raises(NoSuchSuggestionError):
            review.decide(connection, "kota-lain", "s1", LIGHTS, by="luh", who="key:1")
        assert review.stats(connection, "kota-lain", "luh", NOW).open == {}


def test_the_numbers_say_what_waits_and_what_was_done(queue: Database) -> None:
    handed(queue, "luh")
    handed(queue, "made")
    decide(queue, "s1", "luh")
    decide(queue, "s2", "luh", "pupr")
    decide(queue, "s3", "nyoman")
    undo(queue, "s3", "nyoman")
    with queue.connect() as connection:
        found = review.stats(connection, PORTAL, "luh", NOW, now=NOW)
        assert (dict(found.open), found.oldest, found.leased) == ({"review": 10}, NOW, 2)
        assert (found.decided, found.decided_by_me, found.accepted_by_me) == (2, 2, 1)
        assert review.stats(connection, PORTAL, "luh", datetime.now(UTC), now=LATER).decided == 0
        assert review.stats(connection, PORTAL, "luh", NOW, now=LATER).leased == 0


def test_an_empty_queue_hands_out_nothing(database: Database) -> None:
    with database.begin() as connection:
        found: Waiting | None = review.next_for(connection, PORTAL, "luh")
        assert found is None
        assert review.stats(connection, PORTAL, "luh", NOW).oldest is None


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
