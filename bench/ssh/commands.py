"""How long one command takes, what it costs the gateway, how many there are a second, and what an idle one keeps."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median, quantiles

from bench import Figure, Progress
from bench.ssh.legs import Legs

ROUNDS = 60
WARM_UP = 3
CLIENTS = 8
SESSIONS = 80
SESSION_ROUNDS = 3
IDLE = 100
IDLE_WARM_UP = 20
REST_SECONDS = 5.0


def measured(ways: Legs, progress: Progress) -> list[Figure]:
    """`ssh host true`: one after the other, and eight clients at once; then sessions that say nothing."""
    return [*_alone(ways, progress), *_together(ways, progress), *_idle(ways, progress)]


def _alone(ways: Legs, progress: Progress) -> list[Figure]:
    direct: list[float] = []
    added: list[float] = []
    before = 0.0
    for number in range(-WARM_UP, ROUNDS):
        progress(f"one command, round {number + 1} of {ROUNDS}")
        if number == 0:
            before = ways.cpu_seconds()
        there, through = _seconds(ways.ssh("direct", "true")), _seconds(ways.ssh("kept", "true"))
        if number >= 0:
            direct.append(there)
            added.append(through - there)
    time.sleep(1)  # the last session's ends are written
    cpu = (ways.cpu_seconds() - before) / ROUNDS * 1000
    p50, p99 = median(added) * 1000, quantiles(added, n=100, method="inclusive")[98] * 1000
    return [
        Figure("`ssh host true` direct, p50", median(direct) * 1000, "ms"),
        Figure("added by the gateway, p50 of pairs", p50, "ms", "≤ 12", p50 <= 12),
        Figure("the same, p99", p99, "ms", "≤ 40", p99 <= 40),
        Figure("processor time of the gateway per session", cpu, "ms", "≤ 13", cpu <= 13),
    ]


def _together(ways: Legs, progress: Progress) -> list[Figure]:
    rates: dict[str, list[float]] = {"direct": [], "jumped": [], "kept": []}
    for number in range(SESSION_ROUNDS):
        for way, found in rates.items():
            progress(f"{CLIENTS} clients, {way}, round {number + 1} of {SESSION_ROUNDS}")
            with ThreadPoolExecutor(CLIENTS) as clients:
                began = time.perf_counter()
                list(clients.map(lambda _, way=way: _seconds(ways.ssh(way, "true")), range(SESSIONS)))
                found.append(SESSIONS / (time.perf_counter() - began))
    ratio = median(ours / theirs for ours, theirs in zip(rates["kept"], rates["direct"], strict=True))
    return [
        Figure(f"sessions, {CLIENTS} clients, direct", median(rates["direct"]), "/s"),
        Figure("the same through ProxyJump", median(rates["jumped"]), "/s"),
        Figure("the same through the gateway", median(rates["kept"]), "/s"),
        Figure("sessions, gateway over direct", ratio, "", "≥ 0.88", ratio >= 0.88),
    ]


def _idle(ways: Legs, progress: Progress) -> list[Figure]:
    """What was taken for the first of them is there for all, so it does not count."""
    with ExitStack() as clients:
        used = 0
        for number in range(IDLE_WARM_UP + IDLE):
            progress(f"idle session {number + 1} of {IDLE_WARM_UP + IDLE}")
            if number == IDLE_WARM_UP:
                time.sleep(REST_SECONDS)
                used = ways.memory()
            command = ways.ssh("kept", "echo ready; exec cat")
            client = clients.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            assert client.stdout is not None
            assert client.stdout.readline() == b"ready\n"
        time.sleep(REST_SECONDS)
        each = (ways.memory() - used) / IDLE / 1e6
    return [Figure(f"memory for each of {IDLE} idle sessions", each, "MB", "≤ 0.12", each <= 0.12)]


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
