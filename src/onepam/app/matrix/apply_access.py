"""Applying an `access.yaml`: at once where nobody gains by it, else as a proposal to another administrator."""

import asyncio

from onepam.app.matrix.plan_access import MatrixQuery
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.matrix.changing import Outcome, apply
from onepam.domain.matrix.file import read_access
from onepam.domain.matrix.motive import UNSAID, Motive
from onepam.kernel.errors import Refused


async def apply_access(
    ledger: Ledger,
    actor: Actor | None,
    text: str,
    change_id: str,
    expected_digest: str | None,
    motive: Motive = UNSAID,
    *,
    file: str = "access.yaml",
) -> Outcome:
    """The actor applies the plan with `expected_digest`, and says why. `actor=None` is the bootstrap, and may give no
    digest."""
    read = await asyncio.to_thread(read_access, text, file)
    outcome = await ledger.commit(
        MatrixQuery(actor, change_id), lambda facts, now: apply(facts, read, change_id, expected_digest, now, motive)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
