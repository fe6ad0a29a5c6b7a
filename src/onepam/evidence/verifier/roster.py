"""The staff roster as of an instant, by its entries in the log: who was on it, and until when."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import need
from onepam.evidence.verifier.rules import LISTED, LISTING, TAKEN
from onepam.kernel.instant import DAY


class Listed(NamedTuple):
    """A living entry of the roster: whose account it is (None: nobody's), its ends (us since 1970, None: none), and the
    entry of the log that said it last."""

    person: Optional[str]
    ends: Optional[int]
    contract_ends: Optional[int]
    told: int


def living(pack: Contents, what: str, as_of: int) -> List[Listed]:
    """All that had not ended by then. What says anything of the roster by then is disclosed."""
    found: Dict[str, Optional[Listed]] = {}
    for index in pack.log.all_of(LISTING, 0, as_of + 1):
        need(index in pack.disclosed, f"{what}: entry {index} ({pack.log.kind(index)}) is not disclosed")
        kind, body = pack.log.kind(index), pack.disclosed.body(index)
        entry = str(body.get("entry"))
        known = found.get(entry)
        if kind == LISTED:
            found[entry] = Listed(body.get("person"), _time(body, "ends"), _time(body, "contract_ends"), index)
        elif kind == "roster.entry_ended":
            found[entry] = None
        elif known is not None:
            found[entry] = known._replace(person=body.get("person"))
    return [each for each in found.values() if each is not None and (each.ends is None or each.ends > as_of)]


def _time(body: Any, name: str) -> Optional[int]:
    value = body.get(name)
    return value if type(value) is int else None


class Version:
    """The roster in force: `taken` is its entry, `age` how old it was (us), None where there was none."""

    def __init__(self, pack: Contents, what: str, as_of: int) -> None:
        self.taken = pack.log.all_of((TAKEN,), 0, as_of + 1)[-1:]
        self.age: Optional[int] = None
        for index in self.taken:
            need(index in pack.disclosed, f"{what}: entry {index} ({TAKEN}) is not disclosed")
            received = _time(pack.disclosed.body(index), "received")
            self.age = None if received is None else as_of - received

    def stale(self) -> str:
        """Why nothing is tested against it; empty where it is of the day before."""
        if self.age is None:
            return "no roster"
        return "the roster is older than 24 hours" if self.age > DAY else ""

    def hours(self) -> str:
        """Its age in whole hours."""
        return "" if self.age is None else str(self.age // (DAY // 24))
