"""The page of a check: ready or not, what to settle first, every finding; it stands alone and shows nobody's data."""

import re
from datetime import date, timedelta

import pytest

from training.check_page import check_page, week_chart
from training.checking import Checkup
from training.findings import Finding, Severity, finding

MONDAY = date(2025, 1, 6)


def fault(code: str, severity: Severity, rows: int, *examples: str) -> Finding:
    return finding(code, f"Judul {code}", severity, examples, f"Nasihat {code}.", rows=rows, total=100, unit="label")


def weeks(*rows: int) -> dict[date, int]:
    return {MONDAY + timedelta(weeks=number): count for number, count in enumerate(rows)}


def checkup(*findings: Finding, obstacle: str = "", not_checked: tuple[str, ...] = ()) -> Checkup:
    return Checkup(
        source="riwayat <2025>.csv",
        portal="Portal Contoh",
        findings=findings,
        not_checked=not_checked,
        total=12_345,
        learned=11_000,
        period=(date(2024, 1, 1), date(2025, 12, 31)),
        weeks=weeks(8, 9, 0, 8, 70, 8),
        obstacle=obstacle,
    )


@pytest.mark.parametrize(
    ("severity", "obstacle", "headline", "said"),
    [
        ("salah", "Hanya 3 laporan berlabel.", "Belum dapat dilatih", "Hanya 3 laporan berlabel."),
        ("salah", "", "Dapat dilatih, lebih baik sesudah dibetulkan", "ada 1 hal yang sebaiknya dibetulkan dulu"),
        ("perlu dilihat", "", "Siap dilatih", "siap dilatih; ada 1 hal yang perlu dilihat"),
        ("keterangan", "", "Siap dilatih", "Data ini siap dilatih."),
    ],
)
def test_the_page_opens_with_whether_the_data_are_ready(
    severity: Severity, obstacle: str, headline: str, said: str
) -> None:
    page = check_page(checkup(fault("a", severity, 5, "contoh"), obstacle=obstacle))
    assert f"<h2>{headline}</h2>" in page
    assert said in page


def test_what_to_settle_first_is_the_gravest_and_then_the_most_frequent() -> None:
    page = check_page(
        checkup(
            fault("sedikit", "perlu dilihat", 2, "x"),
            fault("banyak", "perlu dilihat", 40, "x"),
            fault("tahu", "keterangan", 90, "x"),
            fault("berat", "salah", 1, "x"),
        )
    )
    assert re.findall(r'<li><a href="#(\w+)">', page) == ["berat", "banyak", "sedikit"]
    assert re.findall(r'class="finding" id="(\w+)"', page) == ["berat", "banyak", "sedikit", "tahu"]
    assert "1 label, menyangkut 40,0\u00a0% dari semua laporan. Nasihat banyak." in page


def test_examples_are_folded_and_what_is_left_out_is_counted() -> None:
    page = check_page(checkup(fault("a", "salah", 30, *[f"baris {n}" for n in range(15)])))
    assert "<summary>10 yang pertama</summary>" in page
    assert "<li>baris 9</li><li>dan 5 lagi</li>" in page
    assert "<details open" not in page


def test_what_was_not_found_and_what_was_not_checked_is_said() -> None:
    page = check_page(checkup(fault("bersih", "salah", 0), not_checked=("Label tidak dicocokkan",)))
    assert "<li>Judul bersih</li>" in page
    assert "<li>Label tidak dicocokkan.</li>" in page
    assert "Tidak diperiksa" not in check_page(checkup())


def test_the_head_names_file_portal_rows_and_period() -> None:
    page = check_page(checkup())
    for part in ("riwayat &lt;2025&gt;.csv", "Portal Contoh", "12.345", "11.000 dapat dipelajari"):
        assert part in page
    assert "1 Januari 2024 sampai 31 Desember 2025" in page


def test_the_page_stands_alone_and_does_nothing() -> None:
    page = check_page(checkup(fault("a", "salah", 5, '<script>alert("x")</script>')))
    assert not re.search(r"https?:|//|@import|<script|<link|<iframe|<img|\ssrc=|\son\w+=|javascript:|xmlns", page)
    assert set(re.findall(r"href=\"(.)", page)) <= {"#"}
    assert page.startswith("<!doctype html>")


def test_the_same_check_gives_the_same_page() -> None:
    one, two = (check_page(checkup(fault("a", "salah", 5, "x"))) for _ in range(2))
    assert one == two


def test_a_proposed_mapping_is_shown_to_be_saved() -> None:
    header = finding("header", "Judul kolom", "salah", [], "Simpan.", rows=1, total=1, unit="berkas", count=1)
    page = check_page(
        Checkup("a.csv", "", (header,), obstacle="Kolom isi tidak ada.", mapping='[columns]\n"Isi" = "text"\n')
    )
    assert "&#34;Isi&#34; = &#34;text&#34;" in page
    assert "Belum dapat dilatih" in page


def test_weeks_are_bars_in_order_and_a_jump_stands_out() -> None:
    chart = week_chart(weeks(8, 9, 0, 8, 70, 8))
    assert chart
    assert [bar.high for bar in chart.bars] == [False, False, False, False, True, False]
    assert chart.bars[4].height > 8 * chart.bars[0].height > 0 == chart.bars[2].height
    assert [bar.x for bar in chart.bars] == sorted({bar.x for bar in chart.bars})
    assert "terbanyak 70, pada minggu 3 Februari 2025" in chart.finding
    assert [name for _, name in chart.ticks] == ["Jan 25", "Feb 25"]
    assert 'aria-label="Biasanya 8 laporan seminggu' in check_page(checkup())


def test_many_years_have_no_more_names_than_fit() -> None:
    chart = week_chart(weeks(*[5] * 400))
    assert chart
    assert 3 <= len(chart.ticks) <= 6
    assert week_chart(weeks(1, 2)) is None
