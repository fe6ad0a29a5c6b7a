"""A signer with a process and a folder of its own, beside a real `onepam up`: it goes, comes back, catches up."""

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.boot.publishing import kept_out
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import ClockJumped
from onepam.kernel.errors import Unavailable
from onepam.signing.signer import SignerClient
from onepam.store.db import rows
from onepam.store.engine.batches import size_and_end
from onepam.store.engine.database import connect
from tests.boot.installation import ONEPAM, ORIGIN, verify
from tests.boot.test_authors import SECONDS, WAYS, config_of, jump, published
from tests.forked import onepam
from tests.gateway_process import started

pytestmark = pytest.mark.anyio
LONG = 4 * SECONDS
BACKLOG = 4_000
"""Entries of a day without a signer, in as many batches as the machine makes of them."""


class Elsewhere:
    """The signer's process, which the test ends and begins as it likes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder / "signer-elsewhere", folder / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> SignerClient:
        command = [*ONEPAM, "signer", "--folder", str(self.folder), "--origin", ORIGIN, "--socket", str(self.socket)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        client, end = SignerClient(self.socket), time.monotonic() + LONG
        while True:
            with contextlib.suppress(Unavailable):
                client.vkey()
                return client
            assert time.monotonic() < end
            assert self._process.poll() is None
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[Elsewhere]:
    found = Elsewhere(tmp_path)
    found.begin()
    yield found
    found.kill()


def settings(data: Path, signer: Elsewhere) -> Config:
    return replace(config_of(data), signer_socket=str(signer.socket))


def checkpoint_size(data: Path) -> int:
    try:
        return int((data / "log" / "checkpoint").read_text().splitlines()[1])
    except FileNotFoundError:
        return 0


async def test_up_with_a_signer_elsewhere_says_whom_that_keeps_out_and_holds(tmp_path: Path, signer: Elsewhere) -> None:
    """Whoever has the whole data folder, and not the signer's, certifies nobody: what they write is no history."""
    process = started(tmp_path, signer_socket=str(signer.socket), origin=ORIGIN)
    data, end = tmp_path / "data", time.monotonic() + LONG
    while checkpoint_size(data) == 0:
        assert time.monotonic() < end, process.log.read_text()
        await asyncio.sleep(0.1)
    assert not (data / "signer").exists()
    words = (
        f"the signer at {signer.socket} has its key elsewhere: whoever only has the data folder cannot write history"
    )
    while words not in process.log.read_text():
        assert time.monotonic() < end, process.log.read_text()
        await asyncio.sleep(0.1)
    process.stop()
    key = (data / "log-key").read_text().strip()
    code, told = await asyncio.to_thread(verify, data, "--log-key", key, "--signer", str(signer.socket))
    assert code == 0, told
    stolen = Path(shutil.copytree(data, tmp_path / "stolen", ignore=shutil.ignore_patterns("socket")))
    first, _ = WAYS["with a certificate of its own"](stolen)
    code, told = await asyncio.to_thread(verify, stolen, "--log-key", key, "--signer", str(signer.socket))
    assert (code, f"FOUND  author: entries {first} to {first + 1}: no node of this ledger" in told) == (1, True), told


@pytest.mark.parametrize(
    ("socket", "out"),
    [
        ("", False),
        ("{data}/signer/socket", False),
        ("{data}/../data/deep/socket", False),
        ("{data}-signer/socket", True),
        ("/run/onepam-signer/socket", True),
    ],
)
def test_the_line_of_each_layout(tmp_path: Path, socket: str, out: bool) -> None:
    data = tmp_path / "data"
    said = kept_out(Config(data, signer_socket=socket.format(data=data)))
    assert ("whoever only has the data folder cannot write history" in said) is out
    assert ("whoever has that whole folder can write history" in said) is not out


async def backlog(platform: Platform, count: int) -> None:
    await asyncio.gather(
        *(
            platform.ledger.commit(NoFacts(), lambda facts, now: Decided((ClockJumped("nod_test", 1, False),), None))
            for _ in range(count)
        )
    )


async def test_a_days_backlog_is_caught_up_with_after_two_stops(tmp_path: Path, signer: Elsewhere) -> None:
    """Work goes on without a signer; it comes back, is killed in the middle of the backlog, comes back again."""
    async with Platform(settings(tmp_path / "data", signer)).running() as platform:
        await published(platform)
        signed = checkpoint_size(tmp_path / "data")
        await asyncio.to_thread(signer.kill)
        for _ in range(BACKLOG // 500):
            await backlog(platform, 500)
        assert platform.ledger.size() >= signed + BACKLOG
        assert checkpoint_size(tmp_path / "data") == signed, "nothing is signed by nobody"
        client = await asyncio.to_thread(signer.begin)
        end = time.monotonic() + LONG
        while client.last().followed <= signed:
            assert time.monotonic() < end, platform.anchors.trouble
            await asyncio.sleep(0.01)
        await asyncio.to_thread(signer.kill)
        await jump(platform)
        await asyncio.to_thread(signer.begin)
        end = time.monotonic() + LONG
        while checkpoint_size(tmp_path / "data") < platform.ledger.size():
            assert time.monotonic() < end, platform.anchors.trouble
            await asyncio.sleep(0.1)
        verdict = await asyncio.to_thread(platform.self_check.verify)
    assert verdict.findings == ()


async def test_several_nodes_at_once_and_one_revoked_in_the_middle(tmp_path: Path, signer: Elsewhere) -> None:
    """What each was told to be durable is there, by its own batches; the revoked one writes nothing afterwards."""
    data = tmp_path / "data"
    done: dict[str, int] = {}

    async def writing(platform: Platform) -> None:
        while True:
            await jump(platform)
            done[platform.node.name] = done.get(platform.node.name, 0) + 1

    async with (
        Platform(settings(data, signer)).running() as first,
        Platform(settings(data, signer)).running() as second,
    ):
        names = (first.node.name, second.node.name)
        assert names[0] != names[1]
        tasks = [asyncio.create_task(writing(each)) for each in (first, second)]
        end = time.monotonic() + LONG
        while min(done.get(each, 0) for each in names) < 10:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        words = ("ledger", "revoke-node", names[0], "--by", "Ada", "--because", "stolen", "--data", str(data))
        revoked = await asyncio.to_thread(onepam, *words, "--config", str(_file(tmp_path, signer)))
        assert revoked.returncode == 0, revoked.stderr
        with pytest.raises(Unavailable, match="was revoked"):
            await asyncio.wait_for(tasks[0], LONG)
        more = done[names[1]] + 10
        while done[names[1]] < more:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        tasks[1].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tasks[1]
        verdict = await asyncio.to_thread(second.self_check.verify)
    assert verdict.findings == ()
    in_force = {name for name, known in verdict.standing.nodes.items() if known.key is not None}
    assert set(names) & in_force == {names[1]}
    with closing(connect(data / "ledger.db", read_only=True)) as db:
        size, covered = size_and_end(db)
        assert size == covered, "every entry is of a batch"
        written = {
            each[0]: each[1] for each in rows(db, "SELECT node, sum(last_idx - first_idx + 1) FROM batch GROUP BY node")
        }
    assert all(written[each] >= done[each] for each in names)


def _file(folder: Path, signer: Elsewhere) -> Path:
    path = folder / "onepam.toml"
    path.write_text(f'origin = "{ORIGIN}"\nsigner_socket = "{signer.socket}"\n')
    return path
