"""A terminal whose size changes without end: the last size counts, and the recording stays small."""

import asyncio

import pytest

from onepam.recording.frames import ChannelOpened, Output, Resize
from tests.protocols.ssh.conftest import SECONDS, Bench
from tests.protocols.ssh.test_relay import client, only

pytestmark = pytest.mark.anyio

RESIZES = 10_000
LAST = (211, 73)


async def test_a_storm_of_resizes_is_recorded_as_the_few_that_counted(relayed: Bench) -> None:
    async with await client(relayed) as connection:
        process = await connection.create_process(
            "echo ready; read line; stty size", term_type="xterm", term_size=(80, 24), encoding=None
        )
        async with asyncio.timeout(SECONDS):
            await process.stdout.readuntil(b"ready")
            for number in range(RESIZES):
                process.change_terminal_size(20 + number % 200, 10 + number % 60)
            process.change_terminal_size(*LAST)
            process.stdin.write(b"go\n")
            told = await process.stdout.read()
        assert b"%d %d" % (LAST[1], LAST[0]) in told, "the target's terminal has the last size"
    frames = await relayed.recording()
    assert only(frames, ChannelOpened)
    assert only(frames, Output)
    sizes = [(each.columns, each.rows) for each in only(frames, Resize)]
    assert sizes[-1] == LAST
    assert len(sizes) < RESIZES / 20
    assert (relayed.acceptor.folder / "rec_0.rec").stat().st_size < 64 * 1024
