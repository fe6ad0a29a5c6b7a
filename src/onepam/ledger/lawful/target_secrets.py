"""Rules of the secrets by which the gateway signs in at targets: who sets one, and what it is given to."""

from __future__ import annotations

from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Session, TargetSecret
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts
from onepam.ledger.lawful.state import State

target_secret_rules = Rules()

WAITING, CURRENT, RETIRED = "waiting", "current", "retired"


@target_secret_rules.of("secret.set", "setting a secret", Authority.PERSON)
def secret_set(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, for a login of a database; the next version."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    resource = state.resources.get(body["resource"])
    if resource is None or resource.target[0] != "postgres" or body["login"] not in resource.logins:
        yield f"there was no database {body['resource']} with the login {body['login']}"
    kept = state.target_secrets.setdefault(body["secret"], TargetSecret(body["resource"], body["login"]))
    if (kept.resource, kept.login) != (body["resource"], body["login"]):
        yield "it is the secret of another login"
    if body["version"] != len(kept.versions) + 1:
        yield "it is not the next version"
    kept.versions[body["version"]] = WAITING


@target_secret_rules.of(
    "secret.proven", "saying that a target took a secret", Authority.NODE, cannot=(Unjudged.TARGET,)
)
def secret_proven(state: State, entry: Entry) -> Why:
    """A version that waited."""
    body = entry.body
    kept = state.target_secrets.get(body["secret"])
    if kept is None or kept.versions.get(body["version"]) != WAITING:
        yield "no such version waited"
    else:
        kept.versions[body["version"]] = CURRENT


@target_secret_rules.of(
    "secret.retired", "retiring a secret", Authority.PERSON, Authority.NODE, cannot=(Unjudged.REASON,)
)
def secret_retired(state: State, entry: Entry) -> Why:
    """A version that was not; by an administrator, or since the target took another or refused it."""
    body = entry.body
    if body["by"] is not None:
        yield acts(state, body["by"], ADMINISTER)
    kept = state.target_secrets.get(body["secret"])
    if kept is None or kept.versions.get(body["version"], RETIRED) == RETIRED:
        yield "there was no such version"
    else:
        kept.versions[body["version"]] = RETIRED


@target_secret_rules.of("secret.used", "giving a secret to a session", Authority.NODE)
def secret_used(state: State, entry: Entry) -> Why:
    """To a session that runs, of the login that it is for; a version that was not retired."""
    body = entry.body
    kept: TargetSecret | None = state.target_secrets.get(body["secret"])
    session: Session | None = state.sessions.get(body["session"])
    if session is None:
        yield "no such session was open"
    elif kept is None or kept.versions.get(body["version"], RETIRED) == RETIRED:
        yield "there was no such version"
    elif (session.resource, session.login) != (kept.resource, kept.login):
        yield "it is the secret of another login"
