"""A whole gateway with a real PostgreSQL behind it, on a thread of its own, for real browsers at its query page."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes
from threading import Event, Thread
from typing import Any, TypeVar

from playwright.sync_api import Browser, Page

from onepam.boot.clock import wall_clock
from onepam.console.frame.visit import SESSION_COOKIE
from onepam.domain.access.model import Permission
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.ids import new_id
from tests.gateway_fixture import STANDING, Person
from tests.protocols.ways import TARGET, Postgres, way_through

T = TypeVar("T")


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

    def somebody(self, permission: Permission = STANDING) -> Somebody:
        """A new person, at the console."""

        async def made() -> Somebody:
            person = await self.way.gateway.person(permission, certificate=False)
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
        context.set_default_timeout(120_000)
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
