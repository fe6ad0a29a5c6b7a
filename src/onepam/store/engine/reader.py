"""Reading beside the writer: a few threads, each with its own read-only connection and snapshot."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Clock, Instant
from onepam.store.db import Db
from onepam.store.engine.append import read_head
from onepam.store.engine.database import DatabaseError, connect, fault
from onepam.store.engine.release import check

P = ParamSpec("P")
T = TypeVar("T")


class SqliteReader:
    """Adapter of the port `Reader`."""

    def __init__(self, path: Path, clock: Clock, threads: int = 2) -> None:
        self._path = path
        self._clock = clock
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")

    async def __call__(
        self,
        function: Callable[Concatenate[Snapshot, Instant, P], T],
        at: Instant | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Awaits `function(db, at, ...)` on a reading thread; `at=None` means now."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self.now(function, at, *args, **kwargs))

    def now(
        self,
        function: Callable[Concatenate[Snapshot, Instant, P], T],
        at: Instant | None = None,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same on the caller's thread."""
        db = self._connection()
        db.execute("BEGIN")
        try:
            check(db)
            moment = at if at is not None else max(self._clock(), read_head(db).time)
            return function(db, moment, *args, **kwargs)
        except DatabaseError as error:
            raise fault(error) from error
        finally:
            db.execute("ROLLBACK")

    def close(self) -> None:
        """Ends the threads, whose connections go with them, and the connection of the caller's thread."""
        self._pool.shutdown(wait=True)
        found: Db | None = getattr(self._local, "db", None)
        if found is not None:
            found.close()
            del self._local.db

    def _connection(self) -> Db:
        found: Db | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = connect(self._path, read_only=True)
        return found
