"""Complaints in, suggestions out: what is answered, what is stored, and what is refused, over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import LAMP, RUBBISH, Service, client_of, problem, serving
from sqlalchemy import func, make_url, select

from router_model.complaint import Complaint
from router_model.portal import Portal
from router_model.prediction import Ranked
from router_model.suggestion import Router
from service.answering import suggestion_body
from service.database import keys
from service.database.schema import schema, suggestions

SCHOOL = "Lampu penerangan jalan umum di depan sekolah mati sudah seminggu, gelap gulita kalau malam"
NIK, PHONE = "5171034507890002", "081338765210"
SHAPE = {
    "id", "external_id", "release", "portal", "agencies", "candidates", "category", "category_group", "urgency",
    "report_type", "route", "reasons", "deadline", "duplicates", "explanation", "personal_data", "created_at",
}  # fmt: skip
ROUTES = {"auto", "prefill", "review", "emergency", "external", "incomplete"}


@pytest.fixture(scope="module")
def service(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("api")
    with serving(home, towns, f"sqlite:///{home / 'aduan.db'}") as started:
        yield started


@pytest.fixture(scope="module")
def denpasar_client(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Asks the release that learned the whole sample."""
    home = tmp_path_factory.mktemp("denpasar")
    with (
        serving(home, registry, f"sqlite:///{home / 'aduan.db'}") as started,
        client_of(started.url, started.database, "denpasar", "suggest") as client,
    ):
        yield client


@pytest.fixture
def on_each(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


def test_a_complaint_gets_a_stored_suggestion_of_the_agreed_shape(denpasar_client: httpx.Client) -> None:
    complaint = {"external_id": "A-1", "text": SCHOOL, "location": {"village": "Sidakarya"}}
    answer = denpasar_client.post("/v1/suggestions", json=complaint)
    body = answer.json()
    assert answer.status_code == 201
    assert body.keys() >= SHAPE
    assert (body["portal"], body["external_id"], body["route"] in ROUTES) == ("denpasar", "A-1", True)
    assert body["agencies"][0]["code"] == "dishub"
    assert [item["p"] for item in body["agencies"]] == sorted((i["p"] for i in body["agencies"]), reverse=True)
    assert 1 <= body["candidates"] <= len(body["agencies"])
    assert body["urgency"].keys() == {"level", "p", "reasons", "by_rule"}
    assert all(SCHOOL[item["start"] : item["end"]] == item["term"] for item in body["explanation"])
    assert denpasar_client.get(f"/v1/suggestions/{body['id']}").json() == body


def test_danger_comes_with_its_words_whom_to_call_and_who_must_not_see_it(denpasar_client: httpx.Client) -> None:
    text = "Di kos sebelah istrinya dipukuli suaminya, masih teriak minta tolong"
    body = denpasar_client.post("/v1/suggestions", json={"text": text}).json()
    (danger,) = [one for one in body["dangers"] if one["family"] == "kekerasan"]
    assert (body["route"], body["urgency"]["level"]) == ("emergency", "darurat")
    assert "dipukuli" in text[danger["start"] : danger["end"]]
    numbers = [contact["number"] for contact in body["emergency_contacts"]]
    assert numbers[0] == "112"
    assert "129" in numbers
    assert "113" not in numbers
    assert "daftar publik" in body["confidential"]
    assert any("dipukuli" in reason for reason in body["urgency"]["reasons"])


def test_oversight_comes_with_its_words_and_is_confidential(denpasar_client: httpx.Client) -> None:
    text = "Petugas loket minta uang 50 ribu supaya berkas didahulukan"
    body = denpasar_client.post("/v1/suggestions", json={"text": text}).json()
    (found,) = body["oversight"]
    assert (body["report_type"]["code"], body["report_type"]["by_rule"]) == ("pengawasan", True)
    assert [text[one["start"] : one["end"]] for one in found["words"]] == ["minta", "uang", "Petugas"]
    assert body["agencies"][0]["code"] == "inspektorat"
    assert "terlapor" in body["confidential"]
    assert body["deadline"]["working_days"] == 60


def test_what_is_no_complaint_says_so(denpasar_client: httpx.Client) -> None:
    body = denpasar_client.post("/v1/suggestions", json={"text": "tes tes"}).json()
    assert (body["route"], body["no_complaint"]["kind"], body["no_complaint"]["matter"]) == ("review", "test", False)
    ordinary = denpasar_client.post("/v1/suggestions", json={"text": SCHOOL}).json()
    assert (ordinary["no_complaint"], ordinary["oversight"], ordinary["confidential"]) == (None, [], "")


def test_the_taxonomy_lists_every_label_an_answer_can_hold(denpasar_client: httpx.Client) -> None:
    taxonomy = denpasar_client.get("/v1/taxonomy").json()
    answer = denpasar_client.post("/v1/suggestions", json={"text": SCHOOL}).json()
    codes = {agency["code"] for agency in taxonomy["agencies"]}
    assert {a["code"] for a in answer["agencies"] if not a["code"].startswith("@")} <= codes
    assert {c["code"] for c in answer["category"]} <= {c["code"] for c in taxonomy["categories"]}
    assert [level["code"] for level in taxonomy["urgency"]] == ["darurat", "tinggi", "sedang", "rendah"]


def test_a_category_that_is_sure_only_as_a_group_comes_with_the_group(router: Router, portal: Portal) -> None:
    suggestion = router.suggest(Complaint(SCHOOL))
    parent = portal.category[portal.category[suggestion.categories[0].code].parent]
    group = suggestion_body(replace(suggestion, category_group=Ranked(parent.code, 0.9)), portal).category_group
    assert group
    assert (group.code, group.name, group.p) == (parent.code, parent.name, 0.9)
    assert suggestion_body(replace(suggestion, category_group=None), portal).category_group is None


def test_a_stored_suggestion_is_the_same_after_it_was_read_back(on_each: Service) -> None:
    given = {"external_id": "A-1", "title": "Gelap", "channel": "web", "received_at": "2026-01-02T03:04:05+08:00"}
    kept = on_each.asked(**given, location={"lat": -8.7, "lon": 115.2, "area_code": "51.71"}, confidential=True)
    assert kept["agencies"][0]["name"] == "Dinas Perhubungan"
    assert on_each.small.get(f"/v1/suggestions/{kept['id']}").json() == kept
    problem(on_each.small.get("/v1/suggestions/tidak-ada"), 404)


def test_each_complaint_of_a_batch_is_answered_or_refused_by_itself(on_each: Service) -> None:
    faulty = {1: {"text": ""}, 2: {"text": "rahasia", "nama": "rahasia"}, 3: {"text": None}, 400: {}}
    complaints = [faulty.get(number, {"external_id": f"B-{number}", "text": LAMP}) for number in range(500)]
    complaints[4] = {"external_id": "B-0", "text": RUBBISH}
    complaints[5] = complaints[0]
    answer = on_each.small.post("/v1/suggestions/batch", json={"complaints": complaints})
    assert answer.status_code == 200
    items = answer.json()["items"]
    statuses = {number: item["status"] for number, item in enumerate(items) if item["status"] != 201}
    assert statuses == {1: 422, 2: 422, 3: 422, 4: 409, 5: 200, 400: 422}
    assert items[5]["suggestion"] == items[0]["suggestion"]
    assert [item["suggestion"]["external_id"] for item in items[6:10]] == ["B-6", "B-7", "B-8", "B-9"]
    assert [error["field"] for error in items[2]["problem"]["errors"]] == ["nama"]
    assert "rahasia" not in answer.text
    with on_each.database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(suggestions)) == 494
    again = on_each.small.post("/v1/suggestions/batch", json={"complaints": complaints}).json()["items"]
    assert [item["status"] for item in again if item["suggestion"]] == [200] * 495
    assert again[6]["suggestion"] == items[6]["suggestion"]


@pytest.mark.parametrize("complaints", [[], [{"text": LAMP}] * 501, "rahasia", [LAMP], None])
def test_a_batch_that_is_none_is_refused_whole(service: Service, complaints: Any) -> None:
    answer = service.small.post("/v1/suggestions/batch", json={"complaints": complaints})
    assert problem(answer, 422)["errors"][0]["field"].startswith("complaints")
    assert LAMP not in answer.text


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer aduan_salah"}, {"Authorization": "Basic eDp5"}])
def test_without_a_valid_key_nothing_is_answered(service: Service, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{service.url}/v1/suggestions", json={"text": LAMP}, headers=headers, trust_env=False)
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_does_only_what_its_scopes_say(service: Service) -> None:
    with service.with_scopes("review") as reviewing, service.with_scopes("suggest") as suggesting:
        problem(reviewing.post("/v1/suggestions", json={"text": LAMP}), 403)
        problem(reviewing.get("/v1/taxonomy"), 403)
        assert suggesting.get("/v1/taxonomy").status_code == 200
        problem(suggesting.get("/v1/review/next"), 403)
        problem(suggesting.post("/v1/dispositions", json={"agency": "Dinas Perhubungan", "external_id": "x"}), 403)
        problem(suggesting.get("/v1/audit"), 403)


def test_a_revoked_key_stops_working_while_the_service_runs(service: Service) -> None:
    with service.with_scopes("suggest") as client:
        assert client.get("/v1/taxonomy").status_code == 200
        with service.database.begin() as connection:
            keys.revoke(connection, keys.every(connection)[-1].id)
        while client.get("/v1/taxonomy").status_code == 200:
            pass
        problem(client.get("/v1/taxonomy"), 401)


def test_a_portal_without_a_release_is_told_so_and_its_complaints_are_kept(service: Service) -> None:
    with client_of(service.url, service.database, "kota-baru", "suggest", "dispose") as client:
        kept = client.post("/v1/suggestions", json={"text": LAMP}).json()
        assert (kept["release"], kept["route"], kept["agencies"]) == (None, "review", [])
        assert client.get(f"/v1/suggestions/{kept['id']}").json() == kept
        problem(client.get("/v1/taxonomy"), 404)
        problem(client.post("/v1/dispositions", json={"agency": "Dishub", "suggestion_id": kept["id"]}), 409)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "Jalan rusak parah sekali", "nama": "Ni Luh Rahasia"}, "nama"),
        ({"text": ""}, "text"),
        ({"title": "Rahasia tanpa isi"}, "text"),
        ({"text": "rahasia " * 2_000}, "text"),
        ({"text": ["rahasia"]}, "text"),
        ({"text": "rahasia", "location": {"nik": NIK}}, "location.nik"),
        ({"text": "rahasia", "location": {"lat": "rahasia"}}, "location.lat"),
        ({"text": "rahasia", "received_at": "kemarin rahasia"}, "received_at"),
        ({"text": "rahasia", "received_at": 1_700_000_000}, "received_at"),
        ({"text": "rahasia", "external_id": "rahasia\n"}, "external_id"),
        ({"text": "rahasia", "anonymous": "rahasia"}, "anonymous"),
    ],
)
def test_a_faulty_body_is_refused_with_the_field_and_without_what_was_written(
    service: Service, body: dict[str, Any], field: str
) -> None:
    answer = service.small.post("/v1/suggestions", json=body)
    assert field in [error["field"] for error in problem(answer, 422)["errors"]]
    assert not any(secret in answer.text.casefold() for secret in ("rahasia", "jalan rusak", NIK))


def test_every_refusal_is_a_problem_document(service: Service) -> None:
    problem(service.small.get("/v1/tidak-ada"), 404)
    problem(service.small.delete("/v1/suggestions"), 405)
    broken = service.small.post("/v1/suggestions", content=b'{"text": "rahas')
    problem(broken, 422)
    assert "rahas" not in broken.text


def test_a_moment_without_a_zone_or_beyond_the_calendar_is_taken(service: Service) -> None:
    for moment in ("2026-01-02T03:04:05", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        service.asked(received_at=moment)


def test_identity_and_phone_numbers_never_reach_the_database(on_each: Service) -> None:
    said = f"hubungi {PHONE}, NIK {NIK}"
    fields = {**dict.fromkeys(("address", "village", "district"), said), "area_code": PHONE}
    kept = on_each.asked(
        external_id="A-9", title=said, text=f"{LAMP}, {said}", channel=PHONE, chosen_agency=said, location=fields
    )
    assert {item["kind"] for item in kept["personal_data"]} == {"nik", "phone"}
    spoken = {"agency": "Dinas Perhubungan", "by": PHONE, "reason": said}
    assert on_each.small.post("/v1/dispositions", json={**spoken, "external_id": "A-9"}).status_code == 201
    batch = {"complaints": [{"text": f"{LAMP}, {said}"}]}
    assert on_each.small.post("/v1/suggestions/batch", json=batch, headers={"Idempotency-Key": "9"}).status_code == 200
    stored = everything(on_each)
    assert "A-9" in stored
    assert NIK not in stored
    assert PHONE not in stored


def everything(service: Service) -> str:
    """All that a database holds; of SQLite also what its files hold besides rows."""
    with service.database.connect() as connection:
        rows = [tuple(row) for table in schema.sorted_tables for row in connection.execute(select(table))]
    text = json.dumps(rows, default=str)
    url = make_url(str(service.app.state.settings.database_url))
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        text += "".join(file.read_bytes().decode("latin-1") for file in path.parent.glob(f"{path.name}*"))
    return text
