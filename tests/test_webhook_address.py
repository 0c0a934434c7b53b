"""Webhooks go to the public internet only, unless the operator allows more."""

from collections.abc import Sequence

import pytest

from service.webhook_address import AddressRefusedError, looked_up, receiver_of

PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
NOT_PUBLIC = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "255.255.255.255", "::1", "::",  # noqa: S104
    "fd00::1", "fec0::1", "::ffff:192.168.1.1", "::ffff:0:7f00:1", "::7f00:1", "2002:7f00:1::", "2002:c0a8:101::1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:db8::1",
]  # fmt: skip
NEVER = ["169.254.169.254", "fe80::1", "fe80::1%1", "::ffff:169.254.169.254", "224.0.0.1", "ff02::1"]


def at(*addresses: str) -> Sequence[str]:
    return addresses


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_used_as_it_was_found(address: str) -> None:
    receiver = receiver_of("https://penerima.example/aduan?k=1", False, lambda host: at(address, address))
    assert (receiver.addresses, receiver.name) == ((address,), "penerima.example")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_into_the_own_network_is_refused_unless_that_is_allowed(address: str) -> None:
    with pytest.raises(AddressRefusedError, match="ADUAN_WEBHOOK_PRIVATE"):
        receiver_of("https://penerima.example/", False, lambda host: at(address))
    assert receiver_of("https://penerima.example/", True, lambda host: at(address)).addresses == (address,)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_multicast_addresses_are_always_refused(address: str) -> None:
    for private in (False, True):
        with pytest.raises(AddressRefusedError, match="tidak boleh dituju"):
            receiver_of("https://penerima.example/", private, lambda host: at(address))


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefusedError):
        receiver_of("https://penerima.example/", False, lambda host: at("8.8.8.8", "10.0.0.1"))


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "127.0.0.1", "[::1]", "[::ffff:7f00:1]"])
def test_other_ways_to_write_an_address_of_this_machine_are_seen_through(host: str) -> None:
    with pytest.raises(AddressRefusedError, match="tidak boleh dituju"):
        receiver_of(f"https://{host}/", False, looked_up)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("http://penerima.example/", "https://"),
        ("ftp://penerima.example/", "https://"),
        ("penerima.example", "https://"),
        ("https://admin:sandi@penerima.example/", "sandi"),
        ("https:///aduan", "host"),
        ("https://penerima.example:0/", "porta"),
        ("https://penerima.example:70000/", "porta"),
        ("https://pene\x00rima.example/", "dibaca"),
        (f"https://penerima.example/{'a' * 2_000}", "panjang"),
    ],
)
def test_what_is_no_address_for_a_webhook_is_refused_with_its_reason(address: str, fault: str) -> None:
    with pytest.raises(AddressRefusedError, match=fault):
        receiver_of(address, False, lambda host: at("8.8.8.8"))


def test_plain_http_is_for_the_own_network_only() -> None:
    assert receiver_of("http://penerima.example/", True, lambda host: at("10.0.0.1")).url.scheme == "http"


@pytest.mark.parametrize("host", ["penerima..example", "a" * 64 + ".example", "%31%32%37", "0177.0.0.1"])
def test_a_name_that_cannot_be_found_is_refused(host: str) -> None:
    with pytest.raises(AddressRefusedError):
        receiver_of(f"https://{host}/", False, looked_up)
