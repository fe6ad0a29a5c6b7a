"""A company's data folder as its life leaves it: sessions of every sort, a leaver erased, nodes that come and go, a
loss, a lost signer, and packs. Everything comes about by the product's own commands, so it is lawful.

    data/        ledger.db, log/ and what lies aside of earlier logs, recordings/, master-keys.json
    checkpoint-* kept outside, one of each log; pack-*.zip; keys.json
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.blobs.tile_folder import TileFolder
from onepam.jobs.eras import seams, set_aside
from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Refused
from onepam.ledger.authors import certificate_text
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.note import COSIGNATURE_V1, ED25519, Note, Signature, VerifierKey, sign
from onepam.signing.author import Certificate
from onepam.store.engine.database import connect
from onepam.store.engine.publish import Prove, Publisher, Show
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import CERTIFICATE, HOST_KEY, START, Counted, ManualClock

PEOPLE = {"ada": "Ada Admin", "ben": "Ben Backup", "max": "Max Manager", "eve": "Eve Engineer", "aud": "Aude Auditor"}
ACCESS = f"""\
version: 1
resources:
  web-1:
    kind: ssh
    address: web-1.example.com:22
    labels: {{env: prod}}
    owner: max@example.com
    logins: [deploy]
    host_keys: ["{HOST_KEY}"]
  dev-1:
    kind: ssh
    address: dev-1.example.com:22
    labels: {{env: dev}}
    owner: max@example.com
    logins: [app]
    host_keys: ["{HOST_KEY}"]
  orders:
    kind: postgres
    address: orders.example.com
    labels: {{env: test}}
    owner: max@example.com
    logins: [app]
    tls: ["{CERTIFICATE}"]
roles:
  engineer:
    purpose: Builds and runs the product
    owner: max@example.com
    permissions:
      develop: {{actions: [shell, exec, sftp], where: {{env: dev}}, logins: ["*"], mode: standing, longest: 8h}}
      orders:
        actions: [query]
        where: {{env: test}}
        logins: ["*"]
        mode: standing
        longest: 8h
        guardrails: {{statements: [read, write], rows: 1000, timeout: 30s}}
      repair:
        actions: [shell, exec, sftp]
        where: {{env: prod}}
        logins: ["*"]
        mode: request
        longest: 4h
        approvers: [approver]
  approver: {{purpose: Decides who may repair production, owner: ada@example.com, console: [approve]}}
  administrator: {{purpose: Keeps OnePAM healthy, owner: ada@example.com, console: [administer, monitor]}}
  auditor: {{purpose: Reads evidence, owner: ada@example.com, console: [audit]}}
bindings:
  - {{role: engineer, person: eve@example.com, because: builds}}
  - {{role: approver, person: max@example.com, because: leads}}
  - {{role: administrator, person: ada@example.com, because: founded}}
  - {{role: administrator, person: ben@example.com, because: founded}}
  - {{role: auditor, person: aud@example.com, because: audits}}
"""
ORIGINS = ("golden.example/log", "golden.example/log/2", "golden.example/log/3")
WITNESS_SEED = b"w" * 32
WITNESS = VerifierKey(
    "witness.golden.example/1",
    COSIGNATURE_V1,
    Ed25519PrivateKey.from_private_bytes(WITNESS_SEED).public_key().public_bytes_raw(),
)
RECOVERY = sha256(b"the recovery key").hexdigest()


@dataclass
class Signer:
    """The key of one log, and the number of the last certificate that it gave."""

    origin: str
    seed: bytes
    clock: ManualClock
    given: int = 0

    @property
    def key(self) -> VerifierKey:
        """As others know it."""
        return VerifierKey(self.origin, ED25519, self._private.public_key().public_bytes_raw())

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def certify(self, key: VerifierKey) -> Certificate:
        """The next certificate, with no smaller a number than the seconds since 1970."""
        self.given = max(self.given + 1, self.clock.now // SECOND)
        text = certificate_text(self.origin, self.given, key)
        return Certificate(self.given, Note(text, (sign(text, self.key, self._private.sign),)).encode().decode())

    def sign(self, checkpoint: Checkpoint, show: Show) -> bytes | Refused:
        """A note over the tree."""
        return sign_checkpoint(checkpoint, self.key, self._private.sign)


class GoldenCompany:
    """The folder, its clock, and whoever signs now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        (self.data / "recordings").mkdir(parents=True)
        self.clock, self.random = ManualClock(START), Counted()
        self.signers = [Signer(origin, bytes([65 + n]) * 32, self.clock) for n, origin in enumerate(ORIGINS)]
        self.signer = self.signers[0]
        self.envelope = Envelope(FileKeys.create(self.data / "master-keys.json", self.random), self.random)
        self.ids: dict[str, str] = {}
        self.signed_in: dict[str, str] = {}
        self.sessions: dict[str, str] = {}

    def publish(self) -> bytes:
        """The log grows to the ledger's size, signed and cosigned; the checkpoint."""
        tiles = TileFolder(self.data / "log")
        with closing(connect(self.data / "ledger.db", read_only=True)) as db:
            signer = self.signer
            publisher = Publisher(db, tiles, signer.origin, signer.key, signer.sign, self._cosign)
            while publisher.publish() is not None:
                pass
        return tiles.checkpoint() or b""

    def _cosign(self, note: bytes, prove: Prove) -> tuple[Signature, ...] | Refused:
        private = Ed25519PrivateKey.from_private_bytes(WITNESS_SEED)
        return (sign(Note.parse(note).text, WITNESS, private.sign, self.clock.now // SECOND),)

    def keep_checkpoint(self, number: int) -> Checkpoint:
        """Publishes, and keeps the checkpoint outside; what it says."""
        note = self.publish()
        (self.folder / f"checkpoint-{number}").write_bytes(note)
        return Checkpoint.parse(Note.parse(note).text)

    def go_on(self, number: int) -> None:
        """After a seam: the next log's signer, and what was published before lies aside."""
        with closing(connect(self.data / "ledger.db", read_only=True)) as db:
            set_aside(self.data, seams(db)[-1])
        self.signer = self.signers[number]

    def copy_database(self, to: Path) -> None:
        """A backup of the ledger."""
        with closing(sqlite3.connect(self.data / "ledger.db")) as db, closing(sqlite3.connect(to)) as copy:
            db.backup(copy)

    def restore(self, copy: Path) -> None:
        """The ledger is that of the backup."""
        for each in self.data.glob("ledger.db*"):
            each.unlink()
        copy.rename(self.data / "ledger.db")
