"""A company of a given size, as the events of its founding: what the large demo, tests and benchmarks stand on.

Everything follows from numbers: person, resource and role number n are always the same, whatever the size. Each of 40
teams has a role that reaches a fortieth of the resources, and is held by 5 of 200 groups. Everybody is in two groups,
holds one more role directly, and has a password and a TOTP. The first four work for OnePAM itself, and one in ten
approves.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from onepam.domain.access.events import BindingAdded, ResourceSet, RoleSet
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission, ResourceKind, SubjectKind
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.events import ChangeApplied, ChangeProposed
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.domain.people.events import GroupMemberAdded, PersonAdded, PersonKind
from onepam.domain.signing_in.events import (
    EnrolmentOpened,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorUsed,
    SignedIn,
    SignInKind,
)
from onepam.kernel.clock import DAY, HOUR, SECOND, Instant

TEAMS = (
    "accounts", "analytics", "backup", "billing", "build", "cards", "catalogue", "checkout", "claims", "compliance",
    "content", "data", "delivery", "design", "docs", "finance", "fraud", "growth", "identity", "imports",
    "ledger", "legal", "loans", "mail", "maps", "media", "metrics", "mobile", "network", "orders",
    "payments", "platform", "pricing", "quality", "reports", "risk", "search", "storage", "support", "tax",
)  # fmt: skip
SITES = ("berlin", "lisbon", "oslo", "toronto", "zurich")
FIRST = (
    "Ada", "Amir", "Anna", "Bela", "Chen", "Clara", "Daan", "Dina", "Elif", "Emil", "Fatma", "Felix", "Greta", "Hugo",
    "Ines", "Ivan", "Jana", "Jonas", "Kaya", "Kofi", "Lars", "Lena", "Lin", "Luca", "Maja", "Mateo", "Mei", "Milan",
    "Nadia", "Nils", "Noor", "Olga", "Omar", "Paula", "Priya", "Rafael", "Rosa", "Samir", "Sofia", "Tariq", "Tess",
    "Theo", "Uma", "Vera", "Wei", "Yara", "Yusuf", "Zane", "Zoe", "Åsa",
)  # fmt: skip
LAST = (
    "Abel", "Adeyemi", "Alvarez", "Bauer", "Becker", "Berg", "Blum", "Bose", "Brandt", "Castro", "Costa", "Dahl",
    "Diaz", "Dubois", "Eriksen", "Fischer", "Fontana", "Garcia", "Haas", "Hansen", "Hoffmann", "Ibrahim", "Ito",
    "Jansen", "Kaplan", "Keller", "Khan", "Klein", "Kovacs", "Kumar", "Lange", "Larsen", "Lopez", "Maier", "Mbeki",
    "Meyer", "Moreau", "Nakamura", "Neumann", "Novak", "Okafor", "Olsen", "Park", "Peeters", "Petrov", "Rossi", "Roth",
    "Santos", "Sato", "Schmidt", "Silva", "Singh", "Sousa", "Stein", "Suzuki", "Tanaka", "Torres", "Vogel", "Weber",
    "Yilmaz",
)  # fmt: skip
MACHINES = ("web", "db", "app", "cache", "queue")
GROUPS = tuple(f"{team}-{site}" for site in SITES for team in TEAMS)
APPROVER, ADMINISTRATOR, SECURITY, AUDITOR = "approver", "administrator", "security", "auditor"
BATCH = 5_000
SEALED = "of no key"
"""In place of a sealed secret: nobody signs in with it."""
FOUNDING = "chg_founding"

T = TypeVar("T")
Command = Callable[[Instant], Sequence[object]]
"""The events of one command, as of its time."""


def company(people: int, resources: int) -> Iterator[Command]:
    """Its founding, by commands of at most 5,000 events, as the product would give it, everybody signed in: its history
    is lawful."""
    yield from founding(people, resources)
    for some in batches(range(people), BATCH // 2):
        yield lambda now, some=some: [each for number in some for each in signed_in(number, now)]  # type: ignore[misc]


def founding(people: int, resources: int, also: Sequence[object] = ()) -> Iterator[Command]:
    """The same before anybody has signed in; `also` are objects of the role matrix."""
    for some in batches(range(people), BATCH):
        yield lambda now, some=some: [_person(number, now) for number in some]  # type: ignore[misc]
    matrix = (*_matrix(people, resources), *also)
    for number, objects in enumerate(batches(matrix, BATCH - 2)):
        yield lambda now, number=number, objects=objects: _change(f"chg_{number}", objects)  # type: ignore[misc]
    for some in batches(range(people), BATCH // 4):
        yield lambda now, some=some: [each for number in some for each in enrolled(number, now)]  # type: ignore[misc]


def carried_out(command: Command) -> Callable[[None, Instant], Decided[int]]:
    """The decider of a command; how many events there were."""

    def decide(command: Command, facts: None, now: Instant) -> Decided[int]:
        events = tuple(command(now))
        return Decided(events, len(events))

    return partial(decide, command)


def person_id(number: int) -> str:
    """Of the person of that number."""
    return f"per_{number}"


def sign_in_id(number: int) -> str:
    """Of that person's first sign-in."""
    return f"sgn_{number}"


def role_of(resource: int) -> str:
    """The role that reaches the resource of that number."""
    return TEAMS[resource % len(TEAMS)]


def own_role(person: int) -> str:
    """The role that the person of that number holds directly, by the binding `bnd_NUMBER`."""
    return TEAMS[(person + 3) % len(TEAMS)]


@cache
def role_version(role: str) -> str:
    """What the role gives, by its digest."""
    return _role(role).version()


def resource_id(number: int) -> str:
    """The name of the resource of that number: web-1, db-1, …, web-2, …"""
    return f"{MACHINES[number % len(MACHINES)]}-{number // len(MACHINES) + 1}"


def is_production(resource: int) -> bool:
    """A third is: what they give there, they give on request."""
    return resource // len(TEAMS) % 3 == 2


def approves(person: int) -> bool:
    """Whether the person of that number decides on requests."""
    return person % 10 == 5


def batches(these: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """All of them, `size` at a time."""
    ahead = iter(these)
    while batch := tuple(islice(ahead, size)):
        yield batch


def signed_in(number: int, now: Instant, session: str = "") -> tuple[object, ...]:
    """The person shows a password and a TOTP, in the first sign-in unless another is named."""
    session = session or sign_in_id(number)
    return (
        FactorUsed(f"fac_{number}_totp", person_id(number), now // (30 * SECOND)),
        SignedIn(
            session=session,
            person=person_id(number),
            kind=SignInKind.CONSOLE,
            proven=(FactorKind.PASSWORD, FactorKind.TOTP),
            mfa_at=now,
            expires=Instant(now + 10 * HOUR),
            parent=None,
            token_digest=sha256(session.encode()).hexdigest(),
            source=f"192.0.2.{number % 200 + 1}",
            agent="Mozilla/5.0",
        ),
    )


def bound(binding: str, role: str, kind: SubjectKind, subject: str, because: str) -> BindingAdded:
    """A role for somebody, from the file."""
    return BindingAdded(binding, role, kind, subject, None, "access.yaml", because, FOUNDING, None)


def _matrix(people: int, resources: int) -> Iterator[Any]:
    for role in (*TEAMS, *_RIGHTS):
        made, version = _role(role), role_version(role)
        yield RoleSet(role, version, made.purpose, made.owner, made.permissions, made.console, FOUNDING, None)
    for number in range(people):  # first: a change leaves somebody who administers
        for role in _for_onepam(number):
            yield bound(f"bnd_{role}_{number}", role, SubjectKind.PERSON, person_id(number), f"works as {role}")
    for number, group in enumerate(GROUPS):
        team = TEAMS[number % len(TEAMS)]
        yield bound(f"bnd_{group}", team, SubjectKind.GROUP, group, f"the team of {team}")
    for number in range(resources):
        yield _resource(number)
    for number in range(people):
        for step in (0, 7):
            group = GROUPS[(number + step) % len(GROUPS)]
            yield GroupMemberAdded(group, person_id(number), "access.yaml", None)
        yield bound(f"bnd_{number}", own_role(number), SubjectKind.PERSON, person_id(number), "helps that team, too")


def _for_onepam(number: int) -> Iterator[str]:
    if number < 4:
        yield (ADMINISTRATOR, ADMINISTRATOR, SECURITY, AUDITOR)[number]
    if approves(number):
        yield APPROVER


_NAMED: dict[type[Any], str] = {
    RoleSet: "role", ResourceSet: "resource", BindingAdded: "binding", GroupMemberAdded: "group member"
}  # fmt: skip


def _change(change: str, objects: tuple[Any, ...]) -> tuple[object, ...]:
    """A change of the role matrix before anybody has signed in, applied at once."""
    digest = sha256(change.encode()).hexdigest()
    named = (replace(each, change=change) if hasattr(each, "change") else each for each in objects)
    counts = Counter(_NAMED[type(each)] for each in objects)
    summary = ", ".join(f"{number} {word if number == 1 else word + 's'} created" for word, number in counts.items())
    return (
        ChangeProposed(change, digest, digest, True, None, summary, ""),
        ChangeApplied(change, digest, digest, None, bootstrap=True),
        *named,
    )


def called(number: int) -> tuple[str, str]:
    """That person's name and address."""
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    again = number // (len(FIRST) * len(LAST))
    address = f"{first}.{last}{again or ''}@example.org".replace("Å", "A").lower()
    return f"{first} {last}" + (f" {again + 1}" if again else ""), address


def access_ends(person: int, founded: Instant) -> Instant | None:
    """Of a vendor, one in 25, when the access ends; of anybody else there is no end."""
    return Instant(founded + (40 + person % 300) * DAY) if person % 25 == 24 else None


def _person(number: int, now: Instant) -> PersonAdded:
    name, email = called(number)
    ends = access_ends(number, now)
    vendor = ends is not None
    manager = person_id(number // 8) if number else None
    return PersonAdded(
        person=person_id(number),
        kind=PersonKind.VENDOR if vendor else PersonKind.EMPLOYEE,
        because="the founding",
        by=None,
        owner=manager if vendor else None,
        ends=ends,
        manager=manager,
        name=name,
        email=email,
    )


def enrolled(number: int, now: Instant) -> tuple[object, ...]:
    """Password and authenticator app of the person of that number, by a link of the founding."""
    person, link = person_id(number), f"enr_{number}"
    factors = (
        FactorEnrolled(f"fac_{number}_{kind.value}", person, kind, "", None, None, secret=SEALED)
        for kind in (FactorKind.PASSWORD, FactorKind.TOTP)
    )
    opened = EnrolmentOpened(link, person, Instant(now + DAY), "bootstrap", None, f"{number:064x}")
    return (opened, EnrolmentUsed(link, person), *factors)


_RIGHTS = {
    APPROVER: ConsoleRight.APPROVE,
    ADMINISTRATOR: ConsoleRight.ADMINISTER,
    SECURITY: ConsoleRight.MONITOR,
    AUDITOR: ConsoleRight.AUDIT,
}


def _role(role: str) -> RoleDefinition:
    if role in _RIGHTS:
        return RoleDefinition(role, f"The work of {role}s", "per_0", (_RIGHTS[role],), ())
    actions = (Action.SHELL, Action.EXEC, Action.SFTP)
    team = {"team": role}
    operate = Permission("operate", actions, {"env": "test", **team}, ("deploy",), Mode.STANDING, 8 * HOUR)
    repair = Permission("repair", actions, team, ("root",), Mode.REQUEST, 4 * HOUR, (APPROVER,), administrative=True)
    return RoleDefinition(role, f"Operates the servers of {role}", "per_0", (), (operate, repair))


def _resource(number: int) -> ResourceSet:
    env = "prod" if is_production(number) else "test"
    return ResourceSet(
        resource=resource_id(number),
        kind=ResourceKind.SSH,
        labels={"env": env, "team": role_of(number), "region": "eu-1"},
        owner="per_0",
        logins=("deploy", "root"),
        pins=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGl5Zm9yIG9uZXBhbSBiZW5jaG1hcmtzIG9u",),
        port=22,
        change=FOUNDING,
        by=None,
        address=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
    )
