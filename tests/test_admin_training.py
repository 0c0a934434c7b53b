"""The pages on trainings: who may do what, what is begun, and what people read."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from served import Service, serving
from signed_in import Person, signed_in
from sqlalchemy import update

from router_model.registry import champions
from service.admin.training_pages import asked_by, span
from service.database import audit, datasets, job_log, jobs, portal_settings
from service.database.database import Database
from service.database.jobs import CHECK, TRAINING, Job
from service.database.schema import jobs as job_rows
from service.dataset_content import as_content, fingerprint
from training.reading import COLUMNS

TOWN, PAGE = "kota-kecil", "/admin/pelatihan"
LEASE = timedelta(minutes=5)


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


@pytest.fixture
def sari(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


def add_data(database: Database, name: str, portal: str = TOWN) -> str:
    rows = [dict.fromkeys(COLUMNS, "") | {"text": name, "agency": "Dinas Perhubungan"}]
    with database.begin() as connection:
        return datasets.add(
            connection,
            portal=portal,
            name=name,
            content=as_content(rows),
            rows=1,
            fingerprint=fingerprint(rows),
            by="user:sari",
        )[0].id


def trainings(service: Service, portal: str = TOWN) -> list[Job]:
    with service.database.connect() as connection:
        return jobs.newest(connection, portal, TRAINING)


def asked(service: Service, kind: str = TRAINING, portal: str = TOWN, **request: Any) -> Job:
    with service.database.begin() as connection:
        return jobs.enqueue(connection, portal, kind, {"datasets": [], "reason": "", **request}, "key:7d0c1f2a9b3e")


def taken(service: Service, **progress: Any) -> Job:
    """The job that waits runs, and is so far."""
    with service.database.begin() as connection:
        job = jobs.claim(connection, datetime.now(UTC), LEASE)
        assert job is not None
        jobs.heartbeat(connection, job, datetime.now(UTC), LEASE, progress)
    return job


def over(service: Service, state: str, result: Mapping[str, Any] | None = None, error: str = "") -> Job:
    asked(service)
    job = taken(service)
    with service.database.begin() as connection:
        jobs.finish(connection, job, state, result=result, error=error)
        return jobs.one(connection, TOWN, job.id)


def result(release: str, in_force: bool, *reasons: str) -> dict[str, Any]:
    gate = {"agrees": in_force, "against": None, "reasons": list(reasons), "compared": {}}
    return {"release": release, "in_force": in_force, "gate": gate, "rows": 3_130, "scores": {}}


def test_staff_see_nothing_an_auditor_changes_nothing_and_an_admin_does_both(service: Service, sari: Person) -> None:
    add_data(service.database, "januari")
    job = asked(service)
    changes = (PAGE, f"{PAGE}/jadwal", f"{PAGE}/bayangan", f"{PAGE}/bayangan/akhiri", f"{PAGE}/{job.id}/batal")
    pages = (PAGE, f"{PAGE}/keadaan", f"{PAGE}/{job.id}", f"{PAGE}/{job.id}/keadaan")
    with signed_in(service, "luh", "staff") as luh, signed_in(service, "wayan", "auditor") as wayan:
        assert [luh.client.get(page).status_code for page in pages] == [403] * 4
        for page in pages:
            assert "<form" not in wayan.read(page)
            assert "<form" in sari.read(page)
        for person in (luh, wayan):
            assert [person.send(path, rilis="x").status_code for path in changes] == [403] * 5
    assert [job.state for job in trainings(service)] == ["queued"]
    forged = sari.client.post(PAGE, data={"csrf": "lain"})
    assert (forged.status_code, len(trainings(service))) == (403, 1)


def test_a_training_is_begun_with_all_data_or_with_what_was_chosen(service: Service, sari: Person) -> None:
    first, second = (add_data(service.database, name) for name in ("januari", "februari"))
    page = sari.read(PAGE)
    assert len(re.findall(r'name="data" value="[^"]+" checked', page)) == 2
    assert "2 kumpulan data" in page
    begun = sari.send(PAGE, data=[first, second], catatan="telepon 081234567890")
    assert (begun.status_code, begun.headers["Location"]) == (303, f"{PAGE}?pesan=dimulai")
    (job,) = trainings(service)
    assert (job.request, job.created_by) == ({"datasets": [], "reason": "telepon [TELEPON]"}, "user:sari")
    again = sari.send(PAGE, data=[first], catatan="")
    assert again.headers["Location"] == f"{PAGE}?pesan=sudah"
    assert len(trainings(service)) == 1
    sari.send(f"{PAGE}/{job.id}/batal")
    theirs = add_data(service.database, "milik-lain", "kota-besar")
    sari.send(PAGE, data=[second, theirs], catatan="")
    assert trainings(service)[0].request["datasets"] == [second]
    assert "februari" in sari.read(f"{PAGE}/{trainings(service)[0].id}")


def test_without_a_data_set_chosen_the_form_comes_back_with_what_was_typed(service: Service, sari: Person) -> None:
    add_data(service.database, "januari")
    refused = sari.send(PAGE, catatan='<b>sesudah "rapat"</b>')
    assert refused.status_code == 422
    assert "Pilih sedikitnya satu kumpulan data" in refused.text
    assert "&lt;b&gt;sesudah &#34;rapat&#34;&lt;/b&gt;" in refused.text
    assert trainings(service) == []


def test_where_there_is_nothing_to_learn_people_are_sent_to_the_data(service: Service, sari: Person) -> None:
    assert "Belum ada yang dapat dipelajari" in sari.read(PAGE)
    asked = service.asked()
    service.small.post("/v1/dispositions", json={"suggestion_id": asked["id"], "agency": "Dinas Perhubungan"})
    page = sari.read(PAGE)
    assert "Belum ada yang dapat dipelajari" not in page
    assert "<strong>1 disposisi</strong>" in page
    sari.send(PAGE, catatan="")
    assert trainings(service)[0].request["datasets"] == []


def test_a_running_training_shows_how_far_it_is_and_its_log(service: Service, sari: Person) -> None:
    job = asked(service, reason="bulanan")
    waiting = sari.read(f"{PAGE}/keadaan")
    assert "Menunggu pekerja" in waiting
    assert "Belum ada pekerja latar" not in waiting
    with service.database.begin() as connection:
        connection.execute(update(job_rows).values(created_at=datetime.now(UTC) - timedelta(minutes=2)))
    assert "Belum ada pekerja latar" in sari.read(f"{PAGE}/keadaan")
    taken(service, stage="menguji maju menurut waktu", done=3, total=8, seconds_left=130)
    with service.database.begin() as connection:
        ago = datetime.now(UTC) - timedelta(seconds=70)
        connection.execute(update(job_rows).values(started_at=ago))
        job_log.add(connection, TOWN, job.id, job_log.Line(ago, "Menguji <maju>."))
    for path in (PAGE, f"{PAGE}/keadaan", f"{PAGE}/{job.id}", f"{PAGE}/{job.id}/keadaan"):
        page = sari.read(path)
        assert "data-busy" in page
        assert "Menguji maju menurut waktu" in page
        assert re.search(r'<progress class="meter" max="100" value="3[45]"', page)
        assert re.search(r"Berjalan 1 menit 1\d detik · sekitar 2 menit lagi · langkah 4 dari 8", page)
        assert "Menguji &lt;maju&gt;." in page
        assert "Batalkan pelatihan" in page
    assert "kunci API 7d0c1f2a9b3e" in sari.read(f"{PAGE}/{job.id}")
    cancelled = sari.send(f"{PAGE}/{job.id}/batal", dari="catatan")
    assert cancelled.headers["Location"] == f"{PAGE}/{job.id}?pesan=batal"
    page = sari.read(f"{PAGE}/{job.id}?pesan=batal")
    assert "sedang dibatalkan" in page
    assert "Batalkan pelatihan" not in page


def test_a_first_training_shows_its_stage_where_no_time_can_be_told(service: Service, sari: Person) -> None:
    asked(service)
    taken(service, stage="membaca laporan", done=1, total=4, seconds_left=None)
    page = sari.read(f"{PAGE}/keadaan")
    assert 'value="25"' in page
    assert " lagi" not in page


def test_past_trainings_tell_what_came_of_them(service: Service, towns: Path, sari: Person) -> None:
    champion = champions(towns)[TOWN]
    over(service, "done", result(champion, True, "Tidak lebih buruk pada 346 laporan."))
    over(service, "done", result(f"{TOWN}-20250102-bbbbbbbb", False, "Ketepatan turun 4 poin.", "Kurang contoh."))
    over(service, "failed", error="Hanya 3 laporan berlabel; perlu sedikitnya 20.")
    over(service, "cancelled")
    page = sari.read(PAGE)
    items = re.findall(r'<li class="training-item">.*?</li>', page, re.S)
    assert [re.findall(r'class="badge tone-\w+">([\w ]+)<', item) for item in items] == [
        ["dibatalkan"], ["gagal"], ["selesai"], ["selesai", "berlaku sekarang"],
    ]  # fmt: skip
    assert "Hanya 3 laporan berlabel" in items[1]
    assert "Tidak diberlakukan. Ketepatan turun 4 poin." in items[2]
    assert f'href="/admin/rilis/{TOWN}-20250102-bbbbbbbb"' in items[2]
    assert "Diberlakukan. Tidak lebih buruk pada 346 laporan." in items[3]
    assert "3.130 laporan" in items[3]
    refused = sari.read(f"{PAGE}/{trainings(service)[2].id}")
    assert "Kurang contoh." in refused
    assert "Jalankan sebagai bayangan" in refused
    assert "Jalankan sebagai bayangan" not in sari.read(f"{PAGE}/{trainings(service)[3].id}")


def test_what_is_over_is_not_cancelled(service: Service, sari: Person) -> None:
    job = over(service, "done", result("r", False))
    assert sari.send(f"{PAGE}/{job.id}/batal").headers["Location"] == f"{PAGE}?pesan=berakhir"
    assert trainings(service)[0].state == "done"


def test_the_schedule_is_kept_and_wrong_numbers_are_named_where_they_stand(service: Service, sari: Person) -> None:
    saved = sari.send(f"{PAGE}/jadwal", hari="30", disposisi="0")
    assert saved.headers["Location"] == f"{PAGE}?pesan=jadwal"
    for days, after, wrong in (
        ("-1", "10", ["hari"]),
        ("366", "10", ["hari"]),
        ("", "10", ["hari"]),
        ("1", "1,5", ["disposisi"]),
        ("x", "100001", ["hari", "disposisi"]),
    ):
        refused = sari.send(f"{PAGE}/jadwal", hari=days, disposisi=after)
        assert refused.status_code == 422
        assert re.findall(r'class="field-error" id="(\w+)-problem"', refused.text) == wrong
        assert len(re.findall('aria-invalid="true"', refused.text)) == len(wrong)
        assert f'value="{after}"' in refused.text
    with service.database.connect() as connection:
        wanted = portal_settings.of(connection, TOWN)
        (entry,) = [entry for entry in audit.entries(connection, TOWN) if entry.action == "settings.change"]
    assert (wanted.train_every_days, wanted.train_after, wanted.sampled_share) == (30, 0, 0.0)
    assert (entry.who, entry.detail) == ("user:sari", {"train_every_days": 30, "train_after": 0})
    with signed_in(service, "wayan", "auditor") as wayan:
        assert "30 hari" in wayan.read(PAGE)


def test_jobs_of_another_portal_cannot_be_seen_and_those_of_another_kind_can(service: Service, sari: Person) -> None:
    theirs = asked(service, portal="kota-besar")
    for path in (f"{PAGE}/{theirs.id}", f"{PAGE}/{theirs.id}/keadaan", f"{PAGE}/job_tidak_ada"):
        assert sari.client.get(path).status_code == 404
    assert sari.send(f"{PAGE}/{theirs.id}/batal").status_code == 404
    assert "Menunggu pekerja" not in sari.read(PAGE)
    assert trainings(service, "kota-besar")[0].state == "queued"
    check = asked(service, CHECK, draft="dft_1")
    page = sari.read(f"{PAGE}/{check.id}")
    assert "Pemeriksaan data" in page
    assert "Menunggu pekerja" in page


def test_people_and_stretches_of_time_are_named_in_words() -> None:
    assert [asked_by(who) for who in ("user:sari", "key:7d0c", "jadwal", "")] == [
        "sari", "kunci API 7d0c", "jadwal", "",
    ]  # fmt: skip
    assert [span(seconds) for seconds in (0, 59.9, 60, 3_599, 3_600, 90_000)] == [
        "0 detik", "59 detik", "1 menit 0 detik", "59 menit 59 detik", "1 jam 0 menit", "25 jam 0 menit",
    ]  # fmt: skip
