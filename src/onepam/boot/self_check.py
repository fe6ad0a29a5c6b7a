"""The ledger verifies itself, from another code path than the one that writes it."""

import asyncio
import contextlib
import logging
import threading
import time
from pathlib import Path

from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import append_event
from onepam.boot.config import Config
from onepam.boot.outside import witnessed
from onepam.boot.verification import Verdict, verify_entries, verify_state
from onepam.domain.history.system import LedgerVerified
from onepam.jobs.signer_process import SignerProcess
from onepam.kernel.errors import Unavailable
from onepam.ledger.check import Anchor, Position
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

    `stopping` ends a verification of a large ledger early, so that it does not hold up a stop.
    """

    def __init__(
        self,
        ledger: Ledger,
        signers: SignerProcess,
        config: Config,
        database: Path,
        keys: tuple[VerifierKey, ...],
        stopping: threading.Event,
    ) -> None:
        self._ledger = ledger
        self._signers = signers
        self._config = config
        self._database = database
        self._keys = keys
        self._stopping = stopping

    async def run(self) -> None:
        """The tail each minute, told each hour as an entry; everything, state tables too, at the start and each week.

        A finding is an entry at once.
        """
        position, told, folded = None, time.monotonic(), None
        await asyncio.sleep(SETTLE_SECONDS)
        while True:
            now = time.monotonic()
            whole = folded is None or now - folded > WEEKLY_SECONDS
            verdict = await asyncio.to_thread(self.verify, None if whole else position)
            findings, kind = verdict.findings, "incremental"
            if whole:
                findings += tuple(await asyncio.to_thread(verify_state, self._database, self._go_on))
                folded, kind = now, "fold"
            for finding in findings:
                log.error("the ledger does not verify: %s", finding)
            position = None if findings else verdict.position
            if findings or kind == "fold" or now - told > HOURLY_SECONDS:
                told = now
                await append_event(
                    self._ledger, LedgerVerified(kind, verdict.size, verdict.root, findings[:MAX_FINDINGS])
                )
            await asyncio.sleep(TAIL_SECONDS)

    def verify(self, start: Position | None = None) -> Verdict:
        """Verifies the entries from `start` on against all that holds a tree head. Blocking."""
        size, root = self._signers.client().last()
        origin = self._config.origin
        seen = [Anchor(size, root, "signer")] if size else []
        if self._config.witness:
            with contextlib.suppress(Unavailable):  # the lag of a witness that is away is on the ledger's page
                witness = WitnessClient(self._config.witness, VerifierKey.parse(self._config.witness_key))
                note = witness.latest(origin)
                seen += [witnessed(note, witness.key, origin)] if note else []
        published = self._config.data / "log"
        return verify_entries(self._database, published, origin, self._keys, seen, start, self._go_on)

    def _go_on(self, done: int, of: int) -> None:
        if self._stopping.is_set():
            raise Unavailable("the gateway is being stopped")
