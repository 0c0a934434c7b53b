"""The history of the review desk, as people read it and take it away, and the figures of progress."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from desk_visitor import LAMPS, ROADS, RUBBISH_OFFICE, Visitor, changed, emptied, visiting
from openpyxl.worksheet.worksheet import Worksheet
from review_desk import row
from served import LAMP, RUBBISH, Service, serving
from sqlalchemy import insert

from service.database import audit
from service.database.schema import dispositions, suggestions
from service.desk import history_page


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, towns: Path) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("desk")
    with serving(home, towns, f"sqlite:///{home / 'aduan.db'}") as found:
        yield found


@pytest.fixture
def service(running: Service) -> Service:
    """Without a complaint."""
    emptied(running)
    return running


@pytest.fixture(scope="module")
def luh(running: Service) -> Iterator[Visitor]:
    with visiting(running, "luh") as visitor:
        yield visitor


@pytest.fixture(scope="module")
def made(running: Service) -> Iterator[Visitor]:
    with visiting(running, "made") as visitor:
        yield visitor


def decided(service: Service, by: Visitor, agency: str = LAMPS, why: str = "", **complaint: object) -> str:
    suggestion_id: str = service.asked(**complaint)["id"]
    by.get(f"/desk/{suggestion_id}")
    assert by.decide(suggestion_id, agency, alasan=why).status_code == 303
    return suggestion_id


def shown(page: str) -> list[str]:
    """Numbers of the complaints that a page of the history lists, in its order."""
    return re.findall(r'scope="row"><a href="/desk/riwayat/[^"]+">([^<]+)</a>', page)


def taken_away(visitor: Visitor, query: str = "") -> Worksheet:
    answer = visitor.client.get(f"/desk/riwayat/unduh{query}")
    assert answer.status_code == 200
    assert re.fullmatch(
        r'attachment; filename="riwayat-kota-kecil-\d{4}-\d\d-\d\d\.xlsx"', answer.headers["content-disposition"]
    )
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert isinstance(sheet, Worksheet)
    return sheet


def test_the_history_tells_who_decided_what_and_why_beside_what_the_model_said(service: Service, luh: Visitor) -> None:
    decided(service, luh, external_id="A-1")
    changed_id = decided(service, luh, ROADS, "tiang <milik> jalan", external_id="A-2")
    page = luh.get("/desk/riwayat")
    assert shown(page) == ["A-2", "A-1"]
    first = page[page.index(">A-2<") : page.index(">A-1<")]
    for told in ("Dinas Pekerjaan Umum", "tiang &lt;milik&gt; jalan", "Dinas Perhubungan", "100 %", "Diubah", "luh"):
        assert told in first, told
    assert "Sesuai saran" in page[page.index(">A-1<") :]
    luh.post(f"/desk/{changed_id}/batal")
    assert "dibatalkan" in luh.get("/desk/riwayat")


def test_the_history_is_read_page_by_page(service: Service, luh: Visitor) -> None:
    start, rows = datetime.now(UTC) - timedelta(days=1), range(history_page.MOST + 2)
    made = [
        {
            "id": f"d{number}",
            "portal": "kota-kecil",
            "suggestion_id": f"s{number}",
            "sequence": 1,
            "agency": LAMPS,
            "by": "luh",
            "reason": "",
            "source": "review",
            "outcome": "accepted",
            "undone": False,
            "created_at": start + timedelta(minutes=number),
        }
        for number in rows
    ]
    with service.database.begin() as connection:
        connection.execute(insert(suggestions), [row(f"s{number}", state="done") for number in rows])
        connection.execute(insert(dispositions), made)
    page = luh.get("/desk/riwayat?oleh=luh")
    assert shown(page) == [f"nomor-s{number}" for number in rows][:1:-1]
    older = re.search(r'href="(/desk/riwayat\?[^"]+)" rel="next"', page)
    assert older
    rest = luh.get(older[1].replace("&amp;", "&"))
    assert shown(rest) == ["nomor-s1", "nomor-s0"]
    assert 'rel="next"' not in rest
    assert 'href="/desk/riwayat?oleh=luh"' in rest


def test_filters_narrow_the_history(service: Service, luh: Visitor, made: Visitor) -> None:
    decided(service, luh, external_id="A-1", text=f"{LAMP} nomor satu")
    decided(service, made, RUBBISH_OFFICE, "sesuai & lengkap", external_id="B-9", text=RUBBISH)
    today = datetime.now(UTC).date()
    for query, found in (
        ("oleh=made", ["B-9"]),
        (f"instansi={RUBBISH_OFFICE}", ["B-9"]),
        ("cari=lengkap", ["B-9"]),
        ("cari=nomor+satu", ["A-1"]),
        ("hasil=changed", []),
        (f"sampai={today - timedelta(days=2)}", []),
        (f"dari={today + timedelta(days=2)}", []),
        (f"dari={today - timedelta(days=2)}&sampai={today + timedelta(days=1)}", ["B-9", "A-1"]),
        ("oleh=bukan-siapa-siapa&dari=kemarin&hasil=x&sebelum=", ["B-9", "A-1"]),
    ):
        assert shown(luh.get(f"/desk/riwayat?{query}")) == found, query
    assert 'href="/desk/riwayat/unduh?oleh=made"' in luh.get("/desk/riwayat?oleh=made")


def test_what_the_history_holds_is_taken_away_as_a_table_without_formulas(service: Service, luh: Visitor) -> None:
    formulas = ("=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x.example")')
    for number, formula in enumerate(formulas):
        decided(service, luh, why=formula, external_id=f"={number}", title=f"{formula} lampu", text=f"{LAMP} {number}")
    secret = decided(service, luh, external_id="R-1", title="Judul rahasia", text=RUBBISH, confidential=True)
    foreign = service.big.post("/v1/suggestions", json={"text": "pohon tumbang", "external_id": "X-1"}).json()["id"]
    sheet = taken_away(luh)
    heads = [cell.value for cell in sheet[1]]
    rows = [dict(zip(heads, cells, strict=True)) for cells in sheet.iter_rows(min_row=2)]
    assert heads[:3] == ["Waktu", "Nomor laporan", "Id saran"]
    assert len(rows) == len(formulas) + 1
    assert "f" not in {cell.data_type for line in rows for cell in line.values()}
    assert {line["Catatan"].value for line in rows} - {None} == set(formulas)
    by_number = {line["Nomor laporan"].value: line for line in rows}
    assert by_number["=0"]["Judul"].value == "=1+1 lampu"
    assert by_number["=0"]["Instansi"].value == "Dinas Perhubungan"
    assert by_number["=0"]["Hasil"].value == "Sesuai saran"
    assert 0.9 < by_number["=0"]["Keyakinan model"].value <= 1
    assert by_number["R-1"]["Id saran"].value == secret
    assert by_number["R-1"]["Isi laporan"].value == "(rahasia)"
    assert "rahasia" not in by_number["R-1"]["Judul"].value.removeprefix("(rahasia)")
    assert foreign not in [line["Id saran"].value for line in rows]
    assert taken_away(luh, "?hasil=scratch").max_row == 1
    with service.database.connect() as connection:
        assert audit.entries(connection, "kota-kecil")[0].action == "history.export"


def test_nobody_reads_anywhere_what_they_may_still_have_to_judge_blind(
    service: Service, luh: Visitor, made: Visitor
) -> None:
    twice = changed(service, str(service.asked(external_id="A-1")["id"]), looks=2)
    luh.get(f"/desk/{twice}")
    luh.decide(twice, ROADS, alasan="kata pertama")
    with visiting(service, "wayan", "auditor") as auditor:
        assert shown(made.get("/desk/riwayat")) == []
        assert taken_away(made).max_row == 1
        page = made.get(f"/desk/riwayat/{twice}")
        assert "kata pertama" not in page
        assert "luh" not in page
        assert "Laporan ini masih menunggu petugas" in page
        assert f'href="/desk/{twice}"' in page
        for reader in (luh, auditor):
            assert shown(reader.get("/desk/riwayat")) == ["A-1"]
            assert "kata pertama" in reader.get(f"/desk/riwayat/{twice}")
        assert f'href="/desk/{twice}"' not in auditor.get(f"/desk/riwayat/{twice}")


def test_a_complaint_tells_all_that_happened_to_it(service: Service, luh: Visitor, made: Visitor) -> None:
    asked = str(service.asked(title="Lampu gang", external_id="A-1")["id"])
    luh.get(f"/desk/{asked}")
    luh.post(f"/desk/{asked}/lewati", alasan="Bukan bidang saya")
    made.get(f"/desk/{asked}")
    made.decide(asked, ROADS, detik="4.2", alasan="salah pilih")
    made.post(f"/desk/{asked}/batal")
    made.decide(asked, LAMPS)
    answer = service.small.post("/v1/dispositions", json={"suggestion_id": asked, "agency": RUBBISH_OFFICE})
    assert answer.status_code == 201, answer.text
    page = luh.get(f"/desk/riwayat/{asked}")
    steps = re.findall(r'<li class="happened[^"]*">.*?</li>', page, re.DOTALL)
    for step, told in zip(
        steps,
        (
            ("Model", "menyarankan", "Dinas Perhubungan · Lampu jalan", "kota-kecil-2025"),
            ("luh", "melewati", "Bukan bidang saya"),
            ("made", "memutuskan", "dibatalkan", "Dinas Pekerjaan Umum", "salah pilih", "4 detik di layar", "Diubah"),
            ("made", "memutuskan", "Dinas Perhubungan", "Sesuai saran"),
            ("memutuskan lewat portal", "Dinas Kebersihan"),
        ),
        strict=True,
    ):
        assert [word for word in told if word not in step] == []


def test_progress_counts_what_i_did_and_shows_the_backlog_as_a_drawing(
    service: Service, luh: Visitor, made: Visitor
) -> None:
    decided(service, made, text=f"{LAMP} satu")
    decided(service, luh, text=f"{LAMP} dua")
    decided(service, luh, ROADS, text=f"{LAMP} tiga")
    service.asked(text=RUBBISH)
    page = luh.get("/desk/kemajuan")
    figures = dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]+)</dd>", page))
    assert (figures["diputuskan"], figures["sesuai saran model"], figures["diputuskan hari ini"]) == ("2", "50 %", "3")
    assert (figures["menunggu"], figures["perlu dilihat"]) == ("1", "1")
    assert page.count('<svg class="chart"') == 2
    assert "Laporan yang belum diputuskan sekarang 1" in page
    assert "Belum ada laporan yang dinilai dua kali" in page


def test_agreement_is_shown_for_all_to_seniors_and_for_oneself_to_staff(
    service: Service, luh: Visitor, made: Visitor
) -> None:
    with visiting(service, "nyoman", "senior") as nyoman:
        for number, second in enumerate((LAMPS, RUBBISH_OFFICE)):
            twice = changed(service, str(service.asked(text=f"{LAMP} {number}")["id"]), looks=2)
            for person, agency in ((luh, LAMPS), (made, second)):
                person.get(f"/desk/{twice}")
                person.decide(twice, agency)
        mine, all_of_them = luh.get("/desk/kemajuan"), nyoman.get("/desk/kemajuan")
    assert "tidak saling melihat penilaiannya: 2 laporan" in mine
    assert "50 %" in mine
    assert re.findall(r'<th scope="row">(Anda|luh|made|Semua petugas)</th>', mine) == ["Semua petugas", "Anda"]
    assert re.findall(r'<th scope="row">(Anda|luh|made)</th>', all_of_them) == ["luh", "made"]
