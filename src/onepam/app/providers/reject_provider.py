"""An administrator says no to a provider that is proposed, or its proposer takes it back."""

from onepam.app.ports import Ledger
from onepam.app.providers.propose_provider import ProviderQuery
from onepam.domain.access.authority import Actor
from onepam.domain.providers.setting import reject
from onepam.kernel.errors import Refused


async def reject_provider(ledger: Ledger, actor: Actor, change: str) -> Refused | None:
    """None when the proposal is void."""
    outcome = await ledger.commit(ProviderQuery(actor, change=change), lambda facts, now: reject(facts, change, now))
    return outcome if isinstance(outcome, Refused) else None
