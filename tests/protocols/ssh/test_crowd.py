"""Crowds at the SSH listener of a real gateway: whoever floods it keeps nobody else out."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from onepam.domain.host.doors import MANY, Door, DoorCalm, DoorPressed
from onepam.gateway.crowd import Limits, Origin
from onepam.gateway.turns import Turns
from onepam.jobs.crowds import CrowdWatch
from onepam.protocols.ssh import entering
from tests.attack.ways import KEXINIT
from tests.gateway_fixture import Gateway, certificate_of, running_gateway

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]

SECONDS = 120.0
VERSION = b"SSH-2.0-OpenSSH_9.6\r\n"
Raw = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def raw(gateway: Gateway, source: str, *said: bytes) -> Raw:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.platform.ssh_port, local_addr=(source, 0))
    writer.write(b"".join(said))
    return reader, writer


async def ended(connection: Raw) -> bytes:
    """All that is said until the other side ends."""
    async with asyncio.timeout(SECONDS):
        try:
            return await connection[0].read()
        except ConnectionError:
            return b""


async def until(so: Callable[[], object]) -> None:
    """Waits for a state."""
    async with asyncio.timeout(SECONDS):
        while not so():  # noqa: ASYNC110 - many things change it
            await asyncio.sleep(0.05)


async def test_half_open_connections_of_five_addresses_lock_nobody_out(tmp_path: Path) -> None:
    """64 from each of five; then as many as they like. Somebody of another address signs in, and somebody
    of their own network, too."""
    async with running_gateway(tmp_path) as gateway:
        person = await gateway.person()
        crowd = gateway.platform.doors.ssh
        held = [await raw(gateway, f"127.0.1.{1 + number % 5}", VERSION) for number in range(64 * 5)]
        await until(lambda: len(crowd) == 320)
        for source in ("127.0.2.1", "127.0.1.9"):
            command = gateway.ssh(person, "echo", "in")
            done = await gateway.run(command[0], "-b", source, *command[1:])
            assert (done.status, done.stdout) == (0, b"in\n"), done.stderr
        crowd._limits = Limits(most=340, kept=10, from_address=300, from_network=330)
        held += [await raw(gateway, f"127.0.{3 + number % 2}.{1 + number % 5}", VERSION) for number in range(200)]
        await until(lambda: crowd.turned_away > 150)
        done = await gateway.run(command[0], "-b", "127.0.2.1", *command[1:])
        assert (done.status, done.stdout) == (0, b"in\n"), done.stderr
        for _, writer in held:
            writer.transport.abort()


async def test_two_hundred_sign_ins_at_once_from_one_address_succeed(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        person = await gateway.person()
        proof = (asyncssh.read_private_key(str(person.key)), asyncssh.read_certificate(str(certificate_of(person))))

        async def sign_in() -> None:
            connection = await asyncssh.connect(
                "127.0.0.1", gateway.platform.ssh_port, local_addr=("127.0.1.1", 0), config=None, agent_path=None,
                username=f"{gateway.target.login}@web-1", client_keys=[proof], known_hosts=None, login_timeout=300,
            )  # fmt: skip
            connections.append(connection)

        connections: list[asyncssh.SSHClientConnection] = []
        await asyncio.gather(*(sign_in() for _ in range(200)))
        assert len(connections) == 200
        assert gateway.platform.doors.ssh.turned_away == 0
        assert len(gateway.platform.doors.ssh) == 0  # whoever is in stands at no door
        for connection in connections:
            connection.abort()


async def test_what_a_stranger_may_send_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entering, "FIRST_SECONDS", 1.0)
    async with running_gateway(tmp_path) as gateway:
        crowd = gateway.platform.doors.ssh
        silent = await raw(gateway, "127.0.1.1")
        version = await raw(gateway, "127.0.1.1", VERSION)
        exchange = await raw(gateway, "127.0.1.1", VERSION, KEXINIT)
        for connection in (silent, version, exchange):
            await ended(connection)
        large = await raw(gateway, "127.0.1.1", VERSION, (60 * 1024 * 1024).to_bytes(4, "big"), b"x" * 4096)
        assert b"Max packet size exceeded" in await ended(large)
        packet = (65_000).to_bytes(4, "big") + b"\x04\x02" + bytes(64_998)
        flood = await raw(gateway, "127.0.1.1", b"SSH-2.0-flood\r\n", packet * 40)
        await ended(flood)
        await until(lambda: len(crowd) == 0)


async def test_who_has_spoken_and_waits_for_a_turn_is_not_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However busy the loop is with others."""
    monkeypatch.setattr(entering, "FIRST_SECONDS", 0.3)
    held: list[Callable[[], object]] = []
    async with running_gateway(tmp_path) as gateway:
        crowd = gateway.platform.doors.ssh
        with monkeypatch.context() as patch:
            patch.setattr(Turns, "put", lambda turns, path, job: held.append(job))
            speaks, silent = await raw(gateway, "127.0.1.1", VERSION, KEXINIT), await raw(gateway, "127.0.1.1")
            await until(lambda: held)
            await ended(silent)
            await asyncio.sleep(1)
            assert len(crowd) == 1
            patch.setattr(entering, "FIRST_SECONDS", SECONDS)
            for job in held:
                job()
            assert (await speaks[0].readline()).startswith(b"SSH-2.0-OpenSSH_OnePAM")
            assert await speaks[0].read(1), "the answer to what it said"
        speaks[1].transport.abort()


async def test_requests_to_sign_in_are_bounded(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(entering.MOST_ENTERING_REQUESTS + 10)]
        with pytest.raises((asyncssh.ProtocolError, asyncssh.ConnectionLost, asyncssh.PermissionDenied)) as refused:
            await asyncssh.connect(
                "127.0.0.1", gateway.platform.ssh_port, config=None, agent_path=None, known_hosts=None,
                username=f"{gateway.target.login}@web-1", client_keys=keys, preferred_auth="publickey",
            )  # fmt: skip
        assert "Too many requests" in str(refused.value)


async def test_who_is_turned_away_is_told_and_the_crowd_is_an_event(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        person = await gateway.person()
        doors = gateway.platform.doors
        doors.ssh._limits = Limits(most=20, kept=4, from_address=2, from_network=12)
        held = [await raw(gateway, "127.0.1.1") for _ in range(2)]
        await until(lambda: len(doors.ssh) == 2)
        for _ in range(MANY):
            assert b"Too many connections wait here" in await ended(await raw(gateway, "127.0.1.1"))
        await until(lambda: gateway.events(DoorPressed))
        (pressed,) = gateway.events(DoorPressed)
        assert (pressed.node, pressed.door, pressed.turned_away) == (gateway.platform.node.name, Door.SSH, MANY)
        assert (pressed.waiting, pressed.networks) == (2, 1)
        done = await gateway.run(*gateway.ssh(person, "echo", "in"))
        assert done.status == 0, done.stderr
        await until(lambda: Origin.of("127.0.0.1") in doors.known)
        for _, writer in held:
            writer.transport.abort()


async def test_a_door_that_was_pressed_when_the_process_ended_is_calm_after_it(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        node = gateway.platform.node.name
        await gateway.record(DoorPressed(node, Door.WEB, MANY, 1, 1, 1))
        doors = gateway.platform.doors
        again = CrowdWatch(gateway.platform.ledger, gateway.platform.reader, node, {Door.WEB: doors.web}, doors.known)
        await again.turn()
        assert gateway.events(DoorCalm) == [DoorCalm(node, Door.WEB, 0, 0)]
