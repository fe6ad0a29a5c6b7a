"""A login token, for a client that can show no other proof than a password."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.sessions.login_tokens import Issue, Issued, IssueFacts, issue
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class IssueQuery:
    """The actor, and the resource that they want to reach."""

    facts: ClassVar[type[IssueFacts]] = IssueFacts
    actor: Actor
    resource: str


async def issue_token(
    ledger: Ledger, actor: Actor, token: str, resource: str, login: str, digest: str
) -> Issued | Refused:
    """Until when it may be used first, at what. `digest` is the hex SHA-256 of the secret; it works from the actor's
    address."""
    command = Issue(token, resource, login, digest, actor.source)
    outcome = await ledger.commit(
        IssueQuery(actor, resource), lambda facts, now: issue(facts, actor.session, command, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
