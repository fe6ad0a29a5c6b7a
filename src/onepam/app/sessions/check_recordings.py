"""What a check of finished recordings found becomes history."""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.sessions.recordings import Checked, KnownBad, told
from onepam.kernel.canonical import encode
from onepam.kernel.errors import Refused, Unavailable
from onepam.ledger.merkle import Frontier


@dataclass(frozen=True, slots=True)
class KnownBadQuery:
    """Which of these sessions' recordings are known to be bad."""

    facts: ClassVar[type[KnownBad]] = KnownBad
    sessions: tuple[str, ...]


async def check_recordings(
    ledger: Ledger, node: str, turn: int, begin: int, until: int, results: tuple[Checked, ...]
) -> int:
    """Records what was found of the recordings closed by entries in [begin, until); how many are bad.

    Raises `Unavailable`.
    """
    root = root_of_results(results)
    query = KnownBadQuery(tuple(each.session for each in results))
    outcome = await ledger.commit(query, lambda known, now: told(known, results, node, turn, begin, until, root))
    if isinstance(outcome, Refused):
        raise Unavailable(outcome.message)
    return outcome.result


def root_of_results(results: tuple[Checked, ...]) -> str:
    """Hex RFC 6962 root over the canonical JSON of each result, in their order."""
    tree = Frontier()
    for each in results:
        record = encode({"condition": each.condition.value, "found": each.found, "session": each.session})
        tree.append(sha256(b"\x00" + record).digest())
    return tree.root().hex()
