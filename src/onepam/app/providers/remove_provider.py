"""An administrator removes a provider: nobody signs in through it any more, and the sign-ins it opened end."""

from onepam.app.ports import Ledger
from onepam.app.providers.propose_provider import ProviderQuery
from onepam.domain.access.authority import Actor
from onepam.domain.providers.setting import MOST_SIGN_INS, end_sign_ins, remove
from onepam.kernel.errors import Refused


async def remove_provider(ledger: Ledger, actor: Actor, provider: str, because: str) -> int | Refused:
    """How many sign-ins ended. Those beyond what one command can hold end in the next ones."""
    query = ProviderQuery(actor, provider)
    outcome = await ledger.commit(query, lambda facts, now: remove(facts, provider, because, now))
    if isinstance(outcome, Refused):
        return outcome
    ended = last = outcome.result
    while last == MOST_SIGN_INS:
        more = await ledger.commit(query, lambda facts, now: end_sign_ins(facts, provider))
        if isinstance(more, Refused):
            return more
        last = more.result
        ended += last
    return ended
