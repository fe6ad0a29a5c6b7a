"""The small company's console on a port of loopback, for real browsers."""

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import uvicorn
from playwright.sync_api import Browser

from tests.console.browsing import Office, opened
from tests.console.hands import DESK, Hands, View

T = TypeVar("T")


@dataclass
class Living:
    """The office and where it is served; `does` carries out a command on it."""

    address: str
    office: Office
    loop: asyncio.AbstractEventLoop

    def does(self, command: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(command, self.loop).result(60)

    def hands(self, browser: Browser, person: str, view: View = DESK) -> Hands:
        """Somebody who has just signed in, at a window of their own."""
        return Hands(browser, self.address, self.does(self.office.sign_in(person)).token, view)


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
