"""A stop, asked for by a signal or a newer release; sessions may come to their end first, as long as is configured."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

from onepam.kernel.clock import SECOND, Instant

if TYPE_CHECKING:
    from onepam.boot.platform import Platform

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2

STUCK_SECONDS = 40.0
"""How long the end of everything may take, once sessions had their time; systemd waits a little longer
(`units.STOP_SECONDS`). A thread that a disk or a file server keeps in one call cannot be ended."""


def end_at_last(seconds: float) -> None:
    """Has the process end in so many seconds, whatever keeps it, with a word of what does: exit code 1. Nothing is lost
    by it that a crash would not lose: the next start closes what this one left."""

    def end() -> None:
        stuck = sorted(each.name for each in threading.enumerate() if each is not threading.current_thread())
        log.error("the stop has not come to its end in %g s, and ends now; there are still: %s", seconds, stuck)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon, timer.name = True, "end at last"
    timer.start()


class Stop:
    """SIGTERM, SIGINT and SIGHUP (a terminal that went away; there is nothing to read anew) from now on: the first one
    asks for a stop, the next one for haste."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._haste = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)

    async def heeded(self, platform: "Platform") -> None:
        """Returns when the platform is to end: after a stop was asked for and sessions had their time, or at once when
        a newer release takes its place. From then on the process ends in bounded time."""
        waits = [asyncio.ensure_future(each.wait()) for each in (self._asked, platform.replaced)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
        await platform.admit_no_more()
        if not platform.replaced.is_set():
            await self._drain(platform)
        end_at_last(STUCK_SECONDS)
        # The loop closes its end of the wake-up pipe before it gives up the signals: one in between would be written
        # into a descriptor that is no longer its own.
        signal.set_wakeup_fd(-1)

    async def _drain(self, platform: "Platform") -> None:
        seconds = platform.config.drain_seconds
        if seconds and len(platform.live):
            log.info("%d sessions may go on for %d s; another signal ends them now", len(platform.live), seconds)
            latest = Instant(platform.ledger.time() + seconds * SECOND)
            platform.live.tell_end(latest, "the gateway is being stopped")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(platform.live) and not self._haste.is_set():  # noqa: ASYNC110 - sessions end by themselves
                    await asyncio.sleep(LOOK_SECONDS)

    def _signalled(self) -> None:
        (self._haste if self._asked.is_set() else self._asked).set()
