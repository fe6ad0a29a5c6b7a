"""Other systems of the company, by the lists of their accounts: who stands behind each account, and what it may do.

OnePAM neither makes nor ends these accounts. It knows of them what a list said that somebody brought, and says of each
whether somebody who is here stands behind it.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


class Standing(StrEnum):
    """What became of a list: in force (or was), held by the brake, or let through for its next import."""

    TAKEN = "taken"
    HELD = "held"
    RELEASED = "released"


class Match(StrEnum):
    """How it is known who stands behind an account. `said`: an administrator said so, and lists change it no more."""

    NOBODY = "nobody"
    EMAIL = "email"
    NAME = "name"
    OWNER = "owner"
    SAID = "said"


@event(
    "account_list.taken",
    klass="accounts",
    control="IDN-01 OFF-03",
    words="{by} took a list of the accounts of {system}: {added} added, {changed} changed, {gone} gone",
)
@dataclass(frozen=True, slots=True)
class AccountListTaken:
    """A list of the accounts of a system is in force from now on, and all its accounts stand in the ledger.

    `digest` is the hex SHA-256 of its bytes, `made` when the system wrote it, as whoever brought it says. The counts
    are accounts: all of the list, and of these added, changed and gone against the list before.
    """

    list: str
    system: str
    digest: str
    made: Instant
    accounts: int
    added: int
    changed: int
    gone: int
    by: str


@event(
    "account_list.held",
    klass="accounts",
    alarm=True,
    control="OFF-03 CHG-01",
    words="A list of the accounts of {system} was held back: {because}; {missing} of {before} accounts are not on it",
)
@dataclass(frozen=True, slots=True)
class AccountListHeld:
    """The brake held a list back that looks broken; nothing of it is in force.

    `because` is account_list.shrinks (it lacks more than half of the accounts of the list before) or account_list.again
    (the same bytes were in force before the list that is). Of the `before` accounts in force `missing` are not on it.
    """

    list: str
    system: str
    digest: str
    made: Instant
    because: str
    accounts: int
    missing: int
    before: int
    by: str


@event(
    "account_list.released",
    klass="accounts",
    control="CHG-01 PRV-02",
    words="{by} released a held list of the accounts of {system}",
)
@dataclass(frozen=True, slots=True)
class AccountListReleased:
    """Another administrator than who brought it lets exactly these bytes through, once."""

    list: str
    system: str
    digest: str
    by: str


@event(
    "account_system.set",
    klass="accounts",
    control="OFF-03 REV-04",
    words="{by} set who answers for the accounts of {system}: {owner}, within {days} days",
)
@dataclass(frozen=True, slots=True)
class AccountSystemSet:
    """Who answers for what is found of the accounts of a system, and within how many days. Until somebody says so it is
    whoever brought the first list."""

    system: str
    owner: str
    days: int
    by: str


@event(
    "listed_account.set",
    klass="accounts",
    control="IDN-01 OFF-03 REV-02",
    words="An account[ {name}] of {system} is on its list[: {person}]",
)
@dataclass(frozen=True, slots=True)
class ListedAccountSet:
    """An account of a system is on its list as this, from now on.

    `rights` are what it may do there, in the system's words, sorted. `person` is who stands behind it (None: nobody who
    is known), of a `service` who answers for it; `because` is how that is known. `used` is when it was last used, as
    the list says. `name` is the account's, `owner` what the list says of who owns it.
    """

    account: str
    system: str
    list: str
    rights: tuple[str, ...]
    person: str | None
    service: bool
    because: Match
    used: Instant | None
    name: str | None = private()
    email: str | None = private()
    owner: str | None = private()


@event(
    "listed_account.linked",
    klass="accounts",
    control="IDN-01 OFF-03",
    words="{by} said who stands behind the account {account} of {system}[: {person}]",
)
@dataclass(frozen=True, slots=True)
class ListedAccountLinked:
    """An administrator said who stands behind an account, or (`person` None) that nobody does."""

    account: str
    system: str
    person: str | None
    service: bool
    by: str


@event(
    "listed_account.gone",
    klass="accounts",
    control="OFF-03 OFF-04 REV-04",
    words="The account {account} of {system} is no longer on its list[, {person}]",
)
@dataclass(frozen=True, slots=True)
class ListedAccountGone:
    """An account is not on the newest list of its system: it is gone there. `person` is who stood behind it."""

    account: str
    system: str
    list: str
    person: str | None
