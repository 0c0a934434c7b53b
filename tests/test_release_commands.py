"""`aduan train` and `aduan release` on a registry of their own: broken input changes nothing, a bad release is
never put in force without a word said for it, and there is always a way back."""

import getpass
import json
import shutil
from pathlib import Path

import pytest
from command_line import aduan, assert_named_failure, snapshot, together, write_csv
from publisher import copy_release, publish_first, small_town
from test_command_line import LAMP
from test_learning import town_history

from router_model.registry import HISTORY, champions, history, promote
from router_model.release import MANIFEST

TOWN = "kota-kecil"
BETTER, WORSE = f"{TOWN}-20250102-aaaaaaaa", f"{TOWN}-20250103-aaaaaaaa"


@pytest.fixture(scope="module")
def three_releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home whose first release is in force; beside it one that the gate let pass and one that it refused."""
    here = tmp_path_factory.mktemp("town")
    first = publish_first(36, small_town(here / "portal"), here / "registry")
    promote(here / "registry", first)
    for release_id, reasons in ((BETTER, []), (WORSE, ["Ketepatan instansi turun dari 0,81 ke 0,77."])):
        gate = {"against": first, "agrees": not reasons, "reasons": reasons}
        copy_release(here / "registry" / first, here / "registry", release_id, gate=gate)
    return here, first


@pytest.fixture
def town(three_releases: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    """A copy of it to change, with the id of the release in force."""
    home, first = three_releases
    return Path(shutil.copytree(home, tmp_path / "home")), first


def test_broken_input_is_named_and_leaves_no_trace(town: tuple[Path, str]) -> None:
    home, _ = town
    binary, cut, foreign = home / "biner.csv", home / "putus.csv", home / "asing.jsonl"
    binary.write_bytes(b"text,agency\n" + LAMP.encode() + b" \xff,Dishub\n")
    cut.write_text(f'text,agency\n{LAMP},Dishub\n"{LAMP},Dishub\n', "utf-8")
    foreign.write_bytes(b'{"text": "jalan rusak"}\n\xff\xfe\n')
    write_csv(home / "baik.csv", ("text",), (LAMP,))
    before = snapshot(home)
    outcomes = together(
        home,
        ("train", binary, "--portal", home / "portal"),
        ("score", cut, home / "hasil.csv"),
        ("score", foreign, home / "hasil.jsonl"),
        ("score", home / "baik.csv", home / "tanpa-folder" / "hasil.csv"),
    )
    named = ("biner.csv baris 2", "putus.csv baris", "asing.jsonl", "tanpa-folder")
    assert snapshot(home) == before
    for outcome, name in zip(outcomes, named, strict=True):
        assert_named_failure(outcome, "Gagal:", name)


def test_training_publishes_a_release_and_prints_how_good_it_is(town: tuple[Path, str]) -> None:
    home, _ = town
    rows = town_history(60)
    data = write_csv(home / "riwayat.csv", tuple(rows[0]), *(tuple(row.values()) for row in rows))
    outcome = aduan(home, "train", data, "--portal", home / "portal", "--json")
    assert outcome.returncode == 0, outcome.stderr
    answer = json.loads(outcome.stdout)
    assert answer["answers"].keys() >= {"agency", "agency_kind", "category", "urgency", "report_type"}
    assert answer["answers"]["agency"].keys() >= {
        "n", "accuracy", "top3", "macro_f1", "coverage_at_90", "coverage_at_95", "ece",
    }  # fmt: skip
    verified, shown = together(home, ("release", "verify", answer["release"]), ("release", "show", answer["release"]))
    assert (verified.returncode, verified.stdout) == (0, f"{answer['release']}: utuh\n")
    assert f"Kartu model {answer['release']}" in shown.stdout


def test_the_list_shows_what_is_in_force_how_good_each_is_and_what_the_gate_said(town: tuple[Path, str]) -> None:
    home, first = town
    program, people = together(home, ("release", "list", "--json"), ("release", "list"))
    rows = {row["id"]: row for row in json.loads(program.stdout)}
    assert {release_id: (row["in_force"], row["gate"]) for release_id, row in rows.items()} == {
        first: (True, None), BETTER: (False, True), WORSE: (False, False),
    }  # fmt: skip
    assert rows[first]["rows"] == 36
    assert rows[first]["created_at"].startswith("2025-01-01")
    assert 0 < rows[first]["accuracy"] <= 1
    for release_id, words in ((first, "ya"), (BETTER, "lolos"), (WORSE, "tidak lolos")):
        (line,) = (line for line in people.stdout.splitlines() if release_id in line)
        assert words in line


def test_one_broken_release_does_not_break_the_list(town: tuple[Path, str]) -> None:
    home, first = town
    with (home / "registry" / BETTER / MANIFEST).open("ab") as file:
        file.write(b"\n")
    program, people = together(home, ("release", "list", "--json"), ("release", "list"))
    assert [outcome.returncode for outcome in (program, people)] == [0, 0]
    assert {row["id"]: row["state"] for row in json.loads(program.stdout)} == {
        first: "tersedia", WORSE: "tersedia", BETTER: "rusak",
    }  # fmt: skip
    assert any(BETTER in line and "rusak" in line for line in people.stdout.splitlines())
    assert f"Rilis {BETTER}: {MANIFEST} berubah" in people.stderr


def test_a_release_in_force_that_is_gone_is_told(town: tuple[Path, str]) -> None:
    home, first = town
    shutil.rmtree(home / "registry" / first)
    listed = aduan(home, "release", "list", "--json")
    assert {row["id"] for row in json.loads(listed.stdout)} == {BETTER, WORSE}
    assert first in listed.stderr


def test_promotion_and_rollback_go_forward_and_back_and_the_history_tells(town: tuple[Path, str]) -> None:
    home, first = town
    assert aduan(home, "release", "promote", BETTER).returncode == 0
    assert champions(home / "registry") == {TOWN: BETTER}
    back = aduan(home, "release", "rollback", "--reason", "salah [pilih]")
    assert (back.returncode, back.stdout) == (0, "")
    assert champions(home / "registry") == {TOWN: first}
    assert_named_failure(aduan(home, "release", "rollback"), first, "pendahulu")
    program, people, other = together(
        home,
        ("release", "history", "--json"),
        ("release", "history"),
        ("release", "history", "--portal", "kota-lain", "--json"),
    )
    events = json.loads(program.stdout)
    assert [(event["action"], event["release"], event["previous"]) for event in events] == [
        ("promote", first, None), ("promote", BETTER, first), ("rollback", first, BETTER),
    ]  # fmt: skip
    assert [event["by"] for event in events] == ["", getpass.getuser(), getpass.getuser()]
    assert events[2]["reason"] == "salah [pilih]"
    assert all(word in people.stdout for word in ("diberlakukan", "dikembalikan", "salah [pilih]"))
    assert json.loads(other.stdout) == []


def test_what_the_gate_refused_is_promoted_only_for_a_stated_reason(town: tuple[Path, str]) -> None:
    home, first = town
    refused = aduan(home, "release", "promote", WORSE)
    assert_named_failure(refused, "Ketepatan instansi turun dari 0,81 ke 0,77.", '--reason "..."')
    assert champions(home / "registry") == {TOWN: first}
    assert aduan(home, "release", "promote", WORSE, "--reason", "instansi baru").returncode == 0
    assert champions(home / "registry") == {TOWN: WORSE}
    last = history(home / "registry")[-1]
    assert (last.action, last.reason, last.by) == ("overrule", "instansi baru", getpass.getuser())
    assert_named_failure(aduan(home, "release", "promote", BETTER), "Belum diuji banding", WORSE, first)


def test_a_rollback_of_several_portals_asks_which_one(town: tuple[Path, str]) -> None:
    home, _ = town
    log = home / "registry" / HISTORY
    log.write_bytes(log.read_bytes() + log.read_bytes().replace(b'"kota-kecil"', b'"kota-lain"'))
    outcomes = together(home, ("release", "rollback"), ("release", "rollback", "--portal", "kota-lupa"))
    assert_named_failure(outcomes[0], "kota-kecil, kota-lain", "--portal")
    assert_named_failure(outcomes[1], "kota-lupa")


def test_a_changed_release_is_found_out_and_not_put_in_force(town: tuple[Path, str]) -> None:
    home, first = town
    promote(home / "registry", BETTER)
    with (home / "registry" / first / "model.json").open("ab") as file:
        file.write(b" ")
    outcomes = together(
        home,
        ("release", "verify", first),
        ("release", "show", first),
        ("release", "promote", first, "--reason", "tetap saja"),
        ("release", "rollback"),
    )
    for outcome in outcomes:
        assert_named_failure(outcome, first, "model.json")
    assert champions(home / "registry") == {TOWN: BETTER}
