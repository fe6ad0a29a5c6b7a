"""Dialling real and hostile targets: the host key is exactly the pinned one, and every failure has its words."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from onepam.kernel.errors import Refused
from onepam.protocols.ssh.connections import TargetConnection
from onepam.protocols.ssh.dial import dial
from tests.protocols.ssh.conftest import Bench
from tests.targets import Sshd

pytestmark = pytest.mark.anyio


def key_of(folder: Path) -> asyncssh.SSHKey:
    return asyncssh.read_private_key(str(folder / "gateway"))


def pin(target: Sshd) -> asyncssh.SSHKey:
    return asyncssh.import_public_key(target.host_key)


@asynccontextmanager
async def listening(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]) -> AsyncIterator[int]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_pinned_target_is_reached(target: Sshd, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
    connection = await dial("127.0.0.1", target.port, target.login, key_of(tmp_path), None, [other, pin(target)], 10)
    assert isinstance(connection, TargetConnection)
    assert (await connection.run("echo reached")).stdout == b"reached\n"
    assert connection.get_extra_info("send_cipher") == "aes128-gcm@openssh.com"
    connection.abort()


async def test_the_key_signs_without_asking_first(target: Sshd, tmp_path: Path) -> None:
    connection = await dial("127.0.0.1", target.port, target.login, key_of(tmp_path), None, [pin(target)], 10)
    assert isinstance(connection, TargetConnection)
    connection.abort()
    assert "Accepted publickey" in target.log
    assert "Postponed publickey" not in target.log  # sshd's word for a question about a key


async def test_small_packets_are_acknowledged_at_once(target: Sshd, tmp_path: Path) -> None:
    connection = await dial("127.0.0.1", target.port, target.login, key_of(tmp_path), None, [pin(target)], 10)
    assert isinstance(connection, TargetConnection)
    assert (await connection.run("echo reached")).stdout == b"reached\n"
    plain = connection.get_extra_info("socket")
    connection.data_received(b"")  # as a read that nothing is sent for
    assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1
    connection.abort()


async def test_a_certificate_opens_it_and_a_foreign_one_does_not(sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    authority, key = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    authority.write_public_key(str(tmp_path / "ca.pub"))
    target = sshd(user_ca=tmp_path / "ca.pub")
    certificate = authority.generate_user_certificate(key, "ses_1", principals=[target.login], valid_before="+2m")
    connection = await dial("127.0.0.1", target.port, target.login, key, certificate, [pin(target)], 10)
    assert isinstance(connection, TargetConnection)
    connection.abort()
    foreign = asyncssh.generate_private_key("ssh-ed25519").generate_user_certificate(
        key, "ses_1", principals=[target.login], valid_before="+2m"
    )
    refused = await dial("127.0.0.1", target.port, target.login, key, foreign, [pin(target)], 10)
    assert isinstance(refused, Refused)
    assert refused.code == "target.refusing"


async def test_another_host_key_is_refused_and_nothing_is_sent(target: Sshd, tmp_path: Path) -> None:
    for other in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
        foreign = asyncssh.generate_private_key(other).convert_to_public()
        refused = await dial("127.0.0.1", target.port, target.login, key_of(tmp_path), None, [foreign], 10)
        assert isinstance(refused, Refused)
        assert refused.code == "target.host_key"
        assert "another host key" in refused.message
    assert "Accepted" not in target.log
    assert "userauth" not in target.log
    refused = await dial("127.0.0.1", target.port, target.login, key_of(tmp_path), None, [], 10)
    assert isinstance(refused, Refused)
    assert "no host key is pinned" in refused.message


async def test_an_unknown_key_is_refused(target: Sshd) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    refused = await dial("127.0.0.1", target.port, target.login, key, None, [pin(target)], 10)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.message) == ("target.refusing", f"the target does not admit us as {target.login}")


async def test_a_target_that_is_down(target: Sshd, tmp_path: Path, loopback_port: int) -> None:
    refused = await dial("127.0.0.1", loopback_port, "root", key_of(tmp_path), None, [pin(target)], 10)
    assert isinstance(refused, Refused)
    assert refused.code == "target.down"


async def test_a_target_that_hangs(target: Sshd, tmp_path: Path) -> None:
    held = []
    async with listening(lambda reader, writer: held.append(writer)) as port:
        began = time.monotonic()
        refused = await dial("127.0.0.1", port, "root", key_of(tmp_path), None, [pin(target)], 0.5)
        assert time.monotonic() - began < 30, "a second's limit, on a busy machine"
    assert isinstance(refused, Refused)
    assert refused.code == "target.hanging"
    for writer in held:
        writer.close()


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad\r\n\r\n", b"SSH-1.5-old\r\n", b"SSH-2.0-x\r\n\0\0\0\0"])
async def test_a_target_that_speaks_something_else(target: Sshd, tmp_path: Path, greeting: bytes) -> None:
    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with listening(serve) as port:
        refused = await dial("127.0.0.1", port, "root", key_of(tmp_path), None, [pin(target)], 5)
    assert isinstance(refused, Refused)
    assert refused.code == "target.refusing"


async def test_giving_up_closes_the_connection(target: Sshd, tmp_path: Path) -> None:
    closed = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()
        closed.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    task = asyncio.ensure_future(dial("127.0.0.1", port, "root", key_of(tmp_path), None, [pin(target)], 30))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await closed.wait()
    server.close()


async def test_the_person_reads_why_there_is_no_target(relayed: Bench) -> None:
    async def down() -> TargetConnection | Refused:
        return Refused("target.down", "the target does not answer")

    relayed.acceptor.dial = down
    done = await relayed.run(*relayed.ssh("true"))
    assert (done.status, done.stderr) == (255, b"onepam: the target does not answer\r\n")
    assert len(await relayed.recording()) == 4
