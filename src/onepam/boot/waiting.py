"""The day before a ledger that lacks signed entries may be continued: its administrators are told, and may cancel.

Its gateway would not start: what was signed is not there. It starts for this one thing, and nothing else is open: no
SSH, no request, no change. Whoever rolled a database back to a day on which they had more rights has nothing by it.
"""

from contextlib import closing
from pathlib import Path

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from onepam.boot.clock import wall_clock
from onepam.domain.host.announcing import Announcement, Deed
from onepam.kernel.clock import iso
from onepam.store.engine.append import read_head
from onepam.store.engine.database import connect
from onepam.store.read.announced import open_announcements

HERE = "/ledger"
OPEN = (HERE, "/sign-in", "/step-up", "/sign-out", "/static", "/healthz", "/readyz", "/api/v1/ledger")
"""Where somebody signs in, sees what was announced, and cancels it."""


def announced_continuation(database: Path) -> Announcement | None:
    """What was announced and may still be cancelled; None where nobody announced to continue this ledger."""
    with closing(connect(database, read_only=True)) as db:
        at = max(wall_clock(), read_head(db).time)
        return next((each for each in open_announcements(db, at) if each.deed is Deed.CONTINUATION), None)


def waiting_words(found: Announcement, url: str) -> str:
    """What the process says of itself."""
    return (
        f"entries that were signed are missing, and {found.announcement} announces that the ledger goes on without "
        f"them as {found.origin}, from {iso(found.due)} on: administrators may cancel it at {url}{HERE}, and nothing "
        "else is open here. Stop this process to carry it out"
    )


def only_cancelling(app: ASGIApp) -> ASGIApp:
    """The web side with everything else closed."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope["path"]):
            await app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and not scope["path"].startswith("/api/"):
            await RedirectResponse(HERE, 303)(scope, receive, send)
        else:
            words = "Entries that were signed are missing here: until that is settled nothing is done but to cancel.\n"
            await PlainTextResponse(words, 503)(scope, receive, send)

    return asked


def _is_open(path: str) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in OPEN)
