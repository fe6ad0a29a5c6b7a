"""What the use cases need from outside. `boot` wires the adapters; the simulator wires its own."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from onepam.domain.access.decision import AccessFacts
from onepam.domain.history.commit import Committed, Decider, FactsQuery, Placed
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.ledger.entry import Header

F = TypeVar("F")
R = TypeVar("R")
P = ParamSpec("P")
T = TypeVar("T")


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


class Snapshot:
    """The tables as they are at one moment. Whoever holds one can only hand it to the store's named reads."""


class Reader(Protocol):
    """Reading beside the writer: a named read `(snapshot, at, ...)` of the store, or a function of several."""

    async def __call__(
        self,
        function: Callable[Concatenate[Snapshot, Instant, P], T],
        at: Instant | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Awaits `function(snapshot, at, ...)`, all of it in one snapshot; `at=None` means now, in ledger time.

        Raises `Unavailable` when the tables cannot be read, `Corrupt` when they are damaged.
        """
        ...

    def now(
        self,
        function: Callable[Concatenate[Snapshot, Instant, P], T],
        at: Instant | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same on the caller's thread. Blocking."""
        ...


class Documents(Protocol):
    """Documents beside the ledger, each under its digest."""

    def keep(self, digest: str, document: bytes) -> None:
        """It is there, whole, once this returns, under its hex SHA-256; one that is there already is left as it is.
        Raises `OSError`. Blocking."""
        ...

    def read(self, digest: str) -> bytes:
        """The document. Raises `Corrupt` where another one stands in its place, `FileNotFoundError` for none.
        Blocking."""
        ...


class AccessReader(Protocol):
    """Current access facts outside a command, for what may only take away."""

    async def __call__(self, asked: Sequence[tuple[str, str]]) -> Sequence[AccessFacts]:
        """The facts of each person and resource, in their order, all as of one instant: now."""
        ...


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """The ledger's state as people see it. Sizes are numbers of entries; an instant is None for what never happened."""

    size: int
    head_at: Instant
    log_key: str
    checkpoint_size: int
    checkpoint_at: Instant | None
    witness: str
    witnessed_size: int
    witnessed_at: Instant | None
    verified_kind: str
    verified_size: int
    verified_at: Instant | None
    findings: tuple[str, ...]
    trouble: str
    unlawful: tuple[str, ...] = ()
    looked_at: Instant | None = None
    """When this process looked at the newest entries and found nothing, and how many there were (`looked_size`): each
    minute, which is written down once an hour."""
    looked_size: int = 0
    keys: str = ""
    """Whom the place of the signer's key keeps out, in words."""
    includes: Callable[[int, bytes], bool] = lambda index, leaf: False
    """Whether the tree of the newest checkpoint holds this leaf hash at this index. Blocking; reads a few files."""


@dataclass(frozen=True, slots=True)
class EntryProof:
    """One entry with its inclusion in the newest checkpoint: what a reader needs to check it offline.

    `header` and `body` are canonical text, `path` the RFC 6962 audit path as hex, `note` the signed checkpoint.
    """

    index: int
    header: str
    body: str
    size: int
    path: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry's stored bytes; `payload` and its `salt` are None where the entry never had one, or it was erased."""

    header: Header
    body: bytes
    salt: bytes | None
    payload: bytes | None


class History(Protocol):
    """One snapshot of the ledger as evidence reads it. Blocking; raises `Unavailable` or `Corrupt`."""

    @property
    def size(self) -> int:
        """How many entries the snapshot has."""
        ...

    def query(self, sql: str, parameters: Mapping[str, int | str]) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement over the views `ev_*`, in its order."""
        ...

    def size_at(self, at: Instant) -> int:
        """How many entries have a time <= `at`."""
        ...

    def entry_at(self, time: Instant) -> int:
        """The index of the entry of exactly this time. Raises `Corrupt` when there is none."""
        ...

    def headers(self, begin: int, end: int) -> Iterator[tuple[Header, bytes]]:
        """The entries begin <= index < end in order: header, and SHA-256 of the body."""
        ...

    def entries(self, indexes: Iterable[int]) -> Iterator[Kept]:
        """These entries, in the order asked for. Raises `Corrupt` for one that is not there."""
        ...
