"""A portal's export fed back: each row finds its complaint, and what cannot be used is named."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook
from served import Service, serving
from sqlalchemy import select
from typer.testing import CliRunner

from service.cli import app
from service.database.database import Database
from service.database.schema import dispositions


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


def table(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    written = csv.DictWriter(text, ["id", "agency", "category", "urgency"])
    written.writeheader()
    written.writerows(rows)
    return text.getvalue().encode()


def send(service: Service, content: bytes, name: str = "ekspor.csv", **headers: str) -> httpx.Response:
    return service.small.post("/v1/dispositions/import", files={"file": (name, content)}, headers=headers)


def chosen(database: Database) -> list[tuple[Any, ...]]:
    columns = dispositions.c
    with database.connect() as connection:
        query = select(columns.agency, columns.category, columns.source, columns.outcome).order_by(columns.agency)
        return [tuple(row) for row in connection.execute(query)]


def test_rows_are_recorded_once_and_the_others_are_named(service: Service) -> None:
    for number in ("I-1", "I-2", "I-3"):
        service.asked(external_id=number)
    content = table(
        {"id": "I-1", "agency": "Dinas Perhubungan", "category": "Lampu jalan"},
        {"id": "I-2", "agency": "DINAS KEBERSIHAN", "category": "Kategori asing"},
        {"id": "I-3", "agency": "Dinas Antah Berantah"},
        {"id": "I-4", "agency": "Dinas Perhubungan"},
        {"id": "", "agency": "Dinas Perhubungan"},
        {"id": "I-5", "agency": ""},
    )
    first = send(service, content).json()
    assert (first["recorded"], first["unchanged"], first["unmatched"], first["faulty"]) == (2, 0, 1, 3)
    assert first["unmatched_ids"] == ["I-4"]
    assert sorted(fault["column"] for fault in first["faults"]) == ["agency", "agency", "category", "id"]
    assert all("baris" in fault["where"] for fault in first["faults"])
    assert chosen(service.database) == [
        ("dinas-kebersihan", None, "import", "changed"),
        ("dinas-perhubungan", "lampu-jalan", "import", "accepted"),
    ]
    again = send(service, content).json()
    assert (again["recorded"], again["unchanged"]) == (0, 2)
    assert len(chosen(service.database)) == 2


def test_a_lapor_export_is_read_as_it_comes_and_its_names_are_not_kept(service: Service) -> None:
    service.asked(external_id="7654321")
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.append(["Tracking ID", "Nama Pelapor", "Isi Laporan Awal", "Instansi Terdisposisi", "Status Laporan"])
    sheet.append([7654321, "Ni Made Rahasia", "Lampu jalan mati", "Dinas Perhubungan", "Selesai"])
    content = io.BytesIO()
    book.save(content)
    answer = send(service, content.getvalue(), "ekspor.xlsx")
    assert answer.json()["recorded"] == 1
    assert "Rahasia" not in answer.text
    assert chosen(service.database) == [("dinas-perhubungan", None, "import", "accepted")]


def test_another_portal_cannot_be_written_to(service: Service) -> None:
    service.asked(external_id="I-1")
    content = table({"id": "I-1", "agency": "Perumda Air"})
    answer = service.big.post("/v1/dispositions/import", files={"file": ("ekspor.csv", content)})
    assert (answer.json()["recorded"], answer.json()["unmatched"]) == (0, 1)
    assert chosen(service.database) == []


def test_the_same_key_with_the_same_file_gives_the_same_answer_and_another_file_is_refused(service: Service) -> None:
    service.asked(external_id="I-1")
    content = table({"id": "I-1", "agency": "Dinas Perhubungan"})
    first, again = (send(service, content, **{"Idempotency-Key": "sekali"}) for _ in range(2))
    assert first.json() == again.json()
    assert first.json()["recorded"] == 1
    other = send(service, table({"id": "I-1", "agency": "Dinas Kebersihan"}), **{"Idempotency-Key": "sekali"})
    assert other.status_code == 409 or other.status_code == 422
    assert chosen(service.database) == [("dinas-perhubungan", None, "import", "accepted")]


def test_the_command_records_the_same_way(towns: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, url = tmp_path / "home", f"sqlite:///{tmp_path / 'aduan.db'}"
    with serving(home, towns, url) as service:
        service.asked(external_id="I-1")
    file = tmp_path / "ekspor.csv"
    file.write_bytes(table({"id": "I-1", "agency": "Dinas Perhubungan"}, {"id": "I-9", "agency": "Dinas Perhubungan"}))
    monkeypatch.setenv("ADUAN_HOME", str(home))
    monkeypatch.setenv("ADUAN_DATABASE_URL", url)
    done = CliRunner().invoke(app, ["disposition", "import", str(file), "--portal", "kota-kecil"])
    assert done.exit_code == 0, done.output
    assert "1 disposisi tercatat" in done.stdout
    with closing(Database(url)) as database:
        assert chosen(database) == [("dinas-perhubungan", None, "import", "accepted")]
