"""The same data gives the same release, and a release is published whole or not at all."""

import random
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from router_model.release import champion, faults, read_manifest, release_ids
from training.dataset import Example
from training.publishing import publish
from training.trainer import Trained

PUBLISHER = Path(__file__).with_name("publisher.py")


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


def test_a_killed_publisher_leaves_no_half_release(twins: list[Path], tmp_path: Path) -> None:
    random_delay = random.Random(20250407)  # noqa: S311
    for turn in range(5):
        registry = tmp_path / str(turn)
        command = [sys.executable, PUBLISHER, "again", twins[0], registry]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout and child.stdout.readline() == "published\n"
        time.sleep(random_delay.uniform(0, 0.5))
        child.kill()
        child.wait()
        child.stdout.close()
        ids = release_ids(registry)
        assert ids
        assert [faults(registry / release_id) for release_id in ids] == [[]] * len(ids)
        named = {path.name for path in registry.iterdir() if not path.name.startswith(".")}
        assert named == set(ids)
