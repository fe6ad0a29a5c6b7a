"""Work beside other work, in a process of its own where the machine has a second processor and lets a process make
another one; elsewhere one after the other. Both do the same by the same code, so the verdict is the same.

What the process beside shows of its progress, and what it found, comes through a pipe, a line of JSON each. One that
ends without having said what it found is a fault, whatever ended it: nothing is said of the pack then.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from onepam.evidence.verifier.progress import Progress, show_progress
from onepam.evidence.verifier.refusal import Refused, Spoiled, Unfinished

ALONE = 20_000  # entries; up to so many another process is not worth its beginning
FAULTS = {each.__name__: each for each in (Refused, Spoiled, Unfinished, MemoryError)}


class Beside:
    """Work on so many entries, of which `found` is there once the block is over. Where it ends otherwise than well,
    that is raised, also in the place of what the block raised: it would have been raised before."""

    def __init__(self, entries: int, work: Callable[[], Any]) -> None:
        self.found: Any = None
        self._process = self._pipe = 0
        if entries <= ALONE or not _can_be_two() or not self._begin(work):
            self.found = work()

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._process:
            try:
                if error is None or (isinstance(error, Exception) and not isinstance(error, MemoryError)):
                    self._wait()
            finally:
                self._stop()

    def _begin(self, work: Callable[[], Any]) -> bool:
        """Begins the process beside; false where there can be none."""
        self._pipe, pipe = os.pipe()
        try:
            self._process = os.fork()
        except OSError:
            os.close(self._pipe)
            os.close(pipe)
            return False
        if self._process == 0:
            _work(work, pipe)
        os.close(pipe)
        return True

    def _wait(self) -> None:
        given, line = None, ""
        with open(self._pipe, encoding="ascii", closefd=False) as pipe:
            for line in pipe:
                told = json.loads(line) if line.endswith("\n") else None
                if type(told) is str:
                    show_progress(told)
                else:
                    given = told
        process, self._process = self._process, 0
        _, status = os.waitpid(process, 0)
        if status or given is None:
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
            raise Unfinished(f"the process that judged the entries ended before it was through ({how})")
        fault, said, self.found = given
        if fault:
            raise FAULTS[fault](said)

    def _stop(self) -> None:
        os.close(self._pipe)
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _can_be_two() -> bool:
    """Whether there is a second processor, and this is the only thread: what others hold, a fork would not have."""
    known = hasattr(os, "sched_getaffinity")
    processors = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    return processors > 1 and hasattr(os, "fork") and threading.active_count() == 1


def _work(work: Callable[[], Any], pipe: int) -> NoReturn:
    """All that the process beside does. It ends here, and flushes nothing of what the other one has begun to write."""
    status = 1
    try:
        with open(pipe, "w", encoding="ascii") as out:

            def show(text: str) -> None:
                out.write(json.dumps(text) + "\n")
                out.flush()

            Progress.elsewhere = show
            out.write(json.dumps(_found(work)) + "\n")
        status = 0
    finally:
        os._exit(status)


def _found(work: Callable[[], Any]) -> Any:
    """What was raised and its words, or what was found."""
    try:
        return "", "", work()
    except (Refused, Unfinished, MemoryError) as error:
        return type(error).__name__, str(error), None
    except Exception as error:  # refused, whatever it was, in the words that it has in one process
        return Refused.__name__, f"{type(error).__name__}: {error}", None
