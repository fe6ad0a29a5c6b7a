"""One key to the target and back, alone and beside a bulk stream of another session."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import urandom
from pathlib import Path
from statistics import median, quantiles

from bench import Figure, Progress
from bench.ssh.legs import Legs

KEYS = 300
WARM_UP = 10
PAUSE_SECONDS = 0.02
WAYS = ("direct", "jumped", "kept")
STREAM_BYTES = 64 * 1024 * 1024
STREAM_TIMES = 1000
"""The stream lasts longer than the keys, and ends when its client does."""


def measured(ways: Legs, folder: Path, progress: Progress) -> list[Figure]:
    """Added by ProxyJump and by the gateway to what it takes directly."""
    stream = folder / "stream"
    stream.write_bytes(urandom(1 << 20) * (STREAM_BYTES >> 20))
    figures: list[Figure] = []
    for what, most, beside in (("a key", 0.7, None), ("a key beside a bulk stream", 1.5, stream)):
        took: dict[str, list[float]] = {}
        for way in WAYS:
            progress(f"{what}, {way}")
            with _streaming(ways, way, beside):
                took[way] = _echoes(ways, way)
        base = median(took["direct"])
        jump50, jump99 = median(took["jumped"]) - base, _p99(took["jumped"]) - base
        p50, p99 = median(took["kept"]) - base, _p99(took["kept"]) - base
        figures += [
            Figure(f"{what}, direct, p50", base * 1000, "ms"),
            Figure(f"{what}, direct, p99", _p99(took["direct"]) * 1000, "ms"),
            Figure(f"{what}, added by ProxyJump, p50", jump50 * 1000, "ms"),
            Figure(f"{what}, added by ProxyJump, p99", jump99 * 1000, "ms"),
            Figure(f"{what}, added by the gateway, p50", p50 * 1000, "ms"),
            Figure(f"{what}, added by the gateway, p99", p99 * 1000, "ms", f"≤ {most}", p99 * 1000 <= most),
        ]
    stream.unlink()
    return figures


def _echoes(ways: Legs, way: str) -> list[float]:
    took: list[float] = []
    with subprocess.Popen(ways.ssh(way, "cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        for _ in range(WARM_UP + KEYS):
            began = time.perf_counter()
            client.stdin.write(b"x")
            client.stdout.read(1)
            took.append(time.perf_counter() - began)
            time.sleep(PAUSE_SECONDS)
        client.stdin.close()
    return took[WARM_UP:]


@contextmanager
def _streaming(ways: Legs, way: str, file: Path | None) -> Iterator[None]:
    if file is None:
        yield
        return
    command = ways.ssh(way, "cat " + f"{file} " * STREAM_TIMES)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as client:
        time.sleep(1)
        try:
            yield
        finally:
            client.terminate()
    ways.settle()


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100, method="inclusive")[98]
