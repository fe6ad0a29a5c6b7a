"""Takes pictures of every console page, drawn from the sample company: `python scripts/look.py FOLDER [NAME ...]`.

Each page is served on loopback with its real headers and opened in Chromium at 1440 and 390 px, light and dark. It also
says what the pictures cannot: refusals of the CSP, errors of scripts, and anything wider than the window.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from threading import Thread

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from onepam.console import rendering  # noqa: E402
from onepam.kernel.clock import moment  # noqa: E402
from tests.console.samples import NOW, shell  # noqa: E402
from tests.console.samples_more import SAMPLES  # noqa: E402

WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
CAST_LINES = [
    {"version": 3, "term": {"cols": 100, "rows": 28}},
    [0.4, "o", "\x1b[32mpostgres@db-orders-1\x1b[0m:~$ "], [1.7, "o", "psql orders\r\n"],
    [0.5, "o", "psql (15.18)\r\nType \"help\" for help.\r\n\r\norders=# "], [3.6, "o", "\\di+ orders_created_idx\r\n"],
    [0.3, "o", "                          List of relations\r\n Schema |        Name        | Type  | Table  |  Size\r\n"],
    [0.1, "o", "--------+--------------------+-------+--------+---------\r\n public | orders_created_idx | index | orders | \x1b[33m2841 MB\x1b[0m\r\n(1 row)\r\n\r\norders=# "],
    [4.4, "o", "reindex index concurrently orders_created_idx;\r\n"], [6.2, "o", "\x1b[32mREINDEX\x1b[0m\r\norders=# "], [2.1, "o", "\\q\r\n"],
    [0.1, "o", "\x1b[32mpostgres@db-orders-1\x1b[0m:~$ "], [5.1, "o", "df -h /var/lib/postgresql\r\n"],
    [0.2, "o", "Filesystem      Size  Used Avail Use% Mounted on\r\n/dev/vdb1       500G  212G  288G  43% /var/lib/postgresql\r\n\x1b[32mpostgres@db-orders-1\x1b[0m:~$ "],
    [3.3, "o", "exit\r\n"],
]  # fmt: skip
FOUND = {
    "results": [
        {"kind": "Person", "title": "Jonas Lindqvist", "detail": "Database operator", "href": "/people/per_jonas", "icon": "user"},
        {"kind": "Resource", "title": "db-orders-1", "detail": "env=prod", "href": "/resources/db-orders-1", "icon": "server"},
        {"kind": "Page", "title": "Role matrix", "detail": "", "href": "/roles", "icon": "grid-dots"},
    ]
}


class Samples(BaseHTTPRequestHandler):
    """`/~NAME` is a sample; `/static`, `/player`, the recording and `/find` are as in the product."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        file = rendering.STATIC.parent / path.lstrip("/")
        if path.startswith("/~") and path[2:] in SAMPLES:
            template, frame, context = SAMPLES[path[2:]]
            self.answer(rendering.render(template, frame, **context).encode(), "text/html; charset=utf-8", rendering.CSP)
        elif path == "/player":
            self.answer(rendering.render("player_frame.html", shell("/player")).encode(), "text/html", rendering.PLAYER_CSP)
        elif path.startswith("/static/") and file.is_file():
            self.answer(file.read_bytes(), guess_type(file.name)[0] or "application/octet-stream", "")
        elif path.endswith("recording.cast"):
            self.answer("\n".join(map(json.dumps, CAST_LINES)).encode(), "application/x-asciicast", "")
        elif path == "/find":
            self.answer(json.dumps(FOUND).encode(), "application/json", "")
        else:
            self.send_error(404)

    def answer(self, body: bytes, kind: str, policy: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Samples)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()


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
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with served() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        wrong = shoot(browser, base, chosen.names, chosen.folder, chosen.theme or ["light", "dark"])
        browser.close()
    print(f"{len(chosen.names)} pages, {wrong} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
