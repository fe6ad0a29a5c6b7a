"""A start whose signer is not the one that the ledger began under: said and refused, and a way out of a real loss."""

import asyncio
import shutil
from pathlib import Path

import pytest

from onepam.kernel.errors import Fault
from onepam.signing.signer import create_signer
from tests.boot.installation import ORIGIN, live, verify
from tests.boot.test_continue import NEXT, config_of, continued, founded

pytestmark = pytest.mark.anyio


async def test_no_signer_is_made_for_a_ledger_that_has_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = await live(config_of(data), 2)
    (data / "signer").rename(tmp_path / "signer")
    with pytest.raises(Fault, match=r"is gone: there is no .*continue-after-loss --signer-lost"):
        await live(config_of(data), 1)
    assert not (data / "signer").exists()
    (data / "signer").mkdir(mode=0o700)
    create_signer(data / "signer" / "key", data / "signer" / "state", ORIGIN)
    with pytest.raises(Fault, match="and this ledger began under"):
        await live(config_of(data), 1)
    shutil.rmtree(data / "signer")
    (tmp_path / "signer").rename(data / "signer")
    assert await live(config_of(data), 1) == key


@pytest.mark.parametrize("lost", ["signer", "signer/key", "signer/state"])
async def test_a_lost_signer_ends_its_log_and_no_entry_is_lost(tmp_path: Path, lost: str) -> None:
    data, kept = tmp_path / "data", tmp_path / "kept"
    recovery = founded(data)
    old_key = await live(config_of(data), 3)
    shutil.copy(data / "log" / "checkpoint", kept)
    shutil.rmtree(data / lost) if lost == "signer" else (data / lost).unlink()
    done = await asyncio.to_thread(continued, data, recovery, "--signer-lost")
    assert done.returncode == 0, done.stderr
    size = int(kept.read_text().splitlines()[1])
    words = f"the signer of the log {ORIGIN} is lost, and none of its {size} entries"
    assert words in done.stdout
    new_key = await live(config_of(data, NEXT), 2)
    code, told = await asyncio.to_thread(
        verify, data, "--log-key", new_key, "--log-key", old_key, "--checkpoint", str(kept)
    )
    assert code == 0, told
    assert words in told


async def test_a_day_that_nobody_can_cancel_is_said_so(tmp_path: Path) -> None:
    """Without the recovery key it waits for a day, and without a signer no gateway starts that would show it."""
    data = tmp_path / "data"
    founded(data)
    await live(config_of(data), 2)
    shutil.rmtree(data / "signer")
    announced = await asyncio.to_thread(continued, data, "", "--signer-lost", "--no-with-key")
    assert "Announced as ann_" in announced.stdout, announced.stderr
    assert "nobody can cancel it there" in announced.stdout
    with pytest.raises(Fault, match="is gone"):
        await live(config_of(data), 1)
