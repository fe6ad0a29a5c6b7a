"""What an altered pack is, and the table of the ways in which one is made."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.evidence.company import LOG, WITNESS
from tests.evidence.forge import Forge

KEYS = ((LOG.vkey(),), (WITNESS.vkey(),))


@dataclass(frozen=True)
class Altered:
    """A pack, the keys with which it is read, the exit code that is due, and a pattern of what must be named."""

    name: str
    data: bytes
    names: str
    code: int = 1
    log_keys: tuple[str, ...] = KEYS[0]
    witness_keys: tuple[str, ...] = KEYS[1]


Kind = Callable[[Random, Forge], Altered]
KINDS: list[Kind] = []


def kind(alter: Kind) -> Kind:
    """One more way to alter a pack."""
    KINDS.append(alter)
    return alter


def flip(dice: Random, data: bytes) -> bytes:
    """With one bit that is another."""
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def not_the_tree(name: str, forge: Forge) -> Altered:
    """One whose headers and hashes do not give the root."""
    return Altered(name, forge.seal(), "headers|bodies")
