"""Rules of policy documents: who publishes one, who looks it through, and that everybody confirms for themselves."""

from __future__ import annotations

from onepam.ledger.lawful.documents import Policy
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, acts, signed_in, there
from onepam.ledger.lawful.state import State

policy_rules = Rules()

NOT_IN_FORCE = "no such version of the policy was in force"


@policy_rules.of("policy.published", "publishing a policy", Authority.PERSON)
def policy_published(state: State, entry: Entry) -> Why:
    """An administrator; the versions follow one another, and somebody is there to answer for it."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
    yield there(state, body["owner"])
    before = state.policies.get(body["policy"])
    if body["version"] != (before.version if before is not None else 0) + 1:
        yield "its number does not follow the one before"
    state.policies[body["policy"]] = Policy(body["version"], body["digest"], body["owner"])


@policy_rules.of("policy.looked_through", "looking a policy through", Authority.PERSON)
def policy_looked_through(state: State, entry: Entry) -> Why:
    """Whoever answers for it, or an administrator."""
    body = entry.body
    policy = state.policies.get(body["policy"])
    if policy is None or not policy.in_force or policy.version != body["version"]:
        yield NOT_IN_FORCE
        return
    yield signed_in(state, body["by"]) if policy.owner == body["by"] else acts(state, body["by"], ADMINISTER)


@policy_rules.of("policy.confirmed", "confirming that a policy was read", Authority.PERSON)
def policy_confirmed(state: State, entry: Entry) -> Why:
    """Whoever is signed in, of the very document in force, once."""
    body = entry.body
    yield signed_in(state, body["by"])
    policy = state.policies.get(body["policy"])
    if policy is None or not policy.in_force or (policy.version, policy.digest) != (body["version"], body["digest"]):
        yield NOT_IN_FORCE
        return
    if body["by"] in policy.confirmed:
        yield "they had confirmed it already"
    policy.confirmed.add(body["by"])


@policy_rules.of("policy.reminded", "saying that a policy waits to be read", Authority.TIME)
def policy_reminded(state: State, entry: Entry) -> Why:
    """Time, of what is in force and they have not confirmed."""
    body = entry.body
    policy = state.policies.get(body["policy"])
    if policy is None or not policy.in_force or policy.version != body["version"]:
        yield NOT_IN_FORCE
    elif body["person"] in policy.confirmed:
        yield "they had confirmed it already"


@policy_rules.of("policy.retired", "retiring a policy", Authority.PERSON)
def policy_retired(state: State, entry: Entry) -> Why:
    """An administrator."""
    yield acts(state, entry.body["by"], ADMINISTER)
    policy = state.policies.get(entry.body["policy"])
    if policy is None or not policy.in_force:
        yield NOT_IN_FORCE
        return
    policy.in_force = False
