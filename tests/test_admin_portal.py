"""The portal and its taxonomy, as an admin changes them in a browser."""

import re
import shutil
from collections.abc import Iterator
from datetime import time
from html import unescape
from pathlib import Path

import httpx
import pytest
from portal_forms import changed, described
from served import LAMP, Service, serving
from signed_in import Person, signed_in

from router_model.portal import Portal
from router_model.registry import champion, champions, rollback
from router_model.resemblance_limits import ResemblanceLimits
from router_model.time_limits import TimeLimit
from service.database import audit, promotions
from service.portal_folders import portal_folder, versions

TOWN = "kota-kecil"
PAGE = "/admin/portal"
LAMPS, RUBBISH, ROADS = "dinas-perhubungan", "dinas-kebersihan", "dinas-pekerjaan-umum"
ABOUT_LAMPS = f"{PAGE}/instansi/{LAMPS}"


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


def refused(answer: httpx.Response, said: str) -> bool:
    return answer.status_code == 422 and said in unescape(answer.text)


def in_force(service: Service) -> Portal:
    """The portal that this process answers with."""
    service.app.state.in_force.refresh()
    portal: Portal = service.app.state.in_force.of(TOWN).release.portal
    return portal


def test_every_page_shows_its_part_of_the_portal(admin: Person) -> None:
    for path, said in {
        "": "Kota Kecil",
        "/instansi": "Dinas Kebersihan",
        "/instansi?cari=kebersih": "Dinas Kebersihan",
        f"/instansi/{LAMPS}": "Lampu jalan",
        "/instansi-baru": "Nama resmi",
        "/gabung": "Dinas Pekerjaan Umum",
        "/kategori": "Jalan rusak",
        "/kategori/sampah": "dinas-kebersihan Dinas Kebersihan",
        "/kategori-baru": "Kategori nasional",
        "/penerus": "Belum ada instansi yang berganti",
        "/darurat": "Nomor darurat",
        "/kalender": "Tambah hari",
        "/wilayah": "belum punya daftar wilayah",
        "/aturan": "Belum ada aturan.",
        "/versi": "Belum ada.",
    }.items():
        assert said in admin.read(PAGE + path), path
    assert "Dinas Kebersihan" not in admin.read(f"{PAGE}/instansi?cari=lampu").split("<tbody>")[1]
    for unknown in ("/instansi/tidak-ada", "/kategori/tidak-ada", "/berkas/secret", "/berkas/..%2F..%2Fsecret"):
        assert admin.client.get(PAGE + unknown).status_code == 404


def test_the_files_can_be_downloaded(service: Service, admin: Person) -> None:
    answer = admin.client.get(f"{PAGE}/berkas/agencies.csv")
    assert answer.content == (portal_folder(service.app.state.settings, TOWN) / "agencies.csv").read_bytes()
    assert answer.headers["content-disposition"] == 'attachment; filename="agencies.csv"'


def test_an_agency_is_renamed_and_its_old_name_stays_known(service: Service, admin: Person) -> None:
    answer = changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Mobilitas", how="sama")
    assert answer.headers["location"] == f"{ABOUT_LAMPS}?pesan=tersimpan"
    page = admin.read(answer.headers["location"])
    assert "Perubahan tersimpan" in page
    assert "Dapat diberlakukan sekarang tanpa melatih" in page
    agency = described(service).find_agency("Dinas Perhubungan")
    assert agency is not None
    assert (agency.code, agency.name) == (LAMPS, "Dinas Mobilitas")
    with service.database.connect() as connection:
        entry = audit.last(connection, TOWN, "portal.change")
    assert entry is not None
    assert (entry.who, entry.detail) == (
        "user:sari",
        {"version": 2, "what": "Dinas Perhubungan berganti nama menjadi Dinas Mobilitas."},
    )
    assert "berganti nama menjadi Dinas Mobilitas" in admin.read("/admin/audit")


def test_a_name_holds_without_a_training_when_it_is_asked_for(service: Service, admin: Person) -> None:
    changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Mobilitas", how="sama")
    assert in_force(service).agency[LAMPS].name == "Dinas Perhubungan"
    assert admin.send(f"{PAGE}/berlakukan").headers["location"] == f"{PAGE}?pesan=berlaku"
    assert in_force(service).agency[LAMPS].name == "Dinas Mobilitas"
    assert service.asked(text=LAMP)["agencies"][0]["name"] == "Dinas Mobilitas"
    assert "belum berlaku" not in admin.read(PAGE)
    with service.database.connect() as connection:
        entry = audit.last(connection, TOWN, promotions.KINDS[0])
    assert entry is not None
    assert (entry.who, entry.subject) == ("user:sari", champions(service.home / "registry")[TOWN])


def test_a_new_body_takes_over_from_a_day_on_and_waits_for_a_training(service: Service, admin: Person) -> None:
    changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Mobilitas", how="baru", day="2026-03-01")
    portal = described(service)
    assert (portal.agency[LAMPS].valid_to, portal.agency["dinas-mobilitas"].valid_from) == ("2026-02-28", "2026-03-01")
    assert "berlaku setelah pelatihan berikutnya" in admin.read(ABOUT_LAMPS)
    assert "Dinas Mobilitas" in admin.read(f"{PAGE}/penerus")
    assert refused(admin.send(f"{PAGE}/berlakukan"), "setelah pelatihan berikutnya")
    assert in_force(service).agency[LAMPS].valid_to == ""


def test_agencies_are_merged_split_and_ended(service: Service, admin: Person) -> None:
    into_new = changed(
        admin, f"{PAGE}/gabung", codes=[LAMPS, RUBBISH], into="", name="Dinas Perkotaan", day="2026-03-01"
    )
    assert into_new.status_code == 303
    assert {rule.agency for rule in described(service).successions} == {LAMPS, RUBBISH}
    roads = f"{PAGE}/instansi/{ROADS}"
    split = {"tindakan": "pisah", "categories": ["jalan-rusak"], "into": "dinas-perkotaan", "day": "2026-03-01"}
    assert changed(admin, roads, **split).status_code == 303
    assert ROADS not in described(service).retired
    assert changed(admin, roads, tindakan="akhiri", into="dinas-perkotaan", day="2026-04-01").status_code == 303
    portal = described(service)
    assert [agency.code for agency in portal.living_agencies] == ["dinas-perkotaan"]
    assert "Urusannya pindah ke" in admin.read(roads)
    assert admin.read(f"{PAGE}/instansi?keadaan=berakhir").count("<tr data-row") == 3


def test_details_of_an_agency_and_a_new_one_are_written(service: Service, admin: Person) -> None:
    details = {
        "kind": "dinas",
        "aliases": "LLAJ\nDishub; Hubdar",
        "responsibilities": "lampu",
        "channel": "151",
        "external": "ya",
    }
    assert changed(admin, ABOUT_LAMPS, tindakan="ubah", **details).status_code == 303
    agency = described(service).agency[LAMPS]
    assert (agency.aliases, agency.channel, agency.external) == (("LLAJ", "Dishub", "Hubdar"), "151", True)
    new = changed(admin, f"{PAGE}/instansi-baru", name="Dinas Taman", **details | {"aliases": ""})
    assert new.status_code == 303
    assert described(service).agency["dinas-taman"].kind == "dinas"


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        (ABOUT_LAMPS, {"tindakan": "nama", "name": "Dinas Kebersihan", "how": "sama"}, "Sudah ada instansi bernama"),
        (ABOUT_LAMPS, {"tindakan": "nama", "name": "Baru", "how": "baru", "day": "besok"}, "Isi tanggal"),
        (ABOUT_LAMPS, {"tindakan": "nama", "name": "Baru", "how": "baru", "day": "0001-01-01"}, "Tahun harus"),
        (ABOUT_LAMPS, {"tindakan": "ubah", "kind": "dinas", "certainty": "Z"}, "kolom certainty: 'Z'"),
        (ABOUT_LAMPS, {"tindakan": "ubah", "kind": "dinas", "territory": "Antah"}, "Tidak ada di territory.csv"),
        (ABOUT_LAMPS, {"tindakan": "akhiri", "into": "tidak-ada", "day": "2026-03-01"}, "masih berlaku"),
        (f"{PAGE}/gabung", {"codes": LAMPS, "into": "", "name": "x", "day": "2026-03-01"}, "sedikitnya dua"),
        (f"{PAGE}/instansi-baru", {"name": "Dinas Baru", "kind": "dinas", "code": LAMPS}, "sudah dipakai"),
        (f"{PAGE}/kategori/sampah", {"tindakan": "ubah", "name": "Sampah", "agencies": "Entah"}, "Bukan instansi"),
        (f"{PAGE}/kategori/sampah", {"tindakan": "ubah", "name": "Sampah", "parent": "entah"}, "kolom parent: 'entah'"),
        (f"{PAGE}/darurat", {"name-0": "Polisi", "number-0": ""}, "Isi nama, nomor"),
        (f"{PAGE}/kalender", {"day": "2026-02-30", "kind": "libur", "name": "x"}, "Isi tanggal"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_beside_its_field_and_nothing_changes(
    service: Service, admin: Person, path: str, fields: dict[str, str], said: str
) -> None:
    answer = changed(admin, path, **fields)
    assert refused(answer, said), answer.text
    assert "tidak ada yang berubah" in answer.text
    assert 'aria-invalid="true"' in answer.text or "-salah" in answer.text
    assert versions(service.app.state.settings, TOWN) == []
    with service.database.connect() as connection:
        assert audit.last(connection, TOWN, "portal.change") is None


def test_a_body_that_alone_owns_a_category_cannot_end_without_an_heir(service: Service, admin: Person) -> None:
    answer = changed(admin, ABOUT_LAMPS, tindakan="akhiri", into="", day="2026-03-01")
    assert refused(answer, "tidak berlaku lagi, penerusnya tidak ada")
    assert described(service).agency[LAMPS].valid_to == ""


def test_a_form_that_is_older_than_the_last_change_is_refused(service: Service, admin: Person) -> None:
    found = re.search(r'name="versi" value="(\w+)"', admin.read(ABOUT_LAMPS))
    assert found
    with signed_in(service, "made") as other:
        changed(other, ABOUT_LAMPS, tindakan="nama", name="Dinas Mobilitas", how="sama")
    late = admin.send(ABOUT_LAMPS, versi=found[1], tindakan="nama", name="Dinas Transportasi", how="sama")
    assert (late.status_code, "diubah orang lain" in late.text) == (409, True)
    assert described(service).agency[LAMPS].name == "Dinas Mobilitas"


def test_categories_are_added_changed_and_ended(service: Service, admin: Person) -> None:
    branch = changed(admin, f"{PAGE}/kategori-baru", name="Prasarana", agencies="")
    assert branch.status_code == 303
    lamps = f"{PAGE}/kategori/lampu-jalan"
    described_as = {
        "name": "Penerangan",
        "parent": "prasarana",
        "national_name": "LAMPU",
        "agencies": "Dinas Perhubungan",
    }
    assert changed(admin, lamps, tindakan="ubah", **described_as).status_code == 303
    leaf = described(service).leaf["lampu-jalan"]
    assert (leaf.parent, leaf.national_name, leaf.units, leaf.aliases) == (
        "prasarana",
        "LAMPU",
        {LAMPS},
        ("Lampu jalan",),
    )
    assert changed(admin, f"{PAGE}/kategori/sampah", tindakan="akhiri", into="lampu-jalan").status_code == 303
    found = described(service).find_category("Sampah")
    assert found is not None
    assert found.code == "lampu-jalan"


def test_emergency_numbers_are_shown_to_citizens_within_seconds(service: Service, admin: Person) -> None:
    changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Mobilitas", how="sama")
    numbers = {"name-0": "Satu nomor", "number-0": "112", "certainty-0": "A", "name-1": "", "number-1": ""}
    answer = changed(admin, f"{PAGE}/darurat", **numbers)
    assert answer.headers["location"] == f"{PAGE}/darurat?pesan=nomor"
    assert "bukan yang tertulis di sini" not in admin.read(f"{PAGE}/darurat")
    portal = in_force(service)
    assert [(one.name, one.number) for one in portal.emergency_contacts] == [("Satu nomor", "112")]
    assert portal.agency[LAMPS].name == "Dinas Perhubungan"
    assert "bukan yang tertulis di sini" not in admin.read(f"{PAGE}/darurat")
    rollback(service.home / "registry", TOWN)
    assert in_force(service).emergency_contacts == ()
    assert "bukan yang tertulis di sini" in admin.read(f"{PAGE}/darurat")
    assert "Nomor darurat yang tampil berbeda" in admin.read("/admin")
    assert admin.send(f"{PAGE}/berlakukan", hanya="nomor").status_code == 303
    assert [one.number for one in in_force(service).emergency_contacts] == ["112"]


def test_deadlines_and_days_of_the_calendar_are_kept(service: Service, admin: Person) -> None:
    found = re.search(r'name="versi" value="(\w+)"', admin.read(f"{PAGE}/darurat"))
    assert found
    deadline = {"days-pengaduan": "10", "source-pengaduan": "Perwali", "certainty-pengaduan": "B"}
    looking = {"days-verifikasi": "3", "source-verifikasi": "FAQ LAPOR!", "certainty-verifikasi": "A"}
    assert admin.send(f"{PAGE}/tenggat", versi=found[1], **deadline, **looking).status_code == 303
    assert described(service).limits.rows == {
        ("pengaduan", ""): TimeLimit(10, "Perwali", "B"),
        ("verifikasi", ""): TimeLimit(3, "FAQ LAPOR!", "A"),
    }
    found = re.search(r'name="versi" value="(\w+)"', admin.read(f"{PAGE}/darurat"))
    assert found
    assert refused(
        admin.send(f"{PAGE}/tenggat", versi=found[1], **deadline | {"days-pengaduan": "nol"}), "1 sampai 999"
    )
    urgent = {"days-pengaduan-darurat": "1", "source-pengaduan-darurat": "SOP", "certainty-pengaduan-darurat": "C"}
    assert changed(admin, f"{PAGE}/darurat", posted_to=f"{PAGE}/tenggat", **urgent).status_code == 303
    assert described(service).limits.of("pengaduan", "darurat") == TimeLimit(1, "SOP", "C")
    assert described(service).limits.of("pengaduan", "tinggi") == TimeLimit(10, "Perwali", "B")
    gone = {"days-pengaduan-darurat": "", "days-verifikasi": ""}
    assert changed(admin, f"{PAGE}/darurat", posted_to=f"{PAGE}/tenggat", **gone).status_code == 303
    assert described(service).limits.rows == {("pengaduan", ""): TimeLimit(10, "Perwali", "B")}
    day = {"day": "2099-03-20", "kind": "libur", "name": "Cuti bersama", "source": "SKB", "certainty": "A"}
    assert changed(admin, f"{PAGE}/kalender", **day).status_code == 303
    assert "20 Mar 2099" in admin.read(f"{PAGE}/kalender")
    assert [one.name for one in described(service).calendar] == ["Cuti bersama"]
    assert changed(admin, f"{PAGE}/kalender", hapus="2099-03-20").status_code == 303
    assert described(service).calendar == ()


def test_office_hours_and_what_counts_as_a_repeat_are_changed_beside_the_deadlines(
    service: Service, admin: Person
) -> None:
    duty = f"{PAGE}/darurat"
    assert "Tanpa isian berlaku pukul 16.00" in admin.read(duty)
    hours = {"closes": "15.30", "source": "Perwali", "certainty": "B"}
    found = re.search(r'name="versi" value="(\w+)"', admin.read(duty))
    assert found
    assert admin.send(f"{PAGE}/jam-kantor", versi=found[1], **hours).status_code == 303
    assert described(service).limits.closes == time(15, 30)
    assert 'value="15.30"' in admin.read(duty)
    late = admin.send(f"{PAGE}/jam-kantor", versi=found[1], **hours | {"closes": "15.00"})
    assert (late.status_code, described(service).limits.closes) == (409, time(15, 30))
    assert refused(changed(admin, duty, posted_to=f"{PAGE}/jam-kantor", closes="sore"), "contoh 15.30")
    limits = {"days": "45", "same_text": "0,8", "metres": "30", "source": "Rapat", "certainty": "C"}
    assert changed(admin, duty, posted_to=f"{PAGE}/serupa", **limits).status_code == 303
    assert described(service).resemblance.limits == ResemblanceLimits(days=45, same_text=0.8, metres=30)
    assert 'value="0,8"' in admin.read(duty)
    assert "Pengaturan laporan serupa berubah." in admin.read(duty)
    assert refused(changed(admin, duty, posted_to=f"{PAGE}/serupa", campaign="1"), "Kampanye mulai dari")
    assert "Kantor tutup pukul 15.30." in admin.read(f"{PAGE}/versi")


def test_an_earlier_version_is_put_back(service: Service, admin: Person) -> None:
    changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Mobilitas", how="sama")
    changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Transportasi", how="sama")
    assert changed(admin, f"{PAGE}/versi", nomor="2").headers["location"] == f"{PAGE}/versi?pesan=kembali"
    assert described(service).agency[LAMPS].name == "Dinas Mobilitas"
    page = admin.read(f"{PAGE}/versi")
    assert "Versi 2 dikembalikan." in page
    assert "Sebagaimana dalam rilis yang berlaku." in page
    assert refused(changed(admin, f"{PAGE}/versi", nomor="99"), "Versi 99 tidak ada")
    with service.database.connect() as connection:
        assert audit.last(connection, TOWN, "portal.restore")


def test_a_rule_that_no_longer_holds_is_deleted(service: Service, admin: Person) -> None:
    split = {"tindakan": "pisah", "categories": ["lampu-jalan"], "into": ROADS, "day": "2026-03-01"}
    changed(admin, ABOUT_LAMPS, **split)
    assert changed(admin, f"{PAGE}/penerus", row="0").status_code == 303
    assert described(service).successions == ()


def test_a_folder_that_was_broken_by_hand_is_shown_with_its_faults_and_mended_by_going_back(
    service: Service, admin: Person
) -> None:
    changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Mobilitas", how="sama")
    changed(admin, ABOUT_LAMPS, tindakan="nama", name="Dinas Transportasi", how="sama")
    agencies = service.home / "portals" / TOWN / "agencies.csv"
    agencies.write_text(agencies.read_text("utf-8").replace("Transportasi", "Kebersihan"), "utf-8")
    for path in ("", "/instansi", "/darurat"):
        assert "agencies.csv: nama &#39;dinas kebersihan&#39; dipakai dua kali" in admin.read(PAGE + path)
    assert "Folder portal belum bisa dipakai" in admin.read("/admin")
    assert changed(admin, f"{PAGE}/versi", nomor="2").status_code == 303
    assert described(service).agency[LAMPS].name == "Dinas Mobilitas"


def test_the_public_page_and_other_portals_are_left_alone(service: Service, admin: Person, registry: Path) -> None:
    before = champion(registry, "kota-besar").id
    changed(admin, f"{PAGE}/darurat", **{"name-0": "Satu", "number-0": "112", "certainty-0": "A"})
    assert champion(registry, "kota-besar").id == before
    with signed_in(service, "besar", portal="kota-besar") as other:
        assert "Perumda Air" in other.read(f"{PAGE}/instansi")
        assert other.client.get(ABOUT_LAMPS).status_code == 404
        assert "112" not in other.read(f"{PAGE}/darurat")


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("staff", 403), ("senior", 403)])
def test_only_an_admin_changes_anything(service: Service, admin: Person, role: str, status: int) -> None:
    found = re.search(r'name="versi" value="(\w+)"', admin.read(ABOUT_LAMPS))
    assert found
    with signed_in(service, "made", role) as person:
        for path in ("", "/instansi", f"/instansi/{LAMPS}", "/kategori/sampah", "/darurat", "/kalender", "/versi"):
            answer = person.client.get(PAGE + path)
            assert answer.status_code == status
            assert 'method="post"' not in answer.text
        for path in (f"instansi/{LAMPS}", "instansi-baru", "gabung", "kategori/sampah", "darurat", "kalender", "versi"):
            sent = person.send(f"{PAGE}/{path}", versi=found[1], tindakan="nama", name="Baru", how="sama")
            assert sent.status_code == 403
        assert person.client.get(f"{PAGE}/instansi-baru").status_code == 403
    assert described(service).agency[LAMPS].name == "Dinas Perhubungan"


def test_a_form_from_elsewhere_changes_nothing(service: Service, admin: Person) -> None:
    found = re.search(r'name="versi" value="(\w+)"', admin.read(ABOUT_LAMPS))
    assert found
    fields = {"csrf": "salah", "versi": found[1], "tindakan": "nama", "name": "Baru", "how": "sama"}
    assert admin.client.post(ABOUT_LAMPS, data=fields).status_code == 403
    assert described(service).agency[LAMPS].name == "Dinas Perhubungan"
