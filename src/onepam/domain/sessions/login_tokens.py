"""Login tokens: a secret that stands in the place of a password where a client can show no other proof.

A token is for one person, resource, login and address, under one sign-in. It waits ten minutes for its first use; that
fixes its end, until which further connections of the same client (a pool, a dump in parallel) are asked of the door by
it, each anew. Without the sign-in behind it, it is worth nothing.
"""

from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, present
from onepam.domain.access.decision import AccessFacts, Permitted, decide
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.model import ResourceKind
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused

FIRST_USE = 10 * MINUTE
"""How long a token waits for its first use (microseconds)."""

MOST_WAITING = 20
"""Tokens of one person that wait for their first use at a time."""

MOST_LIVE = 64
"""Connections of one token at a time."""

INVALID = Refused(
    "login_token.invalid", "This login token is not valid here.", "Get another: onepam token RESOURCE --as LOGIN"
)
"""One answer, whether it is wrong, lapsed, somebody else's, or for something else."""


@event(
    "login_token.issued",
    klass="session",
    control="MFA-01 IDN-03",
    words="{person} got a login token for {login} on {resource}[ from {source}]",
)
@dataclass(frozen=True, slots=True)
class LoginTokenIssued:
    """A token under the sign-in `sign_in`. It may be used first before `expires`, from `source` alone. `digest` is the
    hex SHA-256 of what only its person has seen."""

    token: str
    person: str
    resource: str
    login: str
    sign_in: str
    expires: Instant
    digest: str | None = private()
    source: str | None = private()


@event(
    "login_token.used",
    klass="session",
    control="MFA-01 LOG-01",
    words="The login token {token} opened the session {session}",
)
@dataclass(frozen=True, slots=True)
class LoginTokenUsed:
    """The opening it served. It is good until `ends`: the end of the first session that it opened."""

    token: str
    session: str
    ends: Instant


@dataclass(frozen=True, slots=True)
class Issue:
    """A token that somebody wants."""

    token: str
    resource: str
    login: str
    digest: str
    source: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was issued: it may be used first before `expires`, at what speaks `kind`."""

    expires: Instant
    kind: ResourceKind


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """The actor, their access to the resource, and how many of their tokens wait for their first use."""

    actor: ActorFacts
    access: AccessFacts
    waiting: int


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as of the decision. `ends` is None before its first use, `live` the number of its connections."""

    person: str
    resource: str
    login: str
    sign_in: str
    source: str | None
    expires: Instant
    ends: Instant | None
    live: int


def issue(facts: IssueFacts, sign_in: str, command: Issue, now: Instant) -> Decided[Issued] | Refused:
    """A token, if the access itself would be given."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    verdict, resource = decide(facts.access, command.login, now), facts.access.resource
    if not isinstance(verdict, Permitted):
        return verdict
    if resource is None or not KINDS[resource.kind].leased:
        return Refused("login_token.kind", f"{command.resource} takes no login tokens.", "See how to reach it: /")
    if facts.waiting >= MOST_WAITING:
        return Refused(
            "login_token.many", f"{facts.waiting} tokens of yours wait for their first use.", "Use one, or wait."
        )
    assert facts.actor.signed_in_until is not None  # present() demands it
    expires = min(Instant(now + FIRST_USE), facts.actor.signed_in_until)
    issued = LoginTokenIssued(
        token=command.token,
        person=facts.actor.person,
        resource=resource.resource,
        login=command.login,
        sign_in=sign_in,
        expires=expires,
        digest=command.digest,
        source=command.source,
    )
    return Decided((issued,), Issued(expires, resource.kind))


def admits(facts: TokenFacts | None, person: str, target: str, login: str, source: str, now: Instant) -> Refused | None:
    """None where the token is one of this person's for this very login, from this address, and its time is not over."""
    if facts is None or (facts.person, facts.resource, facts.login) != (person, target, login):
        return INVALID
    if facts.source is None or facts.source != source:
        return INVALID
    if (facts.expires if facts.ends is None else facts.ends) <= now:
        return INVALID
    if facts.live >= MOST_LIVE:
        return Refused("login_token.busy", f"{facts.live} connections of this token are open.", "Close some of them.")
    return None
