"""`aduan` knows its commands by a table, and imports only the one that is used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.cli.commands import COMMANDS, imported

LIGHT = ("--help", "key list", "user list", "release list", "webhook list --portal kota", "serve --help")
RUN_ALL = """
import json, sys
from service.cli import main

ends = []
for words in sys.argv[1:]:
    sys.argv = ["aduan", *words.split()]
    try:
        main()
    except SystemExit as end:
        ends.append((words, end.code, sorted({"sklearn", "scipy", "matplotlib"} & set(sys.modules))))
print(json.dumps(ends), file=sys.stderr)
"""


def aduan(words: str) -> Result:
    return CliRunner().invoke(app, words, prog_name="aduan", env={"COLUMNS": "200"})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_and_says_the_same_of_itself(name: str) -> None:
    command = imported(name)
    assert (command.name, command.help) == (name, COMMANDS[name][1])


def test_the_help_lists_every_command_with_its_line() -> None:
    listed = [" ".join(line.strip("│ ").split()) for line in aduan("--help").stdout.splitlines()]
    assert [line for line in listed if line.partition(" ")[0] in COMMANDS] == [
        f"{name} {line}" for name, (_, line) in COMMANDS.items()
    ]


@pytest.mark.parametrize(("words", "shown"), [("train", "--registry"), ("key", "rotate"), ("key rotate", "--overlap")])
def test_a_command_shows_its_options_and_a_group_its_commands(words: str, shown: str) -> None:
    outcome = aduan(f"{words} --help")
    assert outcome.exit_code == 0
    assert f"Usage: aduan {words} [OPTIONS]" in outcome.stdout
    assert shown in outcome.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("tran", "No such command 'tran'. Did you mean 'train'?"),
        ("key lst", "No such command 'lst'. Did you mean 'list'?"),
        ("key list --nama", "No such option: --nama"),
    ],
)
def test_wrong_usage_is_told_with_the_nearest_name(words: str, told: str) -> None:
    outcome = aduan(words)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert told in outcome.stderr


def test_what_only_lists_or_serves_imports_nothing_that_learning_needs(tmp_path: Path) -> None:
    environment = {**os.environ, "ADUAN_HOME": str(tmp_path), "ADUAN_DATABASE_URL": ""}
    command = [sys.executable, "-c", RUN_ALL, *LIGHT]
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(outcome.stderr.splitlines()[-1]) == [[words, 0, []] for words in LIGHT]
