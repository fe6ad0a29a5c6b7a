"""`verify.py` on the evidence packs of a company's first month, and of a year of another, as an auditor runs it: a
process of its own, the standard library, and as many processors as there are. Wall time is what an auditor waits, on a
quiet machine; beside it stands what the machine gives a bare interpreter just then."""

import os
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
from bench.yardstick import interpreter
from onepam.blobs.tile_folder import TileFolder
from onepam.boot.demo.month import Size, lay
from onepam.evidence.draw import Order, PackSummary, PublishedLog, draw_pack
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
MONTH = Size(people=1_000, resources=200, sessions=25_000, requests=2_000)
YEAR = Size(people=1_200, resources=240, sessions=240_000, requests=24_000, days=365)
"""About a million entries, and as many rows as a report may have; it takes minutes to be laid."""
UNIT = 100_000
"""Entries for which seconds are told."""
GOAL_SECONDS, GOAL_MEGABYTES = 6.0, 1_000
WATCHED = 0.1
"""Seconds between two looks at the memory."""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of the clock and of the processors, of these what the process took that began the others, and the most
    that all had in memory together (MB)."""

    wall: float
    processor: float
    first: float
    megabytes: float


def run(progress: Progress) -> list[Figure]:
    """A pack of each of the two companies."""
    (figures, cost), (more, of_year) = measure(MONTH, 3, progress), measure(YEAR, 1, progress)
    ratio = of_year / cost
    what = "processor seconds of an entry of the year's pack, over one of the month's"
    return [*figures, *more, Figure(what, ratio, "ratio", "≤ 1.2", ratio <= 1.2)]


def measure(company: Size, rounds: int, progress: Progress) -> tuple[list[Figure], float]:
    """What the pack of all that the company did takes; and the processor seconds of an entry."""
    with room() as folder:
        progress(f"{company.days} days of {company.people:,} people")
        pack = folder / "pack.zip"
        size = draw(folder, pack, company)
        progress(f"verify.py, {size:,} entries")
        yard = interpreter()
        runs = [verified(pack) for _ in range(rounds)]
        yard = (yard + interpreter()) / 2
    of = f"{company.days} days of {company.people:,} people, {size:,} entries"
    wall, processor, first = (
        median(each) * UNIT / size for each in zip(*((r.wall, r.processor, r.first) for r in runs), strict=True)
    )
    memory = max(each.megabytes for each in runs)
    goal = f"≤ {GOAL_SECONDS:g}"
    return [
        Figure(f"wall time per 100,000 entries, {of}", wall, "s", goal, wall <= GOAL_SECONDS),
        Figure("the same, processor time", processor, "s"),
        Figure("the same, of its first process alone", first, "s"),
        Figure("the same, memory of all processes", memory, "MB", f"≤ {GOAL_MEGABYTES:,}", memory <= GOAL_MEGABYTES),
        Figure("bare Python, small objects as JSON (yardstick)", yard, "/s"),
    ], processor / UNIT


def draw(folder: Path, pack: Path, company: Size) -> int:
    """Lays the ledger, publishes it, and draws a pack of all of it; how many entries there are."""
    path, now = folder / "ledger.sqlite", clock()
    lay(path, certified("nod_1"), company, now)
    live = cast(Company, SimpleNamespace(path=path, clock=SimpleNamespace(now=now)))
    Live(live, folder).publish()
    with closing(connect(path, read_only=True)) as db:
        size, last = db.execute("SELECT count(*), max(time) FROM entry").fetchone()
    tiles = TileFolder(folder / "log")
    note = tiles.checkpoint()
    assert note is not None
    log = PublishedLog(note, size, LOG.vkey(), (WITNESS.vkey(),), hash_reader(size, tiles.read))
    period = Period(Instant(last - (company.days - 1) * DAY), Instant(last + 1))
    order = Order(System(ORIGIN, "1", "demo"), period, "per_0", "auditor", "bench", "bench")
    with SqliteHistory(path) as history, pack.open("wb") as out:
        drawn = draw_pack(history, log, order, clock, out, lambda *_: None)
    assert isinstance(drawn, PackSummary), drawn
    return int(size)


def verified(pack: Path) -> Run:
    """One run. That nothing was found wrong is asked, too; the system of the order did not start, so it is 7."""
    command = [sys.executable, "-I", str(path_of("verify.py")), str(pack)]
    command += ["--log-key", LOG.vkey(), "--witness-key", WITNESS.vkey()]
    before, began, most, first = getrusage(RUSAGE_CHILDREN), time.perf_counter(), 0.0, 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most, first = max(most, memory(process.pid)), max(first, seconds(process.pid))
            time.sleep(WATCHED)
    wall, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    assert process.returncode == 7, process.returncode
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, processor, first, most)


def memory(process: int) -> float:
    """What a process and those that it began have in memory (MB); what they share is counted once."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines()
        children = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    except OSError:  # it has ended
        return 0.0
    shares = (int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return sum(shares) / 1000 + sum(memory(int(each)) for each in children)


def seconds(process: int) -> float:
    """What a process has taken of the processors by itself (seconds)."""
    try:
        told = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
