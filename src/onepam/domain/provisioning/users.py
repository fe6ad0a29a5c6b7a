"""What a directory's word about one of its users does here: who joins, who changes, who leaves, who comes back.

Leaving hangs on the change from active to inactive, whichever way a client writes it.
"""

from dataclasses import dataclass, replace

from onepam.domain.history.commit import Decided
from onepam.domain.leaving.brake import (
    NO_BRAKE,
    BrakeFacts,
    Departing,
    DirectoryLeaverReported,
    HoldReason,
    PersonHold,
    end_or_hold,
    returned,
    there_again,
)
from onepam.domain.leaving.leaving import Cause, Held
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import (
    ADMINISTRATOR,
    GroupMemberAdded,
    PersonAdded,
    PersonChanged,
    PersonEnabled,
    PersonKind,
    brought_by,
)
from onepam.domain.provisioning.events import ScimGroupMemberRemoved, ScimUserRemoved, ScimUserSet
from onepam.domain.provisioning.tokens import Token
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

NO_ADDRESS = "no_address"
DISABLED_HERE = "disabled_here"
END_PASSED = "end_passed"
KIND_DIFFERS = "kind_differs"
TAKEOVER = "takeover"
FOREIGN_DOMAIN = "foreign_domain"
END_NOT_FOLLOWED = "end_not_followed"
ADDRESS_NOT_FOLLOWED = "address_not_followed"

DEACTIVATED = "deactivated in the directory"
DELETED = "deleted in the directory"


@dataclass(frozen=True, slots=True)
class Profile:
    """What we read of a user's document. `email` is normalised, None where the document has none.

    `manager` is the directory's id of the manager, "" for none; `ends` the end that the document says.
    """

    user_name: str
    external_id: str
    active: bool
    name: str
    email: str | None
    vendor: bool
    manager: str
    ends: Instant | None
    document: str


@dataclass(frozen=True, slots=True)
class User:
    """A user of the directory as of the decision; `kept` is False where its document was not."""

    user: str
    person: str | None
    active: bool
    version: int
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """A person with what a directory may change of them."""

    facts: PersonFacts
    manager: str | None
    name: str | None
    origin: str = ADMINISTRATOR


@dataclass(frozen=True, slots=True)
class UserFacts:
    """What a decision on a user looks at.

    `user_name_taken`: another user of the provider has the name. `person` is who the user leads to. `namesake` is
    another enabled person with the address, `namesake_held` whether another user of this provider leads to them.
    `manager` is the person that the named manager leads to. `left_by` is the origin of the person's leaving. `groups`
    are the names (prefixed) that the directory's groups of this user have here, `scim_groups` their ids, `member_of`
    those that are in effect by this provider. `elsewhere` are the memberships, each with its source, that active users
    of other providers have who lead to the same person. `hold` is the one on the person, or where there is none yet, on
    the namesake. `agreed`: an administrator let this directory take the namesake's account over. `brake` is loaded
    where somebody may end. `awaited` has the account, made by hand, that an active user waits for, and still works;
    `reported` are people whom this directory reported to have left, by this user or another with the address.
    `trusted`: the person, or the namesake, administers, or holds a role of their own. `led_to_erased`: whom the user
    led to last was erased.
    """

    token: Token | None
    user: User | None
    user_name_taken: bool
    person: Known | None
    namesake: Known | None
    namesake_held: bool
    manager: PersonFacts | None
    held: Held
    left_by: str | None
    groups: tuple[str, ...]
    scim_groups: tuple[str, ...]
    member_of: frozenset[str]
    elsewhere: tuple[tuple[str, str], ...] = ()
    hold: PersonHold | None = None
    agreed: bool = False
    brake: BrakeFacts = NO_BRAKE
    awaited: str | None = None
    reported: tuple[str, ...] = ()
    trusted: bool = False
    led_to_erased: bool = False


@dataclass(frozen=True, slots=True)
class PutUser:
    """A user as it shall be. `version` is that of the user it was made from, None for a new one; `person` is the id of
    a new person, should there be one, and `hold` of a hold; `received` when the request came in."""

    user: str
    version: int | None
    person: str
    received: Instant
    profile: Profile
    hold: str = ""


def put_user(facts: UserFacts, command: PutUser, now: Instant) -> Decided[User] | Refused:
    """Creates or changes a user, and all that follows for the person. Inactive, of somebody erased, nothing stays."""
    token = facts.token
    if token is None or not token.works(now):
        return dead_token()
    if command.version is not None and (facts.user is None or facts.user.version != command.version):
        return stale(facts.user is None)
    was = facts.user is not None and facts.user.active
    gone = facts.led_to_erased and not command.profile.active
    if gone and not was:
        return Decided((), User(command.user, None, False, command.version or 0, kept=False))
    if facts.user_name_taken and not gone:
        return Refused("scim.user_name", f"Another user has the userName {command.profile.user_name!r}.")
    if command.profile.active:
        outcome = _working(facts, command, token, now)
    else:
        person = facts.person.facts if facts.person else None
        outcome = _Outcome((), person.person if person else None, "")
        if was and person is not None and person.enabled:
            cause = _cause(token, DEACTIVATED, command.received)
            outcome = _Outcome(_departure(facts, person.person, cause, command.hold, now), person.person, "")
        elif was and person is None:
            outcome = _Outcome(_report(facts, token, command.user, DEACTIVATED, command.received), None, "")
    if isinstance(outcome, Refused):
        return outcome
    profile = command.profile
    kept = ScimUserSet(
        user=command.user,
        provider=token.provider,
        person=outcome.person,
        active=profile.active,
        version=(command.version or 0) + 1,
        trouble=outcome.trouble,
        token=token.token,
        user_name=profile.user_name,
        external_id=profile.external_id,
        document=profile.document,
        waits_for=outcome.waits_for,
    )
    if gone:
        kept = replace(kept, user_name=None, external_id=None, document=None)
    return Decided((*outcome.events, kept), User(command.user, outcome.person, profile.active, kept.version, not gone))


def remove_user(
    facts: UserFacts, user: str, version: int | None, received: Instant, now: Instant, hold: str = ""
) -> Decided[None] | Refused:
    """The user is gone from the directory, and whoever it led to has left."""
    token = facts.token
    if token is None or not token.works(now):
        return dead_token()
    if facts.user is None or (version is not None and facts.user.version != version):
        return stale(facts.user is None)
    events: list[object] = [ScimGroupMemberRemoved(each, user) for each in facts.scim_groups]
    person = facts.person.facts if facts.person else None
    if person is None:
        events += _report(facts, token, user, DELETED, received)
    elif person.enabled:
        events += _departure(facts, person.person, _cause(token, DELETED, received), hold, now)
    events.append(ScimUserRemoved(user, token.provider, facts.user.person, token.token))
    return Decided(tuple(events), None)


def origin(provider: str) -> str:
    """The origin of what a provider's SCIM requests bring about."""
    return f"scim:{provider}"


def dead_token() -> Refused:
    """The answer to a token that does not work (any more)."""
    return Refused("scim.token", "This token does not work.")


def stale(gone: bool) -> Refused:
    """The answer when what was read has changed or gone before it was written."""
    return Refused("scim.gone", "There is no such resource.") if gone else Refused("scim.changed", "It has changed.")


@dataclass(frozen=True, slots=True)
class _Outcome:
    events: tuple[object, ...]
    person: str | None
    trouble: str
    waits_for: str | None = None


def _departure(facts: UserFacts, person: str, cause: Cause, hold: str, now: Instant) -> tuple[object, ...]:
    """Nothing new where the account waits for a word already."""
    if facts.hold is not None and facts.hold.reason is not HoldReason.LAST_ADMINISTRATORS_GROUP:
        return ()
    return end_or_hold(facts.brake, (Departing(person, facts.held, cause),), hold, now)


def _report(facts: UserFacts, token: Token, user: str, because: str, received: Instant) -> tuple[object, ...]:
    """The user leads to nobody. Whose account, made by hand, it waited for goes on, and administrators are told."""
    if facts.awaited is None:
        return ()
    return (DirectoryLeaverReported(facts.awaited, origin(token.provider), user, because, received),)


def _back(facts: UserFacts, token: Token, person: str) -> tuple[object, ...]:
    """A hold ends when the directory that caused it says that the person is there; one for a group, when it says the
    group (`provision_group.py`)."""
    hold = facts.hold
    if hold is None or hold.origin != origin(token.provider) or hold.reason is HoldReason.LAST_ADMINISTRATORS_GROUP:
        return ()
    return (returned(person, hold),)


def _cause(token: Token, because: str, received: Instant) -> Cause:
    return Cause(origin(token.provider), because, None, None, received)


def _working(facts: UserFacts, command: PutUser, token: Token, now: Instant) -> _Outcome | Refused:
    """The user is active: there is a person behind it who may work, or a reason why not."""
    outcome = _active(facts, command, token, now)
    if isinstance(outcome, Refused) or not facts.reported:
        return outcome
    there = tuple(there_again(each, origin(token.provider)) for each in facts.reported)
    return replace(outcome, events=(*there, *outcome.events))


def _active(facts: UserFacts, command: PutUser, token: Token, now: Instant) -> _Outcome | Refused:
    known, profile = facts.person, command.profile
    if known is None:
        return _joined(facts, command, token, now)
    if profile.email is not None and facts.namesake is not None:
        return _two_people(profile)
    profile, odd = _followed(facts, known, profile, token)
    changed = _changed(facts, known, profile, now)
    if isinstance(changed, Refused):
        return changed
    person = known.facts.person
    events: list[object] = [*_back(facts, token, person), *((changed,) if changed else ())]
    trouble = odd or (KIND_DIFFERS if profile.vendor != (known.facts.kind is PersonKind.VENDOR) else "")
    if not known.facts.enabled:
        ends = profile.ends or known.facts.ends
        if facts.left_by != origin(token.provider) or (facts.user is not None and facts.user.active):
            return _Outcome((), person, DISABLED_HERE)
        if ends is not None and ends <= now:
            return _Outcome((), person, END_PASSED)
        events.append(PersonEnabled(person, None, f"active again at {token.provider}"))
        events += [GroupMemberAdded(group, person, source, None) for group, source in facts.elsewhere]
    return _Outcome((*events, *_groups(facts, person, token)), person, trouble)


def _joined(facts: UserFacts, command: PutUser, token: Token, now: Instant) -> _Outcome | Refused:
    """Somebody whom no user led to yet: linked by the address, or added. An account that was made by hand is linked
    only where an administrator agreed."""
    profile, namesake = command.profile, facts.namesake
    if profile.email is None:
        return _Outcome((), None, NO_ADDRESS)
    if not token.speaks_for(profile.email):
        return _Outcome((), None, FOREIGN_DOMAIN)
    if namesake is not None:
        if facts.namesake_held:
            return _two_people(profile)
        if namesake.origin == ADMINISTRATOR and not facts.agreed:
            return _Outcome((), None, TAKEOVER, namesake.facts.person)
        profile, odd = _followed(facts, namesake, profile, token)
        changed = _changed(facts, namesake, profile, now)
        if isinstance(changed, Refused):
            return changed
        person = namesake.facts.person
        trouble = odd or (KIND_DIFFERS if profile.vendor != (namesake.facts.kind is PersonKind.VENDOR) else "")
        events = (*_back(facts, token, person), *((changed,) if changed else ()), *_groups(facts, person, token))
        return _Outcome(events, person, trouble)
    name = _name(profile)
    if isinstance(name, Refused):
        return name
    if (refused := _end_ahead(profile, now) or _answerable(facts, profile, now)) is not None:
        return refused
    manager = facts.manager.person if facts.manager else None
    added = PersonAdded(
        person=command.person,
        kind=PersonKind.VENDOR if profile.vendor else PersonKind.EMPLOYEE,
        because=f"a user of {token.provider}",
        by=None,
        owner=manager if profile.vendor else None,
        ends=profile.ends,
        manager=manager,
        name=name,
        email=profile.email,
        origin=origin(token.provider),
    )
    return _Outcome((added, *_groups(facts, command.person, token)), command.person, "")


def _groups(facts: UserFacts, person: str, token: Token) -> tuple[object, ...]:
    """The memberships that the directory speaks of and that are not in effect."""
    ours = origin(token.provider)
    # A departure in an earlier command ended them all, so what is in effect is what the facts say.
    missing = dict.fromkeys(each for each in facts.groups if each not in facts.member_of)
    return tuple(GroupMemberAdded(each, person, ours, None) for each in missing)


def _followed(facts: UserFacts, known: Known, profile: Profile, token: Token) -> tuple[Profile, str]:
    """What of the profile is followed for somebody who is here, and the code of what is not: an address of a domain
    that the token does not speak for, or of somebody who administers, holds a role of their own or came another way,
    because people sign in by it, and identities are linked by it; an end that would leave nobody to administer."""
    if profile.email is not None and profile.email != known.facts.email:
        if not token.speaks_for(profile.email):
            return replace(profile, email=None), FOREIGN_DOMAIN
        if facts.trusted or not brought_by(known.origin, token.provider):
            return replace(profile, email=None), ADDRESS_NOT_FOLLOWED
    if profile.ends is not None and profile.ends != known.facts.ends and facts.brake.last(known.facts.person):
        return replace(profile, ends=None), END_NOT_FOLLOWED
    return profile, ""


def _changed(facts: UserFacts, known: Known, profile: Profile, now: Instant) -> PersonChanged | Refused | None:
    """What the directory knows better; what it does not say stays."""
    was = known.facts
    name = _name(profile)
    if isinstance(name, Refused):
        return name
    vendor = was.kind is PersonKind.VENDOR
    if profile.ends is not None and profile.ends != was.ends and (refused := _end_ahead(profile, now)) is not None:
        return refused
    said = facts.manager.person if facts.manager and facts.manager.person != was.person else None
    owner = said if vendor and said is not None else was.owner
    if vendor and owner != was.owner and (refused := _sponsor(facts.manager, now)) is not None:
        return refused
    new = (name, profile.email or was.email, said or known.manager, owner, profile.ends or was.ends)
    if new == (known.name, was.email, known.manager, was.owner, was.ends):
        return None
    return PersonChanged(
        person=was.person, by=None, manager=new[2], owner=new[3], ends=new[4], name=new[0], email=new[1]
    )


def _name(profile: Profile) -> str | Refused:
    return plain_text(profile.name, limits.MAX_NAME_CHARACTERS, what="name")


def _two_people(profile: Profile) -> Refused:
    return Refused("scim.address", f"Somebody else here has the address {profile.email}.", "One address, one person.")


def _end_ahead(profile: Profile, now: Instant) -> Refused | None:
    if profile.ends is not None and profile.ends <= now:
        return Refused("scim.end_past", "The end lies in the past.", "Deactivate the user instead.")
    return None


def _answerable(facts: UserFacts, profile: Profile, now: Instant) -> Refused | None:
    if not profile.vendor:
        return None
    if profile.ends is None:
        return Refused("scim.vendor", "A vendor needs an end: the contract's end date is missing.")
    return _sponsor(facts.manager, now)


def _sponsor(manager: PersonFacts | None, now: Instant) -> Refused | None:
    if manager is None or manager.kind is not PersonKind.EMPLOYEE or not manager.enabled:
        return Refused("scim.vendor", "A vendor needs a sponsor: the manager is missing, or is no employee in force.")
    if manager.ends is not None and manager.ends <= now:
        return Refused("scim.vendor", "A vendor needs a sponsor: the manager's own end has passed.")
    return None
