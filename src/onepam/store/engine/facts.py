"""Which loader answers which facts query."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from onepam.app.ports import Snapshot
from onepam.domain.history.commit import FactsQuery
from onepam.kernel.clock import Instant

Q = TypeVar("Q")
F = TypeVar("F")

_loaders: dict[type, Callable[[Snapshot, Any, Instant], Any]] = {}


def loads(query: type[Q]) -> Callable[[Callable[[Snapshot, Q, Instant], F]], Callable[[Snapshot, Q, Instant], F]]:
    """Registers the loader of a facts query. Raises `ValueError` for a second one."""

    def register(loader: Callable[[Snapshot, Q, Instant], F]) -> Callable[[Snapshot, Q, Instant], F]:
        if query in _loaders:
            raise ValueError(f"{query.__name__} has a loader already")
        _loaders[query] = loader
        return loader

    return register


def load(db: Snapshot, query: FactsQuery[F], at: Instant) -> F:
    """The facts as of `at`. Raises `KeyError` for a query without a loader."""
    return cast(F, _loaders[type(query)](db, query, at))
