"""An administrator signs that a provider demands a second factor of everybody, with its policy as evidence."""

from onepam.app.ports import Ledger
from onepam.app.providers.propose_provider import ProviderQuery
from onepam.domain.access.authority import Actor
from onepam.domain.providers.setting import Statement, declare
from onepam.kernel.errors import Refused


async def declare_mfa(ledger: Ledger, actor: Actor, statement: Statement) -> Refused | None:
    """None when the statement is in force, in place of an older one."""
    query = ProviderQuery(actor, statement.provider, declaration=statement.declaration)
    outcome = await ledger.commit(query, lambda facts, now: declare(facts, statement, now))
    return outcome if isinstance(outcome, Refused) else None
