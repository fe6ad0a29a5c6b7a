"""Rules of who exists: accounts, their ends, and what a directory's brake holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Person
from onepam.ledger.lawful.rostering import as_rostered, off_roster
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts, founding
from onepam.ledger.lawful.state import State

people_rules = Rules()

MOST_ENDED = 1_200
"""Of each kind, by one command."""

Table = Mapping[Any, Any]

SPONSOR_GRACE = 7 * DAY
"""How long a vendor stays without a sponsor."""

ONLY_ROSTER = "only the staff roster says of what kind an account is"

_BY = (Authority.PERSON, Authority.DIRECTORY, Authority.ROSTER)


@people_rules.of(
    "person.added", "adding somebody", *_BY, Authority.HOST, Authority.PROVIDER, cannot=(Unjudged.ADDRESS,)
)
def person_added(state: State, entry: Entry) -> Why:
    """An administrator; before the first sign-in the host; a directory, a roster or a provider that brings people."""
    body = entry.body
    who, by, origin = body["person"], body["by"], body["origin"]
    way, _, provider = origin.partition(":")
    if by is not None:
        yield acts(state, by, ADMINISTER)
        if origin != "administrator":
            yield "an administrator brings nobody in the name of a directory"
    elif way == "claims":
        found = state.providers.get(provider)
        if found is None:
            yield f"no identity provider {provider} was in force"
        elif not found.rule.get("joins"):
            yield f"the identity provider {provider} may bring nobody in"
    elif way in ("scim", "roster"):
        yield from _brought(state, body)
    elif not founding(state):
        yield "it is on nobody's word, and somebody had signed in already"
    if who in state.people:
        yield f"there was an account {who} already"
    person = Person(body["kind"], _instant(body["ends"]), body["owner"], origin)
    _managed(person, body["manager"], entry)
    state.people[who] = person
    state.cause("joined", who)
    if body["kind"] == "vendor" and (body["owner"] is None or body["ends"] is None):
        yield "a vendor needs a sponsor and an end"


def _brought(state: State, body: Mapping[str, Any]) -> Why:
    """A directory brings somebody under a token in force, or the roster who stands on it."""
    if body["origin"] == "roster":
        yield Unless("they do not stand on the staff roster", (("on roster", body["person"]),))
        if not state.roster_creates:
            yield "the staff roster may bring nobody in"
    else:
        yield from _by_origin(state, body["origin"])
    if body["kind"] == "service":
        yield "a service account is made by hand"


@people_rules.of(
    "person.changed",
    "changing an account",
    *_BY,
    Authority.PROVIDER,
    cannot=(Unjudged.MESSAGE, Unjudged.ADDRESS),
)
def person_changed(state: State, entry: Entry) -> Why:
    """An administrator, of somebody else; a directory's write; what the roster or a provider says of its own."""
    body = entry.body
    who, by, ends = body["person"], body["by"], _instant(body["ends"])
    person = state.people.get(who)
    if person is None:
        yield f"there was no account {who}"
        return
    yield _erased(person)
    if by is not None:
        yield acts(state, by, ADMINISTER)
        if by == who:
            yield "nobody changes their own end, manager or sponsor"
        if body["kind"] is not None:
            yield ONLY_ROSTER
    elif not as_rostered(state, person, body):
        if body["kind"] is not None:
            yield ONLY_ROSTER
        same = (person.ends, person.owner) == (ends, body["owner"])
        if not (same and any(each in state.providers for each in person.identities.values())):
            why = "no directory that leads the account wrote it, nor does the roster say so"
            yield Unless(why, (("led", who),))
    elif body["kind"] != person.kind and "service" in (body["kind"], person.kind):
        yield "nobody becomes a service account, nor does one become somebody"
    state.happened("mover", who, holds=person.manager not in (None, body["manager"]))
    person.ends, person.owner = ends, body["owner"]
    _managed(person, body["manager"], entry)
    person.kind = body["kind"] or person.kind
    person.readdressed |= body["readdressed"]


def _managed(person: Person, manager: str | None, entry: Entry) -> None:
    """Whose team they are in, on whose word and since when."""
    if person.manager != manager:
        person.manager, person.manager_by, person.manager_since = manager, entry.body["by"], entry.time


@people_rules.of("person.disabled", "ending an account", *_BY, Authority.TIME, cannot=(Unjudged.BRAKE, Unjudged.CUT))
def person_disabled(state: State, entry: Entry) -> Why:
    """An administrator, of somebody else; a directory or the roster; or its time is over."""
    body = entry.body
    who, by, origin = body["person"], body["by"], body["origin"]
    person = state.people.get(who)
    if by is not None:
        yield acts(state, by, ADMINISTER)
        if by == who:
            yield "nobody ends themselves"
    elif not state.caused("decided", who):
        yield from _time_is_over(state, person) if origin == "end" else _by_origin(state, origin)
    if person is None:
        yield f"there was no account {who}"
    else:
        if by is None and not state.caused("decided", who):
            yield _leading(state, origin, who)
        person.enabled, person.left, person.hold, person.hold_by = False, entry.time, None, None
        person.left_by = origin
        yield from _leaves_nothing(state, person, "what they held was left", (person.groups,))
        person.much = any(len(each) > MOST_ENDED for each in (*_tables(person), person.groups))
    state.cause("left", who)


@people_rules.of("person.enabled", "letting somebody sign in again", *_BY, Authority.RECOVERY)
def person_enabled(state: State, entry: Entry) -> Why:
    """An administrator; the directory that had ended it; recover-access."""
    body = entry.body
    who, by = body["person"], body["by"]
    person = state.people.get(who)
    if by is not None:
        yield acts(state, by, ADMINISTER)
    else:
        way, _, provider = person.left_by.partition(":") if person is not None else ("", "", "")
        ended = (("scim", provider),) if way == "scim" else ()
        yield Unless("the directory that had ended it did not write it", (*ended, ("recovered", who)))
    if person is None:
        yield f"there was no account {who}"
    else:
        if person.enabled:
            yield "the account had not ended"
        elif not person.much:
            yield from _leaves_nothing(state, person, "it brings back what was held before")
        if person.ends is not None and person.ends <= state.begun:
            yield "the end of the account had passed"
        yield _erased(person)
        person.enabled, person.left = True, None
        person.reports.clear()
    state.cause("enabled", who)


_HOLDERS = (Authority.DIRECTORY, Authority.ROSTER, Authority.PROVIDER, Authority.TIME)


@people_rules.of("directory.held", "holding what a directory ends", *_HOLDERS)
def directory_held(state: State, entry: Entry) -> Why:
    """What a directory, the roster or a provider's message ended, or time did, and that somebody is held by it."""
    yield from _held(state, entry.body["origin"])
    yield Unless("nobody is held by it", (("hold", entry.body["hold"]),))


@people_rules.of("directory.person_held", "holding an account", *_HOLDERS)
def person_held(state: State, entry: Entry) -> Why:
    """Whom a directory, the roster or a provider's message ended, or time did; or whose earlier hold has lapsed."""
    body = entry.body
    person = state.people.get(body["person"])
    if person is None:
        yield f"there was no account {body['person']}"
        return
    lapsed = person.hold is not None and person.hold_by is not None and person.hold_by <= state.now
    if not lapsed:
        yield from _held(state, body["origin"])
        yield _leading(state, body["origin"], body["person"])
    person.hold, person.hold_by = body["reason"], _instant(body["decide_by"])
    state.cause("hold", body["hold"])
    state.cause("left", body["person"])


@people_rules.of("directory.person_decided", "deciding on a held account", *_BY, Authority.TIME, Authority.RECOVERY)
def person_decided(state: State, entry: Entry) -> Why:
    """An administrator, to keep it under a fresh factor; the directory that takes it back; its time is over."""
    body = entry.body
    who, by, outcome = body["person"], body["by"], body["outcome"]
    person = state.people.get(who)
    if by is not None:
        yield acts(state, by, ADMINISTER, age=FRESH if outcome == "kept" else None)
        if by == who and outcome != "kept":
            yield "nobody ends themselves"
    elif outcome == "kept":
        yield Unless("it was kept on nobody's word", (("recovered", who),))
    elif outcome == "returned" and not state.roster_taken:
        if person is not None and person.ends is not None and person.ends <= state.now:
            yield Unless("its end had come, and no directory took it back", (("scim",),))
    elif outcome in ("lapsed", "ended") and (person is None or person.hold_by is None or person.hold_by > state.now):
        yield "the time to decide was not over"
    if person is None or (person.hold is None and person.enabled):
        yield "the account was not held"
    else:
        person.hold, person.hold_by = None, None
    state.cause("decided", who)


people_rules.told("directory.hold_reminded", "saying that a hold waits", Authority.TIME)


@people_rules.of("directory.leaver_reported", "reporting that somebody has left", Authority.DIRECTORY)
def leaver_reported(state: State, entry: Entry) -> Why:
    """A directory that does not lead the account."""
    body = entry.body
    yield from _by_origin(state, body["origin"])
    if body["person"] in state.people:
        state.people[body["person"]].reports.add(body["origin"])


@people_rules.of("directory.report_decided", "settling a directory's report", Authority.PERSON, Authority.DIRECTORY)
def report_decided(state: State, entry: Entry) -> Why:
    """An administrator, not about themselves; or the directory says that the person is there."""
    body = entry.body
    if body["by"] is None:
        yield from _by_origin(state, body["origin"])
    else:
        yield acts(state, body["by"], ADMINISTER, age=FRESH if body["outcome"] == "kept" else None)
        if body["by"] == body["person"]:
            yield "nobody answers a report on themselves"
    person = state.people.get(body["person"])
    if person is None or not person.enabled or body["origin"] not in person.reports:
        yield "no report of that directory waited"
    else:
        person.reports.discard(body["origin"])
    state.cause("decided", body["person"])


def _leaves_nothing(state: State, person: Person, why: str, also: tuple[Table, ...] = ()) -> Why:
    """Of what is in force at this instant nothing is there when the command is over: sign-ins, factors, roles, access,
    links, and whatever else is in `also`. One command ends no more than so many of each."""
    for table in (*_tables(person), *also):
        held = {name for name, each in table.items() if _runs_on(state, each)}
        if held and len(table) <= MOST_ENDED:
            yield Later(why, partial(_any_left, held, table))


def _tables(person: Person) -> tuple[Table, ...]:
    return (person.sign_ins, person.factors, person.bindings, person.grants, person.links)


def _any_left(held: set[Any], table: Table) -> bool:
    return not held.isdisjoint(table)


def _runs_on(state: State, each: Any) -> bool:
    """Whether it has not run out by itself."""
    ends = getattr(each, "expires", getattr(each, "ends", None))
    return ends is None or ends > state.begun


def _erased(person: Person) -> str | None:
    return "what was known of the account had been erased" if person.erased else None


def _by_origin(state: State, origin: str) -> Why:
    """A directory by a token in force, in the same command; the roster, of which a version is in force."""
    way, _, provider = origin.partition(":")
    if way == "scim":
        yield Unless(f"no directory of {provider} wrote it under a token in force", (("scim", provider),))
    elif way != "roster":
        yield f"nothing that is called {origin!r} may do so"
    elif not state.roster_taken:
        yield "no version of the staff roster was in force"


def _leading(state: State, origin: str, who: str) -> str | None:
    """A directory ends whom it leads, and a provider's message is about whom it knows."""
    way, _, provider = origin.partition(":")
    if way == "scim" and (provider, who) not in state.led:
        return f"the directory of {provider} did not lead the account"
    if way == "claims" and provider not in state.people[who].identities.values():
        return f"{who} had no identity at {provider}"
    return f"{who} was not off the staff roster" if way == "roster" and not off_roster(state, who) else None


def _held(state: State, origin: str) -> Why:
    way, _, provider = origin.partition(":")
    if way == "claims":
        yield None if provider in state.providers else f"there was no such provider as {provider}"
    elif way != "end":
        yield from _by_origin(state, origin)


def _time_is_over(state: State, person: Person | None) -> Why:
    """The last day has passed, or nobody has answered for a vendor for a week."""
    if person is None or (person.ends is not None and person.ends <= state.now):
        return
    sponsor = state.people.get(person.owner or "")
    if person.kind != "vendor" or (
        sponsor is not None and sponsor.enabled and (sponsor.ends is None or sponsor.ends > state.now)
    ):
        yield "its end had not come, and somebody answered for it"


def _instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)
