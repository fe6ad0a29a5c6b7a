"""Runs the benchmarks and writes docs/benchmarks.md; with names, runs only these and keeps the others' sections."""

import importlib
import os
import pkgutil
import platform
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import bench
from bench import Figure, Progress

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
PEERS = Path(__file__).with_name("peers.md")
"""What is compared with what, and the figures of others, measured once and by hand."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A module that measures: its short name, its title, and how to run it."""

    key: str
    title: str
    run: Callable[[Progress], list[Figure]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a benchmark gave, or why it gave nothing."""

    title: str
    figures: list[Figure]
    fault: str = ""


def benchmarks() -> Iterator[Benchmark]:
    """Every module of this package with a `NAME`, by name; the others support them. Raises `LookupError` for none."""
    found = 0
    for module in pkgutil.walk_packages(bench.__path__, "bench."):
        if not module.name.endswith("__main__"):
            loaded = importlib.import_module(module.name)
            if hasattr(loaded, "NAME"):
                found += 1
                yield Benchmark(module.name.removeprefix("bench."), loaded.NAME, loaded.run)
    if not found:
        raise LookupError("there is no benchmark in this package")


def measure(benchmark: Benchmark) -> Outcome:
    """Run one; a benchmark that breaks is reported and does not take the others with it."""
    try:
        figures = benchmark.run(lambda text: print(f"  {benchmark.title}: {text}", file=sys.stderr, flush=True))
        return Outcome(benchmark.title, figures)
    except Exception as error:
        traceback.print_exc()
        return Outcome(benchmark.title, [], f"{type(error).__name__}: {error}")


def machine() -> Iterator[tuple[str, str]]:
    """What the figures depend on, as (name, value)."""
    model = next((line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")), ": unknown")
    memory = next((line for line in _read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), ": 0 kB")
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    yield "Processor", f"{model.split(':', 1)[1].strip()}, {os.cpu_count()} cores visible"
    yield "Memory", f"{int(memory.split()[1]) / 1024 / 1024:.0f} GiB"
    yield "System", f"{platform.freedesktop_os_release().get('PRETTY_NAME', 'Linux')}, {platform.release()}"
    yield "Software", f"CPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {_openssh()}"
    yield "Load when it began (1, 5, 15 min)", load


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _openssh() -> str:
    answer = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr
    return answer.split(",")[0].strip() or "no OpenSSH"


def page(outcomes: list[Outcome], surroundings: list[tuple[str, str]], day: str, kept: dict[str, str]) -> str:
    """The Markdown of docs/benchmarks.md: what was measured now, and beside it what is `kept` of earlier runs."""
    sections = {each.title: section(each, day) for each in outcomes}
    sections = {title: sections.get(title) or kept[title] for title in sorted(kept | sections)}
    met, missed = (sum(text.count(f"| {word} |") for text in sections.values()) for word in ("met", "**missed**"))
    lines = [
        "# Benchmarks",
        "",
        f"Measured by `make bench`, last on {day}. Goals met: {met} of {met + missed}.",
        "Where the machine is shared, trust ratios within one run, not absolute numbers.",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in surroundings),
        "",
        PEERS.read_text(encoding="utf-8").rstrip(),
    ]
    for title, text in sections.items():
        lines += ["", f"## {title}", "", text]
    return "\n".join(lines) + "\n"


def section(outcome: Outcome, day: str) -> str:
    """What is said of one benchmark."""
    if outcome.fault:
        return f"Not measured on {day}: {outcome.fault}"
    lines = [f"Measured on {day}.", "", "| what | measured | goal | verdict |", "| --- | ---: | ---: | --- |"]
    lines += [
        f"| {figure.name} | {number(figure.value)} {figure.unit} | {figure.goal or 'none'} | {verdict(figure)} |"
        for figure in outcome.figures
    ]
    return "\n".join(lines)


def kept_of(text: str, titles: set[str]) -> dict[str, str]:
    """The sections of these titles on the page as it is."""
    parts = (each.partition("\n") for each in text.split("\n## ")[1:])
    return {title: body.strip() for title, _, body in parts if title in titles}


def number(value: float) -> str:
    """Three significant digits below 1,000, whole above: what a noisy machine can mean."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def verdict(figure: Figure) -> str:
    """In words, never by colour alone."""
    return {True: "met", False: "**missed**", None: "for information"}[figure.meets]


def main(names: list[str]) -> int:
    """1 when a benchmark broke. A missed goal is a result, not an error."""
    surroundings = list(machine())
    known = list(benchmarks())
    unknown = set(names) - {benchmark.key for benchmark in known}
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(b.key for b in known)}")
        return 2
    outcomes = [measure(benchmark) for benchmark in known if not names or benchmark.key in names]
    kept = kept_of(PAGE.read_text(encoding="utf-8"), {each.title for each in known}) if names else {}
    text = page(outcomes, surroundings, datetime.now(UTC).date().isoformat(), kept)
    print(text)
    PAGE.write_text(text, encoding="utf-8")
    return 1 if any(outcome.fault for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
