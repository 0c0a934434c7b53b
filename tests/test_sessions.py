"""Signing in and out, as a browser does it: the real pages on a real database, within what stands around them."""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from itsdangerous import TimestampSigner

from service import account_page, passwords, problems
from service.account_page import ACCOUNT, local_path
from service.around import Around
from service.database import audit, users
from service.database.database import Database
from service.metrics import Metrics
from service.serving import InForce
from service.sessions import CSRF_HEADER, CheckedForm, Session, Sessions, SignedIn, SignedInUser, begun
from service.settings import Settings

SECRET = b"rahasia untuk pengujian"
OLD, NEW = "sawah hijau di pagi hari", "gunung biru di sore hari"
OLD_HASH = passwords.hashed(OLD)
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def staff(database: Database) -> str:
    """The id of `luh`, staff of one portal."""
    with database.begin() as connection:
        return users.create(connection, "denpasar", "luh", "staff", OLD_HASH).id


@pytest.fixture
def service(database: Database) -> FastAPI:
    return built(database, secure=False)


def built(database: Database, secure: bool) -> FastAPI:
    app = FastAPI()
    settings = Settings(home=Path("tidak-dipakai"), secure_cookies=secure)
    app.state.database, app.state.settings, app.state.sessions = database, settings, Sessions(SECRET, secure)
    app.state.in_force = InForce(settings.registry)
    problems.install(app)
    app.add_middleware(Around, settings=settings, metrics=Metrics())
    app.include_router(account_page.router)

    @app.get("/hanya-admin")
    async def only_admin(user: Annotated[SignedInUser, Depends(SignedIn("admin"))]) -> str:
        return user.name

    @app.post("/ubah")
    async def change(user: Annotated[SignedInUser, Depends(SignedIn("staff", "senior"))], form: CheckedForm) -> str:
        return str(form["isi"])

    return app


class Browser:
    """Keeps cookies and follows no redirects by itself."""

    def __init__(self, service: FastAPI, address: str, at: str) -> None:
        transport = httpx.ASGITransport(service, client=(at, 50_000))
        self._client = httpx.AsyncClient(transport=transport, base_url=address)
        self._runner = asyncio.Runner()
        self.cookies = self._client.cookies

    def get(self, path: str) -> httpx.Response:
        return self._runner.run(self._client.get(path))

    def post(self, path: str, data: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self._runner.run(self._client.post(path, data=data, headers=headers))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@contextmanager
def browser(service: FastAPI, address: str = "http://testserver", at: str = "10.0.0.1") -> Iterator[Browser]:
    with closing(Browser(service, address, at)) as opened:
        yield opened


@pytest.fixture
def visitor(service: FastAPI) -> Iterator[Browser]:
    with browser(service) as opened:
        yield opened


def token(client: Browser, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def sign_in(client: Browser, password: str = OLD, name: str = "luh", **more: str) -> int:
    """The status of the answer: 303 if it let one in."""
    fields = {"csrf": token(client, "/masuk"), "nama": name, "sandi": password, **more}
    return client.post("/masuk", data=fields).status_code


def signed_in(client: Browser) -> bool:
    return client.get(ACCOUNT).status_code == 200


def test_who_signs_in_reaches_the_page_asked_for_and_sees_who_they_are(staff: str, visitor: Browser) -> None:
    asked = visitor.get("/akun?pesan=diganti")
    assert (asked.status_code, asked.headers["location"]) == (303, "/masuk?lanjut=/akun%3Fpesan%3Ddiganti")
    page = visitor.get(asked.headers["location"])
    assert 'name="lanjut" value="/akun?pesan=diganti"' in page.text
    fields = {"csrf": token(visitor, "/masuk"), "nama": " LUH", "sandi": OLD, "lanjut": "/akun?pesan=diganti"}
    answer = visitor.post("/masuk", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/akun?pesan=diganti")
    account = visitor.get("/akun").text
    assert all(f"<dd>{value}</dd>" in account for value in ("luh", "denpasar", "petugas"))
    assert visitor.get("/masuk").headers["location"] == "/akun"


@pytest.mark.parametrize(
    ("secure", "address", "start"),
    [
        (False, "http://testserver", "aduan_session="),
        (True, "https://testserver", "__Host-aduan_session="),
    ],
)
def test_the_cookie_is_kept_from_scripts_and_other_sites(
    database: Database, staff: str, secure: bool, address: str, start: str
) -> None:
    with browser(built(database, secure), address) as client:
        fields = {"csrf": token(client, "/masuk"), "nama": "luh", "sandi": OLD}
        cookie = client.post("/masuk", data=fields).headers["set-cookie"]
        assert signed_in(client)
    assert cookie.startswith(start)
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=lax"} | ({"secure"} if secure else set())


def test_a_wrong_password_an_unknown_name_and_a_disabled_user_are_told_the_same(
    database: Database, staff: str, visitor: Browser
) -> None:
    with database.begin() as connection:
        gone = users.create(connection, "denpasar", "made", "staff", OLD_HASH)
        users.disable(connection, gone.id)
    pages = []
    for name, password in (("luh", NEW), ("luh", ""), ("wayan", OLD), ("made", OLD)):
        fields = {"csrf": token(visitor, "/masuk"), "nama": name, "sandi": password}
        answer = visitor.post("/masuk", data=fields)
        assert (answer.status_code, signed_in(visitor)) == (422, False)
        pages.append(answer.text.replace(f'value="{name}"', ""))
    assert len(set(pages)) == 1
    assert "tidak cocok" in pages[0]
    assert OLD not in pages[0]


def test_the_sixth_try_waits_even_with_the_right_password_but_others_do_not(
    database: Database, staff: str, service: FastAPI, visitor: Browser
) -> None:
    with database.begin() as connection:
        users.create(connection, "denpasar", "made", "staff", OLD_HASH)
    assert [sign_in(visitor, NEW) for _ in range(5)] == [422] * 5
    fields = {"csrf": token(visitor, "/masuk"), "nama": "luh", "sandi": OLD}
    refused = visitor.post("/masuk", data=fields)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 30
    assert "Coba lagi" in refused.text
    assert sign_in(visitor, name="made") == 303


def test_one_address_cannot_try_name_after_name(staff: str, service: FastAPI, visitor: Browser) -> None:
    for number in range(20):
        service.state.sessions.addresses.failed("10.0.0.1", time.time() - number / 1_000)
    assert sign_in(visitor) == 429
    with browser(service, at="10.0.0.2") as elsewhere:
        assert sign_in(elsewhere) == 303


@pytest.mark.parametrize(
    "given",
    [
        "", "//jahat.example", "/\\jahat.example", "https://jahat.example", "javascript:alert(1)", "jahat.example",
        "/\t/jahat.example", "/\n/jahat.example", "/akun\r\nX: 1", " /akun", "/a\\b", None, "/" + "a" * 3_000,
    ],
)  # fmt: skip
def test_nobody_is_sent_to_another_site(given: str | None) -> None:
    assert local_path(given) == ACCOUNT


def test_a_path_of_this_site_is_kept() -> None:
    assert local_path("/tinjau/abc?halaman=2&urut=é#isi") == "/tinjau/abc?halaman=2&urut=é#isi"


def test_a_form_from_elsewhere_changes_nothing(staff: str, service: FastAPI, visitor: Browser) -> None:
    sign_in(visitor)
    with browser(service) as other:
        foreign = token(other, "/masuk")
    for fields in ({}, {"csrf": ""}, {"csrf": foreign}, {"csrf": "é"}):
        assert visitor.post("/ubah", data={"isi": "x", **fields}).status_code == 403
        assert visitor.post("/keluar", data=fields).status_code == 403
        assert visitor.post(ACCOUNT, data={"lama": OLD, "baru": NEW, "ulang": NEW, **fields}).status_code == 403
        sent_back = visitor.post("/masuk", data={"nama": "luh", "sandi": OLD, **fields})
        assert sent_back.headers["location"].startswith("/masuk?pesan=lama")
        assert "set-cookie" not in sent_back.headers
    assert signed_in(visitor)


def test_a_token_is_taken_from_the_form_or_the_header(staff: str, visitor: Browser) -> None:
    sign_in(visitor)
    mine = token(visitor, ACCOUNT)
    assert visitor.post("/ubah", data={"isi": "x", "csrf": mine}).json() == "x"
    assert visitor.post("/ubah", data={"isi": "y"}, headers={CSRF_HEADER: mine}).json() == "y"
    assert visitor.post("/ubah", data={"isi": "y"}, headers={CSRF_HEADER: "x"}).status_code == 403


def test_signing_in_begins_a_session_that_shares_nothing_with_the_one_before(staff: str, visitor: Browser) -> None:
    before = token(visitor, "/masuk")
    sign_in(visitor)
    assert token(visitor, ACCOUNT) != before


def test_signing_out_ends_the_sessions_of_every_browser(
    database: Database, staff: str, service: FastAPI, visitor: Browser
) -> None:
    with browser(service) as other:
        sign_in(visitor)
        sign_in(other)
        kept = dict(other.cookies)
        out = visitor.post("/keluar", data={"csrf": token(visitor, ACCOUNT)})
        assert out.headers["location"] == "/masuk?pesan=keluar"
        assert not signed_in(visitor)
        assert not signed_in(other)
        other.cookies.update(kept)
        assert not signed_in(other)
    with database.connect() as connection:
        actions = [(entry.action, entry.who) for entry in audit.entries(connection, "denpasar")]
    assert actions[:3] == [("user.logout", "user:luh"), ("user.login", "user:luh"), ("user.login", "user:luh")]


def test_a_new_password_ends_all_other_sessions(staff: str, service: FastAPI, visitor: Browser) -> None:
    with browser(service) as other:
        sign_in(visitor)
        sign_in(other)
        fields = {"csrf": token(visitor, ACCOUNT), "lama": OLD, "baru": NEW, "ulang": NEW}
        changed = visitor.post(ACCOUNT, data=fields)
        assert changed.headers["location"] == "/akun?pesan=diganti"
        assert "Kata sandi diganti" in visitor.get(changed.headers["location"]).text
        assert not signed_in(other)
        assert sign_in(other, OLD) == 422
        assert sign_in(other, NEW) == 303


def test_a_password_is_not_changed_for_a_reason_that_is_told(staff: str, visitor: Browser) -> None:
    sign_in(visitor)
    for old, new, again, said in (
        (OLD, NEW, NEW + "x", "tidak sama"),
        (OLD, "pendek", "pendek", "10 sampai 200"),
        (OLD, OLD, OLD, "sama dengan yang lama"),
        (NEW + "x", NEW, NEW, "lama tidak cocok"),
    ):
        fields = {"csrf": token(visitor, ACCOUNT), "lama": old, "baru": new, "ulang": again}
        answer = visitor.post(ACCOUNT, data=fields)
        assert (answer.status_code, said in answer.text) == (422, True)
        assert 'aria-invalid="true"' in answer.text
        assert NEW not in answer.text
    visitor.cookies.clear()
    assert sign_in(visitor) == 303


def test_a_disabled_user_is_out_at_once(database: Database, staff: str, visitor: Browser) -> None:
    sign_in(visitor)
    assert signed_in(visitor)
    with database.begin() as connection:
        users.disable(connection, staff)
    assert not signed_in(visitor)


def test_a_page_is_for_the_roles_it_names(database: Database, staff: str, visitor: Browser) -> None:
    with database.begin() as connection:
        users.create(connection, "denpasar", "made", "admin", OLD_HASH)
    sign_in(visitor)
    refused = visitor.get("/hanya-admin")
    assert (refused.status_code, "petugas" in refused.text) == (403, True)
    assert visitor.post("/ubah", data={"isi": "x"}, headers={CSRF_HEADER: token(visitor, ACCOUNT)}).status_code == 200
    visitor.cookies.clear()
    sign_in(visitor, name="made")
    assert visitor.get("/hanya-admin").json() == "made"
    assert visitor.post("/ubah", data={"isi": "x"}, headers={CSRF_HEADER: token(visitor, ACCOUNT)}).status_code == 403


def test_a_program_that_is_signed_out_is_told_so_rather_than_sent_to_a_page(visitor: Browser) -> None:
    assert visitor.post("/ubah", data={"isi": "x"}).headers["location"] == "/masuk"
    assert visitor.post("/ubah", data={"isi": "x"}, headers={CSRF_HEADER: "x"}).status_code == 401


def test_portals_are_chosen_where_there_are_several(database: Database, staff: str, visitor: Browser) -> None:
    assert "<select" not in visitor.get("/masuk").text
    with database.begin() as connection:
        users.create(connection, "badung", "luh", "auditor", passwords.hashed(NEW))
    assert '<option value="badung">' in visitor.get("/masuk").text
    assert sign_in(visitor, NEW) == 422
    assert sign_in(visitor, NEW, portal="denpasar") == 422
    assert sign_in(visitor, NEW, portal="badung") == 303
    assert "<dd>pemeriksa</dd>" in visitor.get(ACCOUNT).text


def test_a_weak_hash_is_replaced_when_its_user_signs_in(database: Database, visitor: Browser) -> None:
    with database.begin() as connection:
        users.create(connection, "denpasar", "luh", "staff", WEAK.hash(OLD))
    assert sign_in(visitor) == 303
    with database.connect() as connection:
        found = users.credentials(connection, "denpasar", "luh")
    assert found is not None
    assert not passwords.outdated(found[1])
    assert passwords.fits(OLD, found[1])


def test_a_cookie_lasts_eight_hours_unused_and_a_day_at_most() -> None:
    sessions, now = Sessions(SECRET, False), time.time()
    session = Session("usr_1", 1, "token", int(now), now)
    cookie = sessions.signed(session)
    opened = sessions.opened(cookie, now + 7.9 * 3_600)
    assert opened is not None
    assert (opened.user_id, opened.version, opened.csrf, opened.begun) == ("usr_1", 1, "token", int(now))
    assert sessions.opened(cookie, now + 8.1 * 3_600) is None
    old = sessions.signed(Session("usr_1", 1, "token", int(now - 20 * 3_600), now))
    assert sessions.opened(old, now + 3.9 * 3_600) is not None
    assert sessions.opened(old, now + 4.1 * 3_600) is None


def test_a_cookie_that_was_changed_or_signed_by_others_opens_nothing() -> None:
    sessions, now = Sessions(SECRET, False), time.time()
    cookie = sessions.signed(begun(None, now))
    middle = len(cookie) // 3
    changed = cookie[:middle] + ("A" if cookie[middle] != "A" else "B") + cookie[middle + 1 :]
    for other in ("", "x", changed, cookie[:-2], Sessions(b"lain", False).signed(begun(None, now))):
        assert sessions.opened(other, now) is None
    assert sessions.opened(cookie, now) is not None


class TenMinutesAgo(TimestampSigner):
    def get_timestamp(self) -> int:
        return int(time.time()) - 600


def test_a_cookie_in_use_is_replaced_by_a_newer_one(database: Database, staff: str, service: FastAPI) -> None:
    earlier = Sessions(SECRET, False)
    earlier._signer.signer = TenMinutesAgo
    with database.connect() as connection:
        user = users.one(connection, staff)
    session = begun(user, time.time() - 600)
    with browser(service) as client:
        client.cookies.set("aduan_session", earlier.signed(session))
        newer = client.get(ACCOUNT).headers["set-cookie"].partition("=")[2].partition(";")[0]
        opened = service.state.sessions.opened(newer, time.time())
        assert opened.seen > session.seen + 300
        assert (opened.csrf, opened.begun) == (session.csrf, session.begun)
        client.cookies.clear()
        client.cookies.set("aduan_session", newer)
        assert "set-cookie" not in client.get(ACCOUNT).headers


def test_pages_hold_no_script_or_style_of_their_own_and_are_not_kept_by_browsers(staff: str, visitor: Browser) -> None:
    answers = [visitor.get("/masuk"), visitor.get("/masuk?pesan=keluar")]
    sign_in(visitor)
    answers.append(visitor.get(ACCOUNT))
    for answer in answers:
        assert re.search(r'<script(?! src="/static/)|<style|\sstyle=|\son\w+=', answer.text) is None
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text.count("<h1") == 1
        names = set(re.findall(r'<label class="field-label" for="(\w+)"', answer.text))
        assert names == set(re.findall(r'<(?:input class="input"|select class="select") id="(\w+)"', answer.text))
