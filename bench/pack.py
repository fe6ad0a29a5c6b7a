"""`verify.py` on evidence packs of the first month of two companies, as an auditor runs it: a process of its own, the
standard library, and as many processors as there are. Wall time is what an auditor waits, on a quiet machine."""

import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from types import SimpleNamespace
from typing import cast

from bench import Figure, Progress
from bench.ledger import clock
from bench.room import room
from onepam.blobs.tile_folder import TileFolder
from onepam.boot.demo.month import Size, lay
from onepam.evidence.draw import Order, PublishedLog, draw_pack
from onepam.evidence.envelope import Period, System
from onepam.evidence.verifiers import path_of
from onepam.kernel.clock import DAY, Instant
from onepam.ledger.tiles import hash_reader
from onepam.store.engine.database import connect
from onepam.store.engine.history import SqliteHistory
from tests.company import Company
from tests.evidence.company import LOG, ORIGIN, WITNESS
from tests.evidence.live import Live, certified

NAME = "verify.py: evidence packs"
COMPANIES = ((1_000, 3), (3_000, 1))
"""People, each of whom has about 100 entries, and how often the pack of their first month is verified. Larger ones take
minutes to be laid: `python -m bench.pack 10000` measures the pack of a million entries."""
UNIT = 100_000
"""Entries for which seconds are told."""
GOAL_SECONDS, GOAL_MEGABYTES = 6.0, 1_000
WATCHED = 0.1
"""Seconds between two looks at the memory."""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of the clock and of the processors, and the most that all its processes had in memory together (MB)."""

    wall: float
    processor: float
    megabytes: float


def run(progress: Progress) -> list[Figure]:
    """A pack of each of the two companies."""
    figures, costs = list[Figure](), list[float]()
    for people, rounds in COMPANIES:
        found, cost = measure(people, rounds, progress)
        figures += found
        costs.append(cost)
    more = costs[1] / costs[0]
    what = "processor seconds of an entry of the larger pack, over one of the smaller"
    return [*figures, Figure(what, more, "ratio", "≤ 1.2", more <= 1.2)]


def measure(people: int, rounds: int, progress: Progress) -> tuple[list[Figure], float]:
    """What the first month of so many people takes; and the processor seconds of an entry."""
    with room() as folder:
        progress(f"the first month of {people:,} people")
        pack = folder / "pack.zip"
        size = draw(folder, pack, people)
        progress(f"verify.py, {size:,} entries")
        runs = [verified(pack) for _ in range(rounds)]
    of = f"{people:,} people and {size:,} entries"
    wall, processor = (median(each) * UNIT / size for each in zip(*((r.wall, r.processor) for r in runs), strict=True))
    memory = max(each.megabytes for each in runs)
    goal = f"≤ {GOAL_SECONDS:g}"
    return [
        Figure(f"wall time per 100,000 entries, {of}", wall, "s", goal, wall <= GOAL_SECONDS),
        Figure("the same, processor time", processor, "s"),
        Figure("the same, memory of all processes", memory, "MB", f"≤ {GOAL_MEGABYTES:,}", memory <= GOAL_MEGABYTES),
    ], processor / UNIT


def draw(folder: Path, pack: Path, people: int) -> int:
    """Lays the ledger, publishes it, and draws a pack of all of it; how many entries there are."""
    path, now = folder / "ledger.sqlite", clock()
    lay(path, certified("nod_1"), Size(people, people // 5, people * 25, people * 2), now)
    company = cast(Company, SimpleNamespace(path=path, clock=SimpleNamespace(now=now)))
    Live(company, folder).publish()
    with closing(connect(path, read_only=True)) as db:
        size, last = db.execute("SELECT count(*), max(time) FROM entry").fetchone()
    tiles = TileFolder(folder / "log")
    note = tiles.checkpoint()
    assert note is not None
    log = PublishedLog(note, size, LOG.vkey(), (WITNESS.vkey(),), hash_reader(size, tiles.read))
    period = Period(Instant(last - 29 * DAY), Instant(last + 1))
    order = Order(System(ORIGIN, "1", "demo"), period, "per_0", "auditor", "bench", "bench")
    with SqliteHistory(path) as history, pack.open("wb") as out:
        draw_pack(history, log, order, clock, out, lambda *_: None)
    return int(size)


def verified(pack: Path) -> Run:
    """One run. That nothing was found wrong is asked, too; the system of the order did not start, so it is 7."""
    command = [sys.executable, "-I", str(path_of("verify.py")), str(pack)]
    command += ["--log-key", LOG.vkey(), "--witness-key", WITNESS.vkey()]
    before, began, most = getrusage(RUSAGE_CHILDREN), time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, memory(process.pid))
            time.sleep(WATCHED)
    wall, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    assert process.returncode == 7, process.returncode
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, processor, most)


def memory(process: int) -> float:
    """What a process and those that it began have in memory (MB); what they share is counted once."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines()
        children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    except OSError:  # it has ended
        return 0.0
    shares = (int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return sum(shares) / 1000 + sum(memory(int(each)) for each in children)


if __name__ == "__main__":
    for figure in measure(int(sys.argv[1]), 1, print)[0]:
        print(figure.name, f"{figure.value:.4g} {figure.unit}")
