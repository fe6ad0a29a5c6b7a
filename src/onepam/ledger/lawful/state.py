"""What the rules need to know of the history so far: folded from bodies, an entry at a time, and no more than that.

The events of one command are judged as of its beginning, as it was decided: whoever ends a role by which they act
still holds it for the rest of the command. So what ends stays until the command is over, and what a time ends is
compared with the time of the command's first entry.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onepam.kernel.instant import DAY, MICROSECOND, Instant
from onepam.ledger.lawful.documents import Controlled, Incident, Policy
from onepam.ledger.lawful.entry import Entry, Unlawful
from onepam.ledger.lawful.known import (
    About,
    Announcement,
    Binding,
    Confirmation,
    Device,
    DirectoryGroup,
    DirectoryUser,
    Erasure,
    Factor,
    Grant,
    Link,
    LoginToken,
    MadeUser,
    Person,
    Proposal,
    Provider,
    Request,
    Resource,
    Review,
    Role,
    Session,
    SignIn,
    TargetSecret,
    Token,
)
from onepam.ledger.lawful.listed import ListedAccount, Rostered, System


@dataclass(frozen=True)
class Delegation:
    """Who decides on requests for whom, from when until when."""

    person: str
    to: str
    begins: Instant
    ends: Instant


ONE_HAND = 30 * DAY
"""For so long whoever made a link and whoever enrolled by it are not two people."""

LONGEST_COMMAND = 25_000
"""Entries that one command has at most."""

_NEVER = Instant(-1)

Cause = tuple[Hashable, ...]
"""What other entries of the same command may rest on, such as ("change", id)."""


@dataclass
class State:
    """All of it. `begun` is the time of the command's first entry, `now` that of the entry which is judged; `kept` is
    what rules note for the rest of the command, `kinds` those of its entries so far. `led` has the user by which a
    directory leads a person, `named` its group of a name; `roster` the entries of the staff roster, `rostered` those
    that are somebody's, `untaken` versions that were not taken, `void` login tokens and sign-ins of terminals that
    lapsed or were refused, `user_names` all users that were made for sessions, `watched` sessions that had ended, each
    with somebody who was shown its recording then. `periods` are those that had their
    review, `schedules` by which they fall due, each since when; `reduced` has of each person and
    role that are kept until a day in which review, and which day; `moved` people and `widened` roles wait for one by
    what happened; `locks` have the person or the resource that each is on,
    of everything neither, and who set it;
    `listed` are the accounts of other `systems`."""

    people: dict[str, Person] = field(default_factory=dict)
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    factors: dict[str, Factor] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    group_bindings: dict[str, dict[str, Binding]] = field(default_factory=dict)
    role_bindings: dict[str, dict[str, Binding]] = field(default_factory=dict)
    members: dict[str, dict[tuple[str, str], Entry]] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    proposals: dict[tuple[str, str], Proposal] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    delegations: dict[str, Delegation] = field(default_factory=dict)
    yeses: dict[tuple[str, str], Instant] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    reduced: dict[tuple[str, str], tuple[str, Instant]] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    controls: dict[str, Controlled] = field(default_factory=dict)
    periods: set[str] = field(default_factory=set)
    schedules: list[tuple[Instant, Mapping[str, Any]]] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    widened: set[str] = field(default_factory=set)
    grants: dict[str, Grant] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    confirmations: dict[str, Confirmation] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    locks: dict[str, tuple[str | None, str | None, str]] = field(default_factory=dict)
    recorded: dict[str, Person | None] = field(default_factory=dict)
    watched: set[tuple[str, str]] = field(default_factory=set)
    login_tokens: dict[str, LoginToken] = field(default_factory=dict)
    void: set[str] = field(default_factory=set)
    target_secrets: dict[str, TargetSecret] = field(default_factory=dict)
    made_users: dict[str, MadeUser] = field(default_factory=dict)
    user_names: set[str] = field(default_factory=set)
    tokens: dict[str, Token] = field(default_factory=dict)
    users: dict[str, DirectoryUser] = field(default_factory=dict)
    groups: dict[str, DirectoryGroup] = field(default_factory=dict)
    led: dict[tuple[str, str], str] = field(default_factory=dict)
    named: dict[tuple[str, str], str] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    identities: dict[str, tuple[str, str]] = field(default_factory=dict)
    streams: dict[str, Instant] = field(default_factory=dict)
    messages: dict[Hashable, Instant] = field(default_factory=dict)
    challenges: dict[Hashable, Instant] = field(default_factory=dict)
    exceptions: dict[str, tuple[str, Instant]] = field(default_factory=dict)
    erasures: dict[str, Erasure] = field(default_factory=dict)
    about: About = field(default_factory=About)
    announced: dict[str, Announcement] = field(default_factory=dict)
    recovery_key: str | None = None
    separations: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    roster_pulls: bool = False
    roster_taken: bool = False
    roster_creates: bool = False
    roster_held: tuple[str, str] | None = None
    roster: dict[str, Rostered] = field(default_factory=dict)
    rostered: dict[str, set[str]] = field(default_factory=dict)
    untaken: set[str] = field(default_factory=set)
    systems: dict[str, System] = field(default_factory=dict)
    listed: dict[str, ListedAccount] = field(default_factory=dict)
    signed_in: Instant | None = None
    now: Instant = _NEVER
    begun: Instant = _NEVER
    first: int = 0
    kinds: set[str] = field(default_factory=set)
    causes: dict[Cause, None] = field(default_factory=dict)
    kept: dict[Hashable, Any] = field(default_factory=dict)
    _over: list[tuple[dict[Any, Any], Any, object]] = field(default_factory=list)
    _waiting: list[tuple[tuple[Cause, ...], Unlawful]] = field(default_factory=list)
    _asked: list[tuple[Callable[[], bool], Unlawful]] = field(default_factory=list)

    def turn(self, position: int, time: Instant, begins: bool = False) -> list[Unlawful]:
        """Goes on to the next entry, whatever it says; what the command before lacked, where this one begins another.

        The entries of one command are each a microsecond later than the one before, those of two further apart. A
        command lies within one batch: an entry that `begins` a batch begins a command, whatever its time.
        """
        found: list[Unlawful] = []
        if begins or time != self.now + MICROSECOND or position - self.first >= LONGEST_COMMAND:
            found = self.close()
            self.begun, self.first = time, position
            self.kinds.clear()
        self.now = time
        return found

    def close(self) -> list[Unlawful]:
        """Ends the command: what ended in it is gone, and what waited for a cause in it waited in vain."""
        if not (self._over or self._waiting or self.causes or self._asked or self.kept):
            return []
        for table, key, was in self._over:
            if table.get(key) is was:
                del table[key]
        try:
            lacking = [said for causes, said in self._waiting if not any(each in self.causes for each in causes)]
            return lacking + [said for holds, said in self._asked if holds()]
        finally:
            self._over, self._waiting, self._asked, self.causes, self.kept = [], [], [], {}, {}

    def happened(self, trigger: str, name: str, *, holds: bool) -> None:
        """Somebody moved, or a role began to give more: it waits for a review where the schedule says so."""
        if holds and self.schedules and trigger in self.schedules[-1][1]["on"]:
            (self.moved if trigger == "mover" else self.widened).add(name)

    def end(self, table: dict[Any, Any], key: Hashable) -> Any:
        """What stands under the key, which is over with this command; None where there is nothing."""
        was = table.get(key)
        if was is not None:
            self._over.append((table, key, was))
        return was

    def serves(self, table: dict[Hashable, Instant], name: Hashable, until: int) -> bool:
        """Whether what serves once serves now for the first time. It is remembered until then, when nobody takes it any
        more, in a table of what lasts equally long."""
        while table and next(iter(table.values())) <= self.begun:
            del table[next(iter(table))]
        served = name in table
        table.setdefault(name, Instant(until))
        return not served

    def caused(self, *parts: Hashable) -> bool:
        """Whether this cause stands earlier in the command."""
        return parts in self.causes

    def once(self, *parts: Hashable) -> bool:
        """The same, of a cause that bears one entry and no other."""
        return self.causes.pop(parts, True) is None

    def cause(self, *parts: Hashable) -> None:
        """Names this entry as what others of the command may rest on."""
        self.causes[parts] = None

    def wait(self, causes: tuple[Cause, ...], unlawful: Unlawful) -> None:
        """A finding, unless one of the causes stands in the command, before or after."""
        self._waiting.append((causes, unlawful))

    def ask(self, holds: Callable[[], bool], unlawful: Unlawful) -> None:
        """A finding, if it holds once the command is over and what ended in it is gone."""
        self._asked.append((holds, unlawful))

    def bindings_of(self, account: Person) -> Iterator[Binding]:
        """The bindings that reach a person, directly and by groups, of roles that no review withholds."""
        found = self.every_binding_of(account)
        return (each for each in found if each.role not in account.withheld) if account.withheld else found

    def every_binding_of(self, account: Person) -> Iterator[Binding]:
        """The bindings that reach a person, directly and by groups, also of what is withheld."""
        yield from account.bindings.values()
        seen: set[str] = set()
        for group, _ in account.groups:
            if group not in seen:
                seen.add(group)
                yield from self.group_bindings.get(group, {}).values()
