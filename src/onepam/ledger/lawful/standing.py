"""Questions of the rules to the state: who was signed in, with which factor, and what their roles let them do.

Each answers None for yes, else why not, in words that follow the right that was used.
"""

from __future__ import annotations

from collections.abc import Iterator

from onepam.kernel.instant import HOUR, MINUTE
from onepam.ledger.lawful.known import Person, Role
from onepam.ledger.lawful.state import ONE_HAND, State

FRESH = 5 * MINUTE
"""How long a second factor is fresh for what settings, factors and proposals ask (microseconds)."""

UNSEEN = frozenset({"declared", "accepted"})
"""Bases of a sign-in under which nobody saw a second factor."""

ADMINISTER, APPROVE, AUDIT, MONITOR, ACCEPT_RISK = "administer", "approve", "audit", "monitor", "accept_risk"

_MANY = "many"


def there(state: State, who: str) -> str | None:
    """Whether the account works: it exists, is enabled, and its end has not passed."""
    person = state.people.get(who)
    if person is None:
        return f"there was no account {who}"
    if not person.enabled and not _left_now(state, person):
        return f"the account {who} was disabled"
    if person.ends is not None and person.ends <= state.begun:
        return f"the end of the account {who} had passed"
    return None


def _left_now(state: State, person: Person) -> bool:
    return person.left is not None and person.left >= state.begun


def signed_in(state: State, who: str, age: int | None = None, *, seen: bool = False) -> str | None:
    """Whether somebody acted in a sign-in session, with a second factor shown less than `age` microseconds ago, which
    somebody must have `seen`."""
    why = there(state, who)
    if why is not None:
        return why
    running = [each for each in state.people[who].sign_ins.values() if each.expires > state.begun]
    if not running:
        return f"{who} was not signed in"
    if seen:
        running = [each for each in running if each.basis not in UNSEEN]
        if not running:
            return f"nobody had seen a second factor of {who}"
    if age is not None and not any(each.mfa_at + age > state.begun for each in running):
        return f"{who} had shown no second factor within {age // MINUTE} minutes"
    return None


def roles(state: State, who: str) -> Iterator[tuple[str, Role]]:
    """The roles that somebody holds, by name, as a hold of the account leaves them."""
    person = state.people.get(who)
    if person is not None and person.hold != _MANY:
        yield from ((name, role) for name, role in bound(state, person) if name not in person.withheld)


def rights(state: State, who: str) -> set[str]:
    """What somebody may do with OnePAM itself."""
    found = {right for _, role in roles(state, who) for right in role.console}
    person = state.people.get(who)
    return found & {ADMINISTER} if person is not None and person.hold is not None else found


def acts(state: State, who: str, *any_of: str, age: int | None = None) -> str | None:
    """Whether somebody who is signed in held a role with one of the rights. Whoever administers or accepts risks does
    so under a second factor that somebody saw."""
    why = signed_in(state, who, age)
    if why is not None:
        return why
    held = rights(state, who).intersection(any_of)
    if not held:
        return f"{who} held no role with the right to {' or '.join(any_of)}"
    if held <= {ADMINISTER, ACCEPT_RISK}:
        return signed_in(state, who, age, seen=True)
    return None


def is_manager(state: State, person: Person, by: str, through: str = "") -> bool:
    """Whether somebody decides as a person's manager, or another `through` whom they do: not for a while where it was
    on the word of either."""
    lately = person.manager_since is not None and person.manager_since + ONE_HAND > state.begun
    return person.manager == by and not (lately and person.manager_by in (by, through or by))


def one_hand(state: State, who: str, *others: str) -> str | None:
    """Whether somebody may be one hand with another: one enrolled lately by a link that the other made, or so on."""
    for made in (False, True):
        linked = hands(state, who, made=made)
        for other in others:
            if other in linked:
                return f"{who} and {other} may be one hand: one made the link by which the other enrolled"
    return None


def hands(state: State, who: str, *, made: bool) -> set[str]:
    """Who made the link by which somebody enrolled lately, and those by whose links they did; or else (`made`) who
    enrolled by theirs, and so on."""
    reached, todo = {who}, [who]
    while todo:
        person = state.people.get(todo.pop())
        if person is None:
            continue
        near = person.made_for if made else person.makers
        new = {each for each, at in near.items() if at + ONE_HAND > state.now} - reached
        reached |= new
        todo += new
    return reached - {who}


def nobody_else(state: State, who: str, about: str) -> str | None:
    """Whether nobody but these two administers and could sign in to decide, who is no one hand with either."""
    known = {person for person, provider in state.identities.values() if provider in state.providers}
    for name, person in state.people.items():
        kinds = {each.kind for each in person.factors.values()}
        if name in (who, about) or there(state, name) is not None or ADMINISTER not in rights(state, name):
            continue
        could = name in known or "passkey" in kinds or {"password", "totp"} <= kinds
        if could and one_hand(state, name, who, about) is None:
            return f"{name} could have decided"
    return None


def trusted(state: State, who: str) -> bool:
    """Whether a stolen factor of the account would decide something, administer, or open what is privileged."""
    person = state.people.get(who)
    return person is not None and any(
        not role.console.isdisjoint((ADMINISTER, APPROVE, ACCEPT_RISK))
        or any(
            each.get("administrative") or each["where"].get("env", "prod") == "prod"
            for each in role.permissions.values()
        )
        for _, role in bound(state, person)
    )


def administrative(state: State, who: str) -> bool:
    """Whether the account holds anything administrative, also what a hold keeps back."""
    person = state.people.get(who)
    return person is not None and any(
        ADMINISTER in role.console or any(each.get("administrative") for each in role.permissions.values())
        for _, role in bound(state, person)
    )


def bound(state: State, person: Person) -> Iterator[tuple[str, Role]]:
    """The roles that are bound to somebody, by name, also those that a hold keeps back, or a review withholds."""
    for binding in state.every_binding_of(person):
        role = state.roles.get(binding.role)
        if role is not None and (binding.ends is None or binding.ends > state.begun):
            yield binding.role, role


def had_factors(state: State, person: Person) -> bool:
    """Whether somebody had factors before this command."""
    return person.first_factor is not None and person.first_factor < state.begun


def through(state: State, who: str) -> set[str]:
    """The providers in force at which somebody has an identity."""
    person = state.people.get(who)
    return {each for each in person.identities.values() if each in state.providers} if person is not None else set()


def founding(state: State) -> bool:
    """Whether nobody had ever signed in: until then the host sets up."""
    return state.signed_in is None or state.signed_in >= state.begun


DAY_OF_WORK = 12 * HOUR
"""No factor serves longer than this, and no session runs longer (microseconds)."""
