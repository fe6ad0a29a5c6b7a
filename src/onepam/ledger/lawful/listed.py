"""What the rules know of lists that others keep: the staff roster, other systems and the accounts on their lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from onepam.kernel.instant import Instant


@dataclass
class System:
    """Another system: who answers for its accounts, when its list in force was made, its digest and those of all lists,
    and the list that is held, or was released, with who brought it."""

    owner: str
    made: int = 0
    digest: str = ""
    digests: set[str] = field(default_factory=set)
    held: tuple[str, str, str] | None = None
    released: bool = False


@dataclass
class ListedAccount:
    """An account of another system as its list said it last: who stands behind it, as its owner if it is a `service`,
    and whether an administrator has `said` so; `rights` are what it may do there."""

    system: str
    rights: tuple[str, ...]
    person: str | None
    service: bool
    said: bool


@dataclass
class Rostered:
    """An entry of the staff roster as it was said last, in a version: whose account it is, and what it says of them;
    `sponsor` is an entry. `gone` is since when it is off the roster."""

    version: str
    person: str | None
    kind: str
    sponsor: str | None
    ends: Instant | None
    gone: Instant | None = None
