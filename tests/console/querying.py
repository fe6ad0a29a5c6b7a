"""A whole gateway with a real PostgreSQL behind it, on a thread of its own, for real browsers at its query page."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes
from threading import Event, Thread
from time import monotonic
from typing import Any, TypeVar

from playwright.sync_api import Browser, Page, expect

from onepam.boot.clock import wall_clock
from onepam.console.frame.visit import SESSION_COOKIE
from onepam.domain.access.model import ConsoleRight, Permission
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.ids import new_id
from tests.gateway_fixture import STANDING, Person
from tests.protocols.ways import TARGET, Postgres, way_through

T = TypeVar("T")

SECONDS = 120_000
"""What a step may take at most, in ms."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Somebody who is signed in to the console, with what their browser keeps of it."""

    person: Person
    sign_in: str
    token: str


@dataclass
class Querying:
    """The gateway, and the loop that it lives in; `does` carries out a command there, `stop` ends all of it."""

    way: Postgres
    loop: asyncio.AbstractEventLoop
    stop: Callable[[], None]

    @property
    def address(self) -> str:
        return self.way.gateway.platform.config.url.rstrip("/")

    @property
    def login(self) -> str:
        return self.way.gateway.target.login

    def does(self, command: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(command, self.loop).result(120)

    def somebody(self, permission: Permission = STANDING, console: tuple[ConsoleRight, ...] = ()) -> Somebody:
        """A new person, at the console."""

        async def made() -> Somebody:
            person = await self.way.gateway.person(permission, certificate=False, console=console)
            token, sign_in, now = new_token("opc", token_bytes), new_id("sgn", token_bytes), wall_clock()
            factors = (FactorKind.PASSWORD, FactorKind.TOTP)
            signed_in = SignedIn(
                sign_in, person.id, SignInKind.CONSOLE, factors, now, Instant(now + 12 * HOUR), None,
                token_digest=token_digest(token).hex(), source="127.0.0.1", agent="test",
            )  # fmt: skip
            await self.way.gateway.record(signed_in)
            return Somebody(replace(person, sign_in=sign_in), sign_in, token.reveal().decode("ascii"))

        return self.does(made())

    def page(self, browser: Browser, somebody: Somebody, **options: Any) -> Page:
        """Their browser, at the query page of the target."""
        context = browser.new_context(base_url=self.address, **options)
        context.add_cookies([{"name": SESSION_COOKIE, "value": somebody.token, "url": self.address}])
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        page.goto(f"/databases/query?resource={TARGET}&login={self.login}&database=postgres")
        return page


@contextmanager
def querying(folder: Path) -> Iterator[Querying]:
    """Until the end of the block."""
    ready, over, found = Event(), asyncio.Event(), list[Querying]()

    def stop() -> None:
        if thread.is_alive() and found:
            found[0].loop.call_soon_threadsafe(over.set)
        thread.join(120)

    async def serve() -> None:
        async with way_through("postgres", folder) as way:
            assert isinstance(way, Postgres)
            found.append(Querying(way, asyncio.get_running_loop(), stop))
            ready.set()
            await over.wait()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(240), "the gateway did not start"
        yield found[0]
    finally:
        stop()


def run(page: Page, text: str) -> None:
    """Types a text and runs it by the keyboard."""
    page.locator("[data-island=query][data-mounted=yes]").wait_for()
    page.locator("#query-text").fill(text)
    page.locator("#query-text").press("Control+Enter")


def ran(page: Page) -> None:
    """Nothing runs any more."""
    expect(page.locator("[data-query-run]")).to_be_enabled()
    expect(page.locator("[data-query-cancel]")).to_be_hidden()


def sleeps(way: Querying, word: str, wanted: bool) -> None:
    """Until a statement with this word sleeps at the server, or none does."""
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%''{word}''%' AND wait_event = 'PgSleep'"
    deadline = monotonic() + SECONDS / 1000
    while way.way.server.sql(asked).strip() != str(int(wanted)):
        assert monotonic() < deadline


async def none_open(way: Querying, who: Somebody) -> list[str]:
    """The query pages of somebody's that the gateway still has."""
    pages = way.way.gateway.platform.queries._pages.values()
    return [each.ident for each in pages if each.person == who.person.id]
