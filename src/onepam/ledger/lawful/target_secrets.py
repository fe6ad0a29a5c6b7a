"""Rules of the secrets by which the gateway signs in at targets: who sets one, and what it is given to."""

from __future__ import annotations

from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import DATABASES, Resource, Session, TargetSecret
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts
from onepam.ledger.lawful.state import State

target_secret_rules = Rules()

WAITING, CURRENT, RETIRED = "waiting", "current", "retired"
REPLACED, TAKEN_AWAY = "replaced", "removed"


@target_secret_rules.of("secret.set", "setting a secret", Authority.PERSON)
def secret_set(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, for a login of a database; the next version of its one secret, while none
    waits."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    resource = state.resources.get(body["resource"])
    if resource is None or resource.target[0] not in DATABASES or body["login"] not in _accounts(resource):
        yield f"there was no database {body['resource']} with the login {body['login']}"
    of, secret = (body["resource"], body["login"]), body["secret"]
    if secret not in state.target_secrets:
        if any((each.resource, each.login) == of for each in state.target_secrets.values()):
            yield "the login had another secret"
        state.target_secrets[secret] = TargetSecret(*of)
    kept = state.target_secrets[secret]
    if (kept.resource, kept.login) != of:
        yield "it is the secret of another login"
    if body["version"] != len(kept.versions) + 1:
        yield "it is not the next version"
    if WAITING in kept.versions.values():
        yield "another version waited"
    state.cause("secret set", secret, body["by"])
    kept.versions[body["version"]] = WAITING


@target_secret_rules.of(
    "secret.proven", "saying that a target took a secret", Authority.NODE, cannot=(Unjudged.TARGET,)
)
def secret_proven(state: State, entry: Entry) -> Why:
    """A version that waited; the one before is retired in the same command."""
    body = entry.body
    kept = state.target_secrets.get(body["secret"])
    if kept is None or kept.versions.get(body["version"]) != WAITING:
        yield "no such version waited"
        return
    versions = kept.versions
    versions[body["version"]] = CURRENT
    state.cause("secret proven", body["secret"])
    yield Later("the version before is in use still", lambda: list(versions.values()).count(CURRENT) > 1)


@target_secret_rules.of(
    "secret.retired", "retiring a secret", Authority.PERSON, Authority.NODE, cannot=(Unjudged.REASON,)
)
def secret_retired(state: State, entry: Entry) -> Why:
    """A version that was not; by an administrator, since another is there in the same command, or where it waited
    since the target refused it."""
    body = entry.body
    by, secret, because = body["by"], body["secret"], body["because"]
    if by is not None:
        yield acts(state, by, ADMINISTER)
    if because == REPLACED:
        other = ("secret set", secret, by) if by is not None else ("secret proven", secret)
        yield Unless("no other version came in its place", (other,))
    kept = state.target_secrets.get(secret)
    if kept is None or kept.versions.get(body["version"], RETIRED) == RETIRED:
        yield "there was no such version"
        return
    if by is None and (because == TAKEN_AWAY or (because != REPLACED and kept.versions[body["version"]] != WAITING)):
        yield "nobody took it away, and it was in use"
    kept.versions[body["version"]] = RETIRED


@target_secret_rules.of("secret.used", "giving a secret to a session", Authority.NODE)
def secret_used(state: State, entry: Entry) -> Why:
    """To a session that runs, of the login that it is for; the version in use, or the one that waits where none is."""
    body = entry.body
    kept: TargetSecret | None = state.target_secrets.get(body["secret"])
    session: Session | None = state.sessions.get(body["session"])
    if session is None or session.ends <= state.begun:
        yield "no such session was open"
    else:
        if session.makes:
            yield "a user is made for each session of the login"
        yield lent(kept, body["version"], (session.resource, session.login))


def lent(kept: TargetSecret | None, version: int, of: tuple[str, str]) -> str | None:
    """Why a version is not what the gateway signs in with as an account (resource, login); None where it is."""
    if kept is None or kept.versions.get(version, RETIRED) == RETIRED:
        return "there was no such version"
    if of != (kept.resource, kept.login):
        return "it is the secret of another login"
    if kept.versions[version] == WAITING and CURRENT in kept.versions.values():
        return "another version was in use"
    return None


def _accounts(resource: Resource) -> tuple[str, ...]:
    """As whom the gateway may sign in there: the logins, and the account that makes users."""
    makes = resource.session_users
    return resource.logins if makes is None else (*resource.logins, makes["made_by"])
