"""Writing down what the tests of controls found."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.controls import testing
from onepam.domain.controls.control import Run
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class TestingQuery:
    """Who wants it (None: time does)."""

    __test__ = False
    facts: ClassVar[type[testing.TestingFacts]] = testing.TestingFacts
    actor: Actor | None


async def record_runs(ledger: Ledger, actor: Actor | None, runs: Iterable[Run]) -> int | Refused:
    """How many of the runs were written down: those whose turn it was, or that somebody wanted."""
    found = tuple(runs)
    outcome = await ledger.commit(TestingQuery(actor), lambda facts, now: testing.record(facts, found, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
