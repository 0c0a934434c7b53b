"""`aduan train` and `aduan release` on a registry of their own: broken input changes nothing, a bad release is
never put in force, and there is always a way back."""

import csv
import json
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from test_command_line import LAMP, aduan, assert_named_failure, snapshot, together, write_csv

from router_model.release import champions

ROWS = 240


@pytest.fixture(scope="module")
def home(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases")
    shutil.copytree(registry, folder / "registry")
    return folder


@pytest.fixture(scope="module")
def two_releases(home: Path, denpasar: Path) -> tuple[str, str]:
    """The release that was in force, and one trained by the command on the sample's first rows, its child."""
    (before,) = champions(home / "registry").values()
    with (denpasar / "complaints.csv").open(encoding="utf-8", newline="") as file:
        rows: Iterator[list[str]] = csv.reader(file)
        small = write_csv(home / "sedikit.csv", *(tuple(row) for row in islice(rows, ROWS + 1)))
    outcome = aduan(home, "train", small, "--portal", denpasar, "--json")
    assert outcome.returncode == 0, outcome.stderr
    answer = json.loads(outcome.stdout)
    assert answer["answers"].keys() >= {"agency", "agency_kind", "category", "urgency", "report_type"}
    assert answer["answers"]["agency"].keys() >= {
        "n", "accuracy", "top3", "macro_f1", "coverage_at_90", "coverage_at_95", "ece",
    }  # fmt: skip
    return before, answer["release"]


def test_broken_input_is_named_and_leaves_no_trace(home: Path, denpasar: Path) -> None:
    binary, cut, foreign = home / "biner.csv", home / "putus.csv", home / "asing.jsonl"
    binary.write_bytes(b"text,agency\n" + LAMP.encode() + b" \xff,Dishub\n")
    cut.write_text(f'text,agency\n{LAMP},Dishub\n"{LAMP},Dishub\n', "utf-8")
    foreign.write_bytes(b'{"text": "jalan rusak"}\n\xff\xfe\n')
    write_csv(home / "baik.csv", ("text",), (LAMP,))
    before = snapshot(home)
    outcomes = together(
        home,
        ("train", binary, "--portal", denpasar),
        ("score", cut, home / "hasil.csv"),
        ("score", foreign, home / "hasil.jsonl"),
        ("score", home / "baik.csv", home / "tanpa-folder" / "hasil.csv"),
    )
    named = ("biner.csv baris 2", "putus.csv baris", "asing.jsonl", "tanpa-folder")
    assert snapshot(home) == before
    for outcome, name in zip(outcomes, named, strict=True):
        assert_named_failure(outcome, "Gagal:", name)


def test_releases_are_listed_shown_and_verified(home: Path, two_releases: tuple[str, str]) -> None:
    before, after = two_releases
    listed, shown, verified = together(
        home, ("release", "list", "--json"), ("release", "show", after), ("release", "verify", before)
    )
    assert {row["id"]: row["in_force"] for row in json.loads(listed.stdout)} == {before: False, after: True}
    assert f"Kartu model {after}" in shown.stdout
    assert (verified.returncode, verified.stdout) == (0, f"{before}: utuh\n")


def test_a_rollback_returns_to_the_parent_and_a_promotion_goes_forward_again(
    home: Path, two_releases: tuple[str, str]
) -> None:
    before, after = two_releases
    assert aduan(home, "release", "rollback").returncode == 0
    assert champions(home / "registry") == {"denpasar": before}
    assert_named_failure(aduan(home, "release", "rollback"), "pendahulu")
    assert aduan(home, "release", "promote", after).returncode == 0
    assert champions(home / "registry") == {"denpasar": after}


def test_a_changed_release_is_found_out_and_not_put_in_force(home: Path, two_releases: tuple[str, str]) -> None:
    before, _ = two_releases
    in_force = champions(home / "registry")
    with (home / "registry" / before / "model.json").open("ab") as file:
        file.write(b" ")
    outcomes = together(
        home,
        ("release", "verify", before),
        ("release", "promote", before),
        ("release", "rollback"),
    )
    for outcome in outcomes:
        assert_named_failure(outcome, before, "model.json")
    assert champions(home / "registry") == in_force
