"""Once a second the heads of the recordings that moved go into the ledger; without it for 60 s, sessions end."""

import asyncio
import logging
from hashlib import sha256

from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import ledger_answers, seal_chunks
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SealedHead
from onepam.gateway.live import WITHOUT_LEDGER_SECONDS, Live
from onepam.kernel.canonical import encode
from onepam.kernel.errors import Fault
from onepam.ledger.merkle import Frontier

log = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
PROBE_SECONDS = 10.0
MAX_HEADS = 400
"""Heads of one entry: so many of the longest fit into a body."""


class Sealing:
    """Collects heads as recorders report them, and anchors them in one entry a second."""

    def __init__(self, ledger: Ledger, live: Live, node: str) -> None:
        self._ledger = ledger
        self._live = live
        self._node = node
        self._moved: dict[str, SealedHead] = {}
        self._anchoring: dict[str, SealedHead] = {}

    def moved(self, session: str, chunk: int, head: str) -> None:
        """A recorder sealed a chunk."""
        self._moved[session] = SealedHead(session, chunk, head)

    def closed(self, session: str) -> None:
        """The session's own record carries its final head; there is nothing left to anchor for it."""
        self._moved.pop(session, None)
        self._anchoring.pop(session, None)

    async def run(self) -> None:
        """For ever: anchors what moved; notices a ledger that takes no commands."""
        loop = asyncio.get_running_loop()
        answered = loop.time()
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            quiet = not self._moved and loop.time() - answered < PROBE_SECONDS
            if quiet or (not self._moved and not len(self._live)):
                answered = loop.time() if not len(self._live) else answered
                continue
            try:
                await self.flush()
                answered = loop.time()
            except Fault as fault:
                log.error("recordings cannot be anchored: %s", fault)
                if loop.time() - answered > WITHOUT_LEDGER_SECONDS:
                    self._live.end_all(SessionEnd.LEDGER_UNAVAILABLE)

    async def flush(self) -> None:
        """Anchors what has moved; what could not be anchored is kept for the next time."""
        if not self._moved:
            await ledger_answers(self._ledger)
            return
        self._anchoring, self._moved = self._moved, {}
        waiting = sorted(self._anchoring)
        while waiting:
            part = tuple(self._anchoring[each] for each in waiting[:MAX_HEADS] if each in self._anchoring)
            try:
                if part:
                    await seal_chunks(self._ledger, self._node, root_of_heads(part), part)
            except Fault:
                left = {each: self._anchoring[each] for each in waiting if each in self._anchoring}
                self._moved = left | self._moved
                raise
            del waiting[:MAX_HEADS]


def root_of_heads(heads: tuple[SealedHead, ...]) -> str:
    """Hex RFC 6962 root over the canonical JSON of each head, in the order of their sessions."""
    tree = Frontier()
    for each in heads:
        record = encode({"chunk": each.chunk, "head": each.head, "session": each.session})
        tree.append(sha256(b"\x00" + record).digest())
    return tree.root().hex()
