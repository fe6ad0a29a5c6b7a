"""An administrator says no to a change of the matrix that waits, or its proposer takes it back."""

from onepam.app.matrix.plan_access import MatrixQuery
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.matrix.changing import reject
from onepam.kernel.errors import Refused


async def reject_change(ledger: Ledger, actor: Actor, change: str, reason: str) -> Refused | None:
    """Ends the proposal; nothing of it takes effect. A reason is required of anybody but its proposer."""
    outcome = await ledger.commit(MatrixQuery(actor, change), lambda facts, now: reject(facts, change, reason, now))
    return outcome if isinstance(outcome, Refused) else None
