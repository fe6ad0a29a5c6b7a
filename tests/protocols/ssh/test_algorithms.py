"""What is negotiated at our door, by the real clients and by the bytes themselves."""

import asyncio
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from struct import pack, unpack_from
from typing import Any, ClassVar

import asyncssh
import pytest
from asyncssh import kex_dh
from asyncssh.kex import register_kex_alg
from asyncssh.packet import SSHPacket

from onepam.protocols.ssh.algorithms import CIPHERS, HOST_KEYS, KEX, MACS, SIGNATURES, VERSION, HostKey, StrongGroups
from tests.protocols.ssh.acceptor import Acceptor, accepting
from tests.protocols.ssh.conftest import Bench, keygen

pytestmark = pytest.mark.anyio

WEAK = ("sha1", "ssh-dss", "ssh-rsa", "cbc", "arcfour", "md5", "group1-", "@ssh.com")


def own_keys() -> list[HostKey]:
    """Host keys as the platform has them: three kinds, each with a certificate."""
    authority = asyncssh.generate_private_key("ssh-ed25519")
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("ssh-ed25519", {}), ("ecdsa-sha2-nistp256", {}), ("ssh-rsa", {"key_size": 2048}),
    ]  # fmt: skip
    keys = [asyncssh.generate_private_key(algorithm, **more) for algorithm, more in kinds]
    return [(key, authority.generate_host_certificate(key, "gateway", principals=["gateway"])) for key in keys]


def beside(bench: Bench, public: str) -> Acceptor:
    """Another listener of the bench, for the person with this key."""
    return replace(bench.acceptor, person_key=asyncssh.import_public_key(public), port=0)


def dropbear_key(folder: Path) -> tuple[Path, str]:
    """A key in dropbear's form, and its public line."""
    path = folder / "dropbear"
    made = subprocess.run(["dropbearkey", "-t", "ed25519", "-f", path], check=True, capture_output=True, text=True)
    return path, next(line for line in made.stdout.splitlines() if line.startswith("ssh-"))


@pytest.mark.parametrize("exchanges", [KEX, KEX[1:]], ids=["guess wrong", "guess right"])
async def test_dropbear_connects_whatever_it_guesses(
    relayed: Bench, monkeypatch: pytest.MonkeyPatch, exchanges: Sequence[str]
) -> None:
    """dbclient knows no certificates, and sends the first packet of the key exchange that it guesses."""
    key, public = dropbear_key(relayed.folder)
    monkeypatch.setattr("onepam.protocols.ssh.door.KEX", exchanges)
    async with accepting(beside(relayed, public), own_keys()) as acceptor:
        client = ["dbclient", "-y", "-y", "-i", str(key), "-p", str(acceptor.port), "person@127.0.0.1"]
        done = await relayed.run(*client, "echo reached; exit 7")
    assert (done.status, done.stdout) == (7, b"reached\n"), done.stderr


@pytest.mark.parametrize("exchange", KEX[1:])
async def test_openssh_agrees_on_each_exchange(relayed: Bench, exchange: str) -> None:
    done = await relayed.run(*relayed.ssh("-v", "-o", f"KexAlgorithms={exchange}", "-o", "LogLevel=DEBUG1", "true"))
    assert done.status == 0, done.stderr
    assert f"kex: algorithm: {exchange}".encode() in done.stderr


@pytest.mark.parametrize("kind", HOST_KEYS[:2] + HOST_KEYS[4:])
@pytest.mark.parametrize("end", ["", "-cert-v01@openssh.com"], ids=["plain", "certified"])
async def test_openssh_sees_each_kind_of_host_key(relayed: Bench, kind: str, end: str) -> None:
    async with accepting(replace(relayed.acceptor, port=0), own_keys()) as acceptor:
        asked = ["-v", "-o", f"HostKeyAlgorithms={kind}{end}", "-o", "LogLevel=DEBUG1", "-p", str(acceptor.port)]
        done = await relayed.run("ssh", *relayed.options(), *asked, "person@127.0.0.1", "true")
    assert done.status == 0, done.stderr
    assert f"kex: host key algorithm: {kind}{end}".encode() in done.stderr


async def test_two_clients_at_once_sign_with_what_each_agreed_on(relayed: Bench) -> None:
    """One RSA key under two algorithms: what one client agrees on is not what the other one is shown."""
    async with accepting(replace(relayed.acceptor, port=0), own_keys()) as acceptor:

        async def shown(kind: str) -> bool:
            asked = ["-o", f"HostKeyAlgorithms={kind}", "-p", str(acceptor.port), "person@127.0.0.1", "true"]
            return (await relayed.run("ssh", *relayed.options(), *asked)).status == 0

        assert all(await asyncio.gather(*(shown(kind) for kind in ("rsa-sha2-512", "rsa-sha2-256") * 4)))


async def test_post_quantum_comes_first(relayed: Bench) -> None:
    assert KEX[0] == "mlkem768x25519-sha256"
    key = asyncssh.read_private_key(str(relayed.folder / "person"))
    async with asyncssh.connect(
        "127.0.0.1", relayed.acceptor.port, username="person", client_keys=[key], known_hosts=None, config=None
    ) as connection:
        assert connection._kex_complete
        assert connection.get_extra_info("recv_cipher")
        done = await connection.run("echo reached")
    assert done.stdout == "reached\n"


async def hello(port: int) -> tuple[str, list[list[str]]]:
    """What the listener says by itself: its version, and the lists of its KEXINIT (RFC 4253, 7.1)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"SSH-2.0-raw\r\n")
    version = (await reader.readline()).decode().strip()
    (length,) = unpack_from(">I", await reader.readexactly(4))
    payload = await reader.readexactly(length)
    writer.close()
    packet = SSHPacket(payload[1 + 1 + 16 : length - payload[0]])
    return version, [[each.decode() for each in packet.get_namelist()] for _ in range(8)]


async def test_what_is_announced_before_the_sign_in(relayed: Bench) -> None:
    async with accepting(replace(relayed.acceptor, port=0), own_keys()) as acceptor:
        version, lists = await hello(acceptor.port)
    assert version == f"SSH-2.0-{VERSION}"
    assert lists[0][: len(KEX)] == [*KEX]
    assert set(lists[0][len(KEX) :]) <= {"ext-info-s", "kex-strict-s-v00@openssh.com"}
    kinds = [HOST_KEYS[0], HOST_KEYS[1], HOST_KEYS[4], HOST_KEYS[5]]
    assert lists[1] == kinds + [f"{kind}-cert-v01@openssh.com" for kind in kinds]
    assert lists[2:] == [[*CIPHERS]] * 2 + [[*MACS]] * 2 + [["none"]] * 2
    assert not [name for each in lists for name in each for weak in WEAK if weak in name]


async def test_what_is_announced_after_the_exchange(relayed: Bench) -> None:
    """RFC 8308, 3.1: exactly what a key may sign with. A list of 33 names overran the heap of libssh2 1.11."""
    done = await relayed.run(*relayed.ssh("-v", "-o", "LogLevel=DEBUG1", "true"))
    lines = [line for line in done.stderr.decode().splitlines() if "server-sig-algs=" in line]
    assert lines
    assert lines[0].split("=<")[1].rstrip(">").split(",") == [*SIGNATURES]
    assert not [name for name in SIGNATURES for weak in WEAK if weak in name]


class AsksForLittle(StrongGroups):
    """A client that asks for small groups; our side of the door does what it always does."""

    most: ClassVar = 8192
    seen: ClassVar[list[int]] = []

    def _send_request(self) -> None:
        self._gex_data = pack(">3I", 1024, 1024, self.most)
        self.send_packet(self._request_type, self._gex_data)

    def _process_group(self, kind: int, number: int, packet: SSHPacket) -> None:
        self.seen.append(SSHPacket(packet.get_full_payload()[1:]).get_mpint().bit_length())
        super()._process_group(kind, number, packet)

    _packet_handlers = {**StrongGroups._packet_handlers, kex_dh.MSG_KEX_DH_GEX_GROUP: _process_group}  # noqa: RUF012


class AsksForLess(AsksForLittle):
    """One that takes nothing larger."""

    most = 1536


@pytest.mark.parametrize(("client", "bits"), [(AsksForLittle, [2048]), (AsksForLess, [])])
async def test_group_exchange_goes_no_lower_than_2048_bits(
    relayed: Bench, client: type[AsksForLittle], bits: list[int]
) -> None:
    exchange = "diffie-hellman-group-exchange-sha256"
    key = asyncssh.read_private_key(str(relayed.folder / "person"))
    client.seen.clear()
    register_kex_alg(exchange.encode(), client, sha256, (), False)
    try:
        with pytest.raises(asyncssh.Error) if not bits else nullcontext():
            async with asyncssh.connect(
                "127.0.0.1", relayed.acceptor.port, username="person", client_keys=[key], known_hosts=None, config=None,
                kex_algs=[exchange],
            ):  # fmt: skip
                pass
    finally:
        register_kex_alg(exchange.encode(), StrongGroups, sha256, (), False)
    assert client.seen == bits


@pytest.mark.parametrize("bits", [2048, 3072])
async def test_openssh_with_an_rsa_key(relayed: Bench, bits: int) -> None:
    public = keygen(relayed.folder / "rsa", "-t", "rsa", "-b", str(bits))
    async with accepting(beside(relayed, public)) as acceptor:
        more = ["-i", str(relayed.folder / "rsa"), "-p", str(acceptor.port)]
        done = await relayed.run("ssh", *relayed.options(), *more, "person@127.0.0.1", "echo reached")
    assert done.stdout == b"reached\n", done.stderr
