"""Telling whoever answers for a control that it fails."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.controls import testing
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class FailingQuery:
    """The controls that fail and that somebody answers for."""

    facts: ClassVar[type[tuple[testing.Failing, ...]]] = tuple[testing.Failing, ...]


async def tell_owners(ledger: Ledger) -> int:
    """How many were told."""
    outcome = await ledger.commit(FailingQuery(), testing.tell)
    return 0 if isinstance(outcome, Refused) else outcome.result
