"""Rules of factors: how they come, serve and go, by links and by their person, and exceptions from the second one."""

from __future__ import annotations

from onepam.kernel.instant import DAY, FOREVER, HOUR, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.proposals import decides, ends_proposal, propose
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import (
    ACCEPT_RISK,
    ADMINISTER,
    FRESH,
    acts,
    administrative,
    founding,
    had_factors,
    nobody_else,
    one_hand,
    signed_in,
    there,
    trusted,
)
from onepam.ledger.lawful.state import Factor, Link, State

factor_rules = Rules()

ENROLMENT, EXCEPTION = "enrolment", "mfa_exception"
LINK = DAY
QUARANTINE = HOUR
LONGEST_EXCEPTION = 90 * DAY


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
    if person.kind == "service":
        yield acts(state, by, ADMINISTER, age=FRESH)
        if body["kind"] != "ssh_key":
            yield "a service account has keys only"
        factor.waits = body["privileged_from"] == FOREVER
        if not factor.waits and trusted(state, who) and not state.caused("confirmed", who, by):
            yield "one administrator registered a key of what reaches something privileged, and it does not say so"
    elif not state.caused("link", who):
        yield signed_in(state, who, FRESH) if by == who else "only its person enrols a factor"
    elif by not in (None, who):
        yield "only its person enrols a factor"
    person.factors[body["factor"]] = state.factors[body["factor"]] = factor
    replaces = state.caused("link", who) and had_factors(state, person) and trusted(state, who)
    if replaces and (body["privileged_from"] or 0) < state.begun + QUARANTINE:
        yield "what replaces a factor of somebody trusted opens nothing privileged for an hour, and it does not say so"
    person.first_factor = entry.time if person.first_factor is None else person.first_factor
    if body["privileged_from"] is not None and person.kind != "service":
        person.privileged_from = Instant(max(body["privileged_from"], person.privileged_from or 0))


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
    counter = body["counter"]
    if factor.kind == "recovery":
        if counter in factor.spent:
            yield "this recovery code had served before"
        factor.spent.add(counter)
    elif factor.kind == "totp":
        if counter <= factor.counter:
            yield "this code had served before"
        factor.counter = counter
    else:
        if counter < factor.counter or counter == factor.counter > 0:
            yield "this passkey's signature counter had been there before"
        factor.counter = counter
    state.cause("used", body["person"], factor.kind)


@factor_rules.of("enrolment.proposed", "proposing to replace somebody's factors", Authority.PERSON)
def enrolment_proposed(state: State, entry: Entry) -> Why:
    """An administrator."""
    yield acts(state, entry.body["by"], ADMINISTER)
    propose(state, entry, ENROLMENT, entry.body["enrolment"], person=entry.body["person"], lapse=DAY)


@factor_rules.of("enrolment.announced", "announcing to replace somebody's factors", Authority.PERSON)
def enrolment_announced(state: State, entry: Entry) -> Why:
    """An administrator, where nobody else could decide; due two days later."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
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
)
def enrolment_opened(state: State, entry: Entry) -> Why:
    """An administrator, for whom it takes two a second one; the person, through a provider or by a recovery code; the
    host, before the first sign-in or by recover-access."""
    body = entry.body
    who, by, first = body["person"], body["by"], body["proposed_by"]
    yield there(state, who)
    person = state.people.get(who)
    if first is not None:
        yield from decides(state, entry, ENROLMENT, body["enrolment"])
        waiting = state.end(state.proposals, (ENROLMENT, body["enrolment"]))
        if waiting is not None and waiting.alone is not None and waiting.by == by:
            yield nobody_else(state, by, who)
        if waiting is not None and (waiting.by, waiting.person) != (first, who):
            yield "it is not what was proposed"
    elif by == who:
        through = {name for whose, name in state.identities.values() if whose == who}
        if not any(
            state.providers[each].rule.get("first_factor") == "self" for each in through & state.providers.keys()
        ):
            yield "no identity provider lets its people enrol a first factor"
    elif by is not None:
        yield acts(state, by, ADMINISTER)
        if person is not None and had_factors(state, person) and trusted(state, who):
            yield "replacing the factors of somebody trusted takes two administrators"
    elif not founding(state) and not state.caused("used", who, "recovery"):
        yield Unless("it is on nobody's word, and no recovery code was used", (("recovered", who),))
    if body["expires"] > entry.time + LINK:
        yield "it lasts longer than any link"
    makers = frozenset(each for each in (by, first) if each is not None and each != who)
    state.links[body["enrolment"]] = Link(who, Instant(body["expires"]), makers, first is not None)


@factor_rules.of("enrolment.ended", "ending an enrolment link", Authority.PERSON, Authority.TIME, Authority.CAUSE)
def enrolment_ended(state: State, entry: Entry) -> Why:
    """Its person, an administrator, time, or with the account of its person or of whoever made it."""
    body = entry.body
    name, who, by = body["enrolment"], body["person"], body["by"]
    link: Link | None = state.end(state.links, name)
    if link is None:
        if (ENROLMENT, name) not in state.proposals:
            yield "there was no such link or proposal"
        elif by != who:
            yield from ends_proposal(state, entry, ENROLMENT, name, ADMINISTER, also=(("recovered", who),))
        state.end(state.proposals, (ENROLMENT, name))
    elif by is not None and by != who:
        yield acts(state, by, ADMINISTER)
    elif by is None and all(there(state, each) is None for each in (who, *link.makers)):
        yield Unless(
            "it is on nobody's word, and its people were there",
            (("recovered", who), *(("left", each) for each in (who, *link.makers))),
        )


factor_rules.told("enrolment.undecided", "saying that nobody else decided on a link", Authority.CAUSE)


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
    for maker in body["makers"]:
        if person is not None:
            person.makers[maker] = entry.time
        if maker in state.people:
            state.people[maker].made_for[who] = entry.time
    state.cause("link", who)
    state.cause("left", who)


@factor_rules.of("mfa_exception.proposed", "proposing an exception from the second factor", Authority.PERSON)
def mfa_exception_proposed(state: State, entry: Entry) -> Why:
    """An administrator, for somebody else, for 90 days at most."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
    yield from _exception(state, entry)
    propose(state, entry, EXCEPTION, body["exception"], person=body["person"], ends=body["ends"])


@factor_rules.of("mfa_exception.accepted", "accepting an exception from the second factor", Authority.PERSON)
def mfa_exception_accepted(state: State, entry: Entry) -> Why:
    """A senior approver under a fresh factor: neither who proposed it nor whom it is for."""
    body = entry.body
    yield from decides(state, entry, EXCEPTION, body["exception"], ACCEPT_RISK)
    waiting = state.end(state.proposals, (EXCEPTION, body["exception"]))
    if waiting is not None and (waiting.person, waiting.body["ends"]) != (body["person"], body["ends"]):
        yield "it is not what was proposed"
    yield from _exception(state, entry)
    state.exceptions[body["exception"]] = (body["person"], Instant(body["ends"]))


@factor_rules.of("mfa_exception.ended", "ending an exception from the second factor", Authority.PERSON, Authority.TIME)
def mfa_exception_ended(state: State, entry: Entry) -> Why:
    """An administrator or a senior approver; time; or with the account."""
    body = entry.body
    if state.end(state.exceptions, body["exception"]) is None:
        yield from ends_proposal(state, entry, EXCEPTION, body["exception"], ADMINISTER, ACCEPT_RISK)
    elif body["by"] is not None:
        yield acts(state, body["by"], ADMINISTER, ACCEPT_RISK)
    elif there(state, body["person"]) is None:
        yield Unless("it is on nobody's word, and its person was there", (("left", body["person"]),))


def _one_made(link: Link) -> bool:
    """Whether it came into being by one administrator's word alone."""
    return bool(link.makers) and not link.proposed


def _exception(state: State, entry: Entry) -> Why:
    body = entry.body
    if body["by"] == body["person"]:
        yield "nobody does this for themselves"
    if administrative(state, body["person"]):
        yield f"{body['person']} held something administrative"
    if body["ends"] > entry.time + LONGEST_EXCEPTION:
        yield "it lasts longer than 90 days"
