"""Events and commands that the store's tests lay down by hand."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from onepam.app.sessions.close_session import NoFacts
from onepam.domain.access.events import RoleSet
from onepam.domain.history.commit import Decided, Decider
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.kernel.clock import Instant
from onepam.signing.author import NodeAuthor
from onepam.store.engine.database import connect
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer


def clock() -> Instant:
    """The wall clock."""
    return Instant(time.time_ns() // 1000)


def fresh(path: Path, **options: Any) -> Writer:
    """A writer on the ledger at `path`, which is created where there is none."""
    with closing(connect(path)) as db:
        create(db)
    return Writer(path, NodeAuthor.uncertified("node-1"), options.pop("clock", clock), random.randbytes, **options)


def person(number: int, name: str = "A Name", because: str = "joined") -> PersonAdded:
    return PersonAdded(f"per_{number}", PersonKind.EMPLOYEE, because, None, None, None, None, name, f"{number}@x.org")


def unprojectable() -> RoleSet:
    """An event that its table refuses: a role needs a purpose."""
    return RoleSet("r", "v", None, "o", (), (), "chg", None)  # type: ignore[arg-type]


def events(*given: object) -> Decider[Any, None]:
    """A decider that appends these."""
    return lambda facts, now: Decided(given, None)


def write(writer: Writer, *given: object) -> Any:
    """Appends events in one command, and waits."""
    return writer.commit(NoFacts(), events(*given))


@contextmanager
def one_group(writer: Writer) -> Iterator[None]:
    """What is submitted inside is run by the writer as one group."""
    held, go = threading.Event(), threading.Event()

    def hold(facts: None, now: Instant) -> Decided[None]:
        held.set()
        go.wait(10)
        return Decided((), None)

    done = submit(writer, hold)
    assert held.wait(10)
    yield
    go.set()
    done.result(10)


def submit(writer: Writer, decide: Decider[Any, Any]) -> "Future[Any]":
    """Submits a command without facts; the future holds its answer, an exception as a value."""
    future: Future[Any] = Future()
    writer.submit(NoFacts(), decide, future.set_result)
    return future
