"""The command line: how long a command takes to begin."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from bench import Figure, Progress
from bench.room import room

NAME = "Command line"
ROUNDS = 21
GOAL_SECONDS = 0.15


def run(progress: Progress) -> list[Figure]:
    """Whole processes, and a bare interpreter for comparison."""
    with room() as home:
        progress(f"{ROUNDS} starts of each")
        bare = list(_starts(home, "-c", "pass"))
        helped = list(_starts(home, str(Path(sys.executable).with_name("onepam")), "--help"))
        asked = list(_starts(home, str(Path(sys.executable).with_name("onepam")), "whoami"))
    help_seconds = median(wall for wall, _ in helped)
    return [
        Figure("a bare interpreter (yardstick), from start to end", median(wall for wall, _ in bare), "s"),
        Figure("`onepam --help`", help_seconds, "s", f"≤ {GOAL_SECONDS}", help_seconds <= GOAL_SECONDS),
        Figure("the same, processor time", median(cpu for _, cpu in helped), "s"),
        Figure("`onepam whoami` without a sign-in", median(wall for wall, _ in asked), "s"),
        Figure("the same, processor time", median(cpu for _, cpu in asked), "s"),
    ]


def _starts(home: Path, *words: str) -> Iterator[tuple[float, float]]:
    """Seconds and processor seconds of each start."""
    environment = {**os.environ, "HOME": str(home), "ONEPAM_HOME": str(home)}
    for _ in range(ROUNDS):
        began, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        after = getrusage(RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        yield time.perf_counter() - began, cpu
