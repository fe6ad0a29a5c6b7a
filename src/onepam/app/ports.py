"""What the use cases need from outside. `boot` wires the adapters; the simulator wires its own."""

from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from onepam.domain.commit import Committed, Decider, FactsQuery, Placed
from onepam.domain.decision import AccessFacts
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


class Tail(Protocol):
    """The ledger as those follow it who act on it: live sessions, alerts, other nodes."""

    def size(self) -> int:
        """How many entries there are."""
        ...

    def follow(self, after: int) -> AsyncIterator[list[Placed]]:
        """Batches of events with index >= `after`, in order, for ever; raises `Unavailable` when it cannot be read."""
        ...


class AccessReader(Protocol):
    """Current access facts outside a command, for what may only take away."""

    async def __call__(self, person: str, resource: str) -> AccessFacts:
        """The facts as of now."""
        ...
