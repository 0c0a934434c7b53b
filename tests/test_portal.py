"""A portal folder is used whole and right, or refused with every fault named."""

import shutil
from pathlib import Path

import pytest

from router_model.errors import PortalError
from router_model.portal import OPTIONAL_PORTAL_FILES, PORTAL_FILES, Portal, folded, load_portal


@pytest.fixture
def folder(denpasar: Path, tmp_path: Path) -> Path:
    """A copy of the shipped folder to break."""
    copy = tmp_path / "portal"
    copy.mkdir()
    for name in (*PORTAL_FILES, *OPTIONAL_PORTAL_FILES):
        if (denpasar / name).is_file():
            shutil.copyfile(denpasar / name, copy / name)
    (copy / "calendar.csv").write_text("date,kind,name,source,certainty\n", "utf-8")
    return copy


def refused(folder: Path) -> str:
    with pytest.raises(PortalError) as caught:
        load_portal(folder)
    return str(caught.value)


def add_line(path: Path, line: str) -> int:
    """Appends a row and returns the number of its line."""
    content = path.read_text("utf-8").rstrip("\n") + f"\n{line}\n"
    path.write_text(content, "utf-8")
    return len(content.splitlines())


def change(path: Path, old: str, new: str) -> None:
    content = path.read_text("utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), "utf-8")


def test_the_shipped_folder_loads_with_its_label_sets(portal: Portal) -> None:
    assert portal.code == "denpasar"
    assert portal.timezone == "Asia/Makassar"
    assert len(portal.units) < len(portal.agencies)
    assert {"@kelurahan", "@desa", "@kecamatan", "@desa_adat"} <= set(portal.units)
    assert all(category.parent for category in portal.leaves)
    assert len(portal.places) == 47


def test_an_agency_is_found_by_code_name_short_name_or_alias_however_spelled(portal: Portal) -> None:
    for label in ("satpolpp", "SATPOL PP", "Satuan  Polisi Pamong-Praja Kota Denpasar", "trantib"):
        agency = portal.find_agency(label)
        assert agency and agency.code == "satpolpp"
    assert portal.find_agency("Dinas Perdukunan") is None


def test_every_name_and_code_of_the_folder_finds_itself(portal: Portal) -> None:
    assert [a.code for a in portal.agencies if portal.find_agency(a.name) != a or portal.find_agency(a.code) != a] == []
    assert [leaf.code for leaf in portal.leaves if portal.find_category(leaf.name) != leaf] == []


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    assert "aduan portal init" in refused(tmp_path / "tidak-ada")


@pytest.mark.parametrize("name", PORTAL_FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name}: berkas tidak ada" in refused(folder)


@pytest.mark.parametrize(
    ("name", "column"),
    [("agencies.csv", "kind"), ("categories.csv", "name"), ("urgency.csv", "code"), ("territory.csv", "kind")],
)
def test_a_missing_column_is_named(folder: Path, name: str, column: str) -> None:
    header = (folder / name).read_text("utf-8").splitlines()[0]
    changed = ",".join("x" if cell == column else cell for cell in header.split(","))
    change(folder / name, header, changed)
    assert f"{name}: kolom tidak ada: {column}" in refused(folder)


@pytest.mark.parametrize("name", PORTAL_FILES)
def test_a_file_in_another_encoding_is_named(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write("\n# Café".encode("latin-1"))
    assert name in refused(folder)


def test_a_broken_settings_file_is_named_with_its_line(folder: Path) -> None:
    line = add_line(folder / "portal.toml", "ini bukan = = toml")
    assert "portal.toml" in refused(folder)
    assert f"line {line}" in refused(folder)


@pytest.mark.parametrize("key", ["code", "name", "government", "timezone"])
def test_a_setting_that_is_missing_is_named(folder: Path, key: str) -> None:
    change(folder / "portal.toml", f"\n{key} = ", f"\nlain_{key} = ")
    assert f"portal.toml: {key}" in refused(folder)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("baru,Kantor Baru,,kantor,,barangkali", "kolom external: 'barangkali'"),
        ("baru,,,kantor,,tidak", "code, name dan kind harus diisi"),
        ("baru,Kantor Baru,,kantor,,tidak,,,,,,,Z,,", "kolom certainty: 'Z'"),
        ("baru,Kantor Baru,,kantor,,tidak,,,,,2023-7,,D,,", "kolom valid_from: '2023-7'"),
        ("baru,Kantor Baru,,kantor,,tidak,,,,,,1 Juli 2023,D,,", "kolom valid_to: '1 Juli 2023'"),
    ],
)
def test_a_wrong_cell_of_an_agency_is_named_with_file_and_line(folder: Path, row: str, said: str) -> None:
    line = add_line(folder / "agencies.csv", row)
    message = refused(folder)
    assert f"agencies.csv baris {line}" in message
    assert said in message


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("agencies.csv", "baru,Kantor Baru,,kantor,entah,tidak", "agencies.csv, baru, kolom parent: 'entah'"),
        ("agencies.csv", "baru,Kantor Baru,,kantor,,tidak,,,99.99", "agencies.csv, baru, kolom territory: '99.99'"),
        ("agencies.csv", "satpolpp,Kantor Baru,,kantor,,tidak", "agencies.csv: code 'satpolpp' dipakai dua kali"),
        ("agencies.csv", "baru,INSPEKTORAT Kota  Denpasar,,kantor,,tidak", "dipakai dua kali"),
        ("categories.csv", "baru,Hal Baru,entah,,,", "categories.csv, baru, kolom parent: 'entah'"),
        ("categories.csv", "baru,Hal Baru,,,satpolpp;entah,", "categories.csv, baru, kolom agencies: 'entah'"),
        ("categories.csv", "jembatan,Jembatan lagi,,,,", "categories.csv: code 'jembatan' dipakai dua kali"),
        ("territory.csv", "51.71.01,Lagi,kecamatan,,,,,", "territory.csv: code '51.71.01' dipakai dua kali"),
        ("territory.csv", "51.99,Entah,desa,51.98,,,,", "territory.csv, 51.99, kolom district_code: '51.98'"),
        ("urgency.csv", "gawat,Gawat,,", "urgency.csv: harus berisi tepat darurat, tinggi, sedang, rendah"),
    ],
)
def test_a_contradiction_between_rows_is_named(folder: Path, name: str, row: str, said: str) -> None:
    add_line(folder / name, row)
    assert said in refused(folder)


def test_a_missing_level_of_urgency_is_refused(folder: Path) -> None:
    change(folder / "urgency.csv", "darurat,", "sekali,")
    assert "urgency.csv: harus berisi tepat" in refused(folder)


def test_all_faults_are_named_at_once(folder: Path) -> None:
    add_line(folder / "agencies.csv", "baru,Kantor Baru,,kantor,,barangkali")
    (folder / "urgency.csv").unlink()
    message = refused(folder)
    assert "agencies.csv baris" in message
    assert "urgency.csv: berkas tidak ada" in message


@pytest.mark.parametrize("name", [name for name in (*PORTAL_FILES, *OPTIONAL_PORTAL_FILES) if name.endswith(".csv")])
def test_a_byte_order_mark_and_windows_line_ends_change_nothing(folder: Path, portal: Portal, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    assert load_portal(folder) == portal


def test_two_spellings_of_one_label_are_equal() -> None:
    assert folded("  Satpol-PP ") == folded("SATPOL  pp") == "satpol pp"
