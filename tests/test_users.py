"""People who sign in: how their passwords are kept, and what the operator does with them on the command line."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from service import passwords
from service.cli.users import app
from service.database import audit, users
from service.database.database import Database
from service.database.users import UserRefusedError
from service.passwords import PasswordRefusedError

PHRASE = "sawah hijau di pagi hari"
HASH = passwords.hashed(PHRASE)


def test_a_password_fits_its_hash_however_a_keyboard_composes_it() -> None:
    kept = passwords.hashed("café ①② pagi")
    assert kept.startswith("$argon2id$")
    assert passwords.fits("cafe\u0301 12 pagi", kept)
    assert not passwords.fits("cafe 12 pagi", kept)
    assert not passwords.fits("café ①② pagi", None)


@pytest.mark.parametrize("password", ["", "sembilan!", "n" * 201, "ﷺ" * 30])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefusedError, match="10 sampai 200"):
        passwords.hashed(password)


@pytest.mark.parametrize("kept", ["", "bukan hash", "$argon2id$v=19$m=1,t=1,p=1$rusak$rusak"])
def test_a_hash_that_cannot_be_read_fits_nothing(kept: str) -> None:
    assert not passwords.fits(PHRASE, kept)


def test_only_a_weaker_hash_is_outdated() -> None:
    assert passwords.outdated(PasswordHasher(time_cost=1).hash(PHRASE))
    assert not passwords.outdated(HASH)


def test_a_name_is_the_same_in_capitals_and_taken_once_in_each_portal(database: Database) -> None:
    with database.begin() as connection:
        made = users.create(connection, "denpasar", " Ni.Luh ", "staff", HASH, by="root")
        users.create(connection, "badung", "ni.luh", "admin", HASH)
        with pytest.raises(UserRefusedError, match=r"ni\.luh sudah ada di portal denpasar"):
            users.create(connection, "denpasar", "NI.LUH", "senior", HASH)
        assert users.credentials(connection, "denpasar", "ni.LUH") == (made, HASH)
        assert users.one(connection, made.id) == made
        assert [(user.portal, user.role) for user in users.every(connection)] == [
            ("badung", "admin"),
            ("denpasar", "staff"),
        ]


@pytest.mark.parametrize("name", ["", "a", "ni luh", "<b>luh</b>", "-luh", "l" * 65])
def test_a_name_that_cannot_be_used_is_refused(database: Database, name: str) -> None:
    with database.begin() as connection, pytest.raises(UserRefusedError, match="Nama pengguna"):
        users.create(connection, "denpasar", name, "staff", HASH)


def test_what_ends_sessions_raises_their_version_and_is_audited(database: Database) -> None:
    with database.begin() as connection:
        user = users.create(connection, "denpasar", "luh", "staff", HASH, by="root")
        versions = [
            users.set_password(connection, user.id, "lain", by="root").session_version,
            users.disable(connection, user.id, by="root").session_version,
            users.enable(connection, user.id, by="root").session_version,
            users.logout(connection, user.id, by="user:luh").session_version,
        ]
        users.rehash(connection, user.id, HASH, "tidak dipakai")
        found = users.credentials(connection, "denpasar", "luh")
        entries = [entry for entry in audit.entries(connection, "denpasar") if entry.subject == user.id]
    assert versions == [2, 3, 4, 5]
    assert found is not None
    assert found[1] == "lain"
    assert found[0].disabled_at is None
    assert [(entry.action, entry.who) for entry in reversed(entries)] == [
        ("user.create", "root"),
        ("user.password", "root"),
        ("user.disable", "root"),
        ("user.enable", "root"),
        ("user.logout", "user:luh"),
    ]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADUAN_HOME", str(tmp_path))
    monkeypatch.delenv("ADUAN_DATABASE_URL", raising=False)
    portal = tmp_path / "portals" / "denpasar" / "portal.toml"
    portal.parent.mkdir(parents=True)
    portal.write_text('name = "Pro Denpasar"\n', "utf-8")
    return tmp_path


def test_the_commands_make_list_disable_and_change_users(home: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(app, ["create", "luh", "--portal", "denpasar", "--role", "senior"], input=f"{PHRASE}\n")
    assert made.exit_code == 0, made.output
    assert PHRASE not in made.output
    assert runner.invoke(app, ["password", "luh", "--portal", "denpasar"], input="kata yang baru\n").exit_code == 0
    assert runner.invoke(app, ["disable", "luh", "--portal", "denpasar"]).exit_code == 0
    listed = runner.invoke(app, ["list"]).stdout
    assert "luh" in listed
    assert "nonaktif" in listed
    assert "argon2" not in runner.invoke(app, ["list", "--json"]).stdout
    database = Database(f"sqlite:///{home / 'aduan.db'}")
    with database.connect() as connection:
        found = users.credentials(connection, "denpasar", "luh")
        actions = [entry.action for entry in audit.entries(connection, "denpasar")]
    database.close()
    assert found is not None
    assert passwords.fits("kata yang baru", found[1])
    assert actions == ["user.disable", "user.password", "user.create"]


def test_the_commands_name_what_is_wrong(home: Path) -> None:
    runner = CliRunner()
    create = ["create", "luh", "--portal", "denpasar", "--role"]
    assert "staff, senior, admin, auditor" in runner.invoke(app, [*create, "raja"]).output
    assert isinstance(runner.invoke(app, [*create, "staff"], input="pendek\n").exception, PasswordRefusedError)
    assert isinstance(runner.invoke(app, ["disable", "wayan", "--portal", "x"]).exception, UserRefusedError)
    assert not (home / "aduan.db").exists() or "luh" not in runner.invoke(app, ["list"]).stdout
