"""Rules of access reviews: what one is of, whose each item is, what is withheld after it, and that it is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from json import JSONEncoder
from typing import Any

from onepam.kernel.instant import DAY, HOUR, Instant
from onepam.ledger.lawful.access import administered
from onepam.ledger.lawful.asked_for import covers
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.gains import held_by, holders
from onepam.ledger.lawful.known import Review, Role
from onepam.ledger.lawful.review_schedule import next_working, period_due, schedule_in_force
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts, is_manager, one_hand, signed_in, there
from onepam.ledger.lawful.state import State

review_rules = Rules()

KEEP, REMOVE, SILENCE, REDUCED = "keep", "remove", "silence", "reduced"
SHORTEST_REVIEW, LONGEST_REVIEW = DAY, 90 * DAY
"""How long a review that somebody opened may be decided on (microseconds)."""
KEPT_WITHIN = HOUR
"""How long ago whoever keeps an access may have shown their second factor."""

NO_ITEM = "no such item of a review waited"

_written = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


SYSTEM, SCIM = "system:", "scim:"
"""What an item is called by that is of another system."""


@review_rules.of("review.opened", "opening a review", Authority.PERSON, Authority.TIME)
@review_rules.of("review.opened", "opening a review", Authority.PERSON, Authority.TIME, version=2)
def review_opened(state: State, entry: Entry) -> Why:
    """An administrator; or time, once for each period of the schedule, of everything. What it is of is worked out from
    the history."""
    body = entry.body
    lasts = body["closes"] - state.begun
    if body["by"] is not None:
        yield acts(state, body["by"], ADMINISTER)
        if body["period"]:
            yield "it is in the name of a period, and somebody opened it"
        if not SHORTEST_REVIEW <= lasts <= LONGEST_REVIEW:
            yield "it does not last from 1 to 90 days"
    else:
        schedule = schedule_in_force(state)
        fallback = schedule["fallback"] if there(state, schedule["fallback"] or "") is None else None
        happened = not body["period"] and _happened(state, body["scope"])
        if not happened and body["period"] != period_due(state, entry.time):
            yield "it was not due"
        if body["closes"] != next_working(state.begun + schedule["lasts"], schedule["holidays"]):
            yield "it does not last as long as the schedule says"
        narrowed = any(body["scope"].values()) and not happened
        if narrowed or (body["suspends"], body["fallback"]) != (schedule["suspends"], fallback):
            yield "it is not what the schedule says"
    if body["period"] in state.periods:
        yield "that period had had its review"
    if body["review"] in state.reviews:
        yield "there was such a review already"
    if body["fallback"] is not None:
        yield there(state, body["fallback"])
    items, digest = _held_by_all(state, body["scope"])
    beyond = sum(name.startswith((SYSTEM, SCIM)) for _, name in items)
    if (body["items"], body["digest"], body.get("beyond", 0)) != (len(items), digest, beyond):
        yield "what it says it is of is not what everybody held"
    state.periods |= {body["period"]} - {""}
    closes, elsewhere = Instant(body["closes"]), _elsewhere(state, items) if beyond else {}
    state.reviews[body["review"]] = Review(items, closes, body["suspends"], body["fallback"], elsewhere)


@review_rules.of("review.decided", "deciding in a review", Authority.PERSON)
def review_decided(state: State, entry: Entry) -> Why:
    """Exactly the one whose it is, of what the review is of, in time; to keep something, under a factor of the last
    hour, to remove what administers, under a fresh one. What was withheld because nobody answered may be decided on
    later."""
    body = entry.body
    key, verdict = (body["person"], body["role"]), body["verdict"]
    role = state.roles.get(body["role"])
    administers = FRESH if role is not None and ADMINISTER in role.console else None
    yield signed_in(state, body["by"], KEPT_WITHIN if verdict == KEEP else administers)
    review = state.reviews.get(body["review"])
    if review is None or key not in review.items:
        yield NO_ITEM
        return
    if _review_over(state, review) and _withheld_after(state, key) != (body["review"], SILENCE):
        yield "the review was over"
    if (body["by"], body["answers"]) != _answers_for(state, review, key):
        yield "somebody else decided on it"
    review.decided[key] = verdict
    review.deciders[key] = (body["by"], entry.time)
    review.took_part.add(body["by"])
    review.beside.discard(key)
    state.reduced.pop(key, None)
    if verdict == REMOVE and _withheld_after(state, key)[0] not in ("", body["review"]):
        review.beside.add(key)
    state.cause("decided on", body["review"], *key, verdict, body["by"])
    if verdict == REMOVE:
        yield Later("the role was left", lambda: body["role"] in held_by(state, body["person"]))
    else:
        yield Later("it is withheld all the same", lambda: _withheld_after(state, key)[0] == body["review"])


@review_rules.of("review.passed", "passing an item of a review on", Authority.PERSON)
def review_passed(state: State, entry: Entry) -> Why:
    """Whoever decides on it, or an administrator, of what waits and is not theirs; to somebody who could decide."""
    body = entry.body
    key = (body["person"], body["role"])
    review = state.reviews.get(body["review"])
    late = (
        review is not None and _review_over(state, review) and _withheld_after(state, key) != (body["review"], SILENCE)
    )
    if review is None or key not in review.items or key in review.decided or late:
        yield signed_in(state, body["by"])
        yield NO_ITEM
        return
    decides = _answers_for(state, review, key)
    if body["because"] == "assigned":
        yield acts(state, body["by"], ADMINISTER)
        own = body["by"] == key[0] and _others_administer(state, key[0])
        if own or one_hand(state, key[0], body["by"]) is not None:
            yield "they named who decides on their own access"
        if decides is not None and body["to"] == body["by"]:
            yield "they took it from whoever decided on it"
    else:
        yield signed_in(state, body["by"])
        if decides is None or decides[0] != body["by"]:
            yield "somebody else decided on it"
    if not _could_decide(state, key[0], body["to"]):
        yield "it went to somebody who cannot decide on it"
    review.passed[key] = body["to"]


review_rules.told("review.reminded", "saying that an item of a review waits", Authority.TIME)


@review_rules.of("review.closed", "ending a review", Authority.TIME)
def review_closed(state: State, entry: Entry) -> Why:
    """Everything is decided, or its time is over and what silence takes is withheld; with the right numbers."""
    body = entry.body
    review = state.reviews.get(body["review"])
    if review is None or review.closed:
        yield "no such review was open"
        return
    kept = sum(verdict == KEEP for verdict in review.decided.values())
    silent = [key for key in review.items if key not in review.decided]
    if (body["kept"], body["removed"], body["unanswered"]) != (kept, len(review.decided) - kept, len(silent)):
        yield "its numbers are others"
    if silent and review.closes > state.now:
        yield "something waited, and its time was not over"
    yield Later("what nobody answered was left", lambda: any(_left_in_silence(state, review, key) for key in silent))
    review.closed = True


@review_rules.of("role.withheld", "withholding a role", Authority.CAUSE, Authority.TIME)
def role_withheld(state: State, entry: Entry) -> Why:
    """With the decision to remove it; because nobody answered, as the review said, when its time is over; or when the
    day is over until which it was kept. Somebody is left who administers."""
    body = entry.body
    key, name = (body["person"], body["role"]), body["review"]
    before, kept = _withheld_after(state, key), state.reduced.pop(key, None)
    if body["because"] == SILENCE:
        review = state.reviews.get(name)
        if body["by"] is not None:
            yield "it is in time's name, and somebody did it"
        if review is None or review.closed or review.closes > state.now or key in review.decided:
            yield "its time to be decided on was not over"
        elif not _silence_takes(review, key):
            yield "the review takes nothing of that without an answer"
        again = before[1] != ""
    elif body["because"] == REDUCED:
        if body["by"] is not None:
            yield "it is in time's name, and somebody did it"
        if kept is None or kept[0] != name or kept[1] > state.now:
            yield "no day until which it was kept was over"
        again = before[1] != ""
    else:
        yield Unless("nobody decided to remove it", (("decided on", name, *key, REMOVE, body["by"]),))
        again = before[1] not in ("", SILENCE)
    if again:
        yield "it was withheld already"
    person = state.people.get(body["person"])
    if person is None:
        yield f"there was no account {body['person']}"
        return
    person.withheld[body["role"]] = (name, body["because"])
    yield Later("after it nobody could administer any more", lambda: not administered(state))


@review_rules.of("role.returned", "ending the withholding of a role", Authority.CAUSE, Authority.TIME)
def role_returned(state: State, entry: Entry) -> Why:
    """With the decision to keep it after all; or because nothing gives it any more."""
    body = entry.body
    key, name = (body["person"], body["role"]), body["review"]
    person = state.people.get(body["person"])
    if person is None or person.withheld.pop(body["role"], ("", ""))[0] != name:
        yield "nothing was withheld after that review"
        return
    others = [each for each in state.reviews.values() if key in each.beside]
    for each in others:
        each.beside.discard(key)
    if body["because"] == "kept":
        if others:
            yield "another review's removal stood"
        yield Unless("nobody decided to keep it", (("decided on", name, *key, KEEP, body["by"]),))
    elif any(
        each.role == body["role"] and (each.ends is None or each.ends > state.begun)
        for each in state.every_binding_of(person)
    ):
        yield "a binding gave it still"


def _happened(state: State, scope: Mapping[str, Any]) -> bool:
    """Whether a review is of just people who moved, or of just roles that give more, and waits no more for another."""
    people, roles = set(scope["people"]), set(scope["roles"])
    narrowed = scope["resources"] or scope["privileged"] or scope.get("systems")
    if narrowed or not (people <= state.moved and roles <= state.widened):
        return False
    state.moved -= people
    state.widened -= roles
    return bool(people) != bool(roles)


def _held_by_all(state: State, scope: Mapping[str, Any]) -> tuple[dict[tuple[str, str], bool], str]:
    """Everybody's roles within the scope, each whether it is privileged, and what they hold in other systems; and the
    digest over all of it."""
    items: dict[tuple[str, str], bool] = {}
    lines: list[str] = []
    listed = _listed_of(state) if _goes_beyond(scope) else {}
    for who in sorted(state.people):
        person = state.people[who]
        if there(state, who) is not None or (scope["people"] and who not in scope["people"]):
            continue
        ways: dict[str, set[tuple[str, str]]] = {}
        for each in state.bindings_of(person):
            if each.ends is None or each.ends > state.begun:
                ways.setdefault(each.role, set()).add((each.binding, each.subject if each.to_group else ""))
        found = {
            name: (state.roles[name].version, ways[name], _weighs(state.roles[name]))
            for name in ways.keys() & state.roles.keys()
            if _in_scope(state, scope, name, state.roles[name])
        }
        for name, held in _beyond(state, who, listed).items() if _goes_beyond(scope) else ():
            if not scope["systems"] or name in scope["systems"]:
                found[name] = ("", held, False)
        for name, (version, by, weighs) in sorted(found.items()):
            items[who, name] = weighs
            lines.append(_written(["item", who, name, version, sorted(map(list, by))]))
    for name in sorted(state.resources):
        resource = state.resources[name]
        lines.append(_written(["resource", name, resource.labels, list(resource.logins)]))
    return items, sha256("\n".join(lines).encode("utf-8")).hexdigest()


def _goes_beyond(scope: Mapping[str, Any]) -> bool:
    """Whether a review of that scope is of other systems: before there were any, none was."""
    return "systems" in scope and not (scope["roles"] or scope["resources"] or scope["privileged"])


def _listed_of(state: State) -> dict[str, dict[str, set[tuple[str, str]]]]:
    """What people hold in other systems by the lists of their accounts: account and right, by person and system."""
    found: dict[str, dict[str, set[tuple[str, str]]]] = {}
    for account, each in state.listed.items():
        if each.person is not None:
            of = found.setdefault(each.person, {}).setdefault(SYSTEM + each.system, set())
            of |= {(account, right) for right in each.rights}
    return found


def _beyond(
    state: State, who: str, listed: Mapping[str, Mapping[str, set[tuple[str, str]]]]
) -> dict[str, set[tuple[str, str]]]:
    """What somebody holds in other systems: also as a member of a directory's groups to which no role is bound."""
    found = {name: set(each) for name, each in listed.get(who, {}).items()}
    for group, source in state.people[who].groups:
        bound = (each for each in state.group_bindings.get(group, {}).values() if each.role in state.roles)
        if source.startswith(SCIM) and not any(each.ends is None or each.ends > state.begun for each in bound):
            found.setdefault(source, set()).add(("", group))
    return found


def _elsewhere(state: State, items: Iterable[tuple[str, str]]) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    """Of the items of other systems the accounts with their rights, and the groups."""
    listed = _listed_of(state)
    beyond = (each for each in items if each[1].startswith((SYSTEM, SCIM)))
    return {(who, name): frozenset(_beyond(state, who, listed)[name]) for who, name in beyond}


def _in_scope(state: State, scope: Mapping[str, Any], name: str, role: Role) -> bool:
    if scope.get("systems"):
        return False
    if (scope["roles"] and name not in scope["roles"]) or (scope["privileged"] and not _weighs(role)):
        return False
    found = [state.resources[each] for each in scope["resources"] if each in state.resources]
    return not scope["resources"] or any(
        covers(permission, each.labels) for each in found for permission in role.permissions.values()
    )


def _weighs(role: Role) -> bool:
    """Whether a role has a say in OnePAM, or gives something privileged on what is there or may come."""
    return bool(role.console) or any(
        each.get("administrative") or each["where"].get("env", "prod") == "prod" for each in role.permissions.values()
    )


def _review_over(state: State, review: Review) -> bool:
    return review.closed or review.closes <= state.begun


def _withheld_after(state: State, key: tuple[str, str]) -> tuple[str, str]:
    """After which review the role is withheld from the person, and why; empty where it is not."""
    person = state.people.get(key[0])
    return person.withheld.get(key[1], ("", "")) if person is not None else ("", "")


def _could_decide(state: State, who: str, by: str) -> bool:
    """Whether somebody could decide on what somebody holds: no service account decides."""
    person = state.people.get(by)
    works = person is not None and person.kind != "service" and there(state, by) is None
    return works and by != who and one_hand(state, who, by) is None


def _others_administer(state: State, who: str) -> bool:
    roles = [name for name, role in state.roles.items() if ADMINISTER in role.console]
    return any(there(state, each) is None for name in roles for each in holders(state, name) - {who})


def _answers_for(state: State, review: Review, key: tuple[str, str]) -> tuple[str, str] | None:
    """Whose an item is: the first who can, and as what."""
    return next((each for each in _answering(state, review, key) if _could_decide(state, key[0], each[0])), None)


def _answering(state: State, review: Review, key: tuple[str, str]) -> Iterator[tuple[str, str]]:
    person, role = state.people.get(key[0]), state.roles.get(key[1])
    manager = person.manager if person is not None else None
    managed = person is not None and manager is not None and is_manager(state, person, manager)
    system = state.systems.get(key[1][len(SYSTEM) :]) if key[1].startswith(SYSTEM) else None
    ways = (
        (review.passed.get(key), "named"),
        (manager if managed else None, "manager"),
        (person.owner if person is not None else None, "sponsor"),
        (role.owner if role is not None else None, "role_owner"),
        (system.owner if system is not None else None, "system_owner"),
        (review.fallback, "fallback"),
    )
    return ((who, answers) for who, answers in ways if who is not None)


def _silence_takes(review: Review, key: tuple[str, str]) -> bool:
    beyond = key[1].startswith((SYSTEM, SCIM))
    takes = review.suspends == "everything" or (review.suspends == "privileged" and review.items.get(key, False))
    return takes and key in review.items and not beyond


def _left_in_silence(state: State, review: Review, key: tuple[str, str]) -> bool:
    """Whether somebody still holds what silence takes; but for what the last ones administer by."""
    role = state.roles.get(key[1])
    spared = role is not None and ADMINISTER in role.console
    return _silence_takes(review, key) and not spared and key[1] in held_by(state, key[0])
