"""A checkpoint on one sheet: what is shown, saved, printed and scanned is one and the same note."""

import re
import subprocess
from collections.abc import Iterator
from html import unescape

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from onepam.console.frame.rendering import STATIC
from onepam.ledger.checkpoint import open_checkpoint
from tests.console.browsing import LOG_KEY, Office
from tests.console.sample_server import served
from tests.console.samples.activity import NOTE

WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}


@pytest.fixture
def page() -> Iterator[Page]:
    assert (STATIC / "built" / "app.css").is_file(), "the console's styles are not built: make ui"
    with served() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        opened = browser.new_page(base_url=running.address)
        opened.goto("/~checkpoint")
        yield opened
        browser.close()


def scanned(page: Page) -> str:
    """What a scanner reads in the code as it is drawn."""
    picture = page.locator(".anchor-note img").screenshot()
    read = subprocess.run(
        ["/usr/bin/zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "png:-"],
        input=picture,
        capture_output=True,
        check=True,
    )
    return read.stdout.decode("utf-8")


def assert_commands_are_whole(page: Page) -> None:
    commands = page.locator(".command code")
    assert [each.evaluate("it => it.scrollWidth <= it.clientWidth") for each in commands.all()] == [True, True]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_code_is_the_text_and_fits_the_window(page: Page, width: str) -> None:
    page.set_viewport_size({"width": WIDTHS[width][0], "height": WIDTHS[width][1]})
    assert scanned(page).rstrip("\n") == NOTE.rstrip("\n")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_commands_are_whole(page)


def test_the_sheet_in_print_is_the_checkpoint_alone(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 720, "height": 1000})  # A4 within its margins
    for gone in (".navbar-vertical", ".topbar", ".page-actions", ".command button"):
        expect(page.locator(gone).first).to_be_hidden()
    note = page.locator(".anchor-note pre")
    assert note.inner_text().rstrip("\n") == NOTE.rstrip("\n")
    assert note.evaluate("it => getComputedStyle(it).color") == "rgb(0, 0, 0)"  # from a dark screen, too
    assert note.evaluate("it => it.scrollWidth <= it.clientWidth"), "the text is cut off at the margin"
    assert_commands_are_whole(page)
    assert scanned(page).rstrip("\n") == NOTE.rstrip("\n")


@pytest.mark.anyio
async def test_the_sheet_is_the_newest_checkpoint(office: Office) -> None:
    aud = await office.sign_in("aud")
    assert (await aud.get("/ledger/checkpoint")).status_code == 404  # nothing is signed yet
    assert (await aud.get("/ledger/checkpoint/file")).status_code == 404
    assert "/ledger/checkpoint" in await aud.read("/ledger")
    shown, saved = await aud.read("/ledger/checkpoint"), await aud.get("/ledger/checkpoint/file")
    size = open_checkpoint(saved.content, [LOG_KEY], LOG_KEY.name).checkpoint.size
    assert saved.headers["Content-Disposition"] == f'attachment; filename="onepam-checkpoint-{size}.txt"'
    text = re.search(r"<pre>(.*?)</pre>", shown, re.S)
    assert text is not None
    assert unescape(text[1]) == saved.text
    root = open_checkpoint(saved.content, [LOG_KEY]).checkpoint.root.hex()
    for words in (LOG_KEY.encode(), root, f"--at-least {size} {root}", "--checkpoint FILE"):
        assert words in unescape(shown), words
    await aud.close()
