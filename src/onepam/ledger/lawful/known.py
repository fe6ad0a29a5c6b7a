"""What the rules know of people, and of what is theirs, while it is in force: the pieces of the state."""

from __future__ import annotations

import array
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from onepam.kernel.instant import Instant
from onepam.ledger.lawful.entry import Entry

MOST_SPENT = 16
"""Factors that are remembered before the old ones are forgotten."""

MOST_NOT_READ = 1_000_000
"""Entries one after another, of which no rule asks anything, that are counted at most."""


class Proof(NamedTuple):
    """A second factor as an entry claims it: of which sign-in, which factors, the last one when, why it counts, who saw
    the first one, and whether the last one is phishing-resistant (`hard`)."""

    session: str
    factors: tuple[str, ...]
    at: int
    basis: str
    provider: str
    hard: bool


@dataclass
class SignIn:
    """A sign-in session. `proven` are its factors, `mfa_at` is when the second one was shown last, `basis` why that
    counts."""

    session: str
    person: str
    kind: str
    expires: Instant
    mfa_at: Instant
    basis: str
    provider: str
    phishing_resistant: bool
    proven: tuple[str, ...]

    def proof(self) -> Proof:
        """The second factor behind it."""
        return Proof(self.session, self.proven, self.mfa_at, self.basis, self.provider, self.phishing_resistant)


@dataclass
class Device:
    """A terminal that `person` let in under the console session `parent`; it takes its session until `expires`."""

    person: str
    parent: str
    expires: Instant


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
    """An account. `origin` is the way it came, `left_by` that in which its end did, with so `much` that one command
    could not end all of it; `agreed` are the directories that an administrator lets lead it, `reports` those that say
    that it left. `hold` is why it waits for a word, `owner` who answers for it; nothing privileged opens for it
    before `privileged_from`; `withheld` has by role after which review it gives nothing, and why; `spent` are the times
    of the factors that opened a session lately, `by_rule` when rules approved what they asked."""

    kind: str
    ends: Instant | None
    owner: str | None
    origin: str = "administrator"
    manager: str | None = None
    manager_by: str | None = None
    manager_since: Instant | None = None
    enabled: bool = True
    left: Instant | None = None
    left_by: str = ""
    much: bool = False
    agreed: set[str] = field(default_factory=set)
    reports: set[str] = field(default_factory=set)
    identities: dict[str, str] = field(default_factory=dict)
    hold: str | None = None
    hold_by: Instant | None = None
    privileged_from: Instant | None = None
    first_factor: Instant | None = None
    readdressed: bool = False
    proposed: str = ""
    erased: bool = False
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    factors: dict[str, Factor] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    groups: dict[tuple[str, str], Entry] = field(default_factory=dict)
    makers: dict[str, Instant] = field(default_factory=dict)
    made_for: dict[str, Instant] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    exceptions: dict[str, Instant] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    withheld: dict[str, tuple[str, str]] = field(default_factory=dict)
    spent: set[int] = field(default_factory=set)
    by_rule: dict[tuple[str, str], list[Instant]] = field(default_factory=dict)

    def spend(self, shown: int, oldest: int) -> None:
        """A session was opened with the factor that was shown then; forgets those that are too old to serve."""
        if len(self.spent) >= MOST_SPENT:
            self.spent = {each for each in self.spent if each > oldest}
        self.spent.add(shown)


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
    owner: str | None = None


DATABASES = frozenset(("postgres", "mysql"))
"""Kinds of resources at which the gateway signs in by a secret, and a person comes with a login token."""


@dataclass(frozen=True)
class Resource:
    """A resource as it was set last. `target` is all that says where it is and how it is known, but for the address."""

    labels: Mapping[str, str]
    logins: tuple[str, ...]
    pinned: bool
    mfa: Mapping[str, Any] | None
    target: tuple[str, int, tuple[str, ...]]
    environment: frozenset[str]
    mask: Mapping[str, Any] | None = None
    results: Mapping[str, Any] | None = None
    session_users: Mapping[str, Any] | None = None

    def makes(self, login: str) -> bool:
        """Whether a user is made for each session of the login."""
        return self.session_users is not None and login in self.session_users["member_of"]


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
class Review:
    """A review of access: each item, whether it is privileged; until when, what silence takes of it, who decides where
    nobody else can; what was decided last, by whom and when, who decided
    anything, and to whom items were passed on. `beside` are the items that
    were removed while another review withheld them already; `elsewhere` has of each that is of another system the
    accounts with their rights, and the groups."""

    items: Mapping[tuple[str, str], bool]
    closes: Instant
    suspends: str
    fallback: str | None
    elsewhere: Mapping[tuple[str, str], frozenset[tuple[str, str]]] = field(default_factory=dict)
    decided: dict[tuple[str, str], str] = field(default_factory=dict)
    deciders: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    took_part: set[str] = field(default_factory=set)
    passed: dict[tuple[str, str], str] = field(default_factory=dict)
    beside: set[tuple[str, str]] = field(default_factory=set)
    closed: bool = False
    signed: bool = False


@dataclass
class Request:
    """A request; `approved_by` once it was granted, from `effective` on. `agreed`: who said yes before, for whom.
    `ringless`: it was made since two do not say yes to each other in turn. `escalated`: others were told, too."""

    substance: Mapping[str, Any]
    digest: str
    expires: Instant
    made: Instant
    status: str = "open"
    approved_by: str | None = None
    effective: int | None = None
    agreed: dict[str, str] = field(default_factory=dict)
    ringless: bool = False
    escalated: bool = False


@dataclass
class Grant:
    """Access that an approved request gave; what lasts from its first use on was `used`."""

    request: str
    substance: Mapping[str, Any]
    binding: str
    approved_by: str
    starts: Instant
    ends: Instant
    used: bool = False


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
    mfa: Proof | None = None
    used: bool = False


@dataclass
class Session:
    """A gateway session that is open: whose, where, and under which second factor. Statements of the classes `asks`
    wait for somebody whom the permission (role, its name) lets decide, for `wait` at most; `waits` is the one that did
    so last. `user` is what was made for it, where it `makes` one."""

    person: str
    opened: Instant
    ends: Instant
    resource: str
    login: str
    proof: Proof
    privileged: bool = True
    asks: frozenset[str] = frozenset()
    permission: tuple[str, str] = ("", "")
    waits: str = ""
    makes: bool = False
    user: str = ""
    wait: int = 0


@dataclass
class LoginToken:
    """A login token: for what, under which sign-in, and until when; that of its first use before it was used."""

    person: str
    resource: str
    login: str
    sign_in: str
    ends: Instant
    used: bool = False


@dataclass
class TargetSecret:
    """The secret of a login at a target, and what became of each of its versions."""

    resource: str
    login: str
    versions: dict[int, str] = field(default_factory=dict)


@dataclass
class MadeUser:
    """A user that was made for a session at a resource, and is not said to be gone. `over` is when that ended,
    `left` why it was left behind."""

    session: str
    resource: str
    over: Instant | None = None
    left: str = ""


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
    """An erasure that goes on, the lists and files that were proposed to go, the place of the entry by which somebody
    agreed, and how many payloads went by it."""

    person: str
    documents: frozenset[int]
    agreed: int
    payloads: int = 0


@dataclass
class About:
    """Of whom each entry speaks whose payload an erasure may take: a number for each entry, which stands for a person,
    or for what may turn out to be somebody's. `theirs` has what did, by person; `named` how often each user of a
    directory, each entry of the roster was said to be somebody's."""

    entries: array.array[int] = field(default_factory=lambda: array.array("i"))
    numbers: dict[Hashable, int] = field(default_factory=dict)
    named: dict[Hashable, int] = field(default_factory=dict)
    theirs: dict[str, set[int]] = field(default_factory=dict)

    def add(self, position: int, what: Hashable) -> None:
        """The entry at this place; None where it speaks of nobody. Those that were not read speak of nobody."""
        missing = position - len(self.entries)
        if 0 <= missing <= MOST_NOT_READ:
            if missing:
                self.entries.extend([0] * missing)
            self.entries.append(0 if what is None else self.numbers.setdefault(what, len(self.numbers) + 1))

    def nobodys(self, what: Hashable, waits: str | None = None) -> Hashable:
        """What speaks of it and names nobody: it is of whom it names next, if it waits for nobody else."""
        return what, self.named.get(what, 0), waits

    def is_of(self, person: str, what: Hashable) -> None:
        """What spoke of it since it was somebody's last speaks of the person."""
        for waits in (None, person):
            number = self.numbers.get(self.nobodys(what, waits))
            if number is not None:
                self.theirs.setdefault(person, set()).add(number)
        self.named[what] = self.named.get(what, 0) + 1


@dataclass
class Announcement:
    """What a command on the host announced, due at `due`."""

    deed: str
    due: Instant
    person: str = ""
    origin: str = ""
