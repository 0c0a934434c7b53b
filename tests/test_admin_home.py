"""The summary of an admin's portal, and the guided path to the first suggestion."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from publisher import copy_release
from served import LAMP, Service, serving
from signed_in import Person, signed_in
from sqlalchemy import insert, update

from router_model.registry import champions, promote
from service.database import audit, datasets, jobs, keys, webhooks
from service.database.schema import dispositions, suggestions, webhook_deliveries

TOWN = "kota-kecil"


@pytest.fixture
def registry(towns: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(towns, tmp_path / "registry"))


@pytest.fixture
def service(registry: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", registry, database_url) as started:
        yield started


@pytest.fixture
def admin(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


def done(page: str) -> list[str]:
    """The titles of the steps that are done."""
    titles = re.findall(r'<h3 class="first-step-title">(.*?)</h3>', page)
    return [title.partition(" <")[0] for title in titles if "selesai" in title]


def needs(page: str) -> dict[str, str]:
    """What is asked of the admin, and where each leads."""
    found = re.findall(
        r'<p class="need-what">(.*?)</p>.*?<a class="button button-small" href="(.*?)">', page, re.DOTALL
    )
    return dict(found)


def test_a_quiet_portal_asks_for_nothing_and_shows_how_it_stands(service: Service, admin: Person) -> None:
    page = admin.read("/admin")
    assert needs(page) == {}
    assert "Tidak ada yang menunggu Anda" in page
    assert champions(service.home / "registry")[TOWN] in page


def test_what_needs_an_admin_stands_on_top_each_with_one_place_to_go(
    service: Service, admin: Person, registry: Path
) -> None:
    in_force = champions(registry)[TOWN]
    copy_release(
        registry / in_force, registry, f"{TOWN}-20990101-00000000", created_at="2099-01-01T00:00:00+00:00",
        gate={"agrees": False, "against": in_force, "reasons": ["Lebih buruk pada sampah."]},
    )  # fmt: skip
    asked = service.asked()
    with service.database.begin() as connection:
        webhooks.add_endpoint(connection, TOWN, "https://portal.example/x", ["suggestion.created"])
    service.asked(text="Sampah menumpuk depan pasar")
    with service.database.begin() as connection:
        connection.execute(update(webhook_deliveries).values(state="dead", last_error="tidak dijawab"))
        connection.execute(
            update(suggestions).where(suggestions.c.id == asked["id"]).values(state="open", route="emergency")
        )
        job = jobs.enqueue(connection, TOWN, jobs.TRAINING, {"datasets": [], "reason": ""}, "user:sari")
        connection.execute(
            update(jobs.jobs).values(state="failed", error="Data kosong.\n  - x", finished_at=datetime.now(UTC))
        )
        decided = {"sequence": 1, "agency": "dinas-perhubungan", "by": "x", "reason": "", "source": "api"}
        connection.execute(
            insert(dispositions).values(
                id="d", portal=TOWN, suggestion_id=asked["id"], outcome="accepted", undone=False,
                created_at=datetime.now(UTC), **decided,
            )
        )  # fmt: skip
    page = admin.read("/admin")
    found = needs(page)
    assert found == {
        "1 laporan darurat menunggu": "/desk",
        "1 pesan webhook gagal terkirim": "/admin/akses#webhook",
        "Pelatihan terakhir gagal": f"/admin/pelatihan/{job.id}",
        "Rilis penantang menunggu keputusan": f"/admin/rilis/{TOWN}-20990101-00000000",
        "1 disposisi baru sejak pelatihan terakhir": "/admin/pelatihan",
    }
    assert next(iter(found)) == "1 laporan darurat menunggu"
    assert "Lebih buruk pada sampah." in page
    with signed_in(service, "besar", portal="kota-besar") as other:
        assert needs(other.read("/admin")) == {}


def test_a_backup_that_is_known_of_is_shown(service: Service, admin: Person) -> None:
    assert "Cadangan terakhir" not in admin.read("/admin")
    with service.database.begin() as connection:
        audit.record(connection, portal="", who="cli:root", action="backup", subject="aduan.zip")
    assert "Cadangan terakhir" in admin.read("/admin")


def test_steps_are_ticked_as_they_are_done(service: Service, admin: Person) -> None:
    with service.database.begin() as connection:
        for key in keys.of_portal(connection, TOWN):
            keys.revoke(connection, key.id)
        keys.create(connection, TOWN, keys.FIRST_KEY, keys.SCOPES)
    assert done(admin.read("/admin")) == ["Portal", "Pelatihan pertama"]
    with service.database.begin() as connection:
        datasets.add(connection, portal=TOWN, name="x", content=b"", rows=7, fingerprint="x", by="user:sari")
    page = admin.read("/admin")
    assert done(page) == ["Portal", "Data berlabel", "Pelatihan pertama"]
    assert "7 laporan dalam 1 kumpulan data" in page
    assert admin.send("/admin/coba", text=LAMP).status_code == 200
    assert admin.send("/admin/akses/kunci", nama="Portal", lingkup="suggest", masa="0").status_code == 200
    with signed_in(service, "made", "staff"):
        page = admin.read("/admin")
    assert "Langkah pertama" not in page


def test_the_first_suggestion_is_asked_right_there_and_its_text_is_not_kept(service: Service, admin: Person) -> None:
    answer = admin.send("/admin/coba", text="Lampu jalan mati, hubungi 081234567890")
    assert "Dinas Perhubungan" in answer.text
    assert "Lampu jalan" in answer.text
    with service.database.connect() as connection:
        entry = audit.last(connection, TOWN, "suggestion.try")
        assert connection.execute(suggestions.select()).all() == []
    assert entry is not None
    assert (entry.who, entry.detail) == ("user:sari", {})
    empty = admin.send("/admin/coba", text="  ")
    assert (empty.status_code, "Tulis isi laporannya" in empty.text) == (422, True)


def test_a_training_is_begun_once(service: Service, admin: Person) -> None:
    begun = [admin.send("/admin/latih").headers["location"] for _ in range(2)]
    assert begun == ["/admin/pelatihan?pesan=dimulai", "/admin/pelatihan?pesan=sudah"]
    with service.database.connect() as connection:
        (job,) = jobs.newest(connection, TOWN, jobs.TRAINING)
    assert job.request == {"datasets": [], "reason": ""}
    assert needs(admin.read("/admin")) == {"Pelatihan menunggu pekerja": "/admin/pelatihan"}


def test_the_shipped_sample_is_one_click_for_its_own_portal_alone(tmp_path: Path, database_url: str) -> None:
    empty = tmp_path / "registry"
    empty.mkdir()
    with serving(tmp_path / "home", empty, database_url) as service, signed_in(service, portal="denpasar") as admin:
        before = admin.read("/admin")
        assert done(before) == []
        assert "Mulai dengan contoh Pro Denpasar" in before
        assert admin.send("/admin/coba", text=LAMP).status_code == 422
        assert admin.send("/admin/contoh").headers["location"] == "/admin?pesan=contoh"
        assert admin.send("/admin/contoh").headers["location"] == "/admin?pesan=contoh-ada"
        page = admin.read("/admin")
        assert done(page) == ["Portal", "Data berlabel"]
        assert "125 instansi, 136 kategori" in page
        assert "3.130 laporan" in page
        with service.database.connect() as connection:
            actions = [entry.action for entry in audit.entries(connection, "denpasar")]
        assert actions[:2] == ["dataset.add", "portal.change"]
        with signed_in(service, "besar", portal="kota-besar") as other:
            assert "contoh Pro Denpasar" not in other.read("/admin")
            assert other.send("/admin/contoh").status_code == 422


def test_a_release_that_cannot_be_used_is_told_of(service: Service, admin: Person, registry: Path) -> None:
    broken = copy_release(registry / champions(registry)[TOWN], registry, f"{TOWN}-20980101-00000000")
    promote(registry, broken, reason="uji")
    (registry / broken / "weights.npy").write_bytes(b"rusak")
    service.app.state.in_force.refresh()
    assert needs(admin.read("/admin")) == {f"Rilis {broken} tidak dapat dipakai": "/admin/rilis"}


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("staff", 403), ("senior", 403)])
def test_an_auditor_reads_and_changes_nothing(service: Service, role: str, status: int) -> None:
    with signed_in(service, "made", role) as person:
        answer = person.client.get("/admin")
        assert answer.status_code == status
        assert "<form" not in answer.text
        assert [person.send(f"/admin/{act}", text=LAMP).status_code for act in ("latih", "contoh", "coba")] == [403] * 3


def test_a_form_from_elsewhere_begins_nothing(service: Service, admin: Person) -> None:
    for act in ("latih", "contoh", "coba"):
        assert admin.client.post(f"/admin/{act}", data={"csrf": "salah", "text": LAMP}).status_code == 403
    with service.database.connect() as connection:
        assert jobs.newest(connection, TOWN, jobs.TRAINING) == []
