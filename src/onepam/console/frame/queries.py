"""The query pages that are open: each one connection to the gateway's own door, and so one session.

A page says now and then that it is there. One that has not for a while is gone, one in which nothing was run for a
quarter of an hour is ended, and of one person so many are open at a time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from onepam.domain.access.authority import Actor
from onepam.kernel.errors import Refused
from onepam.protocols.postgres.runner import Connection, Runner

GONE_SECONDS = 150.0
"""Without a word of the page. It says one every 30 s, a browser that saves power every minute."""

IDLE_SECONDS = 15 * 60.0
"""Without a statement."""

MOST_PAGES = 4
"""Of one person."""

MOST_RUNNING, MOST_FROM_ADDRESS = 128, 24
"""Statements that pages wait for, of all and of one address: the console has answers left for others
(`boot/web/fair_requests.py`)."""

UNSERVED = Refused("query.unserved", "The gateway serves no databases.", "An administrator sets postgres_port.")
MANY = Refused("query.many", f"{MOST_PAGES} query pages of yours are open.", "Close one; it ends with its page.")
BUSY = Refused("query.busy", "Something runs here already.", "Wait for it, or cancel it.")
CROWDED = Refused("query.crowded", "Too many statements run at query pages now.", "Run it again in a moment.")
GONE = Refused("query.gone", "This connection has ended.", "Run the statement again: that connects anew.")

Connect = Callable[[str], Awaitable[Connection | Refused]]


@dataclass(eq=False, slots=True)
class Open:
    """An open page: whose, under which sign-in, from which address; `seen` and `used` in the event loop's seconds.
    `session` is its id, once there is one; `ending`: why it was ended from here."""

    ident: str
    person: str
    sign_in: str
    source: str
    runner: Runner
    seen: float
    used: float
    session: str = ""
    busy: bool = False
    ending: str = ""
    timer: asyncio.TimerHandle | None = None


@dataclass(eq=False)
class Queries:
    """Those of this process. `connect` gives a connection to the door that counts as one from an address; None where
    the gateway does not listen for databases."""

    connect: Connect | None = None
    _pages: dict[str, Open] = field(default_factory=dict)
    _ends: set[asyncio.Task[None]] = field(default_factory=set)
    _running: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self._pages)

    def open(self, ident: str, actor: Actor) -> Open | Refused:
        """A page of somebody's that has no session yet."""
        if (connect := self.connect) is None:
            return UNSERVED
        for each in [each for each in self._pages.values() if each.runner.over is not None and not each.busy]:
            self.end(each)
        if sum(each.person == actor.person for each in self._pages.values()) >= MOST_PAGES:
            return MANY
        source, now = actor.source, asyncio.get_running_loop().time()
        page = Open(ident, actor.person, actor.session, source, Runner(lambda: connect(source)), now, now)
        self._pages[ident] = page
        self._watch(page)
        return page

    def of(self, ident: str, actor: Actor) -> Open | Refused:
        """The page, for whoever opened it under the same sign-in."""
        page = self._pages.get(ident)
        if page is None or (page.person, page.sign_in) != (actor.person, actor.session):
            return GONE
        page.seen = asyncio.get_running_loop().time()
        return page

    @contextmanager
    def runs(self, page: Open) -> Iterator[Refused | None]:
        """While something runs on a page; or why nothing may now. Whoever does not wait for its end ends the page, as
        does the end of the session."""
        if (refused := self._admit(page)) is not None:
            yield refused
            return
        page.busy, whole = True, False
        self._running[page.source] += 1
        try:
            yield None
            whole = not page.runner.running and page.runner.over is None
        finally:
            self._running[page.source] -= 1
            self._running += Counter()
            page.busy = False
            page.used = page.seen = asyncio.get_running_loop().time()
            if not whole:
                self.end(page)

    def _admit(self, page: Open) -> Refused | None:
        if page.busy:
            return BUSY
        crowded = self._running[page.source] >= MOST_FROM_ADDRESS or self._running.total() >= MOST_RUNNING
        return CROWDED if crowded else None

    def end(self, page: Open, words: str = "") -> None:
        """The page is over; what runs is cancelled at the server."""
        if self._pages.pop(page.ident, None) is None:
            return
        page.ending = page.ending or words
        if page.timer is not None:
            page.timer.cancel()
        task = asyncio.get_running_loop().create_task(page.runner.close())
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    def signed_out(self, actor: Actor) -> None:
        """Somebody has left the console; their pages are over."""
        for page in [each for each in self._pages.values() if each.sign_in == actor.session]:
            self.end(page, "You signed out")

    async def ended(self) -> None:
        """When all that were ended are closed."""
        await asyncio.gather(*self._ends, return_exceptions=True)

    def _watch(self, page: Open) -> None:
        """Looks again when the page could be gone, or idle for too long."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if page.busy:  # who waits for an answer is there
            page.seen = page.used = now
        if now - page.seen >= GONE_SECONDS:
            return self.end(page, "The page was left")
        if now - page.used >= IDLE_SECONDS:
            return self.end(page, "Nothing was run for a quarter of an hour")
        again = min(page.seen + GONE_SECONDS, page.used + IDLE_SECONDS)
        page.timer = loop.call_at(again + 0.01, self._watch, page)
        return None
