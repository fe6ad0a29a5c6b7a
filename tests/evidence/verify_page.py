"""`verify.html` as an auditor has it: a file, opened in Chromium, without network."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FileChooser, FilePayload, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from onepam.evidence.verifiers import PAGE, path_of

FILE = path_of(PAGE)
PATIENCE = 180_000.0
"""ms until Python has started, or a small pack is verified, on a machine that does much else."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser."""
    assert FILE.is_file(), "verify.html is not built: make ui"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield running
        running.close()


@dataclass
class Told:
    """What the page shows: the exit code, the verdict's words, and the three lines by name."""

    code: int
    headline: str
    verdict: str
    lines: dict[str, str]


class VerifyPage:
    """The page, ready. `asked` is every address that it loaded or tried to; `said` what the browser complained of."""

    def __init__(self, browser: Browser) -> None:
        self.page: Page = browser.new_page(accept_downloads=True)
        self.page.set_default_timeout(PATIENCE)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(FILE.as_uri())
        self.ready()

    def clear(self) -> None:
        """As it was opened, with the focus where a reader begins."""
        self.page.evaluate(
            """() => {
              document.getElementById("ask").reset();
              for (const each of document.querySelectorAll("details.more")) each.open = false;
              document.activeElement.blur();
              scrollTo(0, 0);
            }"""
        )
        self.page.mouse.click(1, 1)

    def ready(self) -> None:
        """Python has started."""
        self.page.wait_for_selector("body[data-ready=yes]")

    def take(self, pack: bytes | Path, name: str = "pack.zip") -> None:
        """Chooses a pack."""
        whole = FilePayload(name=name, mimeType="application/zip", buffer=pack) if isinstance(pack, bytes) else pack
        self.page.set_input_files("#pack", whole)

    def chosen_by(self, key: str) -> FileChooser:
        """The dialogue that a key opens. A browser opens it for seconds after the key only: on a machine that does much
        else it is pressed again."""
        for _ in range(9):
            with suppress(PlaywrightTimeout), self.page.expect_file_chooser(timeout=PATIENCE / 9) as chooser:
                self.page.keyboard.press(key)
                return chooser.value
        raise AssertionError(f"{key} opened no dialogue of files")

    def verify(self, pack: bytes, log_keys: Sequence[str] = (), witness_keys: Sequence[str] = (), **more: Any) -> Told:
        """Verifies the pack with these keys."""
        self.take(pack, **more)
        self.page.fill("#log-key", "\n".join(log_keys))
        self.page.fill("#witness-key", "\n".join(witness_keys))
        self.page.click("#verify")
        return self.told()

    def told(self) -> Told:
        """The answer, once it is there."""
        self.page.wait_for_selector("body[data-running=no]")
        found: dict[str, Any] = self.page.evaluate(
            """() => {
              const text = (look) => document.querySelector(look)?.textContent ?? "";
              const lines = [...document.querySelectorAll(".three-lines > div")];
              return {
                code: Number(text(".verdict-exit").replace("exit ", "")),
                headline: text(".verdict-words"),
                verdict: text(".verdict-verbatim"),
                lines: Object.fromEntries(lines.map((one) => [...one.children].map((each) => each.textContent))),
              };
            }"""
        )
        return Told(**found)
