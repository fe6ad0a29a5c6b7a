"""An administrator proposes a provider, or a change of one; and the facts of everything that is set about providers."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.providers.setting import Provider, SettingFacts, propose
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ProviderQuery:
    """The actor and all providers; the change, provider or declaration in question, where there is one."""

    facts: ClassVar[type[SettingFacts]] = SettingFacts
    actor: Actor
    provider: str = ""
    change: str = ""
    declaration: str = ""


async def propose_provider(ledger: Ledger, actor: Actor, wanted: Provider, replaces: str | None) -> Refused | None:
    """None when the proposal waits for another administrator; its settings were judged by the edge."""
    query = ProviderQuery(actor, wanted.provider, wanted.change)
    outcome = await ledger.commit(query, lambda facts, now: propose(facts, wanted, replaces, now))
    return outcome if isinstance(outcome, Refused) else None
