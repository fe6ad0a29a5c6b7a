"""The ledger's writer: one thread, one command after another, committed in groups.

Per command: facts -> decide -> append -> project, under a SAVEPOINT. A command that fails rolls back alone; a COMMIT that
fails fails every command of its group, and nothing has been published before. Between processes a blocking `flock` on a
file beside the database is taken before `BEGIN IMMEDIATE`: without it two writers stalled each other for a second.
"""

import fcntl
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onepam.domain.commit import Committed, Decided, Decider, FactsQuery
from onepam.kernel import limits
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Fault, Refused, Unavailable
from onepam.kernel.ids import RandomBytes
from onepam.store.append import Head, append, read_head, write_head
from onepam.store.clock_guard import ClockGuard, steady
from onepam.store.database import Db, connect
from onepam.store.facts import load

MAX_WAITING = 20_000
"""Commands that may wait; beyond that `submit` refuses rather than grow."""

MAX_GROUP = 1_000


@dataclass(slots=True)
class _Job:
    query: FactsQuery[Any]
    decide: Decider[Any, Any]
    done: Callable[[Committed[Any] | Refused | Exception], None]
    answer: Committed[Any] | Refused | Exception = field(default_factory=lambda: Unavailable("not decided"))


class Writer:
    """Owns the only writing connection of this process. `on_commit(size)` is called on its thread after each COMMIT."""

    def __init__(
        self,
        path: Path,
        node: str,
        clock: Clock,
        random: RandomBytes,
        on_commit: Callable[[int], None] = lambda size: None,
        monotonic: Clock = steady,
    ) -> None:
        self._db: Db = connect(path)
        self._random = random
        self._guard = ClockGuard(node, clock, monotonic)
        self._on_commit = on_commit
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(
        self,
        query: FactsQuery[Any],
        decide: Decider[Any, Any],
        done: Callable[[Committed[Any] | Refused | Exception], None],
    ) -> None:
        """Queues a command; `done` is called once on the writer's thread. Raises `Unavailable` when too many wait."""
        if self._closed:
            raise Unavailable("the ledger is closed")
        if self._jobs.qsize() >= MAX_WAITING:
            raise Unavailable("too many commands wait for the ledger")
        self._jobs.put(_Job(query, decide, done))

    def commit(self, query: FactsQuery[Any], decide: Decider[Any, Any], wait_seconds: float = 30.0) -> Any:
        """Submits and waits, for callers without an event loop. Raises what the command raised."""
        future: Future[Any] = Future()
        self.submit(query, decide, future.set_result)
        answer = future.result(wait_seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Finishes what waits and closes the database. Idempotent."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()
            self._db.close()
            os.close(self._lock)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            try:
                size = self._commit_group(group)
            except Exception as error:
                fault = _fault(error)
                for each in group:
                    each.answer = fault
                size = None
            if size is not None:
                self._on_commit(size)
            for each in group:
                with suppress(Exception):  # a caller that is gone must not end the ledger
                    each.done(each.answer)

    def _commit_group(self, group: list[_Job]) -> int | None:
        """Runs the first job and whatever else arrives within the batch's time; the ledger's size if it grew."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                before = head = read_head(self._db)
                head = self._guard_clock(head)
                stop = time.monotonic() + limits.MAX_BATCH_MILLISECONDS / 1000
                head = self._run_job(group[0], head)
                while len(group) < MAX_GROUP and time.monotonic() < stop:
                    try:
                        job = self._jobs.get_nowait()
                    except queue.Empty:
                        break
                    if job is None:
                        self._jobs.put(None)
                        break
                    group.append(job)
                    head = self._run_job(job, head)
                if head.size == before.size:
                    self._db.execute("ROLLBACK")
                    return None
                write_head(self._db, head)
                self._db.execute("COMMIT")
                return head.size
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _run_job(self, job: _Job, head: Head) -> Head:
        """The head after the job; a job that raises leaves head and tables as they were."""
        try:
            if self._guard.stopped is not None and not self._guard.admits(job.decide):
                job.answer = self._guard.stopped
                return head
            now = self._guard.now(head.time)
            decided = job.decide(load(self._db, job.query, now), now)
            if isinstance(decided, Refused):
                job.answer = decided
                return head
            return self._append(job, decided, head, now)
        except Exception as error:
            if not self._db.in_transaction:  # a full disk rolls the whole group back; nothing may run outside of it
                raise
            job.answer = _fault(error)
            return head

    def _append(self, job: _Job, decided: Decided[Any], head: Head, now: Instant) -> Head:
        if len(decided.events) > limits.MAX_EVENTS_PER_COMMAND:
            raise Fault(f"a command gave {len(decided.events)} events; the limit is {limits.MAX_EVENTS_PER_COMMAND}")
        self._db.execute("SAVEPOINT command")
        try:
            after = append(self._db, head, now, decided.events, self._random)
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK TO command")
                self._db.execute("RELEASE command")
            raise
        self._db.execute("RELEASE command")
        job.answer = Committed(decided.result, after.size, after.time)
        return after

    def _guard_clock(self, head: Head) -> Head:
        jump = self._guard.check()
        return append(self._db, head, self._guard.now(head.time), (jump,), self._random) if jump else head


def _fault(error: Exception) -> Exception:
    """What a caller sees: database trouble as `Unavailable` or `Corrupt`, a programming error as itself."""
    if isinstance(error, sqlite3.OperationalError):
        return Unavailable(f"the ledger cannot be written: {error}")
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.IntegrityError):
        return Fault(f"the ledger is damaged: {error}")
    return error
