"""`aduan train`, `aduan evaluate` and `aduan replay` on a small town: what they say, what they write, how they end,
and what is left of a training that was killed."""

import csv
import json
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import Outcome, aduan, assert_named_failure, snapshot, started, together
from publisher import small_town
from test_learning import Rows, learnable, shuffled, town_history

from router_model.portal import load_portal
from router_model.registry import HISTORY, champion, champions, history, release_ids
from router_model.release import faults, read_manifest
from training.publishing import DRAFT, DRAFT_AGE
from training.replay import replay

COUNT, MORE = 400, 60
KILLS = 12
CONTRACT = {"n", "accuracy", "top3", "macro_f1", "coverage_at_90", "coverage_at_95", "ece"}


def write_rows(path: Path, rows: Rows, headers: Sequence[str] = ()) -> Path:
    """As CSV, under their own headers or others in the same order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(headers or rows[0])
        table.writerows(row.values() for row in rows)
    return path


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portal folder, and beside it the history of a few months and one with some weeks more."""
    here = tmp_path_factory.mktemp("town")
    write_rows(here / "riwayat.csv", town_history(COUNT))
    write_rows(here / "lebih.csv", town_history(COUNT + MORE, days=129))
    write_rows(here / "sedikit.csv", town_history(60))
    return small_town(here / "portal")


@pytest.fixture(scope="module")
def first(town: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A home in which one release was trained, and what the command said."""
    home = tmp_path_factory.mktemp("home")
    outcome = aduan(home, "train", town.parent / "riwayat.csv", "--portal", town)
    assert outcome.returncode == 0, outcome.stderr
    return home, outcome


@pytest.fixture
def home(first: tuple[Path, Outcome], tmp_path: Path) -> Path:
    """A copy of that home to change."""
    return Path(shutil.copytree(first[0], tmp_path / "home"))


def only_release(home: Path) -> str:
    (release_id,) = champions(home / "registry").values()
    return release_id


def test_training_tells_people_the_verdict_the_time_of_each_stage_and_where_the_report_is(
    first: tuple[Path, Outcome],
) -> None:
    home, outcome = first
    release_id, said = only_release(home), outcome.stderr
    assert f"Rilis {release_id} terbit dan berlaku untuk portal kota-kecil." in said
    assert "Uji banding lolos:\n  - Rilis pertama portal ini.\n" in said
    assert re.search(r"^Waktu: membaca laporan \d+ detik, .*melatih dengan semua laporan \d+ detik\.$", said, re.M)
    page = home / "registry" / release_id / "report.html"
    assert f"Laporan evaluasi: {page}" in said
    assert page.is_file()
    assert f"{release_id}: diuji pada 60 laporan terakhir" in outcome.stdout
    for answer in ("agency", "agency_kind", "category", "urgency", "report_type", "auto", "prefill"):
        assert answer in outcome.stdout
    assert "Uji banding" not in outcome.stdout


def test_training_tells_a_program_everything_in_one_json_value(town: Path, home: Path) -> None:
    before = only_release(home)
    outcome = aduan(home, "train", town.parent / "lebih.csv", "--portal", town, "--json")
    answer = json.loads(outcome.stdout)
    assert outcome.returncode == 0
    assert (answer["release"], answer["in_force"]) == (only_release(home), True)
    assert answer["gate"].keys() == {"agrees", "against", "reasons", "compared"}
    assert (answer["gate"]["agrees"], answer["gate"]["against"]) == (True, before)
    assert answer["gate"]["reasons"][0] in outcome.stderr
    assert answer["gate"]["compared"]["rows"] == 69
    assert len(answer["seconds"]) > 3
    assert all(seconds >= 0 for seconds in answer["seconds"].values())
    assert answer["rows"] == 69
    assert all(figures.keys() == CONTRACT for figures in answer["answers"].values())
    assert {"auto", "prefill"} <= answer["routes"].keys()
    assert read_manifest(home / "registry" / answer["release"])["gate"] == answer["gate"]


def test_a_release_that_the_gate_refuses_is_told_with_the_way_to_overrule_it(town: Path, home: Path) -> None:
    before, raw = only_release(home), town_history(COUNT)
    data = write_rows(home / "keliru.csv", shuffled(raw[:340]) + raw[340:])
    outcome = aduan(home, "train", data, "--portal", town, "--json")
    answer = json.loads(outcome.stdout)
    assert (outcome.returncode, answer["in_force"], answer["gate"]["agrees"]) == (0, False, False)
    assert f"Rilis {answer['release']} terbit untuk portal kota-kecil." in outcome.stderr
    assert "Uji banding tidak lolos:" in outcome.stderr
    assert all(f"  - {reason}\n" in outcome.stderr for reason in answer["gate"]["reasons"])
    assert f'aduan release promote {answer["release"]} --reason "..."' in outcome.stderr
    assert only_release(home) == before


def test_training_up_to_a_date_learns_nothing_from_that_date_on(town: Path, tmp_path: Path) -> None:
    outcome = aduan(tmp_path, "train", town.parent / "sedikit.csv", "--portal", town, "--until", "2025-03-03")
    assert outcome.returncode == 0, outcome.stderr
    data = read_manifest(tmp_path / "registry" / only_release(tmp_path))["data"]
    assert data["rows"] == 30
    assert data["until"] < "2025-03-03"


def test_foreign_headers_are_read_by_a_mapping_file(town: Path, tmp_path: Path) -> None:
    rows = town_history(60)
    headers = ["Nomor", "Diterima", "Aduan Warga", "OPD", "Urusan", "Gawat", "Sifat"]
    data = write_rows(tmp_path / "asing.csv", rows, headers)
    mapping = tmp_path / "kolom.toml"
    pairs = zip(headers, rows[0], strict=True)
    mapping.write_text("[columns]\n" + "".join(f'"{header}" = "{column}"\n' for header, column in pairs), "utf-8")
    without, missing, done = together(
        tmp_path,
        ("train", data, "--portal", town),
        ("train", data, "--portal", town, "--columns", tmp_path / "tidak-ada.toml"),
        ("train", data, "--portal", town, "--columns", mapping, "--json"),
    )
    assert_named_failure(without, "asing.csv")
    assert_named_failure(missing, "tidak-ada.toml")
    assert done.returncode == 0, done.stderr
    release_id = json.loads(done.stdout)["release"]
    assert release_ids(tmp_path / "registry") == [release_id]
    assert read_manifest(tmp_path / "registry" / release_id)["data"]["rows"] == 60


def test_rows_that_cannot_be_read_and_labels_that_teach_nothing_are_named_and_the_rest_is_learned(
    town: Path, tmp_path: Path
) -> None:
    rows = town_history(62)
    rows[9]["agency"] = "Dinas Perhubungann"
    lines = [json.dumps(row) for row in rows]
    lines[4], lines[7] = lines[4][:40], '"bukan objek"'
    data = tmp_path / "riwayat.jsonl"
    data.write_text("\n".join(lines) + "\n", "utf-8")
    outcome = aduan(tmp_path, "train", data, "--portal", town)
    assert outcome.returncode == 0
    assert "2 baris tidak terbaca dan dilewati:" in outcome.stderr
    assert re.search(r"riwayat\.jsonl baris 5: JSON rusak", outcome.stderr)
    assert re.search(r"riwayat\.jsonl baris 8: harus sebuah objek JSON", outcome.stderr)
    assert "1 label tidak dapat dipelajari" in outcome.stderr
    assert re.search(r"baris 10, kolom agency: 'Dinas Perhubungann' .*'Dinas Perhubungan'", outcome.stderr)
    assert read_manifest(tmp_path / "registry" / only_release(tmp_path))["data"]["rows"] == 60


def test_several_files_are_learned_together_in_the_order_of_time(town: Path, tmp_path: Path) -> None:
    rows = town_history(60)
    parts = [write_rows(tmp_path / "akhir.csv", rows[30:]), write_rows(tmp_path / "awal.csv", rows[:30])]
    outcome = aduan(tmp_path, "train", *parts, "--portal", town, "--json")
    whole = aduan(tmp_path, "train", town.parent / "sedikit.csv", "--portal", town, "--json")
    assert json.loads(outcome.stdout)["release"] == json.loads(whole.stdout)["release"]


def test_every_way_to_fail_ends_with_its_number_and_changes_nothing(town: Path, home: Path) -> None:
    data, strange = town.parent / "sedikit.csv", write_rows(home / "aneh.csv", [{"text": "x", "agency": "Dinas Lain"}])
    few = write_rows(home / "dua.csv", town_history(2))
    before = snapshot(home / "registry")
    failed = together(
        home,
        ("train", "--portal", town),
        ("train", home / "tidak-ada.csv", "--portal", town),
        ("train", data, "--portal", home / "tanpa-portal"),
        ("train", strange, "--portal", town),
        ("train", few, "--portal", town),
        ("train", data, "--portal", town, "--until", "2020-01-01"),
        ("evaluate", town.parent / "riwayat.csv"),
        ("evaluate", data, "--release", "kota-kecil-20200101-00000000"),
        ("evaluate", data, "--registry", home / "kosong"),
    )
    words = (
        "Hanya 0 laporan", "tidak-ada.csv", "tanpa-portal", "Dinas Lain", "perlu sedikitnya 20", "2020-01-01",
        "sudah dilihat", "kota-kecil-20200101-00000000", "kosong",
    )  # fmt: skip
    for outcome, word in zip(failed, words, strict=True):
        assert_named_failure(outcome, "Gagal:", word)
    wrong = together(
        home,
        ("train", data),
        ("train", data, "--portal", town, "--until", "kemarin"),
        ("evaluate", data, "--from", "31-31-2025"),
        ("replay", data, "--portal", town),
        ("replay", data, "--portal", town, "--from", "besok"),
        ("replay", data, "--portal", town, "--from", "2025-02-01", "--every", "hour"),
    )
    assert [(outcome.returncode, outcome.stdout) for outcome in wrong] == [(2, "")] * 6
    for outcome, word in zip(wrong, ("--portal", "--until", "--from", "--from", "--from", "--every"), strict=True):
        assert word in outcome.stderr
    assert snapshot(home / "registry") == before


@pytest.fixture(scope="module")
def evaluated(town: Path, first: tuple[Path, Outcome], tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """The first release on the longer history: as JSON and a page, for people by class, and a span of it."""
    home = Path(shutil.copytree(first[0], tmp_path_factory.mktemp("evaluated") / "home"))
    data = town.parent / "lebih.csv"
    return [
        *together(
            home,
            ("evaluate", data, "--json", "--html", town.parent / "nilai.html"),
            ("evaluate", data, "--classes"),
            ("evaluate", data, "--from", "2025-05-01", "--until", "2025-05-08", "--json"),
            ("evaluate", data, "--html", home / "tanpa-folder" / "nilai.html"),
        )
    ]


def test_evaluation_leaves_out_what_the_release_has_learned(
    evaluated: list[Outcome], first: tuple[Path, Outcome]
) -> None:
    program, people, week, _ = evaluated
    report = json.loads(program.stdout)
    assert (program.returncode, report["release"], report["rows"]) == (0, only_release(first[0]), MORE)
    assert "400 laporan dilewati karena sudah dilihat saat melatih." in program.stderr
    assert {answer: figures["n"] for answer, figures in report["answers"].items()} == dict.fromkeys(
        ("agency", "agency_kind", "category", "urgency", "report_type"), MORE
    )
    assert all(figures.keys() == CONTRACT for figures in report["answers"].values())
    assert 0 < json.loads(week.stdout)["rows"] < MORE
    assert f"pada {MORE} laporan" in people.stdout
    assert people.stdout.count("Dinas Kebersihan") == 2
    assert "kelengkapan" in people.stdout


def test_evaluation_writes_a_page_that_stands_alone_and_shows_its_figures(
    town: Path, evaluated: list[Outcome], first: tuple[Path, Outcome]
) -> None:
    page = (town.parent / "nilai.html").read_text("utf-8")
    assert f"Laporan evaluasi: {town.parent / 'nilai.html'}" in evaluated[0].stderr
    assert '<html lang="id">' in page
    assert f"<title>Penilaian rilis {only_release(first[0])} – Kota Kecil</title>" in page
    assert not re.search(r"<script|<link|<img|(?:src|href)=\"(?!#)", page)
    report = json.loads(evaluated[0].stdout)
    right = round(report["answers"]["agency"]["accuracy"] * MORE)
    assert f"{right} dari {MORE}" in page
    assert "<dd>400 laporan<small>6 Januari 2025 sampai 27 April 2025</small>" in page
    assert f"<dd>{MORE} laporan<small>28 April 2025 sampai 14 Mei 2025</small>" in page


def test_a_page_that_cannot_be_written_is_named(evaluated: list[Outcome]) -> None:
    outcome = evaluated[3]
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    assert "nilai.html" in outcome.stderr


@pytest.fixture(scope="module")
def replayed(town: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    home = tmp_path_factory.mktemp("replayed")
    data = write_rows(home / "riwayat.csv", town_history(120, days=42))
    told = ("replay", data, "--portal", town, "--from", "2025-02-03")
    return together(
        home,
        (*told, "--json"),
        told,
        (*told, "--until", "2025-02-06", "--every", "day", "--json"),
        ("replay", data, "--portal", town, "--from", "2025-01-08"),
        ("replay", data, "--portal", town, "--from", "2026-01-08"),
    )


def test_a_replay_tells_a_program_all_that_it_found(town: Path, replayed: list[Outcome]) -> None:
    portal = load_portal(town)
    rows = learnable(town_history(120, days=42), portal)
    start = rows[80].received_at
    assert start is not None
    assert start.isoformat() == "2025-02-03T00:00:00"
    assert replayed[0].returncode == 0
    assert json.loads(replayed[0].stdout) == json.loads(json.dumps(replay(rows, portal, start)))
    daily = json.loads(replayed[2].stdout)
    assert (daily["every"], [point["since"][:10] for point in daily["curve"]]) == (
        "day", ["2025-02-03", "2025-02-04", "2025-02-05"],
    )  # fmt: skip


def test_a_replay_shows_people_the_curve_both_totals_and_what_the_work_was_assumed_to_be(
    replayed: list[Outcome],
) -> None:
    shown, found = replayed[1], json.loads(replayed[0].stdout)
    assert shown.returncode == 0
    for point in found["curve"]:
        (line,) = (line for line in shown.stdout.splitlines() if point["since"][:10] in line)
        assert f"{point['refit']['agency']:.3f}" in line
        assert f"{point['static']['answered']:.3f}" in line
    assert "Dilatih ulang terus" in shown.stdout
    assert "Model pertama, tanpa latih ulang" in shown.stdout
    assert re.search(rf"^Pembanding sederhana .* category {found['plain']['category']:.3f}", shown.stdout, re.M)
    saved = found["saved"]
    assert f"{saved['clicks']:.0f} dari {saved['clicks_by_hand']:.0f} klik" in shown.stdout
    assert "90 detik dan 6 klik bila memilih sendiri" in shown.stdout
    assert "portal.toml, tabel workload" in shown.stdout
    assert "memutar ulang riwayat: selesai" in shown.stderr


def test_a_replay_that_cannot_be_is_named(replayed: list[Outcome]) -> None:
    assert_named_failure(replayed[3], "Hanya 6 laporan berlabel; perlu sedikitnya 20")
    assert_named_failure(replayed[4], "Tidak ada laporan sejak 2026-01-08")


def visible(registry: Path) -> list[Path]:
    return sorted(path for path in registry.glob("[!.]*") if path.name != HISTORY)


def test_a_training_that_is_killed_leaves_whole_releases_and_the_one_in_force(town: Path, tmp_path: Path) -> None:
    """Killed at a random moment of each twelfth of its run; every turn is a portal's first release, so that its last
    step puts it in force. What killed ones left behind is swept away once it is old."""
    chance = random.Random(20250501)  # noqa: S311
    registry, data = tmp_path / "registry", town.parent / "sedikit.csv"
    toml = (town / "portal.toml").read_text("utf-8")
    assert aduan(tmp_path, "release", "list").returncode == 0
    began = time.monotonic()
    assert aduan(tmp_path, "train", data, "--portal", town).returncode == 0
    whole_run, ends = time.monotonic() - began, []
    for turn in range(KILLS):
        portal = Path(shutil.copytree(town, tmp_path / f"portal-{turn}"))
        (portal / "portal.toml").write_text(toml.replace('code = "kota-kecil"', f'code = "kota-{turn}"'), "utf-8")
        process = started(tmp_path, turn, ("train", data, "--portal", portal))
        time.sleep(whole_run * (turn + chance.random()) / KILLS)
        process.kill()
        process.join()
        ends.append(process.exitcode)
        assert [faults(folder) for folder in visible(registry)] == [[]] * len(visible(registry))
        in_force = champions(registry)
        assert {folder.name for folder in visible(registry)} >= set(in_force.values())
        assert champion(registry, "kota-kecil").id == in_force["kota-kecil"]
        assert len(history(registry)) == len(in_force)
    assert -signal.SIGKILL in ends
    for draft in registry.glob(f"{DRAFT}*"):
        os.utime(draft, (time.time() - DRAFT_AGE - 60,) * 2)
    assert aduan(tmp_path, "train", data, "--portal", tmp_path / "portal-0").returncode == 0
    assert list(registry.glob(f"{DRAFT}*")) == []
    assert champion(registry, "kota-0").portal.code == "kota-0"
