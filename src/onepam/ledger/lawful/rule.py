"""A rule: of one kind of entry, by whose authority it comes about, what it asks of the history, and what it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Union

from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.state import Cause, State


class Unless(NamedTuple):
    """Why an entry had no right to be, unless one of the causes stands in the same command, before it or after."""

    why: str
    causes: tuple[Cause, ...]


class Later(NamedTuple):
    """Why an entry had no right to be, if it `holds` when the command is over, and what ended in it is gone."""

    why: str
    holds: Callable[[], bool]


Why = Iterator[Union[str, Unless, Later, None]]
"""Reasons against an entry; None where there is none."""

Judge = Callable[[State, Entry], Why]
"""Yields why the entry had no right to be, and takes it into the state; it is run to its end,
whatever it yields."""


@dataclass(frozen=True)
class Rule:
    """Of one kind in one version. `right` is what an entry of it uses, in words that stand before the reason.

    `judge` is None for what uses no right of anybody's. `cannot` is what of it no rule can judge.
    """

    kind: str
    authority: tuple[Authority, ...]
    right: str
    judge: Judge | None
    cannot: tuple[Unjudged, ...] = ()
    version: int = 1


class Rules:
    """Collects the rules of one subject, each beside its judge."""

    def __init__(self) -> None:
        self.all: list[Rule] = []

    def of(
        self, kind: str, right: str, *authority: Authority, cannot: tuple[Unjudged, ...] = (), version: int = 1
    ) -> Callable[[Judge], Judge]:
        """The decorator of a judge."""

        def keep(judge: Judge) -> Judge:
            self.all.append(Rule(kind, authority, right, judge, cannot, version))
            return judge

        return keep

    def told(
        self,
        kind: str,
        right: str,
        *authority: Authority,
        cannot: tuple[Unjudged, ...] = (),
        version: int = 1,
        read: bool = False,
    ) -> None:
        """A kind that says what was so, and uses no right of anybody. It is `read` where a payload that speaks of
        somebody may be erased."""
        self.all.append(Rule(kind, authority, right, _nothing if read else None, cannot, version))


def _nothing(state: State, entry: Entry) -> Why:
    return iter(())
