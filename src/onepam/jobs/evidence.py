"""Evidence packs of one installation: waits for a checkpoint that covers the period, draws, verifies, records."""

import asyncio
import ctypes
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from onepam import __version__
from onepam.app.history.pack_evidence import pack_evidence, packer
from onepam.app.ports import Ledger, Reader, Snapshot
from onepam.blobs.tile_folder import TileFolder
from onepam.domain.access.authority import Actor
from onepam.evidence.draw import Order, Progress, PublishedLog, check_pack, draw_pack
from onepam.evidence.envelope import Period, System
from onepam.kernel.clock import Clock, Instant, iso
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.checkpoint import open_checkpoint
from onepam.ledger.note import BadNote, VerifierKey
from onepam.ledger.tiles import hash_reader
from onepam.store.engine.entries import size_at
from onepam.store.engine.history import SqliteHistory
from onepam.store.facts.holdings import actor_facts
from onepam.store.read.names import name

CHECKPOINT_SECONDS = 30.0
"""How long a draw waits for a checkpoint that covers its period."""

COSIGNATURE_SECONDS = 5.0
"""Of these, how long for one that a witness has cosigned too; then it goes without, and the pack says so."""

POLL_SECONDS = 0.2
LEFT_OVER_SECONDS = 3600.0
"""Files of this age belong to nobody any more."""


def quiet(step: str, done: int, of: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A pack in its file, verified: the checkpoint's size and the file's SHA-256 in hex."""

    path: Path
    size: int
    digest: str


class Evidence:
    """Draws packs, one at a time. `folder` is the published log, `packs` where the files lie until they are sent."""

    def __init__(
        self,
        ledger: Ledger,
        reader: Reader,
        database: Path,
        tiles: TileFolder,
        packs: Path,
        origin: str,
        log_key: VerifierKey,
        witness_keys: tuple[VerifierKey, ...],
        environment: str,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._database = database
        self._tiles = tiles
        self._packs = packs
        self._origin = origin
        self._log_key = log_key
        self._witness_keys = witness_keys
        self._system = System(origin, __version__, environment)
        self._clock = clock
        self._one = threading.Lock()

    async def draw(self, actor: Actor, period: Period, progress: Progress = quiet) -> Path | Refused:
        """A pack of the period in a file that the caller deletes. `progress` is called on another thread.

        Raises `Unavailable` when no checkpoint covers the period in time, `Corrupt` when the pack does not verify.
        """

        def who(db: Snapshot, at: Instant) -> tuple[str | Refused, str, Instant]:
            return packer(actor_facts(db, actor, at), at), name(db, at, actor.person), at

        role, called, now = await self._reader(who)
        if isinstance(role, Refused):
            return role
        if period.begin >= now:
            return Refused("evidence.future", "The period has not begun yet.", "Choose a period that has.")
        covered = await self._reader(size_at, Instant(min(period.until - 1, now)))
        log = await self._published(covered)
        order = Order(
            system=self._system,
            period=period,
            run_by=f"{actor.person} ({called})",
            role=role,
            clock=clock_state(),
            command=f"onepam evidence pack --from {iso(period.begin)} --to {iso(period.until)} --out pack.zip",
        )
        finished = await asyncio.to_thread(self._draw, log, order, progress)
        if isinstance(finished, Refused):
            return finished
        outcome = await pack_evidence(self._ledger, actor, period.begin, period.until, finished.size, finished.digest)
        if outcome is not None:
            finished.path.unlink(missing_ok=True)
            return outcome
        return finished.path

    async def _published(self, covered: int) -> PublishedLog:
        """The newest checkpoint once it has the first `covered` entries, cosigned where a witness is known."""
        began = time.monotonic()
        while True:
            log = await asyncio.to_thread(self._newest)
            waited = time.monotonic() - began
            if log is not None and log.size >= max(covered, 1):
                if log.witnesses or not self._witness_keys or waited > COSIGNATURE_SECONDS:
                    return log
            elif waited > CHECKPOINT_SECONDS:
                size = log.size if log else 0
                raise Unavailable(f"{size} entries are under a checkpoint, and the period has {covered}; try again")
            await asyncio.sleep(POLL_SECONDS)

    def _newest(self) -> PublishedLog | None:
        note = self._tiles.checkpoint()
        if note is None:
            return None
        try:
            found = open_checkpoint(note, [self._log_key, *self._witness_keys], self._origin)
        except BadNote as error:
            raise Corrupt(f"the published checkpoint is not ours: {error}") from None
        size = found.checkpoint.size
        cosigned = {each.key for each in found.verified}
        witnesses = tuple(key.encode() for key in self._witness_keys if key in cosigned)
        return PublishedLog(note, size, self._log_key.encode(), witnesses, hash_reader(size, self._tiles.read))

    def _draw(self, log: PublishedLog, order: Order, progress: Progress) -> Finished | Refused:
        if not self._one.acquire(blocking=False):
            return Refused("evidence.busy", "Another pack is being drawn.", "Try again in a minute.")
        try:
            path = self._new_file()
            finished = None
            try:
                finished = self._write(path, log, order, progress)
                return finished
            finally:
                if not isinstance(finished, Finished):
                    path.unlink(missing_ok=True)
        finally:
            self._one.release()

    def _write(self, path: Path, log: PublishedLog, order: Order, progress: Progress) -> Finished | Refused:
        with SqliteHistory(self._database) as history, path.open("w+b") as out:
            summary = draw_pack(history, log, order, self._clock, out, progress)
            if isinstance(summary, Refused):
                return summary
            out.flush()
            out.seek(0)
            digest = file_digest(out, "sha256").hexdigest()
        progress("verification", 0, 1)
        check_pack(path, log)
        progress("verification", 1, 1)
        return Finished(path, log.size, digest)

    def _new_file(self) -> Path:
        """An empty file that only we can read; takes away what an earlier draw left behind."""
        self._packs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in self._packs.glob("*.zip"):
            if time.time() - each.stat().st_mtime > LEFT_OVER_SECONDS:
                each.unlink(missing_ok=True)
        handle, path = tempfile.mkstemp(".zip", "evidence-", self._packs)
        os.close(handle)
        return Path(path)


class _Timex(ctypes.Structure):
    """The beginning of `struct timex` (adjtimex(2)) as far as it is read here, and room for the rest."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


_UNSYNCHRONISED = 0x40


def clock_state() -> str:
    """Whether the kernel holds the machine's clock for synchronised, in words."""
    told = _Timex()
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(told))
    except (OSError, AttributeError):
        state = -1
    if state < 0:
        return "the system's clock; its synchronisation is not known"
    if told.status & _UNSYNCHRONISED:
        return "the system's clock; the kernel does not hold it for synchronised"
    return f"the system's clock; synchronised, within {told.maxerror // 1000 + 1} ms by the kernel's account"
