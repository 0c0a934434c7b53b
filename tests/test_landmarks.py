"""Banjar, roads and well-known spots instead of a village: `landmarks.csv`."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from router_model.complaint import Complaint
from router_model.errors import PortalError
from router_model.landmark import Landmark
from router_model.place import FoundPlace, PlaceFinder
from router_model.portal import Portal, load_portal

ROWS = (
    Landmark("Pasar Ikan Segar", "tempat", "51.71.01.1003", certainty="A"),
    Landmark("Banjar Kelapa", "banjar", "51.71.01.1004", aliases=("Klapa",), certainty="B"),
    Landmark("Jl. Mawar Timur", "jalan", "51.71.02", certainty="A"),
    Landmark("Jalan Melur", "jalan", "51.71.03.1007", certainty="D"),
    Landmark("Banjar Pande", "banjar", "51.71.01.1005", certainty="A"),
    Landmark("Banjar Pande", "banjar", "51.71.02.1014", certainty="A"),
    Landmark("Pantai Sanur", "tempat", "51.71.01", certainty="A"),
    Landmark("Ikan Segar", "tempat", "51.71.04.1004", certainty="A"),
    Landmark("Jalan Raya Panjer", "jalan", "51.71.01", certainty="A"),
)


@pytest.fixture(scope="module")
def finder(portal: Portal) -> PlaceFinder:
    return PlaceFinder(replace(portal, landmarks=ROWS))


def found(finder: PlaceFinder, **fields: str) -> FoundPlace | None:
    return finder.find(Complaint(**{"text": "", **fields}))


def faults(denpasar: Path, tmp_path: Path, *rows: str, header: str = "name,kind,place,aliases,certainty") -> str:
    folder = shutil.copytree(denpasar, tmp_path / "portal")
    (folder / "landmarks.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    with pytest.raises(PortalError) as caught:
        load_portal(folder)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("parkir Pasar ikan segar semrawut", "Sesetan", "Pasar ikan segar"),
        ("warga br. Kelapa kebanjiran", "Panjer", "Kelapa"),
        ("balai banjar klapa bocor", "Panjer", "klapa"),
        ("lampu Jl. Mawar Timur mati", "Denpasar Timur", "Mawar Timur"),
        ("lampu jalan mawar timur mati", "Denpasar Timur", "mawar timur"),
    ],
)
def test_a_landmark_tells_its_place_and_which_words_did(finder: PlaceFinder, text: str, place: str, name: str) -> None:
    one = found(finder, text=text)
    assert one and one.landmark
    assert (one.place.name, one.name, text[one.start : one.end]) == (place, name, name)


@pytest.mark.parametrize("text", ["pohon kelapa tumbang", "bunga mawar timur layu", "pasar ikan", "jalan kelapa rusak"])
def test_a_road_or_a_banjar_needs_its_word_before_it(finder: PlaceFinder, text: str) -> None:
    assert finder.find_all(Complaint(text=text)) == ()


def test_what_nobody_verified_is_shown_but_does_not_decide(finder: PlaceFinder) -> None:
    complaint = Complaint(text="jalan melur gelap")
    assert finder.find(complaint) is None
    assert [one.place.name for one in finder.find_all(complaint)] == ["Pemecutan"]


def test_a_landmark_that_nobody_verified_still_backs_the_address(finder: PlaceFinder) -> None:
    address = "Jl. Melur 3, Pemecutan, Kota Denpasar"
    one = found(finder, address=address)
    assert one and (one.place.name, one.source) == ("Pemecutan", "address")
    assert found(finder, address=address.replace("Melur", "Kenari")) is None


def test_of_two_banjar_with_one_name_the_district_tells_which(finder: PlaceFinder) -> None:
    text = "got banjar Pande mampet"
    assert found(finder, text=text) is None
    assert len(finder.find_all(Complaint(text=text))) == 2
    one = found(finder, text=text, district="Denpasar Timur")
    assert one and one.place.name == "Penatih"


def test_a_landmark_is_longer_than_the_village_in_its_name(finder: PlaceFinder) -> None:
    one = found(finder, text="sampah di Pantai Sanur")
    assert one and one.place.name == "Denpasar Selatan"


def test_the_longest_landmark_wins(finder: PlaceFinder) -> None:
    assert [one.place.name for one in finder.find_all(Complaint(text="parkir pasar ikan segar"))] == ["Sesetan"]
    assert [one.place.name for one in finder.find_all(Complaint(text="parkir ikan segar"))] == ["Tonja"]


def test_a_road_backs_the_village_it_is_named_after(finder: PlaceFinder) -> None:
    one = found(finder, address="Jl. Raya Panjer 10, Panjer, Kota Denpasar")
    assert one and one.place.name == "Panjer"


def test_the_shipped_landmarks_find_their_own_place(portal: Portal) -> None:
    finder = PlaceFinder(portal)
    assert len(portal.landmarks) > 50
    for landmark in portal.landmarks:
        for name in (landmark.name, *landmark.aliases):
            said = name if name.casefold().startswith(landmark.kind) else f"{landmark.kind} {name}"
            places = finder.find_all(Complaint(text=f"kotor sekali, {said} itu"))
            assert landmark.place in {one.place.code for one in places}, name


def test_a_folder_without_the_file_has_no_landmarks(denpasar: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(denpasar, tmp_path / "portal")
    (folder / "landmarks.csv").unlink()
    assert load_portal(folder).landmarks == ()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("Pasar Baru,pasar,51.71.01,,A", "baris 2, kolom kind: 'pasar' harus 'banjar', 'jalan' atau 'tempat'"),
        ("Pasar Baru,tempat,51.71.99,,A", "baris 2, kolom place: '51.71.99' tidak ada di territory.csv"),
        ("Pasar Baru,tempat,51.71.01,,Z", "baris 2, kolom certainty: 'Z' harus salah satu dari A, B, C, D"),
        ("Gelora,tempat,51.71.01,,A", "baris 2, kolom name: 'Gelora' hanya satu kata"),
        ("Pasar Baru,tempat,51.71.01,Baru,A", "baris 2, kolom aliases: 'Baru' hanya satu kata"),
        ("Jalan,jalan,51.71.01,,A", "baris 2, kolom name: 'Jalan' tidak berisi nama"),
        ("Tegal Harum,tempat,51.71.03,,A", "baris 2: 'Tegal Harum' sudah menjadi nama wilayah di territory.csv"),
    ],
)
def test_a_fault_is_named_with_its_row_and_column(denpasar: Path, tmp_path: Path, row: str, told: str) -> None:
    assert f"landmarks.csv {told}" in faults(denpasar, tmp_path, row)


def test_the_same_landmark_twice_is_refused(denpasar: Path, tmp_path: Path) -> None:
    told = faults(denpasar, tmp_path, "Jalan Melur,jalan,51.71.01,,A", "Melur,jalan,51.71.01,,A")
    assert "landmarks.csv baris 3: 'Melur' sudah ada di landmarks.csv baris 2" in told


def test_a_missing_column_is_named(denpasar: Path, tmp_path: Path) -> None:
    assert "landmarks.csv: kolom tidak ada: place" in faults(denpasar, tmp_path, header="name,kind")
