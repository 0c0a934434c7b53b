"""The final choice comes back: which labels are taken, what is kept, and what is told of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import LAMP, Service, client_of, problem, serving
from sqlalchemy import select

from router_model.portal import Portal
from service.choices import UnknownLabelError, chosen
from service.database.schema import audit_log, dispositions, suggestions

SHAPE = {
    "id", "suggestion_id", "external_id", "agency", "category", "urgency", "report_type", "refused_by", "by", "reason",
    "source", "outcome", "deadline", "release", "created_at",
}  # fmt: skip
LIGHTS = {"agency": "Dinas Perhubungan", "category": "Lampu jalan"}


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


def dispose(service: Service, **body: Any) -> httpx.Response:
    return service.small.post("/v1/dispositions", json=body)


def test_a_choice_is_kept_with_what_had_been_suggested(service: Service) -> None:
    kept = service.asked(external_id="D-1")
    answer = dispose(service, external_id="D-1", **LIGHTS, urgency="tinggi", by="petugas-3", reason="sudah dicek")
    body = answer.json()
    assert (answer.status_code, body.keys()) == (201, SHAPE)
    assert (body["suggestion_id"], body["external_id"], body["release"]) == (kept["id"], "D-1", kept["release"])
    assert (body["agency"], body["category"], body["urgency"]) == ("dinas-perhubungan", "lampu-jalan", "tinggi")
    assert (body["by"], body["reason"], body["source"], body["report_type"]) == (
        "petugas-3",
        "sudah dicek",
        "api",
        None,
    )
    with service.database.connect() as connection:
        (logged,) = connection.execute(select(audit_log).where(audit_log.c.action == "disposition.record"))
        assert (logged.subject, logged.release) == (kept["id"], kept["release"])
        assert logged.who.startswith("key:")
        assert connection.scalar(select(suggestions.c.state)) == "done"


@pytest.mark.parametrize(
    ("labels", "outcome"),
    [
        ({"agency": "Dinas Perhubungan"}, "accepted"),
        ({"agency": "dinas-perhubungan", "category": "lampu-jalan"}, "accepted"),
        ({"agency": "Dinas Perhubungan", "category": "Sampah"}, "changed"),
        ({"agency": "Dinas Kebersihan"}, "changed"),
    ],
)
def test_the_outcome_says_whether_the_suggestion_was_followed(
    service: Service, labels: dict[str, str], outcome: str
) -> None:
    assert dispose(service, suggestion_id=service.asked()["id"], **labels).json()["outcome"] == outcome


def test_the_same_again_changes_nothing_and_another_choice_corrects_the_earlier_one(service: Service) -> None:
    service.asked(external_id="D-2")
    first, again = (dispose(service, external_id="D-2", **LIGHTS) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    corrected = dispose(service, external_id="D-2", agency="Dinas Kebersihan")
    assert (corrected.status_code, corrected.json()["outcome"]) == (201, "changed")
    with service.database.connect() as connection:
        kept = connection.execute(select(dispositions.c.agency).order_by(dispositions.c.sequence)).scalars().all()
    assert kept == ["dinas-perhubungan", "dinas-kebersihan"]


def test_different_choices_at_once_are_each_kept_in_their_order(service: Service) -> None:
    service.asked(external_id="D-3")
    agencies = ["Dinas Perhubungan", "Dinas Kebersihan", "Dinas Pekerjaan Umum"]
    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(lambda agency: dispose(service, external_id="D-3", agency=agency), agencies * 3))
    assert {answer.status_code for answer in answers} <= {200, 201}
    with service.database.connect() as connection:
        sequence = connection.execute(select(dispositions.c.sequence).order_by(dispositions.c.sequence)).scalars().all()
    assert sequence == list(range(1, len(sequence) + 1))
    assert len(sequence) == sum(answer.status_code == 201 for answer in answers) >= 3


def test_where_no_model_answered_the_choice_was_made_from_scratch(service: Service, towns: Path) -> None:
    with client_of(service.url, service.database, "kota-kecil", "dispose") as client:
        kept = service.asked(external_id="D-4")
        with service.database.begin() as connection:
            connection.execute(suggestions.update().where(suggestions.c.id == kept["id"]).values(agency=None))
        assert client.post("/v1/dispositions", json={"external_id": "D-4", **LIGHTS}).json()["outcome"] == "scratch"


def test_unknown_labels_are_named_by_field_and_not_repeated(service: Service) -> None:
    labels = dict.fromkeys(("agency", "category", "urgency", "report_type"), "rahasia")
    answer = dispose(service, external_id="D-5", **labels)
    body = problem(answer, 422)
    assert {error["field"]: error["message"] for error in body["errors"]} == {
        "agency": "instansi tidak dikenal",
        "category": "kategori tidak dikenal",
        "urgency": "tingkat urgensi tidak dikenal",
        "report_type": "klasifikasi tidak dikenal",
    }
    assert "taxonomy" in body["detail"]
    assert "rahasia" not in answer.text


def test_a_complaint_is_named_in_exactly_one_way(service: Service) -> None:
    problem(dispose(service, **LIGHTS), 422)
    problem(dispose(service, external_id="D-6", suggestion_id="D-6", **LIGHTS), 422)
    problem(dispose(service, external_id="tidak-ada", **LIGHTS), 404)
    problem(dispose(service, suggestion_id="tidak-ada", **LIGHTS), 404)
    problem(dispose(service, external_id="D-6", nama_pelapor="Ni Luh", **LIGHTS), 422)


def test_what_was_disposed_does_not_wait_for_review_any_more(service: Service) -> None:
    kept = service.asked(text="tolong")
    assert dispose(service, suggestion_id=kept["id"], **LIGHTS).status_code == 201
    assert service.small.get("/v1/review/next").json() == {"item": None}
    problem(service.small.post(f"/v1/review/{kept['id']}/decision", json=LIGHTS), 409)


def test_labels_are_found_by_code_name_and_alias_however_they_are_spelled(portal: Portal) -> None:
    agency = next(agency for agency in portal.living_agencies if agency.aliases)
    category = portal.leaves[0]
    for written in (agency.code, agency.name, agency.name.upper(), f"  {agency.name}  ", agency.aliases[0]):
        found = chosen(portal, written, category.name.casefold(), "TINGGI", "Aspirasi")
        assert found.labels == (agency.code, category.code, "tinggi", "aspirasi")
    with pytest.raises(UnknownLabelError) as refused:
        chosen(portal, LAMP, urgency=LAMP)
    assert refused.value.faults.keys() == {"agency", "urgency"}
