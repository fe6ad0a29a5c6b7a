"""Benchmarks: `python -m bench` runs every module here that has a `NAME` and a `run`, against the goals it states.

NAME = "Ledger"
def run(progress: Progress) -> list[Figure]: ...
"""

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str], None]
"""Told in a few words what is being measured now."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    `goal` is the goal as people read it (`≥ 8,000`), empty where there is none; `meets` is None then.
    """

    name: str
    value: float
    unit: str
    goal: str = ""
    meets: bool | None = None
