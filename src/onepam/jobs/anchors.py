"""The log's publication: a thread that grows tiles, has checkpoints signed and cosigned, and proves entries."""

import contextlib
import fcntl
import logging
import os
import threading
from pathlib import Path

from onepam.app.ports import EntryProof, LedgerHealth
from onepam.blobs.tile_folder import TileFolder
from onepam.domain.history.system import LAWFUL, LedgerVerified
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Corrupt, Fault, Refused
from onepam.ledger.checkpoint import Checkpoint, open_checkpoint
from onepam.ledger.merkle import inclusion_proof, verify_inclusion
from onepam.ledger.note import BadNote, VerifierKey
from onepam.ledger.tiles import hash_reader
from onepam.store.engine.append import read_head
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, entries_of
from onepam.store.engine.publish import Cosign, Published, Publisher, Sign
from onepam.store.read.moments import Unreadable, readable

log = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
PUBLISHER = ".publisher"
"""Within the published log: the lock of whoever publishes."""

VERIFICATIONS = ("incremental", "fold", LAWFUL)
"""The kinds of verification: what one has found stands until the next of its kind."""


class Anchors:
    """Publishes for one installation. Several processes may hold one; the first to take the folder's lock works."""

    def __init__(
        self,
        database: Path,
        folder: Path,
        origin: str,
        log_key: VerifierKey,
        sign: Sign,
        cosign: Cosign | None,
        witness_keys: tuple[VerifierKey, ...],
        clock: Clock,
        keys: str = "",
    ) -> None:
        """`keys`: whom the place of the signer's key keeps out, in words."""
        self.tiles = TileFolder(folder)
        self._database = database
        self._folder = folder
        self._origin = origin
        self._log_key = log_key
        self._sign = sign
        self._cosign = cosign
        self.witness_keys = witness_keys
        self._clock = clock
        self._keys = keys
        self._stop = threading.Event()
        self._last: tuple[Published, Instant] | None = None
        self._witnessed: tuple[int, Instant] | None = None
        self.trouble = ""
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Begins to publish."""
        self._thread.start()

    def stop(self) -> None:
        """Publishes what is there, once more, and ends."""
        self._stop.set()
        self._thread.join(timeout=10)

    def health(self) -> LedgerHealth:
        """The ledger as it stands, read from its files. To be called on a thread of its own."""
        with contextlib.closing(connect(self._database, read_only=True)) as db:
            head = read_head(db)
            verified = entries_of(db, ("system.verified",))
        size, witnessed = self._published()
        last = self._last
        told: LedgerVerified | None = None
        newest: dict[str, LedgerVerified] = {}
        findings: list[str] = []
        for each in map(readable, reversed(verified)):
            if isinstance(each, Unreadable):  # what it found may have been taken away with it
                findings.append(each.why)
                continue
            told = told if told is not None or each.kind == LAWFUL else each
            newest.setdefault(each.kind, each)
            if len(newest) == len(VERIFICATIONS):
                break
        lawful = newest.pop(LAWFUL, None)
        return LedgerHealth(
            size=head.size,
            head_at=head.time,
            log_key=self._log_key.encode(),
            checkpoint_size=size,
            checkpoint_at=last[1] if last else None,
            witness=", ".join(key.name for key in self.witness_keys),
            witnessed_size=size if witnessed else (self._witnessed or (0, 0))[0],
            witnessed_at=witnessed or (self._witnessed[1] if self._witnessed else None),
            verified_kind=told.kind if told else "",
            verified_size=told.size if told else 0,
            verified_at=verified[-1].header.time if verified else None,
            findings=tuple(dict.fromkeys((*findings, *(one for each in newest.values() for one in each.findings)))),
            unlawful=lawful.findings if lawful is not None else (),
            trouble=self.trouble,
            keys=self._keys,
            includes=self.includes,
        )

    def covered(self) -> tuple[int, int | None]:
        """How many entries the newest checkpoint covers, and how many one that a witness cosigned; None without a
        witness. To be called on a thread of its own."""
        size, witnessed = self._published()
        if not self.witness_keys:
            return size, None
        return size, size if witnessed else (self._witnessed or (0, 0))[0]

    def includes(self, index: int, leaf: bytes) -> bool:
        """Whether the signed tree holds this leaf hash at this index."""
        note = self._note()
        try:
            found = open_checkpoint(note or b"", [self._log_key, *self.witness_keys], self._origin).checkpoint
            path = inclusion_proof(hash_reader(found.size, self.tiles.read), index, found.size)
            return verify_inclusion(leaf, index, found.size, path, found.root)
        except (BadNote, Fault, ValueError, OSError):
            return False

    def proof(self, index: int) -> EntryProof | Refused:
        """One entry with its path to the newest checkpoint. To be called on a thread of its own."""
        note = self._note()
        size = self._published()[0]
        if note is None or not 0 <= index < size:
            return Refused("ledger.unpublished", "This entry is not in a checkpoint yet.", "Try again in a second.")
        with contextlib.closing(connect(self._database, read_only=True)) as db:
            found = entries(db, index, index + 1)
        if not found:
            raise Corrupt(f"entry {index} is missing from the ledger")
        if not self.includes(index, found[0].hash):
            return Refused("ledger.altered", "This entry is not what was published.", "Run “onepam ledger verify”.")
        path = inclusion_proof(hash_reader(size, self.tiles.read), index, size)
        header, body = found[0].header.encode().decode("ascii"), found[0].body.decode("utf-8")
        return EntryProof(index, header, body, size, tuple(each.hex() for each in path), note.decode("utf-8"))

    def newest(self) -> tuple[Checkpoint, bytes] | None:
        """The newest published checkpoint and its note; None before the first. To be called on a thread of its own."""
        note = self._note()
        if note is None:
            return None
        try:
            found = open_checkpoint(note, [self._log_key, *self.witness_keys], self._origin)
        except BadNote:
            return None
        return found.checkpoint, found.note.encode()

    def _note(self) -> bytes | None:
        """The newest published note; None before the first, and where what lies there is none."""
        try:
            return self.tiles.checkpoint()
        except (Corrupt, OSError) as error:
            self.trouble = f"the published checkpoint cannot be read: {error}"
            return None

    def _published(self) -> tuple[int, Instant | None]:
        """The size of the newest checkpoint, and when a known witness cosigned it."""
        note = self._note()
        if note is None:
            return 0, None
        try:
            found = open_checkpoint(note, [self._log_key, *self.witness_keys], self._origin)
        except BadNote as error:
            self.trouble = f"the published checkpoint is not ours: {error}"
            return 0, None
        times = [each.at for each in found.verified if each.key in self.witness_keys and each.at is not None]
        return found.checkpoint.size, Instant(max(times) * 1_000_000) if times else None

    def _run(self) -> None:
        lock = os.open(self._folder / PUBLISHER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not self._try_lock(lock):
                if self._stop.wait(PERIOD_SECONDS):
                    return
            while not self._published_until_stopped():
                self._stop.wait(PERIOD_SECONDS)
        finally:
            os.close(lock)

    def _published_until_stopped(self) -> bool:
        """Whether the stop has come; else the database could not be opened."""
        try:
            db = connect(self._database, read_only=True)
        except Exception as error:
            self._in_trouble(error)
            return self._stop.is_set()
        with contextlib.closing(db):
            publisher = Publisher(db, self.tiles, self._origin, self._log_key, self._sign, self._cosign)
            while not self._stop.wait(PERIOD_SECONDS):
                self._step(publisher)
            self._step(publisher)
        return True

    def _in_trouble(self, error: Exception) -> None:
        if str(error) != self.trouble:
            log.error("the log cannot be published: %s", error)
        self.trouble = str(error) or type(error).__name__

    def _step(self, publisher: Publisher) -> None:
        try:
            published = publisher.publish()
        except Exception as error:  # nobody else would begin this thread again
            self._in_trouble(error)
            return
        if published is not None:
            self._last, self.trouble = (published, self._clock()), published.trouble
            if published.cosigned:
                self._witnessed = (published.size, self._clock())

    @staticmethod
    def _try_lock(lock: int) -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
