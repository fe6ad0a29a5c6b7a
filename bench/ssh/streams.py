"""Bulk data both ways: by slope (what one byte more takes, without the set-up), and as a whole.

`kept`: all of it is recorded. `excerpt`: of a command's output head, samples and tail are, and a digest of all.
"""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import Figure, Progress
from bench.ssh.legs import Legs

SMALL, LARGE, FILE = 100_000_000, 400_000_000, 300_000_000
"""Bytes: the two sizes of a slope, and of the file that sftp copies."""

WHOLE = 200_000_000
ROUNDS = 3
KEPT = ("direct", "jumped", "kept")
WAYS = (*KEPT, "excerpt")
_LINE = b"2026-03-03T14:%02d:%02d app[%d]: request took %d ms\n"


@dataclass
class Series:
    """Seconds of each way, round by round, and the gateway's processor seconds of the kept ones."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    processor: list[float] = field(default_factory=list)

    def of(self, way: str, base: str = "direct") -> float:
        """How fast `way` is, as a part of `base`: the median over the rounds."""
        return median(theirs / ours for ours, theirs in zip(self.seconds[way], self.seconds[base], strict=True))


def measured(ways: Legs, folder: Path, progress: Progress) -> list[Figure]:
    """Downloads, uploads and file transfers of random bytes, and of the lines of a log."""
    figures: list[Figure] = []
    lines = b"".join(_LINE % (n % 60, n % 59, n % 997, n * 7919 % 65536) for n in range(20_000))
    for what, slope, block in (
        ("random bytes", 0.88, lambda: os.urandom(1 << 20)),
        ("a log file", 0.55, lambda: lines),
    ):
        file = folder / "bulk"
        _write(file, LARGE, block)
        figures += _download(ways, what, slope, file, progress)
        figures += _upload(ways, what, file, progress)
        if what == "random bytes":
            figures += _sftp(ways, file, folder, progress)
        file.unlink()
    return figures


def _download(ways: Legs, what: str, goal: float, file: Path, progress: Progress) -> list[Figure]:
    def head(size: int) -> Series:
        told = _titled(progress, f"download, {what}")
        return _series(ways, WAYS, lambda way: (ways.ssh(way, f"head -c {size} {file}"), None), told)

    small, whole, large = head(SMALL), head(WHOLE), head(LARGE)
    slope = Series({way: [b - a for a, b in zip(small.seconds[way], large.seconds[way], strict=True)] for way in WAYS})
    cpu = (median(large.processor) - median(small.processor)) / (LARGE - SMALL) * 1e9
    direct, kept, excerpt = median(slope.seconds["direct"]), slope.of("kept"), slope.of("excerpt")
    of_jump = whole.of("kept", "jumped")
    size = WHOLE // 1_000_000
    return [
        Figure(f"download, {what}, direct by slope", (LARGE - SMALL) / direct / 1e6, "MB/s"),
        Figure(f"download, {what}, ProxyJump over direct, by slope", slope.of("jumped"), ""),
        Figure(f"download, {what}, gateway over direct, by slope", kept, "", f"≥ {goal}", kept >= goal),
        Figure(f"the same where policy keeps an excerpt, {what}", excerpt, "", "≥ 0.85", excerpt >= 0.85),
        Figure(f"download of {size} MB, {what}, gateway over direct", whole.of("kept"), ""),
        Figure(f"download of {size} MB, {what}, gateway over ProxyJump", of_jump, "", "≥ 1", of_jump >= 1),
        Figure(f"download, {what}, processor time of the gateway, recording read back", cpu, "s/GB"),
    ]


def _upload(ways: Legs, what: str, file: Path, progress: Progress) -> list[Figure]:
    source = file.with_name("upload")
    with file.open("rb") as data:
        source.write_bytes(data.read(WHOLE))
    told = _titled(progress, f"upload, {what}")
    found = _series(ways, KEPT, lambda way: (ways.ssh(way, "cat > /dev/null"), source), told)
    source.unlink()
    ratio, name = found.of("kept"), f"upload of {WHOLE // 1_000_000} MB, {what}"
    return [
        Figure(f"{name}, ProxyJump over direct", found.of("jumped"), ""),
        Figure(f"{name}, gateway over direct", ratio, "", "≥ 0.75", ratio >= 0.75),
    ]


def _sftp(ways: Legs, file: Path, folder: Path, progress: Progress) -> list[Figure]:
    source, batch, copy = folder / "source", folder / "batch", folder / "copy"
    with file.open("rb") as data:
        source.write_bytes(data.read(FILE))
    figures: list[Figure] = []
    for verb, goal in (("put", 0.82), ("get", 0.68)):
        batch.write_text(f"{verb} {source} {copy}\n", encoding="utf-8")
        told = _titled(progress, f"sftp {verb}")
        found = _series(ways, KEPT, lambda way: (ways.sftp(way, batch), None), told)
        ratio, name = found.of("kept"), f"sftp {verb} of {FILE // 1_000_000} MB"
        figures += [
            Figure(f"{name}, ProxyJump over direct", found.of("jumped"), ""),
            Figure(f"{name}, gateway over direct", ratio, "", f"≥ {goal}", ratio >= goal),
        ]
    source.unlink()
    copy.unlink()
    return figures


def _series(
    ways: Legs, names: tuple[str, ...], command: Callable[[str], tuple[list[str], Path | None]], told: Progress
) -> Series:
    series = Series({way: [] for way in names})
    for number in range(ROUNDS):
        for way in names:
            told(f"{way}, round {number + 1} of {ROUNDS}")
            line, source = command(way)
            before = ways.cpu_seconds()
            series.seconds[way].append(_seconds(line, source))
            ways.settle()
            if way == "kept":
                series.processor.append(ways.cpu_seconds() - before)
    return series


def _titled(progress: Progress, title: str) -> Progress:
    return lambda text: progress(f"{title}, {text}")


def _seconds(command: list[str], source: Path | None) -> float:
    with (source or Path(os.devnull)).open("rb") as stdin:
        began = time.perf_counter()
        subprocess.run(command, stdin=stdin, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - began


def _write(path: Path, size: int, block: Callable[[], bytes]) -> None:
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(block())
