"""Taking a list of a system's accounts: what differs from the one in force, the brake, releasing one that is held."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised, shown_within
from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.systems.events import (
    AccountListHeld,
    AccountListReleased,
    AccountListTaken,
    ListedAccountGone,
    ListedAccountSet,
    Match,
    Standing,
)
from onepam.domain.systems.file import AccountFile, AccountRow, InvalidList, name_key
from onepam.domain.systems.matching import Behind, Matching, Someone
from onepam.kernel.clock import HOUR, Instant, iso
from onepam.kernel.errors import Refused

SHRINKS, AGAIN = "account_list.shrinks", "account_list.again"
"""Why the brake holds a list."""

MOST_SYSTEMS = 200

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
"""The name of a system."""

_AHEAD = HOUR
"""How far the clock of whoever brings a list may be ahead of ours (microseconds)."""


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account of a system as it is in force. The private parts are None once erased. `erased`: what was known of who
    stands behind it goes, or has gone."""

    account: str
    name: str | None
    rights: tuple[str, ...]
    email: str | None
    used: Instant | None
    owner: str | None
    behind: Behind
    erased: bool = False


@dataclass(frozen=True, slots=True)
class HeldList:
    """The list of a system that came last, where the brake holds it or it was released."""

    list: str
    digest: str
    standing: Standing
    by: str


@dataclass(frozen=True, slots=True)
class ListFacts:
    """The actor, the accounts of the system in force, everybody who may stand behind one, when the list in force was
    made (None: there is none), its digest and those of lists before it, what waits, and how many systems there are
    beside this one."""

    actor: ActorFacts
    accounts: tuple[ListedAccount, ...]
    people: tuple[Someone, ...]
    made: Instant | None
    digest: str
    earlier: frozenset[str]
    waits: HeldList | None
    systems: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A file on its way, as the list `list` of a system, which wrote it at `made` (None: now)."""

    list: str
    system: str
    file: AccountFile | InvalidList
    made: Instant | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a list changes: accounts that are new, are otherwise, and are gone. `before` is how many were in force."""

    accounts: int
    before: int
    added: tuple[tuple[AccountRow, Behind], ...]
    changed: tuple[tuple[ListedAccount, AccountRow, Behind], ...]
    gone: tuple[ListedAccount, ...]
    nobody: int
    """Accounts of the list behind which nobody stands who is known."""


@dataclass(frozen=True, slots=True)
class ListPlan:
    """What a list would do. `held`: why the brake would hold it, None where it would not."""

    digest: str
    made: Instant
    difference: Difference
    held: str | None


@dataclass(frozen=True, slots=True)
class ListTaken:
    """A list is in force."""

    list: str
    plan: ListPlan


@dataclass(frozen=True, slots=True)
class ListHeld:
    """The brake holds the list until another administrator lets its digest through."""

    list: str
    plan: ListPlan


def look(facts: ListFacts, offer: Offer, now: Instant) -> Decided[ListPlan] | Refused:
    """What the list would do. Nothing is recorded."""
    plan = _planned(facts, offer, now)
    return plan if isinstance(plan, Refused) else Decided((), plan)


def take(
    facts: ListFacts, offer: Offer, fresh: Callable[[], str], now: Instant
) -> Decided[ListTaken | ListHeld] | Refused:
    """Takes the list whole, or holds it. `fresh` gives ids for new accounts."""
    plan = _planned(facts, offer, now)
    if isinstance(plan, Refused):
        return plan
    waits, by = facts.waits, facts.actor.person
    found = plan.difference
    if plan.held is not None:
        if waits is not None and waits.digest == plan.digest:
            return Decided((), ListHeld(waits.list, plan))
        held = AccountListHeld(
            list=offer.list,
            system=offer.system,
            digest=plan.digest,
            made=plan.made,
            because=plan.held,
            accounts=found.accounts,
            missing=len(found.gone),
            before=found.before,
            by=by,
        )
        return Decided((held,), ListHeld(offer.list, plan))
    name = waits.list if waits is not None and waits.digest == plan.digest else offer.list
    taken = AccountListTaken(
        list=name,
        system=offer.system,
        digest=plan.digest,
        made=plan.made,
        accounts=found.accounts,
        added=len(found.added),
        changed=len(found.changed),
        gone=len(found.gone),
        by=by,
    )
    return Decided((taken, *_events(found, name, offer.system, fresh)), ListTaken(name, plan))


def release(facts: ListFacts, system: str, digest: str, now: Instant) -> Decided[None] | Refused:
    """Lets the held list of a system through for its next import: another administrator, under a fresh factor."""
    actor, waits = facts.actor, facts.waits
    refused = authorised(actor, ConsoleRight.ADMINISTER, now) or shown_within(actor, FRESH_FACTOR, now)
    if refused is not None:
        return refused
    if waits is None or waits.standing is not Standing.HELD:
        return Refused("account_list.not_held", f"No list of {system} is held.", "/systems")
    if waits.digest != digest:
        return Refused("account_list.digest", "Another list is held by now.", "Look at it again.")
    if actor.person == waits.by or actor.in_hand((waits.by,)):
        return Refused("account_list.self_release", "Nobody releases what they brought.", "Somebody else must.")
    return Decided((AccountListReleased(waits.list, system, digest, actor.person),), None)


def _planned(facts: ListFacts, offer: Offer, now: Instant) -> ListPlan | Refused:
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if NAME.fullmatch(offer.system) is None:
        message = f"{offer.system[:60]!r} is no name of a system."
        return Refused(
            "account_list.system", message, "Lower-case letters, digits, and . _ - between, such as payroll."
        )
    if facts.made is None and facts.systems >= MOST_SYSTEMS:
        return Refused("account_list.many", f"{MOST_SYSTEMS} systems have lists already.")
    file, made = offer.file, offer.made if offer.made is not None else now
    if isinstance(file, InvalidList):
        more = "" if file.count == 1 else f" It has {file.count:,} such mistakes."
        return Refused("account_list.invalid", f"{str(file.errors[0]).capitalize()}{more} Nothing was applied.")
    if made > now + _AHEAD:
        return Refused("account_list.ahead", "The list says that it was made in the future.", "When was it made?")
    if facts.made is not None and made < facts.made:
        message = f"The list in force was made on {iso(facts.made)}, and this one before that."
        return Refused("account_list.older", message, "Say when this one was made, if that is wrong.")
    made = min(made, now)
    found = difference(facts, file)
    held = _brake(facts, found, file.digest)
    waits = facts.waits
    if waits is not None and waits.digest == file.digest and waits.standing is Standing.RELEASED:
        held = None
    return ListPlan(file.digest, made, found, held)


def _brake(facts: ListFacts, found: Difference, digest: str) -> str | None:
    if 2 * len(found.gone) > found.before:
        return SHRINKS
    return AGAIN if digest in facts.earlier and digest != facts.digest else None


def difference(facts: ListFacts, file: AccountFile) -> Difference:
    """The list against the accounts in force, in the order of the list. What was erased of an account leads nowhere."""
    matching = Matching(facts.people)
    known = {name_key(each.name): each for each in facts.accounts if each.name is not None and not each.erased}
    added: list[tuple[AccountRow, Behind]] = []
    changed: list[tuple[ListedAccount, AccountRow, Behind]] = []
    kept, nobody = set[str](), 0
    for row in file.rows:
        was, behind = known.get(name_key(row.name)), matching.behind(row)
        if was is None:
            added.append((row, behind))
        else:
            kept.add(was.account)
            behind = _stands(was, row, behind)
            if _form(was, was.behind) != _form(row, behind):
                changed.append((was, row, behind))
        nobody += behind.person is None
    gone = tuple(each for each in facts.accounts if each.account not in kept)
    return Difference(len(file.rows), len(facts.accounts), tuple(added), tuple(changed), gone, nobody)


def _stands(was: ListedAccount, row: AccountRow, now: Behind) -> Behind:
    """Who stands behind an account that was known: as an administrator said; and whoever was known, where the list now
    says nothing that leads to anybody, but for another address or owner. So a leaver's account stays theirs, and one
    that was given to a stranger does not."""
    same = row.email in (None, was.email) and row.owner in (None, was.owner)
    if was.behind.because is Match.SAID or (now.person is None and was.behind.person is not None and same):
        return was.behind
    return now


def _form(each: ListedAccount | AccountRow, behind: Behind) -> Mapping[str, object]:
    return {
        "name": each.name,
        "rights": each.rights,
        "email": each.email,
        "used": each.used,
        "owner": each.owner,
        "behind": behind,
    }


def _events(found: Difference, name: str, system: str, fresh: Callable[[], str]) -> Iterable[object]:
    for row, behind in found.added:
        yield _set(fresh(), system, name, row, behind)
    for was, row, behind in found.changed:
        yield _set(was.account, system, name, row, behind)
    for each in found.gone:
        yield ListedAccountGone(each.account, system, name, each.behind.person)


def _set(account: str, system: str, name: str, row: AccountRow, behind: Behind) -> ListedAccountSet:
    return ListedAccountSet(
        account=account,
        system=system,
        list=name,
        rights=row.rights,
        person=behind.person,
        service=behind.service,
        because=behind.because,
        used=row.used,
        name=row.name,
        email=row.email,
        owner=row.owner,
    )
