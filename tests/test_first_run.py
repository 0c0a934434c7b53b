"""From a service that nobody can sign in to, to its first admin."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from live_service import running_service
from served import Service, serving

from service.database import audit, users
from service.database.database import Database
from service.database.users import NotFirstError
from service.first_run import address, first_key, invitation
from service.settings import Settings

PHRASE = "sawah hijau di pagi hari"


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


@pytest.fixture
def visitor(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, headers={"Accept": "text/html"}, trust_env=False, timeout=30) as client:
        yield client


def key(service: Service) -> str:
    return first_key(service.app.state.secret)


def fields(client: httpx.Client, given: str, **more: str) -> dict[str, str]:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(f"/mulai?kunci={given}").text)
    csrf = found[1] if found else ""
    filled = {"csrf": csrf, "kunci": given, "portal": "kota-kecil", "nama": "ni.luh", "sandi": PHRASE, "ulang": PHRASE}
    return filled | more


def everybody(service: Service) -> list[tuple[str, str, str]]:
    with service.database.connect() as connection:
        return [(user.portal, user.name, user.role) for user in users.every(connection)]


def test_the_first_admin_is_made_signed_in_and_the_address_is_of_no_use_any_more(
    service: Service, visitor: httpx.Client
) -> None:
    page = visitor.get(f"/mulai?kunci={key(service)}").text
    assert '<option value="kota-besar">Kota Besar</option>' in page
    made = visitor.post("/mulai", data=fields(visitor, key(service)))
    assert (made.status_code, made.headers["location"]) == (303, "/admin")
    home = visitor.get("/admin")
    assert (home.status_code, "ni.luh" in home.text) == (200, True)
    assert everybody(service) == [("kota-kecil", "ni.luh", "admin")]
    with service.database.connect() as connection:
        assert audit.last(connection, "kota-kecil", "user.first")
    for again in (
        visitor.get(f"/mulai?kunci={key(service)}"),
        visitor.post("/mulai", data=fields(visitor, key(service))),
    ):
        assert (again.status_code, "Admin pertama sudah dibuat" in again.text) == (410, True)
    assert len(everybody(service)) == 1


def test_a_wrong_address_says_so_and_cannot_be_tried_for_ever(service: Service, visitor: httpx.Client) -> None:
    wrong = visitor.get("/mulai?kunci=salah")
    assert (wrong.status_code, "tidak cocok" in wrong.text) == (404, True)
    assert "<form" not in wrong.text
    statuses = [visitor.get("/mulai", params={"kunci": f"{n}é"}).status_code for n in range(25)]
    assert (statuses[0], statuses[-1]) == (404, 429)
    refused = visitor.post("/mulai", data=fields(visitor, key(service)))
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert everybody(service) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sandi": "pendek", "ulang": "pendek"}, "10 sampai 200"),
        ({"ulang": "lain sama sekali"}, "tidak sama"),
        ({"nama": "ni luh"}, "Nama pengguna harus"),
        ({"portal": "tidak-ada"}, "Pilih portal"),
    ],
)
def test_what_is_wrong_with_the_form_is_told_and_what_was_typed_stays(
    service: Service, visitor: httpx.Client, changed: dict[str, str], said: str
) -> None:
    answer = visitor.post("/mulai", data=fields(visitor, key(service), **changed))
    assert (answer.status_code, said in answer.text) == (422, True)
    assert f'value="{changed.get("nama", "ni.luh")}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert PHRASE not in answer.text
    assert everybody(service) == []


def test_a_form_from_elsewhere_makes_nobody_the_admin(service: Service, visitor: httpx.Client) -> None:
    given = fields(visitor, key(service))
    visitor.cookies.clear()
    assert visitor.post("/mulai", data=given).status_code == 403
    assert everybody(service) == []


def test_of_many_who_try_at_once_one_becomes_the_first_admin(database: Database) -> None:
    def attempt(number: int) -> str:
        try:
            with database.begin() as connection:
                return users.create_first(connection, f"portal-{number}", f"orang-{number}", "tanpa kata sandi").name
        except NotFirstError:
            return ""

    with ThreadPoolExecutor(8) as many:
        won = [name for name in many.map(attempt, range(8)) if name]
    with database.connect() as connection:
        assert [user.name for user in users.every(connection)] == won
    assert len(won) == 1


def test_the_address_needs_no_storage_and_fits_one_secret_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    invited = invitation(settings, "0.0.0.0", 8000)  # noqa: S104
    assert invited == address("127.0.0.1", 8000, settings.signing_secret)
    assert invited.startswith("http://127.0.0.1:8000/mulai?kunci=")
    assert first_key(b"lain") not in invited
    with closing(Database(settings.database)) as database, database.begin() as connection:
        users.create(connection, "kota-kecil", "luh", "staff", "tanpa kata sandi")
    assert invitation(settings, "0.0.0.0", 8000) == ""  # noqa: S104


def test_the_service_names_the_address_when_it_starts_until_there_is_a_user(towns: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_service(home, towns) as live:
        said = (home / "stderr.txt").read_text("utf-8")
        found = re.search(r"http://127\.0\.0\.1:\d+/mulai\?kunci=\w+", said)
        assert found
        assert found[0].startswith(live.url)
        with httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client:
            given = parse_qs(urlsplit(found[0]).query)["kunci"][0]
            assert client.post("/mulai", data=fields(client, given)).headers["location"] == "/admin"
    with running_service(home, towns):
        assert "/mulai" not in (home / "stderr.txt").read_text("utf-8")
    with closing(sqlite3.connect(home / "aduan.db")) as kept:
        assert kept.execute("SELECT name, role FROM users").fetchall() == [("ni.luh", "admin")]


def test_without_any_portal_the_shipped_one_is_offered(tmp_path: Path, database_url: str, towns: Path) -> None:
    empty = tmp_path / "registry"
    empty.mkdir()
    with serving(tmp_path / "home", empty, database_url) as service:
        with httpx.Client(base_url=service.url, trust_env=False, timeout=30) as client:
            page = client.get(f"/mulai?kunci={key(service)}").text
            assert "Pro Denpasar" in page
            made = client.post("/mulai", data=fields(client, key(service), portal=""))
            assert made.status_code == 303
        assert everybody(service) == [("denpasar", "ni.luh", "admin")]
