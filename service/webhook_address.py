"""Where a webhook may go: an address of the public internet, looked up anew before each use and then kept to."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from router_model.errors import AduanError

Resolve = Callable[[str], Sequence[str]]
LONGEST_URL = 2_000
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefusedError(AduanError):
    """An address that no webhook is sent to."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """`addresses` are what the host of `url` was found at, all of them allowed, in the order to try."""

    url: httpx.URL
    addresses: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the receiver's certificate has to be for."""
        return self.url.raw_host.decode("ascii").rstrip(".")


def looked_up(host: str) -> Sequence[str]:
    """Every address of a host, as the system finds them; also reads `2130706433` and the like as it does."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(socket_address[0]) for *_, socket_address in found]


def receiver_of(address: str, private: bool, resolve: Resolve = looked_up) -> Receiver:
    """Waits for the name to be looked up. With `private`, addresses of the own network and `http` are allowed too.

    Raises:
        AddressRefusedError: not such an address, a name that is not found, or one of its addresses is not allowed.
    """
    url = _url(address, private)
    try:
        addresses = tuple(dict.fromkeys(resolve(url.raw_host.decode("ascii"))))
        allowed = bool(addresses) and all(_allowed(ip_address(found), private) for found in addresses)
    except (OSError, ValueError):
        raise AddressRefusedError(f"Host {url.host} tidak ditemukan. Periksa alamat webhook.") from None
    if not allowed:
        raise AddressRefusedError(
            f"Host {url.host} berada di jaringan yang tidak boleh dituju. Pakai alamat publik, "
            "atau minta pengelola mengizinkan jaringan sendiri dengan ADUAN_WEBHOOK_PRIVATE=1."
        )
    return Receiver(url, addresses)


def _url(address: str, private: bool) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        raise AddressRefusedError("Alamat webhook tidak dapat dibaca. Contoh: https://portal.go.id/aduan") from None
    if url.scheme not in (("https", "http") if private else ("https",)):
        raise AddressRefusedError("Alamat webhook harus diawali https://")
    if url.userinfo:
        raise AddressRefusedError("Alamat webhook tidak boleh memuat nama pengguna atau sandi.")
    if not url.host or url.port not in (None, *range(1, 65_536)):
        raise AddressRefusedError("Alamat webhook perlu host dan porta yang benar.")
    if len(str(url)) > LONGEST_URL:
        raise AddressRefusedError(f"Alamat webhook lebih panjang dari {LONGEST_URL} huruf.")
    return url


def _allowed(address: IPv4Address | IPv6Address, private: bool) -> bool:
    """Link-local addresses are never allowed: what answers there is a cloud's own, not a portal."""
    if isinstance(address, IPv6Address) and (embedded := _embedded(address)):
        return _allowed(embedded, private)
    if address.is_multicast or address.is_link_local:
        return False
    return private or (address.is_global and (address.version == 4 or address in _GLOBAL_UNICAST))


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a gateway would make of it: mapped (RFC 4291), 6to4 (RFC 3056) or NAT64 (RFC 6052)."""
    nat64 = IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or nat64
