"""The day before a ledger is continued after a loss: its administrators see it in the console, and any cancels it."""

import asyncio
import contextlib
import re
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.console.frame.visit import CSRF_COOKIE, SESSION_COOKIE, csrf_token
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Fault
from onepam.store.read.announced import open_announcements
from tests.boot.test_continue import NEXT, config_of, continued, founded, lost_tail
from tests.company import record

pytestmark = pytest.mark.anyio


def administrator(data: Path) -> str:
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        return str(db.execute("SELECT person FROM person WHERE email = 'ben@example.com'").fetchone()[0])


@contextlib.asynccontextmanager
async def browser(platform: Platform, person: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who has signed in."""
    token, now = new_token("opc", secrets.token_bytes), platform.ledger.time()
    session = SignedIn(
        session="sgn_ben",
        person=person,
        kind=SignInKind.CONSOLE,
        proven=(FactorKind.PASSKEY,),
        mfa_at=now,
        expires=Instant(now + HOUR),
        parent=None,
        token_digest=token_digest(token).hex(),
    )
    await record(platform.ledger, session)
    cookies = {SESSION_COOKIE: token.reveal().decode("ascii")}
    async with httpx2.AsyncClient(base_url=platform.config.url, cookies=cookies, timeout=60) as client:
        yield client


async def announced(data: Path, tmp_path: Path) -> Config:
    founded(data)
    await lost_tail(data, tmp_path)
    with pytest.raises(Fault, match="this is an older copy"):
        async with Platform(config_of(data)).running():
            pass
    done = await asyncio.to_thread(continued, data, "", "--no-with-key")
    assert done.returncode == 0, done.stderr
    assert "Every administrator sees it and may cancel it" in done.stdout
    return config_of(data)


async def test_an_administrator_cancels_in_the_console_and_nothing_else_is_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    config = await announced(data, tmp_path)
    async with Platform(config).running() as platform:
        assert platform.waits is not None
        assert (platform.waits.origin, platform.ssh_port) == (NEXT, 0)
        async with browser(platform, administrator(data)) as ben:
            for path in ("/", "/people", "/approvals"):
                assert (await ben.get(path)).headers["Location"] == "/ledger"
            assert (await ben.get("/api/v1/people")).status_code == 503
            assert (await ben.post("/people", data={})).status_code == 503
            assert (await ben.get("/readyz")).status_code == 503, "nobody gets in by it"
            page = (await ben.get("/ledger")).text
            assert f"<code>{NEXT}</code>" in page
            found = re.search(r'action="(/ledger/announced/ann_\w+/cancel)"', page)
            assert found
            form = {"csrf": csrf_token(ben.cookies[CSRF_COOKIE], ben.cookies[SESSION_COOKIE])}
            done = await ben.post(found[1], data=form, headers={"Origin": platform.config.url})
            assert done.status_code == 303
        assert await platform.reader(open_announcements) == []
    with pytest.raises(Fault, match="this is an older copy"):
        async with Platform(config_of(data)).running():
            pass
    again = await asyncio.to_thread(continued, data, "", "--no-with-key")
    assert "Announced as ann_" in again.stdout, "a day begins anew"


async def test_the_gateway_stops_for_what_was_announced_to_be_carried_out(tmp_path: Path) -> None:
    """While it waits it holds nothing that the command on the host needs."""
    data = tmp_path / "data"
    config = await announced(data, tmp_path)
    async with Platform(config).running():
        early = await asyncio.to_thread(continued, data, "", "--no-with-key")
    assert early.returncode == 1
    assert "nobody may carry it out before" in early.stderr
