"""Whatever is sent again is answered as before and done once: at once from many sides, and after a restart."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import LAMP, RUBBISH, Service, problem, serving
from sqlalchemy import Table, func, select

from service.database.schema import audit_log, dispositions, repeats, skips, suggestions

Call = tuple[str, dict[str, Any]]


@pytest.fixture
def both(towns: Path, tmp_path: Path, database_url: str) -> Iterator[tuple[Service, Service]]:
    """The service twice, with one home and one database."""
    with serving(tmp_path / "home", towns, database_url) as one, serving(tmp_path / "home", towns, database_url) as two:
        yield one, two


def count(service: Service, table: Table) -> int:
    with service.database.connect() as connection:
        found: int = connection.scalar(select(func.count()).select_from(table)) or 0
        return found


def at_once(both: tuple[Service, Service], calls: list[Call], key: str = "") -> list[httpx.Response]:
    """Each call twelve times, from twelve sides to two services."""
    headers = {"Idempotency-Key": key} if key else {}

    def send(turn: int) -> list[httpx.Response]:
        ordered = calls if turn % 4 < 2 else calls[::-1]
        return [both[turn % 2].small.post(path, json=body, headers=headers) for path, body in ordered]

    with ThreadPoolExecutor(12) as pool:
        return [answer for answers in pool.map(send, range(12)) for answer in answers]


def acts(kept: dict[str, Any]) -> dict[str, Call]:
    """One of each POST that can be repeated, for a suggestion under review."""
    labels = {"agency": "Dinas Perhubungan"}
    return {
        "suggestion": ("/v1/suggestions", {"text": RUBBISH}),
        "batch": ("/v1/suggestions/batch", {"complaints": [{"text": RUBBISH}, {"text": ""}, {"text": LAMP}]}),
        "disposition": ("/v1/dispositions", {**labels, "suggestion_id": kept["id"]}),
        "decision": (f"/v1/review/{kept['id']}/decision", {**labels, "by": "luh"}),
        "skip": (f"/v1/review/{kept['id']}/skip", {"reason": "bukan bidang saya", "by": "luh"}),
    }


ACTS = ("suggestion", "batch", "disposition", "decision", "skip")


def test_one_complaint_sent_many_times_at_once_is_stored_once(both: tuple[Service, Service]) -> None:
    answers = at_once(both, [("/v1/suggestions", {"external_id": "R-1", "text": LAMP})])
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 11}
    assert len({answer.text for answer in answers}) == 1
    assert count(both[0], suggestions) == 1


def test_many_complaints_in_another_order_each_time_are_stored_once(both: tuple[Service, Service]) -> None:
    bodies = [{"external_id": f"R-{number}", "text": LAMP} for number in range(40)]
    calls: list[Call] = [("/v1/suggestions/batch", {"complaints": ordered}) for ordered in (bodies, bodies[::-1])]
    calls += [("/v1/suggestions", body) for body in bodies[:4]]
    answers = at_once(both, calls)
    assert {answer.status_code for answer in answers} <= {200, 201}
    found = [item["suggestion"] for answer in answers for item in answer.json().get("items", [])]
    assert len({(item["external_id"], item["id"]) for item in found}) == 40
    assert count(both[0], suggestions) == 40


@pytest.mark.parametrize("name", ACTS)
def test_an_act_under_one_key_is_done_once_however_many_ask_at_once(both: tuple[Service, Service], name: str) -> None:
    call = acts(both[0].asked(external_id="R-0"))[name]
    answers = at_once(both, [call], "kunci-1")
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    assert answers[0].is_success, answers[0].text
    assert count(both[0], suggestions) == {"suggestion": 2, "batch": 3}.get(name, 1)
    assert count(both[0], dispositions) == (name in {"disposition", "decision"})
    assert count(both[0], skips) == (name == "skip")
    assert count(both[0], repeats) == 1


@pytest.mark.parametrize("name", ACTS)
def test_after_a_restart_the_same_is_answered_and_another_request_refused(
    towns: Path, tmp_path: Path, database_url: str, name: str
) -> None:
    key = {"Idempotency-Key": "kunci-1"}
    with serving(tmp_path / "home", towns, database_url) as service:
        path, body = acts(service.asked(external_id="R-0"))[name]
        first = service.small.post(path, json=body, headers=key)
        assert first.is_success, first.text
    with serving(tmp_path / "home", towns, database_url) as service:
        before = count(service, audit_log)
        again = service.small.post(path, json=body, headers=key)
        assert (again.status_code, again.text) == (first.status_code, first.text)
        other = {"suggestion": {"text": "rahasia"}, "batch": {"complaints": [{"text": "rahasia"}]}}
        refused = service.small.post(path, json=other.get(name, {**body, "reason": "rahasia"}), headers=key)
        assert "Idempotency-Key" in problem(refused, 422)["detail"]
        assert "rahasia" not in refused.text
        assert count(service, audit_log) == before


def test_another_complaint_under_a_used_number_is_refused_without_its_words(both: tuple[Service, Service]) -> None:
    one, two = both
    kept = one.asked(external_id="R-3")
    refused = two.small.post("/v1/suggestions", json={"external_id": "R-3", "text": "rahasia sekali"})
    assert "external_id" in problem(refused, 409)["detail"]
    assert "rahasia" not in refused.text
    changed = two.small.post("/v1/suggestions", json={"external_id": "R-3", "text": LAMP, "confidential": True})
    problem(changed, 409)
    again = two.small.post("/v1/suggestions", json={"external_id": "R-3", "text": LAMP})
    assert (again.status_code, again.json()) == (200, kept)


def test_a_key_belongs_to_its_portal_and_a_number_too(both: tuple[Service, Service]) -> None:
    one, _ = both
    for headers, body in (({"Idempotency-Key": "sama"}, {}), ({}, {"external_id": "sama"})):
        answers = [
            client.post("/v1/suggestions", json={"text": LAMP, **body}, headers=headers)
            for client in (one.small, one.big)
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert [answer.json()["portal"] for answer in answers] == ["kota-kecil", "kota-besar"]


def test_what_was_refused_may_be_put_right_under_the_same_key(both: tuple[Service, Service]) -> None:
    one, two = both
    key = {"Idempotency-Key": "kunci-2"}
    body = {"agency": "Dinas Antah Berantah", "external_id": "R-4"}
    problem(one.small.post("/v1/dispositions", json=body, headers=key), 422)
    one.asked(external_id="R-4")
    right = {**body, "agency": "Dinas Perhubungan"}
    assert two.small.post("/v1/dispositions", json=right, headers=key).status_code == 201


@pytest.mark.parametrize("key", ["x" * 201, "dua\tkata", "kunci-é"])
def test_a_key_that_cannot_be_one_is_refused(both: tuple[Service, Service], key: str) -> None:
    answer = both[0].small.post("/v1/suggestions", json={"text": LAMP}, headers={"Idempotency-Key": key.encode()})
    assert problem(answer, 422)["errors"][0]["field"] == "header.Idempotency-Key"
