"""The accounts that were enabled at one instant, and what the staff roster that was in force then said of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.people.events import PersonKind
from onepam.evidence.report import Column, Said
from onepam.evidence.reports.scope import Scope
from onepam.kernel.clock import DAY, HOUR, Instant, iso

FRESH = DAY
"""A roster that is older says nothing of who works here now."""

ACCOUNTS = """\
SELECT person, kind, owner, ends FROM ev_accounts_v1
WHERE enabled = 1 AND valid_from <= :at AND :at < valid_until ORDER BY person"""
TOLD = "SELECT entry, kind, person FROM ev_standing_v1 WHERE time <= :at AND entry < :end ORDER BY entry"
STAFF = """\
SELECT listed, person, ends, contract_ends, said FROM ev_roster_v1
WHERE removed IS NULL AND (ends IS NULL OR ends > :at) AND valid_from <= :at AND :at < valid_until ORDER BY listed"""
VERSION = """\
SELECT received, decided FROM ev_rosters_v1
WHERE standing = 'taken' AND valid_from <= :at AND :at < valid_until ORDER BY decided DESC LIMIT 1"""

HEAD, LISTED, TAKEN = "person.added", "roster.entry_set", "roster.taken"
FOLLOWS = ("person.disabled", "person.enabled", "roster.linked", "roster.entry_ended")

PASS, FAIL, NOT_TESTED = "pass", "fail", "not-tested"

PERSON_COLUMNS = (
    Column("added", [Said(HEAD, "header.time")]),
    Column("person", [Said(HEAD, "body.person")]),
    Column("first_name_told", [Said(HEAD, "payload.name")]),
    Column("last_name_told", [Said("person.changed", "payload.name")]),
)
ROSTER_COLUMNS = (
    Column("roster_entry", [Said(LISTED, "body.entry")]),
    Column("roster_number", [Said(LISTED, "payload.number")]),
    Column("roster_name", [Said(LISTED, "payload.name")]),
    Column("roster_said", [Said(LISTED, "header.time")]),
    Column("roster_starts", [Said(LISTED, "body.starts:time")]),
    Column("roster_ends", [Said(LISTED, "body.ends:time")]),
    Column("linked", [Said("roster.linked", "header.time")]),
    Column("roster_version", [Said(TAKEN, "body.version")]),
    Column("roster_received", [Said(TAKEN, "body.received:time")]),
    Column("roster_age_hours"),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A living entry of the roster; `told` is the ledger's entry that said it last."""

    person: str | None
    ends: Instant | None
    contract_ends: Instant | None
    told: int


@dataclass(frozen=True, slots=True)
class Account:
    """An enabled account: its head, the entries that follow it, and its living entries of the roster."""

    person: str
    kind: PersonKind
    owner: str | None
    ends: Instant | None
    head: int
    follows: tuple[int, ...]
    listed: tuple[Listed, ...]


class Staff:
    """The accounts and the roster as of the scope's instant. `rests`: the entries that rule out a hidden account."""

    def __init__(self, scope: Scope) -> None:
        at = {"at": scope.as_of}
        self.scope, self.at = scope, scope.as_of
        self._last = scope.history.size_at(self.at) - 1
        heads, follows, self.rests = dict[str, int](), defaultdict[str, list[int]](list), list[int]()
        for entry, kind, person in scope.history.query(TOLD, at | {"end": scope.end}):
            self.rests.append(entry)
            if kind == HEAD:
                heads[person] = entry
            elif kind in FOLLOWS:
                follows[person].append(entry)
        listed, self.unclaimed = defaultdict[str, list[Listed]](list), list[Listed]()
        for _, person, ends, contract_ends, said in scope.history.query(STAFF, at):
            each = Listed(person, ends, contract_ends, scope.history.entry_at(said))
            (listed[person] if person else self.unclaimed).append(each)
        self.accounts = [
            Account(person, PersonKind(kind), owner, ends, heads[person], (*follows[person],), (*listed[person],))
            for person, kind, owner, ends in scope.history.query(ACCOUNTS, at)
        ]
        self._enabled = {each.person: each for each in self.accounts}
        self.taken: int | None = None
        self.received: Instant | None = None
        for received, decided in scope.history.query(VERSION, at):
            self.received, self.taken = Instant(received), scope.history.entry_at(decided)

    @property
    def fresh(self) -> bool:
        """Whether the roster in force was received within the day before."""
        return self.received is not None and self.at - self.received <= FRESH

    @property
    def age(self) -> str:
        """Whole hours since the roster in force was received; empty where there is none."""
        return "" if self.received is None else str((self.at - self.received) // HOUR)

    def version(self) -> tuple[int, ...]:
        """The entry of the version in force, if there is one."""
        return () if self.taken is None else (self.taken,)

    def cited(self, each: Account) -> list[int]:
        """What an account's row rests on beside its head and what follows it."""
        last = self.scope.named(each.person, self._last)
        return [*last, *(entry.told for entry in each.listed), *self.version()]

    def works_here(self, person: str | None) -> bool:
        """Whether somebody has an enabled account that exactly one living entry of the roster bears out."""
        found = self._enabled.get(person or "")
        return found is not None and len(found.listed) == 1

    def result(self, findings: list[str]) -> Mapping[str, str]:
        """The age of the roster, and the last two cells of a row."""
        if not self.fresh:
            finding = "no roster" if self.received is None else "the roster is older than 24 hours"
            return {"roster_age_hours": self.age, "finding": finding, "result": NOT_TESTED}
        words = {"roster_age_hours": self.age, "finding": "; ".join(findings)}
        return words | {"result": FAIL if findings else PASS}


def parameters(scope: Scope) -> Mapping[str, int]:
    """Those of the queries above."""
    return {"at": scope.as_of, "end": scope.end}


def when(at: Instant | None) -> str:
    """A time in a cell."""
    return "" if at is None else iso(Instant(at))
