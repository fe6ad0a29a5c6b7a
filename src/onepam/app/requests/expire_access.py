"""The sweep: receipts for what time has ended. Nothing depends on its having run."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.requests.expiry import OverdueFacts, Swept, sweep
from onepam.kernel.errors import Refused

MOST_GRANTS = 200
MOST_REQUESTS = 50
"""Looked at in one command, so that nobody else waits for it."""


@dataclass(frozen=True, slots=True)
class OverdueQuery:
    """What is overdue, and the waiting requests with an id greater than `after`."""

    facts: ClassVar[type[OverdueFacts]] = OverdueFacts
    after: str


async def expire_access(ledger: Ledger) -> Swept:
    """Runs bounded commands until nothing is overdue; running it again does nothing. Raises `Unavailable`."""
    grants, requests, after = 0, 0, ""
    while True:
        outcome = await ledger.commit(OverdueQuery(after), sweep)
        if isinstance(outcome, Refused):  # the ledger's clock is in doubt: nothing is decided until it is confirmed
            return Swept(grants, requests, after)
        grants, requests, after = (
            grants + outcome.result.grants,
            requests + outcome.result.requests,
            outcome.result.next,
        )
        if not after and outcome.result.grants < MOST_GRANTS:
            return Swept(grants, requests, "")
