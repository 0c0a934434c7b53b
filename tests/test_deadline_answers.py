"""A deadline is answered, kept, ordered by and shown: over HTTP, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from desk_visitor import changed, visiting
from publisher import publish_first, small_town
from served import RUBBISH, Service, serving
from sqlalchemy import select
from typer.testing import CliRunner

from router_model.deadlines import deadline_of
from router_model.portal import Portal, load_portal
from router_model.registry import promote
from service.cli import app
from service.database import webhooks
from service.database.schema import suggestions, webhook_messages
from service.desk.complaint_view import remaining
from service.wire import suggestion_of

LIMITS = """
[deadlines.pengaduan]
working_days = 14
source = "Salinan aturan"
certainty = "A"
[deadlines.informasi]
working_days = 5
[deadlines.informasi.rendah]
working_days = 8
[deadlines.pengawasan]
working_days = 60
source = "Salinan aturan"
certainty = "C"
[deadlines.verifikasi]
working_days = 3
"""
BRIBE = "Petugas loket meminta uang pelicin dua ratus ribu supaya surat saya cepat selesai, ini pungli"
MONDAY = "2026-11-16T09:00:00"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_town(tmp_path_factory.mktemp("kota") / "kota-kecil")
    with (made / "portal.toml").open("a", encoding="utf-8") as file:
        file.write(LIMITS)
    return made


@pytest.fixture(scope="module")
def town(folder: Path) -> Path:
    """A registry with a release in force of a town that sets limits."""
    registry = folder.parent / "registry"
    promote(registry, publish_first(36, folder, registry))
    return registry


@pytest.fixture
def portal(folder: Path) -> Portal:
    return load_portal(folder)


AS_A_COMPLAINT = datetime(2026, 12, 4, 9, tzinfo=UTC)
AS_A_QUESTION = datetime(2026, 11, 23, 9, tzinfo=UTC)
AS_A_QUESTION_OF_LOW_URGENCY = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture
def service(town: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", town, database_url) as started:
        yield started


def due_of(service: Service, suggestion_id: str) -> datetime | None:
    with service.database.connect() as connection:
        return connection.scalar(select(suggestions.c.due_at).where(suggestions.c.id == suggestion_id))


def test_an_answer_tells_its_deadline_and_the_queue_keeps_it(service: Service) -> None:
    asked = service.asked(report_type="pengaduan", received_at=MONDAY)
    assert asked["deadline"] == {
        "working_days": 14,
        "due": "2026-12-04T09:00:00Z",
        "verify_by": "2026-11-19T09:00:00Z",
        "source": "Salinan aturan",
        "certainty": "A",
    }
    assert due_of(service, asked["id"]) == datetime(2026, 12, 4, 9, tzinfo=UTC)
    assert service.small.get(f"/v1/suggestions/{asked['id']}").json() == asked


def test_what_has_no_limit_has_no_deadline_and_waits_behind(service: Service) -> None:
    aspiration = service.asked(report_type="aspirasi", received_at=MONDAY)
    complaint = service.asked(report_type="pengaduan", received_at=MONDAY, text=RUBBISH)
    question = service.asked(report_type="informasi", received_at=MONDAY)
    assert (aspiration["deadline"], due_of(service, aspiration["id"])) == (None, None)
    given = [service.small.get("/v1/review/next", params={"by": f"petugas-{turn}"}).json() for turn in range(3)]
    assert [one["item"]["id"] for one in given] == [question["id"], complaint["id"], aspiration["id"]]


def test_without_a_moment_of_its_own_a_complaint_came_when_it_was_asked_about(service: Service, portal: Portal) -> None:
    asked = service.asked(report_type="pengaduan")
    found = deadline_of(portal, "pengaduan", "", datetime.fromisoformat(asked["created_at"]))
    assert found
    assert datetime.fromisoformat(asked["deadline"]["due"]) == found.due == due_of(service, asked["id"])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59Z"])
def test_a_moment_that_no_calendar_holds_is_answered_all_the_same(service: Service, moment: str) -> None:
    asked = service.asked(report_type="pengaduan", received_at=moment)
    with visiting(service, "wayan") as visitor:
        assert visitor.gets() == asked["id"]


def test_open311_expects_it_by_the_deadline(service: Service) -> None:
    asked = service.asked(report_type="pengaduan")
    key = service.small.headers["Authorization"].removeprefix("Bearer ")
    path = f"/open311/v2/requests/{asked['id']}.json"
    (found,) = service.small.get(path, params={"api_key": key}).json()
    assert datetime.fromisoformat(found["expected_datetime"]) == due_of(service, asked["id"])


def test_the_desk_shows_the_working_days_that_are_left(service: Service) -> None:
    service.asked(report_type="pengaduan")
    with visiting(service, "luh") as visitor:
        page = visitor.get("/desk")
    shown = page[page.index("<dt>Tenggat</dt>") :]
    assert "sisa 14 hari kerja</time>" in shown[:300] or "sisa 15 hari kerja</time>" in shown[:300]


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(days=-3), "sisa 1 hari kerja"),
        (timedelta(hours=-5), "sisa 5 jam"),
        (timedelta(hours=2), "lewat 2 jam"),
        (timedelta(days=2), "lewat 2 hari kerja"),
        (timedelta(days=1_000), "lewat 1000 hari"),
    ],
)
def test_days_are_worked_ones_and_the_last_day_is_told_in_hours(portal: Portal, passed: timedelta, told: str) -> None:
    monday = datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert remaining(monday, monday + passed, portal) == told


def test_an_answer_that_was_kept_before_deadlines_is_still_read(service: Service) -> None:
    asked: dict[str, Any] = service.asked(report_type="aspirasi")
    with service.database.connect() as connection:
        text = connection.scalar(select(suggestions.c.answer).where(suggestions.c.id == asked["id"]))
    assert text
    assert suggestion_of(text.replace('"deadline":null,', "")).deadline is None


def disposed(service: Service, **chosen: str) -> dict[str, Any]:
    answer = service.small.post("/v1/dispositions", json={"agency": "Dinas Perhubungan", **chosen})
    assert answer.status_code in (200, 201), answer.text
    kept: dict[str, Any] = answer.json()
    return kept


def told(service: Service, suggestion_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = service.small.get(f"/v1/suggestions/{suggestion_id}").json()["deadline"]
    return found


def test_another_report_type_counts_the_deadline_again_from_the_same_arrival(service: Service) -> None:
    asked = service.asked(report_type="pengaduan", received_at=MONDAY)
    kept = disposed(service, suggestion_id=asked["id"], report_type="Permintaan informasi", urgency="sedang")
    assert kept["deadline"] == {
        "working_days": 5,
        "due": "2026-11-23T09:00:00Z",
        "verify_by": "2026-11-19T09:00:00Z",
        "source": "",
        "certainty": "D",
    }
    assert due_of(service, asked["id"]) == AS_A_QUESTION
    assert told(service, asked["id"]) == kept["deadline"]
    assert disposed(service, suggestion_id=asked["id"], report_type="informasi", urgency="sedang") == kept


def test_urgency_alone_counts_too_and_what_has_no_limit_has_no_deadline_any_more(service: Service) -> None:
    asked = service.asked(report_type="informasi", received_at=MONDAY)["id"]
    disposed(service, suggestion_id=asked, urgency="rendah")
    assert due_of(service, asked) == AS_A_QUESTION_OF_LOW_URGENCY
    assert disposed(service, suggestion_id=asked, report_type="aspirasi")["deadline"] is None
    assert (due_of(service, asked), told(service, asked)) == (None, None)


def test_what_is_decided_as_it_was_answered_keeps_its_deadline(service: Service) -> None:
    asked = service.asked(report_type="pengaduan", received_at=MONDAY)
    assert disposed(service, suggestion_id=asked["id"])["deadline"] == asked["deadline"]
    kind = disposed(service, suggestion_id=asked["id"], report_type="pengaduan", urgency="sedang")
    assert kind["deadline"] == asked["deadline"]
    with visiting(service, "kadek", "auditor") as visitor:
        assert "dihitung lagi" not in visitor.get(f"/desk/riwayat/{asked['id']}")
    assert due_of(service, asked["id"]) == AS_A_COMPLAINT


def test_a_file_of_dispositions_counts_deadlines_again(service: Service) -> None:
    asked = service.asked(report_type="pengaduan", received_at=MONDAY, external_id="T-1")["id"]
    content = "id,agency,urgency,report_type\nT-1,Dinas Perhubungan,rendah,Permintaan informasi\n"
    sent = service.small.post("/v1/dispositions/import", files={"file": ("ekspor.csv", content.encode())})
    assert sent.json()["recorded"] == 1, sent.text
    assert due_of(service, asked) == AS_A_QUESTION_OF_LOW_URGENCY


def test_undo_takes_each_deadline_back(service: Service) -> None:
    asked = service.asked(report_type="pengaduan", received_at=MONDAY)
    with visiting(service, "ketut") as visitor:
        visitor.get(f"/desk/{asked['id']}")
        for kind in ("informasi", "aspirasi"):
            assert visitor.decide(asked["id"], klasifikasi=kind, urgensi="sedang").status_code == 303
        assert due_of(service, asked["id"]) is None
        history = visitor.get(f"/desk/riwayat/{asked['id']}")
        assert "Tenggat dihitung lagi: 5 hari kerja, sampai 23 Nov 2026 pukul" in history
        assert "Tanpa tenggat" in history
        visitor.post(f"/desk/{asked['id']}/batal")
        assert due_of(service, asked["id"]) == AS_A_QUESTION
        visitor.post(f"/desk/{asked['id']}/batal")
    assert due_of(service, asked["id"]) == AS_A_COMPLAINT
    assert told(service, asked["id"]) == asked["deadline"]


def test_a_refusal_leaves_the_deadline_that_was_decided(service: Service) -> None:
    asked = service.asked(report_type="pengaduan", received_at=MONDAY)["id"]
    kept = disposed(service, suggestion_id=asked, report_type="informasi", urgency="sedang")
    service.small.post("/v1/dispositions", json={"suggestion_id": asked, "refused_by": "Dinas Perhubungan"})
    assert due_of(service, asked) == AS_A_QUESTION
    assert told(service, asked) == kept["deadline"]
    waiting = service.small.get("/v1/review/next", params={"by": "gede"}).json()["item"]
    assert (waiting["id"], waiting["suggestion"]["deadline"]) == (asked, kept["deadline"])


def test_a_second_look_does_not_see_what_the_first_made_of_the_deadline(service: Service) -> None:
    asked = changed(service, service.asked(report_type="pengaduan", received_at=MONDAY)["id"], looks=2)
    with visiting(service, "putu") as first, visiting(service, "nyoman") as second:
        first.get(f"/desk/{asked}")
        first.decide(asked, klasifikasi="informasi", urgensi="sedang")
        assert due_of(service, asked) == AS_A_QUESTION
        for page in (second.get(f"/desk/riwayat/{asked}"), second.get(f"/desk/{asked}")):
            assert "2026-12-04T09:00:00+00:00" in page
            assert "2026-11-23T09:00:00+00:00" not in page


def test_portals_hear_of_the_deadline_and_open311_tells_it(service: Service) -> None:
    asked = service.asked(report_type="pengaduan", received_at=MONDAY)["id"]
    with service.database.begin() as connection:
        webhooks.add_endpoint(connection, "kota-kecil", "http://127.0.0.1:9/", ["disposition.recorded"])
    disposed(service, suggestion_id=asked, report_type="informasi", urgency="sedang")
    with service.database.connect() as connection:
        payload = connection.scalars(select(webhook_messages.c.payload)).all()[-1]
    assert '"due":"2026-11-23T09:00:00+00:00"' in payload
    key = service.small.headers["Authorization"].removeprefix("Bearer ")
    (found,) = service.small.get(f"/open311/v2/requests/{asked}.json", params={"api_key": key}).json()
    assert datetime.fromisoformat(found["expected_datetime"]) == AS_A_QUESTION


def test_predict_tells_the_deadline_as_if_the_complaint_came_now(town: Path, portal: Portal) -> None:
    words = ["predict", "--registry", str(town), BRIBE]
    now = datetime.now(UTC)
    told, given = (CliRunner().invoke(app, [*words, *more]) for more in ([], ["--json"]))
    assert "C  60 hari kerja, sampai" in told.stdout, told.output
    assert "bila masuk sekarang [Salinan aturan]" in told.stdout
    found, expected = orjson.loads(given.stdout)["deadline"], deadline_of(portal, "pengawasan", "", now)
    assert expected
    assert found["due"] in {f"{expected.due:%Y-%m-%dT%H:%M:%SZ}", f"{_next(portal, now):%Y-%m-%dT%H:%M:%SZ}"}


def _next(portal: Portal, now: datetime) -> datetime:
    """The deadline if the offices closed just now."""
    later = deadline_of(portal, "pengawasan", "", now + timedelta(minutes=1))
    assert later
    return later.due


def test_the_public_page_shows_the_deadline_with_its_source(service: Service) -> None:
    page = httpx.post(f"{service.url}/", data={"text": BRIBE, "portal": "kota-kecil"}, trust_env=False).text
    shown = page[page.index("Tenggat jawaban") :][:600]
    for words in ("60 hari kerja", "bila laporan masuk sekarang", "Diperiksa dan diteruskan sampai"):
        assert words in shown
    assert "Sumber: Salinan aturan. Kepastian C: salinan pihak lain" in shown


def test_without_a_limit_nothing_is_said_of_a_deadline(service: Service, town: Path) -> None:
    wish = "Usul menambah bangku taman kota"
    assert "Tenggat" not in httpx.post(f"{service.url}/", data={"text": wish}, trust_env=False).text
    assert "Tenggat" not in CliRunner().invoke(app, ["predict", "--registry", str(town), wish]).stdout
