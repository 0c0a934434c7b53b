"""Passwords of people: what is asked of one, how it is kept, and whether one fits. Each takes some 50 ms of CPU and
64 MiB, so the service calls these from a thread."""

from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from router_model.errors import AduanError

SHORTEST = 10
LONGEST = 200
_HASHER = PasswordHasher()


class PasswordRefusedError(AduanError):
    """A password that is too short or too long."""


def _bytes(password: str) -> bytes:
    # Keyboards write the same letter in different ways.
    return normalize("NFKC", password).encode("utf-8", "surrogatepass")


def check(password: str) -> None:
    """Raises `PasswordRefusedError` unless the length, as written and as normalised, lies in `SHORTEST` to
    `LONGEST`."""
    if not SHORTEST <= len(normalize("NFKC", password[: LONGEST + 1])) <= LONGEST or len(password) > LONGEST:
        raise PasswordRefusedError(f"Kata sandi harus {SHORTEST} sampai {LONGEST} karakter.")


def hashed(password: str) -> str:
    """Raises `PasswordRefusedError`, as `check` does."""
    check(password)
    return _HASHER.hash(_bytes(password))


def fits(password: str, password_hash: str | None) -> bool:
    """Takes as long when there is no hash to compare with, so that the time tells nobody whether a user exists."""
    given = _bytes(password[:LONGEST])
    if password_hash is None:
        _HASHER.hash(given)
        return False
    try:
        return _HASHER.verify(password_hash, given)
    except (VerificationError, InvalidHashError):
        return False


def outdated(password_hash: str) -> bool:
    """Whether a hash was made with weaker settings than those of today."""
    return _HASHER.check_needs_rehash(password_hash)
