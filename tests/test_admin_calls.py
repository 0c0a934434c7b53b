"""What an admin key of a portal can do over HTTP: send data, train, and choose the release in force."""

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook
from publisher import copy_release, small_town
from served import Service, problem, serving
from sqlalchemy import select

from router_model.registry import champions, history
from service.database import audit, datasets, jobs, webhooks
from service.database.schema import schema, webhook_messages
from service.dataset_content import from_content
from service.settings import Settings
from service.training_jobs import train

SMALL, BIG = "kota-kecil", "kota-besar"
LAMPS = b"text,agency,category\nlampu jalan mati,Dinas Perhubungan,Lampu jalan\nlampu padam,Dinas Kucing,\n"
GATE = {"agrees": False, "against": None, "reasons": ["ketepatan instansi turun 4 poin"], "compared": {}}


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    """Two portals in a registry of their own: `kota-kecil` has a later release too, and one that the gate refused."""
    registry = Path(shutil.copytree(towns, tmp_path / "registry"))
    first = champions(registry)[SMALL]
    for day, gate in ((2, None), (3, GATE | {"against": first})):
        name = f"{SMALL}-2026010{day}-aaaaaaaa"
        copy_release(registry / first, registry, name, created_at=f"2026-01-0{day}T00:00:00+00:00", gate=gate)
    with serving(tmp_path / "home", registry, database_url) as served:
        yield served


def registry_of(service: Service) -> Path:
    return (service.home / "registry").resolve()


def first_release(service: Service) -> str:
    return history(registry_of(service))[0].release


LATER, REFUSED = (f"{SMALL}-2026010{day}-aaaaaaaa" for day in (2, 3))


def send(client: httpx.Client, content: bytes = LAMPS, name: str = "data.csv", **asked: Any) -> httpx.Response:
    return client.post("/v1/datasets", files={"file": (name, content)}, **asked)


def listed(client: httpx.Client, what: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/{what}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()[what]
    return found


def test_an_upload_says_what_it_holds_and_is_listed(service: Service) -> None:
    answer = send(service.small, name="Januari.csv")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["rows"], body["faulty"], body["faults"]) == ("Januari.csv", 2, 0, [])
    (unknown,) = body["unknown_labels"]
    assert (unknown["column"], unknown["label"], unknown["rows"]) == ("agency", "Dinas Kucing", 1)
    (found,) = listed(service.small, "datasets")
    assert (found["id"], found["rows"]) == (body["id"], 2)
    assert listed(service.big, "datasets") == []


def test_no_name_and_no_number_of_an_export_reaches_the_database(service: Service) -> None:
    book = Workbook()
    header = ("Tracking ID", "Nama Pelapor", "Isi Laporan Awal", "Instansi Terdisposisi")
    row = ("7001", "Komang Ayu Pertiwi", "Lampu mati, telepon 081234567890.", "Dinas Perhubungan")
    for cells in (header, row):
        book.worksheets[0].append(cells)
    file = io.BytesIO()
    book.save(file)
    assert send(service.small, file.getvalue(), "ekspor.xlsx").status_code == 201
    with service.database.connect() as connection:
        kept = [repr(found) for table in schema.sorted_tables for found in connection.execute(select(table))]
        ((_, content),) = datasets.contents(connection, SMALL)
    kept += map(repr, from_content(content))
    assert any("Lampu mati, telepon [TELEPON]." in text for text in kept)
    assert not any(secret in text for text in kept for secret in ("Komang", "Pertiwi", "0812"))


def test_the_same_file_again_is_the_same_data_set_and_a_trial_keeps_nothing(service: Service) -> None:
    tried = send(service.small, params={"dry_run": True})
    assert (tried.status_code, tried.json()["id"], tried.json()["rows"]) == (200, None, 2)
    assert listed(service.small, "datasets") == []
    first, again = send(service.small), send(service.small, name="lain.csv")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert send(service.big).json()["id"] != first.json()["id"]


def test_an_upload_under_a_key_is_answered_once_and_another_one_under_it_is_refused(service: Service) -> None:
    headers = {"Idempotency-Key": "unggah-1"}
    first = send(service.small, headers=headers)
    assert service.small.delete(f"/v1/datasets/{first.json()['id']}").status_code == 204
    again = send(service.small, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert listed(service.small, "datasets") == []
    problem(send(service.small, LAMPS + b"jalan rusak,Dinas Pekerjaan Umum,\n", headers=headers), 422)


def test_a_file_that_is_not_what_it_should_be_is_refused_with_what_is_expected(service: Service) -> None:
    refused = problem(send(service.small, b"\x80\x05pickle", "model.csv"), 422)
    assert "bukan teks UTF-8" in refused["detail"]
    problem(service.small.post("/v1/datasets"), 422)
    assert listed(service.small, "datasets") == []


def test_a_data_set_is_removed_by_its_own_portal_only(service: Service) -> None:
    path = f"/v1/datasets/{send(service.small).json()['id']}"
    problem(service.big.delete(path), 404)
    assert service.small.delete(path).status_code == 204
    problem(service.small.delete(path), 404)


def test_a_training_is_begun_watched_and_cancelled_by_its_own_portal_only(service: Service) -> None:
    dataset = send(service.small).json()["id"]
    begun = service.small.post("/v1/trainings", json={"datasets": [dataset], "reason": "telp 081234567890"})
    assert begun.status_code == 202
    path = begun.headers["Location"]
    body = begun.json()
    assert (path, body["state"], body["datasets"]) == (f"/v1/trainings/{body['id']}", "queued", [dataset])
    assert body["reason"] == "telp [TELEPON]"
    assert service.small.get(path).json() == listed(service.small, "trainings")[0] == body
    problem(service.big.get(path), 404)
    problem(service.big.post(f"{path}/cancel"), 404)
    assert listed(service.big, "trainings") == []
    assert service.small.post(f"{path}/cancel").json()["state"] == "cancelled"


def test_a_training_of_a_data_set_of_another_portal_is_refused(service: Service) -> None:
    theirs = send(service.big).json()["id"]
    assert theirs in problem(service.small.post("/v1/trainings", json={"datasets": [theirs]}), 404)["detail"]
    assert listed(service.small, "trainings") == []


def test_a_training_under_a_key_is_begun_once(service: Service) -> None:
    headers = {"Idempotency-Key": "latih-1"}
    first, again = (service.small.post("/v1/trainings", json={}, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    assert len(listed(service.small, "trainings")) == 1
    problem(service.small.post("/v1/trainings", json={"reason": "lain"}, headers=headers), 422)


def test_a_training_tells_how_far_it_is_and_what_came_of_it(service: Service, tmp_path: Path) -> None:
    complaints = (small_town(tmp_path / "portal") / "complaints.csv").read_bytes()
    send(service.small, complaints)
    path = service.small.post("/v1/trainings", json={}).headers["Location"]
    now, lease = datetime.now(UTC), timedelta(minutes=5)
    settings = Settings(home=service.home, database_url=service.database.engine.url.render_as_string(False))
    with service.database.begin() as connection:
        job = jobs.claim(connection, now, lease)
        assert job is not None

    def tell(progress: Any) -> None:
        with service.database.begin() as connection:
            jobs.heartbeat(connection, job, now, lease, progress)

    result = train(job, settings, tell)
    running = service.small.get(path).json()
    assert running["state"] == "running"
    assert running["progress"]["stage"] == "membandingkan dengan rilis yang berlaku"
    assert running["progress"]["seconds_left"] >= 0
    with service.database.begin() as connection:
        jobs.finish(connection, job, "done", result=result)
    done = service.small.get(path).json()
    assert (done["state"], done["progress"], done["result"]["release"]) == ("done", None, result["release"])
    # The release in force has learned most of these complaints, so they prove little.
    assert not done["result"]["in_force"]
    assert "perlu sedikitnya 50" in done["result"]["gate"]["reasons"][0]
    problem(service.small.post(f"{path}/cancel"), 409)


def test_a_portal_sees_its_own_releases_and_what_is_wrong_with_them(service: Service) -> None:
    registry = registry_of(service)
    (registry / REFUSED / "manifest.json").write_bytes(b"{}")
    (registry / LATER / "model.json").write_bytes(b"{}")
    found = {release["id"]: release for release in listed(service.small, "releases")}
    first = first_release(service)
    assert list(found) == [first, LATER, REFUSED]
    assert [release["in_force"] for release in found.values()] == [True, False, False]
    assert found[first]["scores"]["answers"]["agency"]["n"] > 0
    assert [bool(release["fault"]) for release in found.values()] == [False, False, True]
    assert service.small.get(f"/v1/releases/{LATER}").json()["fault"] == "berkas berubah: model.json"
    assert str(registry) not in str(found)
    for release_id in found:
        problem(service.big.get(f"/v1/releases/{release_id}"), 404)
        problem(service.big.post(f"/v1/releases/{release_id}/promote"), 404)
    assert not found.keys() & {release["id"] for release in listed(service.big, "releases")}


def test_a_release_is_put_in_force_and_taken_back_and_it_is_told(service: Service) -> None:
    with service.database.begin() as connection:
        webhooks.add_endpoint(connection, SMALL, "http://127.0.0.1:9/", ["release.promoted"])
    promoted = service.small.post(f"/v1/releases/{LATER}/promote", json={"reason": "telp 081234567890"}).json()
    first = first_release(service)
    assert (promoted["release"], promoted["previous"], promoted["action"]) == (LATER, first, "promote")
    assert promoted["reason"] == "telp [TELEPON]"
    assert champions(registry_of(service))[SMALL] == LATER
    back = service.small.post("/v1/releases/rollback").json()
    assert (back["release"], back["previous"], back["action"]) == (first, LATER, "rollback")
    problem(service.small.post("/v1/releases/rollback"), 409)
    with service.database.connect() as connection:
        told = [(entry.action, entry.release) for entry in audit.entries(connection, SMALL)][:2]
        assert len(connection.execute(select(webhook_messages)).all()) == 2
    assert told == [("release.rollback", first), ("release.promote", LATER)]
    assert [event.by for event in history(registry_of(service))[-2:]] == [promoted["by"]] * 2
    assert promoted["by"].startswith("key:")


def test_a_release_the_gate_refused_needs_a_reason(service: Service) -> None:
    refused = problem(service.small.post(f"/v1/releases/{REFUSED}/promote", json={"reason": " "}), 409)
    assert "ketepatan instansi turun 4 poin" in refused["detail"]
    assert "sertakan reason" in refused["detail"]
    assert champions(registry_of(service))[SMALL] == first_release(service)
    overruled = service.small.post(f"/v1/releases/{REFUSED}/promote", json={"reason": "instansi baru"})
    assert overruled.json()["action"] == "overrule"


def test_a_broken_release_is_not_put_in_force(service: Service) -> None:
    (registry_of(service) / LATER / "model.json").write_bytes(b"{}")
    refused = problem(service.small.post(f"/v1/releases/{LATER}/promote"), 409)
    assert "berkas berubah: model.json" in refused["detail"]
    assert str(service.home) not in refused["detail"]
    assert champions(registry_of(service))[SMALL] == first_release(service)


def test_a_promotion_under_a_key_is_done_once_whatever_came_after(service: Service) -> None:
    path, headers = f"/v1/releases/{LATER}/promote", {"Idempotency-Key": "berlaku-1"}
    first = service.small.post(path, headers=headers)
    back = service.small.post("/v1/releases/rollback", headers={"Idempotency-Key": "kembali-1"})
    assert service.small.post(path, headers=headers).json() == first.json()
    assert service.small.post("/v1/releases/rollback", headers={"Idempotency-Key": "kembali-1"}).json() == back.json()
    assert len([event for event in history(registry_of(service)) if event.portal == SMALL]) == 3
    # A key that began something else puts nothing in force.
    assert service.small.post("/v1/trainings", json={}, headers={"Idempotency-Key": "latih-1"}).status_code == 202
    problem(service.small.post(path, headers={"Idempotency-Key": "latih-1"}), 422)
    assert champions(registry_of(service))[SMALL] == first_release(service)
