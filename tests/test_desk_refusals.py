"""Refusals at the review desk: recorded where a complaint's history stands, and told wherever it is looked at again."""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from desk_visitor import LAMPS, ROADS, RUBBISH_OFFICE, Visitor, emptied, visiting
from served import Service, serving
from sqlalchemy import select

from service.database import review_history
from service.database.schema import refusals, suggestions


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


def sent(service: Service, by: Visitor, agency: str = LAMPS) -> str:
    """The id of a complaint that was sent to an agency."""
    suggestion_id: str = service.asked()["id"]
    by.get(f"/desk/{suggestion_id}")
    assert by.decide(suggestion_id, agency).status_code == 303
    return suggestion_id


def refuse(by: Visitor, suggestion_id: str, agency: str = LAMPS, reason: str = "jalan provinsi") -> str:
    answer = by.post(f"/desk/riwayat/{suggestion_id}/tolak", instansi=agency, alasan=reason)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_a_refusal_recorded_in_the_history_brings_the_complaint_back(service: Service, luh: Visitor) -> None:
    suggestion_id = sent(service, luh)
    offered = luh.get(f"/desk/riwayat/{suggestion_id}")
    assert f'<option value="{LAMPS}" selected>' in offered and "Catat penolakan" in offered
    told = luh.get(refuse(luh, suggestion_id))
    assert "Penolakan tercatat" in told and "ditolak instansinya" in told
    assert "Dinas Perhubungan menolak: bukan wewenangnya" in told and "“jalan provinsi”" in told
    assert "Catat penolakan" not in told
    assert "ditolak instansinya" in luh.get("/desk/riwayat")
    page = luh.get("/desk")
    assert luh.gets() == suggestion_id
    assert "Sudah ditolak: Dinas Perhubungan" in page and "(bukan wewenang)" in page
    assert f'name="instansi" value="{LAMPS}"' not in page
    listed = orjson.loads(page.split('id="daftar">')[1].split("</script>")[0])["agency"]
    assert [(item["code"], item["refused"]) for item in listed][-1] == (LAMPS, True)
    assert sum(item["refused"] for item in listed) == 1


def test_the_desk_asks_before_it_sends_to_who_refused(service: Service, luh: Visitor) -> None:
    suggestion_id = sent(service, luh)
    refuse(luh, suggestion_id)
    luh.get(f"/desk/{suggestion_id}")
    asked = luh.post(f"/desk/{suggestion_id}/putusan", instansi="lain", instansi_lain=LAMPS, alasan="kami sepakat")
    assert asked.status_code == 422
    assert "Dinas Perhubungan sudah menolak laporan ini" in asked.text and 'value="kami sepakat"' in asked.text
    insisted = luh.post(f"/desk/{suggestion_id}/putusan", instansi="lain", instansi_lain=LAMPS, tetap="ya")
    assert insisted.status_code == 303
    with service.database.connect() as connection:
        newest = review_history.page(connection, "kota-kecil")[0]
    assert (newest.agency, newest.undone) == (LAMPS, False)


def test_undoing_goes_on_working_after_a_refusal(service: Service, luh: Visitor) -> None:
    suggestion_id = sent(service, luh)
    refuse(luh, suggestion_id)
    luh.get(f"/desk/{suggestion_id}")
    assert luh.decide(suggestion_id, ROADS).status_code == 303
    assert "Tersimpan: Dinas Pekerjaan Umum" in luh.get("/desk")
    assert luh.post(f"/desk/{suggestion_id}/batal").status_code == 303
    assert luh.gets() == suggestion_id


def test_what_waits_cannot_be_refused_and_an_unknown_agency_is_named(service: Service, luh: Visitor) -> None:
    waiting = service.asked()["id"]
    assert "Catat penolakan" not in luh.get(f"/desk/riwayat/{waiting}")
    assert luh.post(f"/desk/riwayat/{waiting}/tolak", instansi=LAMPS).status_code == 409
    suggestion_id = sent(service, luh)
    answer = luh.post(f"/desk/riwayat/{suggestion_id}/tolak", instansi="lain", alasan="entah")
    assert (
        answer.status_code == 422 and "Pilih instansi yang menolak." in answer.text and 'value="entah"' in answer.text
    )
    with service.database.connect() as connection:
        assert connection.execute(select(refusals)).all() == []


def test_an_auditor_reads_of_refusals_and_records_none(service: Service, luh: Visitor) -> None:
    suggestion_id = sent(service, luh)
    with visiting(service, "agung", "auditor") as auditor:
        assert "Catat penolakan" not in auditor.get(f"/desk/riwayat/{suggestion_id}")
        assert auditor.post(f"/desk/riwayat/{suggestion_id}/tolak", instansi=LAMPS).status_code == 403
        refuse(luh, suggestion_id)
        assert "Sudah ditolak" in auditor.get(f"/desk/riwayat/{suggestion_id}")


def test_another_portal_finds_nothing_to_refuse(service: Service, luh: Visitor) -> None:
    suggestion_id = sent(service, luh)
    with visiting(service, "wayan", portal="kota-besar") as stranger:
        answer = stranger.post(f"/desk/riwayat/{suggestion_id}/tolak", instansi="perumda-air")
        assert answer.status_code == 404, answer.text


def test_the_queue_narrows_by_who_is_advised_now(service: Service, luh: Visitor) -> None:
    suggestion_id = sent(service, luh)
    refuse(luh, suggestion_id)
    with service.database.connect() as connection:
        now = connection.scalar(select(refusals.c.advised_agency))
        assert connection.scalar(select(suggestions.c.agency)) == LAMPS
    assert now in (RUBBISH_OFFICE, ROADS)
    assert re.search(f'data-hold="/desk/{suggestion_id}', luh.get(f"/desk?instansi={now}"))
    assert "data-hold" not in luh.get(f"/desk?instansi={LAMPS}")
