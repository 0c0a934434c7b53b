"""The health page in a real Chromium: accessible, legible and within its window, by day and by night."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from health_rows import asked, chosen
from playwright.sync_api import Browser, Page
from served import Service, serving
from signed_in import signed_in

PAGE = "/admin/kesehatan"
OVERLAPS = """
    [...document.querySelectorAll("svg.chart")].flatMap((chart) => {
      const frame = chart.getBoundingClientRect();
      const found = [...chart.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
      const touch = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5
        && a.top + a.height / 4 < b.bottom - b.height / 4 && b.top + b.height / 4 < a.bottom - a.height / 4;
      const both = found.flatMap(([one, a], place) =>
        found.slice(place + 1).filter(([, b]) => touch(a, b)).map(([other]) => `${one} / ${other}`));
      const outside = found.filter(([, box]) => box.left < frame.left - 8 || box.right > frame.right + 8);
      return [...both, ...outside.map(([text]) => text)];
    })
"""


@pytest.fixture(scope="module")
def service(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("health")
    with serving(home, towns, f"sqlite:///{home / 'aduan.db'}") as started:
        fill(started)
        yield started


def fill(service: Service) -> None:
    """Some complaints each week, of every route, some corrected, and emergencies that wait."""
    now = datetime.now(UTC)
    offices = ("dinas-perhubungan", "dinas-kebersihan", "dinas-pekerjaan-umum")
    with service.database.begin() as connection:
        for n in range(240):
            at = now - timedelta(days=n % 80, minutes=n)
            route = ("auto", "prefill", "review", "emergency", "external", "incomplete")[n % 6]
            ranked = offices[n % 3 :] + offices[: n % 3]
            state = "open" if route == "emergency" and n % 5 == 0 else "done"
            new = asked(
                connection, at, ranked, route=route, state=state, sampled=route == "auto" and n % 4 == 0,
                channel=("web", "aplikasi seluler kota", "sms", "loket", "surat", "radio")[n % 7 % 6],
                text=f"skuter {n} menghalangi trotoar",
            )  # fmt: skip
            if state == "done":
                agency = ranked[1] if n % 9 == 0 else ranked[0]
                chosen(
                    connection,
                    new,
                    agency,
                    timedelta(minutes=n),
                    at=at,
                    outcome="changed" if n % 9 == 0 else "accepted",
                )


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_page_is_accessible_and_nothing_overlaps(
    service: Service, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    with signed_in(service, f"sari{width}") as sari:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        name, value = sari.cookie
        page.context.add_cookies([{"name": name, "value": value, "url": service.url}])
        page.goto(f"{service.url}{PAGE}?pekan=26")
        assert page.locator("svg.chart").count() >= 9
        assert page.evaluate(OVERLAPS) == []
        folded = page.locator("details.disclosure")
        folded.first.locator("summary").click()
        assert folded.first.get_by_role("rowheader").count() == 26
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert faults == []
        page.close()


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []
