"""Releases of a portal small enough to train in a moment, and child processes that train and publish.

`publisher.py train ROWS PORTAL_FOLDER REGISTRY` publishes a release of the first rows of a portal's complaints.
`publish_forever` and `promote_often` are for a process of their own, so that a test can kill it.
"""

import copyreg
import csv
import multiprocessing
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, product
from multiprocessing.connection import Connection
from pathlib import Path

import orjson

from router_model.portal import load_portal
from router_model.registry import promote, rollback
from router_model.release import MANIFEST, file_hash, model_hash, sealed
from router_model.scorer import Scorer
from training.dataset import Example, load_examples
from training.portal_derivation import derive
from training.publishing import publish
from training.reading import read_rows
from training.trainer import Trained, train

copyreg.pickle(Scorer, lambda scorer: (Scorer, (scorer.arrays,)))
"""A scorer holds a cache of words, which no pickle takes; without it what was trained can go to other processes."""
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["training.publishing", "training.portal_derivation"])
"""Children of a server that has imported everything start in a moment."""
FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
SMALL_TOWN = {
    ("Dinas Perhubungan", "Lampu jalan"): ("lampu jalan mati", "tiang lampu padam"),
    ("Dinas Kebersihan", "Sampah"): ("sampah menumpuk", "tong sampah penuh"),
    ("Dinas Pekerjaan Umum", "Jalan rusak"): ("aspal jalan berlubang", "jalan rusak parah"),
}
BIG_TOWN = {
    ("Perumda Air", "Air bersih"): ("air keran mati", "pipa air bocor"),
    ("Dinas Pertamanan", "Pohon"): ("pohon tumbang", "dahan pohon patah"),
    ("Dinas Pasar", "Pedagang"): ("pedagang menutup trotoar", "kios pasar rusak"),
}
WHERE = ("dekat sekolah", "depan pasar", "sejak kemarin", "sudah seminggu", "di gang belakang", "tolong segera")


def small_town(
    folder: Path, name: str = "Kota Kecil", labels: Mapping[tuple[str, str], tuple[str, ...]] = SMALL_TOWN
) -> Path:
    """A portal folder of three agencies, with 36 complaints beside it."""
    folder.mkdir()
    with (folder.parent / "complaints.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "agency", "category"))
        for where, ((agency, category), texts) in product(WHERE, labels.items()):
            rows.writerows((f"{text} {where}", agency, category) for text in texts)
    derive(read_rows(folder.parent / "complaints.csv"), folder, name)
    (folder.parent / "complaints.csv").rename(folder / "complaints.csv")
    alone(folder)
    return folder


def alone(folder: Path) -> None:
    """Makes a portal learn from its own complaints only."""
    toml = folder / "portal.toml"
    toml.write_text(f"knowledge = false\n{toml.read_text('utf-8')}", "utf-8")


def publish_first(rows: int, folder: Path, registry: Path, day: int = 0) -> str:
    """A release of the portal's first complaints, published under a day after `FIRST_DAY`."""
    portal = load_portal(folder)
    examples = load_examples([folder / "complaints.csv"], portal)[0][:rows]
    return publish(train(examples, portal), examples, folder, registry, FIRST_DAY + timedelta(days=day))


def reseal(folder: Path, **changed: object) -> Path:
    """Writes a manifest that fits the folder's name and files, as someone who knows the format could."""
    manifest = {**orjson.loads((folder / MANIFEST).read_bytes()), "id": folder.name, **changed}
    manifest["files"] = {name: file_hash(folder / name) for name in manifest["files"]}
    manifest["model_hash"] = model_hash(manifest["files"], manifest["policy"])
    (folder / MANIFEST).write_bytes(sealed(manifest))
    return folder


def copy_release(folder: Path, registry: Path, release_id: str, **changed: object) -> str:
    """The same model under another id, with another manifest."""
    reseal(Path(shutil.copytree(folder, registry / release_id)), **changed)
    return release_id


def publish_forever(
    trained: Trained, rows: Sequence[Example], folder: Path, registry: Path, first_day: int, done: Connection
) -> None:
    """Publishes and promotes day after day, rolls back now and then, and tells of each round."""
    for day in count(first_day):
        promote(registry, publish(trained, rows, folder, registry, FIRST_DAY + timedelta(days=day)), by="publisher")
        if day % 3 == 2:
            rollback(registry, "kota-kecil", by="publisher")
        done.send(day)


def promote_often(registry: Path, release_id: str, times: int) -> None:
    for turn in range(times):
        promote(registry, release_id, by=release_id, reason=str(turn))


if __name__ == "__main__":
    _, _, rows, portal_folder, registry_folder = sys.argv
    sys.stdout.write(publish_first(int(rows), Path(portal_folder), Path(registry_folder)) + "\n")
