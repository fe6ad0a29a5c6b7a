"""A session that is ended, or fails, before its sign-in has gone through: it leaves nothing behind."""

import asyncio
import threading
from pathlib import Path

import pytest

from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionFailed
from tests.gateway_fixture import Gateway, outcome, running_gateway

pytestmark = pytest.mark.anyio


def with_key(gateway: Gateway, new_key: object) -> None:
    """A recording's key is made otherwise from now on."""
    object.__setattr__(gateway.platform.gateway, "new_key", new_key)


async def test_its_place_at_the_door_is_free_again(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        going_on, real = threading.Event(), gateway.platform.gateway.new_key
        with_key(gateway, lambda session: real(session) if going_on.wait(60) else b"")
        eve = await gateway.person()
        client = await gateway.start(*gateway.ssh(eve, "echo hi"))
        async with asyncio.timeout(60):
            while not len(gateway.platform.live):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        gateway.platform.live.end_all(SessionEnd.KILLED)
        assert "ended by order" in (await outcome(client)).stderr
        going_on.set()
        await gateway.ended(eve)
        assert len(gateway.platform.doors.ssh) == 0


async def test_whatever_keeps_it_from_being_recorded_it_has_an_end(tmp_path: Path) -> None:
    def broken(session: str) -> bytes:
        raise RuntimeError("neither a fault nor the system's")

    async with running_gateway(tmp_path) as gateway:
        with_key(gateway, broken)
        eve = await gateway.person()
        assert (await gateway.run(*gateway.ssh(eve, "echo hi"))).stdout == b""
        (failed,) = await gateway.ended(eve)
        assert isinstance(failed, SessionFailed)
        assert (failed.code, len(gateway.platform.live)) == (SessionEnd.RECORDER_FAILED, 0)
