"""An administrator withdraws the statement that a provider demands a second factor."""

from onepam.app.ports import Ledger
from onepam.app.providers.propose_provider import ProviderQuery
from onepam.domain.access.authority import Actor
from onepam.domain.providers.setting import end_declaration as end
from onepam.kernel.errors import Refused


async def end_declaration(
    ledger: Ledger, actor: Actor, provider: str, declaration: str, because: str
) -> Refused | None:
    """None when it no longer counts."""
    query = ProviderQuery(actor, provider, declaration=declaration)
    outcome = await ledger.commit(query, lambda facts, now: end(facts, provider, declaration, because, now))
    return outcome if isinstance(outcome, Refused) else None
