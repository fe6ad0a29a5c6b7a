"""A peer cannot make us cut, keep or carry a stream in crumbs: each costs as much as a packet."""

import asyncio
import random

import asyncssh
import pytest

from onepam.protocols.ssh.connections import LEAST_PACKET_BYTES
from onepam.protocols.ssh.fast_data import FastDataConnection
from onepam.protocols.ssh.portions import KEY_BYTES
from tests.protocols.ssh.conftest import SECONDS, Bench
from tests.protocols.ssh.test_fast_data import Collects, echoing, opened
from tests.protocols.ssh.test_relay import client

pytestmark = pytest.mark.anyio


async def test_a_client_that_takes_only_crumbs_gets_no_channel_and_hears_why(relayed: Bench) -> None:
    async with await client(relayed) as connection, asyncio.timeout(SECONDS):
        for most in (1, LEAST_PACKET_BYTES - 1):
            with pytest.raises(asyncssh.ChannelOpenError, match=f"takes packets of {most} bytes at most"):
                await connection.create_session(asyncssh.SSHClientSession, "echo", max_pktsize=most)
        assert relayed.acceptor.relays[0].person._channels == {}
        done = await connection.run("head -c 3000 /dev/zero", max_pktsize=LEAST_PACKET_BYTES, encoding=None)
        assert done.stdout == bytes(3000)


async def test_a_target_that_takes_only_crumbs_gets_no_channel() -> None:
    for most in (1, LEAST_PACKET_BYTES - 1):
        async with echoing(lambda data: [data], max_pktsize=most) as dialled, asyncio.timeout(SECONDS):
            connection = await dialled()
            with pytest.raises(asyncssh.ChannelOpenError, match=f"takes packets of {most} bytes at most"):
                await opened(connection, Collects())
            await asyncio.sleep(0)
            assert connection._channels == {}
            connection.abort()


async def test_crumbs_that_wait_are_joined_and_delivered_whole_in_their_order(relayed: Bench) -> None:
    """Else one window of single bytes would hold hundreds of times its size."""
    content = random.Random(1).randbytes(60_000) + bytes(2 * KEY_BYTES) + random.Random(2).randbytes(20_000)
    async with await client(relayed) as connection, asyncio.timeout(SECONDS):
        session = Collects()
        channel, _ = await connection.create_session(lambda: session, "cat", encoding=None)
        relay = relayed.acceptor.relays[0]
        channel.write(b"a")
        while session.got != b"a":  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        (near,) = relay.person._channels.values()
        near.pause_reading()
        window = near._recv_window
        for at in range(60_000):
            channel.write(content[at : at + 1])
        channel.write(content[60_000 : 60_000 + 2 * KEY_BYTES])
        for at in range(60_000 + 2 * KEY_BYTES, len(content)):
            channel.write(content[at : at + 1])
        while near._recv_window > window - len(content):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        assert len(near._recv_buf) == 4
        near.resume_reading()
        channel.write_eof()
        await session.ended.wait()
        assert session.got == b"a" + content


async def test_a_turn_delivers_few_pieces_however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of both outputs by turns wait in one place, and go on one by one."""
    monkeypatch.setattr(FastDataConnection, "portion", 10 * KEY_BYTES)
    async with echoing(lambda data: [data]) as dialled, asyncio.timeout(SECONDS):
        connection, session = await dialled(), Collects()
        channel = await opened(connection, session)
        channel.pause_reading()
        for _ in range(50):
            channel._accept_data(memoryview(b"o"))
            channel._accept_data(memoryview(b"e"), asyncssh.EXTENDED_DATA_STDERR)
        assert len(channel._recv_buf) == 2
        channel.resume_reading()
        assert session.got == b"o" * 5
        while channel._recv_buf:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)
        assert session.got == b"o" * 50
        connection.abort()
