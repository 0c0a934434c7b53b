"""Limits of a portal and its closing time are read whole, or every fault is named."""

from datetime import time
from pathlib import Path

import pytest
from publisher import small_town

from router_model.errors import PortalError
from router_model.portal import load_portal
from router_model.time_limits import CLOSES, TimeLimit, TimeLimits

ROWS = """
[deadlines.pengaduan]
working_days = 14
source = "Salinan aturan"
certainty = "A"
[deadlines.pengaduan.darurat]
working_days = 1
[deadlines.verifikasi]
working_days = 3
[deadlines.aspirasi]
source = "belum ditemukan"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("batas") / "kecil")


@pytest.fixture
def limits(folder: Path) -> TimeLimits:
    return read(folder, f'{ROWS}[office_hours]\ncloses = "15:30"\n')


def read(folder: Path, added: str) -> TimeLimits:
    """The limits of the portal with these lines at the end of its `portal.toml`."""
    settings = folder / "portal.toml"
    before = settings.read_text("utf-8")
    settings.write_text(f"{before}\n{added}", "utf-8")
    try:
        return load_portal(folder).limits
    finally:
        settings.write_text(before, "utf-8")


def test_a_portal_need_not_set_any_limit(folder: Path) -> None:
    assert read(folder, "") == TimeLimits({}, CLOSES)


def test_a_limit_is_read_with_its_source_and_certainty(limits: TimeLimits) -> None:
    assert limits.of("pengaduan", "sedang") == TimeLimit(14, "Salinan aturan", "A")
    assert limits.of("verifikasi") == TimeLimit(3, "", "D")


def test_a_row_for_an_urgency_level_takes_the_place_of_the_general_one(limits: TimeLimits) -> None:
    assert limits.of("pengaduan", "darurat") == TimeLimit(1)
    assert limits.of("verifikasi", "darurat") == TimeLimit(3)


def test_what_has_no_number_of_days_has_no_limit(limits: TimeLimits) -> None:
    assert (limits.of("aspirasi"), limits.of("informasi")) == (None, None)


def test_closing_time_is_read_as_text_and_as_a_time(folder: Path, limits: TimeLimits) -> None:
    assert limits.closes == read(folder, "[office_hours]\ncloses = 15:30:00\n").closes == time(15, 30)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[deadlines]\npengaduan = 14", "deadlines.pengaduan: harus berupa tabel, contoh: [deadlines.pengaduan]"),
        ("[deadlines.keluhan]\nworking_days = 5", "deadlines.keluhan: harus salah satu dari pengawasan, pengaduan"),
        ("[deadlines.pengaduan.gawat]\nworking_days = 5", "deadlines.pengaduan.gawat: harus salah satu dari darurat"),
        ("[deadlines.pengaduan]\nworking_days = 0", "deadlines.pengaduan: working_days harus bilangan bulat dari 1"),
        ("[deadlines.pengaduan.darurat]\nworking_days = 1.5", "deadlines.pengaduan.darurat: working_days harus"),
        ("[deadlines.pengaduan]\nworking_days = true", "deadlines.pengaduan: working_days harus"),
        ('[deadlines.pengaduan]\ncertainty = "Z"', "deadlines.pengaduan: certainty harus A, B, C atau D"),
        ('[office_hours]\ncloses = "sore"', "office_hours.closes: 'sore' bukan jam, contoh: closes = \"16:00\""),
        ('[office_hours]\ncloses = "16:00+08:00"', "office_hours.closes: '16:00+08:00' bukan jam"),
    ],
)
def test_a_wrong_row_is_named(folder: Path, line: str, said: str) -> None:
    with pytest.raises(PortalError) as refused:
        read(folder, line)
    assert f"portal.toml, {said}" in str(refused.value)


def test_deadlines_that_are_no_table_are_named(folder: Path) -> None:
    settings = (folder / "portal.toml").read_text("utf-8")
    try:
        (folder / "portal.toml").write_text(f'deadlines = "lima hari"\noffice_hours = "sore"\n{settings}', "utf-8")
        with pytest.raises(PortalError) as refused:
            load_portal(folder)
    finally:
        (folder / "portal.toml").write_text(settings, "utf-8")
    assert "portal.toml, deadlines: harus berupa tabel" in str(refused.value)
    assert "portal.toml, office_hours.closes: 'sore' bukan jam" in str(refused.value)
