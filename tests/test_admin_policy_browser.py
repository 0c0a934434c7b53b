"""The sliders of the policy page in a real browser: what they show is what the server says."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESK, PATIENCE, PHONE
from playwright.sync_api import Browser, BrowserContext, Page, expect
from publisher import small_town
from served import Service, serving
from signed_in import signed_in
from test_learning import FIRST_DAY, learnable, town_history

from router_model.portal import load_portal
from service.database import jobs
from service.database.jobs import POLICY
from training.learning import learn

PAGE = "/admin/kebijakan"
SERIOUS = ("serious", "critical")
PLACES = "dots => dots.map(dot => [dot.getAttribute('cx'), dot.getAttribute('cy')])"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("policy")
    folder = small_town(home / "portal")
    rows = learnable(town_history(460, days=129), load_portal(folder))
    for day, known in enumerate((rows[:400], rows)):
        learn(known, folder, home / "registry", now=FIRST_DAY + timedelta(days=day))
    with serving(home / "home", home / "registry", f"sqlite:///{home / 'aduan.db'}") as running:
        yield running


@pytest.fixture(scope="module")
def cookie(service: Service) -> Iterator[tuple[str, str]]:
    with signed_in(service) as person:
        yield person.cookie


@pytest.fixture
def context(browser: Browser, service: Service, cookie: tuple[str, str]) -> Iterator[BrowserContext]:
    """The test fails if a page complained or asked anyone else for anything."""
    opened = browser.new_context(base_url=service.url, viewport=DESK, locale="id-ID")
    opened.set_default_timeout(PATIENCE)
    opened.add_cookies([{"name": cookie[0], "value": cookie[1], "url": service.url}])
    faults: list[str] = []
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.on("weberror", lambda error: faults.append(str(error.error)))
    opened.on("request", lambda asked: None if asked.url.startswith(service.url) else faults.append(asked.url))
    yield opened
    opened.close()
    assert faults == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    opened = context.new_page()
    opened.goto(PAGE)
    return opened


def results(page: Page) -> list[str]:
    """What the three tiles say of the wish."""
    return [" ".join(text.split()) for text in page.locator(".policy-tile").all_inner_texts()]


def test_moving_a_slider_shows_at_once_what_the_server_says_of_that_wish(page: Page) -> None:
    slider = page.get_by_role("slider", name="Diteruskan otomatis")
    other = page.get_by_role("slider", name="Dipilihkan lebih dulu")
    before = results(page)
    expect(page.get_by_role("button", name="Hitung")).to_be_hidden()
    other.fill("80.5")
    slider.fill("88.5")
    moved = results(page)
    assert moved != before
    expect(page.locator("#auto")).to_have_value("88.5")
    assert [page.locator(f"[data-apply] [name={name}]").input_value() for name in ("auto", "prefill")] == [
        "88.5",
        "80.5",
    ]
    dots = page.locator("[data-dot]").evaluate_all(
        "dots => dots.map(dot => [dot.getAttribute('cx'), dot.getAttribute('cy')])"
    )
    page.goto(f"{PAGE}?auto=88.5&prefill=80.5")
    assert results(page) == moved
    assert dots == page.locator("[data-dot]").evaluate_all(PLACES)


def test_a_slider_is_moved_by_keyboard_and_says_where_it_stands(page: Page) -> None:
    slider = page.get_by_role("slider", name="Diteruskan otomatis")
    slider.focus()
    start = float(page.locator("#auto").input_value())
    page.keyboard.press("ArrowLeft")
    assert float(page.locator("#auto").input_value()) == start - 0.5
    assert re.fullmatch(r"\d\d,\d persen", slider.get_attribute("aria-valuetext") or "")
    expect(page.locator("[data-said]")).to_contain_text("dari 100 otomatis")


def test_what_makes_no_sense_cannot_be_sent_and_is_named(page: Page) -> None:
    page.get_by_role("slider", name="Dipilihkan lebih dulu").fill("95")
    page.locator("#auto").fill("82")
    expect(page.locator("#auto-salah")).to_contain_text("tidak boleh di bawah")
    expect(page.get_by_role("button", name="Berlakukan pilihan ini")).to_be_disabled()
    page.locator("#auto").fill("96")
    expect(page.locator("#auto-salah")).to_be_empty()
    expect(page.get_by_role("button", name="Berlakukan pilihan ini")).to_be_enabled()


def test_a_wish_that_nothing_proves_is_told_as_soon_as_it_is_chosen(page: Page) -> None:
    page.get_by_role("slider", name="Diteruskan otomatis").fill("99.5")
    expect(page.locator("[data-lacking]")).to_contain_text("Tidak ada yang otomatis pada 99,5 %: perlu sedikitnya 598")
    page.get_by_role("slider", name="Dipilihkan lebih dulu").fill("80")
    page.get_by_role("slider", name="Diteruskan otomatis").fill("85")
    expect(page.locator("[data-lacking]")).to_be_hidden()


def test_the_wish_that_is_shown_is_the_one_that_is_sent(page: Page, service: Service) -> None:
    page.get_by_role("slider", name="Dipilihkan lebih dulu").fill("81")
    page.get_by_role("slider", name="Diteruskan otomatis").fill("91.5")
    page.get_by_role("button", name="Berlakukan pilihan ini").click()
    page.wait_for_url("**pekerjaan=job_*")
    expect(page.get_by_text("Perubahan menunggu pekerja latar")).to_be_visible()
    with service.database.begin() as connection:
        (job,) = jobs.newest(connection, "kota-kecil", POLICY)
        jobs.cancel(connection, "kota-kecil", job.id, "user:sari")
    assert (job.request["auto"], job.request["prefill"]) == (0.915, 0.81)
    expect(page.get_by_text("Perubahan dibatalkan.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_of_access_on_policy_and_releases(page: Page, service: Service, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    release = page.locator(".site-footer .release .code").inner_text()
    for path in (PAGE, f"{PAGE}?auto=99&prefill=80", "/admin/rilis", f"/admin/rilis/{release}"):
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            page.goto(path)
            found = Axe().run(page).response["violations"]
            assert [rule["id"] for rule in found if rule["impact"] in SERIOUS] == [], (path, found)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
