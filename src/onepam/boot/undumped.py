"""A process that leaves no image of its memory: what is in it (master keys, secrets of targets) reaches no disk."""

import ctypes
import resource

_PR_SET_DUMPABLE = 4


def leave_no_dump() -> None:
    """No core file, neither to a folder nor to a program that collects them, and nobody of the same account may read
    this process's memory (prctl(2), PR_SET_DUMPABLE; core(5))."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
