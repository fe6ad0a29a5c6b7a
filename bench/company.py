"""A company of a given size, as events, and knocks at its doors: what the benchmarks measure on."""

import random
from collections.abc import Iterator
from itertools import islice

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
from onepam.domain.people.events import GroupMemberAdded, PersonAdded, PersonKind
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.ids import new_id
from onepam.store.engine.writer import Writer

ROLES = 40
GROUPS = 200
BATCH = 5_000


def company(people: int, resources: int, now: Instant) -> Iterator[object]:
    """The events of its founding.

    Each of 40 roles reaches a fortieth of the resources and is held by 5 of 200 groups. Everybody is in two groups,
    holds one more role directly, and is signed in.
    """
    for number in range(ROLES):
        yield _role(number)
    for number in range(GROUPS):
        yield _binding(f"bnd_group_{number}", number, SubjectKind.GROUP, f"group-{number}")
    for number in range(resources):
        yield _resource(number)
    for number in range(people):
        person = f"per_{number}"
        yield PersonAdded(
            person=person,
            kind=PersonKind.EMPLOYEE,
            because="roster",
            by=None,
            owner=None,
            ends=None,
            name=f"Person {number}",
            email=f"{number}@example.org",
        )
        for step in (0, 7):
            yield GroupMemberAdded(f"group-{(number + step) % GROUPS}", person, "directory", None)
        yield _binding(f"bnd_{number}", number + 3, SubjectKind.PERSON, person)
        yield _signed_in(number, now)


def settle(writer: Writer, events: Iterator[object]) -> int:
    """Appends events in commands of 5,000; how many there were."""
    count = 0
    while batch := tuple(islice(events, BATCH)):
        decided = Decided(batch, None)
        writer.commit(NoFacts(), lambda facts, now, decided=decided: decided)  # type: ignore[misc]
        count += len(batch)
    return count


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
        console=(ConsoleRight.APPROVE,) if number == 0 else (),
        change="chg_founding",
        by=None,
    )


def _binding(binding: str, number: int, kind: SubjectKind, subject: str) -> BindingAdded:
    return BindingAdded(binding, f"role-{number % ROLES}", kind, subject, None, "directory", "", "chg_founding", None)


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


def _signed_in(number: int, now: Instant) -> SignedIn:
    return SignedIn(
        session=f"sgn_{number}",
        person=f"per_{number}",
        kind=SignInKind.CONSOLE,
        proven=(FactorKind.PASSWORD, FactorKind.TOTP),
        mfa_at=now,
        expires=Instant(now + DAY),
        parent=None,
        token_digest=f"{number:064x}",
        source="192.0.2.17",
        agent="Mozilla/5.0",
    )
