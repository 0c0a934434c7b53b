"""A release is whole and unchanged to the last byte, or it is not used."""

import os
import random
import shutil
from pathlib import Path

import orjson
import pytest
from publisher import publish_first, reseal, small_town

from router_model.complaint import Complaint
from router_model.errors import ReleaseError
from router_model.registry import champion
from router_model.release import FORMAT, MANIFEST, faults, open_release, read_manifest, sealed
from training.dataset import Example


@pytest.fixture(scope="module")
def small_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("small")
    return here / publish_first(36, small_town(here / "portal"), here)


@pytest.fixture
def folder(small_release: Path, tmp_path: Path) -> Path:
    """A copy of a small release, alone in its registry, to break."""
    return Path(shutil.copytree(small_release, tmp_path / small_release.name))


def flip(path: Path, place: int, bits: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :])


def change_classes(folder: Path, **classes: list[str]) -> None:
    """Gives the model other labels, and the manifest hashes that fit."""
    model = orjson.loads((folder / "model.json").read_bytes())
    model["classes"] |= classes
    (folder / "model.json").write_bytes(orjson.dumps(model))
    reseal(folder)


def test_a_release_answers_from_its_folder_alone(folder: Path) -> None:
    assert faults(folder) == []
    prediction = open_release(folder).scorer.predict(Complaint(text="lampu jalan mati"))
    assert prediction.words == prediction.known_words == 3


def test_a_manifest_says_what_was_learned_from_and_how_good_it_is(registry: Path, examples: list[Example]) -> None:
    manifest = champion(registry).manifest
    assert manifest["data"]["rows"] == len(examples)
    assert manifest["data"]["from"] < manifest["data"]["until"]
    assert {"agency", "category", "urgency"} <= manifest["scores"]["answers"].keys()
    assert len(manifest["labels"]["unit"]) > 60


def test_one_changed_byte_in_any_file_is_found(twins: list[Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(twins[0], tmp_path / twins[0].name))
    chance = random.Random(7)  # noqa: S311
    for name in read_manifest(folder)["files"]:
        place, bits = chance.randrange((folder / name).stat().st_size), chance.randrange(1, 256)
        flip(folder / name, place, bits)
        assert faults(folder) == [f"berkas berubah: {name}"]
        flip(folder / name, place, bits)
    assert faults(folder) == []


def test_one_changed_byte_anywhere_in_the_manifest_is_found(twins: list[Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(twins[0], tmp_path / twins[0].name))
    chance = random.Random(11)  # noqa: S311
    size = (folder / MANIFEST).stat().st_size
    for place in [0, size - 1, *chance.sample(range(size), 60)]:
        bits = chance.randrange(1, 256)
        flip(folder / MANIFEST, place, bits)
        assert len(faults(folder)) == 1, (place, bits)
        with pytest.raises(ReleaseError, match=MANIFEST + "|format"):
            open_release(folder)
        flip(folder / MANIFEST, place, bits)
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"{\n", b"{\n\n"),
        (b'": ', b'":  '),
        (b"\n}", b"\n}\n"),
        (b'{\n  "format"', b'{\n  "format": 2,\n  "format"'),
        (b'"emergency": 0.2', b'"emergency": 0.20'),
        (b'"emergency": 0.2', b'"emergency": 0.16'),
    ],
    ids=["line", "space", "end", "twice", "same number", "threshold"],
)
def test_a_manifest_written_otherwise_is_refused(folder: Path, old: bytes, new: bytes) -> None:
    content = (folder / MANIFEST).read_bytes()
    assert old in content
    (folder / MANIFEST).write_bytes(content.replace(old, new, 1))
    assert faults(folder) == [f"Rilis {folder.name}: {MANIFEST} berubah sejak diterbitkan; jangan dipakai."]


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "weights.npy").unlink()
    assert faults(folder) == ["berkas hilang: weights.npy"]


@pytest.mark.parametrize("name", ["catatan.txt", "portal/manifest.json", ".tersembunyi", "portal/baru/x.csv"])
def test_an_added_file_is_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("asing")
    assert f"berkas asing: {name}" in faults(folder)


def test_an_added_folder_is_named_even_if_it_is_empty(folder: Path) -> None:
    (folder / "kosong").mkdir()
    assert faults(folder) == ["berkas asing: kosong"]


@pytest.mark.parametrize("name", ["weights.npy", "portal/agencies.csv", MANIFEST])
def test_a_link_in_place_of_a_file_is_refused_even_if_it_leads_to_the_same_bytes(folder: Path, name: str) -> None:
    elsewhere = (folder / name).rename(folder.parent / "di-luar")
    (folder / name).symlink_to(elsewhere)
    assert faults(folder) == [f"bukan berkas biasa: {name}"]


def test_a_link_in_place_of_a_folder_is_refused(folder: Path) -> None:
    elsewhere = (folder / "portal").rename(folder.parent / "di-luar")
    (folder / "portal").symlink_to(elsewhere)
    assert "bukan folder: portal" in faults(folder)


def test_a_link_beside_the_files_is_refused(folder: Path) -> None:
    (folder / "tautan").symlink_to(folder)
    assert faults(folder) == ["berkas asing: tautan"]


def test_a_file_in_place_of_a_folder_and_the_reverse_are_refused(folder: Path) -> None:
    shutil.rmtree(folder / "portal")
    (folder / "portal").write_text("bukan folder")
    (folder / "weights.npy").unlink()
    (folder / "weights.npy").mkdir()
    assert {"bukan folder: portal", "bukan berkas biasa: weights.npy"} <= set(faults(folder))


def test_a_pipe_in_place_of_a_file_is_refused_without_waiting_for_it(folder: Path) -> None:
    (folder / "weights.npy").unlink()
    os.mkfifo(folder / "weights.npy")
    assert faults(folder) == ["bukan berkas biasa: weights.npy"]


def test_what_is_no_release_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "kosong").mkdir()
    (tmp_path / "berkas").write_text("bukan folder")
    (tmp_path / "manifes-folder" / MANIFEST).mkdir(parents=True)
    for name in ("kosong", "berkas", "manifes-folder", "tidak-ada"):
        assert len(faults(tmp_path / name)) == 1
        with pytest.raises(ReleaseError, match=name):
            open_release(tmp_path / name)


def test_a_broken_release_is_not_opened_and_every_fault_is_named(folder: Path) -> None:
    (folder / "weights.npy").unlink()
    (folder / "catatan.txt").write_text("asing")
    with pytest.raises(ReleaseError, match=r"(?s)berkas hilang: weights\.npy.*berkas asing: catatan\.txt"):
        open_release(folder)


@pytest.mark.parametrize(
    "content", [b'{"format": 3}', b'{"format": 1}', b'{"format": true}', b"{}", b"[]", b"", b"{", b"\xff", b'"2"']
)
def test_a_foreign_format_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(ReleaseError, match=folder.name):
        open_release(folder)
    assert len(faults(folder)) == 1


@pytest.mark.parametrize("other", [FORMAT - 1, FORMAT + 1, str(FORMAT), float(FORMAT)])
def test_a_whole_release_of_another_format_is_refused_with_the_way_to_a_new_one(folder: Path, other: object) -> None:
    reseal(folder, format=other)
    with pytest.raises(ReleaseError, match=f"format {other} tidak dikenal.*aduan train"):
        open_release(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"policy": None},
        {"files": None},
        {"scores": []},
        {"gate": "ya"},
        {"gate": {"agrees": True}},
        {"gate": {"against": None, "agrees": 1, "reasons": []}},
    ],
)
def test_a_manifest_that_lacks_what_every_manifest_holds_is_refused(folder: Path, changed: dict[str, object]) -> None:
    manifest = {**read_manifest(folder), **changed}
    (folder / MANIFEST).write_bytes(sealed(manifest))
    assert "tidak memuat " + next(iter(changed)) in faults(folder)[0]


def test_a_release_under_another_name_is_refused(folder: Path) -> None:
    moved = folder.rename(folder.with_name("kota-kecil-20250101-00000000"))
    assert folder.name in faults(moved)[0]


def test_labels_that_the_portal_does_not_have_are_refused_even_if_every_hash_fits(folder: Path) -> None:
    change_classes(folder, unit=["entah"], category=["apa"], urgency=["gawat"], report_type=["surat"])
    assert faults(folder) == [
        "instansi tidak dikenal: entah",
        "kategori tidak dikenal: apa",
        "urgensi tidak dikenal: gawat",
        "klasifikasi tidak dikenal: surat",
    ]


def test_a_model_without_agencies_is_refused_even_if_every_hash_fits(folder: Path) -> None:
    change_classes(folder, unit=[])
    assert faults(folder) == ["model.json: tidak ada satu pun instansi"]


@pytest.mark.parametrize("foreign", [{"selalu": 0.0}, {"auto": 0.9}, {"prefill": {"sendiri": 0.9}}])
def test_thresholds_that_this_software_does_not_know_are_refused(folder: Path, foreign: dict[str, object]) -> None:
    reseal(folder, policy={**read_manifest(folder)["policy"], **foreign})
    assert faults(folder) == [f"{MANIFEST}: ambangnya tidak dikenal perangkat lunak ini"]


def test_a_release_for_another_portal_than_its_own_is_refused(folder: Path) -> None:
    reseal(folder, portal="bandung")
    assert "portal kota-kecil" in faults(folder)[0]


def test_a_broken_portal_in_a_release_is_refused_even_if_every_hash_fits(folder: Path) -> None:
    (folder / "portal" / "urgency.csv").write_text("code,name\n")
    reseal(folder)
    assert "urgency.csv" in faults(folder)[0]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"classes": []}', b'{"classes": {"unit": [["a"]]}}'])
def test_a_model_that_is_none_is_refused_even_if_every_hash_fits(folder: Path, content: bytes) -> None:
    (folder / "model.json").write_bytes(content)
    reseal(folder)
    assert faults(folder) == ["model.json: isinya bukan model"]


@pytest.mark.parametrize("name", ["weights.npy", "terms_words.json"])
def test_arrays_that_are_none_are_refused_even_if_every_hash_fits(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"bukan larik")
    reseal(folder)
    with pytest.raises(ReleaseError, match="tidak dapat dimuat"):
        open_release(folder)
