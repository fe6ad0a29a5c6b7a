"""A small real disk, filled by one session: others go on, the ledger's reserve stays, and what ended is said."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from onepam.domain.host.disk import DiskLow, DiskRecovered, DiskStage
from onepam.domain.sessions.events import SessionClosed
from onepam.gateway import disk as disk_module
from onepam.gateway.disk import space_of
from tests.gateway_fixture import Gateway, outcome, running_gateway

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

MIB = 1 << 20
SIZE_MIB, BALLAST_MIB = 136, 40
MARKS = {"disk_alarm_mib": 64, "disk_low_mib": 48, "disk_reserve_mib": 32}
SECONDS = 120.0


def small_disk(folder: Path, parts: ExitStack) -> dict[str, int]:
    """A file system of its own under `folder`, and the marks for it. Where we may not mount, the machine's own disk is
    the small one: its marks stand so high that as much may be written to it."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=700", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode == 0:
        parts.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
        return MARKS
    beyond = space_of(folder).free // MIB - SIZE_MIB
    return {name: mark + beyond for name, mark in MARKS.items()}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    with ExitStack() as parts:
        marks = small_disk(tmp_path / "data", parts)
        (tmp_path / "data" / "ballast").write_bytes(os.urandom(BALLAST_MIB * MIB))
        async with running_gateway(tmp_path, **marks) as running:
            yield running


class Greedy:
    """A client that takes whatever comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.taken = 0
        self._taking = asyncio.ensure_future(self._take())

    async def _take(self) -> None:
        assert self.process.stdout is not None
        while piece := await self.process.stdout.read(1 << 16):
            self.taken += len(piece)

    async def over(self) -> tuple[int, str]:
        """How many bytes came, and what was said."""
        async with asyncio.timeout(SECONDS):
            await self._taking
        return self.taken, (await outcome(self.process, None)).stderr


async def until(gateway: Gateway, kind: type[DiskLow | DiskRecovered], stage: DiskStage | None = None) -> None:
    """The ledger says so."""
    async with asyncio.timeout(SECONDS):
        while not [each for each in gateway.events(kind) if getattr(each, "stage", None) is stage]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def make_room(gateway: Gateway) -> None:
    (gateway.platform.config.data / "ballast").unlink()


async def test_a_disk_filled_by_one_session(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_module, "PATIENCE_SECONDS", 4.0)
    reserve = gateway.platform.disk.marks.reserve
    big, quiet, late = await gateway.person(), await gateway.person(), await gateway.person()
    bystander = await gateway.working(quiet)
    greedy = Greedy(await gateway.working(big, "echo ready; cat /dev/urandom"))
    await until(gateway, DiskLow, DiskStage.LOW)
    _, words = await greedy.over()
    assert "the disk that holds the recordings is nearly full, and this session wrote most to it" in words
    (ended,) = await gateway.ended(big)
    assert isinstance(ended, SessionClosed)
    assert (ended.because, ended.verified, ended.gap) == ("disk.low", True, None)
    assert space_of(gateway.platform.recordings).free > reserve - MIB  # the ledger itself may have written
    # others go on, and begin
    assert (await gateway.run(*gateway.ssh(late, "echo in"))).stdout == b"in\n"
    assert (await outcome(bystander, b"still here\n")).stdout == b"still here\n"
    for person in (quiet, late):
        (found,) = await gateway.ended(person)
        assert isinstance(found, SessionClosed)
        assert (found.because, found.verified) == ("client.closed", True)
    # freed, all goes on
    make_room(gateway)
    await until(gateway, DiskRecovered)
    assert (await gateway.run(*gateway.ssh(big, "head -c 3000000 /dev/urandom | wc -c"))).stdout == b"3000000\n"
    assert not [each for each in gateway.events(SessionClosed) if not each.verified]


async def test_with_new_space_a_paused_session_goes_on_and_loses_nothing(gateway: Gateway) -> None:
    big, size = await gateway.person(), 70_000_000
    greedy = Greedy(await gateway.working(big, f"echo ready; head -c {size} /dev/urandom"))
    await until(gateway, DiskLow, DiskStage.LOW)
    async with asyncio.timeout(SECONDS):
        while not any(share.paused for share in gateway.platform.disk._shares):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    assert greedy.taken < size
    make_room(gateway)
    taken, _ = await greedy.over()
    assert taken == size
    (ended,) = await gateway.ended(big)
    assert isinstance(ended, SessionClosed)
    assert (ended.because, ended.verified) == ("client.closed", True)
