"""`aduan user`: people who sign in. A password is asked for or read from standard input, never an argument."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer

from service import passwords
from service.cli.output import AsJson, result_json, result_table, say
from service.cli.person import login_name
from service.database import users
from service.database.database import Database
from service.database.users import ROLES
from service.passwords import SHORTEST, PasswordRefusedError
from service.portal_folders import check_known
from service.settings import settings_from_environment

app = typer.Typer(help="Pengguna layar petugas.", no_args_is_help=True)
PortalCode = Annotated[str, typer.Option("--portal", help="Kode portal.")]
Name = Annotated[str, typer.Argument(metavar="NAMA", help="Nama pengguna.")]


def _known_role(role: str) -> str:
    if role not in ROLES:
        raise typer.BadParameter(f"pilih dari {', '.join(ROLES)}")
    return role


Role = Annotated[str, typer.Option("--role", help=f"Peran: {', '.join(ROLES)}.", callback=_known_role)]


@contextmanager
def _opened() -> Iterator[Database]:
    with closing(Database(settings_from_environment().database)) as database:
        yield database


def _password_hash() -> str:
    """Of a password that is typed twice on a terminal, or is the first line of standard input."""
    if not sys.stdin.isatty():
        return passwords.hashed(sys.stdin.readline().rstrip("\r\n"))
    label = f"Kata sandi (sedikitnya {SHORTEST} karakter, tidak tampil)"
    first = typer.prompt(label, hide_input=True, err=True)
    if typer.prompt("Sekali lagi", hide_input=True, err=True) != first:
        raise PasswordRefusedError("Kedua kata sandi tidak sama. Ulangi perintahnya.")
    return passwords.hashed(first)


@app.command()
def create(name: Name, portal: PortalCode, role: Role) -> None:
    """Membuat pengguna; kata sandinya diketik, atau dibaca dari masukan standar."""
    check_known(settings_from_environment(), portal)
    password_hash = _password_hash()
    with _opened() as database, database.begin() as connection:
        user = users.create(connection, portal, name, role, password_hash, by=login_name())
    say(f"Pengguna {user.name} dibuat untuk portal {portal}, peran {role}.")


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Semua pengguna."""
    with _opened() as database, database.connect() as connection:
        found = users.every(connection)
    rows = [
        {
            "id": user.id,
            "portal": user.portal,
            "name": user.name,
            "role": user.role,
            "created_at": user.created_at.isoformat(timespec="seconds"),
            "disabled": user.disabled_at is not None,
        }
        for user in found
    ]
    if as_json:
        result_json(rows)
        return
    result_table(
        "Pengguna",
        ("pengguna", "portal", "peran", "dibuat", "keadaan"),
        [(r["name"], r["portal"], r["role"], r["created_at"], "nonaktif" if r["disabled"] else "") for r in rows],
    )


@app.command()
def disable(name: Name, portal: PortalCode) -> None:
    """Menonaktifkan pengguna; ia keluar seketika."""
    with _opened() as database, database.begin() as connection:
        user = users.disable(connection, users.named(connection, portal, name).id, by=login_name())
    say(f"Pengguna {user.name} dinonaktifkan.")


@app.command()
def enable(name: Name, portal: PortalCode) -> None:
    """Mengaktifkan kembali pengguna, dengan kata sandi yang sama."""
    with _opened() as database, database.begin() as connection:
        user = users.enable(connection, users.named(connection, portal, name).id, by=login_name())
    say(f"Pengguna {user.name} aktif kembali.")


@app.command()
def password(name: Name, portal: PortalCode) -> None:
    """Mengganti kata sandi; semua sesi pengguna itu berakhir."""
    password_hash = _password_hash()
    with _opened() as database, database.begin() as connection:
        user = users.set_password(connection, users.named(connection, portal, name).id, password_hash, by=login_name())
    say(f"Kata sandi {user.name} diganti.")
