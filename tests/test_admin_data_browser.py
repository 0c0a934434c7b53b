"""Labelled data on the admin desk, as a person with a browser adds it: a file dropped, mapped, mended and added."""

import io
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import PATIENCE
from openpyxl import Workbook
from playwright.sync_api import Browser, Page, expect
from served import Service, serving
from signed_in import Person, signed_in

from service.database.learning_data import learning_rows
from service.settings import Settings
from service.worker import LEASE, work

ROWS = (
    ("No. Tiket", "Tgl Masuk", "Nama Pelapor", "Uraian Keluhan", "Hasil Disposisi", "Topik"),
    ("T-1", "12/11/2025", "Komang Ayu", "Lampu mati di gang, hubungi 081234567890", "Dinas Perhubungn", "Lampu jalan"),
    ("T-2", "13/11/2025", "Komang Ayu", "Sampah menumpuk di depan sekolah kami", "Dinas Kebersihan", "Sampah"),
    ("T-3", "14/11/2025", "Komang Ayu", "Kucing liar banyak di pasar dekat balai", "Dinas Kucing", "Sampah"),
)
DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const dropped = new DataTransfer();
    dropped.items.add(new File([bytes], name));
    const box = document.querySelector("[data-drop]");
    for (const kind of ["dragenter", "dragover", "drop"]) {
        box.dispatchEvent(new DragEvent(kind, { dataTransfer: dropped, bubbles: true, cancelable: true }));
    }
}"""


def workbook() -> bytes:
    book = Workbook()
    for row in ROWS:
        book.worksheets[0].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.fixture
def service(towns: Path, tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, f"sqlite:///{tmp_path / 'aduan.db'}") as served:
        yield served


@contextmanager
def working(service: Service) -> Iterator[None]:
    settings = Settings(home=service.home, database_url=service.database.engine.url.render_as_string(False))
    stop = Event()
    thread = Thread(target=work, args=(service.database, settings, stop, LEASE))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def seen_by(browser: Browser, service: Service, person: Person, width: int, scripts: bool = True) -> Iterator[Page]:
    """A page of somebody signed in; the test fails if it complained or asked anyone else for anything."""
    context = browser.new_context(
        base_url=service.url, viewport={"width": width, "height": 900}, java_script_enabled=scripts
    )
    context.set_default_timeout(PATIENCE)
    name, value = person.cookie
    context.add_cookies([{"name": name, "value": value, "url": service.url}])
    asked: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    # Chromium reports a 422 answer as a failed load; that is no fault of the page.
    assert [text for text in complaints if "422" not in text] == []


def assert_good_to_use(page: Page) -> None:
    """No serious fault for those who cannot see or point, and nothing wider than the window."""
    found = Axe().run(page).response["violations"]
    faults = [(fault["id"], node["html"]) for fault in found if fault["impact"] in ("serious", "critical")
              for node in fault["nodes"]]  # fmt: skip
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def meaning(page: Page, header: str) -> str:
    return page.get_by_label(header, exact=True).input_value()


@pytest.mark.parametrize("width", [360, 1_280])
def test_a_file_is_dropped_mapped_mended_and_added(browser: Browser, service: Service, width: int) -> None:
    with signed_in(service) as admin, seen_by(browser, service, admin, width) as page, working(service):
        page.goto("/admin/data")
        assert_good_to_use(page)
        page.evaluate(DROP, ["rekap.exe", b64encode(b"x").decode()])
        expect(page.get_by_text("'.exe' tidak diterima")).to_be_visible()
        page.evaluate(DROP, ["rekap.xlsx", b64encode(workbook()).decode()])
        expect(page.get_by_role("heading", name="Arti tiap kolom")).to_be_visible()
        assert (meaning(page, "Uraian Keluhan"), meaning(page, "Hasil Disposisi")) == ("text", "")
        expect(page.get_by_text("Lampu mati di gang, hubungi [TELEPON]")).to_be_visible()
        expect(page.get_by_text("Komang Ayu")).to_have_count(0)
        page.get_by_label("Hasil Disposisi", exact=True).select_option("agency")
        assert_good_to_use(page)
        page.get_by_role("button", name="Lanjutkan").click()

        expect(page.get_by_role("heading", name="Label yang tidak dikenal portal")).to_be_visible()
        assert_good_to_use(page)
        page.get_by_role("button", name="Ganti menjadi Dinas Perhubungan").click()
        expect(page.get_by_text("Instansi diganti menjadi Dinas Perhubungan pada 1 laporan").first).to_be_visible()
        page.get_by_label("Yang dimaksud dengan instansi Dinas Kucing").select_option("Buang 1 laporan ini")
        page.get_by_role("button", name="Terapkan").click()
        expect(page.get_by_text("2 laporan tersisa dari 3")).to_be_visible()
        assert_good_to_use(page)

        page.get_by_label("Nama data").fill("Aduan 2025")
        page.get_by_role("button", name="Tambahkan", exact=True).click()
        expect(page.get_by_role("link", name="Aduan 2025")).to_be_visible()
        page.get_by_role("link", name="Aduan 2025").click()
        expect(page.get_by_text("dipakai untuk belajar")).to_be_visible()
        assert_good_to_use(page)
        page.get_by_role("link", name="Hapus …").click()
        expect(page.get_by_role("heading", name="Hapus data ini?")).to_be_visible()
        assert_good_to_use(page)
    with service.database.connect() as connection:
        rows = [(row.get("id"), row.get("agency")) for row in learning_rows(connection, "kota-kecil")]
    assert rows == [("T-1", "Dinas Perhubungan"), ("T-2", "Dinas Kebersihan")]


def test_a_chosen_file_stays_when_its_mapping_is_refused(browser: Browser, service: Service) -> None:
    with signed_in(service) as admin, seen_by(browser, service, admin, 1_280) as page:
        page.goto("/admin/data")
        page.set_input_files("[name=berkas]", {"name": "rekap.xlsx", "mimeType": "", "buffer": workbook()})
        page.get_by_label("Topik", exact=True).select_option("text")
        page.get_by_role("button", name="Lanjutkan").click()
        expect(page.get_by_text("sedikitnya satu kolom jawaban")).to_be_visible()
        assert meaning(page, "Topik") == "text"
        page.get_by_label("Topik", exact=True).select_option("category")
        page.get_by_role("button", name="Lanjutkan").click()
        expect(page.get_by_text("Menunggu giliran diperiksa")).to_be_visible()


def test_without_scripts_the_file_is_chosen_once_more_with_its_mapping(browser: Browser, service: Service) -> None:
    file = {"name": "rekap.xlsx", "mimeType": "", "buffer": workbook()}
    with signed_in(service) as admin, seen_by(browser, service, admin, 360, scripts=False) as page, working(service):
        page.goto("/admin/data")
        page.set_input_files("[name=berkas]", file)
        page.get_by_role("button", name="Lanjutkan").click()
        page.get_by_label("Hasil Disposisi", exact=True).select_option("agency")
        page.set_input_files("[name=berkas]", file)
        page.get_by_role("button", name="Lanjutkan").click()
        while page.get_by_role("link", name="Perbarui halaman ini").count():
            page.get_by_role("link", name="Perbarui halaman ini").click()
        expect(page.get_by_role("heading", name="Label yang tidak dikenal portal")).to_be_visible()
