"""A real ledger with a real publisher, its story of some days, and packs drawn from it as the platform draws them."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam import __version__
from onepam.app.open_session import Opened
from onepam.app.people.change_person import change_person
from onepam.app.people.disable_person import disable_person
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.deny_request import deny_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.app.sessions.close_session import close_session, fail_session
from onepam.app.sessions.kill_session import kill_session
from onepam.blobs.tile_folder import TileFolder
from onepam.domain.access.model import SubjectKind
from onepam.domain.history.system import PayloadsErased, SystemStarted
from onepam.domain.leaving.erasure_events import ErasureApproved, ErasureFinished, ErasureProposed
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbePurpose, made
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import GroupMemberAdded, PersonDisabled, PersonEnabled
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionFailed
from onepam.domain.signing_in.events import SignedOut, SignInKind
from onepam.evidence.envelope import Period
from onepam.jobs.evidence import Evidence
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.ledger.authors import certificate_text
from onepam.ledger.checkpoint import Checkpoint, sign_checkpoint
from onepam.ledger.note import Note, Signature, VerifierKey, sign
from onepam.signing.author import Certificate, NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.publish import Prove, Published, Publisher, Show
from tests.company import START, Company, binding, record
from tests.evidence.company import LOG, ORIGIN, WITNESS, Signer
from tests.evidence.lawful_company import LawfulCompany

WITNESS_KEYS = (VerifierKey.parse(WITNESS.vkey()),)


@dataclass
class Live:
    """A company whose ledger is published under the keys that the forger's tests know."""

    company: Company
    folder: Path
    witnessed: bool = True

    def publish(self) -> Published:
        """All steps that are due; the last one."""
        with closing(connect(self.company.path, read_only=True)) as db:
            publisher = Publisher(
                db, TileFolder(self.folder / "log"), ORIGIN, VerifierKey.parse(LOG.vkey()), self._sign, self._cosign
            )
            last = Published(publisher.published_size(), self.witnessed)
            while (published := publisher.publish()) is not None:
                last = published
            return last

    def _sign(self, checkpoint: Checkpoint, show: Show) -> bytes | Refused:
        private = Ed25519PrivateKey.from_private_bytes(LOG.seed)
        return sign_checkpoint(checkpoint, VerifierKey.parse(LOG.vkey()), private.sign)

    def _cosign(self, note: bytes, prove: Prove) -> tuple[Signature, ...] | Refused:
        if not self.witnessed:
            return Refused("witness.away", "The witness does not answer.")
        text = Note.parse(note).text.encode()
        line = WITNESS.line(text, self.company.clock.now // 1_000_000)
        return Note.parse(text + b"\n" + line).signatures

    def evidence(self, witness_keys: tuple[VerifierKey, ...] = WITNESS_KEYS, log: Signer = LOG) -> Evidence:
        """What the platform would hold."""
        return Evidence(
            ledger=self.company.ledger,
            reader=self.company.reader,
            database=self.company.path,
            tiles=TileFolder(self.folder / "log"),
            packs=self.folder / "packs",
            origin=ORIGIN,
            log_key=VerifierKey.parse(log.vkey()),
            witness_keys=witness_keys,
            environment="test",
            clock=self.company.clock,
        )

    async def draw(self, begin: Instant, until: Instant, person: str = "aud") -> Path | Refused:
        """Publishes and draws."""
        self.publish()
        return await self.evidence().draw(self.company.actor(person), Period(begin, until))

    async def pack(self, begin: Instant, until: Instant) -> bytes:
        """The bytes of a pack that is drawn."""
        path = await self.draw(begin, until)
        assert isinstance(path, Path), path
        data = path.read_bytes()
        path.unlink()
        return data


def closed(session: str, because: SessionEnd = SessionEnd.CLIENT_LEFT, gap: str | None = None) -> SessionClosed:
    return SessionClosed(session, because, "ab" * 32, 3, {"output": 7, "bytes": 512}, gap is None, gap)


async def opened(company: Company, person: str, resource: str, login: str) -> str:
    """The id of a session that the door opened."""
    outcome = await company.open(person, resource, login)
    assert isinstance(outcome, Opened), outcome
    return outcome.session


async def morning(company: Company) -> None:
    """A granted session that ends well, one that is cut, one that fails, refusals, and a request denied."""
    eve, max_, ada = (company.actor(each) for each in ("eve", "max", "ada"))
    made = await company.ask("eve", "web-1", "root", HOUR, "=cmd|'/c calc'!A0")
    refusal = await approve(company, "ada", made)
    assert isinstance(refusal, Refused)
    granted = await company.approve("max", made)
    session = await opened(company, "eve", "web-1", "root")
    assert await close_session(company.ledger, closed(session)) is None
    cut = await opened(company, "eve", "dev-1", "app")
    assert await kill_session(company.ledger, ada, cut, "looks wrong") is None
    assert await close_session(company.ledger, closed(cut, SessionEnd.KILLED, "chunk 3")) is None
    failed = await opened(company, "eve", "web-1", "root")
    assert await fail_session(company.ledger, SessionFailed(failed, SessionEnd.TARGET_HANGING, "no answer")) is None
    for person, target in (("vic", "web-1"), ("vic", "nowhere"), ("ghost", "web-1")):
        assert isinstance(await company.open(person, target, "app"), Refused)
    other = await company.ask("vic", "web-2", "app", 30 * MINUTE)
    assert await deny_request(company.ledger, max_, other.request, "not today") is None
    third = await company.ask("eve", "web-2", "app")
    assert await withdraw_request(company.ledger, eve, third.request) is None
    assert await end_grant(company.ledger, max_, granted.grant, "done") is None


async def approve(company: Company, person: str, made: Any) -> Any:
    return await approve_request(company.ledger, company.actor(person), made.request, made.digest, company.new("grt"))


async def afternoon(company: LawfulCompany) -> None:
    """A grant that runs out with its receipt, somebody renamed, a group, a leaver."""
    ada = company.actor("ada")
    company.clock.advance(HOUR)
    await company.approve("max", await company.ask("eve", "web-2", "app", 20 * MINUTE))
    left_open = await opened(company, "eve", "web-2", "app")
    company.clock.advance(30 * MINUTE)
    await expire_access(company.ledger)
    assert await close_session(company.ledger, closed(left_open, SessionEnd.EXPIRED)) is None
    known = Attributes("Eve Married", "eve@example.com")
    assert await change_person(company.ledger, ada, "eve", known) is None
    await company.join("gus")
    member, bound = (
        GroupMemberAdded("ops", "gus", "access.yaml", None),
        binding("ops", "engineer", kind=SubjectKind.GROUP),
    )
    await company.change("bob", member, bound)
    assert not isinstance(await disable_person(company.ledger, ada, "vic", "contract over"), Refused)
    probe = Probe("", "vic", ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.LEAVER, resource="web-1", login="app")
    gone = Refused("person.disabled", "This account is disabled.")
    await record(
        company.ledger,
        *(made(replace(probe, probe=f"prb_{each}", path=each), gone, "node-1") for each in list(ProbePath)[:2]),
    )
    await company.approve("max", await company.ask("gus", "web-1", "app", 4 * HOUR))


def certified(node: str) -> NodeAuthor:
    """A node that the log's key has certified."""
    log, private = VerifierKey.parse(LOG.vkey()), Ed25519PrivateKey.from_private_bytes(LOG.seed)

    def certify(key: VerifierKey) -> Certificate:
        text = certificate_text(ORIGIN, 1, key)
        return Certificate(1, Note(text, (sign(text, log, private.sign),)).encode().decode())

    return NodeAuthor.certified(node, certify)


async def story(folder: Path) -> Live:
    """Two parts of one day, published."""
    company = await LawfulCompany.create(folder, certified("nod_1"))
    await morning(company)
    await afternoon(company)
    await record(company.ledger, SystemStarted("node-1", __version__, ORIGIN, LOG.vkey(), "test"))
    live = Live(company, folder)
    live.publish()
    return live


async def erase(live: Live, person: str) -> tuple[int, ...]:
    """The payloads of all that concerns a person go, by an entry that two administrators agreed to."""
    with closing(connect(live.company.path, read_only=True)) as db:
        indexes = tuple(each[0] for each in db.execute("SELECT idx FROM payload WHERE person = ?", (person,)))
    for each in ("ada", "bob"):
        await live.company.sign_in(each)
    for step in (
        ErasureProposed("ers_1", person, "ada", "asked for", 0, (), {}),
        ErasureApproved("ers_1", person, "asked for", "ada", "bob"),
        PayloadsErased("ers_1", person, indexes, naming=False),
        ErasureFinished("ers_1", person, len(indexes)),
    ):
        await record(live.company.ledger, step)
    return indexes


async def complete(folder: Path) -> bytes:
    """A pack of the whole story, drawn two days later, after vic's data were erased."""
    live = await story(folder)
    await erase(live, "vic")
    live.company.clock.advance(DAY)
    await live.company.sign_in("aud")
    data = await live.pack(START, Instant(START + DAY))
    live.company.close()
    return data


async def leavings(folder: Path) -> bytes:
    """A pack in which people left who held much, little and nothing: sign-ins of both kinds that were ended, ran out or
    run still; sessions that ended, failed, broke off or run still; and one who left twice."""
    live = await story(folder)
    company, clock = live.company, live.company.clock

    async def leave(person: str, *held: str) -> None:
        ends = (SignedOut(each, person, "person.disabled", None) for each in held)
        await record(company.ledger, PersonDisabled(person, "ada", "left", notified=Instant(clock.now - HOUR)), *ends)

    await company.sign_in("max")
    command_line = replace(company.signed_in("max", 3 * HOUR), session="sgn_max_cli", kind=SignInKind.CLI)
    await record(company.ledger, command_line)
    kept, broken, failed = [await opened(company, "eve", "dev-1", "app") for _ in range(3)]
    await company.sign_in("eve")
    await record(company.ledger, replace(company.signed_in("eve", MINUTE), session="sgn_eve_short"))
    clock.advance(2 * MINUTE)
    await leave("eve", "sgn_eve")
    await leave("max", "sgn_max")
    last_byte = clock.advance(MINUTE)
    clock.advance(SECOND)
    assert await fail_session(company.ledger, SessionFailed(failed, SessionEnd.TARGET_HANGING, "no answer")) is None
    clock.advance(SECOND)
    assert await close_session(company.ledger, closed(broken, SessionEnd.GATEWAY_DIED)) is None
    clock.advance(SECOND)
    assert await close_session(company.ledger, replace(closed(kept), last_byte=last_byte)) is None
    await record(company.ledger, PersonEnabled("eve", "ada", "came back"))
    await company.sign_in("eve")
    again = await opened(company, "eve", "dev-1", "app")
    await record(company.ledger, replace(company.signed_in("eve", 2 * DAY), session="sgn_eve_long"))
    await leave("eve", "sgn_eve")
    clock.advance(MINUTE)
    assert await fail_session(company.ledger, SessionFailed(again, SessionEnd.TARGET_HANGING, "no answer")) is None
    clock.advance(DAY)
    await company.sign_in("aud")
    data = await live.pack(START, Instant(START + DAY))
    company.close()
    return data
