"""The same data gives the same release, and a release is published whole or not at all."""

import os
import random
import resource
import shutil
import time
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from publisher import FIRST_DAY, PROCESSES, publish_first, publish_forever, small_town

from router_model.errors import ReleaseError
from router_model.portal import load_portal
from router_model.registry import HISTORY, champion, history
from router_model.release import faults, open_release, read_manifest
from training.dataset import Example, load_examples
from training.model_card import model_card
from training.publishing import DRAFT_AGE, publish
from training.trainer import Trained, train

KILLS = 15


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "portal")


def visible(registry: Path) -> list[Path]:
    return sorted(path for path in registry.iterdir() if not path.name.startswith(".") and path.name != HISTORY)


def test_the_same_rows_give_the_same_model_whatever_the_hash_seed(twins: list[Path]) -> None:
    one, other = (read_manifest(folder) for folder in twins)
    assert one["model_hash"] == other["model_hash"]
    assert one["id"] == other["id"]
    assert one["data"] == other["data"]


def test_publishing_again_on_the_same_day_is_the_same_release(
    trained: Trained, examples: list[Example], denpasar: Path, registry: Path
) -> None:
    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in registry.rglob("*")}

    before, first = files(), champion(registry)
    same_day = datetime.fromisoformat(first.manifest["created_at"])
    assert publish(trained, examples, denpasar, registry, same_day) == first.id
    assert files() == before


def test_a_release_that_is_there_but_broken_is_named_and_not_taken_for_the_new_one(town: Path, tmp_path: Path) -> None:
    release_id = publish_first(36, town, tmp_path)
    (tmp_path / release_id / "weights.npy").unlink()
    with pytest.raises(ReleaseError, match=rf"(?s){release_id}.*weights\.npy.*Pindahkan"):
        publish_first(36, town, tmp_path)


def test_the_card_says_what_the_manifest_says(town: Path, tmp_path: Path) -> None:
    folder = tmp_path / publish_first(36, town, tmp_path)
    assert (folder / "card.md").read_text("utf-8") == model_card(read_manifest(folder))


def test_a_release_keeps_the_successions_of_its_portal_where_there_are_any(town: Path, tmp_path: Path) -> None:
    portal = Path(shutil.copytree(town, tmp_path / "portal"))
    without = tmp_path / publish_first(36, portal, tmp_path)
    (portal / "successions.csv").write_text("agency,successor,from,categories\n")
    with_them = tmp_path / publish_first(36, portal, tmp_path)
    assert not (without / "portal" / "successions.csv").exists()
    assert (with_them / "portal" / "successions.csv").read_text() == "agency,successor,from,categories\n"
    assert without.name != with_them.name
    assert open_release(with_them).id == with_them.name


def test_a_portal_folder_that_changed_during_training_is_not_published(
    trained: Trained, examples: list[Example], denpasar: Path, tmp_path: Path
) -> None:
    portal = Path(shutil.copytree(denpasar, tmp_path / "portal"))
    agencies = portal / "agencies.csv"
    agencies.write_text(agencies.read_text("utf-8").replace("Dinas Perhubungan", "Dinas Lalu Lintas"), "utf-8")
    with pytest.raises(ReleaseError, match="berubah selama pelatihan"):
        publish(trained, examples, portal, tmp_path / "registry", FIRST_DAY)
    assert list((tmp_path / "registry").iterdir()) == []


def test_old_drafts_are_swept_and_a_running_publisher_keeps_its_own(town: Path, tmp_path: Path) -> None:
    for name, age in ((".draft-lama", DRAFT_AGE + 60), (".draft-baru", 0)):
        (tmp_path / name / "portal").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    release_id = publish_first(36, town, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".draft-baru", release_id}


def test_a_registry_that_cannot_be_is_named(town: Path, tmp_path: Path) -> None:
    (tmp_path / "berkas").write_text("bukan folder")
    for registry in (tmp_path / "berkas", tmp_path / "berkas" / "registry"):
        with pytest.raises(ReleaseError, match=f"tidak dapat ditulis di {registry}: .*bukan folder"):
            publish_first(36, town, registry)


@pytest.mark.parametrize("room", [100, 2_000, 5_000])
def test_a_full_disk_is_named_and_leaves_nothing(town: Path, tmp_path: Path, room: int) -> None:
    hears, says = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=publish_on_a_full_disk, args=(town, tmp_path, room, says))
    process.start()
    process.join()
    assert hears.poll()
    assert f"tidak dapat ditulis di {tmp_path}" in hears.recv()
    assert list(tmp_path.iterdir()) == []


def publish_on_a_full_disk(town: Path, registry: Path, room: int, says: Connection) -> None:
    """For a process of its own, in which no file can grow beyond `room` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        publish_first(36, town, registry)
    except ReleaseError as error:
        says.send(str(error))


def test_whoever_is_killed_leaves_whole_releases_a_whole_history_and_a_champion(town: Path, tmp_path: Path) -> None:
    chance = random.Random(20250407)  # noqa: S311
    rows, _ = load_examples([town / "complaints.csv"], load_portal(town))
    small = train(rows, load_portal(town))
    seen = {tmp_path / publish(small, rows, town, tmp_path, FIRST_DAY)}
    assert set(visible(tmp_path)) == seen
    for turn in range(1, KILLS + 1):
        hears, says = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=publish_forever, args=(small, rows, town, tmp_path, turn * 100, says))
        process.start()
        says.close()
        hears.recv()
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.join()
        hears.close()
        new = set(visible(tmp_path)) - seen
        assert [faults(folder) for folder in new] == [[]] * len(new)
        assert champion(tmp_path).id == history(tmp_path)[-1].release
        seen |= new
    assert [faults(folder) for folder in visible(tmp_path)] == [[]] * len(seen)
    assert len(seen) > KILLS
