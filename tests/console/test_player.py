"""The player in Chromium with recordings that a hostile target made: it never goes blank, and says what it cannot show.

Each is sealed, read back and exported by the product; the last words of each must stand on the screen.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from onepam.gateway.playback import Playback
from onepam.kernel.clock import SECOND, Instant
from onepam.recording.frames import ChannelClosed, ChannelOpened, Frame, Opened, Output, Resize, Stream
from onepam.recording.seal import Sealer
from tests.console.sample_server import SampleServer, served

KEY = bytes(range(32))
SESSION = "ses_aaaaaaaaaaaaaaaa"
LAST = "STILL HERE"


@pytest.fixture(scope="module")
def server() -> Iterator[SampleServer]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


def out(at: float, data: bytes) -> Output:
    return Output(int(at * SECOND), 0, Stream.STDOUT, data)


def exported(folder: Path, size: tuple[int, int], said: list[Frame]) -> bytes:
    """The asciicast that the console hands out for these frames."""
    sealer = Sealer(SESSION, KEY)
    data = bytearray(sealer.header)
    end = max((each.at for each in said), default=0) + SECOND
    for frame in (
        Opened(0, SESSION, "eve", "dev-1", "app", "ssh", Instant(1_700_000_000_000_000)),
        ChannelOpened(1, 0, "pty", "", "xterm", *size),
        *said,
        out(end / SECOND, b"\x18\x1bc" + LAST.encode()),
        ChannelClosed(end + SECOND, 0, 0),
    ):
        sealer.append(frame)
        data += sealer.flush()
        if sealer.due(frame.at):
            data += sealer.seal()[0]
    if sealer.unsealed:
        data += sealer.seal()[0]
    (folder / f"{SESSION}.rec").write_bytes(data)
    playback = Playback(folder, lambda session: KEY)

    async def read() -> bytes:
        return b"".join([piece async for piece in playback.asciicast(SESSION)])

    with ThreadPoolExecutor(1) as pool, closing(playback):  # the browser's own loop runs in this thread
        return pool.submit(lambda: asyncio.run(read())).result()


HOSTILE: dict[str, tuple[tuple[int, int], list[Frame], str]] = {
    "the largest terminal": ((65535, 65535), [], "1000 × 1000 or larger"),
    "a resize to the largest terminal": ((80, 24), [Resize(SECOND, 0, 65535, 65535)], "1000 × 1000 or larger"),
    "one row of the widest": ((65535, 1), [out(1, b"w" * 70_000)], "1000 × 1 or larger"),
    "a storm of resizes": (
        (80, 24),
        [Resize(SECOND + 100 * number, 0, 20 + number % 200, 10 + number % 60) for number in range(10_000)],
        "changed its size very often",
    ),
    "no size at all": ((80, 24), [Resize(SECOND, 0, 0, 0), out(1, b"\x1b[0;0H")], ""),
    "a window operation": ((80, 24), [out(1, b"\x1b[8;65535;65535t")], "change the size of the window"),
    "a window operation in pieces": (
        (80, 24),
        [out(1, b"\x1b"), out(1.1, b"[8;65"), out(1.2, b"535;65535"), out(1.3, b"t")],
        "change the size of the window",
    ),
    "a window operation in eight bits": (
        (80, 24),
        [out(1, b"\xc2\x9b8;65535;65535t")],
        "change the size of the window",
    ),
    "a character repeated without end": ((80, 24), [out(1, b"y" + b"\x1b[65535b" * 20_000)], "beyond all bounds"),
    "a line of a mebibyte": ((80, 24), [out(1 + n / 100, b"l" * 60_000) for n in range(18)], ""),
    "parameters without end": ((80, 24), [out(1, b"\x1b[" + b"1;" * 30_000), out(2, b"m")], "without an end"),
    "a string without end": ((80, 24), [out(1, b"\x1b]0;" + b"t" * 60_000), out(2, b"\x1bP" + b"q" * 60_000)], ""),
    "every control": ((80, 24), [out(1, bytes(range(256)) * 20)], ""),
    "no UTF-8": ((80, 24), [out(1, b"\xff\xfe\xc0\x80\xed\xa0\x80\xf8\x88" * 500)], ""),
    "margins and modes turned over": (
        (80, 24),
        [out(1, b"\x1b[?1049h\x1b[24;1r\x1b[?6h\x1b[?7l\x1b[999999999;999999999H\x1b[999999999L\x1b[999999999@\x1b#8")],
        "",
    ),
}


def shown(browser: Browser, server: SampleServer, cast: bytes) -> Page:
    page = browser.new_context(base_url=server.address).new_page()
    page.route("**/recording.cast", lambda route: route.fulfill(body=cast, content_type="application/x-asciicast"))
    page.goto("/~session")
    return page


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_recording_is_shown_to_its_last_words(
    browser: Browser, server: SampleServer, tmp_path: Path, name: str
) -> None:
    size, said, words = HOSTILE[name]
    page = shown(browser, server, exported(tmp_path, size, said))
    terminal = page.frame_locator("iframe").locator(".ap-player")
    expect(terminal).to_be_visible(timeout=60_000)
    page.locator("[data-seek]").last.evaluate("it => { it.dataset.seek = '9999'; it.click(); }")
    expect(page.frame_locator("iframe").locator(".ap-term")).to_contain_text(LAST, timeout=60_000)
    told = page.locator("[data-said]")
    if words:
        expect(told).to_contain_text(words)
        expect(told.get_by_role("link", name="Take the recording as it is")).to_be_visible()
    else:
        expect(told).to_be_hidden()
    page.context.close()


def test_what_is_no_recording_at_all_is_said(browser: Browser, server: SampleServer) -> None:
    page = shown(
        browser, server, b'{"version": 3, "term": {"cols": 80, "rows": 24}}\n[1, "o"\nnot json\n[-5, "o", "x"]\n'
    )
    expect(page.locator("[data-said]")).to_contain_text("cannot be read", timeout=30_000)
    page.context.close()


def test_a_player_that_stops_answering_is_said(browser: Browser, server: SampleServer) -> None:
    page = shown(browser, server, b'{"version": 3, "term": {"cols": 80, "rows": 24}}\n[0.1, "o", "hello"]\n')
    expect(page.frame_locator("iframe").locator(".ap-player")).to_be_visible(timeout=30_000)
    next(each for each in page.frames if each.url.endswith("/player")).evaluate(
        "() => { parent.postMessage({type: 'alive'}, '*'); setTimeout(() => { const until = Date.now() + 14000;"
        " while (Date.now() < until); }, 300); }"
    )
    told = page.locator("[data-said]")
    expect(told).to_contain_text("stopped answering", timeout=60_000)
    expect(told, "it answers again").to_be_hidden(timeout=60_000)
    page.context.close()
