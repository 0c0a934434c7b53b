"""The address at which the first admin of a service is made. It holds while nobody can sign in; nothing is stored."""

import hmac
from contextlib import closing
from urllib.parse import urlencode

from service.database import users
from service.database.database import Database
from service.settings import Settings

PATH = "/mulai"
_PURPOSE = b"aduan first admin"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104


def first_key(secret: bytes) -> str:
    """What the address carries; only whoever reads the service's own messages or its secret knows it."""
    return hmac.digest(secret, _PURPOSE, "sha256").hex()[:32]


def first_key_fits(secret: bytes, given: str) -> bool:
    return hmac.compare_digest(first_key(secret).encode(), given.encode("utf-8", "replace"))


def address(host: str, port: int, secret: bytes) -> str:
    return f"http://{_EVERYWHERE.get(host, host)}:{port}{PATH}?{urlencode({'kunci': first_key(secret)})}"


def invitation(settings: Settings, host: str, port: int) -> str:
    """The address, while the service has no user; "" afterwards."""
    with closing(Database(settings.database)) as database, database.connect() as connection:
        if not users.is_empty(connection):
            return ""
    return address(host, port, settings.signing_secret)
