"""Evidence packs that are drawn while somebody waits: the newest of each person, kept until it lapses.

A finished pack has no name on the disk any more, so that nothing of it is left behind, however the process ends.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onepam.domain.access.authority import Actor
from onepam.kernel.clock import MINUTE, SECOND, Clock, Instant
from onepam.kernel.errors import Refused, Unavailable

KEPT = 15 * MINUTE
"""How long a finished pack can be taken (microseconds)."""

PIECE_BYTES = 64 * 1024

Progress = Callable[[str, int, int], None]
Draw = Callable[[Actor, Instant, Instant, Progress], Awaitable[Path | Refused]]
"""Draws a pack of [starts, ends) into a file that is the caller's; tells its steps, what is done, and of how much."""

_FAILED = Refused("evidence.failed", "The pack could not be drawn.", "The gateway's log says why.")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Drawing:
    """One pack of [`starts`, `ends`): how far it is, or why there is none, or its file of `size` bytes."""

    starts: Instant
    ends: Instant
    begun: Instant
    step: str = ""
    part: float = 0.0
    refused: Refused | None = None
    file: BinaryIO | None = None
    size: int = 0
    finished: Instant | None = None

    def told(self, step: str, done: int, of: int) -> None:
        """Called from the thread that draws."""
        self.step, self.part = step, done / of if of else 0.0

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes; it may be taken more than once, and while it lapses. Raises `ValueError` before it is."""
        if self.file is None:
            raise ValueError("this pack is not drawn")
        handle, at = os.dup(self.file.fileno()), 0
        try:
            while piece := os.pread(handle, PIECE_BYTES, at):
                at += len(piece)
                yield piece
        finally:
            os.close(handle)


class Packs:
    """The packs of people, by person."""

    def __init__(self, draw: Draw, clock: Clock) -> None:
        self._draw = draw
        self._clock = clock
        self._newest: dict[str, Drawing] = {}
        self._running: set[asyncio.Task[None]] = set()

    def of(self, person: str) -> Drawing | None:
        """The newest of this person, unless it has lapsed."""
        self._lapse()
        return self._newest.get(person)

    def begin(self, actor: Actor, starts: Instant, ends: Instant) -> Drawing | Refused:
        """Begins to draw; the pack before it is gone."""
        known = self.of(actor.person)
        if known is not None and known.finished is None:
            return Refused("evidence.busy", "Your pack is being drawn already.", "/ledger")
        self._forget(actor.person)
        drawing = self._newest[actor.person] = Drawing(starts, ends, self._clock())
        task = asyncio.get_running_loop().create_task(self._drawn(actor, drawing))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return drawing

    async def _drawn(self, actor: Actor, drawing: Drawing) -> None:
        drawing.refused = _FAILED  # until it is known better: whatever ends this, the next pack can be begun
        try:
            found = await self._draw(actor, drawing.starts, drawing.ends, drawing.told)
            if isinstance(found, Refused):
                drawing.refused = found
            else:
                drawing.file, drawing.refused = found.open("rb"), None
                found.unlink()
                drawing.size = os.fstat(drawing.file.fileno()).st_size
        except Unavailable as error:
            drawing.refused = Refused("evidence.unavailable", f"Not now: {error}.", "")
        except Exception:  # a drawing that nobody waits for: the log has it, and the page says so
            _log.exception("an evidence pack could not be drawn")
        finally:
            drawing.finished = self._clock()
            asyncio.get_running_loop().call_later(KEPT / SECOND + 1, self._lapse)

    def _lapse(self) -> None:
        """Also when nobody asks: what lapsed holds no file and no space on the disk."""
        for who, each in tuple(self._newest.items()):
            if each.finished is not None and self._clock() - each.finished > KEPT:
                self._forget(who)

    def _forget(self, person: str) -> None:
        known = self._newest.pop(person, None)
        if known is not None and known.file is not None:
            known.file.close()
