"""What the use cases need from outside. `boot` wires the adapters; the simulator wires its own."""

from typing import Protocol, TypeVar

from onepam.domain.commit import Committed, Decider, FactsQuery
from onepam.kernel.errors import Refused

F = TypeVar("F")
R = TypeVar("R")


class Ledger(Protocol):
    """The one way to change state."""

    async def commit(self, query: FactsQuery[F], decide: Decider[F, R]) -> Committed[R] | Refused:
        """Loads the facts at the head, decides, appends and projects, in one transaction; returns once it is durable.

        Raises `Unavailable` when the ledger cannot be written (locked, full, corrupt): nothing was changed.
        """
        ...
