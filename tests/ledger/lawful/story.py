"""A history as the product's own events tell it, and what the rules say of one that has something planted in it.

    told = Story()
    told.found()                      # a company: ada and bob administer, max approves, eve is an engineer
    told.sign_in("ada")
    at = told.add(PersonAdded(...))   # one command
    assert told.said() == []

An entry may be of any event, whether somebody could have brought it about or not: nothing decides here.
"""

from collections.abc import Iterator, Sequence

from onepam.domain.access.events import BindingAdded, BindingEnded, ResourceSet, RoleSet
from onepam.domain.access.model import (
    Action,
    ConsoleRight,
    MfaRule,
    Mode,
    Permission,
    ResourceKind,
    SubjectKind,
    Substance,
)
from onepam.domain.access.review_schedule import ReviewsSet
from onepam.domain.history.event import kind_to_write
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonAdded, PersonDisabled, PersonKind
from onepam.domain.requests.events import GrantEnded, GrantStarted, RequestApproved, RequestMade
from onepam.domain.signing_in.events import (
    EnrolmentEnded,
    EnrolmentOpened,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorRemoved,
    FactorUsed,
    SignedIn,
    SignedOut,
    SignInKind,
)
from onepam.kernel.canonical import utf8
from onepam.kernel.clock import DAY, HOUR, SECOND, Instant, parse
from onepam.ledger.findings import Row
from onepam.ledger.lawful.judging import Lawful
from onepam.ledger.lawful.known import Person
from onepam.ledger.lawful.rows import of_rows, through
from tests.ledger.lawful.clauses import Listening

START = parse("2026-03-02T08:00:00Z")
ALL = (Action.SHELL, Action.EXEC, Action.SFTP)
PROD = Permission("prod", ALL, {"env": "prod"}, ("app",), Mode.REQUEST, 4 * HOUR, ("manager",))
DEV = Permission("dev", ALL, {"env": "dev"}, ("app",), Mode.STANDING, 8 * HOUR)
ROOT = Permission("root", ALL, {"env": "dev"}, ("root",), Mode.STANDING, 8 * HOUR, administrative=True)
ROLES: dict[str, tuple[tuple[Permission, ...], tuple[ConsoleRight, ...]]] = {
    "administrator": ((), (ConsoleRight.ADMINISTER,)),
    "senior": ((), (ConsoleRight.ACCEPT_RISK,)),
    "manager": ((), (ConsoleRight.APPROVE,)),
    "auditor": ((), (ConsoleRight.AUDIT,)),
    "security": ((), (ConsoleRight.MONITOR,)),
    "engineer": ((PROD, DEV), ()),
    "operator": ((ROOT,), ()),
}
HOLDS = {
    "ada": ("administrator",),
    "bob": ("administrator",),
    "max": ("manager",),
    "sue": ("senior",),
    "aud": ("auditor",),
    "mon": ("security",),
    "eve": ("engineer",),
    "ops": ("operator",),
    "joe": (),
}
RESOURCES = {"web-1": {"env": "prod"}, "dev-1": {"env": "dev"}}


class Story:
    """Entries one after another; each command begins a second after the one before."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.now = START
        self._steps: dict[str, int] = {}

    def add(self, *events: object, bare: bool = False) -> int:
        """One command; the position of its first entry. What they hold goes with who leaves, unless it is `bare`."""
        events = events if bare else (*events, *self._endings(events))
        first = len(self.rows)
        self.now = Instant(self.now + SECOND)
        for number, event in enumerate(events):
            kind = kind_to_write(event)
            text = kind.write_body(event, "0" * 64) if kind.private_fields else kind.write_open(event)
            at = Instant(self.now + number)
            self.rows.append(Row(len(self.rows), at, kind.name, kind.version, kind.klass, 0, utf8(text), b""))
        return first

    def _endings(self, events: Sequence[object]) -> Iterator[object]:
        """What ends with those who leave, and is not among the events."""
        gone = [each.person for each in events if isinstance(each, PersonDisabled)]
        if not gone:
            return
        judging = of_rows()
        for _ in through(judging, iter(self.rows)):
            pass
        judging.end()
        for who in gone:
            person = judging._state.people.get(who)
            if person is not None:
                named = {value for each in events for value in fields_of(each).values() if isinstance(value, str)}
                yield from (each for name, each in _held(who, person) if name not in named)

    def wait(self, microseconds: int) -> None:
        """Time passes."""
        self.now = Instant(self.now + microseconds)

    def at(self) -> Instant:
        """The time that the next command will have."""
        return Instant(self.now + SECOND)

    def judged(self) -> Lawful:
        """What the rules say of all of it."""
        judging = Listening()
        for row in self.rows:
            judging.hear(row)
        return judging.end()

    def said(self) -> list[tuple[int, str]]:
        """The findings: which entry, and why it had no right to be."""
        return [(each.position, each.why) for each in self.judged().findings]

    def found(self, holds: dict[str, tuple[str, ...]] | None = None) -> "Story":
        """The host sets up people, roles and resources, before anybody has signed in."""
        holds = HOLDS if holds is None else holds
        for who in holds:
            self.add(
                PersonAdded(who, PersonKind.EMPLOYEE, "founded", None, None, None, None, who, f"{who}@example.com")
            )
        self.change(
            "chg_0",
            None,
            *(role_set(name, *gives) for name, gives in ROLES.items()),
            *(resource_set(name, labels) for name, labels in RESOURCES.items()),
            *(binding(f"bnd_{who}_{role}", role, who) for who, roles in holds.items() for role in roles),
        )
        return self

    def change(self, change: str, by: str | None, *objects: object, alone: bool = False) -> int:
        """A change of the matrix; its objects name it and whoever applies it. What gives something somebody else had
        proposed, unless it is done `alone`."""
        named = [
            type(each)(**{**fields_of(each), **({"change": change} if "change" in fields_of(each) else {}), "by": by})
            for each in objects
        ]
        applied = ChangeApplied(change, "d0", "d1", by, bootstrap=by is None)
        giving = BindingAdded | RoleSet | ResourceSet | GroupMemberAdded | ReviewsSet
        gives = any(isinstance(each, giving) for each in objects)
        if by is None or alone or not gives:
            proposed = ChangeProposed(change, "d0", "d1", by is None, by, "changes", "text")
            return self.add(proposed, applied, *named)
        other = "bob" if by == "ada" else "ada"
        self.sign_in(other)
        self.add(ChangeProposed(change, "d0", "d1", True, other, "changes", "text"))
        return self.add(ChangeApproved(change, "d1", by), applied, *named)

    def enrol(self, who: str, *kinds: FactorKind) -> int:
        """By a link of the host (before the first sign-in)."""
        link = f"enr_{who}_{len(self.rows)}"
        self.add(EnrolmentOpened(link, who, Instant(self.at() + DAY), "founded", None))
        kinds = kinds or (FactorKind.PASSWORD, FactorKind.TOTP)
        factors = (FactorEnrolled(f"fac_{who}_{each.value}", who, each, "", None, who) for each in kinds)
        return self.add(EnrolmentUsed(link, who, ()), *factors)

    def sign_in(self, who: str, session: str = "") -> str:
        """With password and TOTP; the session's id."""
        session = session or f"sgn_{who}_{len(self.rows)}"
        self.add(self.used(who), self.signed_in(who, session))
        return session

    def used(self, who: str, kind: FactorKind = FactorKind.TOTP) -> FactorUsed:
        """A fresh code of somebody's."""
        step = self._steps[who] = self._steps.get(who, 0) + 1
        return FactorUsed(f"fac_{who}_{kind.value}", who, step)

    def signed_in(self, who: str, session: str, **other: object) -> SignedIn:
        """A console session as of the next command."""
        values: dict[str, object] = {
            "session": session,
            "person": who,
            "kind": SignInKind.CONSOLE,
            "proven": (FactorKind.PASSWORD, FactorKind.TOTP),
            "mfa_at": self.at(),
            "expires": Instant(self.at() + 10 * HOUR),
            "parent": None,
        }
        return SignedIn(**{**values, **other})  # type: ignore[arg-type]

    def ready(self, *people: str) -> "Story":
        """A company of which these have signed in (all with factors)."""
        self.found()
        for who in HOLDS:
            self.enrol(who)
        for who in people:
            self.sign_in(who, f"sgn_{who}")
        return self

    def ask(self, who: str = "eve", request: str = "req_1") -> Substance:
        """Access to production that waits for a manager."""
        self.ask_at(who, request)
        return substance(who)

    def ask_at(self, who: str = "eve", request: str = "req_1") -> int:
        """The same; the position of the entry."""
        asked = substance(who)
        return self.add(RequestMade(request, asked, asked.digest(), Instant(self.at() + DAY), "why", ""))

    def approve(self, asked: Substance, by: str = "max", request: str = "req_1", grant: str = "grt_1") -> int:
        """A manager's yes, with the grant that it gives."""
        starts = Instant(self.at() + 10 * SECOND)
        return self.add(
            RequestApproved(request, asked.digest(), by, "manager", starts, ""),
            GrantStarted(
                grant, request, asked, f"bnd_{asked.person}_engineer", by, starts, Instant(starts + asked.duration)
            ),
        )


def _held(who: str, person: Person) -> Iterator[tuple[str, object]]:
    for each in person.sign_ins:
        yield each, SignedOut(each, who, "person.disabled", None)
    for each, grant in person.grants.items():
        yield each, GrantEnded(each, grant.request, "person.disabled", None)
    for each in person.links:
        yield each, EnrolmentEnded(each, who, "person.disabled", None)
    for each in person.factors:
        yield each, FactorRemoved(each, who, "person.disabled", None)
    for each in person.bindings:
        yield each, BindingEnded(each, "person.disabled", "", None)
    for group, source in person.groups:
        yield group, GroupMemberRemoved(group, who, source, None)


def fields_of(event: object) -> dict[str, object]:
    """The fields of a frozen record."""
    return {name: getattr(event, name) for name in event.__dataclass_fields__}  # type: ignore[attr-defined]


def role_set(role: str, permissions: Sequence[Permission], console: Sequence[ConsoleRight] = ()) -> RoleSet:
    """A role, whose permissions stand in the order of their names."""
    version = RoleDefinition(role, "work", "ada", tuple(console), tuple(permissions)).version()
    return RoleSet(role, version, "work", "ada", tuple(permissions), tuple(console), "", None)


def resource_set(
    resource: str, labels: dict[str, str], pins: Sequence[str] = ("ssh-ed25519 A",), mfa: MfaRule | None = None
) -> ResourceSet:
    """An SSH resource with the logins app and root."""
    kind = ResourceKind.SSH
    return ResourceSet(resource, kind, labels, "ada", ("app", "root"), tuple(pins), 22, "", None, "192.0.2.1", mfa)


def binding(name: str, role: str, who: str, ends: Instant | None = None, *, group: bool = False) -> BindingAdded:
    """A role for a person or a group."""
    kind = SubjectKind.GROUP if group else SubjectKind.PERSON
    return BindingAdded(name, role, kind, who, ends, "access.yaml", "work", "", None)


def version_of(role: str) -> str:
    """The version that `role_set` gives the founding role of that name."""
    return role_set(role, *ROLES[role]).version


def substance(who: str = "eve", **other: object) -> Substance:
    """What an engineer asks of production."""
    values: dict[str, object] = {
        "person": who,
        "resource": "web-1",
        "login": "app",
        "role": "engineer",
        "role_version": version_of("engineer"),
        "permission": "prod",
        "actions": ALL,
        "duration": HOUR,
    }
    return Substance(**{**values, **other})  # type: ignore[arg-type]
