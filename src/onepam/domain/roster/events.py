"""The staff roster: who works for the company by its own list (HR), until when, and who answers for them.

The list comes as a file; each version that was taken leaves the entries that it changed. Entries say what the company
says. What follows for accounts is decided in `staff_follow.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.event import event, private
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import HOUR, Instant

ROSTER = "roster"
"""The origin of what follows from the staff roster."""

UPLOAD = "upload"
"""The source of a version that somebody uploaded; of one that was pulled it is the host's name."""


SOURCE_SECRET = b"roster/source"
"""What the secret header of the source is sealed about."""


class Standing(StrEnum):
    """What became of a version: in force (or was), held by the brake, let through for its next take, or refused."""

    TAKEN = "taken"
    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RosterRules:
    """How versions are judged.

    A version that ends the access of more than `brake_percent` of the people with an account, or drops more than that
    of its rows, looks broken and is held whole. After `stale_after` microseconds without a version the roster counts as
    stale. `creates`: whether people on the roster without an account get one. `columns`: other names of columns, by
    ours.
    """

    brake_percent: int = 50
    stale_after: int = 24 * HOUR
    creates: bool = False
    columns: tuple[tuple[str, str], ...] = ()


@event(
    "roster.taken",
    klass="roster",
    control="IDN-01 OFF-01",
    words="{by} took a version of the roster from {source}: {added} added, {changed} changed, {ended} ended",
)
@dataclass(frozen=True, slots=True)
class RosterTaken:
    """A version of the staff roster is in force from now on, and all its rows stand in the ledger.

    `digest` is the SHA-256 of its bytes, `source` "upload" or a host, `received` when we had it; `by` is None for a
    pull. The counts are rows, and of these added, changed and ended against the version before.
    """

    version: str
    digest: str
    source: str
    rows: int
    added: int
    changed: int
    ended: int
    received: Instant
    by: str | None


@event("roster.entry_set", klass="roster", control="IDN-01 VND-01", words="[{name} ]stands on the roster")
@dataclass(frozen=True, slots=True)
class RosterEntrySet:
    """Somebody stands on the staff roster as this, from now on. `manager` and `sponsor` are entries of the roster.

    `person` is the account, None where there is none yet. `ends` is the end of the last day or of the contract, the
    earlier of the two; `starts`, `ends` and `contract_ends` are instants, read in `time_zone`.
    """

    entry: str
    version: str
    person: str | None
    type: PersonKind
    manager: str | None
    sponsor: str | None
    starts: Instant | None
    ends: Instant | None
    contract_ends: Instant | None
    time_zone: str
    number: str | None = private()
    name: str | None = private()
    email: str | None = private()


@event("roster.entry_ended", klass="roster", control="OFF-01 OFF-02", words="[{person} ]is no longer on the roster")
@dataclass(frozen=True, slots=True)
class RosterEntryEnded:
    """Somebody is no longer on the staff roster; `left_at` is the end that it gave last, else when we received it."""

    entry: str
    version: str
    person: str | None
    left_at: Instant


@event("roster.linked", klass="roster", control="IDN-01", words="{person} was found on the roster")
@dataclass(frozen=True, slots=True)
class RosterLinked:
    """An entry and an account are the same person, by their address. From now on the entry's number leads to it."""

    entry: str
    person: str


@event(
    "roster.held",
    klass="roster",
    alarm=True,
    control="OFF-01 CHG-01",
    words="A version of the roster was held back: {because}; {leavers} of {accounts} would have lost access",
)
@dataclass(frozen=True, slots=True)
class RosterHeld:
    """The brake held a version back that looks broken; nothing of it is applied.

    `because` is roster.empty, roster.shrinks or roster.leavers; `leavers` of `accounts` people would have lost their
    access. `who` names some of them.
    """

    version: str
    digest: str
    source: str
    because: str
    rows: int
    added: int
    changed: int
    ended: int
    leavers: int
    accounts: int
    received: Instant
    by: str | None
    who: tuple[str, ...] | None = private()


@event("roster.released", klass="roster", control="CHG-01 PRV-02", words="{by} released a held version of the roster")
@dataclass(frozen=True, slots=True)
class RosterReleased:
    """An administrator looked at a held version and lets exactly these bytes through, once."""

    version: str
    digest: str
    by: str


@event(
    "roster.refused",
    klass="roster",
    alarm=True,
    control="IDN-01",
    words="A version of the roster was refused: {because}",
)
@dataclass(frozen=True, slots=True)
class RosterRefused:
    """A file that was not taken, or could not be had (`digest` is then empty). `errors` counts what is wrong with it,
    `because` is the first of it as a code; `said` holds the first messages."""

    version: str
    digest: str
    source: str
    because: str
    errors: int
    received: Instant
    by: str | None
    said: tuple[str, ...] | None = private()


@event("roster.source_set", klass="roster", control="CHG-01", words="{by} set where the roster comes from[: {host}]")
@dataclass(frozen=True, slots=True)
class RosterSourceSet:
    """Where the roster is pulled from, every `interval` microseconds. `host` is empty where it is uploaded only.

    `header` is the name of the header that carries `secret`, which the vault has sealed. `directory` is there where it
    is pulled from one (`staff_directory.parse_directory` reads it); `secret` is then the account's password.
    """

    host: str
    interval: int
    by: str
    url: str | None = private()
    header: str | None = private()
    secret: str | None = private()
    directory: Mapping[str, str] | None = private()


@event("roster.rules_set", klass="roster", control="CHG-01", words="{by} set how versions of the roster are judged")
@dataclass(frozen=True, slots=True)
class RosterRulesSet:
    """How versions of the roster are judged from now on."""

    brake_percent: int
    stale_after: int
    creates: bool
    columns: Mapping[str, str]
    by: str
