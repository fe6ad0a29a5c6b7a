"""The ledger's writer: one thread, one command after another, committed in groups.

Per command: facts -> decide -> append -> project; per group one signature (`batches.py`). A command that fails rolls
back alone: its group is rolled back and run again, now with a SAVEPOINT per command. (Savepoints from the start would
slow every command for the one in a million that breaks; deciders are pure, so running them again is no harm.) A COMMIT
that fails fails every command of its group, and nothing has been published before. Between processes a blocking lock is
taken before `BEGIN IMMEDIATE`: without it two writers stalled each other for a second.
"""

import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onepam.app.history.confirm_clock import ClockQuery
from onepam.domain.history.commit import Committed, Decided, Decider, FactsQuery
from onepam.domain.history.event import kind_of
from onepam.kernel import limits
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Fault, Refused, Unavailable
from onepam.kernel.ids import RandomBytes
from onepam.store.db import Db
from onepam.store.engine.append import Head, append, read_head, write_head
from onepam.store.engine.batches import Author, has_seam, newest_key, seal
from onepam.store.engine.clock_guard import ClockGuard, steady
from onepam.store.engine.database import connect, fault
from onepam.store.engine.process_lock import ProcessLock
from onepam.store.engine.release import check
from onepam.store.facts import load
from onepam.store.facts.holdings import CHANGES, TOPICS, remembered

MAX_WAITING = 20_000
"""Commands that may wait; beyond that `submit` refuses rather than grow."""

MAX_GROUP = 1_000


@dataclass(slots=True)
class _Job:
    query: FactsQuery[Any]
    decide: Decider[Any, Any]
    done: Callable[[Committed[Any] | Refused | Exception], None]
    answer: Committed[Any] | Refused | Exception = field(default_factory=lambda: Unavailable("the ledger is closed"))


class _RunAgain(Exception):
    """A command failed half-way outside of a savepoint."""


class Writer:
    """Owns the only writing connection of this process."""

    def __init__(
        self,
        path: Path,
        author: Author,
        clock: Clock,
        random: RandomBytes,
        monotonic: Clock = steady,
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        """`answered` is called on the writer's thread once all commands of a group have been told their answers."""
        self._db: Db = connect(path)
        self._path, self._file = path, _identity(path)
        self._data_version = -1
        self._careful = False
        self._author, self._random = author, random
        self._leaves: list[bytes] = []
        self._answered = answered
        self.guard = ClockGuard(author.node, clock, monotonic)
        self.guard.heed(load(self._db, ClockQuery(), Instant(0)))
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = ProcessLock(path)
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
        try:
            answer = future.result(wait_seconds)
        except TimeoutError:
            raise Unavailable(f"the ledger did not answer within {wait_seconds:.0f} s") from None
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
            self._lock.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = [job]
            try:
                self._commit_group(group)
            except Exception as error:
                for each in group:
                    each.answer = fault(error)
            for each in group:
                with suppress(Exception):  # a caller that is gone must not end the ledger
                    each.done(each.answer)
            with suppress(Exception):
                self._answered()
        while not self._jobs.empty():  # submitted while closing
            if (job := self._jobs.get()) is not None:
                with suppress(Exception):
                    job.done(job.answer)
                    self._answered()

    def _commit_group(self, group: list[_Job]) -> None:
        """Runs the first job and whatever else arrives within the batch's time."""
        with self._lock:
            self._careful = False
            try:
                self._try_group(group)
            except _RunAgain:
                self._careful = True
                self._try_group(group)

    def _try_group(self, group: list[_Job]) -> None:
        if _identity(self._path) != self._file:  # SQLite would go on writing to a file that nobody finds any more
            raise Unavailable("the database file is gone, or another one stands in its place")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            before = read_head(self._db)
            self._leaves = []
            self._prepare(before)
            node = self._author.node
            joining = self._author.join(remembered(self._db, "nodes", (node,), lambda: newest_key(self._db, node)))
            begun = self._record_jump(before, group[0])
            head = self._run_jobs(group, begun)
            if head.size > before.size:
                head = self._sign(before, head, joining)
                write_head(self._db, head)
                self._db.execute("COMMIT")
                if begun.size > before.size:
                    self.guard.recorded()
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _sign(self, before: Head, head: Head, joining: object | None) -> Head:
        """The head of the signed batch. This node's key comes into force with the first one that it writes, unless
        that is a seam, from which on another signer certifies."""
        if joining is not None and not has_seam(self._db, before.size):
            head = append(self._db, head, self.guard.now(head.time), (joining,), self._random, self._leaves)
            self._db.memory = {**self._db.memory, "nodes": {}}
        seal(self._db, self._author, before.size, self._leaves)
        return head

    def _prepare(self, head: Head) -> None:
        """Forgets facts that are not sure any more: changed here in the last group, or maybe by another process."""
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        known = self._db.memory if version == self._data_version else {}
        if version != self._data_version:
            check(self._db)
        self._db.memory, self._data_version = {topic: known.get(topic, {}) for topic in TOPICS}, version
        if self.guard.stopped is not None:
            self.guard.heed(load(self._db, ClockQuery(), head.time))

    def _record_jump(self, head: Head, first: _Job) -> Head:
        """A process that was only started to confirm the clock adds no doubt of its own."""
        jump = self.guard.check(head.time)
        if jump is None or isinstance(first.query, ClockQuery):
            return head
        return append(self._db, head, self.guard.now(head.time), (jump,), self._random, self._leaves)

    def _run_jobs(self, group: list[_Job], head: Head) -> Head:
        stop = time.monotonic() + limits.MAX_BATCH_MILLISECONDS / 1000
        for job in group:
            head = self._run_job(job, head)
        while len(group) < MAX_GROUP and time.monotonic() < stop:
            try:
                arrived = self._jobs.get_nowait()
            except queue.Empty:
                break
            if arrived is None:
                self._jobs.put(None)
                break
            group.append(arrived)
            head = self._run_job(arrived, head)
        return head

    def _run_job(self, job: _Job, head: Head) -> Head:
        """The head after the job; a job that raises leaves head and tables as they were."""
        try:
            if self.guard.stopped is not None and not isinstance(job.query, ClockQuery):
                job.answer = self.guard.stopped
                return head
            now = self.guard.now(head.time)
            decided = job.decide(load(self._db, job.query, now), now)
            if isinstance(decided, Refused):
                job.answer = decided
                return head
            return self._append(job, decided, head, now)
        except Exception as error:
            if isinstance(error, _RunAgain) or not self._db.in_transaction:  # a full disk has rolled the group back
                raise
            job.answer = fault(error)
            return head

    def _append(self, job: _Job, decided: Decided[Any], head: Head, now: Instant) -> Head:
        if len(decided.events) > limits.MAX_EVENTS_PER_COMMAND:
            raise Fault(f"a command gave {len(decided.events)} events; the limit is {limits.MAX_EVENTS_PER_COMMAND}")
        changed = {topic for event in decided.events for topic in CHANGES.get(kind_of(event).klass, ())}
        if changed:  # forgotten until the next group: what this one reads may still be rolled back
            self._db.memory = {topic: facts for topic, facts in self._db.memory.items() if topic not in changed}
        written = len(self._leaves)
        if self._careful:
            self._db.execute("SAVEPOINT command")
        try:
            after = append(self._db, head, now, decided.events, self._random, self._leaves)
        except Exception as error:
            self._leaves = self._leaves[:written]
            if not self._careful and self._db.in_transaction:
                raise _RunAgain from error
            if self._db.in_transaction:
                self._db.execute("ROLLBACK TO command")
                self._db.execute("RELEASE command")
            raise
        if self._careful:
            self._db.execute("RELEASE command")
        job.answer = Committed(decided.result, after.size, after.time)
        return after


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to; None where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
