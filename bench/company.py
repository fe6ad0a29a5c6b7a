"""A company of a given size, as events, and knocks at its doors: what the benchmarks measure on."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from onepam.app.open_session import Knock
from onepam.app.sessions.close_session import NoFacts
from onepam.domain.access.model import (
    Action,
    BindingAdded,
    ConsoleRight,
    Mode,
    Permission,
    ResourceKind,
    ResourceSet,
    RoleSet,
    SubjectKind,
)
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.events import ChangeApplied, ChangeProposed
from onepam.domain.people.events import GroupMemberAdded, PersonAdded, PersonKind
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.signing_in.events import (
    EnrolmentOpened,
    EnrolmentUsed,
    FactorEnrolled,
    FactorKind,
    FactorUsed,
    SignedIn,
    SignInKind,
)
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.ids import new_id
from onepam.store.engine.writer import Writer

ROLES = 40
GROUPS = 200
BATCH = 5_000

T = TypeVar("T")
Command = Callable[[Instant], tuple[object, ...]]
"""The events of one command, as of its time."""


def company(people: int, resources: int) -> Iterator[Command]:
    """Its founding, by commands of at most 5,000 events, as the product would give it: its history is lawful.

    Each of 40 roles reaches a fortieth of the resources and is held by 5 of 200 groups. Everybody is in two groups,
    holds one more role directly, has a password and TOTP, and is signed in. Role 1 administers, and so does person 1.
    """
    for some in _batches(range(people), BATCH):
        yield lambda now, some=some: tuple([_person(number) for number in some])  # type: ignore[misc]
    for number, objects in enumerate(_batches(_matrix(people, resources), BATCH - 2)):
        yield lambda now, number=number, objects=objects: _change(f"chg_{number}", objects)  # type: ignore[misc]
    for some in _batches(range(people), BATCH // 4):
        yield lambda now, some=some: tuple([each for number in some for each in _enrolled(number, now)])  # type: ignore[misc]
    for some in _batches(range(people), BATCH // 2):
        yield lambda now, some=some: tuple([each for number in some for each in _signed_in(number, now)])  # type: ignore[misc]


def settle(writer: Writer, commands: Iterator[Command]) -> int:
    """Appends the commands; how many events there were."""

    def decide(command: Command, facts: None, now: Instant) -> Decided[int]:
        events = command(now)
        return Decided(events, len(events))

    return sum(writer.commit(NoFacts(), partial(decide, command)).result for command in commands)


def _batches(these: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    ahead = iter(these)
    while batch := tuple(islice(ahead, size)):
        yield batch


def _matrix(people: int, resources: int) -> Iterator[Any]:
    for number in range(ROLES):
        yield _role(number)
    for number in range(GROUPS):
        yield _binding(f"bnd_group_{number}", number, SubjectKind.GROUP, f"group-{number}")
    for number in range(resources):
        yield _resource(number)
    for number in range(people):
        for step in (0, 7):
            yield GroupMemberAdded(f"group-{(number + step) % GROUPS}", f"per_{number}", "access.yaml", None)
        yield _binding(f"bnd_{number}", number + 3, SubjectKind.PERSON, f"per_{number}")


def _change(change: str, objects: tuple[Any, ...]) -> tuple[object, ...]:
    """A change of the role matrix before anybody has signed in, applied at once."""
    digest = sha256(change.encode()).hexdigest()
    named = (replace(each, change=change) if hasattr(each, "change") else each for each in objects)
    return (
        ChangeProposed(change, digest, digest, True, None, "the founding", ""),
        ChangeApplied(change, digest, digest, None, bootstrap=True),
        *named,
    )


def _person(number: int) -> PersonAdded:
    return PersonAdded(
        person=f"per_{number}",
        kind=PersonKind.EMPLOYEE,
        because="the founding",
        by=None,
        owner=None,
        ends=None,
        name=f"Person {number}",
        email=f"{number}@example.org",
    )


def _enrolled(number: int, now: Instant) -> tuple[object, ...]:
    person, link = f"per_{number}", f"enr_{number}"
    factors = (
        FactorEnrolled(f"fac_{number}_{kind.value}", person, kind, "", None, None, secret="sealed")
        for kind in (FactorKind.PASSWORD, FactorKind.TOTP)
    )
    opened = EnrolmentOpened(link, person, Instant(now + DAY), "bootstrap", None, f"{number:064x}")
    return (opened, EnrolmentUsed(link, person), *factors)


def knocks(people: int, resources: int, seed: int = 1) -> Iterator[Knock]:
    """Random people, for ever, at targets that their roles reach."""
    chance = random.Random(seed)
    while True:
        number = chance.randrange(people)
        target = chance.randrange(resources // ROLES) * ROLES + number % ROLES
        yield Knock(
            session=new_id("ses", chance.randbytes),
            entry=EntryPoint.SSH_CERTIFICATE,
            person=f"per_{number}",
            target=f"web-{target}",
            login="deploy",
            node="gateway-1",
            source="192.0.2.17",
            client="SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
            sign_in=f"sgn_{number}",
        )


def _role(number: int) -> RoleSet:
    where = {"env": "test", "team": f"team-{number}"}
    actions = (Action.SHELL, Action.EXEC, Action.SFTP)
    return RoleSet(
        role=f"role-{number}",
        version=f"{number:064x}",
        purpose="Operates the team's servers",
        owner="per_0",
        permissions=(
            Permission("operate", actions, where, ("deploy",), Mode.STANDING, 8 * HOUR),
            Permission("repair", actions, where, ("root",), Mode.REQUEST, HOUR, ("role-0",), administrative=True),
        ),
        console={0: (ConsoleRight.APPROVE,), 1: (ConsoleRight.ADMINISTER,)}.get(number, ()),
        change="chg_founding",
        by=None,
    )


def _binding(binding: str, number: int, kind: SubjectKind, subject: str) -> BindingAdded:
    return BindingAdded(binding, f"role-{number % ROLES}", kind, subject, None, "access.yaml", "", "chg_founding", None)


def _resource(number: int) -> ResourceSet:
    return ResourceSet(
        resource=f"web-{number}",
        kind=ResourceKind.SSH,
        labels={"env": "test", "team": f"team-{number % ROLES}", "region": "eu-1"},
        owner="per_0",
        logins=("deploy", "root"),
        pins=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGl5Zm9yIG9uZXBhbSBiZW5jaG1hcmtzIG9u",),
        port=22,
        change="chg_founding",
        by=None,
        address=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
    )


def _signed_in(number: int, now: Instant) -> tuple[object, ...]:
    return (
        FactorUsed(f"fac_{number}_totp", f"per_{number}", 1),
        SignedIn(
            session=f"sgn_{number}",
            person=f"per_{number}",
            kind=SignInKind.CONSOLE,
            proven=(FactorKind.PASSWORD, FactorKind.TOTP),
            mfa_at=now,
            expires=Instant(now + 10 * HOUR),
            parent=None,
            token_digest=f"{number:064x}",
            source="192.0.2.17",
            agent="Mozilla/5.0",
        ),
    )
