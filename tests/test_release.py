"""A release is whole and unchanged, or it is not used; the same data gives the same release."""

import random
import shutil
from pathlib import Path

import orjson
import pytest

from router_model.complaint import Complaint
from router_model.errors import ReleaseError
from router_model.release import (
    MANIFEST,
    champion,
    champions,
    faults,
    file_hash,
    model_hash,
    open_release,
    promote,
    read_manifest,
    release_ids,
)
from training.dataset import Example


@pytest.fixture
def folder(twins: list[Path], tmp_path: Path) -> Path:
    """A copy of a small release, alone in its registry, to break."""
    return Path(shutil.copytree(twins[0], tmp_path / twins[0].name))


def reseal(folder: Path, **changed: object) -> None:
    """Writes a manifest that fits the files, as someone who knows the format could."""
    manifest = read_manifest(folder)
    manifest["files"] = {name: file_hash(folder / name) for name in manifest["files"]}
    manifest["model_hash"] = model_hash(manifest["files"], manifest["policy"])
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest | changed))


def test_a_release_answers_from_its_folder_alone(folder: Path) -> None:
    assert faults(folder) == []
    prediction = open_release(folder).scorer.predict(Complaint(text="lampu jalan mati"))
    assert prediction.words == prediction.known_words == 3


def test_a_manifest_says_what_was_learned_from_and_how_good_it_is(registry: Path, examples: list[Example]) -> None:
    manifest = champion(registry).manifest
    assert manifest["data"]["rows"] == len(examples)
    assert manifest["data"]["from"] < manifest["data"]["until"]
    assert {"agency", "category", "urgency"} <= manifest["scores"]["answers"].keys()
    assert manifest["labels"]["unit"] > 60


def test_one_changed_byte_in_any_file_is_found(folder: Path) -> None:
    for name in read_manifest(folder)["files"]:
        path = folder / name
        content = path.read_bytes()
        place = random.Random(name).randrange(len(content))  # noqa: S311
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert faults(folder) == [f"berkas berubah: {name}"]
        path.write_bytes(content)
    assert faults(folder) == []


def test_a_threshold_changed_in_the_manifest_is_found(folder: Path) -> None:
    manifest = read_manifest(folder)
    manifest["policy"]["auto"] = 0.01
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest))
    assert any(MANIFEST in fault for fault in faults(folder))


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "weights.npy").unlink()
    assert faults(folder) == ["berkas hilang: weights.npy"]


@pytest.mark.parametrize("name", ["catatan.txt", "portal/manifest.json", ".tersembunyi", "portal/baru/x.csv"])
def test_an_added_file_is_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("asing")
    assert faults(folder) == [f"berkas asing: {name}"]


def test_a_broken_release_is_not_opened_and_every_fault_is_named(folder: Path) -> None:
    (folder / "weights.npy").unlink()
    (folder / "catatan.txt").write_text("asing")
    with pytest.raises(ReleaseError, match=r"(?s)berkas hilang: weights\.npy.*berkas asing: catatan\.txt"):
        open_release(folder)


@pytest.mark.parametrize("content", [b'{"format": 2}', b"{}", b"[]", b"", b"{", b"\xff", b'{"format": "1"}'])
def test_a_foreign_format_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(ReleaseError, match=folder.name):
        open_release(folder)
    assert len(faults(folder)) == 1


def test_labels_that_the_portal_does_not_have_are_refused_even_if_every_hash_fits(folder: Path) -> None:
    model = orjson.loads((folder / "model.json").read_bytes())
    model["classes"]["unit"][0], model["classes"]["category"][0] = "entah", "apa"
    (folder / "model.json").write_bytes(orjson.dumps(model))
    reseal(folder)
    assert faults(folder) == ["instansi tidak dikenal: entah", "kategori tidak dikenal: apa"]


def test_a_broken_portal_in_a_release_is_refused_even_if_every_hash_fits(folder: Path) -> None:
    (folder / "portal" / "urgency.csv").write_text("code,name\n")
    reseal(folder)
    assert "urgency.csv" in faults(folder)[0]


def test_a_promoted_release_is_in_force_and_can_be_rolled_back(folder: Path, registry: Path) -> None:
    here, first = folder.parent, folder.name
    second = champion(registry).id
    shutil.copytree(registry / second, here / second)
    assert release_ids(here) == [first, second]
    for release_id in (first, second, first):
        promote(here, release_id)
        assert champions(here) == {"denpasar": release_id}
        assert champion(here).id == champion(here, "denpasar").id == release_id
    assert sorted(path.name for path in here.iterdir()) == sorted([first, second, "champions.json"])


def test_nothing_is_promoted_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ReleaseError, match="tidak ada"):
        promote(folder.parent, "denpasar-20250101-00000000")
    assert champions(folder.parent) == {}


def test_a_registry_without_a_release_in_force_says_how_to_train(tmp_path: Path, registry: Path) -> None:
    for folder, portal in ((tmp_path, None), (tmp_path / "tidak-ada", None), (registry, "bandung")):
        with pytest.raises(ReleaseError, match="aduan train"):
            champion(folder, portal)


def test_a_draft_is_no_release(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / ".draft-x")
    assert release_ids(folder.parent) == [folder.name]
