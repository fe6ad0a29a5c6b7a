"""Takes pictures of every console page, drawn from the sample company: `python scripts/look.py FOLDER [NAME ...]`.

Each page is served on loopback with its real headers and opened in Chromium at 1440 and 390 px, light and dark. It also
says what the pictures cannot: refusals of the CSP, errors of scripts, and anything wider than the window.
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from onepam.kernel.clock import moment  # noqa: E402
from tests.console.samples import NOW  # noqa: E402
from tests.console.sample_server import served  # noqa: E402
from tests.console.samples_more import SAMPLES  # noqa: E402

WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
def overflow(page: Page) -> str:
    """What makes the page itself scroll sideways: empty when nothing does."""
    wide: str = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).slice(-3).map((one) => one.outerHTML.slice(0, 90)).join(" | ")"""
    )
    return wide


def shoot(browser: Browser, base: str, names: list[str], folder: Path, themes: list[str]) -> int:
    wrong = 0
    for theme in themes:
        for width, (x, y) in WIDTHS.items():
            context = browser.new_context(viewport={"width": x, "height": y}, color_scheme="dark" if theme == "dark" else "light", device_scale_factor=1)
            page = context.new_page()
            page.clock.set_system_time(moment(NOW))
            said: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text) if message.type in {"error", "warning"} else None)
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            for name in names:
                said.clear()
                page.set_viewport_size({"width": x, "height": y})
                page.goto(f"{base}/~{name}", wait_until="load")
                page.wait_for_timeout(1500 if name.startswith("session") and "island=\"player" in page.content() else 150)
                page.set_viewport_size({"width": x, "height": max(y, page.evaluate("document.documentElement.scrollHeight"))})
                page.wait_for_timeout(100)
                page.screenshot(path=folder / f"{name}.{width}.{theme}.png")
                for problem in [*said, *filter(None, [overflow(page)])]:
                    wrong += 1
                    print(f"{name} {width} {theme}: {problem[:300]}")
            context.close()
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
