"""What the rules need to know of the history so far: folded from bodies, an entry at a time, and no more than that.

The events of one command are judged as of its beginning, as it was decided: whoever ends a role by which they act
still holds it for the rest of the command. So what ends stays until the command is over, and what a time ends is
compared with the time of the command's first entry.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onepam.kernel.instant import DAY, MICROSECOND, Instant
from onepam.ledger.lawful.entry import Entry, Unlawful

ONE_HAND = 30 * DAY
"""For so long whoever made a link and whoever enrolled by it are not two people."""

LONGEST_COMMAND = 25_000
"""Entries that one command has at most."""

MOST_NOT_READ = 1_000_000
"""Entries one after another, of which no rule asks anything, that are counted at most."""

_NEVER = Instant(-1)

Cause = tuple[Hashable, ...]
"""What other entries of the same command may rest on, such as ("change", id)."""


@dataclass
class SignIn:
    """A sign-in session. `mfa_at` is when its second factor was shown last, `basis` why that counts."""

    session: str
    person: str
    kind: str
    expires: Instant
    mfa_at: Instant
    basis: str
    provider: str
    phishing_resistant: bool


@dataclass
class Factor:
    """A factor in force; `counter` is that of its last use. `by` added it; a service account's key `waits` until
    another administrator has registered it, too."""

    person: str
    kind: str
    counter: int = -1
    by: str | None = None
    waits: bool = False
    spent: set[int] = field(default_factory=set)


@dataclass
class Person:
    """An account. `origin` is the way it came, `left_by` that in which its end did; `agreed` are the directories that
    an administrator lets lead it. `hold` is why it waits for a word, `owner` who answers for it; nothing privileged
    opens for it before `privileged_from`."""

    kind: str
    ends: Instant | None
    owner: str | None
    origin: str = "administrator"
    enabled: bool = True
    left: Instant | None = None
    left_by: str = ""
    agreed: set[str] = field(default_factory=set)
    identities: dict[str, str] = field(default_factory=dict)
    hold: str | None = None
    hold_by: Instant | None = None
    privileged_from: Instant | None = None
    first_factor: Instant | None = None
    readdressed: bool = False
    erased: bool = False
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    factors: dict[str, Factor] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    groups: dict[tuple[str, str], Entry] = field(default_factory=dict)
    makers: dict[str, Instant] = field(default_factory=dict)
    made_for: dict[str, Instant] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """A role for a person or a group."""

    binding: str
    role: str
    to_group: bool
    subject: str
    ends: Instant | None


@dataclass(frozen=True)
class Role:
    """A role as it was set last."""

    version: str
    console: frozenset[str]
    permissions: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Resource:
    """A resource as it was set last. `target` is all that says where it is and how it is known, but for the address."""

    labels: Mapping[str, str]
    logins: tuple[str, ...]
    pinned: bool
    mfa: Mapping[str, Any] | None
    target: tuple[str, int, tuple[str, ...]]
    environment: frozenset[str]


@dataclass
class Proposal:
    """What waits for a second person: by whom, since when, until when, and its body. `person`: whom it is for."""

    by: str | None
    since: Instant
    until: Instant
    body: Mapping[str, Any]
    person: str = ""
    alone: Instant | None = None


@dataclass
class Request:
    """A request for access; `approved_by` once it was granted."""

    substance: Mapping[str, Any]
    digest: str
    expires: Instant
    status: str = "open"
    approved_by: str | None = None


@dataclass(frozen=True)
class Grant:
    """Access that an approved request gave."""

    request: str
    substance: Mapping[str, Any]
    binding: str
    approved_by: str
    starts: Instant
    ends: Instant


@dataclass
class Link:
    """An enrolment link that is open: for whom, until when, and by whose hands."""

    person: str
    expires: Instant
    makers: frozenset[str]
    proposed: bool


@dataclass
class Confirmation:
    """A confirmation of a terminal's sign-in; `mfa` once it was given."""

    person: str
    resource: str
    login: str
    expires: Instant
    mfa: Mapping[str, Any] | None = None


@dataclass
class Session:
    """A gateway session that is open."""

    person: str
    opened: Instant
    ends: Instant


@dataclass
class Token:
    """A SCIM token; it works once it is approved."""

    provider: str
    ends: Instant
    approved: bool = False


@dataclass
class DirectoryUser:
    """A user of a directory as it was written last: whom it leads to, and the account that it waits for."""

    provider: str
    version: int
    person: str | None
    waits_for: str | None
    active: bool
    groups: set[str] = field(default_factory=set)


@dataclass
class DirectoryGroup:
    """A group of a directory as it was written last, and its users."""

    provider: str
    version: int
    name: str
    users: set[str] = field(default_factory=set)


@dataclass
class Provider:
    """An identity provider in force: the change that made it so, and its rule."""

    change: str
    since: Instant
    kind: str
    rule: Mapping[str, Any]
    declared: dict[str, Instant] = field(default_factory=dict)


@dataclass
class Erasure:
    """An erasure that goes on, the lists and files that were proposed to go, and how many payloads went by it."""

    person: str
    documents: frozenset[int]
    payloads: int = 0


@dataclass
class About:
    """Of whom each entry speaks whose payload an erasure may take: a number for each entry, which stands for a person,
    or for what may turn out to be somebody's. `theirs` has what did, by person."""

    entries: array.array[int] = field(default_factory=lambda: array.array("i"))
    numbers: dict[Hashable, int] = field(default_factory=dict)
    theirs: dict[str, set[int]] = field(default_factory=dict)

    def add(self, position: int, what: Hashable) -> None:
        """The entry at this place; None where it speaks of nobody. Those that were not read speak of nobody."""
        missing = position - len(self.entries)
        if 0 <= missing <= MOST_NOT_READ:
            self.entries.extend([0] * missing)
            self.entries.append(0 if what is None else self.numbers.setdefault(what, len(self.numbers) + 1))

    def is_of(self, person: str, what: Hashable) -> None:
        """What spoke of it speaks of the person."""
        if what in self.numbers:
            self.theirs.setdefault(person, set()).add(self.numbers[what])


@dataclass
class Announcement:
    """What a command on the host announced, due at `due`."""

    deed: str
    due: Instant
    person: str = ""
    origin: str = ""


@dataclass
class State:
    """All of it. `begun` is the time of the command's first entry, `now` that of the entry which is judged; `kept` is
    what rules note for the rest of the command. `led` has the user by which a directory leads a person, `named` its
    group of a name."""

    people: dict[str, Person] = field(default_factory=dict)
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    factors: dict[str, Factor] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    group_bindings: dict[str, dict[str, Binding]] = field(default_factory=dict)
    role_bindings: dict[str, dict[str, Binding]] = field(default_factory=dict)
    members: dict[str, dict[tuple[str, str], Entry]] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    proposals: dict[tuple[str, str], Proposal] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    confirmations: dict[str, Confirmation] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    recorded: set[int] = field(default_factory=set)
    tokens: dict[str, Token] = field(default_factory=dict)
    users: dict[str, DirectoryUser] = field(default_factory=dict)
    groups: dict[str, DirectoryGroup] = field(default_factory=dict)
    led: dict[tuple[str, str], str] = field(default_factory=dict)
    named: dict[tuple[str, str], str] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    identities: dict[str, tuple[str, str]] = field(default_factory=dict)
    streams: dict[str, Instant] = field(default_factory=dict)
    exceptions: dict[str, tuple[str, Instant]] = field(default_factory=dict)
    erasures: dict[str, Erasure] = field(default_factory=dict)
    about: About = field(default_factory=About)
    announced: dict[str, Announcement] = field(default_factory=dict)
    recovery_key: str | None = None
    roster_pulls: bool = False
    roster_taken: bool = False
    roster_creates: bool = False
    roster_held: tuple[str, str] | None = None
    signed_in: Instant | None = None
    now: Instant = _NEVER
    begun: Instant = _NEVER
    first: int = 0
    causes: dict[Cause, None] = field(default_factory=dict)
    kept: dict[Hashable, Any] = field(default_factory=dict)
    _over: list[tuple[dict[Any, Any], Any, object]] = field(default_factory=list)
    _waiting: list[tuple[tuple[Cause, ...], Unlawful]] = field(default_factory=list)
    _asked: list[tuple[Callable[[], bool], Unlawful]] = field(default_factory=list)

    def turn(self, position: int, time: Instant) -> list[Unlawful]:
        """Goes on to the next entry, whatever it says; what the command before lacked, where this one begins another.

        The entries of one command are each a microsecond later than the one before.
        """
        found: list[Unlawful] = []
        if time != self.now + MICROSECOND or position - self.first >= LONGEST_COMMAND:
            found = self.close()
            self.begun, self.first = time, position
        self.now = time
        return found

    def close(self) -> list[Unlawful]:
        """Ends the command: what ended in it is gone, and what waited for a cause in it waited in vain."""
        if not (self._over or self._waiting or self.causes or self._asked or self.kept):
            return []
        for table, key, was in self._over:
            if table.get(key) is was:
                del table[key]
        lacking = [said for causes, said in self._waiting if not any(each in self.causes for each in causes)]
        lacking += [said for holds, said in self._asked if holds()]
        self._over, self._waiting, self._asked, self.causes, self.kept = [], [], [], {}, {}
        return lacking

    def end(self, table: dict[Any, Any], key: Hashable) -> Any:
        """What stands under the key, which is over with this command; None where there is nothing."""
        was = table.get(key)
        if was is not None:
            self._over.append((table, key, was))
        return was

    def caused(self, *parts: Hashable) -> bool:
        """Whether this cause stands earlier in the command."""
        return parts in self.causes

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
        """The bindings that reach a person, directly and by groups."""
        yield from account.bindings.values()
        seen: set[str] = set()
        for group, _ in account.groups:
            if group not in seen:
                seen.add(group)
                yield from self.group_bindings.get(group, {}).values()
