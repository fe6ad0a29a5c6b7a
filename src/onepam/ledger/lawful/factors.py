"""Rules of factors: how they come, serve and go, by links and by their person."""

from __future__ import annotations

from onepam.kernel.instant import DAY, FOREVER, HOUR, MINUTE, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Factor, Link, Person
from onepam.ledger.lawful.proposals import decides, ends_proposal, one, propose
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import (
    ADMINISTER,
    FRESH,
    acts,
    administrative,
    founding,
    had_factors,
    nobody_else,
    one_hand,
    rights,
    signed_in,
    there,
    through,
    trusted,
)
from onepam.ledger.lawful.state import State

factor_rules = Rules()

ENROLMENT = "enrolment"
LINK = DAY
QUARANTINE = HOUR
MOST_FACTORS = 20
CHALLENGE_SERVED = 15 * MINUTE
"""For so long a passkey's challenge that has served is remembered."""
_SECOND = ("totp", "passkey")


@factor_rules.of("factor.enrolled", "enrolling a factor", Authority.FACTOR, Authority.PERSON)
def factor_enrolled(state: State, entry: Entry) -> Why:
    """By a link in the same command; by its person under a fresh factor; of a service account by an administrator, and
    where it is trusted another one's word on the same key, or it opens nothing privileged."""
    body = entry.body
    who, by = body["person"], body["by"]
    person = state.people.get(who)
    if person is None:
        yield f"there was no account {who}"
        return
    factor = Factor(who, body["kind"], by=by)
    linked = state.caused("link", who)
    if body["factor"] in state.factors:
        yield "there was such a factor already"
    if len(person.factors) >= MOST_FACTORS and not linked:
        yield f"there were {MOST_FACTORS} factors already"
    yield _answered(state, entry)
    if person.kind == "service":
        yield from _registered(state, entry, factor)
    elif not linked:
        yield signed_in(state, who, FRESH) if by == who else "only its person enrols a factor"
    elif by not in (None, who):
        yield "only its person enrols a factor"
    elif body["kind"] == "password" and through(state, who):
        yield "the person signs in through an identity provider, and needs no password"
    if body["kind"] in _SECOND:
        state.cause("second", who)
    factor.waits = body["privileged_from"] == FOREVER
    person.factors[body["factor"]] = state.factors[body["factor"]] = factor
    replaces = linked and had_factors(state, person) and trusted(state, who)
    if replaces and (body["privileged_from"] or 0) < state.begun + QUARANTINE:
        yield "what replaces a factor of somebody trusted opens nothing privileged for an hour, and it does not say so"
    person.first_factor = entry.time if person.first_factor is None else person.first_factor
    if body["privileged_from"] is not None and person.kind != "service":
        person.privileged_from = Instant(max(body["privileged_from"], person.privileged_from or 0))


def _registered(state: State, entry: Entry, factor: Factor) -> Why:
    """A service account's key: an administrator's, and of what is trusted a second one's."""
    body = entry.body
    who, by = body["person"], body["by"]
    yield acts(state, by, ADMINISTER, age=FRESH)
    yield there(state, who)
    if body["kind"] != "ssh_key":
        yield "a service account has keys only"
    if body["privileged_from"] != FOREVER and trusted(state, who) and not state.once("confirmed", who, by):
        yield "one administrator registered a key of what reaches something privileged, and it does not say so"


@factor_rules.of("factor.removed", "removing a factor", Authority.PERSON, Authority.FACTOR, Authority.CAUSE)
def factor_removed(state: State, entry: Entry) -> Why:
    """Its person under a fresh factor; a link that replaces it; with the account; a service's by an administrator."""
    body = entry.body
    who, by = body["person"], body["by"]
    person = state.people.get(who)
    factor: Factor | None = state.end(state.factors, body["factor"])
    if person is None or factor is None or factor.person != who:
        yield "there was no such factor of the person"
        return
    state.end(person.factors, body["factor"])
    state.cause("removed", body["factor"])
    if not person.enabled:
        return
    if person.kind == "service" and by is not None:
        yield acts(state, by, ADMINISTER)
        if factor.waits and factor.by not in (None, by) and one_hand(state, by, factor.by) is None:
            state.cause("confirmed", who, by)
    elif by != who:
        yield "only its person removes a factor"
    elif not state.caused("link", who):
        yield signed_in(state, who, FRESH)
        if factor.kind == "password":
            yield "nobody removes a password"
        if factor.kind in _SECOND and sum(each.kind in _SECOND for each in person.factors.values()) == 1:
            yield "it was the only second factor"


@factor_rules.of(
    "factor.used",
    "using a factor",
    Authority.FACTOR,
    cannot=(Unjudged.PROOF,),
)
def factor_used(state: State, entry: Entry) -> Why:
    """A factor in force, and nothing that has served before."""
    body = entry.body
    factor = state.factors.get(body["factor"])
    if factor is None or factor.person != body["person"]:
        yield "there was no such factor of the person"
        return
    yield there(state, body["person"])
    yield _answered(state, entry)
    counter = body["counter"]
    if factor.kind == "recovery":
        if counter in factor.spent:
            yield "this recovery code had served before"
        factor.spent.add(counter)
    elif factor.kind == "totp":
        if counter <= factor.counter:
            yield "this code had served before"
        factor.counter = counter
    elif factor.kind != "passkey":
        yield f"a {factor.kind} is not used so"
    else:
        if counter < factor.counter or counter == factor.counter > 0:
            yield "this passkey's signature counter had been there before"
        factor.counter = counter
    state.cause("used", body["person"], factor.kind)


@factor_rules.of("enrolment.proposed", "proposing to replace somebody's factors", Authority.PERSON)
def enrolment_proposed(state: State, entry: Entry) -> Why:
    """An administrator, for somebody who is here and for whom nothing waits."""
    yield acts(state, entry.body["by"], ADMINISTER)
    yield from _wanted(state, entry)
    propose(state, entry, ENROLMENT, entry.body["enrolment"], person=entry.body["person"], lapse=DAY)


@factor_rules.of(
    "enrolment.announced", "announcing to replace somebody's factors", Authority.PERSON, cannot=(Unjudged.TAKEN,)
)
def enrolment_announced(state: State, entry: Entry) -> Why:
    """An administrator, for somebody else, where nobody else could decide; due two days later."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
    yield from _wanted(state, entry)
    yield nobody_else(state, body["by"], body["person"])
    if body["by"] == body["person"]:
        yield "nobody announces it for themselves"
    if body["due"] < state.begun + 2 * DAY:
        yield "it is due within two days"
    kept = propose(state, entry, ENROLMENT, body["enrolment"], person=body["person"], lapse=3 * DAY)
    kept.alone = Instant(body["due"])


@factor_rules.of(
    "enrolment.opened",
    "making an enrolment link",
    Authority.PERSON,
    Authority.HOST,
    Authority.FACTOR,
    Authority.PROVIDER,
    Authority.RECOVERY,
    cannot=(Unjudged.PROOF, Unjudged.MESSAGE, Unjudged.TAKEN),
)
def enrolment_opened(state: State, entry: Entry) -> Why:
    """An administrator, for whom it takes two a second one; the person, through a provider or by a recovery code; the
    host, before the first sign-in or by recover-access."""
    body = entry.body
    who, by, first = body["person"], body["by"], body["proposed_by"]
    yield there(state, who)
    person = state.people.get(who)
    if person is not None and person.kind == "service":
        yield "a service account enrols nothing"
    if body["enrolment"] in state.links:
        yield "there was such a link already"
    if first is not None:
        yield from _agreed_link(state, entry)
    elif by == who:
        yield from _own_link(state, who)
    elif by is not None:
        yield acts(state, by, ADMINISTER)
        if person is not None and had_factors(state, person) and trusted(state, who):
            yield "replacing the factors of somebody trusted takes two administrators"
    elif not founding(state) and not state.once("used", who, "recovery"):
        yield Unless("it is on nobody's word, and no recovery code was used", (("recovered", who),))
    if body["expires"] > entry.time + LINK:
        yield "it lasts longer than any link"
    makers = frozenset(each for each in (by, first) if each is not None and each != who)
    link = Link(who, Instant(body["expires"]), makers, first is not None)
    state.links[body["enrolment"]] = link
    if person is not None:
        person.links[body["enrolment"]] = link


def _agreed_link(state: State, entry: Entry) -> Why:
    """What was proposed, decided on by another administrator; or alone, where nobody else could."""
    body = entry.body
    who, by, first = body["person"], body["by"], body["proposed_by"]
    yield from decides(state, entry, ENROLMENT, body["enrolment"])
    waiting = state.end(state.proposals, (ENROLMENT, body["enrolment"]))
    if waiting is not None and waiting.alone is not None and waiting.by == by:
        yield nobody_else(state, by, who)
        yield Unless("it does not say that nobody else decided", (("undecided", body["enrolment"]),))
    if waiting is not None and (waiting.by, waiting.person) != (first, who):
        yield "it is not what was proposed"


def _own_link(state: State, who: str) -> Why:
    """A first factor, on the word of the person's own provider, of somebody who is not administrative."""
    person = state.people.get(who)
    if not any(state.providers[each].rule.get("first_factor") == "self" for each in through(state, who)):
        yield "no identity provider lets its people enrol a first factor"
    if administrative(state, who):
        yield f"{who} held something administrative: an administrator makes the link"
    if person is not None and any(each.kind in _SECOND for each in person.factors.values()):
        yield "it is not the first factor of their own"
    state.cause("own link", who)


@factor_rules.of("enrolment.ended", "ending an enrolment link", Authority.PERSON, Authority.TIME, Authority.CAUSE)
def enrolment_ended(state: State, entry: Entry) -> Why:
    """Its person, an administrator, time, or with the account of its person or of whoever made it."""
    body = entry.body
    name, who, by = body["enrolment"], body["person"], body["by"]
    link: Link | None = state.end(state.links, name)
    state.cause("link over", name)
    if link is not None and link.person in state.people:
        state.end(state.people[link.person].links, name)
    if link is None:
        if (ENROLMENT, name) not in state.proposals:
            yield "there was no such link or proposal"
        elif by != who:
            yield from ends_proposal(state, entry, ENROLMENT, name, ADMINISTER, also=(("recovered", who),))
        state.end(state.proposals, (ENROLMENT, name))
    elif who not in (link.person, *link.makers):
        yield "the link is for somebody else, and made by others"
    elif by == who:
        why = signed_in(state, who)
        if why is not None:
            yield Unless(why, (("link", who), ("own link", who)))
    elif by is not None:
        yield acts(state, by, ADMINISTER)
    elif all(there(state, each) is None for each in (who, *link.makers)):
        yield Unless(
            "it is on nobody's word, and its people were there",
            (("recovered", who), *(("left", each) for each in (who, *link.makers))),
        )


@factor_rules.of("enrolment.undecided", "saying that nobody else decided on a link", Authority.CAUSE)
def enrolment_undecided(state: State, entry: Entry) -> Why:
    """Beside the link."""
    yield None
    state.cause("undecided", entry.body["enrolment"])


@factor_rules.of("enrolment.used", "enrolling by a link", Authority.FACTOR, cannot=(Unjudged.PROOF,))
def enrolment_used(state: State, entry: Entry) -> Why:
    """A link that is open, for its person; its makers are named."""
    body = entry.body
    who = body["person"]
    yield there(state, who)
    link: Link | None = state.end(state.links, body["enrolment"])
    person = state.people.get(who)
    if link is None:
        yield "there was no such link, or it had served"
    else:
        if link.person != who:
            yield "the link is for somebody else"
        if link.expires <= state.begun:
            yield "the link had lapsed"
        for maker in sorted(link.makers):
            yield there(state, maker)
        if link.makers != set(body["makers"]):
            yield "it does not name those who made the link"
        if _one_made(link) and person is not None and had_factors(state, person) and trusted(state, who):
            yield "replacing the factors of somebody trusted takes two administrators"
    if person is not None:
        yield from _replaces(state, entry, person)
    for maker in body["makers"]:
        if person is not None:
            person.makers[maker] = entry.time
        if maker in state.people:
            state.people[maker].made_for[who] = entry.time
    state.cause("link", who)
    state.cause("left", who)


def able(state: State, who: str) -> Why:
    """Whether it is a person whose account works."""
    yield there(state, who)
    person = state.people.get(who)
    if person is not None and person.kind == "service":
        yield "a service account signs in nowhere, and enrols nothing"


def _wanted(state: State, entry: Entry) -> Why:
    """A link for somebody is proposed once at a time."""
    who = entry.body["person"]
    yield from able(state, who)
    yield one(state, ENROLMENT, entry.body["enrolment"])
    person = state.people.get(who)
    if person is None:
        return
    waiting = state.proposals.get((ENROLMENT, person.proposed))
    if waiting is not None and waiting.until > state.begun and waiting.by and there(state, waiting.by) is None:
        yield "a link for them waited for a decision already" if ADMINISTER in rights(state, waiting.by) else None
    person.proposed = entry.body["enrolment"]


def _replaces(state: State, entry: Entry, person: Person) -> Why:
    """With a second factor, and nothing is left of what it takes the place of: factors, sign-ins, other links."""
    who = entry.body["person"]
    yield Unless("no second factor was enrolled by it", (("second", who),))
    old = [name for name, each in person.factors.items() if each.kind != "ssh_key"]
    for each in old:
        yield Unless("it leaves a factor that it replaces", (("removed", each),))
    for name, running in person.sign_ins.items() if old else ():
        if running.expires > state.begun:
            yield Unless("it leaves a sign-in of before", (("signed out", name),))
    for name in person.links:
        if name != entry.body["enrolment"]:
            yield Unless("it leaves another link", (("link over", name),))
    state.end(person.links, entry.body["enrolment"])


def _answered(state: State, entry: Entry) -> str | None:
    """Whether the challenge that a passkey answered had been answered before."""
    challenge = (entry.body["person"], entry.body["challenge"])
    if not challenge[1] or state.serves(state.challenges, challenge, entry.time + CHALLENGE_SERVED):
        return None
    return "this passkey's answer had served before"


def _one_made(link: Link) -> bool:
    """Whether it came into being by one administrator's word alone."""
    return bool(link.makers) and not link.proposed
