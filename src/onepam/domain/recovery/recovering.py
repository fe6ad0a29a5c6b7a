"""Getting back in when nobody can any more: a command on the host makes somebody an administrator who enrols anew.

With the recovery key at once, which is spent by it; else it is announced, and done a day later unless an administrator
cancels. Whatever kept the person out is undone in the same command: the account's end, a directory's hold, a provider
that is gone, a role that was taken away. Roles and rights of anybody else stay as they are.
"""

from dataclasses import dataclass

from onepam.domain.access.events import BindingAdded
from onepam.domain.access.model import ConsoleRight, SubjectKind
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.domain.host.announcing import (
    DELAY,
    AccessRecoveryAnnounced,
    Announcement,
    Deed,
    Ground,
    HostFacts,
    ground,
    not_due,
)
from onepam.domain.host.recovery_key import RecoveryKeyRenewed
from onepam.domain.leaving.brake import DirectoryPersonDecided, HoldOutcome, PersonHold
from onepam.domain.leaving.leaving import Held, left_over
from onepam.domain.matrix.matrix import SOURCE, binding_id
from onepam.domain.people.adding import erased_person
from onepam.domain.people.events import PersonEnabled, PersonKind
from onepam.domain.providers.events import IdentityUnlinked
from onepam.domain.signing_in.events import EnrolmentEnded, EnrolmentOpened
from onepam.domain.signing_in.rules import ENROLMENT_LINK, AccountFacts
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

BECAUSE = "recover-access"
"""Why something is so that a command on the host has made so."""


@event(
    "access.recovered",
    klass="system",
    alarm=True,
    control="PRV-02",
    words="{node} let {person} in as an administrator: {ground}",
)
@dataclass(frozen=True, slots=True)
class AccessRecovered:
    """A command on the host made the person an administrator who enrols by the link of `enrolment`. What else it took
    (the account, a role, an identity) stands in the entries beside this one."""

    person: str
    enrolment: str
    ground: Ground
    announcement: str | None
    node: str
    because: str | None = private()


@dataclass(frozen=True, slots=True)
class RecoveryFacts:
    """What the host may do, and the person: the account, what a directory's brake holds, what is left of an account
    that ended, the identities at providers. `roles` are those that administer, the one that gives least first. What was
    known of somebody `erased` is gone, and the account with it."""

    host: HostFacts
    account: AccountFacts
    hold: PersonHold | None
    held: Held
    identities: tuple[str, ...]
    roles: tuple[str, ...]
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Recovery:
    """Who is to get in, why, and by which link. `shown` is the digest of the recovery key that was given ("" without
    one), `renewed` that of the key that takes its place, `outside` that of the file outside the data folder."""

    person: str
    because: str
    shown: str
    outside: str
    renewed: str
    announcement: str
    enrolment: str
    token_digest: str
    node: str


def recover(facts: RecoveryFacts, wish: Recovery, now: Instant) -> Decided[Announcement | Instant] | Refused:
    """The end of the link; the announcement where it has to wait."""
    account = facts.account
    if account.kind in (None, PersonKind.SERVICE):
        return Refused("person.unknown", "There is no such person.", "Name somebody by address or id (per_...).")
    if facts.erased:
        return erased_person(wish.person)
    if account.ends is not None and account.ends <= now:
        return Refused("person.end_past", "The end of this account has passed.", "Name somebody else.")
    because = plain_text(wish.because, 500, what="reason")
    if isinstance(because, Refused):
        return because
    administers = any(ConsoleRight.ADMINISTER in each.console for each in account.roles)
    if not administers and not facts.roles:
        return Refused("recovery.no_role", "No role administers: there is nothing to give.", "Restore a backup.")
    found = ground(facts.host, Deed.ACCESS, wish.shown, now)
    if isinstance(found, Refused):
        return found
    if isinstance(found, Announcement):
        return not_due(found)
    if found is None:
        due = Instant(now + DELAY)
        announced = AccessRecoveryAnnounced(wish.announcement, due, wish.node, wish.person)
        return Decided((announced,), Announcement(wish.announcement, Deed.ACCESS, due, person=wish.person))
    open_one = facts.host.announcement(Deed.ACCESS, now)
    if found is Ground.DELAY and open_one is not None and open_one.person != wish.person:
        return Refused("recovery.person", f"What was announced is for {open_one.person}.", "Name that person.")
    announcement = open_one.announcement if open_one is not None else None
    expires = Instant(now + ENROLMENT_LINK)
    events = (
        AccessRecovered(wish.person, wish.enrolment, found, announcement, wish.node, because),
        *_let_in(facts, wish.person, administers=administers),
        *(EnrolmentEnded(each, wish.person, BECAUSE, None) for each in account.links if account.enabled),
        EnrolmentOpened(wish.enrolment, wish.person, expires, BECAUSE, None, token_digest=wish.token_digest),
    )
    if found is Ground.RECOVERY_KEY:
        spent = RecoveryKeyRenewed(wish.renewed, wish.outside, found, None, wish.node)
        return Decided((*events, spent), expires)
    return Decided(events, expires)


def _let_in(facts: RecoveryFacts, person: str, *, administers: bool) -> tuple[object, ...]:
    """The end of whatever keeps the person out."""
    events: list[object] = []
    if not facts.account.enabled:
        events += [*left_over(facts.held, person), PersonEnabled(person, None, BECAUSE)]
    if facts.hold is not None:
        events.append(DirectoryPersonDecided(facts.hold.hold, person, HoldOutcome.KEPT, None, BECAUSE))
    events += [IdentityUnlinked(each, person, BECAUSE, None) for each in facts.identities]
    if not administers:
        role = facts.roles[0]
        binding = binding_id(role, SubjectKind.PERSON, person)
        events.append(BindingAdded(binding, role, SubjectKind.PERSON, person, None, SOURCE, BECAUSE, "", None))
    return tuple(events)
