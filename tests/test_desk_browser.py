"""The review desk by keyboard, in a real Chromium against the running service."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import PATIENCE
from desk_visitor import LAMPS, RUBBISH_OFFICE, Visitor, changed
from playwright.sync_api import Browser, Page, expect
from served import LAMP, RUBBISH, Service, serving
from sqlalchemy import select, update

from service.database.schema import dispositions, skips, suggestions

Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, towns: Path) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("desk")
    with serving(home, towns, f"sqlite:///{home / 'aduan.db'}") as running:
        yield running


@pytest.fixture(scope="module")
def people(service: Service) -> Iterator[dict[str, Visitor]]:
    found = {name: Visitor(service, name, "staff") for name in ("luh", "made")}
    yield found
    for visitor in found.values():
        visitor.client.close()


@pytest.fixture(autouse=True)
def nothing_waits(service: Service) -> None:
    """Each test begins with an empty queue."""
    with service.database.begin() as connection:
        connection.execute(update(suggestions).values(state="done", leased_by=None, leased_until=None))


@pytest.fixture
def opened(browser: Browser, service: Service, people: dict[str, Visitor]) -> Iterator[Opened]:
    """Opens a page as somebody; the test fails if a page complained or asked anyone else for anything."""
    asked: list[str] = []
    faults: list[str] = []
    contexts = []

    def open_page(path: str = "/desk", who: str = "luh", **options: Any) -> Page:
        context = browser.new_context(base_url=service.url, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        name, value = people[who].cookie
        context.add_cookies([{"name": name, "value": value, "url": service.url}])
        context.on("request", lambda request: asked.append(request.url))
        context.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    # Chromium reports a refused heartbeat or form as a failed load; the page tells of it in its own words.
    assert [text for text in faults if not re.search("status of (40[13]|422)", text)] == []


@dataclass
class Keyboard:
    """Counts what is pressed, and presses nothing before the page takes keys."""

    page: Page
    pressed: int = 0

    def press(self, *keys: str) -> None:
        self.page.wait_for_selector("[data-desk][data-ready]")
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


def on_screen(page: Page) -> str:
    return str(page.locator("[data-desk]").get_attribute("data-hold")).split("/")[2]


def saved(page: Page, words: str) -> None:
    expect(page.locator(".saved.is-new")).to_contain_text(words)


def decided(service: Service) -> dict[str, tuple[str, str | None]]:
    """Agency and category of each complaint that was decided since the test began."""
    said = dispositions.c
    query = select(said.suggestion_id, said.agency, said.category).where(said.undone.is_(False))
    with service.database.connect() as connection:
        return {row.suggestion_id: (row.agency, row.category) for row in connection.execute(query)}


def asked(service: Service, text: str = LAMP, **complaint: Any) -> str:
    return str(service.asked(text=text, **complaint)["id"])


def test_a_right_suggestion_takes_one_key_and_the_second_candidate_two(service: Service, opened: Opened) -> None:
    first, second = asked(service), asked(service, RUBBISH)
    changed(service, first, priority=900.0)
    page = opened()
    keys = Keyboard(page)
    expect(page.locator("[data-start]")).to_be_focused()
    keys.press("Enter")
    saved(page, "Tersimpan: Dinas Perhubungan. Tekan z untuk membatalkan.")
    assert keys.pressed == 1
    expect(page.locator("[data-start]")).to_be_focused()
    assert on_screen(page) == second
    name = page.locator("[data-candidate]").nth(1).get_attribute("data-name")
    keys.press("2", "Enter")
    saved(page, f"Tersimpan: {name}")
    assert keys.pressed == 3
    assert decided(service)[first] == (LAMPS, "lampu-jalan")
    assert decided(service)[second][0] != RUBBISH_OFFICE
    expect(page.get_by_role("heading", name="Antrean kosong")).to_be_focused()


def test_enter_that_is_held_down_or_pressed_twice_saves_one_complaint(service: Service, opened: Opened) -> None:
    many = [asked(service, f"{LAMP} nomor {number}") for number in range(4)]
    page = opened()
    page.wait_for_selector("[data-ready]")
    for _ in range(30):
        page.keyboard.down("Enter")
        page.wait_for_timeout(30)
    page.keyboard.up("Enter")
    saved(page, "Tersimpan")
    assert len(decided(service).keys() & set(many)) == 1
    page.goto("/desk")
    page.wait_for_selector("[data-ready]")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    saved(page, "Tersimpan")
    assert len(decided(service).keys() & set(many)) == 2
    page.wait_for_selector("[data-ready]")
    with page.expect_navigation():
        page.get_by_role("button", name="Simpan", exact=True).dblclick(no_wait_after=True)
    saved(page, "Tersimpan")
    assert len(decided(service).keys() & set(many)) == 3


def test_what_is_pressed_while_a_page_appears_was_meant_for_the_one_before(service: Service, opened: Opened) -> None:
    complaint = asked(service)
    page = opened()
    page.add_init_script("""
        addEventListener("load", () => {
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
            document.querySelector("[data-save]")?.click();
        });
    """)
    page.reload()
    page.wait_for_selector("[data-ready]")
    assert on_screen(page) == complaint
    page.goto("/desk/riwayat")
    assert complaint not in decided(service)


def test_all_agencies_and_categories_are_searched_and_chosen_by_keyboard(service: Service, opened: Opened) -> None:
    complaint = asked(service)
    page = opened()
    keys = Keyboard(page)
    keys.press("/")
    box = page.get_by_role("combobox", name="Nama, singkatan, atau urusannya")
    expect(box).to_be_focused()
    page.keyboard.type("dinas")
    options = page.locator("[data-picker] [role=option]")
    expect(options).to_have_count(3)
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", str(options.nth(1).get_attribute("id")))
    box.fill("keber")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("[data-picker]")).not_to_be_visible()
    expect(page.get_by_role("radio", name="Dinas Kebersihan")).to_be_checked()
    expect(page.locator("[data-said]")).to_contain_text("Instansi: Dinas Kebersihan")
    keys.press("c")
    page.keyboard.type("jalan rus")
    page.keyboard.press("Enter")
    expect(page.locator("#kategori")).to_have_value("jalan-rusak")
    keys.press("/")
    page.keyboard.press("Escape")
    expect(page.locator("[data-start]")).to_be_focused()
    page.keyboard.press("Enter")
    saved(page, "Dinas Kebersihan")
    assert decided(service)[complaint] == (RUBBISH_OFFICE, "jalan-rusak")


def test_urgency_and_report_type_turn_and_no_key_fires_while_typing(service: Service, opened: Opened) -> None:
    complaint = asked(service)
    page = opened()
    Keyboard(page).press("u", "u")
    expect(page.get_by_role("radio", name="Sedang")).to_be_checked()
    page.keyboard.press("k")
    expect(page.locator("#klasifikasi")).to_have_value("pengawasan")
    page.keyboard.press("a")
    page.keyboard.type("us2kz/?")
    expect(page.locator("#alasan")).to_have_value("us2kz/?")
    expect(page.get_by_role("radio", name="Sedang")).to_be_checked()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("Escape")
    for held in ("Control+u", "Alt+u", "Meta+u"):
        page.keyboard.press(held)
    page.goto("/desk")
    expect(page.locator("#alasan")).to_have_value("")
    Keyboard(page).press("?")
    expect(page.get_by_role("dialog", name="Tombol papan ketik")).to_contain_text("cari semua instansi")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert complaint not in decided(service)


def test_skipping_takes_two_keys_and_z_takes_back_what_was_done_last(service: Service, opened: Opened) -> None:
    first, second = asked(service), asked(service, RUBBISH)
    changed(service, first, priority=900.0)
    page = opened()
    keys = Keyboard(page)
    keys.press("s")
    expect(page.get_by_role("dialog", name="Lewati laporan ini")).to_be_visible()
    page.keyboard.press("2")
    saved(page, "Dilewati: Saya terlibat atau mengenal pelapor")
    assert on_screen(page) == second
    keys.press("z")
    saved(page, "Dibatalkan. Laporan ini kembali kepada Anda.")
    assert on_screen(page) == first
    keys.press("Enter")
    saved(page, "Tersimpan: Dinas Perhubungan")
    page.goto("/desk/riwayat")
    page.goto("/desk")
    keys.press("z")
    saved(page, "Dibatalkan")
    assert on_screen(page) == first
    assert first not in decided(service)
    with service.database.connect() as connection:
        assert connection.execute(select(skips)).all() == []


def test_two_browsers_never_show_the_same_complaint_and_a_lost_one_is_told(service: Service, opened: Opened) -> None:
    for number in range(4):
        asked(service, f"{LAMP} nomor {number}")
    one, other = opened(who="luh"), opened(who="made")
    shown = [on_screen(one), on_screen(other)]
    for _ in range(2):
        for page in (one, other):
            with page.expect_navigation(url="**pesan=tersimpan"):
                Keyboard(page).press("Enter")
            expect(page.locator("[data-start]")).to_be_focused()
            shown += [on_screen(page)] if page.locator("[data-hold]").count() else []
    assert len(shown) == len(set(shown)) == 4
    last = asked(service, RUBBISH)
    one.goto("/desk")
    one.locator("#alasan").fill("belum disimpan")
    changed(service, last, leased_by="made")
    one.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    lost = one.get_by_role("alert").filter(has_text="tidak lagi Anda pegang")
    expect(lost).to_be_visible()
    expect(one.locator("#alasan")).to_have_value("belum disimpan")


def test_who_is_signed_out_meanwhile_signs_in_elsewhere_and_saves_what_was_typed(
    service: Service, opened: Opened, people: dict[str, Visitor]
) -> None:
    complaint = asked(service)
    page = opened()
    page.locator("#alasan").fill("belum disimpan")
    page.keyboard.press("Escape")
    page.context.clear_cookies()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    signed_out = page.get_by_role("alert").filter(has_text="Sesi Anda sudah berakhir")
    expect(signed_out).to_be_visible()
    name, value = people["luh"].signed_in(service)[1]
    page.context.add_cookies([{"name": name, "value": value, "url": service.url}])
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(signed_out).not_to_be_visible()
    Keyboard(page).press("Enter")
    saved(page, "Tersimpan")
    with service.database.connect() as connection:
        said = select(dispositions.c.reason).where(dispositions.c.suggestion_id == complaint)
        assert connection.scalar(said) == "belum disimpan"


def test_an_emergency_calls_on_every_page_and_opens_with_one_key(service: Service, opened: Opened) -> None:
    urgent = changed(service, asked(service), route="emergency")
    page = opened("/akun")
    page.goto("/desk/kemajuan")
    banner = page.get_by_role("alert").filter(has_text="1 laporan darurat menunggu")
    expect(banner).to_be_visible()
    expect(page).to_have_title(re.compile("^● DARURAT"))
    page.keyboard.press("e")
    page.wait_for_url(f"**/desk/{urgent}")
    expect(page.get_by_role("heading", name="Darurat. Hubungi petugas jaga sekarang")).to_be_visible()
    expect(banner).not_to_be_visible()
    expect(page).not_to_have_title(re.compile("DARURAT"))


def test_without_script_everything_is_done_by_plain_controls(service: Service, opened: Opened) -> None:
    first, second = asked(service), asked(service, RUBBISH)
    changed(service, first, priority=900.0)
    page = opened(java_script_enabled=False)
    page.locator("#lain").check()
    page.get_by_label("Instansi lain", exact=True).last.select_option(RUBBISH_OFFICE)
    page.locator("#kategori").select_option("sampah")
    page.get_by_role("button", name="Simpan", exact=True).click()
    saved(page, "Tersimpan: Dinas Kebersihan")
    assert decided(service)[first] == (RUBBISH_OFFICE, "sampah")
    page.locator("summary", has_text="Lewati").click()
    page.get_by_label("Bukan bidang saya").check()
    page.get_by_role("button", name="Lewati", exact=True).click()
    saved(page, "Dilewati: Bukan bidang saya")
    page.get_by_role("button", name="Batalkan").click()
    saved(page, "Dibatalkan")
    assert str(page.locator("[data-hold]").get_attribute("data-hold")) == f"/desk/{second}/pegang"


@pytest.mark.parametrize("width", [1280, 390])
def test_who_refused_is_told_struck_out_in_the_search_and_asked_about_once_more(
    service: Service, opened: Opened, width: int
) -> None:
    suggestion_id = asked(service)
    page = opened(viewport={"width": width, "height": 844})
    page.wait_for_selector("[data-desk][data-ready]")
    page.locator("[data-save]").click()
    saved(page, "Tersimpan: Dinas Perhubungan")
    page.goto(f"/desk/riwayat/{suggestion_id}")
    page.get_by_text("Instansi menolak (bukan wewenang)").click()
    page.get_by_label("Alasan instansi itu").fill("jalan provinsi")
    no_faults(page, "form")
    page.get_by_role("button", name="Catat penolakan").click()
    expect(page.get_by_text("Penolakan tercatat.")).to_be_visible()
    no_faults(page, "recorded")
    page.goto("/desk")
    assert on_screen(page) == suggestion_id
    expect(page.get_by_role("note").filter(has_text="Sudah ditolak: Dinas Perhubungan")).to_be_visible()
    no_faults(page, "desk")
    Keyboard(page).press("/")
    struck = page.locator("[role=option].is-refused")
    expect(struck).to_contain_text("Sudah menolak laporan ini (bukan wewenang)")
    struck.click()
    Keyboard(page).press("Enter")
    expect(page.locator("[data-problem]")).to_contain_text("Dinas Perhubungan sudah menolak laporan ini")
    page.get_by_label("Tetap kirim, juga ke instansi yang sudah menolak").check()
    page.wait_for_selector("[data-desk][data-ready]")
    page.locator("[data-save]").click()
    saved(page, "Tersimpan: Dinas Perhubungan")
    assert decided(service)[suggestion_id][0] == LAMPS


@pytest.mark.parametrize(
    "looks",
    [
        {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
        {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    ],
    ids=["light-wide", "dark-phone"],
)
def test_no_page_has_a_serious_fault_of_accessibility_or_is_too_wide(
    service: Service, opened: Opened, looks: dict[str, Any]
) -> None:
    done, urgent, calm = asked(service), asked(service, f"{LAMP} padam total"), asked(service, RUBBISH)
    page = opened(f"/desk/{done}", **looks)
    Keyboard(page).press("Enter")
    saved(page, "Tersimpan")
    changed(service, urgent, route="emergency")
    paths = (f"/desk/{calm}", f"/desk/{urgent}", "/desk/riwayat", f"/desk/riwayat/{done}", "/desk/kemajuan")
    for path in (*paths, "/desk?instansi=dinas-pekerjaan-umum"):
        page.goto(path)
        no_faults(page, path)
    page.goto(f"/desk/{calm}")
    Keyboard(page).press("/")
    no_faults(page, "search")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    no_faults(page, "skip")
    changed(service, calm, state="done")
    changed(service, urgent, state="done")
    page.goto("/desk")
    no_faults(page, "empty")


def no_faults(page: Page, where: str) -> None:
    found = Axe().run(page).response["violations"]
    assert [
        (where, fault["id"], [node["html"] for node in fault["nodes"]][:3])
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ] == []
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, where
