"""Whether this process would let somebody in now: asked by load balancers, answered from what its parts say."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from onepam.app.sessions.close_session import NoFacts
from onepam.domain.history.commit import Decided
from onepam.domain.host.disk import DiskStage
from onepam.kernel.errors import Fault, Refused
from onepam.signing.signer import SignerClient

if TYPE_CHECKING:
    from onepam.boot.platform import Platform

GOOD = "ok"
KEPT_SECONDS = 1.0
"""An answer is good for so long: whoever asks more often is told it again."""

PATIENCE_SECONDS = 2.0
ADVISORY = frozenset({"signer"})
"""Checks without which sessions still open: a balancer that took the gateway away for them would end the service."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Each check with one word; `ok` is good, and the words of a disk that runs low are a warning."""

    checks: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether somebody who is allowed would get in."""
        return all(self.good(name) for name in self.checks if name not in ADVISORY)

    def good(self, name: str) -> bool:
        """Whether a check found nothing that keeps anybody out."""
        return self.checks[name] in {GOOD, DiskStage.ALARM.value, DiskStage.LOW.value}


class ReadinessChecks:
    """The checks of one process; at most one set of them runs at a time, at most one a second."""

    def __init__(self, platform: "Platform") -> None:
        self.listening: set[str] = set()
        self.stopping = False
        self._platform = platform
        config = platform.config
        socket = Path(config.signer_socket) if config.signer_socket else config.data / "signer" / "socket"
        self._signer = SignerClient(socket, PATIENCE_SECONDS)
        self._one = asyncio.Lock()
        self._kept: tuple[float, Readiness] | None = None

    async def look(self) -> Readiness:
        """How it stands now, or stood a moment ago."""
        async with self._one:
            if self._kept is None or time.monotonic() - self._kept[0] > KEPT_SECONDS:
                looked = await self._look()
                self._kept = (time.monotonic(), looked)  # after the look: a slow one is shared, too
            found = self._kept[1]
        return Readiness({**found.checks, "gateway": "stopping"}) if self.stopping else found

    async def _look(self) -> Readiness:
        ledger, clock = await self._ledger()
        return Readiness(
            {
                "ledger": ledger,
                "clock": clock,
                "signer": await asyncio.to_thread(self._ask_signer),
                "disk": self._disk(),
                "listeners": GOOD if {"ssh", "console"} <= self.listening else "closed",
            }
        )

    async def _ledger(self) -> tuple[str, str]:
        """A command that changes nothing goes the whole way to the writer."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._platform.ledger.commit(NoFacts(), lambda facts, now: Decided((), None))
        except (Fault, TimeoutError):
            return "unavailable", "unknown"
        return GOOD, answer.code if isinstance(answer, Refused) else GOOD

    def _ask_signer(self) -> str:
        try:
            self._signer.last()
        except Fault:
            return "away"
        return GOOD

    def _disk(self) -> str:
        disk = self._platform.disk
        if disk.space.free < disk.marks.reserve:
            return "full"
        return GOOD if disk.stage is DiskStage.ENOUGH else disk.stage.value
