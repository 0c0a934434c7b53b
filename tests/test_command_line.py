"""The command `aduan` as a process: results on stdout, words on stderr, exit 0, 1 or 2."""

import csv
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest
from command_line import aduan, assert_named_failure, installed, together, write_csv

from router_model.portal import load_portal
from router_model.registry import champions

LAMP = "Lampu penerangan jalan umum di depan sekolah mati sudah seminggu, gelap gulita kalau malam"
POWER = "Listrik padam di rumah sejak subuh, token sudah diisi tetapi meteran PLN tetap mati, sudah lapor PLN"
ADDED = [
    "agency", "agency_p", "agency_2", "agency_2_p", "agency_3", "agency_3_p", "category", "category_p", "urgency",
    "urgency_p", "report_type", "route", "reasons", "release",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ADUAN_HOME with a copy of the registry, free to change."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(registry, folder / "registry")
    return folder


def test_predict_reads_the_argument_or_standard_input_and_explains_itself(home: Path) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(installed, home, "predict", "--village", "Sidakarya", given=LAMP)
        program = installed(home, "predict", "--json", "--village", "Sidakarya", LAMP)
        people = waiting.result()
    assert [(outcome.returncode, outcome.stderr) for outcome in (people, program)] == [(0, "")] * 2
    body = json.loads(program.stdout)
    assert body.keys() >= {"agencies", "category", "urgency", "report_type", "route", "reasons", "explanation"}
    assert body["agencies"][0].keys() >= {"code", "name", "p"}
    assert body["release"] in champions(home / "registry").values()
    assert body["place"]["name"] == "Sidakarya"
    for told in ("Rute", body["route"], body["agencies"][0]["name"], "Dinas Perhubungan", "Sidakarya", "Lampu"):
        assert told in people.stdout


@pytest.fixture(scope="module")
def scored(home: Path) -> dict[str, list[dict[str, str]]]:
    """The same two complaints scored into each kind of file, each read back."""
    source = write_csv(home / "in.csv", ("id", "text", "catatan"), ("1", LAMP, "a"), ("2", f"={POWER}\x07", "b"))
    outcomes = together(home, *(("score", source, home / f"out{end}") for end in (".csv", ".jsonl", ".xlsx")))
    assert [outcome.returncode for outcome in outcomes] == [0, 0, 0], outcomes
    with (home / "out.csv").open(encoding="utf-8", newline="") as file:
        from_csv = list(csv.DictReader(file))
    lines = (home / "out.jsonl").read_text("utf-8").splitlines()
    header, *cells = openpyxl.load_workbook(home / "out.xlsx").worksheets[0].iter_rows(values_only=True)
    from_xlsx = [dict(zip(map(str, header), ("" if c is None else str(c) for c in row), strict=True)) for row in cells]
    return {"csv": from_csv, "jsonl": [json.loads(line) for line in lines], "xlsx": from_xlsx}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
def test_score_adds_the_agreed_columns_to_every_row(scored: dict[str, list[dict[str, str]]], kind: str) -> None:
    rows = scored[kind]
    assert list(rows[0]) == ["id", "text", *ADDED]
    assert [row["id"] for row in rows] == ["1", "2"]
    assert [row["agency"] for row in rows] == ["Dinas Perhubungan Kota Denpasar", "PLN UP3 Bali Selatan"]
    assert rows[1]["route"] == "external"
    assert all(0 <= float(row["agency_p"]) <= 1 for row in rows)


def test_check_names_what_is_wrong_with_a_data_set(home: Path, denpasar: Path) -> None:
    rows = [("text", "agency"), (LAMP, "Dinas Antah Berantah"), ("", "BPBD"), (f"{LAMP} WA 081338765210", "Dishub")]
    data = write_csv(home / "kotor.csv", *rows)
    program, people = together(home, *(("check", data, "--portal", denpasar, *end) for end in (["--json"], [])))
    counts = {finding["code"]: finding["count"] for finding in json.loads(program.stdout)}
    assert (counts["unknown_label"], counts["no_text"], counts["personal_data"]) == (1, 1, 1)
    assert "081338765210" not in program.stdout + people.stdout
    assert "Antah Berantah" in people.stdout


def test_a_portal_folder_is_derived_from_a_history_or_from_names(home: Path, denpasar: Path) -> None:
    names, places = home / "nama.txt", home / "tempat.csv"
    names.write_text("Dinas Perhubungan\nKelurahan Melati\nKecamatan Taman\n", "utf-8")
    write_csv(places, ("village", "district"), ("Melati", "Taman"))
    made = together(
        home,
        ("portal", "init", denpasar / "complaints.csv", "--out", home / "dari-data"),
        ("portal", "init", "--agencies", names, "--territory", places, "--out", home / "dari-nama"),
        ("portal", "init", "--agencies", names, "--out", home / "registry"),
    )
    assert [outcome.returncode for outcome in made] == [0, 0, 1], made
    assert_named_failure(made[2], "registry")
    assert load_portal(home / "dari-data").find_agency("Dinas Perhubungan Kota Denpasar")
    new = load_portal(home / "dari-nama")
    assert {agency.name: agency.unit for agency in new.agencies} == {
        "Dinas Perhubungan": "dinas-perhubungan", "Kelurahan Melati": "@kelurahan", "Kecamatan Taman": "@kecamatan",
    }  # fmt: skip


def test_keys_are_created_listed_without_their_secret_replaced_and_revoked(home: Path) -> None:
    wanted = ("key", "create", "--portal", "denpasar", "--scope", "review", "--scope", "admin", "--days", "30")
    created, unknown, nothing = together(
        home, (*wanted, "--json"), ("key", "revoke", "tidak-ada"), (*wanted[:4], "--scope", "semua")
    )
    made = json.loads(created.stdout)
    assert (made["portal"], made["scopes"]) == ("denpasar", ["admin", "review"])
    rotated = json.loads(aduan(home, "key", "rotate", made["id"], "--overlap", "2", "--json").stdout)
    assert (rotated["scopes"], rotated["key"] == made["key"]) == (made["scopes"], False)
    assert aduan(home, "key", "revoke", rotated["id"]).returncode == 0
    listed, shown = together(home, ("key", "list", "--json"), ("key", "list"))
    assert not any(secret in listed.stdout + shown.stdout for secret in (made["key"], rotated["key"]))
    rows = {key["id"]: key for key in json.loads(listed.stdout)}
    assert {key_id: rows[key_id]["state"] for key_id in (made["id"], rotated["id"])} == {
        made["id"]: "berlaku", rotated["id"]: "dicabut",
    }  # fmt: skip
    assert all(rows[key_id]["expires_at"] for key_id in (made["id"], rotated["id"]))
    assert_named_failure(unknown, "tidak-ada")
    assert_named_failure(nothing, "semua")


def test_wrong_usage_ends_with_two_and_a_named_failure_with_one(home: Path) -> None:
    empty = home / "kosong"
    with ThreadPoolExecutor() as pool:
        commands = (("tebak",), ("portal", "init", "--out", empty), ("release", "show", "tidak-ada"))
        wrong, half, unknown = pool.map(lambda words: installed(home, *words), commands)
    assert [(outcome.returncode, outcome.stdout) for outcome in (wrong, half)] == [(2, "")] * 2
    assert_named_failure(unknown, "tidak-ada")
    assert_named_failure(aduan(home, "predict", "--registry", empty, LAMP), "Gagal:", str(empty))
