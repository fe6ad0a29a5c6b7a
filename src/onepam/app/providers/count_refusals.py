"""Counting what providers send that lets nobody in, so that an administrator sees why people stay outside."""

import re
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.history.commit import Decided
from onepam.domain.providers.refusals import ProviderRefused, RefusalFacts, count_refused
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused

PERIOD = 10 * MINUTE
"""Of one cause at a provider at most one entry in this time (microseconds)."""

MOST_COUNTED = 1_000
_CAUSE = re.compile(r"[a-z_]{1,30}\.[a-z_]{1,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RefusalQuery:
    """A provider."""

    facts: ClassVar[type[RefusalFacts]] = RefusalFacts
    provider: str


@dataclass(slots=True)
class _Count:
    written: Instant
    since: Instant
    waiting: int


class ProviderRefusals:
    """The counts of this process that are not in the ledger yet. The first of a cause is written at once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._counts: dict[tuple[str, str], _Count] = {}

    async def count(self, provider: str, cause: str, now: Instant) -> None:
        """One more. A cause that is no code of ours counts as `other.cause`."""
        key = provider, cause if _CAUSE.fullmatch(cause) else "other.cause"
        known = self._counts.get(key)
        if known is None:
            if len(self._counts) >= MOST_COUNTED:
                return
            known = self._counts[key] = _Count(Instant(now - PERIOD), now, 0)
        if not known.waiting:
            known.since = now
        known.waiting += 1
        await self.write(now)

    async def write(self, now: Instant) -> None:
        """Writes the counts whose time has come."""
        for (provider, cause), each in tuple(self._counts.items()):
            if not 0 <= now - each.written < PERIOD:
                if not each.waiting:
                    del self._counts[provider, cause]
                    continue
                refused = ProviderRefused(provider, cause, each.waiting, each.since)
                each.waiting, each.written = 0, now
                await self._ledger.commit(RefusalQuery(provider), partial(_counted, refused))


def _counted(refused: ProviderRefused, facts: RefusalFacts, now: Instant) -> Decided[None] | Refused:
    return count_refused(facts, refused)
