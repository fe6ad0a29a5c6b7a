"""The table of what somebody who writes to the data folder tries, and what `onepam ledger verify` says of it.

Each attack has two answers: with the signer's key in the folder, so that whoever has the folder has the key, and with
a signer as another user. docs/attacks.md is made from it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from onepam.ledger.verdict import ExitCode
from tests.tampering.installed import Copy


@dataclass(frozen=True, slots=True)
class Found:
    """Named by these words (a pattern), and the program ends with this code. With `anchored` only an anchor from
    outside tells; without one it is called unanchored, and never intact."""

    words: str
    code: ExitCode = ExitCode.BROKEN
    anchored: bool = False


@dataclass(frozen=True, slots=True)
class Unfindable:
    """Not found, because of this."""

    because: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The attacker has not got what it takes: it lies elsewhere."""


Answer = Found | Unfindable | Unreachable
Change = Callable[[Copy], object]
Enter = Callable[[Change], Change]


@dataclass(frozen=True, slots=True)
class Attack:
    """What is done, and the answers: `inside` with the signer's key in the folder, `outside` with it elsewhere."""

    place: str
    change: Change
    inside: Answer
    outside: Answer

    def answer(self, layout: str) -> Answer:
        """By where the signer's key lies."""
        return self.inside if layout == "inside" else self.outside


ATTACKS: dict[str, Attack] = {}
"""By what is done, in the order of the page."""


def attack(what: str, place: str, inside: Answer, outside: Answer | None = None) -> Enter:
    """Enters an attack; without an answer `outside`, a signer elsewhere makes no difference."""

    def enter(change: Change) -> Change:
        if what in ATTACKS:
            raise ValueError(f"{what!r} stands there twice")
        ATTACKS[what] = Attack(place, change, inside, outside or inside)
        return change

    return enter


def by_sql(what: str, place: str, statements: str, inside: Answer, outside: Answer | None = None) -> None:
    """Enters an attack that is a script of SQL."""
    attack(what, place, inside, outside)(lambda copy: copy.sql(statements))
