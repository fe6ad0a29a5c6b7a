"""The contract between a decider and the ledger: facts in, events and a result out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

F_co = TypeVar("F_co", covariant=True)
F = TypeVar("F")
R = TypeVar("R")


class FactsQuery(Protocol[F_co]):
    """Names the facts that a command needs; the store answers it inside the ledger's transaction.

    An implementation is a frozen dataclass with the keys of the query, and a class attribute `facts` naming the type of
    the answer.
    """

    @property
    def facts(self) -> type[F_co]:
        """The type of the answer."""
        ...


@dataclass(frozen=True, slots=True)
class Decided(Generic[R]):
    """What is to be appended (at most `MAX_EVENTS_PER_COMMAND` events), and what the caller gets once it is durable."""

    events: tuple[object, ...]
    result: R


Decider = Callable[[F, Instant], Decided[R] | Refused]
"""A pure function of the facts and the command's ledger time. A bare `Refused` appends nothing."""


@dataclass(frozen=True, slots=True)
class Committed(Generic[R]):
    """A durable command: its result, the ledger's size after it, and its time."""

    result: R
    size: int
    time: Instant


@dataclass(frozen=True, slots=True)
class Placed:
    """An event where it stands in the ledger."""

    index: int
    time: Instant
    event: object
