"""The outbox of one installation: the job that follows the ledger and tells the receivers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

from onepam.app.ports import Ledger, Reader, Snapshot
from onepam.domain.telling.choosing import Plan
from onepam.domain.telling.outbox import (
    SECURITY,
    Channel,
    Digest,
    Notice,
    Occurrence,
    ReceiversQuery,
    person_of,
    set_receivers,
)
from onepam.egress.fetch import Fetch
from onepam.egress.outbox.deliver import Deliverer
from onepam.egress.outbox.send import Letter, Send
from onepam.jobs.job import Job
from onepam.kernel.clock import Clock, Instant
from onepam.store.read.outbox import mail_address, settled, to_tell
from onepam.store.read.telling import plan

PERIOD_SECONDS = 1.0

Claim = Callable[[], IO[bytes] | None]
"""The outbox's file, locked until it is closed; None while another process has it."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who is told besides people, and how; `senders` are by receiver."""

    channels: dict[str, Channel]
    senders: dict[str, Send]
    fetches: tuple[Fetch, ...]
    security: tuple[str, ...]


class Outbox:
    """Follows the ledger and tells. Of several processes the first one works, as long as it lives."""

    def __init__(
        self, claim: Claim, receivers: Receivers, url: str, origin: str, ledger: Ledger, reader: Reader, clock: Clock
    ) -> None:
        """`url` is the console's, to which notices point; `origin` the log's, of which they tell."""
        self._claim = claim
        self._url = url.rstrip("/")
        self._origin = origin
        self._receivers = receivers
        self._ledger = ledger
        self._reader = reader
        self._clock = clock
        self._held: IO[bytes] | None = None
        self._deliverer: Deliverer | None = None
        self._after = 0

    @property
    def waiting(self) -> int | None:
        """How many notices wait for their receiver; None where another process delivers them."""
        return None if self._deliverer is None else sum(len(each.waiting) for each in self._deliverer.queues.values())

    def job(self) -> Job:
        """Every second."""
        return Job("outbox", self.turn, PERIOD_SECONDS, finish=self.finish)

    async def turn(self) -> None:
        """Tells what there is to tell, unless another process does. Where it fails, everything is let go."""
        self._held = self._held or self._claim()
        if self._held is None:
            return
        try:
            if self._deliverer is None:
                await self.begin()
                self._deliverer, self._after = await self.deliverer(), 0
            self._after = await self.follow(self._deliverer, self._after)
            await self._deliverer.round(await self._reader(_now), self._clock(), PERIOD_SECONDS)
        except Exception:
            await self.let_go()
            raise

    async def finish(self) -> None:
        """The end: as `let_go`, and every connection is closed."""
        await self.let_go()
        for fetch in self._receivers.fetches:
            await fetch.aclose()

    async def let_go(self) -> None:
        """Breaks off what is being told, and lets another process tell."""
        deliverer, self._deliverer = self._deliverer, None
        if deliverer is not None:
            await deliverer.stop()
        held, self._held = self._held, None
        if held is not None:
            held.close()

    async def begin(self) -> None:
        """The receivers of the configuration are those of the ledger."""
        wanted = self._receivers.channels
        await self._ledger.commit(ReceiversQuery(), lambda facts, now: set_receivers(facts, wanted))

    async def deliverer(self) -> Deliverer:
        """One that knows what was settled."""
        return Deliverer(
            self._ledger,
            self._receivers.senders,
            self._addresses,
            self._letter,
            self._plan,
            await self._reader(settled),
        )

    async def follow(self, deliverer: Deliverer, after: int) -> int:
        """Hands over what the entries from `after` on tell, and gives the first that was not looked at."""
        found, after = await self._reader(to_tell, None, after)
        for each in found:
            deliverer.add(each.receiver, each.channel, each.occurrence)
        return after

    async def _addresses(self, receiver: str) -> tuple[str, ...]:
        if receiver == SECURITY:
            return self._receivers.security
        address = await self._reader(mail_address, None, person_of(receiver))
        return (address,) if address else ()

    async def _plan(self, receiver: str, waiting: Sequence[Occurrence]) -> Plan:
        return await self._reader(plan, None, receiver, waiting)

    def _letter(self, notices: Sequence[Notice], digest: Digest | None) -> Letter:
        host = urlsplit(self._url).hostname or "localhost"
        links = tuple(self._url + each.newest.where for each in notices)
        return Letter(notices[0], (), links[0], self._origin, host, digest, links, self._url)


def _now(db: Snapshot, at: Instant) -> Instant:
    return at
