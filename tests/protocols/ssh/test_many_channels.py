"""More channels than a target takes on one connection (sshd's MaxSessions, by itself 10)."""

import asyncio
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest
from asyncssh.constants import OPEN_CONNECT_FAILED

from onepam.kernel.errors import Refused
from onepam.recording.frames import ChannelOpened
from tests.protocols.ssh.conftest import SECONDS, Bench, keygen
from tests.protocols.ssh.test_relay import client, until
from tests.targets import Sshd

pytestmark = pytest.mark.anyio

TAKEN = 10


@pytest.fixture
def target(sshd: Callable[..., Sshd], tmp_path: Path) -> Sshd:
    """As administrators have it."""
    keys = tmp_path / "authorized_keys"
    keys.write_text(keygen(tmp_path / "gateway"), encoding="ascii")
    return sshd(authorized_keys=keys, max_sessions=None)


async def test_a_client_that_shares_its_connection_makes_another_one(relayed: Bench) -> None:
    """As it does without a gateway: nothing fails."""
    control = relayed.folder / "shared"
    program, *options = relayed.ssh()
    shared = [program, "-o", f"ControlPath={control}"]
    master = await asyncio.create_subprocess_exec(*shared, "-MN", *options, stdin=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(SECONDS):
            while not control.exists():  # noqa: ASYNC110 - another program makes the file
                await asyncio.sleep(0.05)
            command, pipe = [*shared, *options, "echo ready; cat"], subprocess.PIPE
            clients = [
                await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
                for _ in range(TAKEN + 2)
            ]
            ready = [await each.stdout.readline() for each in clients if each.stdout]
            channels = sorted(len(relay._open) for relay in relayed.acceptor.relays)
            done = await asyncio.gather(*(each.communicate(b"typed") for each in clients))
        assert ready == [b"ready\n"] * (TAKEN + 2)
        assert channels == [1, 1, TAKEN]
        assert [each.returncode for each in clients] == [0] * (TAKEN + 2)
        assert [out for out, _ in done] == [b"typed"] * (TAKEN + 2)
        assert sum(b"Session open refused by peer" in err for _, err in done) == 2
    finally:
        master.terminate()
        await master.wait()


async def test_the_target_says_no_in_its_own_words_and_when_one_has_ended_takes_the_next(relayed: Bench) -> None:
    async with await client(relayed) as connection, asyncio.timeout(SECONDS):
        commands = [await connection.create_process("cat") for _ in range(TAKEN)]
        with pytest.raises(asyncssh.ChannelOpenError) as refusal:
            await connection.create_process("cat")
        assert (refusal.value.code, refusal.value.reason) == (OPEN_CONNECT_FAILED, "open failed")
        commands[0].stdin.write_eof()
        await commands[0].wait()
        assert await _said_again(connection) == "again\n"
    opened = [frame for frame in await relayed.recording() if isinstance(frame, ChannelOpened)]
    assert len(opened) == TAKEN + 1, "what was refused is no channel"


async def _said_again(connection: asyncssh.SSHClientConnection) -> object:
    """sshd has room again once it has looked after what has ended: a moment later."""
    while True:
        with suppress(asyncssh.ChannelOpenError):
            return (await connection.run("echo again")).stdout
        await asyncio.sleep(0.02)


async def test_of_many_at_once_the_first_are_taken(relayed: Bench) -> None:
    """Also where they come before the target is there."""
    async with await client(relayed) as connection, asyncio.timeout(SECONDS):
        tried = [connection.create_process("echo done; cat") for _ in range(TAKEN + 2)]
        answers = await asyncio.gather(*tried, return_exceptions=True)
        refused = [isinstance(each, asyncssh.ChannelOpenError) for each in answers]
        assert refused == [False] * TAKEN + [True] * 2
        for each in answers:
            if isinstance(each, asyncssh.SSHClientProcess):
                assert await each.stdout.readline() == "done\n"


async def test_a_channel_of_which_nothing_is_asked_leaves_its_place_to_others(relayed: Bench, target: Sshd) -> None:
    async with await client(relayed) as connection, asyncio.timeout(SECONDS):
        for _ in range(TAKEN + 2):
            loop = asyncio.get_running_loop()
            unused = asyncssh.SSHClientChannel(connection, loop, "strict", None, "strict", 65536, 32768)
            await unused._open(b"session")
            unused.close()
            await unused.wait_closed()
        ends = ("Close session: ", "no more sessions")  # all may have been on their way at once
        await until(lambda: sum(target.log.count(each) for each in ends) == TAKEN + 2)
        commands = await asyncio.gather(*(connection.create_process("echo done; cat") for _ in range(TAKEN)))
        assert [await each.stdout.readline() for each in commands] == ["done\n"] * TAKEN


async def test_a_target_that_is_dead_takes_no_further_channel(relayed: Bench) -> None:
    """The first one was opened before anybody knew: there the reason stands in its output."""
    known = asyncio.Event()

    async def dead() -> Refused:
        await known.wait()
        return Refused("target.dead", "the target is dead")

    relayed.acceptor.dial = dead
    async with await client(relayed) as connection, asyncio.timeout(SECONDS):
        first = await connection.create_process("cat")
        second = asyncio.ensure_future(connection.create_process("cat"))
        await asyncio.sleep(0)
        known.set()
        with pytest.raises(asyncssh.ChannelOpenError, match="the target is dead") as refusal:
            await second
        assert refusal.value.code == OPEN_CONNECT_FAILED
        assert (await first.wait()).stderr == "onepam: the target is dead\r\n"


async def test_a_client_that_leaves_while_its_channel_opens_leaves_nothing(relayed: Bench) -> None:
    known = asyncio.Event()
    dial = relayed.acceptor.dial

    async def late() -> object:
        await known.wait()
        return await dial()

    relayed.acceptor.dial = late  # type: ignore[assignment]
    connection = await client(relayed)
    await connection.create_process("cat")
    second = asyncio.ensure_future(connection.create_process("cat"))
    async with asyncio.timeout(SECONDS):
        while len(relayed.acceptor.relays[0]._open) < 2:  # noqa: ASYNC110 - nobody else knows
            await asyncio.sleep(0.02)
        connection.abort()
        with pytest.raises(asyncssh.ChannelOpenError):
            await second
        known.set()
        await relayed.acceptor.finished()
    assert not relayed.acceptor.relays[0]._open
