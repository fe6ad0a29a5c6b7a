"""What the processes of the golden company do, each from its start to its end, by the product's own commands."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from onepam import __version__
from onepam.app.host.announced import make_recovery_key
from onepam.app.leaving.probe_access import record_probe
from onepam.app.open_session import Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.people.disable_person import disable_person
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.make_request import make_request
from onepam.app.roster.follow_roster import follow_roster
from onepam.app.roster.take_roster import Upload, take_roster
from onepam.app.sessions.close_session import NoFacts, append_event, close_session, fail_session, seal_chunks
from onepam.app.sessions.kill_session import kill_session
from onepam.app.signing_in.enrol import bootstrap_enrolment, enrol
from onepam.app.signing_in.sign_in import sign_in
from onepam.blobs.tile_folder import TileFolder
from onepam.boot.demo.founding import Founder, Founding
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import ClockJumped, SystemStarted
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbePurpose
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.approval import Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.events import UNDO
from onepam.domain.roster.taking import Took
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import EntryPoint, SealedHead, SessionClosed, SessionFailed
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.gate import Visitor
from onepam.domain.signing_in.rules import Opening, Proof
from onepam.evidence.envelope import Period
from onepam.gateway.recorder import recording_path
from onepam.gateway.recover import recover
from onepam.gateway.sealing import root_of_heads
from onepam.jobs.evidence import Evidence
from onepam.jobs.recording_check import RecordingChecks, key_beside, new_key_beside, sealed_by
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.signing.author import NodeAuthor
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader
from onepam.store.read.proofs_of_sign_in import account_by_email
from tests.golden import recorded
from tests.golden.company import ACCESS, PEOPLE, RECOVERY, WITNESS, GoldenCompany

ROSTER = """\
number,name,email,type,manager,starts,ends,time_zone,sponsor,contract_ends
1,Ada Admin,ada@example.com,employee,,2019-02-01,,,,
2,Ben Backup,ben@example.com,employee,1,2019-02-01,,,,
3,Max Manager,max@example.com,employee,1,2019-02-01,,,,
4,Eve Engineer,eve@example.com,employee,3,2019-02-01,,,,
5,Nora Newcomer,nora@example.com,employee,3,2026-03-01,,,,
V-1,Vera Vendor,vera@example.net,vendor,,2026-01-07,,,3,2026-06-30
"""


@contextmanager
def life(company: GoldenCompany, node: str, *, certified: bool = True) -> Iterator["Life"]:
    """A process that writes the ledger as `node`, from its start to its end."""
    certify = company.signer.certify
    author = NodeAuthor.certified(node, certify) if certified else NodeAuthor.uncertified(node)
    path = company.data / "ledger.db"
    ledger = SqliteLedger(path, author, company.clock, company.random, monotonic=company.clock)
    reader = SqliteReader(path, company.clock)
    try:
        yield Life(company, node, ledger, reader)
    finally:
        ledger.close()
        reader.close()


@dataclass
class Life:
    """What one process does."""

    company: GoldenCompany
    node: str
    ledger: SqliteLedger
    reader: SqliteReader

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
            entry=EntryPoint.POSTGRES_CERTIFICATE if resource == "orders" else EntryPoint.SSH_CERTIFICATE,
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

    async def vendors_come_and_go(self) -> None:
        """Two with a sponsor and an end, of whom one leaves."""
        ids, ends = self.company.ids, Instant(self.company.clock.now + 60 * DAY)
        for who in ("vic", "vera"):
            known = Attributes(f"{who.title()} Vendor", f"{who}@example.net", owner=ids["max"], ends=ends)
            ids[who] = self.new("per")
            vendor = PersonKind.VENDOR
            assert await add_person(self.ledger, self.actor("ada"), ids[who], vendor, known, "repairs") is None
        left = await disable_person(self.ledger, self.actor("ada"), ids["vic"], "contract over")
        assert not isinstance(left, Refused), left
        await self.stranger_asks(ids["vic"])

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

    async def stranger_asks(self, person: str) -> None:
        """A listener is asked whether somebody who left would still get in."""
        probe = Probe(self.new("prb"), person, ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.LEAVER)
        gone = Refused("person.disabled", "This account is disabled.")
        await record_probe(self.ledger, probe, gone, self.node)

    async def much(self) -> None:
        """More entries in one batch than a tile holds."""
        jumped = tuple(ClockJumped(self.node, number, False) for number in range(1, 301))
        await self.ledger.commit(NoFacts(), lambda facts, now: Decided(jumped, None))

    async def take_roster(self) -> None:
        """The list of those whom the company says it has; one of them has no account."""
        upload = Upload(ROSTER.encode(), "upload", self.company.clock.now)
        taken = await take_roster(self.ledger, self.actor("ada"), upload, None, self.new)
        assert isinstance(taken, Took), taken
        await follow_roster(self.ledger, self.new)
