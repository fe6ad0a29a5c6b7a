"""Letting a directory in: proposing, approving and ending the tokens of SCIM clients."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.provisioning.tokens import TokenFacts, TokenWish, approve, end, propose
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ScimTokenQuery:
    """The actor and a token."""

    facts: ClassVar[type[TokenFacts]] = TokenFacts
    actor: Actor
    token: str


async def propose_scim_token(ledger: Ledger, actor: Actor, wish: TokenWish) -> Refused | None:
    """None when the token waits for another administrator."""
    outcome = await ledger.commit(ScimTokenQuery(actor, wish.token), lambda facts, now: propose(facts, wish, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def approve_scim_token(ledger: Ledger, actor: Actor, token: str) -> Refused | None:
    """None when the token works."""
    outcome = await ledger.commit(ScimTokenQuery(actor, token), approve)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def end_scim_token(ledger: Ledger, actor: Actor, token: str, because: str) -> Refused | None:
    """None when the token, or its proposal, is void."""
    outcome = await ledger.commit(ScimTokenQuery(actor, token), lambda facts, now: end(facts, because, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
