"""A release in the shadow answers beside the one in force, is heard by nobody, and harms nobody."""

import logging
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson
import pytest
from publisher import copy_release
from review_desk import row
from served import LAMP, LONGEST_WAIT, RUBBISH, Service, serving
from signed_in import signed_in
from sqlalchemy import insert, select

from router_model.registry import champions, promote
from service.database import audit, erasure, portal_settings, shadow
from service.database.database import Database
from service.database.schema import audit_log, dispositions, shadow_answers, suggestions
from service.database.shadow import Comparison, ShadowAnswer
from service.shadowing import TOGETHER, Shadows
from service.worker import LEASE, work

TOWN, BIG = "kota-kecil", "kota-besar"
OTHER = f"{TOWN}-20250102-bbbbbbbb"
THIRD = f"{TOWN}-20250103-cccccccc"
NOW = datetime.now(UTC)


@pytest.fixture
def registry(towns: Path, tmp_path: Path) -> Path:
    """Both towns' releases, and two more of the small town that answer the same."""
    folder = Path(shutil.copytree(towns, tmp_path / "registry"))
    for release in (OTHER, THIRD):
        copy_release(folder / champions(folder)[TOWN], folder, release)
    return folder


@pytest.fixture
def service(registry: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", registry, database_url) as started:
        yield started


def begin(database: Database, release: str = OTHER, portal: str = TOWN) -> None:
    with database.begin() as connection:
        shadow.begin(connection, portal, release, "user:sari")


def begun_an_hour_ago(database: Database) -> None:
    with database.begin() as connection:
        settings = replace(portal_settings.of(connection, TOWN), shadow_release=OTHER)
        portal_settings.change(connection, TOWN, "user:sari", settings)
        entry = {"portal": TOWN, "who": "user:sari", "action": shadow.BEGIN, "subject": OTHER, "detail": {}}
        connection.execute(insert(audit_log).values(at=NOW - timedelta(hours=1), **entry))


def rows(database: Database) -> list[dict[str, Any]]:
    with database.connect() as connection:
        return [dict(found) for found in connection.execute(select(shadow_answers)).mappings()]


def compared(database: Database, release: str = OTHER, since: datetime | None = None) -> Comparison:
    with database.connect() as connection:
        return shadow.compare(connection, TOWN, release, since)


def answered(registry: Path, database: Database) -> Shadows:
    """All that waits is answered."""
    shadows = Shadows(registry)
    shadows.refresh(database)
    while shadows.answer(database):
        pass
    return shadows


@contextmanager
def worker(service: Service) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=work, args=(service.database, service.app.state.settings, stop, LEASE))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_answers_what_is_asked_from_then_on_and_nothing_of_it_is_told(service: Service, registry: Path) -> None:
    service.asked()
    before = service.asked(text=RUBBISH)
    begin(service.database)
    asked = [service.asked(), service.small.post("/v1/suggestions/batch", json={"complaints": [{"text": RUBBISH}]})]
    answered(registry, service.database)
    kept = {found["suggestion_id"]: found for found in rows(service.database)}
    batch = asked[1].json()["items"][0]["suggestion"]
    assert kept.keys() == {asked[0]["id"], batch["id"]}
    for told in (asked[0], batch):
        found, (top, *_) = kept[told["id"]], told["agencies"]
        assert (found["portal"], found["release"], found["route"]) == (TOWN, OTHER, told["route"])
        assert (found["agency"], found["category"]) == (top["code"], told["category"][0]["code"])
        assert found["urgency"] == (told["urgency"] or {}).get("level")
        assert found["agency_p"] == pytest.approx(top["p"])
        assert told["release"] == champions(registry)[TOWN]
    assert batch.keys() == before.keys()
    assert service.small.get(f"/v1/suggestions/{batch['id']}").json() == batch


def test_the_worker_asks_it_and_ends_it_once_it_is_in_force(service: Service, registry: Path) -> None:
    begin(service.database)
    with worker(service):
        asked = service.asked()
        until(lambda: [found["suggestion_id"] for found in rows(service.database)] == [asked["id"]])
        promote(registry, OTHER, reason="uji")
        until(lambda: not wanted(service.database))
    with service.database.connect() as connection:
        last = [(entry.who, entry.action, entry.subject) for entry in audit.entries(connection, TOWN)]
    assert ("worker", "shadow.end", OTHER) in last
    assert ("user:sari", "shadow.begin", OTHER) in last


def wanted(database: Database) -> dict[str, str]:
    with database.connect() as connection:
        return shadow.wanted(connection)


def test_a_broken_one_is_refused_loudly_until_it_is_whole_and_the_service_answers(
    service: Service, registry: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (registry / OTHER / "model.json").read_bytes()
    (registry / OTHER / "model.json").write_bytes(whole + b" ")
    begin(service.database)
    assert service.asked()["agencies"]
    with caplog.at_level(logging.ERROR):
        shadows = Shadows(registry)
        for _ in range(3):
            shadows.refresh(service.database)
            assert not shadows.answer(service.database)
    (told,) = [vars(record) for record in caplog.records if record.message == "shadow refused"]
    assert (told["portal"], told["release"]) == (TOWN, OTHER)
    assert "model.json" in told["fault"]
    found = compared(service.database)
    assert (found.asked, found.waiting) == (0, 1)
    assert found.waits_since is not None
    (registry / OTHER / "model.json").write_bytes(whole)
    answered(registry, service.database)
    assert (compared(service.database).asked, compared(service.database).waiting) == (1, 0)


def test_one_that_is_in_force_or_of_another_portal_is_not_taken_up(service: Service, registry: Path) -> None:
    for release in (champions(registry)[TOWN], champions(registry)[BIG]):
        begin(service.database, release)
        service.asked()
        assert answered(registry, service.database).servings == {}
    assert rows(service.database) == []


def test_another_one_takes_its_place_and_none_after_it_has_ended(service: Service, registry: Path) -> None:
    shadows = Shadows(registry)
    begin(service.database)
    shadows.refresh(service.database)
    first = shadows.servings[TOWN]
    shadows.refresh(service.database)
    assert shadows.servings[TOWN] is first
    begin(service.database, THIRD)
    shadows.refresh(service.database)
    assert shadows.servings[TOWN].release.id == THIRD
    with service.database.begin() as connection:
        assert not shadow.end(connection, TOWN, OTHER, "user:sari")
        assert shadow.end(connection, TOWN, THIRD, "user:sari")
        assert not shadow.end(connection, TOWN, THIRD, "user:sari")
    shadows.refresh(service.database)
    assert shadows.servings == {}


def add(database: Database, *, portal: str = TOWN, at: datetime = NOW, **values: Any) -> str:
    name = secrets.token_hex(6)
    complaint = {"text": LAMP, "title": "", "address": "", "village": "", "district": ""}
    values = {"portal": portal, "created_at": at, "complaint": orjson.dumps(complaint).decode(), **values}
    with database.begin() as connection:
        connection.execute(insert(suggestions).values(row(name, **values)))
    return name


def test_however_many_wait_each_is_answered_once_by_two_workers_too(database: Database, registry: Path) -> None:
    begin(database)
    later = datetime.now(UTC)
    names = {add(database, at=later + timedelta(milliseconds=number)) for number in range(TOGETHER + 5)}
    both = [Shadows(registry), Shadows(registry)]
    for shadows in both:
        shadows.refresh(database)
    assert [shadows.answer(database) for shadows in both] == [True, False]
    answered(registry, database)
    assert sorted(found["suggestion_id"] for found in rows(database)) == sorted(names)


def test_a_complaint_that_is_kept_a_moment_late_is_answered_too(database: Database, registry: Path) -> None:
    begun_an_hour_ago(database)
    first = add(database, at=datetime.now(UTC))
    shadows = answered(registry, database)
    late = add(database, at=datetime.now(UTC) - timedelta(seconds=30))
    shadows.answer(database)
    assert {found["suggestion_id"] for found in rows(database)} == {first, late}


def test_what_it_cannot_answer_counts_as_a_review_and_the_next_ones_are_answered(
    database: Database, registry: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin(database)
    odd = add(database, at=datetime.now(UTC), complaint='{"text": null, "title": "Lampu"}')
    sound = add(database, at=datetime.now(UTC))
    with caplog.at_level(logging.ERROR):
        answered(registry, database)
    kept = {found["suggestion_id"]: found for found in rows(database)}
    assert (kept[odd]["agency"], kept[odd]["route"]) == (None, "review")
    assert kept[sound]["agency"]
    (told,) = [vars(record) for record in caplog.records if record.message == "shadow failed"]
    assert told["error"] == "KeyError"


def test_what_was_erased_meanwhile_is_not_kept_and_what_is_kept_is_erased_with_its_complaint(
    database: Database, registry: Path
) -> None:
    name = add(database, external_id="A-1")
    answer = ShadowAnswer("", "dishub", 0.9, "lampu", "sedang", "auto")
    with database.begin() as connection:
        for suggestion_id in (name, "sudah-dihapus"):
            found = ShadowAnswer(suggestion_id, *(getattr(answer, part) for part in ShadowAnswer.__slots__[1:]))
            shadow.add(connection, TOWN, OTHER, [found], NOW)
    assert [found["suggestion_id"] for found in rows(database)] == [name]
    with database.begin() as connection:
        assert erasure.erase(connection, TOWN, "A-1", "user:sari")["shadow_answers"] == 1
    assert rows(database) == []


def said(database: Database, shadow_agency: str | None, chosen: str = "", **values: Any) -> str:
    """A complaint that was asked of both, and what people chose."""
    route = values.pop("shadow_route", "review")
    categories = values.pop("categories", (None, None))
    name = add(database, **values)
    with database.begin() as connection:
        answer = ShadowAnswer(name, shadow_agency, 0.9, categories[0], None, route)
        shadow.add(connection, values.get("portal", TOWN), OTHER, [answer], NOW)
    if chosen:
        choose(database, name, chosen, categories[1], portal=values.get("portal", TOWN))
    return name


def choose(
    database: Database, name: str, agency: str, category: str | None = None, portal: str = TOWN, **values: Any
) -> None:
    values = {"sequence": 1, "undone": False, "created_at": NOW, **values}
    with database.begin() as connection:
        connection.execute(
            insert(dispositions).values(
                id=secrets.token_hex(6), portal=portal, suggestion_id=name, agency=agency, category=category,
                by="luh", reason="", source="review", outcome="changed", **values,
            )
        )  # fmt: skip


def test_both_are_compared_by_what_people_chose(database: Database) -> None:
    said(database, "dishub", "dishub", route="auto", shadow_route="auto", categories=("lampu", "lampu"))
    said(database, "dishub", "dlh", route="auto", shadow_route="auto", categories=("lampu", "sampah"))
    said(database, "dlh", "dlh", categories=("sampah", "sampah"))
    said(database, "dlh", "dishub", shadow_route="auto")
    said(database, "dlh", "pupr")
    said(database, None, "dishub")
    said(database, "dlh", agency=None)
    said(database, None, agency=None)
    found = compared(database)
    assert (found.asked, found.same_agency, found.disposed) == (8, 3, 6)
    assert (found.champion_right, found.shadow_right) == (3, 2)
    assert (found.only_champion_right, found.only_shadow_right) == (2, 1)
    assert (found.categorised, found.champion_category_right, found.shadow_category_right) == (3, 1, 2)
    assert (found.champion_auto, found.champion_auto_right) == (2, 1)
    assert (found.shadow_auto, found.shadow_auto_right) == (3, 1)


def test_only_the_disposition_in_force_of_the_own_portal_counts(database: Database) -> None:
    name = said(database, "dlh", "dishub")
    choose(database, name, "pupr", sequence=2)
    choose(database, name, "dlh", sequence=3)
    choose(database, name, "dishub", sequence=4, undone=True)
    said(database, "dlh", "dlh", portal=BIG)
    found = compared(database)
    assert (found.asked, found.disposed, found.champion_right, found.shadow_right) == (1, 1, 0, 1)


def test_what_was_said_before_it_began_again_is_not_counted(database: Database) -> None:
    said(database, "dlh", "dlh")
    begin(database)
    began = compared(database).begun
    assert began is not None
    said(database, "dlh", at=began + timedelta(seconds=1))
    add(database, at=began + timedelta(seconds=2))
    add(database, at=began + timedelta(seconds=2), portal=BIG)
    found = compared(database)
    assert (found.asked, found.disposed, found.waiting) == (1, 0, 1)
    assert found.waits_since == began + timedelta(seconds=2)
    assert compared(database, since=NOW - timedelta(days=1)).asked == 2


def test_other_settings_stay_when_a_shadow_begins(database: Database) -> None:
    with database.begin() as connection:
        before = portal_settings.PortalSettings(train_every_days=3, sampled_share=0.5)
        portal_settings.change(connection, TOWN, "user:sari", before)
        shadow.begin(connection, TOWN, OTHER, "user:sari")
        after = portal_settings.of(connection, TOWN)
    assert (after.train_every_days, after.sampled_share, after.shadow_release) == (3, 0.5, OTHER)


def test_an_admin_begins_and_ends_it_on_the_pages(service: Service, registry: Path) -> None:
    (registry / THIRD / "model.json").write_bytes(b"{}")
    with signed_in(service) as sari:
        for release, status, why in (
            (champions(registry)[TOWN], 409, "sudah berlaku"),
            (THIRD, 409, "model.json"),
            (champions(registry)[BIG], 404, "tidak ada pada portal"),
            (f"{TOWN}-20250104-dddddddd", 404, "tidak ada pada portal"),
            ("../rahasia", 409, "bukan nomor rilis"),
            ("", 409, "bukan nomor rilis"),
        ):
            refused = sari.send("/admin/pelatihan/bayangan", rilis=release)
            assert (refused.status_code, why in refused.text) == (status, True), release
            assert str(service.home) not in refused.text
        assert wanted(service.database) == {}
        begun = sari.send("/admin/pelatihan/bayangan", rilis=OTHER, kembali=f"/admin/rilis/{OTHER}")
        assert (begun.status_code, begun.headers["Location"]) == (303, f"/admin/rilis/{OTHER}?pesan=bayangan")
        said(service.database, "dishub", "dishub", at=datetime.now(UTC), agency="dishub")
        panel = sari.read("/admin/pelatihan")
        assert f"/admin/rilis/{OTHER}" in panel
        assert "100 %" in panel
        ended = sari.send("/admin/pelatihan/bayangan/akhiri", rilis=OTHER, kembali="//jahat.example")
        assert ended.headers["Location"] == "/admin/pelatihan?pesan=bayangan-berhenti"
        assert "Rilis bayangan" not in sari.read("/admin/pelatihan").replace("Rilis bayangan dihentikan", "")
    assert wanted(service.database) == {}


def test_the_page_tells_when_it_does_not_answer(service: Service) -> None:
    begun_an_hour_ago(service.database)
    with signed_in(service, role="auditor") as wayan:
        add(service.database, at=datetime.now(UTC))
        assert "Belum ada laporan yang dijawabnya" in wayan.read("/admin/pelatihan")
        assert "tidak menjawab" not in wayan.read("/admin/pelatihan")
        add(service.database, at=datetime.now(UTC) - timedelta(minutes=10))
        assert re.search(r"tidak menjawab sejak 1\d menit lalu: 2 laporan", wayan.read("/admin/pelatihan"))
