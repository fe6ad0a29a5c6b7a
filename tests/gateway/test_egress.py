"""Where the gateway connects to, and where it never does."""

import asyncio
import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.egress import egress as module
from onepam.egress.egress import HERE, Admitted, Egress
from onepam.kernel.errors import Refused

pytestmark = pytest.mark.anyio

REFUSED = (
    "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "240.0.0.1",
    "255.255.255.255", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:a9fe:a9fe::",
)  # fmt: skip

METADATA = (
    "169.254.169.254", "169.254.169.253", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42",
    "168.63.129.16", "100.100.100.200", "192.0.0.192",
)  # fmt: skip
"""What clouds answer their own machines at, IPv4."""

METADATA_6 = (
    "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1",
    "fe80::a9fe:a9fe",
)  # fmt: skip


def twins(address: str) -> list[str]:
    """The IPv6 addresses that bring a packet to this IPv4 one."""
    four = int(ip_address(address))
    hidden = four ^ 0xFFFFFFFF
    return [
        f"::ffff:{address}", f"::{address}", f"64:ff9b::{address}", f"64:ff9b:1::{address}",
        f"2002:{four >> 16:x}:{four & 0xFFFF:x}::1",
        f"2001:0:808:808:0:0:{hidden >> 16:x}:{hidden & 0xFFFF:x}", f"2001:0:{four >> 16:x}:{four & 0xFFFF:x}::1",
        f"2a00:1450::5efe:{address}", f"2a00:1450::200:5efe:{address}",
    ]  # fmt: skip


@pytest.mark.parametrize("address", [*METADATA_6, *METADATA, *(twin for each in METADATA for twin in twins(each))])
def test_no_cloud_hands_its_machine_s_credentials_to_us(address: str) -> None:
    """The service that gives a machine its credentials is nobody's target, by whatever address it is written."""
    assert not Egress().admits(ip_address(address), 80)


def test_what_carries_an_ordinary_address_is_ordinary() -> None:
    """Refusing all that carries another address would prove nothing of the table."""
    for address in ("::ffff:8.8.8.8", "2002:808:808::1", "2a00:1450::5efe:8.8.8.8", "168.63.129.17", "fd00:ec3::254"):
        assert Egress().admits(ip_address(address), 22), address


def test_an_exception_admits_a_metadata_service_too() -> None:
    assert Egress((Admitted.parse("fd00:ec2::254/128:80"),)).admits(ip_address("fd00:ec2::254"), 80)


@pytest.mark.parametrize("address", REFUSED)
def test_never(address: str) -> None:
    assert not Egress().admits(ip_address(address), 22)


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.1", "172.16.0.9", "8.8.8.8", "2a00:1450::1", "fd00::1"])
def test_always(address: str) -> None:
    assert Egress().admits(ip_address(address), 22)


def test_an_exception_admits_its_network_and_port_only() -> None:
    egress = Egress((Admitted.parse("127.0.0.0/30:2222"), Admitted.parse("::1/128:22")))
    assert egress.admits(ip_address("127.0.0.1"), 2222)
    assert egress.admits(ip_address("::ffff:127.0.0.1"), 2222)
    assert egress.admits(ip_address("::1"), 22)
    assert not egress.admits(ip_address("127.0.0.1"), 22)
    assert not egress.admits(ip_address("127.0.0.4"), 2222)
    assert not egress.admits(ip_address("::1"), 2222)


def test_our_own_listeners_are_no_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    """By whatever address of this machine; elsewhere the same port is somebody else's."""
    assert module._of_this_machine(ip_address("127.0.0.1"))
    assert not module._of_this_machine(ip_address("203.0.113.77"))
    egress = Egress((), frozenset({8443}))
    own, other = ip_address("10.0.0.1"), ip_address("10.0.0.2")
    monkeypatch.setattr(module, "_of_this_machine", lambda address: address == own)
    assert [egress.admits(own, 8443), egress.admits(own, 22), egress.admits(other, 8443)] == [False, True, True]
    assert not egress.admits(ip_address("::ffff:10.0.0.1"), 8443)


@pytest.mark.parametrize("text", ["", "127.0.0.1", "127.0.0.1:", "10.0.0.0/33:22", "host:22", "10.1.2.3/8:22", "x/8:y"])
def test_exceptions_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid|does not appear|host bits"):
        Admitted.parse(text)


@given(st.ip_addresses(v=4), st.integers(1, 65535))
def test_an_address_inside_another_form_is_judged_as_itself(address: object, port: int) -> None:
    plain = ip_address(str(address))
    mapped = ip_address(f"::ffff:{plain}")
    assert Egress().admits(mapped, port) == Egress().admits(plain, port)


async def test_names_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    egress = Egress()
    assert await egress.resolve("192.0.2.7", 22) == "192.0.2.7"
    for host in ("localhost", "127.0.0.1", "0x7f000001", "2130706433", "127.1", "::1", "fe80::1%lo"):
        refused = await egress.resolve(host, 22)
        assert isinstance(refused, Refused), host
        assert refused.code in ("target.address", "target.unresolved")
    for host in ("no-such-name.invalid", "", "a" * 300, "bad..name", "\udc80"):
        refused = await egress.resolve(host, 22)
        assert isinstance(refused, Refused), host
        assert refused.code == "target.unresolved", host


async def test_a_name_with_several_addresses_is_as_good_as_the_one_that_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Resolved once: what is judged is what is connected to, so a name that changes its mind gains nothing."""
    asked = []

    async def resolver(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        turn = ["10.0.0.1", "127.0.0.1"][len(asked) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (turn, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver)
    assert await Egress().resolve("rebinding.example", 22) == "10.0.0.1"
    assert asked == ["rebinding.example"]
    assert isinstance(await Egress().resolve("rebinding.example", 22), Refused)


async def test_a_machine_is_told_by_all_addresses_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """As IPv4 where IPv6 only wraps it; this machine is one, by whichever of its addresses."""
    six = ("2001:db8::7", 22, 0, 0)

    async def resolver(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        assert (host, port) == ("two.example", 22)
        return [(socket.AF_INET6, 1, 6, "", six), (socket.AF_INET, 1, 6, "", ("192.0.2.7", 22))]

    egress = Egress()
    assert isinstance(await egress.machine("a name", 22), Refused)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver)
    assert await egress.machine("two.example", 22) == frozenset({"2001:db8::7", "192.0.2.7"})
    assert await egress.resolve("two.example", 22) == "2001:db8::7"
    for written, found in (
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:DB8:0::7", "2001:db8::7"),
        ("fe80::1%eth9", "fe80::1"), ("127.0.0.1", HERE), ("::1", HERE), ("127.1.2.3", HERE),
    ):  # fmt: skip
        assert await egress.machine(written, 22) == frozenset({found}), written
    monkeypatch.setattr(module, "_of_this_machine", lambda address: str(address) == "192.0.2.7")
    assert await egress.machine("two.example", 22) == frozenset({"2001:db8::7", HERE})


async def test_a_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolver(*args: object, **options: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver)
    monkeypatch.setattr(module, "RESOLVE_SECONDS", 0.05)
    refused = await Egress().resolve("slow.example", 22)
    assert isinstance(refused, Refused)
    assert refused.code == "target.unresolved"
