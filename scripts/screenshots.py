"""Takes the pictures of the documentation: `python scripts/screenshots.py [FOLDER]` (default: docs/images).

Starts `onepam demo` as a newcomer would, plays a little life through Chromium and the stock ssh client, and takes
the console's pages as they are: no page is made up.
"""

import asyncio
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from scripts import identity_life as life  # noqa: E402
from tests.evidence.company import LOG, WITNESS  # noqa: E402
from tests.evidence.live import complete  # noqa: E402
from tests.evidence.verify_page import VerifyPage  # noqa: E402
from tests.oidc_provider.provider import OidcProvider, running_oidc_provider  # noqa: E402
from tests.targets import free_port  # noqa: E402
from tests.tour.company import Tour, tour  # noqa: E402
from tests.tour.people import ARGUMENTS, CHROMIUM, Person  # noqa: E402
from tests.tour.terminal import register_key  # noqa: E402
from tests.tour.test_readme import allow, shell  # noqa: E402
from tests.tour.test_tour import ssh  # noqa: E402

WIDE, PHONE = (1440, 900), (390, 844)
MAX_BYTES = 300_000
MAX_HEIGHT = 1180

PROMPT = "web-1:~/shop$ "
SHOP = {
    "shop.conf": "listen 8080\nupstream_timeout 5s\nworkers 4\n",
    "shop.log": "".join(
        f"12:0{minute} {word}\n"
        for minute, word in enumerate(
            ("GET /cart 200 31ms", "POST /checkout 504 5001ms", "POST /checkout 504 5002ms", "GET /cart 200 29ms")
        )
    ),
}
TYPED = (
    "ls -l --time-style=+",
    "tail -n 3 shop.log",
    "grep timeout shop.conf",
    "sed -i s/5s/15s/ shop.conf && grep timeout shop.conf",
)


def ask(eve: Person, reason: str, ticket: str, minutes: str) -> None:
    """Requests web-1 on the home page."""
    page = eve.go("/?request=web-1")
    page.locator("select[name=minutes]").first.select_option(minutes)
    page.locator("input[name=ticket]").first.fill(ticket)
    page.locator("textarea[name=reason]").first.fill(reason)
    page.get_by_role("button", name="Ask for access").first.click()
    page.wait_for_load_state()


def approve(mia: Person, reason: str) -> None:
    """Approves one of those that wait; it takes effect after the ten seconds for undo."""
    page = mia.go("/approvals")
    letter = page.locator("details", has_text=reason).first
    if letter.get_attribute("open") is None:
        letter.locator("summary").click()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        letter.get_by_role("button", name="Approve").click()


def repair(eve: Person, running: Tour, folder: Path, shop: Path) -> None:
    """One connection to web-1: a terminal that looks at a log and changes a setting, and a file that is copied."""
    for name, text in SHOP.items():
        (shop / name).write_text(text, "utf-8")
    line = ssh(running, folder)
    shared = ["-o", f"ControlPath={folder}/shared", "-o", "ControlMaster=auto"]
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
    client = subprocess.Popen([line[0], *shared, "-tt", *line[1:]], stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    try:
        shown = _until(leader, re.compile(r"(http\S+/confirm/\S+)[\s\S]*?\b([A-Z]{4}-[A-Z]{4})\b"))
        confirm(eve, shown[1], shown[2])
        time.sleep(1)
        os.write(leader, f"cd {shop}; PS1='{PROMPT}'; HISTFILE=; clear\r".encode())
        _until(leader, re.compile(re.escape(PROMPT) + "$"))
        for typed in TYPED:
            _type(leader, typed)
            _until(leader, re.compile(re.escape(PROMPT) + "$"))
        copy = ["scp", "-q", *shared, *line[1:-3], "-P", line[-2], f"{shop}/shop.conf", f"{line[-1]}:{shop}/next.conf"]
        subprocess.run(copy, check=True, stdin=subprocess.DEVNULL, timeout=20)
        _type(leader, "exit")
        client.wait(20)
    finally:
        client.kill()
        client.wait()
        os.close(leader)


def _type(terminal: int, line: str) -> None:
    """As a person types."""
    time.sleep(0.6)
    for character in f"{line}\r":
        os.write(terminal, character.encode())
        time.sleep(0.03)


def confirm(eve: Person, link: str, code: str) -> None:
    """Types the terminal's code in the browser, under a fresh factor."""
    page = eve.page
    page.goto(link)
    if "/step-up" in page.url:
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/confirm/**")
    page.locator("input[name=code]").fill(code)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Confirmed").wait_for()


def _until(terminal: int, wanted: re.Pattern[str], seconds: float = 30.0) -> re.Match[str]:
    shown, end = "", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 65536).decode("utf-8", "replace")
            if found := wanted.search(shown):
                return found
    raise TimeoutError(f"the terminal shows no {wanted.pattern!r}: {shown[-400:]!r}")


QUERIES = """\
.venv/bin/onepam login --gateway CONSOLE --no-browser
.venv/bin/onepam secrets set orders reporting < data-database/reporting
.venv/bin/onepam login --no-browser
export PAGER=cat PGSERVICEFILE=~/.config/onepam/pg_service.conf
psql 'service=orders-reporting dbname=orders' \
-c 'SELECT customer, sum(cents) FROM orders GROUP BY customer ORDER BY 2 DESC' \
-c "SELECT number, cents FROM orders WHERE cents > 9950" -c 'DELETE FROM orders WHERE cents = 0'
"""

ASKED = """\
SELECT customer, count(*), sum(cents) AS cents, max(number) AS newest
  FROM orders GROUP BY customer ORDER BY 3 DESC LIMIT 8;

DELETE FROM orders WHERE cents = 0"""


def query(ada: Person, eve: Person, folder: Path) -> None:
    """Ada gives the vault a secret, and Eve asks the database with psql; the last of her statements is refused."""
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    fresh(ada)
    with shell(folder, home) as terminal:
        terminal.paste(QUERIES.replace("CONSOLE", eve.console))
        allow(ada, terminal.until(r"http\S+/cli/authorize\S+")[0])
        allow(eve, terminal.until(r"(?s)/cli/authorize.*Signed in.*(http\S+/cli/authorize\S+)")[1])
        terminal.until(r"OnePAM: ")
        terminal.prompts(5)


def databases(ada: Person, eve: Person, folder: Path, pictures: Path) -> None:
    """A database's session with its statements, and how a token is got."""
    query(ada, eve, folder)
    page = eve.go("/sessions?q=orders")
    page.locator('a[href*="/sessions/ses_"]').first.click()
    page.wait_for_url("**/sessions/ses_*")
    for theme in ("light", "dark"):
        take(page, pictures / f"statements.{theme}.png", dark=theme == "dark")
    page = eve.go("/?q=orders")
    page.get_by_role("link", name="Query orders as").first.click()
    page.locator("[data-island=query][data-mounted=yes]").wait_for()
    page.get_by_label("Database").fill("orders")
    page.get_by_label("Statements").fill(ASKED)
    page.get_by_role("button", name="Run").click()
    page.locator(".query-result").nth(1).wait_for()
    page.locator("[data-query-cancel]").wait_for(state="hidden")
    for theme in ("light", "dark"):
        shoot(page, pictures / f"query.{theme}.png", theme == "dark")
    page = eve.go("/?q=orders")
    page.get_by_role("button", name="Get a token").first.click()
    page.get_by_role("heading", name="Token for orders").wait_for()
    for theme in ("light", "dark"):
        shoot(page, pictures / f"token.{theme}.png", theme == "dark")


def take(
    page: Page, path: Path, size: tuple[int, int] = WIDE, dark: bool = False, ready: Callable[[], None] = lambda: None
) -> None:
    """One picture of the page that is open, read anew, as tall as it is within bounds."""
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    answer = page.reload(wait_until="load")
    if answer is None or not answer.ok:
        raise ValueError(f"{page.url} answers {answer.status if answer else 'nothing'}: no picture of that")
    ready()
    shoot(page, path, dark, size)


def shoot(page: Page, path: Path, dark: bool, size: tuple[int, int] = WIDE) -> None:
    """One picture of the page as it stands."""
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    tall = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": size[0], "height": min(max(size[1], tall), MAX_HEIGHT)})
    page.evaluate("document.activeElement && document.activeElement.blur()")
    page.wait_for_timeout(400)
    page.screenshot(path=path)
    weight = path.stat().st_size
    print(f"{path.name:28} {weight // 1000:4} kB")
    if weight > MAX_BYTES:
        raise ValueError(f"{path} has {weight} bytes; at most {MAX_BYTES} are kept in the repository")


def play_to_the_end(page: Page) -> None:
    """The player runs through the recording, so that the terminal is full."""
    frame = page.frame_locator("iframe").first
    frame.locator(".ap-wrapper").first.wait_for()
    page.locator("select[name=speed]").select_option("8")
    frame.locator(".ap-wrapper").first.click()
    frame.get_by_text("upstream_timeout 15s").first.wait_for(timeout=30_000)
    page.wait_for_timeout(600)


def live(browser: Browser, running: Tour, folder: Path) -> tuple[Person, Person, Person, Person]:
    """Four people enrol; Eve asks, Mia approves, Eve repairs; two more requests wait."""
    eve = Person(browser, running.console, "Eve", "eve@demo.example").with_authenticator()
    ada = Person(browser, running.console, "Ada", "ada@demo.example").with_authenticator()
    ben = Person(browser, running.console, "Ben", "ben@demo.example").with_authenticator()
    mia = Person(browser, running.console, "Mia", "mia@demo.example")
    eve.enrol_with_passkey(running.links["Eve"])
    ada.enrol_with_passkey(running.links["Ada"])
    ben.enrol_with_passkey(running.links["Ben"])
    mia.enrol_with_app(running.links["Mia"])
    eve.sign_in_with_passkey()
    ada.sign_in_with_passkey()
    mia.sign_in_with_app(1)
    register_key(eve, folder)
    repair_it = "Checkout answers 504: raise the upstream timeout"
    ask(eve, repair_it, "OPS-1182", "60")
    ask(eve, "Roll the certificates before they lapse on Friday", "OPS-1190", "120")
    ask(eve, "Watch the first night of the new search", "OPS-1193", "240")
    approve(mia, repair_it)
    time.sleep(12)  # until the decision can no longer be undone
    shop = Path(tempfile.gettempdir(), "shop")  # it stands in the picture, so its name is not a random one
    shop.mkdir()
    try:
        repair(eve, running, folder, shop)
    finally:
        shutil.rmtree(shop)
    time.sleep(2.5)  # the checkpoint lags by a second
    return eve, mia, ada, ben


def identities(
    browser: Browser, console: str, folder: Path, pictures: Path, administrators: tuple[Person, Person],
    provider: OidcProvider,
) -> None:  # fmt: skip
    """The pages of a company whose people come from a provider, a directory and a roster."""
    ada, ben = administrators
    fresh(ada)
    ben.sign_in_with_passkey()
    life.propose_provider(ada, provider)
    for theme in ("light", "dark"):
        shoot(ada.page, pictures / f"provider-test.{theme}.png", theme == "dark")
    life.approve_provider(ben)
    directory = life.Directory(ada, ben, console)
    directory.hire()
    for user, name in life.HIRED:
        life.sign_in(browser, console, user, name)
    life.take_roster(ada, folder)
    life.leave(directory, ada, folder)
    person = ada.go("/people?q=kim").locator('a[href^="/people/per_"]').first.get_attribute("href") or ""
    pages = {"leavers": "/leavers", "person": person, "second-factors": "/second-factors", "roster": "/roster",
             "provisioning": "/provisioning"}  # fmt: skip
    for picture, path in pages.items():
        page = ada.go(path)
        take(page, pictures / f"{picture}.light.png")
        take(page, pictures / f"{picture}.dark.png", dark=True)
    take(ada.go("/leavers"), pictures / "leavers.phone.png", PHONE)


def verification(browser: Browser, pack: bytes, pictures: Path) -> None:
    """verify.html with its answer about a pack that was drawn from a ledger."""
    opened = VerifyPage(browser)
    opened.verify(pack, [LOG.vkey()], [WITNESS.vkey()], name="onepam-2026-q1.zip")
    for theme in ("light", "dark"):
        shoot(opened.page, pictures / f"verify.{theme}.png", theme == "dark")
    opened.page.close()


def fresh(who: Person) -> None:
    """Shows the second factor once more, so that it is of the last five minutes."""
    page = who.go("/step-up?next=/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(who.console + "/")


def main() -> int:
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as drawn:
        pack = asyncio.run(complete(Path(drawn)))
    with (
        tempfile.TemporaryDirectory() as temporary,
        sync_playwright() as playwright,
        running_oidc_provider(
            Path(temporary, "provider.log"), redirect_uri="https://nowhere.example/", accounts=life.accounts()
        ) as provider,
    ):
        folder = Path(temporary)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        verification(browser, pack, pictures)
        egress = f'egress = ["127.0.0.1/32:{provider.port}"]'
        with tour(folder, free_port(), free_port(), egress, database=True) as running:
            eve, mia, ada, ben = live(browser, running, folder)
            pages = {"home": (eve, "/"), "approvals": (mia, "/approvals"), "roles": (ada, "/roles"),
                     "ledger": (ada, "/ledger")}  # fmt: skip
            for name, (person, path) in pages.items():
                page = person.go(path)
                take(page, pictures / f"{name}.light.png")
                take(page, pictures / f"{name}.dark.png", dark=True)
            take(mia.go("/approvals"), pictures / "approvals.phone.png", PHONE)
            page = eve.go("/sessions")
            page.locator('a[href*="/sessions/ses_"]').first.click()
            page.wait_for_url("**/sessions/ses_*")
            for theme in ("light", "dark"):
                picture = pictures / f"session.{theme}.png"
                take(page, picture, dark=theme == "dark", ready=lambda: play_to_the_end(page))
            databases(ada, eve, folder, pictures)
            identities(browser, running.console, folder, pictures, (ada, ben), provider)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
