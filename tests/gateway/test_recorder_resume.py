"""Space that is found again within a record lets whoever waited go on after it, and never inside it."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onepam.gateway.disk import Disk, Marks, Space
from onepam.gateway.recorder import Recorder
from onepam.kernel.clock import Instant
from onepam.recording.frames import Opened, Output, Stream

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
OPENED = Opened(0, "ses_1", "per_1", "res_1", "root", "ssh", Instant(1_700_000_000_000_000))


async def test_what_waited_for_space_is_recorded_after_the_record_that_found_it(tmp_path: Path) -> None:
    free = [100 * MIB]
    disk = Disk(tmp_path, Marks(50 * MIB, 40 * MIB, 10 * MIB), look=lambda folder: Space(free[0], 1000 * MIB))
    share = disk.share("ses_1", "per_1", lambda why: None)
    with ThreadPoolExecutor(2) as pool:
        recorder = await Recorder.start(
            tmp_path, "ses_1", bytes(32), OPENED,
            strict=True, share=share, pool=pool, on_head=lambda head: None, on_failure=lambda failure: None,
        )  # fmt: skip

        def said(data: bytes) -> None:
            recorder.record(Output(recorder.at, 1, Stream.STDOUT, data))

        said(os.urandom(64 * 1024))
        free[0] = 20 * MIB
        disk.tick()
        assert share.paused
        recorder.when_drained(lambda: said(b"last words"))
        free[0] = 100 * MIB
        said(b"a key")
        await asyncio.sleep(0)
        recorded = await recorder.close("client.closed")
    assert (recorded.verified, recorded.problem) == (True, "")
