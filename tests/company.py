"""A small company on a real ledger: its people signed in, its roles in force, and a clock that only the test moves.

    company = await Company.create(tmp_path)
    made = await company.ask("eve", "web-1", "app")
    await company.approve("max", made)
    company.clock.advance(HOUR)
    company.close()

ada administers and watches, max approves, eve is an engineer, vic a vendor (of max), aud an auditor, bob a second
administrator. web-1 and web-2 are production, dev-1 is not, old-1 has no pinned host key.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from onepam.app.open_session import Challenge, Knock, Opened, open_session
from onepam.app.people.add_person import add_person
from onepam.app.ports import Ledger, Snapshot
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.make_request import make_request
from onepam.domain.access.authority import Actor
from onepam.domain.access.events import BindingAdded, BindingEnded, ResourceSet, RoleSet
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission, ResourceKind, SubjectKind
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonDisabled, PersonKind
from onepam.domain.requests.approval import Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.events import UNDO
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.kernel.clock import DAY, HOUR, MILLISECOND, MINUTE, Instant, parse
from onepam.kernel.errors import Refused
from onepam.signing.author import NodeAuthor
from onepam.store.engine.batches import Author
from onepam.store.engine.facts import loads
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader
from tests.lawful import assert_lawful

START = parse("2026-03-02T08:00:00Z")
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB7d0Vfz8Wf0o0Hjq6x3x0P3yq7h0rC1pQ2m9a4Zt1kN"
CERTIFICATE = f"sha256:{'ab' * 32}"
ALL_ACTIONS = (Action.SHELL, Action.EXEC, Action.SFTP)

PROD = Permission("prod", ALL_ACTIONS, {"env": "prod"}, ("app", "root"), Mode.REQUEST, 4 * HOUR, ("manager",))
DEV = Permission("dev", ALL_ACTIONS, {"env": "dev"}, ("app",), Mode.STANDING, 8 * HOUR)
SUPPORT = Permission("support", (Action.SHELL,), {"app": "web"}, ("app",), Mode.REQUEST, HOUR, ("manager",))

ROLES: dict[str, tuple[tuple[Permission, ...], tuple[ConsoleRight, ...]]] = {
    "administrator": ((), (ConsoleRight.ADMINISTER,)),
    "security": ((), (ConsoleRight.MONITOR,)),
    "manager": ((), (ConsoleRight.APPROVE,)),
    "auditor": ((), (ConsoleRight.AUDIT,)),
    "engineer": ((PROD, DEV), ()),
    "vendor": ((SUPPORT,), ()),
}
RESOURCES = {
    "web-1": ({"env": "prod", "app": "web"}, (HOST_KEY,)),
    "web-2": ({"env": "prod", "app": "web"}, (HOST_KEY,)),
    "dev-1": ({"env": "dev", "app": "web"}, (HOST_KEY,)),
    "old-1": ({"env": "dev"}, ()),
}
HOLDS = {
    "ada": ("administrator", "security"),
    "bob": ("administrator",),
    "max": ("manager",),
    "eve": ("engineer",),
    "vic": ("vendor",),
    "aud": ("auditor",),
}


class ManualClock:
    """Moves as it is told; each look takes a millisecond, so that time passes for those who act one after another."""

    def __init__(self, now: Instant) -> None:
        self.now = now

    def __call__(self) -> Instant:
        return self.advance(MILLISECOND)

    def advance(self, by: int) -> Instant:
        """Moves on by microseconds."""
        self.now = Instant(self.now + by)
        return self.now


class Counted:
    """Randomness that repeats from run to run, and never repeats within one."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return sha256(b"%d" % self._count).digest()[:size]


@dataclass(frozen=True, slots=True)
class Seed:
    """A command that looks at nothing: for what a test lays down by hand."""

    facts: ClassVar[type[None]] = type(None)


@loads(Seed)
def no_facts(db: Snapshot, query: Seed, at: Instant) -> None:
    return None


async def record(ledger: Ledger, *events: object) -> None:
    """Appends events as they are, in one command."""
    outcome = await ledger.commit(Seed(), lambda facts, now: Decided(events, None))
    assert not isinstance(outcome, Refused)


def role_set(role: str, permissions: Sequence[Permission], console: Sequence[ConsoleRight] = ()) -> RoleSet:
    """A role, whose version is the digest of its definition."""
    work = f"the work of {role}"
    version = RoleDefinition(role, work, "ada", tuple(console), tuple(permissions)).version()
    return RoleSet(role, version, work, "ada", tuple(permissions), tuple(console), "chg_1", None)


def resource_set(resource: str, labels: dict[str, str], pins: Sequence[str] = (HOST_KEY,)) -> ResourceSet:
    """An SSH resource with the logins app, root and db."""
    logins = ("app", "root", "db")
    return ResourceSet(
        resource,
        ResourceKind.SSH,
        labels,
        "ada",
        logins,
        tuple(pins),
        22,
        "chg_1",
        None,
        f"{resource}.example.com",
    )


def database_set(resource: str, labels: dict[str, str], kind: ResourceKind = ResourceKind.POSTGRES) -> ResourceSet:
    """A database's server with the logins of `resource_set`."""
    made = resource_set(resource, labels, (CERTIFICATE,))
    return replace(made, kind=kind, port=5432, environment=())


def binding(
    subject: str, role: str, ends: Instant | None = None, kind: SubjectKind = SubjectKind.PERSON
) -> BindingAdded:
    """The role for the subject, as `bnd_SUBJECT_ROLE`."""
    return BindingAdded(
        f"bnd_{subject}_{role}", role, kind, subject, ends, "access.yaml", "joined the team", "chg_1", None
    )


class Company:
    """The company; every method that changes something is a command on its ledger."""

    def __init__(self, path: Path, author: Author | None = None) -> None:
        author = author or NodeAuthor.uncertified("node-1")
        self.path = path
        self.clock = ManualClock(START)
        self.ledger = SqliteLedger(path, author, self.clock, Counted(), monotonic=self.clock)
        self.reader = SqliteReader(path, self.clock)
        self._numbers = 0
        self.shown: dict[str, Instant] = {}

    @classmethod
    async def create(cls, folder: Path, author: Author | None = None) -> "Company":
        """The company on its first morning, everybody signed in for twelve hours. Without an `author` nobody has
        certified who writes it."""
        company = cls(folder / "ledger.sqlite", author)
        await asyncio.gather(*(company._found(person) for person in HOLDS))
        await record(
            company.ledger,
            *(role_set(role, *gives) for role, gives in ROLES.items()),
            *(resource_set(name, dict(labels), keys) for name, (labels, keys) in RESOURCES.items()),
            *(binding(person, role) for person, roles in HOLDS.items() for role in roles),
        )
        await record(company.ledger, *(company.signed_in(person) for person in HOLDS))
        return company

    async def _found(self, person: str) -> None:
        kind = PersonKind.VENDOR if person == "vic" else PersonKind.EMPLOYEE
        known = Attributes(f"{person.title()} Example", f"{person}@example.com")
        if kind is PersonKind.VENDOR:
            known = replace(known, owner="max", ends=Instant(START + 90 * DAY))
        assert await add_person(self.ledger, None, person, kind, known, "founded the company") is None

    def actor(self, person: str) -> Actor:
        """The person in the sign-in session of the first morning (or of the latest `sign_in`)."""
        return Actor(person, f"sgn_{person}", "192.0.2.1")

    def signed_in(self, person: str, lasts: int = 12 * HOUR) -> SignedIn:
        """A password and a TOTP, proven now."""
        now = self.shown[person] = self.clock()
        return SignedIn(
            session=f"sgn_{person}",
            person=person,
            kind=SignInKind.CONSOLE,
            proven=(FactorKind.PASSWORD, FactorKind.TOTP),
            mfa_at=now,
            expires=Instant(now + lasts),
            parent=None,
            token_digest=sha256(f"{person} {now}".encode()).hexdigest(),
            source="192.0.2.1",
            agent="test",
        )

    async def leaves(self, person: str, news: int = 0, signed_in: int = 0) -> Instant:
        """The person leaves, `news` microseconds after the roster said so, with a sign-in that would have lasted for
        `signed_in` more; the time of the leaving."""
        sign_in, at = self.signed_in(person), list[Instant]()

        def leave(facts: None, now: Instant) -> Decided[None]:
            at.append(Instant(now + 1))  # entries of one command are a microsecond apart
            lasting = replace(sign_in, expires=Instant(at[-1] + signed_in))
            return Decided(
                (lasting, PersonDisabled(person, None, "left", "roster", Instant(at[-1] - news), None)), None
            )

        left = await self.ledger.commit(Seed(), leave)
        assert not isinstance(left, Refused)
        return at[-1]

    async def sign_in(self, person: str, lasts: int = 12 * HOUR) -> None:
        """The person signs in, in place of an earlier time."""
        await record(self.ledger, self.signed_in(person, lasts))

    async def ask(
        self, person: str, resource: str, login: str, duration: int = HOUR, reason: str = "restart nginx"
    ) -> Asked:
        """A request that is made; refusals are tested with the use case itself."""
        made = await make_request(
            self.ledger, self.actor(person), self.new("req"), resource, login, duration, reason, "OPS-7"
        )
        assert isinstance(made, Asked), made
        return made

    async def approve(self, person: str, made: Asked) -> Granted:
        """An approval that has taken effect, under a factor that is shown for it."""
        if self.shown.get(person, 0) + 10 * MINUTE <= self.clock.now:
            await self.sign_in(person)
        granted = await approve_request(
            self.ledger, self.actor(person), made.request, made.digest, self.new("grt"), "go ahead"
        )
        assert isinstance(granted, Granted), granted
        self.clock.advance(UNDO)
        return granted

    async def open(self, person: str, resource: str, login: str) -> Opened | Challenge | Refused:
        """Knocks at the door with a certificate of the person's sign-in session."""
        knock = Knock(
            session=self.new("ses"),
            entry=EntryPoint.SSH_CERTIFICATE,
            person=person,
            target=resource,
            login=login,
            node="node-1",
            source="192.0.2.1",
            client="OpenSSH_9.2",
            sign_in=f"sgn_{person}",
        )
        return await open_session(self.ledger, knock)

    async def join(self, person: str, *roles: str) -> None:
        """Somebody new: added by ada, bound to the roles, signed in."""
        known = Attributes(f"{person.title()} Example", f"{person}@example.com")
        added = await add_person(self.ledger, self.actor("ada"), person, PersonKind.EMPLOYEE, known, "hired")
        assert added is None, added
        await record(self.ledger, *(binding(person, role) for role in roles))
        await self.sign_in(person)

    async def bind(self, person: str, role: str, ends: Instant | None = None) -> None:
        """Binds a role, as an applied change would."""
        await record(self.ledger, binding(person, role, ends))

    async def databases(self, kind: ResourceKind = ResourceKind.POSTGRES) -> None:
        """Makes servers of such databases of all resources that are known by something, and of the engineers'
        permissions such for queries."""
        permissions = tuple(replace(each, actions=(Action.QUERY,)) for each in ROLES["engineer"][0])
        await record(
            self.ledger,
            role_set("engineer", permissions),
            *(
                replace(database_set(name, dict(labels)), kind=kind)
                for name, (labels, keys) in RESOURCES.items()
                if keys
            ),
        )

    async def unbind(self, person: str, role: str) -> None:
        """Ends the binding that `bind` or the founding made."""
        await record(self.ledger, BindingEnded(f"bnd_{person}_{role}", "left the team", "chg_2", None))

    def new(self, prefix: str) -> str:
        """A fresh id."""
        self._numbers += 1
        return f"{prefix}_{self._numbers:04}"

    def close(self) -> None:
        """Closes the ledger and the reader; what the product wrote was lawful."""
        self.ledger.close()
        self.reader.close()
        assert_lawful(self.path)


def refused(outcome: Any, code: str) -> Refused:
    """Asserts that the outcome is this refusal."""
    assert isinstance(outcome, Refused), outcome
    assert outcome.code == code, outcome
    return outcome
