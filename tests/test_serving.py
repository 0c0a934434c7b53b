"""Releases change while requests come in: nobody notices but for the release's name, and a bad one is not taken up."""

import logging
import shutil
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from publisher import copy_release
from served import LAMP, LONGEST_WAIT, Service, serving
from sqlalchemy import select

from router_model.complaint import Complaint
from router_model.errors import ReleaseError
from router_model.registry import HISTORY, champions, promote, rollback
from router_model.suggestion import Router, Suggestion
from service.database.schema import suggestions
from service.serving import InForce, Serving

TOWN, BIG = "kota-kecil", "kota-besar"
BETTER = f"{TOWN}-20250102-bbbbbbbb"


@pytest.fixture
def registry(towns: Path, tmp_path: Path) -> Path:
    """A copy of both towns' releases, with a second one of the small town that is not in force."""
    folder = Path(shutil.copytree(towns, tmp_path / "registry"))
    copy_release(folder / champions(folder)[TOWN], folder, BETTER)
    return folder


@pytest.fixture
def database_file(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'aduan.db'}"


def ask(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/suggestions", json={"text": LAMP})


def release_of(client: httpx.Client) -> str | None:
    found: str | None = ask(client).json()["release"]
    return found


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    while not found():
        assert time.monotonic() < deadline


def tampered(registry: Path, release_id: str) -> None:
    with (registry / release_id / "model.json").open("ab") as file:
        file.write(b" ")


def put_in_force_unseen(registry: Path, release_id: str, spoil: Callable[[Path, str], None]) -> None:
    """As if the release's files had been changed in the moment after it was put in force."""
    aside = Path(shutil.copytree(registry, registry.with_name("aside")))
    promote(aside, release_id, reason="uji")
    spoil(registry, release_id)
    (aside / HISTORY).replace(registry / HISTORY)


def test_releases_change_under_load_without_one_failed_request(
    registry: Path, tmp_path: Path, database_url: str
) -> None:
    first = champions(registry)[TOWN]
    stop = Event()

    def ask_on(client: httpx.Client) -> list[tuple[int, str]]:
        answers = []
        while not stop.is_set():
            answer = ask(client)
            answers.append((answer.status_code, answer.json().get("release", "")))
        return answers

    with (
        serving(tmp_path / "home", registry, database_url) as one,
        serving(tmp_path / "home", registry, database_url) as two,
        ThreadPoolExecutor(4) as pool,
    ):
        asking = [pool.submit(ask_on, client) for client in (one.small, two.small, one.big, two.big)]
        try:
            for _ in range(2):
                promote(registry, BETTER, reason="uji")
                until(lambda: {release_of(one.small), release_of(two.small)} == {BETTER})
                rollback(registry, TOWN, reason="uji")
                until(lambda: {release_of(one.small), release_of(two.small)} == {first})
        finally:
            stop.set()
        small, big = ([*asking[n].result(), *asking[n + 1].result()] for n in (0, 2))
    assert {status for status, _ in small + big} == {201}
    assert {release for _, release in small} == {first, BETTER}
    assert {release for _, release in big} == {champions(registry)[BIG]}


def test_a_spoiled_release_in_force_is_refused_loudly_and_the_old_one_goes_on(
    registry: Path, tmp_path: Path, database_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = champions(registry)[TOWN]
    with serving(tmp_path / "home", registry, database_file) as service, caplog.at_level(logging.ERROR):
        put_in_force_unseen(registry, BETTER, tampered)
        until(lambda: bool(service.small.get("/readyz").json()["refused"]))
        ready = service.small.get("/readyz")
        assert (ready.status_code, ready.json()["refused"], ready.json()["releases"][TOWN]) == (
            200, {TOWN: BETTER}, first,
        )  # fmt: skip
        assert release_of(service.small) == first
        (told,) = [vars(record) for record in caplog.records if record.message == "release refused"]
        assert (told["portal"], told["release"]) == (TOWN, BETTER)
        assert "model.json" in told["fault"]
        rollback(registry, TOWN, reason="uji")
        until(lambda: not service.small.get("/readyz").json()["refused"])
        assert release_of(service.small) == first


def test_at_start_the_release_before_a_spoiled_one_answers(registry: Path, tmp_path: Path, database_file: str) -> None:
    first = champions(registry)[TOWN]
    promote(registry, BETTER, reason="uji")
    tampered(registry, BETTER)
    with serving(tmp_path / "home", registry, database_file) as service:
        assert release_of(service.small) == first
        assert service.small.get("/readyz").json()["refused"] == {TOWN: BETTER}


def assert_unanswered(service: Service) -> None:
    """The small town is told that no model answered, and the complaint waits for a person; the big one is served."""
    answer = ask(service.small)
    kept = answer.json()
    assert answer.status_code == 201
    assert [reason["code"] for reason in kept["reasons"]] == ["no_model"]
    assert (kept["release"], kept["route"], kept["agencies"], kept["category"], kept["urgency"]) == (
        None, "review", [], [], None,
    )  # fmt: skip
    with service.database.connect() as connection:
        row = connection.execute(select(suggestions).where(suggestions.c.id == kept["id"])).one()
    assert (row.state, row.release, row.agency, row.agency_p) == ("open", None, None, None)
    assert LAMP in row.complaint
    assert ask(service.big).json()["release"]


@pytest.mark.parametrize("spoil", [tampered, lambda registry, release: shutil.rmtree(registry / release)])
def test_where_no_release_can_be_trusted_nothing_is_made_up(
    registry: Path, tmp_path: Path, database_file: str, spoil: Callable[[Path, str], None]
) -> None:
    spoil(registry, champions(registry)[TOWN])
    with serving(tmp_path / "home", registry, database_file) as service:
        assert_unanswered(service)
        ready = service.small.get("/readyz").json()
        assert ready["refused"].keys() == {TOWN}
        assert ready["releases"].keys() == {BIG}


class Broken(Router):
    """Fails on every complaint, with the complaint in its message."""

    def suggest(self, complaint: Complaint, refused: Collection[str] = (), report_type: str = "") -> Suggestion:
        raise ArithmeticError(complaint.text)


class BrokenTown(InForce):
    def of(self, portal: str) -> Serving | None:
        found = super().of(portal)
        if found is None or portal == BIG:
            return found
        router = found.router
        return Serving(found.release, Broken(router.scorer, router.portal, router.policy, router.places))


def test_a_model_that_fails_is_told_and_its_complaints_wait_for_a_person(
    registry: Path, tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path / "home", registry, database_url) as service, caplog.at_level(logging.ERROR):
        broken = BrokenTown(registry)
        broken.refresh()
        service.app.state.in_force = broken
        assert_unanswered(service)
        (told,) = [vars(record) for record in caplog.records if record.message == "model failed"]
        assert (told["error"], told["release"]) == ("ArithmeticError", champions(registry)[TOWN])
        assert LAMP not in str(told)
        batch = service.small.post("/v1/suggestions/batch", json={"complaints": [{"text": LAMP}]}).json()
        assert batch["items"][0]["suggestion"]["reasons"][0]["code"] == "no_model"


def test_a_history_that_cannot_be_read_leaves_everything_as_it_was(registry: Path) -> None:
    in_force = InForce(registry)
    in_force.refresh()
    before = dict(in_force.servings)
    assert before.keys() == {TOWN, BIG}
    (registry / HISTORY).write_bytes(b"{\n")
    with pytest.raises(ReleaseError):
        in_force.refresh()
    assert in_force.servings == before


def test_a_registry_that_did_not_change_is_not_read_again(registry: Path) -> None:
    in_force = InForce(registry)
    assert {change.portal for change in in_force.refresh()} == {BIG, TOWN}
    shutil.rmtree(registry / champions(registry)[TOWN])
    assert in_force.refresh() == []
    assert in_force.of(TOWN)


def test_an_empty_registry_serves_nothing(tmp_path: Path) -> None:
    in_force = InForce(tmp_path)
    assert in_force.refresh() == []
    assert in_force.first() is None
