"""Labelled data on the admin desk: a file is shown, masked, checked, mended, added, and its versions kept."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from openpyxl import Workbook
from served import Service, serving
from signed_in import Person, signed_in
from sqlalchemy import select

from service.check_jobs import check
from service.database import audit, datasets, drafts, jobs
from service.database.drafts import Draft
from service.database.learning_data import learning_rows
from service.database.schema import schema
from service.dataset_content import WHERE, from_content
from service.settings import Settings
from service.worker import LEASE, work

SMALL = "kota-kecil"
DATA = "/admin/data"
LAMPS, WASTE, ROADS = "Dinas Perhubungan", "Dinas Kebersihan", "Dinas Pekerjaan Umum"
NIK, PHONE, NAME = "5171010101900001", "081234567890", "Komang Ayu Pertiwi"
STRANGE = (
    ("REKAP ADUAN TAHUN 2025",),
    (),
    ("No. Tiket", "Tgl Masuk", "Nama Pelapor", "No HP", "Uraian Keluhan", "OPD Tujuan", "Status"),
    ("T-1", "12/11/2025", NAME, PHONE, f"Lampu jalan di depan pasar mati, hubungi {PHONE}", LAMPS, "Selesai"),
    ("T-2", "13/11/2025", NAME, PHONE, f"Sampah menumpuk di depan sekolah, NIK saya {NIK}", WASTE, "Selesai"),
    ("T-3", "14/11/2025", NAME, PHONE, "Jalan rusak parah di gang belakang balai", ROADS, "Proses"),
)
LAPOR = (
    ("Tracking ID", "Nama Pelapor", "Isi Laporan Awal", "Isi Laporan Akhir", "Instansi Terdisposisi"),
    ("7001", NAME, f"Lampu mati di gang kami, telepon {PHONE}", "Sudah ditangani", LAMPS),
    ("7002", NAME, "", "Sudah ditangani", WASTE),
)


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as served:
        yield served


@pytest.fixture
def admin(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


def workbook(rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def table(*rows: Mapping[str, str]) -> bytes:
    file = io.StringIO()
    written = csv.DictWriter(file, ("id", "received_at", "title", "text", "agency", "category"))
    written.writeheader()
    written.writerows(rows)
    return file.getvalue().encode()


def send(
    person: Person, path: str, content: bytes, name: str = "data.csv", mapping: Mapping[str, str] | None = None,
    **fields: str,
) -> httpx.Response:  # fmt: skip
    """A file in a form, as a browser without scripts sends it."""
    told: dict[str, Any] = {"csrf": person.csrf, **fields}
    if mapping is not None:
        told |= {"judul": list(mapping), "arti": list(mapping.values())}
    return person.client.post(path, data=told, files={"berkas": (name, content)})


def uploaded(person: Person, content: bytes, name: str = "data.csv", **more: Any) -> str:
    """The page of the draft that comes of a file."""
    answer = send(person, f"{DATA}/draf", content, name, **more)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def settings_of(service: Service) -> Settings:
    return Settings(home=service.home, database_url=service.database.engine.url.render_as_string(False))


def check_all(service: Service) -> None:
    """Every check that waits, in this very process."""
    while True:
        with service.database.begin() as connection:
            job = jobs.claim(connection, datetime.now(UTC), LEASE, [jobs.CHECK])
        if job is None:
            return
        result = check(job, settings_of(service), lambda _: None)
        with service.database.begin() as connection:
            jobs.finish(connection, job, jobs.DONE, result=result)


def draft_of(service: Service, page: str) -> Draft:
    with service.database.connect() as connection:
        return drafts.one(connection, SMALL, page.rpartition("/")[2])


def rows_of(service: Service, page: str) -> list[dict[str, str]]:
    with service.database.connect() as connection:
        return list(from_content(drafts.content(connection, SMALL, page.rpartition("/")[2])))


def checked(service: Service, person: Person, *rows: Mapping[str, str]) -> str:
    page = uploaded(person, table(*rows))
    check_all(service)
    return page


def finding(service: Service, page: str, code: str) -> dict[str, Any]:
    found = draft_of(service, page).findings or {}
    return next(item for item in found["findings"] if item["code"] == code)


def fix(person: Person, page: str, code: str, act: str, case: str = "") -> httpx.Response:
    return person.send(f"{page}/perbaikan", temuan=code, kasus=case, cara=act)


def case_with(service: Service, page: str, code: str, label: str) -> str:
    return next(str(case["key"]) for case in finding(service, page, code)["cases"] if case["label"] == label)


def added(service: Service, person: Person, page: str, name: str = "Arsip", replaces: str = "") -> str:
    """The id of the data set that comes of a draft."""
    answer = person.send(f"{page}/tambahkan", nama=name, ganti=replaces)
    assert answer.status_code == 303, answer.text
    with service.database.connect() as connection:
        return datasets.kept(connection, SMALL)[-1].id


def learned(service: Service) -> list[tuple[str, str]]:
    """Id and agency of all that a training would learn."""
    with service.database.connect() as connection:
        return [(row.get("id"), row.get("agency")) for row in learning_rows(connection, SMALL)]


def row(number: int, text: str, agency: str, **more: str) -> dict[str, str]:
    return {"id": f"A-{number}", "received_at": f"2025-01-{number:02}", "text": text, "agency": agency, **more}


def chosen(page: str) -> dict[str, str]:
    """What each header of a mapping is taken for."""
    rows = re.findall(r'name="judul" value="([^"]+)">(.*?)</select>', page, re.DOTALL)
    meant = [(header, re.search(r'value="([^"]*)" selected', options)) for header, options in rows]
    return {header: found[1] if found else "" for header, found in meant}


def test_a_file_with_strange_headers_is_shown_masked_and_nothing_of_it_is_kept(service: Service, admin: Person) -> None:
    answer = send(admin, f"{DATA}/pratinjau", workbook(STRANGE), "rekap.xlsx")
    assert answer.status_code == 200, answer.text
    assert chosen(answer.text) == {
        "No. Tiket": "id", "Tgl Masuk": "received_at", "No HP": "", "Uraian Keluhan": "text", "OPD Tujuan": "agency",
        "Status": "",
    }  # fmt: skip
    assert "Nama Pelapor" in answer.text
    assert "mati, hubungi [TELEPON]" in answer.text
    assert not any(secret in answer.text for secret in (NAME, PHONE, NIK))
    with service.database.connect() as connection:
        assert drafts.every(connection, SMALL) == []


def test_the_mapping_that_a_person_gave_is_the_one_that_counts(service: Service, admin: Person) -> None:
    mapping = {"No. Tiket": "", "Uraian Keluhan": "text", "OPD Tujuan": "agency", "Status": "category"}
    page = uploaded(admin, workbook(STRANGE), "rekap.xlsx", mapping=mapping)
    rows = rows_of(service, page)
    assert [(row["id"], row["agency"], row["category"], row[WHERE]) for row in rows] == [
        ("", LAMPS, "Selesai", "baris 4"), ("", WASTE, "Selesai", "baris 5"), ("", ROADS, "Proses", "baris 6"),
    ]  # fmt: skip


def test_a_header_that_must_not_be_read_cannot_be_mapped(service: Service, admin: Person) -> None:
    mapping = {"Nama Pelapor": "title", "Uraian Keluhan": "text", "OPD Tujuan": "agency"}
    page = uploaded(admin, workbook(STRANGE), "rekap.xlsx", mapping=mapping)
    assert {row["title"] for row in rows_of(service, page)} == {""}


def test_a_lapor_export_is_read_as_it_comes_and_says_what_it_left_out(service: Service, admin: Person) -> None:
    page = uploaded(admin, workbook(LAPOR), "ekspor.xlsx")
    (only,) = rows_of(service, page)
    assert (only["id"], only["text"], only["agency"]) == ("7001", "Lampu mati di gang kami, telepon [TELEPON]", LAMPS)
    shown = admin.read(page)
    assert "1 baris dilewati" in shown
    assert "baris 3, isi laporan: Kosong" in shown
    assert "Nomor telepon disamarkan pada 1 laporan" in shown


def test_without_a_script_unknown_headers_are_answered_with_the_columns_to_map(admin: Person) -> None:
    first = send(admin, f"{DATA}/draf", workbook(STRANGE), "rekap.xlsx")
    assert first.status_code == 422
    assert "Pilih berkas yang sama sekali lagi" in first.text
    mapping = chosen(first.text)
    assert mapping["Uraian Keluhan"] == "text"
    for wrong, said in (
        ({**mapping, "Uraian Keluhan": ""}, "Tentukan kolom mana yang berisi isi laporan."),
        ({**mapping, "OPD Tujuan": ""}, "Tentukan sedikitnya satu kolom jawaban"),
        ({**mapping, "Status": "agency"}, "Dipilih untuk lebih dari satu kolom: Instansi tujuan."),
    ):
        again = send(admin, f"{DATA}/draf", workbook(STRANGE), "rekap.xlsx", wrong)
        assert (again.status_code, said in again.text) == (422, True), said
        assert chosen(again.text) == wrong
    assert uploaded(admin, workbook(STRANGE), "rekap.xlsx", mapping=mapping)


def test_a_text_of_old_excel_is_read_and_the_person_is_asked_to_look(service: Service, admin: Person) -> None:
    content = f"Isi Aduan;Instansi\nKafé depan pasar bising – tiap malam;{LAMPS}\n".encode("cp1252")
    shown = send(admin, f"{DATA}/pratinjau", content).text
    assert "dibaca sebagai Windows-1252" in shown
    assert "Kafé depan pasar bising – tiap malam" in shown
    page = uploaded(admin, content, mapping=chosen(shown))
    assert rows_of(service, page)[0]["text"] == "Kafé depan pasar bising – tiap malam"
    assert "Windows-1252" in admin.read(page)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"\x80\x05pickle", "model.csv", "bukan teks UTF-8"),
        (b"", "kosong.csv", "kosong"),
        (b"text,agency\nx,y\n", "data.exe", "&#39;.exe&#39; tidak diterima"),
        (b"text,agency\n,\n", "data.csv", "tidak ada satu baris pun"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    admin: Person, content: bytes, name: str, said: str
) -> None:
    refused = send(admin, f"{DATA}/draf", content, name)
    assert (refused.status_code, said in refused.text, "<h1" in refused.text) == (422, True, True), refused.text
    admin.client.headers["X-CSRF-Token"] = admin.csrf
    piece = send(admin, f"{DATA}/draf", content, name)
    assert (piece.status_code, said in piece.text, "<h1" in piece.text) == (422, True, False)
    missing = admin.client.post(f"{DATA}/draf", data={"csrf": admin.csrf}, files={"lain": ("x", b"")})
    assert (missing.status_code, "Pilih berkas dahulu" in missing.text) == (422, True)


def test_nothing_unmasked_reaches_the_database_on_the_whole_way(service: Service, admin: Person) -> None:
    mapping = {"No HP": "channel", "Uraian Keluhan": "text", "OPD Tujuan": "agency"}
    page = uploaded(admin, workbook(STRANGE), f"rekap {PHONE}.xlsx", mapping=mapping)
    check_all(service)
    dataset = added(service, admin, page, name=f"Telepon {PHONE}")
    admin.send(f"{DATA}/{dataset}/perbaiki")
    check_all(service)
    with service.database.connect() as connection:
        kept = [repr(found) for table in schema.sorted_tables for found in connection.execute(select(table))]
        for _, content in datasets.contents(connection, SMALL):
            kept += map(repr, from_content(content))
        for draft in drafts.every(connection, SMALL):
            kept += map(repr, from_content(drafts.content(connection, SMALL, draft.id)))
    assert any("hubungi [TELEPON]" in text for text in kept)
    assert [secret for secret in (NIK, PHONE, "Komang") if any(secret in text for text in kept)] == []


def test_a_draft_is_watched_while_it_is_checked_and_shows_what_was_found(service: Service, admin: Person) -> None:
    page = uploaded(admin, table(row(1, "lampu mati", "Dinas Kucing"), row(2, "jalan rusak", ROADS)))
    assert "Menunggu giliran diperiksa" in admin.read(page)
    with service.database.begin() as connection:
        job = jobs.claim(connection, datetime.now(UTC), LEASE)
        assert job is not None
        jobs.heartbeat(connection, job, datetime.now(UTC), LEASE, {"stage": "membersihkan teks", "done": 1, "total": 2})
    piece = admin.read(f"{page}/kemajuan")
    assert '<progress class="meter" max="2" value="1"' in piece
    assert "Membersihkan teks" in piece
    check(job, settings_of(service), lambda _: None)
    assert "data-done" in admin.read(f"{page}/kemajuan")
    assert "Label yang tidak dikenal portal" in admin.read(page)


def test_a_check_that_failed_is_told_and_can_be_begun_again(service: Service, admin: Person) -> None:
    page = uploaded(admin, table(row(1, "lampu mati", LAMPS)))
    with service.database.begin() as connection:
        job = jobs.claim(connection, datetime.now(UTC), LEASE)
        assert job is not None
        jobs.finish(connection, job, jobs.FAILED, error="Memori habis.")
    assert "Memori habis." in admin.read(page)
    assert admin.send(f"{page}/periksa").status_code == 303
    check_all(service)
    assert draft_of(service, page).findings is not None


def test_a_check_that_was_killed_is_taken_up_again(service: Service, admin: Person) -> None:
    page = uploaded(admin, table(row(1, "lampu mati", "Dinas Kucing")))
    with service.database.begin() as connection:
        # As if a worker had taken it a while ago and died.
        killed = jobs.claim(connection, datetime.now(UTC) - 2 * LEASE, LEASE)
    assert killed is not None
    stop = Event()
    worker = Thread(target=work, args=(service.database, settings_of(service), stop, LEASE))
    worker.start()
    try:
        deadline = datetime.now(UTC) + timedelta(seconds=90)
        while draft_of(service, page).findings is None:
            assert datetime.now(UTC) < deadline
            stop.wait(0.1)
    finally:
        stop.set()
        worker.join()
    with service.database.connect() as connection:
        assert jobs.one(connection, SMALL, killed.id).attempts == 2


UNKNOWN = (
    row(1, "lampu gang mati", "Dinas Perhubungn", category="Lampu jalan"),
    row(2, "kucing liar di pasar", "Dinas Kucing", category="Sampah"),
    row(3, "anjing liar di pasar", "Dinas Kucing"),
    row(4, "jalan berlubang di pasar", ROADS),
)


def test_an_unknown_label_is_mapped_to_an_agency_of_the_portal(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    case = case_with(service, page, "unknown_label", "Dinas Perhubungn")
    shown = admin.read(page)
    assert "Ganti menjadi Dinas Perhubungan" in shown
    assert "<strong>Dinas Kucing</strong>" in shown
    assert "“kucing liar di pasar”" in shown
    answer = fix(admin, page, "unknown_label", "ganti", case)
    assert answer.headers["location"] == f"{page}?pesan=diperbaiki#temuan-unknown_label"
    fix(admin, page, "unknown_label", f"ganti:{WASTE}", case_with(service, page, "unknown_label", "Dinas Kucing"))
    shown = admin.read(page)
    assert "Instansi diganti menjadi Dinas Kebersihan pada 2 laporan" in shown
    added(service, admin, page)
    assert learned(service) == [("A-1", LAMPS), ("A-2", WASTE), ("A-3", WASTE), ("A-4", ROADS)]


def test_a_label_that_is_ignored_leaves_what_else_a_row_teaches(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    fix(admin, page, "unknown_label", "kosongkan", case_with(service, page, "unknown_label", "Dinas Kucing"))
    assert "tersisa dari 4" in admin.read(page)
    added(service, admin, page)
    assert learned(service) == [("A-1", "Dinas Perhubungn"), ("A-2", ""), ("A-4", ROADS)]


def test_rows_of_a_label_are_left_out_and_come_back(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    case = case_with(service, page, "unknown_label", "Dinas Kucing")
    fix(admin, page, "unknown_label", "buang", case)
    assert '<span class="left-number">2</span>' in admin.read(page)
    admin.send(f"{page}/perbaikan/batal", temuan="unknown_label", kasus=case)
    assert '<span class="left-number">4</span>' in admin.read(page)
    assert draft_of(service, page).fixes == []


def test_all_slips_of_spelling_are_mended_at_once_and_taken_back_at_once(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN, row(5, "lampu padam di gang", "Dinas Pekerjan Umum"))
    assert fix(admin, page, "unknown_label", "ejaan").status_code == 303
    assert [(fix.value, fix.rows) for fix in draft_of(service, page).fixes] == [
        (ROADS, ["baris 6"]),
        (LAMPS, ["baris 2"]),
    ]
    admin.send(f"{page}/perbaikan/batal", temuan="unknown_label")
    assert draft_of(service, page).fixes == []


CONFLICT = (
    row(1, "air got meluap ke jalan depan pasar", ROADS),
    row(2, "air got meluap ke jalan depan pasar", ROADS),
    row(3, "air got meluap ke jalan depan pasar", WASTE),
    row(4, "lampu gang mati", LAMPS),
)


@pytest.mark.parametrize(
    ("act", "kept"),
    [
        (f"pertahankan:{ROADS}", ["A-1", "A-2", "A-4"]),
        (f"pertahankan:{WASTE}", ["A-3", "A-4"]),
        ("buang", ["A-4"]),
    ],
)
def test_of_labels_that_conflict_one_stays_or_none(service: Service, admin: Person, act: str, kept: list[str]) -> None:
    page = checked(service, admin, *CONFLICT)
    shown = admin.read(page)
    assert f"Pertahankan {ROADS} (terbanyak)" in shown
    assert f"Pertahankan {WASTE} (terbaru)" in shown
    assert fix(admin, page, "conflicting", "pertahankan:Dinas Kucing", "0").status_code == 422
    assert fix(admin, page, "conflicting", act, "0").status_code == 303
    added(service, admin, page)
    assert [number for number, _ in learned(service)] == kept


@pytest.mark.parametrize(("act", "kept"), [("terbanyak", ["A-1", "A-2", "A-5", "A-6"]), ("terbaru", ["A-3", "A-6"])])
def test_all_labels_that_conflict_are_settled_at_once_where_one_is_usual_or_newest(
    service: Service, admin: Person, act: str, kept: list[str]
) -> None:
    other = "tong sampah penuh di depan sekolah kami"
    page = checked(service, admin, *CONFLICT[:3], row(5, other, WASTE), row(6, other, LAMPS))
    assert fix(admin, page, "conflicting", act).status_code == 303
    added(service, admin, page)
    assert [number for number, _ in learned(service)] == kept


@pytest.mark.parametrize(
    ("code", "act", "kept"),
    [
        ("repeated", "buang", ["A-1", "A-3", "A-4", "A-5", "A-6"]),
        ("leaked", "buang", ["A-1", "A-2", "A-3", "A-5", "A-6"]),
        ("odd_date", "buang", ["A-1", "A-2", "A-3", "A-4", "A-6"]),
        ("odd_date", "kosongkan", ["A-1", "A-2", "A-3", "A-4", "A-5", "A-6"]),
        ("no_text", "buang", ["A-1", "A-2", "A-3", "A-4", "A-5"]),
    ],
)
def test_what_is_settled_at_once_is_settled_in_all_its_rows(
    service: Service, admin: Person, code: str, act: str, kept: list[str]
) -> None:
    page = checked(
        service,
        admin,
        row(1, "lampu gang mati", LAMPS),
        row(2, "Lampu gang mati!", LAMPS),
        row(3, "lampu gang mati", WASTE),
        row(4, "Yth. Dinas Perhubungan, mohon ditindaklanjuti. Rambu hilang di simpang", LAMPS),
        row(5, "jalan berlubang di pasar", ROADS) | {"received_at": "2099-01-01"},
        row(6, "", ROADS, title="Jalan rusak"),
    )
    assert fix(admin, page, code, act).status_code == 303
    dataset = added(service, admin, page)
    assert [number for number, _ in learned(service)] == kept
    with service.database.connect() as connection:
        moments = [cells["received_at"] for cells in from_content(datasets.content(connection, SMALL, dataset))]
    assert ("2099-01-01T00:00:00" in moments) == (code != "odd_date")


def test_what_is_not_offered_is_refused(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    case = case_with(service, page, "unknown_label", "Dinas Kucing")
    for code, act, key in (
        ("unknown_label", "ganti:Dinas Lain", case),
        ("unknown_label", "ganti", case),
        ("unknown_label", "terbaru", case),
        ("unknown_label", "buang", ""),
        ("unknown_label", "buang", "99"),
        ("leaked", "buang", ""),
    ):
        assert fix(admin, page, code, act, key).status_code == 422, (code, act, key)
    assert draft_of(service, page).fixes == []


def test_many_cases_are_listed_page_by_page(service: Service, admin: Person) -> None:
    page = checked(service, admin, *(row(number, f"laporan ke {'x' * number}", f"Badan Nomor {'y' * number}")
                                     for number in range(1, 31)))  # fmt: skip
    assert "Lihat semua 30" in admin.read(page)
    first = admin.read(f"{page}/temuan/unknown_label")
    assert (first.count('<li class="case"'), "?mulai=25" in first) == (25, True)
    last = admin.read(f"{page}/temuan/unknown_label?mulai=25")
    assert last.count('<li class="case"') == 5
    answer = admin.send(f"{page}/perbaikan", temuan="unknown_label", kasus="27", cara="buang", mulai="25")
    assert answer.headers["location"].startswith(f"{page}/temuan/unknown_label?mulai=25&")
    assert "Tidak ada satu baris pun" not in admin.read(page)


def test_a_draft_without_a_row_left_or_without_a_name_is_not_added(service: Service, admin: Person) -> None:
    page = checked(service, admin, row(1, "kucing liar", "Dinas Kucing"))
    unnamed = admin.send(f"{page}/tambahkan", nama=" ", ganti="")
    assert (unnamed.status_code, "Beri nama data ini." in unnamed.text) == (422, True)
    fix(admin, page, "unknown_label", "buang", "0")
    empty = admin.send(f"{page}/tambahkan", nama="Arsip lama", ganti="")
    assert (empty.status_code, "Tidak ada satu baris pun yang tersisa" in empty.text) == (422, True)
    assert 'value="Arsip lama"' in empty.text
    assert learned(service) == []


def test_the_same_rows_are_not_added_twice_and_the_draft_stays(service: Service, admin: Person) -> None:
    first, again = (checked(service, admin, row(1, "lampu mati", LAMPS)) for _ in range(2))
    added(service, admin, first, name="Januari")
    refused = admin.send(f"{again}/tambahkan", nama="Lagi", ganti="")
    assert (refused.status_code, "sudah ada: Januari, versi 1, masih dipakai" in refused.text) == (422, True)
    assert draft_of(service, again).name == "data.csv"


def test_a_new_version_takes_the_place_of_the_old_one_and_the_old_one_comes_back(
    service: Service, admin: Person
) -> None:
    old = added(service, admin, checked(service, admin, *UNKNOWN[:2]), name="Arsip")
    answer = admin.send(f"{DATA}/{old}/perbaiki")
    page = answer.headers["location"]
    check_all(service)
    assert f'<option value="{old}" selected>' in admin.read(page)
    fix(admin, page, "unknown_label", "ganti", case_with(service, page, "unknown_label", "Dinas Perhubungn"))
    new = added(service, admin, page, name="Arsip", replaces=old)
    assert learned(service) == [("A-1", LAMPS), ("A-2", "Dinas Kucing")]
    shown = admin.read(f"{DATA}/{old}")
    assert "versi lama, tidak dipakai" in shown
    assert f"{DATA}/{new}" in shown
    assert admin.send(f"{DATA}/{old}/pakai-lagi").headers["location"] == f"{DATA}/{old}?pesan=dipakai"
    assert learned(service) == [("A-1", "Dinas Perhubungn"), ("A-2", "Dinas Kucing")]
    assert "versi lama, tidak dipakai" in admin.read(f"{DATA}/{new}")
    listed = {found["id"]: (found["version"], found["replaced_by"]) for found in
              service.small.get("/v1/datasets").json()["datasets"]}  # fmt: skip
    assert listed == {old: (1, None), new: (2, old)}
    assert service.small.post("/v1/trainings", json={"datasets": [new]}).status_code == 404


def test_a_data_set_that_was_replaced_meanwhile_is_not_replaced_again(service: Service, admin: Person) -> None:
    old = added(service, admin, checked(service, admin, *UNKNOWN[:1]))
    first, second = (checked(service, admin, cells) for cells in UNKNOWN[2:])
    added(service, admin, first, replaces=old)
    refused = admin.send(f"{second}/tambahkan", nama="Arsip", ganti=old)
    assert (refused.status_code, "tidak dipakai lagi" in refused.text) == (422, True)


def test_a_file_is_uploaded_as_a_new_version(service: Service, admin: Person) -> None:
    old = added(service, admin, checked(service, admin, *UNKNOWN[:1]), name="Arsip")
    assert f'name="ganti" value="{old}"' in admin.read(f"{DATA}?ganti={old}")
    page = uploaded(admin, table(*UNKNOWN[3:]), ganti=old)
    assert draft_of(service, page).replaces == old


def test_removing_a_data_set_is_asked_about_first(service: Service, admin: Person) -> None:
    dataset = added(service, admin, checked(service, admin, *UNKNOWN))
    assert "Hapus data ini?" in admin.read(f"{DATA}/{dataset}/hapus")
    assert len(learned(service)) == 4
    assert admin.send(f"{DATA}/{dataset}/hapus").headers["location"] == f"{DATA}?pesan=dihapus"
    assert learned(service) == []
    assert admin.client.get(f"{DATA}/{dataset}").status_code == 404


def test_a_draft_is_thrown_away_with_its_check(service: Service, admin: Person) -> None:
    page = uploaded(admin, table(*UNKNOWN))
    job = draft_of(service, page).job_id or ""
    assert admin.send(f"{page}/buang").headers["location"] == f"{DATA}?pesan=dibuang"
    assert admin.client.get(page).status_code == 404
    with service.database.connect() as connection:
        assert jobs.one(connection, SMALL, job).state == "cancelled"


def test_who_did_what_is_in_the_audit_log(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    fix(admin, page, "unknown_label", "ejaan")
    added(service, admin, page)
    with service.database.connect() as connection:
        told = [(entry.action, entry.who) for entry in reversed(audit.entries(connection, SMALL))]
    assert [entry for entry in told if entry[0].startswith(("draft", "dataset"))] == [
        ("draft.add", "user:sari"), ("draft.fix", "user:sari"), ("dataset.add", "user:sari"),
    ]  # fmt: skip


def test_auditors_look_and_change_nothing_and_others_do_not_even_look(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    dataset = added(service, admin, checked(service, admin, *CONFLICT))
    with signed_in(service, "nyoman", "auditor") as auditor, signed_in(service, "putu", "staff") as staff:
        for path in (DATA, page, f"{page}/temuan/unknown_label", f"{DATA}/{dataset}"):
            shown = auditor.read(path)
            assert re.findall(r'<form[^>]+action="(/admin[^"]*)"', shown) == [], path
            assert staff.client.get(path).status_code == 403
        for path in changing(page, dataset):
            assert auditor.send(path).status_code == 403, path
            assert staff.send(path).status_code == 403, path
        assert auditor.client.get(f"{DATA}/{dataset}/hapus").status_code == 403


def changing(page: str, dataset: str) -> list[str]:
    """Every address that changes something."""
    of_draft = [f"{page}/{act}" for act in ("perbaikan", "perbaikan/batal", "periksa", "buang", "tambahkan")]
    of_dataset = [f"{DATA}/{dataset}/{act}" for act in ("perbaiki", "pakai-lagi", "hapus")]
    return [f"{DATA}/pratinjau", f"{DATA}/draf", *of_draft, *of_dataset]


def test_forms_from_elsewhere_change_nothing(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    dataset = added(service, admin, checked(service, admin, *CONFLICT))
    for path in changing(page, dataset):
        assert admin.client.post(path, data={"csrf": "lain", "nama": "x"}).status_code == 403, path
    assert len(learned(service)) == 4
    assert draft_of(service, page).fixes == []


def test_another_portal_sees_and_changes_nothing(service: Service, admin: Person) -> None:
    page = checked(service, admin, *UNKNOWN)
    dataset = added(service, admin, checked(service, admin, *CONFLICT))
    with signed_in(service, "made", portal="kota-besar") as other:
        assert dataset not in other.read(DATA)
        for path in (page, f"{page}/kemajuan", f"{page}/temuan/unknown_label", f"{DATA}/{dataset}"):
            assert other.client.get(path).status_code == 404, path
        for path in changing(page, dataset)[2:]:
            assert other.send(path, temuan="unknown_label", cara="buang", nama="x").status_code == 404, path
    assert len(learned(service)) == 4
