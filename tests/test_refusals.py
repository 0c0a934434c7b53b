"""An agency says "bukan wewenang": it is not advised again, nobody learns from it, and a person looks."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook
from served import LAMP, RUBBISH, Service, problem, serving
from sqlalchemy import func, select, update

from service.database import erasure, health, review_history, rows
from service.database.learning_data import learning_rows
from service.database.schema import audit_log, dispositions, judgements, refusals, suggestions

LIGHTS, RUBBISH_OFFICE, ROADS = "dinas-perhubungan", "dinas-kebersihan", "dinas-pekerjaan-umum"


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


def dispose(service: Service, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = service.small.post("/v1/dispositions", json=body)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def stored(service: Service, suggestion_id: str) -> dict[str, Any]:
    found: dict[str, Any] = service.small.get(f"/v1/suggestions/{suggestion_id}").json()
    return found


def state(service: Service, suggestion_id: str) -> str:
    with service.database.connect() as connection:
        return str(connection.scalar(select(suggestions.c.state).where(suggestions.c.id == suggestion_id)))


def learned(service: Service) -> dict[str, str]:
    with service.database.connect() as connection:
        return {row.get("id"): row.get("agency") for row in learning_rows(connection, "kota-kecil")}


def test_who_refused_is_not_advised_again_and_a_person_has_to_look(service: Service) -> None:
    asked = service.asked(external_id="T-1")
    assert (asked["agencies"][0]["code"], asked["refused"]) == (LIGHTS, [])
    told = dispose(
        service, external_id="T-1", refused_by="Dinas Perhubungan", by="disposisi01", reason="jalan provinsi"
    )
    assert (told["outcome"], told["refused_by"], told["agency"], told["source"]) == ("refused", LIGHTS, None, "api")
    now = stored(service, asked["id"])
    assert LIGHTS not in [agency["code"] for agency in now["agencies"]] and now["agencies"]
    assert now["route"] == "review" and "refused" in [reason["code"] for reason in now["reasons"]]
    ((refused),) = now["refused"]
    assert (refused["code"], refused["name"], refused["reason"]) == (LIGHTS, "Dinas Perhubungan", "jalan provinsi")
    assert (now["id"], now["external_id"], now["created_at"]) == (asked["id"], "T-1", asked["created_at"])
    assert service.small.get("/v1/review/next").json()["item"]["suggestion"] == now
    assert service.small.post("/v1/suggestions", json={"text": LAMP, "external_id": "T-1"}).json() == now


def test_each_refusal_is_kept_for_ever_with_who_when_and_why(service: Service) -> None:
    asked = service.asked()
    dispose(service, suggestion_id=asked["id"], refused_by=LIGHTS, by="disposisi01", reason="hubungi 081234567890")
    dispose(service, suggestion_id=asked["id"], refused_by=RUBBISH_OFFICE)
    assert {item["code"] for item in stored(service, asked["id"])["refused"]} == {LIGHTS, RUBBISH_OFFICE}
    assert [agency["code"] for agency in stored(service, asked["id"])["agencies"]] == [ROADS]
    with service.database.connect() as connection:
        kept = connection.execute(select(refusals).order_by(refusals.c.sequence)).mappings().all()
        logged = connection.execute(select(audit_log).where(audit_log.c.action == "disposition.refuse")).all()
    assert [(row["agency"], row["by"], row["sequence"]) for row in kept] == [
        (LIGHTS, "disposisi01", 1),
        (RUBBISH_OFFICE, "", 2),
    ]
    assert "081234567890" not in kept[0]["reason"]
    assert [(entry.subject, entry.detail["reopened"]) for entry in logged] == [(asked["id"], True)] * 2
    assert all(entry.who.startswith("key:") for entry in logged)


def test_what_was_refused_teaches_nothing_and_what_was_chosen_after_it_does(service: Service) -> None:
    service.asked(external_id="T-2")
    dispose(service, external_id="T-2", agency=LIGHTS)
    assert learned(service) == {"T-2": LIGHTS}
    dispose(service, external_id="T-2", refused_by=LIGHTS)
    assert learned(service) == {}
    dispose(service, external_id="T-2", agency=ROADS)
    assert learned(service) == {"T-2": ROADS}


def test_a_correction_does_not_come_back_when_the_corrected_agency_refuses(service: Service) -> None:
    asked = service.asked(external_id="T-3")
    for agency in (LIGHTS, ROADS):
        dispose(service, external_id="T-3", agency=agency)
    dispose(service, external_id="T-3", refused_by=ROADS)
    assert learned(service) == {} and state(service, asked["id"]) == "open"


def test_what_has_gone_elsewhere_meanwhile_stays_there(service: Service) -> None:
    asked = service.asked(external_id="T-4")
    for agency in (LIGHTS, ROADS):
        dispose(service, external_id="T-4", agency=agency)
    dispose(service, external_id="T-4", refused_by=LIGHTS)
    assert learned(service) == {"T-4": ROADS} and state(service, asked["id"]) == "done"
    assert LIGHTS not in [agency["code"] for agency in stored(service, asked["id"])["agencies"]]


def test_a_refusal_and_the_new_choice_can_come_together(service: Service) -> None:
    asked = service.asked(external_id="T-5")
    dispose(service, external_id="T-5", agency=LIGHTS)
    told = dispose(service, external_id="T-5", refused_by=LIGHTS, agency=ROADS, by="disposisi01")
    assert (told["agency"], told["refused_by"], told["outcome"]) == (ROADS, LIGHTS, "changed")
    assert (learned(service), state(service, asked["id"])) == ({"T-5": ROADS}, "done")
    assert dispose(service, 200, external_id="T-5", refused_by=LIGHTS, agency=ROADS, by="disposisi01") == told


def test_the_same_refusal_again_changes_nothing(service: Service) -> None:
    asked = service.asked(external_id="T-6")
    first = dispose(service, external_id="T-6", refused_by=LIGHTS)
    assert dispose(service, 200, external_id="T-6", refused_by="DINAS PERHUBUNGAN") == first
    with service.database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(refusals)) == 1
    assert len(stored(service, asked["id"])["refused"]) == 1


def test_a_person_may_insist_and_the_agency_may_refuse_once_more(service: Service) -> None:
    asked = service.asked(external_id="T-7")
    dispose(service, external_id="T-7", refused_by=LIGHTS)
    dispose(service, external_id="T-7", agency=LIGHTS, reason="sudah disepakati")
    assert (learned(service), state(service, asked["id"])) == ({"T-7": LIGHTS}, "done")
    dispose(service, external_id="T-7", refused_by=LIGHTS)
    assert (learned(service), state(service, asked["id"])) == ({}, "open")
    assert len(stored(service, asked["id"])["refused"]) == 1


def test_an_answer_that_was_sure_waits_and_is_still_measured_as_sure(service: Service) -> None:
    asked = service.asked(external_id="T-8")
    with service.database.begin() as connection:
        connection.execute(update(suggestions).values(route="auto", state="free"))
    dispose(service, external_id="T-8", refused_by=LIGHTS)
    assert state(service, asked["id"]) == "open"
    assert service.small.get("/v1/review/stats").json()["open"] == {"review": 1}
    dispose(service, external_id="T-8", agency=ROADS)
    with service.database.connect() as connection:
        created = connection.scalar(select(suggestions.c.created_at))
        edges = [created.replace(year=created.year + years) for years in range(3)]
        (group,) = health.decided(connection, "kota-kecil", edges)
        (entry,) = review_history.page(connection, "kota-kecil")
    assert (group.agency, group.chosen, group.route) == (LIGHTS, ROADS, "auto")
    assert (entry.suggested_agency, entry.route, entry.outcome) == (LIGHTS, "auto", "changed")


def test_the_deadline_stays(service: Service) -> None:
    asked = service.asked(external_id="T-9")
    with service.database.connect() as connection:
        due = connection.scalar(select(suggestions.c.due_at))
    dispose(service, external_id="T-9", agency=LIGHTS)
    dispose(service, external_id="T-9", refused_by=LIGHTS)
    assert stored(service, asked["id"])["deadline"] == asked["deadline"]
    with service.database.connect() as connection:
        assert connection.scalar(select(suggestions.c.due_at)) == due


def test_whoever_decided_may_decide_again(service: Service) -> None:
    asked = service.asked()
    at_desk = f"/v1/review/{asked['id']}/decision"
    with service.database.begin() as connection:
        connection.execute(update(suggestions).values(state="open"))
    assert service.small.post(at_desk, json={"agency": LIGHTS}).status_code == 201
    dispose(service, suggestion_id=asked["id"], refused_by=LIGHTS)
    assert service.small.post(at_desk, json={"agency": ROADS}).status_code == 201
    with service.database.connect() as connection:
        said = connection.execute(select(judgements.c.agency, judgements.c.undone).order_by(judgements.c.created_at))
        assert said.all() == [(LIGHTS, True), (ROADS, False)]


def test_the_queue_is_filtered_by_what_is_advised_now(service: Service) -> None:
    asked = service.asked()
    dispose(service, suggestion_id=asked["id"], refused_by=LIGHTS)
    second = stored(service, asked["id"])["agencies"][0]["code"]
    found = service.small.get("/open311/v2/requests.json").json()
    names = {"dinas-kebersihan": "Dinas Kebersihan", "dinas-pekerjaan-umum": "Dinas Pekerjaan Umum"}
    assert [item["agency_responsible"] for item in found] == [names[second]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"refused_by": "Dinas Antah Berantah"}, "refused_by"),
        ({"refused_by": LIGHTS, "agency": "Dinas Perhubungan"}, "refused_by"),
        ({"refused_by": LIGHTS, "category": "Lampu jalan"}, "agency"),
    ],
)
def test_what_makes_no_sense_is_named(service: Service, body: dict[str, str], field: str) -> None:
    service.asked(external_id="T-10")
    answer = service.small.post("/v1/dispositions", json={"external_id": "T-10", **body})
    assert [fault["field"] for fault in problem(answer, 422)["errors"]] == [field]
    problem(service.small.post("/v1/dispositions", json={"external_id": "T-10"}), 422)
    problem(service.small.post("/v1/dispositions", json={"external_id": "lain", "refused_by": LIGHTS}), 404)


def test_another_portal_is_not_touched(service: Service) -> None:
    asked = service.asked(external_id="T-11")
    for named in ({"suggestion_id": asked["id"]}, {"external_id": "T-11"}):
        problem(service.big.post("/v1/dispositions", json={**named, "refused_by": "Perumda Air"}), 404)
    assert stored(service, asked["id"]) == asked


def lapor(*cells: tuple[str, str, str, str]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.append(["Tracking ID", "Isi Laporan Awal", "Instansi Terdisposisi", "Status Laporan", "Alasan Tunda/Arsip"])
    for number, agency, status, why in cells:
        sheet.append([number, "Lampu jalan mati", agency, status, why])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def send(service: Service, content: bytes, name: str, **headers: str) -> httpx.Response:
    return service.small.post("/v1/dispositions/import", files={"file": (name, content)}, headers=headers)


def test_an_export_that_says_bukan_wewenang_refuses(service: Service) -> None:
    ids = {number: service.asked(external_id=number)["id"] for number in ("L-1", "L-2", "L-3")}
    content = lapor(
        ("L-1", "Dinas Perhubungan", "Bukan Wewenang", ""),
        ("L-2", "Dinas Perhubungan", "Tertunda", "Bukan kewenangan instansi kami"),
        ("L-3", "Dinas Perhubungan", "Selesai", ""),
    )
    first = send(service, content, "ekspor.xlsx").json()
    assert (first["refused"], first["recorded"], first["unchanged"], first["faulty"]) == (2, 1, 0, 0)
    assert [bool(stored(service, ids[number])["refused"]) for number in ids] == [True, True, False]
    again = send(service, content, "ekspor.xlsx").json()
    assert (again["refused"], again["recorded"], again["unchanged"]) == (0, 0, 3)
    dispose(service, external_id="L-1", agency=LIGHTS)
    assert send(service, content, "ekspor.xlsx").json()["refused"] == 0
    assert learned(service) == {"L-1": LIGHTS, "L-3": LIGHTS}


def test_a_file_may_name_who_refused_beside_where_it_went(service: Service) -> None:
    asked = service.asked(external_id="L-4")
    service.asked(external_id="L-5")
    content = (
        b"id,agency,refused_by\nL-4,Dinas Pekerjaan Umum,Dinas Perhubungan\nL-5,,Dinas Antah Berantah\nL-6,,Dinas Pasar"
    )
    told = send(service, content, "ekspor.csv").json()
    assert (told["refused"], told["recorded"], told["faulty"]) == (1, 1, 2)
    assert {fault["column"] for fault in told["faults"]} == {"refused_by"}
    assert [item["code"] for item in stored(service, asked["id"])["refused"]] == [LIGHTS]
    assert learned(service) == {"L-4": ROADS}


def test_a_key_with_another_refusal_in_the_file_is_another_file(service: Service) -> None:
    service.asked(external_id="L-7")
    header = b"id,agency,refused_by\nL-7,Dinas Pekerjaan Umum,"
    assert send(service, header, "a.csv", **{"Idempotency-Key": "k"}).status_code == 200
    assert send(service, header + b"Dinas Perhubungan", "a.csv", **{"Idempotency-Key": "k"}).status_code == 422


def test_erasing_a_complaint_leaves_nothing_of_its_refusals(service: Service) -> None:
    service.asked(external_id="T-12", text=RUBBISH)
    dispose(service, external_id="T-12", refused_by=RUBBISH_OFFICE, reason="sudah dijelaskan ke pelapor")
    with service.database.begin() as connection:
        assert erasure.erase(connection, "kota-kecil", "T-12", "petugas")["refusals"] == 1
    with service.database.connect() as connection:
        left = b"".join(rows.lines(connection, refusals))
        assert connection.scalar(select(func.count()).select_from(dispositions)) == 0
    assert left == b""
