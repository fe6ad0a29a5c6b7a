"""Rules of controls: that a run says what its numbers say, and who may say who answers."""

from __future__ import annotations

from onepam.ledger.lawful.documents import Controlled
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, AUDIT, acts, there
from onepam.ledger.lawful.state import State

control_rules = Rules()

FAILS, PASSES, NOTHING_SAID = "fail", "pass", "not-tested"


@control_rules.of(
    "control.tested",
    "saying what a test of a control found",
    Authority.TIME,
    Authority.PERSON,
    cannot=(Unjudged.TESTS,),
)
def control_tested(state: State, entry: Entry) -> Why:
    """By time, or by whoever audits or administers; and the verdict is that of the numbers."""
    body = entry.body
    if body["by"] is not None:
        yield acts(state, body["by"], AUDIT, ADMINISTER)
    population, failed, untested, excluded = (body[each] for each in ("population", "failed", "untested", "excluded"))
    if min(population, failed, untested, excluded) < 0 or failed + untested + excluded > population:
        yield "its numbers do not add up"
    empty = population == excluded and (population > 0 or not body["cause"])
    verdict = FAILS if failed else NOTHING_SAID if untested or empty else PASSES
    if body["verdict"] != verdict:
        yield "its verdict is not that of its numbers"
    if body["until"] > state.now or (body["begin"] is not None and body["begin"] >= body["until"]):
        yield "it is of a time that had not come, or of none"
    control = state.controls.setdefault(body["control"], Controlled())
    control.failing = body["verdict"] == FAILS
    control.told = control.told and control.failing


@control_rules.of("control.assigned", "saying who answers for a control", Authority.PERSON)
def control_assigned(state: State, entry: Entry) -> Why:
    """An administrator, of a person who is there, until a day to come."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
    yield there(state, body["owner"])
    if body["due"] is not None and body["due"] <= state.now:
        yield "it is due on a day that had passed"
    control = state.controls.setdefault(body["control"], Controlled())
    control.told = control.told and control.owner == body["owner"]
    control.owner = body["owner"]


@control_rules.of("control.reminded", "saying that a control fails", Authority.TIME)
def control_reminded(state: State, entry: Entry) -> Why:
    """Time, once of each failure, to whoever answers for it."""
    control = state.controls.get(entry.body["control"])
    if control is None or not control.failing or control.owner != entry.body["person"]:
        yield "it did not fail, or somebody else answered for it"
        return
    if control.told:
        yield "they had been told of it already"
    control.told = True
