"""A peer cannot make us cut, keep or carry a stream in crumbs: each costs as much as a packet."""

import asyncio

import asyncssh
import pytest

from onepam.protocols.ssh.connections import LEAST_PACKET_BYTES
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
