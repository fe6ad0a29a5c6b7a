"""A second administrator approves a provider, and with that people sign in through it."""

from onepam.app.ports import Ledger
from onepam.app.providers.propose_provider import ProviderQuery
from onepam.domain.access.authority import Actor
from onepam.domain.providers.setting import approve
from onepam.kernel.errors import Refused


async def approve_provider(ledger: Ledger, actor: Actor, change: str) -> Refused | None:
    """None when the provider is as `change` proposed it. A change never changes, so its id names what was seen."""
    outcome = await ledger.commit(ProviderQuery(actor, change=change), lambda facts, now: approve(facts, change, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
