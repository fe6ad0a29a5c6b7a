"""Takes pictures of every console page, drawn from the sample company: `python scripts/look.py FOLDER [NAME ...]`.

Each page is served on loopback with its real headers and opened in Chromium at 1440 and 390 px, light and dark. It also
says what the pictures cannot: refusals of the CSP, errors of scripts, and anything wider than the window.
"""

import argparse
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from onepam.kernel.clock import moment  # noqa: E402
from tests.console.sample_server import served  # noqa: E402
from tests.console.samples.company import NOW  # noqa: E402
from tests.console.samples.pages import SAMPLES  # noqa: E402

ColorScheme = Literal["light", "dark"]
WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}


def overflow(page: Page) -> str:
    """What makes the page itself scroll sideways: empty when nothing does."""
    wide: str = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .slice(-3).map((one) => one.outerHTML.slice(0, 90)).join(" | ")"""
    )
    return wide


def look(page: Page, base: str, name: str, picture: Path, width: int, height: int) -> list[str]:
    """Takes the picture of one page, as tall as it is; answers with complaints."""
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    page.route("https://**", lambda route: route.abort())  # pages that go on to a provider stay
    page.on("console", heard)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{base}/~{name}", wait_until="load")
    page.wait_for_timeout(1500 if page.locator("iframe").count() else 150)
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, tall)})
    page.wait_for_timeout(100)
    page.screenshot(path=picture)
    page.remove_listener("console", heard)
    wide = overflow(page)
    return [*said, wide] if wide else said


def shoot(browser: Browser, base: str, names: list[str], folder: Path, themes: list[ColorScheme]) -> int:
    wrong = 0
    for theme in themes:
        for kind, (width, height) in WIDTHS.items():
            page = browser.new_page(color_scheme=theme)
            page.clock.set_system_time(moment(NOW))
            for name in names:
                for complaint in look(page, base, name, folder / f"{name}.{kind}.{theme}.png", width, height):
                    wrong += 1
                    print(f"{name} {kind} {theme}: {complaint[:300]}")
            page.close()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(SAMPLES))
    parser.add_argument("--theme", choices=["light", "dark"], action="append")
    chosen = parser.parse_intermixed_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with served() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        wrong = shoot(browser, server.address, chosen.names, chosen.folder, chosen.theme or ["light", "dark"])
        browser.close()
    print(f"{len(chosen.names)} pages, {wrong} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
