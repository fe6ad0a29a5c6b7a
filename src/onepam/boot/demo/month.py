"""A company's history of thirty days or more, laid into a ledger that is new: people, roles, requests, sessions.

Its times lie in the past, so it is written before anything else runs on that ledger.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from onepam.app.sessions.close_session import NoFacts
from onepam.boot.demo.company import Command, bound, carried_out, founding, person_id
from onepam.boot.demo.variety import Variety
from onepam.boot.demo.work import Work
from onepam.domain.access.model import SubjectKind
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.signing_in.events import EnrolmentOpened
from onepam.kernel.clock import DAY, MINUTE, Instant
from onepam.store.engine.batches import Author
from onepam.store.engine.database import connect
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer

DAYS = 30
STRETCH = 10 * MINUTE
STRETCHES = 60
"""Of a day's work, until the hour at which the history ends; each is one command."""
LINKS_BY = 0
"""The number of the administrator who makes the guests' links."""

Say = Callable[[int, int], None]
"""Is told how many commands are done, of about how many."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many there are of each, and how many days the history has after its founding."""

    people: int
    resources: int
    sessions: int
    requests: int
    days: int = DAYS

    @property
    def stretches(self) -> int:
        """How many there are in all."""
        return self.days * STRETCHES

    def times(self, factor: float) -> "Size":
        """A smaller one, with something for each of the teams."""
        people, resources = max(60, int(self.people * factor)), max(120, int(self.resources * factor))
        return Size(people, resources, int(self.sessions * factor), int(self.requests * factor))


LARGE = Size(people=5_000, resources=1_000, sessions=20_000, requests=2_000)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who has no factor yet, and an enrolment link, by its token's digest."""

    name: str
    email: str
    roles: tuple[str, ...]
    token_digest: str

    @property
    def person(self) -> str:
        """The account's id."""
        return f"per_{self.email.partition('@')[0]}"


def lay(
    database: Path,
    author: Author,
    size: Size,
    until: Instant,
    say: Say = lambda done, of: None,
    guests: Sequence[Guest] = (),
    variety: Variety | None = None,
) -> None:
    """The history that ends `until`, alike for a size and a time but for salts and keys. The database is new. With
    `variety` it shows what a month of plain work does not."""
    with closing(connect(database)) as db:
        create(db)
    clock, all_ = _Past(Instant(until - (size.days + 1) * DAY)), size.stretches
    with closing(Writer(database, author, clock, token_bytes, clock)) as writer:
        for done, (at, command) in enumerate(_history(size, clock.at, until, author.node, guests, variety)):
            clock.at = at
            writer.commit(NoFacts(), carried_out(command))
            say(min(done, all_ - 1), all_)
    say(all_, all_)


class _Past:
    """A clock that stands wherever it is put."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def __call__(self) -> Instant:
        return self.at


def stretch_at(number: int, until: Instant, days: int = DAYS) -> Instant:
    """When the stretch of that number (from 0) is, of a history of so many days that ends `until`."""
    back = (days - 1 - number // STRETCHES) * DAY + (STRETCHES - number % STRETCHES) * STRETCH
    return Instant(until - back)


def _history(
    size: Size, begins: Instant, until: Instant, node: str, guests: Sequence[Guest], variety: Variety | None
) -> Iterator[tuple[Instant, Command]]:
    if guests:
        yield begins, lambda now: [_added(each) for each in guests]
    held = [_holds(each, role) for each in guests for role in each.roles]
    if variety is not None:
        yield begins, variety.joined
        held += variety.objects()
    for command in founding(size.people, size.resources, held):
        yield begins, command
    if variety is not None:
        yield begins, variety.factors
    work = Work(size.people, size.resources, node, begins)
    for number in range(size.stretches):
        sessions, requests = (
            total * (number + 1) // size.stretches - total * number // size.stretches
            for total in (size.sessions, size.requests)
        )
        at = stretch_at(number, until, size.days)
        yield at, lambda now, s=sessions, r=requests: work.stretch(now, s, r)  # type: ignore[misc]
    if variety is not None:
        yield from variety.shown(work)
    yield until, work.evening
    if guests:
        yield until, lambda now: [*work.present(LINKS_BY, now, 0), *(_link(each, now) for each in guests)]


def _added(guest: Guest) -> PersonAdded:
    return PersonAdded(
        person=guest.person,
        kind=PersonKind.EMPLOYEE,
        because="the founding",
        by=None,
        owner=None,
        ends=None,
        manager=person_id(0),
        name=guest.name,
        email=guest.email,
    )


def _holds(guest: Guest, role: str) -> object:
    return bound(f"bnd_{guest.person}_{role}", role, SubjectKind.PERSON, guest.person, "visits the demo")


def _link(guest: Guest, now: Instant) -> EnrolmentOpened:
    digest, person = guest.token_digest, guest.person
    return EnrolmentOpened(f"enr_{person}", person, Instant(now + DAY), "the demo", person_id(LINKS_BY), digest)
