"""Nothing of what identifies a person gets from complaints into any byte of a release."""

import csv
import io
import re
from pathlib import Path

import joblib
import orjson
import pyarrow.parquet as parquet
import pytest
from publisher import FIRST_DAY, small_town

from router_model.portal import load_portal
from training.dataset import load_examples
from training.publishing import publish
from training.trainer import train

NAMES = ("Wiraguna", "Mertayadnya", "Kusumadhani", "Sutrisnawan")
NUMBERS = ("081298761234", "5171014508950017", "0001299887766", "7720099887", "098765432109000")
PLANTED = (
    "nama saya Ketut Wiraguna, hp 081298761234",
    "a.n. Made Mertayadnya NIK 5171014508950017",
    "hubungi Ibu Sari Kusumadhani 0812-9876-1234 atau wiraguna.km@contoh.id",
    "no BPJS 0001299887766 dan rekening 7720099887",
    "Nama: Putu Sutrisnawan\nNPWP 098765432109000",
    "nol delapan satu dua sembilan delapan tujuh enam satu dua tiga empat, DK 8734 QZX",
    "profil https://www.facebook.com/ketut.wiraguna.8734",
)
SECRETS = (
    *(name.lower() for name in NAMES),
    *NUMBERS,
    "9876-1234",
    "dk 8734 qzx",
    "facebook.com",
    "delapan satu dua sembilan",
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release learned from complaints with a person's data in title, text and address of each."""
    place = tmp_path_factory.mktemp("planted")
    folder = small_town(place / "portal")
    with (folder / "complaints.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "complaints.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ("title", "text", "address", "agency", "category"))
        table.writeheader()
        for number, row in enumerate(rows * 2):
            said = [PLANTED[(number + shift) % len(PLANTED)] for shift in range(3)]
            table.writerow(row | {"title": said[0], "text": f"{row['text']}. {said[1]}", "address": said[2]})
    portal = load_portal(folder)
    examples, faults = load_examples([folder / "complaints.csv"], portal)
    assert not faults
    return place / "registry" / publish(train(examples, portal), examples, folder, place / "registry", FIRST_DAY)


def strings(value: object) -> str:
    """Everything reachable from an unpickled pipeline, written out."""
    held = io.BytesIO()
    joblib.dump(value, held, compress=0)
    return held.getvalue().decode("latin-1").lower()


def contents(release: Path) -> dict[str, str]:
    found = {path.name: path.read_bytes().decode("latin-1").lower() for path in release.rglob("*") if path.is_file()}
    found["forward rows"] = str(parquet.read_table(release / "forward.parquet").to_pylist()).lower()
    found["pipeline"] = strings(joblib.load(release / "pipeline.joblib"))
    return found


def vocabulary(release: Path) -> set[str]:
    return {term for path in release.glob("terms_*.json") for term in orjson.loads(path.read_bytes())}


def test_no_byte_of_a_release_holds_what_was_planted(release: Path) -> None:
    files = contents(release)
    assert {"report.html", "manifest.json", "card.md", "forward.parquet", "pipeline.joblib"} <= set(files)
    assert "lampu" in files["pipeline"]
    assert [(name, secret) for name, text in files.items() for secret in SECRETS if secret in text] == []


def test_no_word_or_part_of_a_word_of_a_name_becomes_a_feature(release: Path) -> None:
    terms = vocabulary(release)
    assert "lampu" in terms
    learned = " ".join(terms).lower()
    assert [name for name in NAMES if name.lower() in learned] == []
    words = {"wiraguna", "mertayadnya", "kusumadhani", "sutrisnawan"}
    assert terms & {word[start : start + 5] for word in words for start in range(len(word) - 4)} == set()


def test_no_digits_but_zeros_become_features(release: Path) -> None:
    assert [term for term in vocabulary(release) if re.search(r"[1-9]", term)] == []
    assert [term for term in vocabulary(release) if re.search(r"\d{4}", term)] == []
