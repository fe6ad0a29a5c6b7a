"""SSH through the recorded gateway against OpenSSH alone: bulk throughput, and the latency of one command.

Every way is tried in turn, round by round, so that noise falls on all of them; ratios are medians over rounds.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from bench import Figure, Progress
from bench.ssh.legs import Legs, legs

NAME = "SSH through the gateway"

BULK_BYTES = 256 * 1024 * 1024
BULK_ROUNDS = 3
EXEC_ROUNDS = 60
EXEC_WARM_UP = 3


def run(progress: Progress) -> list[Figure]:
    """The recording is strict: nothing reaches either side before the kernel has its encrypted record."""
    with tempfile.TemporaryDirectory(prefix="onepam-bench-") as name:
        folder = Path(name)
        random, text = folder / "random", folder / "text"
        _write(random, lambda: os.urandom(1 << 20))
        line = b"2026-03-03T14:%02d:%02d app[%d]: request took %d ms\n"
        lines = b"".join(line % (n % 60, n % 59, n % 997, n * 7919 % 65536) for n in range(20_000))
        _write(text, lambda: lines)
        with legs(folder) as ways:
            figures = _latency(ways, progress)
            for what, path in (("random bytes", random), ("a log file", text)):
                figures += _bulk(ways, what, path, progress)
        return figures


def _write(path: Path, block: Callable[[], bytes]) -> None:
    with path.open("wb") as file:
        while file.tell() < BULK_BYTES:
            file.write(block())


def _latency(ways: Legs, progress: Progress) -> list[Figure]:
    direct: list[float] = []
    gateway: list[float] = []
    cpu = 0.0
    for number in range(EXEC_ROUNDS + EXEC_WARM_UP):
        if number == EXEC_WARM_UP:
            direct.clear()
            gateway.clear()
            cpu = ways.cpu_seconds()
        progress(f"one command, round {number + 1} of {EXEC_ROUNDS + EXEC_WARM_UP}")
        direct.append(_seconds([*ways.direct, "true"]))
        gateway.append(_seconds([*ways.gateway, "true"]))
    cpu = (ways.cpu_seconds() - cpu) / EXEC_ROUNDS * 1000
    p50 = (median(gateway) - median(direct)) * 1000
    p99 = (quantiles(gateway, n=100)[98] - quantiles(direct, n=100)[98]) * 1000
    return [
        Figure("`ssh host true` direct, p50", median(direct) * 1000, "ms"),
        Figure("added by the gateway, fresh connection to the target, p50", p50, "ms", "≤ 10 ms", p50 <= 10),
        Figure("added by the gateway, fresh connection to the target, p99", p99, "ms", "≤ 40 ms", p99 <= 40),
        Figure("processor time of the gateway per session", cpu, "ms"),
    ]


def _bulk(ways: Legs, what: str, path: Path, progress: Progress) -> list[Figure]:
    direct: list[float] = []
    jump: list[float] = []
    gateway: list[float] = []
    for number in range(BULK_ROUNDS):
        progress(f"bulk, {what}, round {number + 1} of {BULK_ROUNDS}")
        for way, seconds in ((ways.direct, direct), (ways.jump, jump), (ways.gateway, gateway)):
            seconds.append(_seconds([*way, f"cat {path}"]))
        ways.settle()
    of_direct, of_jump = median(direct) / median(gateway), median(jump) / median(gateway)
    return [
        Figure(f"{what}, direct", BULK_BYTES / median(direct) / 1e6, "MB/s"),
        Figure(f"{what}, through ProxyJump", BULK_BYTES / median(jump) / 1e6, "MB/s"),
        Figure(f"{what}, through the recorded gateway", BULK_BYTES / median(gateway) / 1e6, "MB/s"),
        Figure(f"{what}, gateway over direct", of_direct, "", "≥ 0.55", of_direct >= 0.55),
        Figure(f"{what}, gateway over ProxyJump", of_jump, "", "≥ 1", of_jump >= 1),
    ]


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
