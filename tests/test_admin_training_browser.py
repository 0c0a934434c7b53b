"""Whoever watches a training in a browser sees it go on and end, without touching anything."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from served import Service, serving
from signed_in import signed_in

from service.database import job_log, jobs
from service.database.jobs import TRAINING

TOWN, PAGE = "kota-kecil", "/admin/pelatihan"
LEASE = timedelta(minutes=5)


@pytest.fixture
def service(towns: Path, tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, f"sqlite:///{tmp_path / 'aduan.db'}") as started:
        yield started


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_progress_is_live_and_ends_with_the_result(service: Service, browser: Browser) -> None:
    with service.database.begin() as connection:
        request = {"datasets": [], "reason": ""}
        jobs.enqueue(connection, TOWN, TRAINING, request, "user:sari")
        job = jobs.claim(connection, datetime.now(UTC), LEASE)
    assert job is not None
    with signed_in(service) as sari:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        name, value = sari.cookie
        page.context.add_cookies([{"name": name, "value": value, "url": service.url}])
        page.goto(service.url + PAGE)
        expect(page.get_by_role("link", name="Perbarui")).to_be_hidden()
        page.get_by_role("button", name="Batalkan pelatihan").focus()
        for stage, done in (("membaca laporan", 0), ("menguji maju menurut waktu", 6)):
            with service.database.begin() as connection:
                progress = {"stage": stage, "done": done, "total": 8, "seconds_left": None}
                jobs.heartbeat(connection, job, datetime.now(UTC), LEASE, progress)
                jobs.note(connection, job, [job_log.Line(datetime.now(UTC), f"{stage.capitalize()}.")])
            expect(page.locator(".training-stage")).to_contain_text(stage.capitalize())
            expect(page.locator("[data-said]")).to_contain_text(stage.capitalize())
            expect(page.locator(".training-log")).to_contain_text(f"{stage.capitalize()}.")
        expect(page.get_by_role("progressbar")).to_have_attribute("value", "75")
        expect(page.get_by_role("button", name="Batalkan pelatihan")).to_be_focused()
        assert_accessible(page)
        result = {"release": f"{TOWN}-20250102-bbbbbbbb", "in_force": False, "rows": 36, "scores": {}}
        with service.database.begin() as connection:
            gate = {"agrees": False, "reasons": ["Hanya 9 laporan belum dipelajari keduanya."]}
            jobs.finish(connection, job, "done", result={**result, "gate": gate})
        expect(page.locator(".training-outcome")).to_contain_text("Hanya 9 laporan")
        expect(page.locator("[data-said]")).to_contain_text("Selesai. Tidak diberlakukan.")
        expect(page.get_by_role("heading", name="Sedang dikerjakan")).to_be_hidden()
        expect(page.get_by_role("heading", name="Latih ulang")).to_be_visible()
        assert_accessible(page)
        assert faults == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()
