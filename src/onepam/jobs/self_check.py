"""The ledger verifies itself, from another code path than the one that writes it."""

import asyncio
import contextlib
import logging
import threading
import time
from pathlib import Path

from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import append_event
from onepam.domain.history.system import LAWFUL, LedgerVerified
from onepam.jobs.job import Job
from onepam.jobs.outside import witnessed
from onepam.jobs.signer_process import SignerProcess
from onepam.jobs.verification import Verdict, damaged, verify_entries, verify_state
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Unavailable
from onepam.ledger.authors import Standing
from onepam.ledger.check import Anchor, Position
from onepam.ledger.lawful.judging import Lawful
from onepam.ledger.note import VerifierKey
from onepam.signing.witness import WitnessClient

log = logging.getLogger(__name__)

SETTLE_SECONDS = 3.0
TAIL_SECONDS = 60.0
HOURLY_SECONDS = 3600.0
WEEKLY_SECONDS = 7 * 86400.0
MAX_FINDINGS = 50


class SelfCheck:
    """Holds the entries against the published tree, the signer's and the witness's memory; the tables against both.

    `stopping` ends a verification of a large ledger early, so that it does not hold up a stop. `looked` is when the
    newest entries were looked at, and how many there were; None before the first time, and where something was found.
    """

    def __init__(
        self,
        ledger: Ledger,
        signers: SignerProcess,
        database: Path,
        published: Path,
        origin: str,
        witness: WitnessClient | None,
        keys: tuple[VerifierKey, ...],
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self._ledger = ledger
        self._signers = signers
        self._database = database
        self._published = published
        self._origin = origin
        self._witness = witness
        self._keys = keys
        self._clock = clock
        self._stopping = stopping
        self._position: tuple[Position, Standing] | None = None
        self._told = time.monotonic()
        self.looked: tuple[Instant, int] | None = None
        self._folded: float | None = None

    def job(self) -> Job:
        """First when the process has settled."""
        return Job("verification", self.turn, TAIL_SECONDS, pause_seconds=SETTLE_SECONDS)

    async def turn(self) -> None:
        """The tail each minute, told each hour as an entry; everything, state tables too, at the start and each week.

        A finding is an entry at once.
        """
        now = time.monotonic()
        whole = self._folded is None or now - self._folded > WEEKLY_SECONDS
        verdict = await asyncio.to_thread(self.verify, None if whole else self._position)
        findings = verdict.findings
        if whole:
            findings += tuple((await asyncio.to_thread(damaged, self._database))[0])
            findings += tuple(await asyncio.to_thread(verify_state, self._database, self._go_on))
        for finding in findings:
            log.error("the ledger does not verify: %s", finding)
        if verdict.lawful is not None:
            await self._tell_lawful(verdict, verdict.lawful)
        self._position = None if findings else (verdict.position, verdict.standing)
        self.looked = None if findings else (self._clock(), verdict.size)
        if findings or whole or now - self._told > HOURLY_SECONDS:
            kind = "fold" if whole else "incremental"
            await append_event(self._ledger, LedgerVerified(kind, verdict.size, verdict.root, findings[:MAX_FINDINGS]))
            self._told = now
        if whole:
            self._folded = now

    async def _tell_lawful(self, verdict: Verdict, lawful: Lawful) -> None:
        """An entry of its own: what was not lawful does not say that the history was altered."""
        found = tuple(each.words() for each in lawful.findings)
        for each in found:
            log.error("the history is not lawful: %s", each)
        await append_event(self._ledger, LedgerVerified(LAWFUL, verdict.size, verdict.root, found[:MAX_FINDINGS]))

    def all_again(self) -> None:
        """The next turn verifies everything: somebody has met what was altered."""
        self._folded = None

    def verify(self, start: tuple[Position, Standing] | None = None) -> Verdict:
        """Verifies the entries from `start` on against all that holds a tree head. Blocking."""
        size, root, _ = self._signers.client().last()
        seen = [Anchor(size, root, "signer")] if size else []
        if self._witness is not None:
            with contextlib.suppress(Unavailable):  # the lag of a witness that is away is on the ledger's page
                note = self._witness.latest(self._origin)
                seen += [witnessed(note, self._witness.key, self._origin)] if note else []
        return verify_entries(self._database, self._published, self._origin, self._keys, seen, start, self._go_on)

    def _go_on(self, done: int, of: int) -> None:
        if self._stopping.is_set():
            raise Unavailable("the gateway is being stopped")
