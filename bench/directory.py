"""What a directory and a staff roster say of a company: what their pages are measured on.

It is laid by hand: nobody let the directory in.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from secrets import token_bytes

from bench.company import PATIENCE
from onepam.app.sessions.close_session import NoFacts
from onepam.boot.demo.company import BATCH, Command, batches, called, person_id
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import DIRECTORY_GROUP, GroupMemberAdded, PersonKind
from onepam.domain.provisioning.events import ScimGroupMemberAdded, ScimGroupSet, ScimUserSet
from onepam.domain.provisioning.users import NO_ADDRESS
from onepam.domain.roster.events import UPLOAD, RosterEntrySet, RosterTaken
from onepam.kernel.clock import Instant
from onepam.store.engine.batches import Author
from onepam.store.engine.writer import Writer

DIRECTORY, TOKEN, VERSION = "okta", "stk_bench", "rv_bench"
GROUPS, IN_EACH, TROUBLED_OF = 500, 20, 5
"""Groups and their members; every fifth user has no account that works, every fifth of the roster none either."""


def lay_directory(database: Path, author: Author, people: int, at: Instant) -> None:
    """Into the ledger of a company of so many people, all at one instant."""
    with closing(Writer(database, author, lambda: at, token_bytes, lambda: at)) as writer:
        for command in _directory(people):
            writer.commit(NoFacts(), partial(_laid, command), PATIENCE)


def _laid(command: Command, facts: None, now: Instant) -> Decided[None]:
    return Decided(tuple(command(now)), None)


def _directory(people: int) -> Iterator[Command]:
    """A user for each person, groups with members, and the roster: a fifth of both agrees with no account."""
    for some in batches(range(people), BATCH // 2):
        yield lambda now, some=some: [_user(each) for each in some]  # type: ignore[misc]
    for some in batches(range(GROUPS), BATCH // (2 * IN_EACH + 1)):
        yield lambda now, some=some: [event for each in some for event in _group(each, people)]  # type: ignore[misc]
    yield lambda now: [RosterTaken(VERSION, "00" * 32, UPLOAD, people, people, 0, 0, now, person_id(0))]
    for some in batches(range(people), BATCH):
        yield lambda now, some=some: [_entry(each) for each in some]  # type: ignore[misc]


def _works(number: int) -> bool:
    return number % TROUBLED_OF != 0


def _user(number: int) -> ScimUserSet:
    name = f"user-{number}@example.org"
    document = json.dumps({"userName": name, "active": True, "name": {"givenName": "Ada", "familyName": f"{number}"}})
    person, trouble = (person_id(number), "") if _works(number) else (None, NO_ADDRESS)
    return ScimUserSet(f"usr_{number}", DIRECTORY, person, True, 1, trouble, TOKEN, name, f"{number}", document)


def _group(number: int, people: int) -> Iterator[object]:
    name = f"team-{number}"
    yield ScimGroupSet(f"grp_{number}", DIRECTORY, 1, name, TOKEN, None, json.dumps({"displayName": name}))
    for member in range(IN_EACH):
        user = (number * IN_EACH + member) % people
        yield ScimGroupMemberAdded(f"grp_{number}", f"usr_{user}")
        if _works(user):
            yield GroupMemberAdded(DIRECTORY_GROUP + name, person_id(user), f"scim:{DIRECTORY}", None)


def _entry(number: int) -> RosterEntrySet:
    there, (name, email) = _works(number), called(number)
    return RosterEntrySet(
        entry=f"ent_{number}",
        version=VERSION,
        person=person_id(number) if there else None,
        type=PersonKind.EMPLOYEE,
        manager=None,
        sponsor=None,
        starts=Instant(0),
        ends=None,
        contract_ends=None,
        time_zone="UTC",
        number=f"{number}",
        name=name,
        email=email,
    )
