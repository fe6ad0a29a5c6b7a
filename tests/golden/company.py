"""A company's data folder as its life leaves it: sessions of every sort, a leaver erased, nodes that come and go, a
loss, a lost signer, and packs. Everything comes about by the product's own commands, so it is lawful.

    data/        ledger.db, log/ and what lies aside of earlier logs, recordings/, master-keys.json
    checkpoint-* kept outside, one of each log; pack-*.zip; keys.json
"""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam import __version__
from onepam.app.host.announced import make_recovery_key
from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.people.disable_person import disable_person
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.make_request import make_request
from onepam.app.sessions.close_session import append_event, close_session, fail_session, seal_chunks
from onepam.app.sessions.kill_session import kill_session
from onepam.app.signing_in.enrol import bootstrap_enrolment, enrol
from onepam.app.signing_in.sign_in import sign_in
from onepam.blobs.tile_folder import TileFolder
from onepam.boot.demo.founding import Founder, Founding
from onepam.domain.access.authority import Actor
from onepam.domain.history.system import SystemStarted
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.approval import Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.events import UNDO
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SealedHead, SessionClosed, SessionFailed
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.gate import Visitor
from onepam.domain.signing_in.rules import Opening, Proof
from onepam.evidence.envelope import Period
from onepam.gateway.recorder import recording_path
from onepam.gateway.recover import recover
from onepam.gateway.sealing import root_of_heads
from onepam.jobs.eras import seams, set_aside
from onepam.jobs.evidence import Evidence
from onepam.jobs.recording_check import RecordingChecks, key_beside, new_key_beside, sealed_by
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.ledger.authors import certificate_text
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.note import COSIGNATURE_V1, ED25519, Note, Signature, VerifierKey, sign
from onepam.signing.author import Certificate, NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.publish import Prove, Publisher, Show
from onepam.store.engine.reader import SqliteReader
from onepam.store.read.proofs_of_sign_in import account_by_email
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys
from tests.company import HOST_KEY, START, Counted, ManualClock
from tests.golden import recorded

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
roles:
  engineer:
    purpose: Builds and runs the product
    owner: max@example.com
    permissions:
      develop: {{actions: [shell, exec, sftp], where: {{env: dev}}, logins: ["*"], mode: standing, longest: 8h}}
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

    @contextmanager
    def life(self, node: str, *, certified: bool = True) -> Iterator["Life"]:
        """A process that writes the ledger as `node`, from its start to its end."""
        author = NodeAuthor.certified(node, self.signer.certify) if certified else NodeAuthor.uncertified(node)
        path = self.data / "ledger.db"
        ledger = SqliteLedger(path, author, self.clock, self.random, monotonic=self.clock)
        reader = SqliteReader(path, self.clock)
        try:
            yield Life(self, node, ledger, reader)
        finally:
            ledger.close()
            reader.close()

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


@dataclass
class Life:
    """What one process does."""

    company: GoldenCompany
    node: str
    ledger: SqliteLedger
    reader: SqliteReader
    waiting: list[SealedHead] = field(default_factory=list)

    def actor(self, person: str) -> Actor:
        """Somebody in the session of the latest sign-in."""
        return Actor(self.company.ids[person], self.company.signed_in[person], "192.0.2.1")

    def new(self, prefix: str) -> str:
        """A fresh id."""
        return new_id(prefix, self.company.random)

    async def begin(self) -> None:
        """What a release writes first."""
        key, origin = self.company.signer.key.encode(), self.company.signer.origin
        await append_event(self.ledger, SystemStarted(self.node, __version__, origin, key, "production"))

    async def found(self) -> None:
        """People, roles, the recovery key, and everybody's factors."""
        founding = Founding(self.ledger, self.reader)
        founders = tuple(Founder(name, f"{who}@example.com") for who, name in PEOPLE.items())
        assert await make_recovery_key(self.ledger, RECOVERY, adopted=False) is None
        await founding.people(founders, "founded the company")
        await founding.matrix(ACCESS, "access.yaml")
        for who in PEOPLE:
            account = await self.reader(account_by_email, None, f"{who}@example.com")
            assert account is not None
            self.company.ids[who] = account.person
        for who, person in self.company.ids.items():
            digest = sha256(who.encode()).hexdigest()
            opened = await bootstrap_enrolment(self.ledger, person, self.new("enr"), digest)
            assert not isinstance(opened, Refused), opened
            factors = tuple(
                FactorEnrolled(f"fac_{who}_{kind}", person, kind, "1", None, None, label=kind, secret="sealed")
                for kind in (FactorKind.PASSWORD, FactorKind.TOTP)
            )
            assert await enrol(self.ledger, digest, factors) is None

    async def sign_in(self, *people: str) -> None:
        """By password and code, now."""
        for who in people:
            self.company.clock.advance(MINUTE)
            step = self.company.clock.now // (30 * SECOND)
            proofs = (
                Proof(f"fac_{who}_password", FactorKind.PASSWORD, 0),
                Proof(f"fac_{who}_totp", FactorKind.TOTP, step),
            )
            session, person = self.new("sgn"), self.company.ids[who]
            digest = sha256(session.encode()).hexdigest()
            opening = Opening(session, person, proofs, digest, Visitor("192.0.2.1"), "a browser")
            ends = await sign_in(self.ledger, opening)
            assert not isinstance(ends, Refused), ends
            self.company.signed_in[who] = session

    async def knock(self, who: str, resource: str, login: str) -> Opened:
        """Opens a session."""
        knock = Knock(
            session=self.new("ses"),
            entry=EntryPoint.SSH_CERTIFICATE,
            person=self.company.ids[who],
            target=resource,
            login=login,
            node=self.node,
            source="192.0.2.1",
            client="OpenSSH_9.2",
            sign_in=self.company.signed_in[who],
        )
        opened = await open_session(self.ledger, knock)
        assert isinstance(opened, Opened), opened
        return opened

    async def session(self, sort: str, who: str, resource: str, login: str, *, killed: bool = False) -> None:
        """A session of a sort, recorded, sealed and closed."""
        opened = await self.knock(who, resource, login)
        first = recorded.opened_as(opened.session, self.company.ids[who], resource, login, self.company.clock.now)
        data, sealer = recorded.sealed(self._new_key(opened.session), first, recorded.SORTS[sort])
        self._write(opened.session, data)
        self.company.sessions[sort] = opened.session
        await self._seal(SealedHead(opened.session, sealer.head.seq, sealer.head.digest.hex()))
        if killed:
            assert await kill_session(self.ledger, self.actor("ada"), opened.session, "looks wrong") is None
        last = self.company.clock.advance(SECOND)
        because, head = SessionEnd.KILLED if killed else SessionEnd.CLIENT_LEFT, sealer.head
        counts = dict(sealer.counts)
        ended = SessionClosed(opened.session, because, head.digest.hex(), head.seq, counts, True, None, last)
        assert await close_session(self.ledger, ended) is None

    async def crash(self, who: str) -> None:
        """A session in whose middle the gateway dies; the restart closes it."""
        opened = await self.knock(who, "dev-1", "app")
        first = recorded.opened_as(opened.session, self.company.ids[who], "dev-1", "app", self.company.clock.now)
        data, head = recorded.broken_off(self._new_key(opened.session), first, recorded.TERMINAL[:4])
        self._write(opened.session, data)
        self.company.sessions["crashed"] = opened.session
        await self._seal(SealedHead(opened.session, head.seq, head.digest.hex()))
        key = key_beside(self.company.data / "recordings", self.company.envelope)
        recordings = self.company.data / "recordings"
        assert await recover(self.ledger, [opened.session], recordings, key, sealed_by(self.reader)) == 1

    async def refused_and_failed(self) -> None:
        """One who may not, and a target that does not answer."""
        nowhere = Knock(
            session=self.new("ses"),
            entry=EntryPoint.SSH_CERTIFICATE,
            person=self.company.ids["aud"],
            target="web-1",
            login="deploy",
            node=self.node,
            source="192.0.2.7",
            client="",
            sign_in=self.company.signed_in["aud"],
        )
        assert isinstance(await open_session(self.ledger, nowhere), Refused)
        opened = await self.knock("eve", "dev-1", "app")
        failed = SessionFailed(opened.session, SessionEnd.TARGET_HANGING, "no answer")
        assert await fail_session(self.ledger, failed) is None

    async def grant(self, who: str) -> None:
        """Asked for and approved."""
        made = await make_request(
            self.ledger, self.actor(who), self.new("req"), "web-1", "deploy", HOUR, "restart nginx", "OPS-7"
        )
        assert isinstance(made, Asked), made
        granted = await approve_request(
            self.ledger, self.actor("max"), made.request, made.digest, self.new("grt"), "go ahead"
        )
        assert isinstance(granted, Granted), granted
        self.company.clock.advance(UNDO)

    async def vendor_comes_and_goes(self) -> None:
        """Somebody with a sponsor and an end, who leaves."""
        ids, ends = self.company.ids, Instant(self.company.clock.now + 60 * DAY)
        known = Attributes("Vic Vendor", "vic@example.net", owner=ids["max"], ends=ends)
        ids["vic"] = self.new("per")
        vendor = PersonKind.VENDOR
        assert await add_person(self.ledger, self.actor("ada"), ids["vic"], vendor, known, "repairs") is None
        left = await disable_person(self.ledger, self.actor("ada"), ids["vic"], "contract over")
        assert not isinstance(left, Refused), left

    async def check(self) -> None:
        """Every recording that was closed is opened again."""
        recordings = self.company.data / "recordings"
        key, stopping = key_beside(recordings, self.company.envelope), threading.Event()
        checks = RecordingChecks(self.ledger, self.reader, recordings, key, self.node, stopping)
        while await checks.check_new():
            pass

    async def pack(self, name: str, begin: Instant, until: Instant) -> None:
        """Publishes, and draws a pack."""
        company = self.company
        await asyncio.to_thread(company.publish)
        evidence = Evidence(
            ledger=self.ledger,
            reader=self.reader,
            database=company.data / "ledger.db",
            tiles=TileFolder(company.data / "log"),
            packs=company.folder / "packs",
            origin=company.signer.origin,
            log_key=company.signer.key,
            witness_keys=(WITNESS,),
            environment="production",
            clock=company.clock,
        )
        path = await evidence.draw(self.actor("aud"), Period(begin, until))
        assert isinstance(path, Path), path
        path.rename(company.folder / f"pack-{name}.zip")

    async def _seal(self, head: SealedHead) -> None:
        await seal_chunks(self.ledger, self.node, root_of_heads((head,)), (head,))

    def _new_key(self, session: str) -> bytes:
        company = self.company
        return new_key_beside(company.data / "recordings", company.envelope, company.random)(session)

    def _write(self, session: str, data: bytes) -> None:
        recording_path(self.company.data / "recordings", session).write_bytes(data)
