"""Connections to ports of a target's loopback, where a permission has `local_forwarding`: `ssh -L`, `-W`, `-D`."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncssh
import pytest

from onepam.app.open_session import Opened
from onepam.domain.access.model import Action, ResourceKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import KillOrdered, SessionClosed, SessionOpened
from onepam.egress.egress import HERE
from onepam.gateway.playback import Timeline
from onepam.kernel.errors import Refused, Unavailable
from onepam.protocols.ssh.connections import TargetConnection
from onepam.protocols.ssh.forward import MOST_NAMED
from onepam.protocols.ssh.forwarding import HOST, MOST_ALIKE, PORT, UNKNOWN, Forwarding
from onepam.protocols.ssh.relay import MAX_FORWARDED
from onepam.recording.frames import ChannelClosed, ChannelOpened, Frame, Marker, Omitted, Output, Stream
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person, certificate_of, outcome, running_gateway
from tests.targets import free_port

pytestmark = pytest.mark.anyio

FORWARDS = replace(STANDING, actions=(Action.EXEC, Action.LOCAL_FORWARDING))
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def serving(serve: Serve = echo) -> AsyncIterator[int]:
    """A server of the target's loopback, on which the tests are, too; its port. At the end it hangs up on everybody."""
    writers = list[asyncio.StreamWriter]()

    async def serves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError):
            await serve(reader, writer)

    server = await asyncio.start_server(serves, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


def frames(gateway: Gateway, person: Person) -> list[Frame]:
    return gateway.recorded(gateway.events(SessionOpened, person)[-1].session)


async def test_bytes_pass_both_ways_and_their_number_alone_is_recorded(gateway: Gateway) -> None:
    person, data = await gateway.person(FORWARDS), b"SECRET" + os.urandom(3_000_000)
    async with serving() as port:
        done = await gateway.run(*gateway.ssh(person, "-W", f"127.0.0.1:{port}"), stdin=data)
    assert sha256(done.stdout).digest() == sha256(data).digest(), done.stderr
    (closed,) = await gateway.ended(person)
    assert isinstance(closed, SessionClosed)
    assert (closed.because, closed.verified, closed.counts["omitted_bytes"]) == (
        SessionEnd.CLIENT_LEFT, True, 2 * len(data),
    )  # fmt: skip
    found = frames(gateway, person)
    (opened,) = [each for each in found if isinstance(each, ChannelOpened)]
    assert (opened.kind, opened.command) == ("forward", f"127.0.0.1:{port}")
    for stream in (Stream.STDIN, Stream.STDOUT):
        passed = [each.count for each in found if isinstance(each, Omitted) and each.stream is stream]
        assert sum(passed) == len(data)
    (ended,) = [each for each in found if isinstance(each, ChannelClosed)]
    assert (ended.input_bytes, ended.output_bytes) == (len(data), len(data))
    assert not [each for each in found if isinstance(each, Output)]
    assert b"SECRET" not in b"".join(repr(each).encode() for each in found)
    told = await gateway.platform.playback.timeline(closed.session)
    assert isinstance(told, Timeline)
    (channel,) = told.channels
    assert (channel.kind, channel.input_bytes, channel.output_bytes) == ("forward", len(data), len(data))


async def test_a_listening_client_forwards_beside_its_command(gateway: Gateway, tmp_path: Path) -> None:
    """By a name of the loopback, too; each connection is a channel of one session."""
    person, near = await gateway.person(FORWARDS), tmp_path / "near"
    async with serving() as port:
        session = await gateway.working(person, "-L", f"{near}:localhost:{port}", "echo ready; cat")
        for _ in range(2):
            reader, writer = await asyncio.open_unix_connection(near)
            writer.write(b"there and back")
            writer.write_eof()
            async with asyncio.timeout(SECONDS):
                assert await reader.read() == b"there and back"
            writer.close()
        done = await outcome(session, b"still here\n")
    assert (done.status, done.stdout) == (0, b"still here\n"), done.stderr
    await gateway.ended(person)
    opened = [each for each in frames(gateway, person) if isinstance(each, ChannelOpened)]
    assert [(each.kind, each.command) for each in opened] == [
        ("exec", "echo ready; cat"), ("forward", f"localhost:{port}"), ("forward", f"localhost:{port}"),
    ]  # fmt: skip


EDITOR_SERVER = """
import asyncio, signal
signal.alarm(300)  # an editor's server outlives its connection; this one not the tests
async def answer(reader, writer):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n")
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(f"listeningOn=={server.sockets[0].getsockname()[1]}==", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


async def test_an_editor_installs_its_server_and_speaks_to_it_through_socks(gateway: Gateway) -> None:
    """VS Code Remote-SSH's sequence of channels: `ssh -T -D PORT HOST bash`, a script on its standard input that starts
    a server on the loopback and says where it listens, then connections to that by SOCKS 5, upgraded to web sockets."""
    person, socks = await gateway.person(FORWARDS), free_port()
    session = await gateway.start(*gateway.jump(person, "web-1", "-T", "-D", str(socks), "bash"))
    assert session.stdin is not None
    assert session.stdout is not None
    session.stdin.write(f"echo installing; exec {sys.executable} - <<'END'\n{EDITOR_SERVER}END\n".encode())
    async with asyncio.timeout(SECONDS):
        assert await session.stdout.readline() == b"installing\n"
        port = int((await session.stdout.readline()).split(b"==")[1])
        both = [await by_socks(socks, "127.0.0.1", port) for _ in range(2)]
        for number, (reader, writer) in enumerate(both):
            writer.write(b"GET /?reconnectionToken=x HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
            frame = os.urandom(200_000) + bytes([number])
            writer.write(frame)
            assert await reader.readexactly(len(frame)) == frame
        refused, _ = await by_socks(socks, "169.254.169.254", 80)
        assert await refused.read() == b""
    for _, writer in both:
        writer.close()
    session.kill()
    await outcome(session, None)
    await gateway.ended(person)
    opened = [each for each in frames(gateway, person) if isinstance(each, ChannelOpened)]
    assert [(each.kind, each.command) for each in opened] == [
        ("exec", "bash"), *[("forward", f"127.0.0.1:{port}")] * 2,
    ]  # fmt: skip


async def by_socks(socks: int, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection by SOCKS 5 (RFC 1928), whatever becomes of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", socks)
    writer.write(b"\x05\x01\x00")
    assert await reader.readexactly(2) == b"\x05\x00"
    writer.write(b"\x05\x01\x00\x03" + bytes([len(host)]) + host.encode() + port.to_bytes(2, "big"))
    with suppress(asyncio.IncompleteReadError):
        await reader.readexactly(10)
    return reader, writer


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("169.254.169.254:80", HOST.message),
        ("0.0.0.0:{free}", HOST.message),
        ("127.0.0.2:{free}", HOST.message),
        ("localhost.:{free}", HOST.message),
        ("example.com:443", HOST.message),
        ("127.0.0.1:22", PORT.message),
        ("localhost:{target}", PORT.message),
        ("[::1]:{target}", PORT.message),
        ("127.0.0.1:{gateway}", PORT.message),
        ("localhost:{console}", PORT.message),
        ("127.0.0.1:{database}", PORT.message),
        ("127.0.0.1:{named}", PORT.message),
        ("127.0.0.1:{nobody}", "Connection refused"),
    ],
)
async def test_where_nothing_is_forwarded_to(gateway: Gateway, place: str, words: str) -> None:
    """What has a door of its own is reached by that alone, whatever name its resource has for the same machine; and our
    own listeners are not reached by a target that is this machine."""
    async with serving() as free, serving() as database, serving() as named:
        await gateway.record(
            gateway.resource("db-1", kind=ResourceKind.POSTGRES, port=database),
            gateway.resource("db-2", kind=ResourceKind.POSTGRES, port=named, address="localhost"),
        )
        person, ports = await gateway.person(FORWARDS), {"free": free, "database": database, "named": named}
        platform = gateway.platform
        own = {"gateway": platform.ssh_port, "console": platform.config.console_port}
        asked = place.format(target=gateway.target.port, nobody=gateway.closed_port, **ports, **own)
        done = await gateway.run(*gateway.ssh(person, "-W", asked), stdin=b"words")
        assert (done.status, done.stdout) == (255, b"")
        assert words in done.stderr
    await gateway.ended(person)
    marks = [each.text for each in frames(gateway, person) if isinstance(each, Marker)]
    assert bool(marks) is (words != "Connection refused")


async def test_a_kill_ends_it_at_the_target(gateway: Gateway, tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(bytes(65536))
                await writer.drain()
        except OSError:
            gone.set()

    person, near = await gateway.person(FORWARDS), tmp_path / "near"
    async with serving(endless) as port:
        session = await gateway.working(person, "-L", f"{near}:127.0.0.1:{port}", "echo ready; cat")
        reader, writer = await asyncio.open_unix_connection(near)
        await reader.readexactly(100_000)
        await gateway.record(KillOrdered(gateway.events(SessionOpened, person)[-1].session, "per_ada"))
        assert "ended by order" in (await outcome(session, None)).stderr
        async with asyncio.timeout(SECONDS):
            await gone.wait()
        writer.close()
    (closed,) = await gateway.ended(person)
    assert isinstance(closed, SessionClosed)
    assert (closed.because, closed.verified) == (SessionEnd.KILLED, True)
    assert closed.last_byte is not None
    (ended,) = [each for each in frames(gateway, person) if isinstance(each, ChannelClosed) and each.output_bytes]
    assert ended.output_bytes >= 100_000


async def test_so_many_at_once(gateway: Gateway, tmp_path: Path) -> None:
    person, near = await gateway.person(FORWARDS), tmp_path / "near"
    async with serving() as port:
        session = await gateway.working(person, "-L", f"{near}:127.0.0.1:{port}", "echo ready; cat")
        held = []
        for _ in range(MAX_FORWARDED):
            reader, writer = await asyncio.open_unix_connection(near)
            writer.write(b"x")
            async with asyncio.timeout(SECONDS):
                assert await reader.readexactly(1) == b"x"
            held.append(writer)
        reader, writer = await asyncio.open_unix_connection(near)
        assert await reader.read() == b""
        for each in (*held, writer):
            each.close()
        done = await outcome(session, b"on\n")
    assert done.stdout == b"on\n"
    assert f"at most {MAX_FORWARDED} connections may be forwarded" in done.stderr


async def test_a_name_without_end_is_recorded_up_to_its_bound(gateway: Gateway) -> None:
    person = await gateway.person(FORWARDS)
    async with await asyncssh.connect(
        "127.0.0.1", gateway.platform.ssh_port, username=f"{gateway.target.login}@web-1", known_hosts=None, config=None,
        client_keys=[(str(person.key), str(certificate_of(person)))], agent_path=None,
    ) as connection:  # fmt: skip
        with pytest.raises(asyncssh.ChannelOpenError, match=re.escape(HOST.message)):
            await connection.open_connection("x" * 100_000, 80)
        assert (await connection.run("echo in")).stdout == "in\n"
    await gateway.ended(person)
    (mark,) = [each.text for each in frames(gateway, person) if isinstance(each, Marker)]
    assert mark == f"channel 1: not forwarded to {'x' * MOST_NAMED}…:80: {HOST.message}"


class _Target:
    """A dialled target, as far as the rule looks at it."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("2001:db8::7", 22, 0, 0) if name == "peername" else default


MACHINES = {
    "web-1.example.com": {"2001:db8::7", "192.0.2.7"},
    "2001:db8::7": {"2001:db8::7"},
    "alias": {"192.0.2.6", "192.0.2.7"},
    "elsewhere": {"192.0.2.9"},
}


@pytest.mark.parametrize(
    ("alike", "refused"),
    [
        ([], None),
        (["192.0.2.8", "elsewhere"], None),
        (["WEB-1.example.com"], PORT),
        (["2001:db8::7"], PORT),
        (["192.0.2.7"], PORT),
        (["elsewhere", "alias"], PORT),
        (["unresolved"], PORT),
        ([f"10.0.0.{number}" for number in range(MOST_ALIKE)], None),
        ([f"10.0.0.{number}" for number in range(MOST_ALIKE + 1)], PORT),
        (None, UNKNOWN),
    ],
)
async def test_what_is_at_the_same_machine(alike: list[str] | None, refused: Refused | None) -> None:
    """By any address of either, not by the one alone that was dialled."""
    assert await ruled(alike).refused("LOCALHOST", 5432, target()) is refused


@pytest.mark.parametrize("port", [0, 65536 + 22, 65536 + 5432, 2**32 - 1])
async def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    """There are servers that connect to what is left of it beyond 65536."""
    assert await ruled([]).refused("localhost", port, target()) is PORT


@pytest.mark.parametrize(("here", "refused"), [(HERE, PORT), ("192.0.2.7", None)])
async def test_our_own_listeners_are_not_reached_through_a_target_that_is_this_machine(
    here: str, refused: Refused | None
) -> None:
    rule = ruled([], own_ports=frozenset({8443}), **{"web-1.example.com": {here}})
    assert await rule.refused("localhost", 8443, target()) is refused
    assert await rule.refused("localhost", 8444, target()) is None


def ruled(alike: list[str] | None, own_ports: frozenset[int] = frozenset(), **changed: set[str]) -> Forwarding:
    async def at_port(port: int) -> list[str]:
        if alike is None:
            raise Unavailable("no ledger")
        return alike

    async def machine(host: str, port: int) -> frozenset[str] | Refused:
        if host == "unresolved":
            return Refused("target.unresolved", "")
        return frozenset({**MACHINES, **changed}.get(host, {host}))

    opened = cast(Opened, SimpleNamespace(session="ses_1", address="web-1.example.com", port=2222))
    return Forwarding(opened, at_port, machine, own_ports)


def target() -> TargetConnection:
    return cast(TargetConnection, _Target())
