"""Users and keys, as an admin handles them in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served import Service, serving
from signed_in import Person, signed_in
from sqlalchemy import update

from service import passwords
from service.database import audit, keys, users, webhooks
from service.database.schema import webhook_deliveries
from service.database.users import User

PAGE = "/admin/akses"


@pytest.fixture
def service(towns: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", towns, database_url) as started:
        yield started


@pytest.fixture
def admin(service: Service) -> Iterator[Person]:
    with signed_in(service) as person:
        yield person


def once(answer: httpx.Response) -> str:
    """The secret that an answer shows."""
    assert answer.status_code == 200, answer.text
    found = re.search(r'id="rahasia" type="text" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def named(service: Service, name: str, portal: str = "kota-kecil") -> User:
    with service.database.connect() as connection:
        return users.named(connection, portal, name)


def actions(service: Service, name: str) -> list[str]:
    subject = named(service, name).id
    with service.database.connect() as connection:
        return [entry.action for entry in audit.entries(connection, "kota-kecil") if entry.subject == subject]


def test_a_new_user_signs_in_with_the_password_that_was_shown_once(service: Service, admin: Person) -> None:
    password = once(admin.send(f"{PAGE}/pengguna", nama="Made", peran="staff"))
    assert re.fullmatch(r"(?:[a-z2-9]{4}-){3}[a-z2-9]{4}", password)
    assert password not in admin.read(PAGE)
    with service.database.connect() as connection:
        found = users.credentials(connection, "kota-kecil", "made")
    assert found is not None
    assert (found[0].role, passwords.fits(password, found[1])) == ("staff", True)
    assert actions(service, "made") == ["user.create"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"nama": "sari", "peran": "staff"}, "sudah ada di portal"),
        ({"nama": "ni luh", "peran": "staff"}, "Nama pengguna harus"),
        ({"nama": "made", "peran": "raja"}, "tidak dikenal"),
    ],
)
def test_a_user_who_cannot_be_made_is_told_beside_the_field(admin: Person, fields: dict[str, str], said: str) -> None:
    answer = admin.send(f"{PAGE}/pengguna", **fields)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert f'value="{fields["nama"]}"' in answer.text


def test_a_role_a_state_and_sessions_are_changed_and_audited(service: Service, admin: Person) -> None:
    with signed_in(service, "made", "staff") as made:
        made_id = named(service, "made").id
        assert made.client.get("/akun").status_code == 200
        assert admin.send(f"{PAGE}/pengguna/{made_id}/peran", peran="senior").status_code == 303
        assert admin.send(f"{PAGE}/pengguna/{made_id}/keluar").headers["location"] == f"{PAGE}?pesan=keluar"
        assert made.client.get("/akun").status_code == 303
    assert admin.send(f"{PAGE}/pengguna/{made_id}/nonaktif").status_code == 303
    assert named(service, "made").disabled_at
    assert admin.send(f"{PAGE}/pengguna/{made_id}/aktif").status_code == 303
    once(admin.send(f"{PAGE}/pengguna/{made_id}/sandi"))
    assert named(service, "made").role == "senior"
    assert actions(service, "made") == [
        "user.password", "user.enable", "user.disable", "user.logout", "user.role", "user.create",
    ]  # fmt: skip


def test_nobody_shuts_the_door_behind_themselves(service: Service, admin: Person) -> None:
    own = named(service, "sari").id
    for act, fields in (("nonaktif", {}), ("peran", {"peran": "staff"}), ("sandi", {}), ("keluar", {})):
        answer = admin.send(f"{PAGE}/pengguna/{own}/{act}", **fields)
        assert (answer.status_code, "akun Anda sendiri" in answer.text) == (422, True)
    assert (named(service, "sari").role, named(service, "sari").disabled_at) == ("admin", None)


def test_the_last_active_admin_stays_one(service: Service, admin: Person) -> None:
    with signed_in(service, "made"):
        made_id, own = named(service, "made").id, named(service, "sari").id
        assert admin.send(f"{PAGE}/pengguna/{made_id}/nonaktif").status_code == 303
    with service.database.begin() as connection:
        with pytest.raises(users.LastAdminError):
            users.spare_an_admin(connection, "kota-kecil", own)
        users.enable(connection, made_id)
        users.spare_an_admin(connection, "kota-kecil", own)
    with service.database.begin() as connection:
        users.set_role(connection, own, "auditor")
    assert admin.client.get(PAGE).status_code == 200
    with signed_in(service, "wayan", "staff", "kota-besar"), signed_in(service, "putu") as other:
        with service.database.begin() as connection:
            users.disable(connection, named(service, "putu").id)
        assert other.client.get(PAGE).status_code == 303


def test_a_key_works_from_the_moment_its_secret_was_shown(service: Service, admin: Person) -> None:
    answer = admin.send(f"{PAGE}/kunci", nama="Portal kota", lingkup=["suggest", "dispose"], masa="30")
    secret = once(answer)
    assert f"curl -s {service.url}/v1/suggestions" in answer.text
    asked = httpx.post(
        f"{service.url}/v1/suggestions",
        json={"text": "Lampu jalan mati depan pasar"},
        headers={"Authorization": f"Bearer {secret}"},
        trust_env=False,
    )
    assert asked.status_code == 201
    page = admin.read(PAGE)
    assert secret not in page
    assert "Portal kota" in page
    assert "detik lalu" in page
    with service.database.connect() as connection:
        (made,) = (key for key in keys.of_portal(connection, "kota-kecil") if key.name == "Portal kota")
    assert made.scopes == {"suggest", "dispose"}
    assert made.expires_at


def test_a_key_is_replaced_with_an_overlap_and_revoked(service: Service, admin: Person) -> None:
    with service.database.begin() as connection:
        old, _ = keys.create(connection, "kota-kecil", "Portal", ["suggest"])
    assert once(admin.send(f"{PAGE}/kunci/{old.id}/ganti", tumpang="24")).startswith("aduan_")
    again = admin.send(f"{PAGE}/kunci/{old.id}/ganti", tumpang="24")
    assert (again.status_code, "sudah diganti" in again.text) == (422, True)
    assert admin.send(f"{PAGE}/kunci/{old.id}/ganti", tumpang="-5").status_code == 422
    assert admin.send(f"{PAGE}/kunci/{old.id}/cabut").status_code == 303
    with service.database.connect() as connection:
        assert keys.one(connection, old.id).revoked_at


def test_a_key_without_scope_or_with_a_foreign_one_is_not_made(service: Service, admin: Person) -> None:
    before = admin.read(PAGE).count("/cabut")
    for scopes, said in (([], "sedikitnya satu lingkup"), (["root"], "Lingkup tidak dikenal")):
        answer = admin.send(f"{PAGE}/kunci", nama="Uji", lingkup=scopes, masa="0")
        assert (answer.status_code, said in answer.text) == (422, True)
    assert admin.read(PAGE).count("/cabut") == before


def test_another_portals_users_and_keys_are_out_of_reach(service: Service, admin: Person) -> None:
    with signed_in(service, "wayan", "staff", "kota-besar"):
        theirs = named(service, "wayan", "kota-besar").id
    with service.database.begin() as connection:
        key, _ = keys.create(connection, "kota-besar", "Punya kota besar", ["suggest"])
    page = admin.read(PAGE)
    assert "wayan" not in page
    assert "Punya kota besar" not in page
    for path, fields in (
        (f"pengguna/{theirs}/peran", {"peran": "admin"}),
        (f"pengguna/{theirs}/nonaktif", {}),
        (f"pengguna/{theirs}/sandi", {}),
        (f"kunci/{key.id}/cabut", {}),
        (f"kunci/{key.id}/ganti", {"tumpang": "0"}),
        ("pengguna/tidak-ada/aktif", {}),
    ):
        answer = admin.send(f"{PAGE}/{path}", **fields)
        assert (answer.status_code, "di portal Anda" in answer.text) == (422, True)
    with service.database.connect() as connection:
        assert users.one(connection, theirs).disabled_at is None  # type: ignore[union-attr]
        assert keys.one(connection, key.id).revoked_at is None


def test_portals_are_called_by_their_names(service: Service, admin: Person) -> None:
    with signed_in(service, "wayan", "staff", "kota-besar"):
        page = httpx.get(f"{service.url}/masuk", trust_env=False).text
    assert '<option value="kota-besar">Kota Besar</option>' in page
    account = admin.read("/akun")
    assert "<dd>Kota Kecil</dd>" in account
    assert 'href="/admin"' in account


@pytest.mark.parametrize(("role", "reads"), [("auditor", 200), ("staff", 403), ("senior", 403)])
def test_only_an_admin_changes_anything(service: Service, role: str, reads: int) -> None:
    with signed_in(service, "made", role) as person:
        assert person.client.get(PAGE).status_code == reads
        refused = [
            person.send(f"{PAGE}/pengguna", nama="baru", peran="admin"),
            person.send(f"{PAGE}/kunci", nama="x", lingkup="admin", masa="0"),
        ]
    assert [answer.status_code for answer in refused] == [403, 403]


def test_a_form_from_elsewhere_changes_nothing(service: Service, admin: Person) -> None:
    answer = admin.client.post(f"{PAGE}/pengguna", data={"nama": "baru", "peran": "admin", "csrf": "salah"})
    assert answer.status_code == 403
    with service.database.connect() as connection:
        assert users.credentials(connection, "kota-kecil", "baru") is None


def test_messages_that_could_not_be_delivered_are_sent_again(service: Service, admin: Person) -> None:
    with service.database.begin() as connection:
        endpoint, _ = webhooks.add_endpoint(
            connection, "kota-kecil", "https://portal.example/aduan?token=rahasia", ["suggestion.created"]
        )
    service.asked()
    with service.database.begin() as connection:
        connection.execute(update(webhook_deliveries).values(state="dead", last_error="tidak dijawab"))
    page = admin.read(PAGE)
    assert "1 pesan" in page
    assert "token=rahasia" not in page
    assert admin.send(f"{PAGE}/webhook/{endpoint.id}/ulang").status_code == 303
    with service.database.connect() as connection:
        assert webhooks.dead(connection, "kota-kecil") == []
    assert admin.send(f"{PAGE}/webhook/ep_lain/ulang").status_code == 422
