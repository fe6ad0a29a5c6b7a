"""A new version of the staff roster against the one in force: what differs, who would leave, and the brake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onepam.domain.people.events import PersonKind
from onepam.domain.roster.events import RosterEntryEnded, RosterEntrySet, RosterRules
from onepam.domain.roster.file import RosterRow
from onepam.kernel.clock import DAY, Instant

SOON = 7 * DAY
"""An end that a version newly sets within this counts for the brake like one that has come."""

FEWEST = 3
"""People or rows: fewer never set off the brake by their share."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the roster, on it or (`removed`) once on it. The private fields are None once erased."""

    entry: str
    person: str | None
    number: str | None
    name: str | None
    email: str | None
    type: PersonKind
    manager: str | None
    sponsor: str | None
    starts: Instant | None
    ends: Instant | None
    contract_ends: Instant | None
    time_zone: str
    removed: Instant | None


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's enabled account: not a service's."""

    person: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry as it was and as it will be; `before` is None for a new one, `after` for one that ends."""

    before: Entry | None
    after: Entry | None


@dataclass(frozen=True, slots=True)
class RosterDifference:
    """What a version changes, in the file's order; `leavers` are the accounts that would end by it, now or soon."""

    rows: int
    before: int
    added: tuple[Entry, ...]
    changed: tuple[Changed, ...]
    ended: tuple[Entry, ...]
    leavers: tuple[Account, ...]

    def events(self, version: str, received: Instant) -> tuple[object, ...]:
        """The entries' events, those that end last."""
        kept = (*self.added, *(each.after for each in self.changed if each.after is not None))
        return (
            *(_set(each, version) for each in kept),
            *(
                RosterEntryEnded(each.entry, version, each.person, min(each.ends or received, received))
                for each in self.ended
            ),
        )


def difference(
    entries: Sequence[Entry],
    rows: Sequence[RosterRow],
    accounts: Sequence[Account],
    fresh: Sequence[str],
    now: Instant,
) -> RosterDifference:
    """The rows against the entries that there are. `fresh` are ids for new entries, one for each row.

    A number that comes back is the same person only if it comes with the address it had.
    """
    known = {each.number: each for each in entries if each.number is not None}
    ids = {
        row.number: each.entry if (each := _same(known.get(row.number), row)) is not None else new
        for row, new in zip(rows, fresh, strict=True)
    }
    by_email = {each.email: each.person for each in accounts if each.email is not None}
    linked = {each.person for each in entries if each.removed is None and each.number in ids}
    added, changed, kept = list[Entry](), list[Changed](), set[str]()
    for row in rows:
        before = _same(known.get(row.number), row)
        person = before.person if before is not None else None
        if person is None and (found := by_email.get(row.email)) is not None and found not in linked:
            person = found
            linked.add(found)
        after = _entry(row, ids, person)
        kept.add(after.entry)
        if before is None or before.removed is not None:
            added.append(after)
        elif before != after:
            changed.append(Changed(before, after))
    ended = tuple(each for each in entries if each.removed is None and each.entry not in kept)
    before_rows = sum(each.removed is None for each in entries)
    leaving = _leaving(entries, added, changed, ended, now)
    return RosterDifference(
        len(rows),
        before_rows,
        tuple(added),
        tuple(changed),
        ended,
        tuple(each for each in accounts if each.person in leaving),
    )


def brake(found: RosterDifference, accounts: Sequence[Account], rules: RosterRules) -> str | None:
    """Why a version is held whole: a code, None where it is not.

    It looks broken: it is empty, would end the access of most people, or drops most of its rows. What it says of fewer
    is the company's word, and taken: the brake of a directory holds their accounts, and nothing else of them.
    """
    if not found.rows:
        return "roster.empty"
    if _share(len(found.leavers), len(accounts), rules.brake_percent):
        return "roster.leavers"
    if _share(found.before - found.rows, found.before, rules.brake_percent):
        return "roster.shrinks"
    return None


def _share(part: int, whole: int, percent: int) -> bool:
    return part >= FEWEST and part * 100 > percent * whole


def _leaving(
    entries: Sequence[Entry],
    added: Sequence[Entry],
    changed: Sequence[Changed],
    ended: Sequence[Entry],
    now: Instant,
) -> set[str]:
    """Accounts whose entry goes (and no new one is theirs), or is over now or soon while it was not before."""
    soon = now + SOON
    over = {each.entry for each in entries if each.ends is not None and each.ends <= soon}
    ending = {
        each.person
        for each in (*added, *(each.after for each in changed))
        if each is not None and each.ends is not None and each.ends <= soon and each.entry not in over
    }
    gone = {each.person for each in ended} - {each.person for each in added}
    return {each for each in ending | gone if each is not None}


def _same(entry: Entry | None, row: RosterRow) -> Entry | None:
    if entry is None or (entry.removed is not None and entry.email != row.email):
        return None
    return entry


def _entry(row: RosterRow, ids: Mapping[str, str], person: str | None) -> Entry:
    return Entry(
        entry=ids[row.number],
        person=person,
        number=row.number,
        name=row.name,
        email=row.email,
        type=row.type,
        manager=ids[row.manager] if row.manager else None,
        sponsor=ids[row.sponsor] if row.sponsor else None,
        starts=row.starts,
        ends=row.ends,
        contract_ends=row.contract_ends,
        time_zone=row.time_zone,
        removed=None,
    )


def _set(each: Entry, version: str) -> RosterEntrySet:
    return RosterEntrySet(
        entry=each.entry,
        version=version,
        person=each.person,
        type=each.type,
        manager=each.manager,
        sponsor=each.sponsor,
        starts=each.starts,
        ends=each.ends,
        contract_ends=each.contract_ends,
        time_zone=each.time_zone,
        number=each.number,
        name=each.name,
        email=each.email,
    )
