"""An admin's desk in a real browser: from the first start to a renamed agency, and nothing in the way of anybody."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESK, PHONE, Browsers, Visitor, visiting
from playwright.sync_api import Page, expect
from served import Service, serving

from router_model.portal import load_portal
from service import passwords
from service.database import keys, users, webhooks
from service.first_run import first_key
from service.portal_folders import portal_folder

PHRASE = "sawah hijau di pagi hari"
PORTAL = "/admin/portal"
PAGES = (
    "/admin", "/admin/akses", "/admin/audit", "/akun", PORTAL, f"{PORTAL}/instansi",
    f"{PORTAL}/instansi/dinas-perhubungan", f"{PORTAL}/instansi-baru", f"{PORTAL}/gabung", f"{PORTAL}/kategori",
    f"{PORTAL}/kategori/sampah", f"{PORTAL}/kategori-baru", f"{PORTAL}/penerus", f"{PORTAL}/darurat",
    f"{PORTAL}/kalender", f"{PORTAL}/wilayah", f"{PORTAL}/aturan", f"{PORTAL}/versi",
)  # fmt: skip


@pytest.fixture
def service(towns: Path, tmp_path: Path) -> Iterator[Service]:
    registry = shutil.copytree(towns, tmp_path / "registry")
    with serving(tmp_path / "home", registry, f"sqlite:///{tmp_path / 'aduan.db'}") as started:
        yield started


@pytest.fixture
def browsers(service: Service) -> Iterator[Browsers]:
    """The test fails if a page complained or asked anyone else for anything."""
    with visiting(service.url) as opened:
        yield opened
        # Chromium reports a 422 page as a failed load; that is no fault of the page.
        assert [fault for fault in opened.faults() if "422" not in fault] == []


def serious(page: Page) -> list[str]:
    """What keeps somebody from using the page, as axe sees it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url} {fault['id']}: {fault['nodes'][0]['html']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


def too_wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_from_the_first_start_to_a_renamed_agency(service: Service, browsers: Browsers) -> None:
    page = browsers.chromium.new_context(viewport=DESK, locale="id-ID", base_url=service.url).new_page()
    page.goto(f"/mulai?kunci={first_key(service.app.state.secret)}")
    assert serious(page) == []
    page.get_by_label("Portal").select_option(label="Kota Kecil")
    page.get_by_label("Nama pengguna").fill("ni.luh")
    page.get_by_label("Kata sandi", exact=True).fill(PHRASE)
    page.get_by_label("Kata sandi sekali lagi").fill(PHRASE)
    page.get_by_role("button", name="Buat admin dan masuk").click()
    expect(page.get_by_role("heading", name="Ringkasan")).to_be_visible()

    page.get_by_label("Laporan percobaan").fill("Lampu jalan mati dekat sekolah")
    page.get_by_role("button", name="Cari instansi").click()
    expect(page.locator(".first-answer")).to_contain_text("Dinas Perhubungan")

    page.get_by_role("link", name="Portal", exact=True).click()
    page.get_by_role("navigation", name="Bagian portal").get_by_role("link", name="Instansi").click()
    page.get_by_label("Cari").fill("lampu jalan")
    page.get_by_label("Cari").fill("perhub")
    expect(page.locator("#instansi tbody tr:visible")).to_have_count(1)
    page.get_by_role("link", name="Dinas Perhubungan").click()
    page.get_by_text("Berganti nama").click()
    day = page.locator("#nama-day")
    expect(day).to_be_hidden()
    page.get_by_label("Tidak, instansi baru").check()
    expect(day).to_be_visible()
    page.get_by_label("Ya, hanya namanya berganti").check()
    page.get_by_label("Nama yang baru").fill("Dinas Mobilitas")
    page.get_by_role("button", name="Ganti nama").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dinas Mobilitas")
    expect(page.get_by_role("status").first).to_contain_text("Perubahan tersimpan")
    page.get_by_text("perubahan belum berlaku").click()
    page.get_by_role("button", name="Berlakukan sekarang").click()
    expect(page.get_by_text("Perubahan berlaku dalam beberapa detik")).to_be_visible()
    portal = load_portal(portal_folder(service.app.state.settings, "kota-kecil"))
    assert portal.agency["dinas-perhubungan"].name == "Dinas Mobilitas"


def test_a_key_is_shown_once_and_a_reload_makes_no_other(service: Service, browsers: Browsers) -> None:
    page = admin(service, browsers).open("/admin/akses#tambah-kunci")
    page.get_by_label("Untuk apa kunci ini").fill("Portal kota")
    page.get_by_role("button", name="Buat kunci").click()
    secret = page.get_by_label("Rahasia").input_value()
    assert serious(page) == []
    assert re.fullmatch(r"aduan_[\w-]{40,}", secret)
    expect(page.get_by_label("Perintah curl")).to_have_value(re.compile(re.escape(secret)))
    page.reload()
    expect(page.get_by_label("Rahasia")).to_have_count(0)
    with service.database.connect() as connection:
        made = [key for key in keys.of_portal(connection, "kota-kecil") if key.name == "Portal kota"]
    assert len(made) == 1


def test_every_page_can_be_used_by_everybody_on_any_screen(service: Service, browsers: Browsers) -> None:
    with service.database.begin() as connection:
        webhooks.add_endpoint(connection, "kota-kecil", "https://portal.example/aduan", ["suggestion.created"])
    visitor = admin(service, browsers)
    for path in PAGES:
        page = visitor.open(path)
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert serious(page) == []
        page.set_viewport_size(PHONE)
        page.reload()
        assert too_wide(page) <= 0, path
        page.set_viewport_size(DESK)


def test_what_was_refused_can_be_read_by_everybody_too(service: Service, browsers: Browsers) -> None:
    page = admin(service, browsers).open(f"{PORTAL}/instansi/dinas-perhubungan")
    page.get_by_text("Berganti nama").click()
    page.get_by_label("Nama yang baru").fill("Dinas Kebersihan")
    page.get_by_role("button", name="Ganti nama").click()
    expect(page.get_by_role("alert").filter(has_text="tidak ada yang berubah")).to_contain_text("Sudah ada instansi")
    named = page.get_by_label("Nama yang baru")
    expect(named).to_have_value("Dinas Kebersihan")
    expect(named).to_have_attribute("aria-invalid", "true")
    assert serious(page) == []


def admin(service: Service, browsers: Browsers) -> Visitor:
    with service.database.begin() as connection:
        users.create(connection, "kota-kecil", "sari", "admin", passwords.hashed(PHRASE))
    return browsers.visitor("sari", PHRASE)
