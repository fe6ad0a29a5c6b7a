"""The small company's console on a port of loopback, for real browsers; and a person at one who has only keys."""

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import uvicorn
from playwright.sync_api import Browser, Page, expect

from onepam.console.frame.visit import SESSION_COOKIE
from tests.console.browsing import Office, opened

T = TypeVar("T")

MOST_STOPS = 150
"""Steps with Tab after which something is not to be reached, or not to be left."""

_AT = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    if (at.tagName === "IFRAME") return {name: at.title, tag: "iframe", seen: true, inside: true};
    const label = at.getAttribute("aria-label") || at.labels?.[0]?.innerText || at.innerText || at.value || "";
    const rings = [at, at.parentElement].some(each => {
        const style = getComputedStyle(each);
        return (each === at || each.matches(":focus-within")) &&
            (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 ||
             each !== at && style.boxShadow !== "none");
    });
    const box = at.getBoundingClientRect();
    const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight &&
        box.left < innerWidth;
    return {name: label.trim().replace(/\\s+/g, " "), tag: at.tagName.toLowerCase(), seen: rings, inside};
}"""


@dataclass
class Living:
    """The office and where it is served; `does` carries out a command on it."""

    address: str
    office: Office
    loop: asyncio.AbstractEventLoop

    def does(self, command: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(command, self.loop).result(60)


@contextmanager
def living(folder: Path) -> Iterator[Living]:
    """The company on its first morning, served until the end of the block."""
    ready, over, found = Event(), asyncio.Event(), list[Living]()

    async def serve() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            async with opened(folder) as office:
                server = uvicorn.Server(uvicorn.Config(office.app, log_level="warning", lifespan="off"))
                serving = asyncio.create_task(server.serve(sockets=[listening]))
                address = f"http://localhost:{listening.getsockname()[1]}"
                found.append(Living(address, office, asyncio.get_running_loop()))
                ready.set()
                await over.wait()
                server.should_exit = True
                await serving

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(60), "the office did not open"
        yield found[0]
    finally:
        if found:
            found[0].loop.call_soon_threadsafe(over.set)
        thread.join(60)


class Hands:
    """Somebody signed in at a browser who has no mouse: each step is a key, and at each stop the focus is seen."""

    def __init__(self, browser: Browser, living: Living, person: str) -> None:
        self.context = browser.new_context(base_url=living.address, viewport={"width": 1280, "height": 800})
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        token = living.does(living.office.sign_in(person)).token
        self.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": living.address}])
        self.page: Page = self.context.new_page()
        self.page.goto("/")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def types(self, text: str) -> None:
        self.page.keyboard.type(text)

    def finds(self, words: str, path: str) -> None:
        """Opens a page, a person or a thing by Ctrl-K."""
        self.press("Control+k")
        expect(self.page.locator("#palette")).to_be_visible()
        self.seen()
        self.types(words)
        expect(self.page.locator("#palette [role=option]").first).to_be_visible()
        with self.page.expect_navigation(url=f"**{path}"):
            self.press("Enter")

    def seen(self) -> str:
        """The name of what has the focus, which is shown; "" where nothing has it."""
        at = self.page.evaluate(_AT)
        for _ in range(20):
            if at is None or at["inside"]:
                break
            self.page.wait_for_timeout(50)  # it scrolls to it
            at = self.page.evaluate(_AT)
        if at is None:
            return ""
        assert at["seen"], f"the focus on {at['tag']} “{at['name']}” is not seen"
        assert at["inside"], f"{at['tag']} “{at['name']}” has the focus and is out of sight"
        return str(at["name"])

    def goes_to(self, name: str, key: str = "Tab") -> None:
        """Moves by Tab to what begins with this name."""
        passed: list[str] = []
        for _ in range(MOST_STOPS):
            self.press(key)
            passed.append(self.seen())
            if passed[-1].startswith(name):
                return
        raise AssertionError(f"“{name}” is not to be reached by Tab: {passed}")

    def follows(self, name: str, path: str) -> None:
        """Goes to what has this name, and presses Enter, which leads to a page."""
        self.goes_to(name)
        with self.page.expect_navigation(url=f"**{path}"):
            self.press("Enter")

    def goes_round(self) -> list[str]:
        """Every stop of the page, once round: nothing keeps the focus."""
        stops: list[str] = []
        for _ in range(MOST_STOPS):
            self.press("Tab")
            name = self.seen()
            if not name and stops:
                return stops
            stops.append(name)
        raise AssertionError(f"once round is not to be had: {stops[-12:]}")
