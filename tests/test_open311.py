"""Open311 GeoReport v2, as the specification and a client of somebody else's see it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
import uvicorn
from georeport import GeoReport
from live_service import free_port
from publisher import publish_first, small_town
from sqlalchemy import select, update

from router_model.complaint import Complaint
from router_model.portal import Portal, load_portal
from router_model.registry import promote
from service.answering import unanswered
from service.application import create_application
from service.database import keys
from service.database.database import Database
from service.database.schema import dispositions, schema
from service.open311 import LONGEST_DESCRIPTION, created_of, period_of, services_of
from service.settings import Settings
from service.wire import SuggestionOut

LAMP = "Lampu jalan mati dekat sekolah sejak kemarin"
PERSONAL = {
    "first_name": "Ketut",
    "last_name": "Purnamayasa",
    "email": "ketut.purnama@contoh.id",
    "phone": "081338765210",
    "account_id": "akun-778899",
    "device_id": "gawai-112233",
    "media_url": "https://contoh.id/foto-445566.jpg",
    "attribute[TANYA]": "jawaban-334455",
}
NOW = datetime(2026, 3, 1, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with a release of a small town in force."""
    registry = tmp_path_factory.mktemp("registry")
    promote(registry, publish_first(36, small_town(tmp_path_factory.mktemp("town") / "kota-kecil"), registry))
    return registry


@dataclass(frozen=True)
class Service:
    """The application with its database, and keys: of the town, of it without `suggest`, of another portal."""

    url: str
    client: httpx.Client
    database: Database
    key: str
    deaf: str
    foreign: str

    def get(self, path: str, key: str = "", **query: str) -> httpx.Response:
        return self.client.get(f"/open311/v2/{path}", params={"api_key": key or self.key, **query})

    def post(self, headers: Mapping[str, str] | None = None, **form: str) -> httpx.Response:
        form = {"api_key": self.key, "description": LAMP, **form}
        return self.client.post("/open311/v2/requests.json", data=form, headers=dict(headers or {}))

    def reported(self, **form: str) -> str:
        answer = self.post(**form)
        assert answer.status_code == 200, answer.text
        created: str = answer.json()[0]["service_request_id"]
        return created

    def v1(self, call: str, **body: Any) -> Row:
        answer = self.client.post(f"/v1/{call}", json=body, headers={"Authorization": f"Bearer {self.key}"})
        assert answer.status_code == 201, answer.text
        kept: Row = answer.json()
        return kept

    def one(self, request_id: str) -> Row:
        (found,) = self.get(f"requests/{request_id}.json").json()
        assert isinstance(found, dict)
        return found

    def listed(self, **query: str) -> list[str]:
        return [item["service_request_id"] for item in self.get("requests.json", **query).json()]


@contextmanager
def serving(home: Path, registry: Path, url: str) -> Iterator[Service]:
    home.mkdir()
    (home / "registry").symlink_to(registry)
    database = Database(url)
    with database.begin() as connection:
        _, key = keys.create(connection, "kota-kecil", "uji", ["suggest", "dispose"])
        _, deaf = keys.create(connection, "kota-kecil", "meja", ["review"])
        _, foreign = keys.create(connection, "kota-lain", "tetangga", ["suggest"])
    port = free_port()
    application = create_application(Settings(home=home, database_url=url))
    server = uvicorn.Server(uvicorn.Config(application, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    address = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        yield Service(address, client, database, key, deaf, foreign)
    server.should_exit = True
    thread.join()
    database.close()


@pytest.fixture
def service(town: Path, database_url: str, tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path / "home", town, database_url) as running:
        yield running


@pytest.fixture(scope="module")
def embedded(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Where neither the kind of database nor what is in it makes a difference."""
    folder = tmp_path_factory.mktemp("embedded")
    with serving(folder / "home", town, f"sqlite:///{folder / 'aduan.db'}") as running:
        yield running


def assert_faults(answer: httpx.Response, status: int) -> str:
    """A list of code and description; gives the descriptions."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    faults = answer.json()
    assert faults
    assert all(fault.keys() == {"code", "description"} and fault["code"] == status for fault in faults)
    return " ".join(fault["description"] for fault in faults)


def test_a_client_library_of_others_reads_services_and_requests(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    created = service.reported(service_code="sampah", address_string="Jalan Melati")
    client = GeoReport(f"{service.url.replace('//', f'//{service.key}:@')}/open311/v2", jurisdiction="kota-kecil")
    codes = {item["service_code"] for item in client.get_service_list()}
    assert codes == {"lampu-jalan", "sampah", "jalan-rusak"}
    assert client.get_service_definition("sampah") == {"service_code": "sampah", "attributes": []}
    kept = client.get_service_request(created)
    assert (kept["service_name"], kept["agency_responsible"]) == ("Lampu jalan", "Dinas Perhubungan")
    assert (kept["description"], kept["address"]) == (LAMP, "Jalan Melati")
    assert client.get_service_requests(service_code="lampu-jalan,sampah", status="open") == [kept]
    assert client.get_service_requests(service_code="sampah") == []
    assert client.get_service_requests(service_request_id=created) == [kept]


def test_a_request_has_the_fields_of_the_specification(embedded: Service) -> None:
    before = datetime.now(UTC)
    answer = embedded.post(lat="-8.67", long="115.21", address_id="51.71.01.1003")
    assert answer.json()[0].keys() == {"service_request_id", "service_notice", "account_id"}
    assert "Dinas Perhubungan" in answer.json()[0]["service_notice"]
    found = embedded.one(answer.json()[0]["service_request_id"])
    assert found.keys() == {
        "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
        "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime",
        "address", "address_id", "zipcode", "lat", "long", "media_url",
    }  # fmt: skip
    assert (found["lat"], found["long"], found["address_id"]) == (-8.67, 115.21, "51.71.01.1003")
    assert (found["status"], found["service_code"], found["address"]) == ("open", "lampu-jalan", None)
    assert before <= datetime.fromisoformat(found["requested_datetime"]) <= datetime.now(UTC)


def test_names_contacts_and_devices_are_kept_nowhere(service: Service) -> None:
    request_id = service.reported(**PERSONAL, description=f"{LAMP}, hubungi {PERSONAL['phone']}")
    assert PERSONAL["phone"] not in service.one(request_id)["description"]
    with service.database.connect() as connection:
        everything = "".join(
            str(row) for table in schema.sorted_tables for row in connection.execute(select(table)).all()
        )
    assert LAMP in everything
    assert [value for value in PERSONAL.values() if value in everything] == []


def test_a_confidential_complaint_is_neither_listed_nor_found(service: Service) -> None:
    hidden = service.v1("suggestions", text=LAMP, confidential=True)["id"]
    shown = service.v1("suggestions", text=f'{LAMP} "confidential":true', anonymous=True)["id"]
    assert service.listed() == [shown]
    assert service.listed(service_request_id=f"{hidden},{shown}") == [shown]
    assert_faults(service.get(f"requests/{hidden}.json"), 404)
    assert_faults(service.get(f"tokens/{hidden}.json"), 404)


def test_what_a_person_chose_takes_the_place_of_the_suggestion(service: Service) -> None:
    request_id = service.reported()
    assert service.one(request_id)["status_notes"].startswith("Menunggu disposisi.")
    choice = {"agency": "dinas-kebersihan", "category": "sampah"}
    for agency in ("dinas-pekerjaan-umum", "dinas-kebersihan"):
        service.v1("dispositions", suggestion_id=request_id, **{**choice, "agency": agency})
    found = service.one(request_id)
    assert (found["agency_responsible"], found["service_name"]) == ("Dinas Kebersihan", "Sampah")
    assert (found["status"], found["status_notes"]) == ("open", "Diteruskan ke Dinas Kebersihan.")
    assert found["updated_datetime"] > found["requested_datetime"]
    assert service.listed(service_code="sampah") == [request_id]
    assert service.listed(service_code="lampu-jalan") == []
    with service.database.begin() as connection:
        connection.execute(update(dispositions).where(dispositions.c.sequence == 2).values(undone=True))
    assert service.one(request_id)["status_notes"] == "Diteruskan ke Dinas Pekerjaan Umum."


def test_requests_are_listed_newest_first_within_ninety_days(service: Service) -> None:
    now = datetime.now(UTC)
    old, recent, new = (
        service.v1("suggestions", text=f"{LAMP} {days}", received_at=(now - timedelta(days=days)).isoformat())["id"]
        for days in (100, 50, 1)
    )
    assert service.listed() == [new, recent]
    assert service.listed(status="closed") == []
    assert service.listed(status="open,closed", start_date=_w3(now - timedelta(days=20))) == [new]
    assert service.listed(end_date=_w3(now - timedelta(days=40))) == [recent, old]
    assert service.listed(start_date="", end_date="", status="", service_code="") == [new, recent]


def _w3(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_period_is_at_most_ninety_days_up_to_its_end() -> None:
    day = timedelta(days=1)
    assert period_of(None, None, NOW)[0] == NOW - 90 * day
    assert period_of(None, None, NOW)[1] > NOW + 365 * day
    assert period_of(NOW - 400 * day, NOW - 10 * day, NOW) == (NOW - 100 * day, NOW - 10 * day)
    assert period_of(NOW - 5 * day, NOW, NOW) == (NOW - 5 * day, NOW)


def test_moments_at_the_ends_of_time_find_nothing_and_break_nothing(service: Service) -> None:
    first, last = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
    request_id = service.reported()
    assert service.listed(start_date=first, end_date=last) == [request_id]
    assert service.listed(end_date=first) == service.listed(start_date=last) == []


def test_a_request_sent_again_is_stored_once(service: Service) -> None:
    under_key = [service.post({"Idempotency-Key": "k-1"}).json() for _ in range(2)]
    numbered = [service.post(external_id="L-1").json() for _ in range(2)]
    assert (under_key[0], numbered[0]) == (under_key[1], numbered[1])
    assert len(service.listed()) == 2
    assert "external_id" in assert_faults(service.post(external_id="L-1", description="Sampah menumpuk"), 409)
    assert_faults(service.post({"Idempotency-Key": "k-1"}, description="Sampah menumpuk"), 409)


def test_a_key_of_another_portal_sees_nothing_of_this_one(service: Service) -> None:
    request_id = service.reported()
    assert service.get("requests.json", service.foreign).json() == []
    assert service.get("requests.json", service.foreign, service_request_id=request_id).json() == []
    for path in ("services.json", "services/sampah.json", f"requests/{request_id}.json", f"tokens/{request_id}.json"):
        assert_faults(service.get(path, service.foreign), 404)
        assert_faults(service.get(path, jurisdiction_id="kota-lain"), 404)
        assert service.get(path, jurisdiction_id="kota-kecil").status_code == 200
    assert_faults(service.post(jurisdiction_id="kota-lain"), 404)


def test_without_a_release_a_complaint_is_still_taken(embedded: Service) -> None:
    (created,) = embedded.post(api_key=embedded.foreign, service_code="apa saja").json()
    (found,) = embedded.get("requests.json", embedded.foreign).json()
    assert found["service_request_id"] == created["service_request_id"]
    assert (found["service_code"], found["service_name"], found["agency_responsible"]) == ("", None, None)


def test_the_key_travels_as_bearer_as_user_name_as_parameter_or_in_the_form(embedded: Service) -> None:
    url = "/open311/v2/services.json"
    bearer = embedded.client.get(url, headers={"Authorization": f"Bearer {embedded.key}"})
    basic = embedded.client.get(url, auth=(embedded.key, ""))
    assert [answer.status_code for answer in (bearer, basic, embedded.get("services.json"), embedded.post())] == [
        200
    ] * 4


def test_discovery_needs_no_key_and_names_this_address_and_both_forms(embedded: Service) -> None:
    found = embedded.client.get("/open311/v2/discovery.json").json()
    (endpoint,) = found["endpoints"]
    assert endpoint["url"] == f"{embedded.url}/open311/v2"
    assert endpoint["formats"] == ["application/json", "text/xml"]
    assert found["changeset"] == endpoint["changeset"] == "2025-01-01T00:00:00+00:00"


def as_json(element: ElementTree.Element) -> Any:
    """Every value of an answer in XML as text, lists for elements that hold items."""
    items = {"services", "service_requests", "errors", "attributes", "endpoints", "formats"}
    if element.tag in items:
        return [as_json(child) for child in element]
    return {child.tag: as_json(child) for child in element} if len(element) else element.text


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    return {True: "true", False: "false", None: None, "": None}.get(value, str(value))


def test_xml_says_what_json_says(embedded: Service) -> None:
    request_id = embedded.reported(description=f"{LAMP} <b>&amp; gelap\x0b</b>", lat="-8.67")
    form = {"api_key": embedded.key, "description": LAMP}
    sent = embedded.client.post("/open311/v2/requests.xml", data=form, headers={"Idempotency-Key": "xml-1"})
    same = embedded.client.post("/open311/v2/requests.json", data=form, headers={"Idempotency-Key": "xml-1"})
    pairs = [(sent, same)]
    for path in (
        "discovery", "services", "services/sampah", "requests", f"requests/{request_id}", f"tokens/{request_id}",
        "services/tiada", "requests/tiada",
    ):  # fmt: skip
        pairs.append((embedded.get(f"{path}.xml"), embedded.get(f"{path}.json")))
    for xml, json in pairs:
        assert xml.status_code == json.status_code
        assert xml.headers["Content-Type"].startswith("text/xml")
        assert as_json(ElementTree.fromstring(xml.content)) == as_text(json.json()), xml.request.url  # noqa: S314


def test_every_question_in_xml_needs_a_key_too(embedded: Service) -> None:
    answer = embedded.client.get("/open311/v2/requests.xml")
    assert answer.status_code == 403
    assert ElementTree.fromstring(answer.content).findtext("error/code") == "403"  # noqa: S314


@pytest.mark.parametrize(
    ("status", "named", "form"),
    [
        (403, "api_key", {"api_key": ""}),
        (403, "api_key", {"api_key": "aduan_salah"}),
        (400, "description: wajib diisi", {"description": ""}),
        (400, "description: terlalu panjang", {"description": "rahasia " * 2_000}),
        (400, "lat", {"lat": "rahasia"}),
        (400, "long", {"long": "nan"}),
        (400, "external_id", {"external_id": "a\0b"}),
        (404, "service_code", {"service_code": "rahasia"}),
        (404, "jurisdiction_id", {"jurisdiction_id": "rahasia"}),
    ],
)
def test_a_refused_complaint_is_told_why_and_never_read_back(
    embedded: Service, status: int, named: str, form: Row
) -> None:
    before = embedded.listed()
    answer = embedded.post(**form)
    assert named in assert_faults(answer, status)
    assert "rahasia" not in answer.text
    assert embedded.listed() == before


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("requests.json", {"start_date": "2026-01-31"}, 400),
        ("requests.json", {"end_date": "1767139200"}, 400),
        ("requests.json", {"start_date": "2026-01-31T00:00:00"}, 400),
        ("requests.json", {"start_date": "2026-02-31T00:00:00Z"}, 400),
        ("requests.json", {"status": "selesai"}, 400),
        ("requests.json", {"service_request_id": "a\0b"}, 400),
        ("requests/a%00b.json", {}, 400),
        ("requests/tiada.json", {}, 404),
        ("tokens/tiada.json", {}, 404),
        ("services/tiada.json", {}, 404),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(embedded: Service, path: str, query: Row, status: int) -> None:
    assert_faults(embedded.get(path, **query), status)


def test_every_call_but_discovery_asks_for_a_key_with_its_scope(embedded: Service) -> None:
    for path in ("services.json", "services/sampah.json", "requests.json", "requests/a.json", "tokens/a.json"):
        assert_faults(embedded.client.get(f"/open311/v2/{path}"), 403)
        assert "suggest" in assert_faults(embedded.get(path, embedded.deaf), 403)
    assert_faults(embedded.post(api_key=embedded.deaf), 403)


def test_services_are_the_categories_a_complaint_can_be_given(portal: Portal) -> None:
    found = {service.service_code: service for service in services_of(portal)}
    assert found.keys() == portal.leaf.keys()
    lamp = found["penerangan-jalan-umum"]
    assert (lamp.service_name, lamp.group) == ("Penerangan jalan umum", "Perhubungan")
    assert (lamp.metadata, lamp.type, lamp.keywords) == (False, "realtime", "lampu penerangan jalan umum")


def test_the_notice_says_what_is_missing_and_whom_to_call_in_danger(denpasar: Path) -> None:
    def notice(**changed: Any) -> str:
        advice = {**vars(unanswered(Complaint(""), None)), **changed}
        answer = SuggestionOut(id="a", external_id="", release=None, portal="denpasar", created_at=NOW, **advice)
        return created_of(answer, load_portal(denpasar)).service_notice

    assert notice() == "Perlu dilihat petugas."
    ask = "Mohon tuliskan tempat kejadiannya."
    assert notice(route="incomplete", missing=["tempat kejadian"], ask=ask).endswith(f". {ask}")
    assert notice(route="emergency").endswith("Bila nyawa terancam, hubungi 112.")


def test_a_long_description_is_cut_to_what_the_specification_allows(embedded: Service) -> None:
    found = embedded.one(embedded.reported(description="lampu " * 1_500))
    assert len(found["description"]) == LONGEST_DESCRIPTION
    assert found["description"].endswith("…")
