"""Rules and landmarks of the portal, as an admin reads and changes them in a browser."""

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from portal_forms import changed, described
from served import LAMP, Service, serving
from signed_in import Person, signed_in

from router_model.registry import champions, release_folder
from service.database import audit

TOWN = "kota-kecil"
RULES, PLACES = "/admin/portal/aturan", "/admin/portal/wilayah"
LAMPS, RUBBISH, ROADS = "dinas-perhubungan", "dinas-kebersihan", "dinas-pekerjaan-umum"
TERRITORY = """code,name,kind,district_code,aliases
99.01.01,Barat,kecamatan,,
99.01.01.1001,Mekar Sari,kelurahan,99.01.01,
99.01.01.1002,Tirta Sari,kelurahan,99.01.01,
"""
RULE = {
    "words": "lampu taman\ntaman kota+lampu",
    "without": "jalan provinsi",
    "categories": ["lampu-jalan"],
    "agency": ROADS,
    "never": ["@disebut"],
    "reason": "Lampu taman diurus Dinas Pekerjaan Umum.",
    "certainty": "B",
    "source": "SK 12",
}


@pytest.fixture
def service(towns: Path, tmp_path: Path) -> Iterator[Service]:
    registry = Path(shutil.copytree(towns, tmp_path / "registry"))
    folder = tmp_path / "home" / "portals" / TOWN
    shutil.copytree(release_folder(registry, champions(registry)[TOWN]) / "portal", folder)
    (folder / "territory.csv").write_text(TERRITORY, "utf-8")
    with serving(tmp_path / "home", registry, f"sqlite:///{tmp_path / 'aduan.db'}") as started:
        yield started


@pytest.fixture
def admin(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


def saved(answer: httpx.Response) -> bool:
    return answer.status_code == 303 and answer.headers["location"].endswith("pesan=tersimpan")


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(page)).split())


def test_a_rule_is_added_and_read_in_words(service: Service, admin: Person) -> None:
    assert "Belum ada aturan." in admin.read(RULES)
    assert saved(changed(admin, RULES, **RULE, places="Mekar Sari", **{"from": "2026-01-01"}))
    (rule,) = described(service).rules
    assert (rule.words, rule.without) == (("lampu taman", "taman kota+lampu"), ("jalan provinsi",))
    assert (rule.places, rule.agency, rule.never) == (("99.01.01.1001",), ROADS, ("@disebut",))
    shown = words(admin.read(RULES))
    assert "laporan menyebut “lampu taman” atau “taman kota” bersama “lampu”" in shown
    assert "kategorinya Lampu jalan; dan tempatnya Mekar Sari" in shown
    assert "diteruskan ke Dinas Pekerjaan Umum; tidak pernah ke instansi yang disebut namanya dalam laporan" in shown
    assert "sejak 1 Jan 2026" in shown and "Kepastian B: dari pemberitaan; SK 12" in shown
    with service.database.connect() as connection:
        entry = audit.last(connection, TOWN, "portal.change")
    assert entry is not None and entry.who == "user:sari" and rule.code in entry.detail["what"]


def test_a_rule_can_stand_before_another_be_ended_and_be_taken_away(service: Service, admin: Person) -> None:
    changed(admin, RULES, **RULE)
    first = described(service).rules[0].code
    changed(admin, RULES, words="lampu", agency=RUBBISH, reason="Lampu apa pun ke kebersihan.", before=first)
    codes = [rule.code for rule in described(service).rules]
    assert codes[1] == first and len(codes) == 2
    assert saved(changed(admin, RULES, akhiri=first, day="2025-12-31"))
    assert "sudah berakhir" in admin.read(RULES)
    assert str(described(service).rules[1].until) == "2025-12-31"
    assert saved(changed(admin, RULES, hapus=codes[0]))
    assert [rule.code for rule in described(service).rules] == [first]


def test_a_rule_holds_without_a_training_and_the_answer_names_it(service: Service, admin: Person) -> None:
    changed(admin, RULES, words="lampu", agency=ROADS, reason="Lampu diurus pekerjaan umum.", certainty="A")
    assert "Aturan berubah." in admin.read(RULES)
    assert admin.send("/admin/portal/berlakukan").status_code == 303
    service.app.state.in_force.refresh()
    answer = service.asked(text=f"{LAMP} di Mekar Sari")
    assert answer["rules"][0]["reason"] == "Lampu diurus pekerjaan umum."
    assert [reason["message"] for reason in answer["reasons"] if reason["code"] == "rule"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({**RULE, "reason": ""}, "Tulis kalimat yang menerangkan aturan ini"),
        ({**RULE, "words": "", "without": "", "categories": []}, "rules.csv baris 2: tanpa syarat"),
        ({**RULE, "agency": "", "never": []}, "rules.csv baris 2: tanpa akibat"),
        ({**RULE, "from": "2026-02-01", "to": "2026-01-01"}, "rules.csv baris 2, kolom to: 2026-01-01 sebelum from"),
        ({**RULE, "places": "Negeri Antah"}, "Tidak ada di territory.csv: Negeri Antah"),
        (
            {**RULE, "agency": "dinas-hilang"},
            "rules.csv baris 2, kolom agency: 'dinas-hilang' tidak ada di agencies.csv",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_what_was_typed_stays(
    service: Service, admin: Person, fields: dict[str, str | list[str]], said: str
) -> None:
    answer = changed(admin, RULES, **fields)
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert said in page
    assert 'value="SK 12"' in page
    assert described(service).rules == ()


def test_a_rule_follows_a_category_that_ends_in_another_and_goes_with_its_last_one(
    service: Service, admin: Person
) -> None:
    changed(admin, RULES, **RULE)
    place = "/admin/portal/kategori/lampu-jalan"
    assert saved(changed(admin, place, tindakan="akhiri", into="sampah"))
    assert described(service).rules[0].categories == ("sampah",)
    assert saved(changed(admin, "/admin/portal/kategori/sampah", tindakan="akhiri", into=""))
    assert described(service).rules == ()


def test_landmarks_are_added_counted_and_taken_away(service: Service, admin: Person) -> None:
    page = admin.read(PLACES)
    assert "Belum ada." in page and "2 kelurahan, 1 kecamatan" in words(page)
    fields = {"name": "Pasar Mekar", "kind": "tempat", "place": "Mekar Sari", "aliases": "Pasar Lama Mekar"}
    assert saved(changed(admin, PLACES, **fields, certainty="C", source="peta"))
    (landmark,) = described(service).landmarks
    assert (landmark.name, landmark.place, landmark.aliases) == ("Pasar Mekar", "99.01.01.1001", ("Pasar Lama Mekar",))
    shown = words(admin.read(PLACES))
    assert "Pasar Mekar Pasar Lama Mekar Tempat Kelurahan Mekar Sari" in shown
    assert "Barat 99.01.01 2 1" in shown
    assert "Patokan tempat berubah." in shown
    assert saved(changed(admin, PLACES, hapus="0"))
    assert described(service).landmarks == ()
    assert changed(admin, PLACES, hapus="0").status_code == 422


def test_a_landmark_that_cannot_be_is_refused_by_its_field(service: Service, admin: Person) -> None:
    answer = changed(admin, PLACES, name="Pasar", kind="tempat", place="Mekar Sari")
    assert answer.status_code == 422
    assert 'id="patokan-name-salah"' in answer.text and "hanya satu kata" in unescape(answer.text)
    nowhere = changed(admin, PLACES, name="Pasar Mekar", kind="tempat", place="Entah")
    assert 'id="patokan-place-salah"' in nowhere.text and 'value="Entah"' in nowhere.text
    assert described(service).landmarks == ()


def test_an_auditor_reads_and_changes_nothing(service: Service, admin: Person) -> None:
    changed(admin, RULES, **RULE)
    with signed_in(service, "agung", "auditor") as auditor:
        assert "Tambah aturan" not in auditor.read(RULES) and "Lampu taman" in auditor.read(RULES)
        assert "Tambah patokan" not in auditor.read(PLACES)
        assert auditor.send(RULES, hapus=described(service).rules[0].code).status_code == 403
        assert auditor.send(PLACES, name="Pasar Mekar").status_code == 403
