"""An installation whose ledger has some entries, published and signed, and `onepam ledger verify` over it."""

import asyncio
import sys
import time
from functools import partial
from pathlib import Path

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import ClockJumped
from onepam.kernel.clock import Instant
from tests.forked import onepam

ONEPAM = [sys.executable, "-m", "onepam.boot.commands.up"]
ORIGIN = "ledger.test"


def verify(data: Path, *arguments: str, verbose: bool = True) -> tuple[int, str]:
    """Exit code, and all that is said."""
    done = onepam("ledger", "verify", "--data", data, *arguments, *(["--verbose"] if verbose else []))
    return done.returncode, done.stdout + done.stderr


def _jumped(number: int, facts: None, now: Instant) -> Decided[None]:
    return Decided((ClockJumped("nod_test", number, False),), None)


async def live(config: Config, count: int) -> str:
    """Runs the platform, appends `count` entries, and ends once the checkpoint has them; the log's key."""
    async with Platform(config).running() as platform:
        for number in range(count):
            await platform.ledger.commit(NoFacts(), partial(_jumped, number))
        end = time.monotonic() + 15
        while (await asyncio.to_thread(platform.anchors.health)).checkpoint_size < platform.ledger.size():
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
        return platform.log_key.encode()
