"""The public page, used as a citizen's browser uses it: a real Chromium against the real service."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import PATIENCE
from live_service import LiveService, running_service
from playwright.sync_api import Browser, BrowserContext, Page, expect

LAMP = "Lampu penerangan jalan umum di depan sekolah mati sudah seminggu, gelap gulita kalau malam"
FIRE = "Tolong, rumah tetangga kebakaran sekarang, api sudah sampai atap, masih ada nenek terjebak di dalam"
POWER = "Listrik padam di rumah sejak subuh, token sudah diisi tetapi meteran PLN tetap mati, sudah lapor PLN"
FOR_FIRE, FOR_OTHERS = ("112", "0361-223333", "113"), ("110", "119", "129")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, registry: Path) -> Iterator[LiveService]:
    with running_service(tmp_path_factory.mktemp("page"), registry) as service:
        yield service


@pytest.fixture
def context(browser: Browser, live: LiveService) -> Iterator[BrowserContext]:
    """A fresh visitor; the test fails if the page complained or asked anyone else for anything."""
    opened = browser.new_context(base_url=live.url)
    opened.set_default_timeout(PATIENCE)
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("weberror", lambda error: complaints.append(str(error.error)))
    yield opened
    opened.close()
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    # Chromium reports a 422 page as a failed load; that is no fault of the page.
    assert [text for text in complaints if "422" not in text] == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    opened = context.new_page()
    opened.goto("/")
    return opened


def ask(page: Page, text: str, **fields: str) -> None:
    page.get_by_label("Isi laporan", exact=True).fill(text)
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Cari instansi").click()
    page.wait_for_selector("[data-result], [data-problem]")


def too_wide(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_a_pasted_complaint_shows_agency_bars_urgency_words_route_and_why(page: Page) -> None:
    ask(page, LAMP, title="Lampu jalan padam", village="Sidakarya")
    ranking = page.locator(".ranking > .rank")
    assert 1 < ranking.count() <= 5
    expect(ranking.first).to_contain_text("Dinas Perhubungan Kota Denpasar")
    expect(ranking.first).to_contain_text(re.compile(r"\d+ %"))
    widths = page.locator(".ranking .bar-fill").evaluate_all("bars => bars.map(b => b.getBoundingClientRect().width)")
    assert widths[0] > 0
    assert widths == sorted(widths, reverse=True)
    expect(page.get_by_role("heading", name="Urgensi")).to_be_visible()
    expect(page.locator("[class*=urgency-]").first).to_have_text(re.compile("Darurat|Tinggi|Sedang|Rendah"))
    expect(page.locator(".fact", has_text="Kategori")).to_contain_text("Penerangan jalan umum")
    expect(page.locator(".complaint-text")).to_have_text(LAMP)
    expect(page.locator(".complaint-text mark").filter(has_text=re.compile("lampu", re.IGNORECASE))).to_have_count(1)
    expect(page.locator(".verdict-label")).not_to_be_empty()
    expect(page.get_by_role("heading", name="Mengapa")).to_be_visible()
    expect(page.locator(".verdict .reasons > li").first).not_to_be_empty()


def test_the_form_keeps_what_was_written_so_that_it_can_be_changed(page: Page) -> None:
    ask(page, LAMP, title="Lampu", address="Jl. Kerta Petasikan", village="Sidakarya")
    expect(page.locator("[name=text]")).to_have_value(LAMP)
    expect(page.locator("[name=title]")).to_have_value("Lampu")
    expect(page.locator("[name=address]")).to_have_value("Jl. Kerta Petasikan")
    expect(page.locator("[name=village]")).to_have_value("Sidakarya")


def test_an_emergency_shows_the_numbers_to_call_for_it_before_anything_else(page: Page) -> None:
    ask(page, FIRE)
    alarm = page.locator(".emergency")
    expect(alarm).to_be_in_viewport()
    for number in FOR_OTHERS:
        expect(alarm.locator(f"a[href='tel:{number}']")).to_have_count(0)
    for number in FOR_FIRE:
        expect(alarm.locator(f"a[href='tel:{number.replace('-', '')}']")).to_contain_text(number)
    expect(alarm.locator(".reasons")).to_contain_text("kebakaran")
    expect(page).to_have_title(re.compile("Darurat"))


def test_a_matter_of_another_body_names_that_body(page: Page) -> None:
    ask(page, POWER)
    verdict = page.locator(".verdict.route-external")
    expect(verdict.get_by_role("heading", level=2)).to_have_text("PLN UP3 Bali Selatan")
    expect(verdict).to_contain_text("bukan wewenang pemerintah kota")


def test_an_incomplete_complaint_is_told_what_is_missing(page: Page) -> None:
    ask(page, "tolong")
    missing = page.locator(".verdict.route-incomplete .missing > li")
    expect(missing).to_have_text(["apa yang terjadi", "tempat kejadian"])


def test_personal_data_is_masked_on_the_answer_and_counted(page: Page) -> None:
    ask(page, f"{LAMP}, hubungi saya di 081338765210")
    expect(page.locator(".complaint-text")).not_to_contain_text("081338765210")
    expect(page.locator(".masked")).to_contain_text("1 Nomor telepon")


def test_markup_in_a_complaint_is_text_and_nothing_else(page: Page) -> None:
    written = '</textarea><script>document.title = "diretas"</script>&<img src=x onerror=alert(1)> jalan rusak'
    ask(page, written, title='"><b>judul</b>')
    expect(page.locator("[name=text]")).to_have_value(written)
    expect(page.locator("[name=title]")).to_have_value('"><b>judul</b>')
    assert page.title() != "diretas"
    assert page.locator("img").count() == 0


def test_an_empty_complaint_is_explained_on_the_page(page: Page) -> None:
    page.locator("form").evaluate("form => { form.noValidate = true }")
    ask(page, "   ")
    expect(page.get_by_role("alert")).to_contain_text("masih kosong")
    expect(page).to_have_title(re.compile("Perlu diperbaiki"))


def test_an_example_fills_the_form_by_one_click_and_gets_an_answer(page: Page) -> None:
    page.locator("[data-example]").first.click()
    expect(page.locator("[name=text]")).not_to_have_value("")
    page.get_by_role("button", name="Cari instansi").click()
    expect(page.locator("[data-result]")).to_be_focused()


@pytest.mark.parametrize("text", ["", LAMP, FIRE, POWER, "tolong", "x" * 600], ids=lambda text: text[:12] or "empty")
def test_a_narrow_telephone_never_scrolls_sideways(page: Page, text: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    if text:
        ask(page, text)
    assert too_wide(page) <= 0


def test_it_works_without_javascript(browser: Browser, live: LiveService) -> None:
    context = browser.new_context(base_url=live.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    expect(page.locator("[data-example]").first).to_be_hidden()
    ask(page, FIRE)
    expect(page.locator(".emergency")).to_contain_text("112")
    ask(page, LAMP)
    expect(page.locator(".rank-first")).to_contain_text("Dinas Perhubungan Kota Denpasar")
    context.close()
