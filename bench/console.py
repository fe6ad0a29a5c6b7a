"""The console at company size: processor time of every page for whoever opens it, and of each keystroke of a search."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Route, async_playwright
from starlette.applications import Starlette

from bench import Figure, Progress
from bench.directory import lay_directory
from bench.room import room
from onepam.boot.demo.company import approves, resource_id
from onepam.boot.demo.month import LARGE, lay
from onepam.console.app import PLACES
from onepam.console.frame.visit import SESSION_COOKIE
from onepam.signing.author import NodeAuthor
from tests.company import START, Company
from tests.console.browsing import Office, opened

Scheme = Literal["light", "dark"]

NAME = "Console, for 5,000 people and 1,000 resources"
ROUNDS = 7
PAGE_MS, KEY_MS, PHONE_PX = 30.0, 15.0, 5_000
GONE = {"type": "http.disconnect"}
WHO = {"administrator": 0, "security": 2, "auditor": 3, "manager": 5, "engineer": 6}
"""By the number of somebody in the company."""
ONE = (
    "/people?after=s", "/people?q=an", "/people/per_17", f"/resources/{resource_id(40)}",
    "/sessions/ses_019990", "/sessions?q=web", "/requests/req_01990", "/roles?by=team&q=pay", "/ledger?of=requests",
    "/roster?finding=no_account&q=99", "/provisioning?q=99",
)  # fmt: skip
TYPED = ("a", "an", "ann", "web-1", "ses_0199", "zzz")


class Large(Company):
    """The company of the large demo, whose history is long: it is judged once, at the end of the benchmark."""

    def close(self) -> None:
        """Closes the ledger and the reader."""
        self.ledger.close()
        self.reader.close()


@asynccontextmanager
async def large(folder: Path) -> AsyncIterator[Office]:
    """Its console; the history is laid where there is none yet."""
    ledger = folder / "ledger.sqlite"
    if not ledger.exists():
        author = NodeAuthor.uncertified("node-1")
        await asyncio.to_thread(lay, ledger, author, LARGE, START)
        await asyncio.to_thread(lay_directory, ledger, author, LARGE.people, START)
    async with opened(folder, company=Large(ledger)) as office:
        yield office


def run(progress: Progress) -> list[Figure]:
    """Each page by each of five people who may open it, without a server in between; the dearest ones by name."""
    with room() as folder:
        progress("making the company and a month of its history")
        return asyncio.run(_measure(folder, progress))


async def _measure(folder: Path, progress: Progress) -> list[Figure]:
    assert approves(WHO["manager"])
    pages, keys = dict[tuple[str, str], float](), dict[str, float]()
    async with large(folder) as office:
        for who, number in WHO.items():
            progress(f"pages of the {who}")
            browser = await office.sign_in(f"per_{number}")
            for path in (*(each.path for each in PLACES if each.shown), *ONE):
                cost = await milliseconds(office.app, path, browser.token)
                if cost is not None:
                    pages[who, path] = cost
            keys[who] = max([await milliseconds(office.app, f"/find?q={each}", browser.token) or 0 for each in TYPED])
        progress("the page of people on a telephone")
        tall = await phone_pixels(office.app, "/people", (await office.sign_in("per_0")).token)
    dearest = {who: max((cost, path) for (whose, path), cost in pages.items() if whose == who) for who in WHO}
    return [
        *(Figure(f"administrator: {path}", cost, "ms", f"≤ {PAGE_MS:.0f}", cost <= PAGE_MS)
          for (who, path), cost in pages.items() if who == "administrator"),
        Figure("people on a telephone of 390 px, height of the page", tall, "px", f"≤ {PHONE_PX:,}", tall <= PHONE_PX),
        *(Figure(f"{who}: the dearest of the pages, {path}", cost, "ms", f"≤ {PAGE_MS:.0f}", cost <= PAGE_MS)
          for who, (cost, path) in dearest.items()),
        *(Figure(f"{who}: the dearest keystroke in the search", cost, "ms", f"≤ {KEY_MS:.0f}", cost <= KEY_MS)
          for who, cost in keys.items()),
    ]  # fmt: skip


async def milliseconds(app: Starlette, path: str, token: str) -> float | None:
    """Processor time of the page in all threads, the median; None where the reader may not open it."""
    found = []
    gc.collect()
    gc.freeze()
    for _ in range(ROUNDS):
        began = time.process_time()
        status, _, _ = await got(app, path, token)
        found.append((time.process_time() - began) * 1000)
        if status in (303, 403, 404):
            return None
        assert status == 200, (path, status)
    return median(found)


async def phone_pixels(app: Starlette, path: str, token: str) -> int:
    """How high the page is in a browser that is as wide as a telephone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = await shown(browser, app, path, token, (390, 844))
        tall: int = await page.evaluate("document.documentElement.scrollHeight")
        await browser.close()
    return tall


async def shown(
    browser: Browser, app: Starlette, path: str, token: str, size: tuple[int, int], scheme: Scheme = "light"
) -> Page:
    """The page in a browser, answered by the application without a server in between."""
    page = await browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)

    async def answer(route: Route) -> None:
        parts = urlsplit(route.request.url)
        status, headers, body = await got(app, f"{parts.path}?{parts.query}", token)
        texts = {name.decode(): value.decode() for name, value in headers.items() if name != b"set-cookie"}
        await route.fulfill(status=status, headers=texts, body=body)

    await page.route("**/*", answer)
    await page.goto(f"http://localhost{path}", wait_until="load")
    return page


async def got(app: Starlette, path: str, token: str) -> tuple[int, Mapping[bytes, bytes], bytes]:
    """One answer of the application: status, headers, body."""
    parts, sent, asked = urlsplit(path), list[dict[str, Any]](), list[bool]()
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1", "method": "GET", "scheme": "http", "path": parts.path,
        "raw_path": parts.path.encode(), "query_string": parts.query.encode(), "root_path": "",
        "headers": [(b"host", b"localhost"), (b"cookie", f"{SESSION_COOKIE}={token}".encode())],
        "client": ("192.0.2.1", 40_000), "server": ("localhost", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        asked.append(True)
        return {"type": "http.request", "body": b"", "more_body": False} if len(asked) == 1 else GONE

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(each.get("body", b"") for each in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body
