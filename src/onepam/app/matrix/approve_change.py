"""A second administrator approves a change of the matrix, and with that it is in force."""

import asyncio

from onepam.app.matrix.plan_access import MatrixQuery
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.matrix.changing import Outcome, approve
from onepam.domain.matrix.file import read_access
from onepam.kernel.errors import Refused


async def approve_change(ledger: Ledger, actor: Actor, change: str, digest: str, text: str) -> Outcome:
    """Approves exactly `digest` and the `text` that the approver was shown; both must be what was proposed."""
    read = await asyncio.to_thread(read_access, text)
    outcome = await ledger.commit(
        MatrixQuery(actor, change), lambda facts, now: approve(facts, read, change, digest, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
