"""People who sign in: each belongs to one portal and has one role."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from unicodedata import normalize

from sqlalchemy import Connection, RowMapping, exists, insert, literal, select, text, update
from sqlalchemy.exc import IntegrityError

from router_model.errors import AduanError
from service.database import audit
from service.database.schema import users

ROLES = {"staff": "petugas", "senior": "petugas senior", "admin": "admin", "auditor": "pemeriksa"}
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_FIRST_LOCK = 51_71_2028


class UserRefusedError(AduanError):
    """A user that does not exist or exists already, or a name or role that cannot be used."""


class NotFirstError(AduanError):
    """Somebody has become the first user already."""

    def __init__(self) -> None:
        super().__init__("Admin pertama sudah dibuat, jadi alamat ini tidak berlaku lagi. Masuklah dengan akun Anda.")


class LastAdminError(AduanError):
    """Without this user nobody could administer the portal any more."""

    def __init__(self) -> None:
        super().__init__("Ini admin aktif yang terakhir di portal ini. Angkat admin lain dahulu.")


@dataclass(frozen=True, slots=True)
class User:
    """`session_version` grows when all sessions end; a session that names an older one is over."""

    id: str
    portal: str
    name: str
    role: str
    created_at: datetime
    disabled_at: datetime | None
    session_version: int

    @property
    def who(self) -> str:
        """Names the user in the audit log."""
        return f"user:{self.name}"


def folded(name: str) -> str:
    """A name as it is kept and compared: capitals make no difference."""
    return normalize("NFKC", name).strip().lower()


def create(connection: Connection, portal: str, name: str, role: str, password_hash: str, by: str = "") -> User:
    """Raises `UserRefusedError` if the name is taken or cannot be used, or the role does not exist. Whether the portal
    exists is known to `service.portal_folders.check_known`."""
    user = _new(portal, name, role)
    try:
        with connection.begin_nested():
            connection.execute(insert(users).values(_row(user, password_hash)))
    except IntegrityError:
        raise UserRefusedError(f"Pengguna {user.name} sudah ada di portal {portal}.") from None
    audit.record(connection, portal=portal, who=by, action="user.create", subject=user.id, detail={"role": role})
    return user


def create_first(connection: Connection, portal: str, name: str, password_hash: str) -> User:
    """The admin with whom a service begins; of several who try at once, one.

    Raises:
        NotFirstError: there is a user, of whatever portal.
        UserRefusedError: the name cannot be used.
    """
    user = _new(portal, name, "admin")
    if connection.dialect.name == "postgresql":
        # Two transactions at once would not see each other's user. SQLite has one writer anyway.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_LOCK})
    row = _row(user, password_hash)
    values = select(*(literal(value, users.c[column].type) for column, value in row.items()))
    only = insert(users).from_select(list(row), values.where(~exists().select_from(users))).returning(users.c.id)
    if connection.execute(only).first() is None:
        raise NotFirstError
    audit.record(connection, portal=portal, who=user.who, action="user.first", subject=user.id)
    return user


def is_empty(connection: Connection) -> bool:
    """Whether nobody can sign in anywhere yet."""
    return connection.execute(select(users.c.id).limit(1)).first() is None


def _new(portal: str, name: str, role: str) -> User:
    if role not in ROLES:
        raise UserRefusedError(f"Peran {role} tidak dikenal; pilih dari {', '.join(ROLES)}.")
    if not _NAME.fullmatch(folded(name)):
        raise UserRefusedError(
            "Nama pengguna harus 2 sampai 64 karakter: huruf a-z, angka, titik, garis bawah, @ atau tanda hubung, "
            "diawali huruf atau angka."
        )
    return User(f"usr_{secrets.token_urlsafe(12)}", portal, folded(name), role, datetime.now(UTC), None, 1)


def _row(user: User, password_hash: str) -> dict[str, object]:
    kept = ("id", "portal", "name", "role", "created_at", "session_version")
    return {name: getattr(user, name) for name in kept} | {"password_hash": password_hash}


def one(connection: Connection, user_id: str) -> User | None:
    row = connection.execute(select(users).where(users.c.id == user_id)).mappings().first()
    return _user(row) if row else None


def named(connection: Connection, portal: str, name: str) -> User:
    """Raises `UserRefusedError` if the portal has no user of that name."""
    if (found := credentials(connection, portal, name)) is None:
        raise UserRefusedError(f"Pengguna {folded(name)} tidak ada di portal {portal}; lihat: aduan user list")
    return found[0]


def credentials(connection: Connection, portal: str, name: str) -> tuple[User, str] | None:
    """A user and the hash of the password."""
    query = select(users).where(users.c.portal == portal, users.c.name == folded(name))
    row = connection.execute(query).mappings().first()
    return (_user(row), row["password_hash"]) if row else None


def every(connection: Connection) -> list[User]:
    """All users of all portals, by portal and name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.portal, users.c.name)).mappings()]


def of_portal(connection: Connection, portal: str) -> list[User]:
    """All users of one portal, by name."""
    query = select(users).where(users.c.portal == portal).order_by(users.c.name)
    return [_user(row) for row in connection.execute(query).mappings()]


def in_portal(connection: Connection, portal: str, user_id: str) -> User:
    """Raises `UserRefusedError` for a user that the portal does not have."""
    if (found := one(connection, user_id)) is None or found.portal != portal:
        raise UserRefusedError("Pengguna ini tidak ada di portal Anda.")
    return found


def spare_an_admin(connection: Connection, portal: str, user_id: str) -> None:
    """Raises `LastAdminError` if no active admin would be left without this user. Of two who take each other's place
    away at once, the second waits here and is refused."""
    active = (users.c.portal == portal, users.c.role == "admin", users.c.disabled_at.is_(None))
    admins = connection.scalars(select(users.c.id).where(*active).order_by(users.c.id).with_for_update()).all()
    if list(admins) == [user_id]:
        raise LastAdminError


def portals(connection: Connection) -> list[str]:
    """Codes of portals that have users."""
    return list(connection.scalars(select(users.c.portal).distinct().order_by(users.c.portal)))


def set_password(connection: Connection, user_id: str, password_hash: str, by: str = "") -> User:
    """Ends all sessions of the user."""
    return _end_sessions(connection, user_id, "user.password", by, password_hash=password_hash)


def rehash(connection: Connection, user_id: str, old_hash: str, new_hash: str) -> None:
    """The same password under the settings of today, unless it was changed meanwhile."""
    connection.execute(
        update(users).where(users.c.id == user_id, users.c.password_hash == old_hash).values(password_hash=new_hash)
    )


def set_role(connection: Connection, user_id: str, role: str, by: str = "") -> User:
    """Holds from the user's next request on. Raises `UserRefusedError` for a role that does not exist."""
    if role not in ROLES:
        raise UserRefusedError(f"Peran {role} tidak dikenal; pilih dari {', '.join(ROLES)}.")
    mine = users.c.id == user_id
    connection.execute(update(users).where(mine).values(role=role))
    user = _user(connection.execute(select(users).where(mine)).mappings().one())
    audit.record(connection, portal=user.portal, who=by, action="user.role", subject=user.id, detail={"role": role})
    return user


def disable(connection: Connection, user_id: str, by: str = "") -> User:
    """Ends all sessions of the user, who cannot sign in any more."""
    return _end_sessions(connection, user_id, "user.disable", by, disabled_at=datetime.now(UTC))


def enable(connection: Connection, user_id: str, by: str = "") -> User:
    """Lets a user sign in again, with the password of before."""
    return _end_sessions(connection, user_id, "user.enable", by, disabled_at=None)


def login(connection: Connection, user: User) -> None:
    audit.record(connection, portal=user.portal, who=user.who, action="user.login", subject=user.id)


def logout(connection: Connection, user_id: str, by: str = "") -> User:
    """Ends all sessions of the user."""
    return _end_sessions(connection, user_id, "user.logout", by)


def _end_sessions(connection: Connection, user_id: str, action: str, by: str, **values: object) -> User:
    mine = users.c.id == user_id
    connection.execute(update(users).where(mine).values(session_version=users.c.session_version + 1, **values))
    user = _user(connection.execute(select(users).where(mine)).mappings().one())
    audit.record(connection, portal=user.portal, who=by, action=action, subject=user.id)
    return user


def _user(row: RowMapping) -> User:
    return User(**{name: row[name] for name in User.__slots__})
