"""Days that are free or worked against the rule are read whole, or every fault is named."""

from datetime import date
from pathlib import Path

import pytest
from publisher import small_town

from router_model.errors import PortalError
from router_model.office_calendar import CalendarDay
from router_model.portal import load_portal

HEADER = "date,kind,name,source,certainty"


def calendar(folder: Path, *lines: str) -> tuple[CalendarDay, ...]:
    (folder / "calendar.csv").write_text("\n".join((HEADER, *lines)) + "\n", "utf-8")
    return load_portal(folder).calendar


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_town(tmp_path / "kecil")


def test_a_portal_need_not_have_a_calendar(folder: Path) -> None:
    assert load_portal(folder).calendar == ()


def test_days_are_read_with_their_kind_and_source(folder: Path) -> None:
    assert calendar(folder, "2026-03-20,libur,Cuti bersama Nyepi,SKB 3 Menteri,A", "2026-12-26,kerja,Pengganti,,") == (
        CalendarDay(date(2026, 3, 20), "libur", "Cuti bersama Nyepi", "SKB 3 Menteri", "A"),
        CalendarDay(date(2026, 12, 26), "kerja", "Pengganti", "", "D"),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",libur,Nyepi,,", "kolom date: harus diisi"),
        ("20 Maret,libur,Nyepi,,", "kolom date: '20 Maret' bukan tanggal"),
        ("2026-03-20,cuti,Nyepi,,", "kolom kind: 'cuti' harus 'libur' atau 'kerja'"),
        ("2026-03-20,libur,,,", "kolom name: harus diisi"),
        ("2026-03-20,libur,Nyepi,,Z", "kolom certainty: 'Z'"),
        ("2026-01-01,kerja,Lagi,,", "kolom date: 2026-01-01 sudah ada"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(folder: Path, line: str, said: str) -> None:
    with pytest.raises(PortalError) as refused:
        calendar(folder, "2026-01-01,libur,Tahun baru,,A", line)
    assert f"calendar.csv baris 3, {said}" in str(refused.value)


def test_a_missing_column_is_named(folder: Path) -> None:
    (folder / "calendar.csv").write_text("date,name\n", "utf-8")
    with pytest.raises(PortalError, match=r"calendar\.csv: kolom tidak ada: kind"):
        load_portal(folder)


def test_a_contact_without_a_number_is_named(folder: Path) -> None:
    settings = folder / "portal.toml"
    settings.write_text(settings.read_text("utf-8") + '\n[[emergency_contacts]]\nname = "Polisi"\n', "utf-8")
    with pytest.raises(PortalError, match="emergency_contacts ke-1: name dan number harus diisi"):
        load_portal(folder)
