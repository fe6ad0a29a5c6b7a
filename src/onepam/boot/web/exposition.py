"""Metrics as Prometheus reads them: the text format, version 0.0.4, of families of samples."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value; `suffix` is what its name has behind the family's, as a histogram's have."""

    value: float
    labels: Labels = ()
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name; `kind` is counter, gauge or histogram."""

    name: str
    kind: str
    help: str
    samples: Sequence[Sample]


def text(families: Iterable[Family]) -> str:
    """The exposition of families; one without samples is told with its name and meaning alone."""
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
        lines += [f"{family.name}{each.suffix}{_labels(each.labels)} {_number(each.value)}" for each in family.samples]
    return "\n".join(lines) + "\n"


class Histogram:
    """Counts of seconds by size: `bounds` are the upper bounds of its buckets, rising."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def samples(self) -> list[Sample]:
        """The cumulative buckets, the sum and the count."""
        found, count = [], 0
        for bound, each in zip((*map(_number, self._bounds), "+Inf"), self._counts, strict=True):
            count += each
            found.append(Sample(count, (("le", bound),), "_bucket"))
        return [*found, Sample(self._sum, suffix="_sum"), Sample(count, suffix="_count")]


def _labels(labels: Labels) -> str:
    inner = ",".join(f'{name}="{_escaped(value, quote=True)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _escaped(words: str, *, quote: bool = False) -> str:
    words = words.replace("\\", "\\\\").replace("\n", "\\n")
    return words.replace('"', '\\"') if quote else words


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
