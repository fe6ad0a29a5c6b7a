"""The outbox is killed at each step of a delivery: all is told once, in order, and a repeat is known by its id."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.boot.clock import wall_clock
from onepam.domain.history.system import LedgerVerified
from onepam.domain.leaving.brake import DirectoryHeld, HoldReason
from onepam.domain.telling.outbox import NoticeSent
from onepam.kernel.clock import MINUTE, Instant
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries_of
from tests.outbox.company import Company, Place, place, toml
from tests.outbox.receivers import Post, post_office

pytestmark = pytest.mark.anyio

SECONDS = 90
FOUND = LedgerVerified("incremental", 1, "00", ("leaf: entry 7: it is not what was published",))
HELD = DirectoryHeld("hld_1", "scim:idp_1", HoldReason.MANY, None)
TO = "security@example.com"


class Teller:
    """The process; started again whenever it was killed."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.kills = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.outbox.teller", str(self._config)], stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """At once, whatever it does; it is gone when this returns."""
        self.kills += 1
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


async def two_alarms(there: Place) -> Path:
    """A ledger in which two things happened a minute ago, and the configuration's file beside it."""
    company = Company(there.config, Instant(wall_clock() - MINUTE))
    try:
        await company.outbox.begin()
        await company.record(FOUND)
        await company.record(HELD)
    finally:
        await company.close()
    file = there.config.data.parent / "config.toml"
    file.write_text(toml(there.config))
    return file


def sent(there: Place) -> list[NoticeSent]:
    db = connect(there.config.data / "ledger.db", read_only=True)
    try:
        return [each.event for each in entries_of(db, ("notice.sent",))]
    finally:
        db.close()


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("step", "number"),
    [("EHLO", 1), ("EHLO", 2), ("MAIL", 1), ("RCPT", 2), ("DATA", 1), ("taken", 1), ("QUIT", 2), ("committed", 1)],
)
async def test_killed_at_each_step(tmp_path: Path, step: str, number: int) -> None:
    """While the `number`-th notice is at this step. Only where it was taken and no entry says so is it repeated."""
    there = place(tmp_path / "there", mail_security=(TO,))
    there = replace(there, config=replace(there.config, webhooks=(), syslog=()))
    steps: list[str] = []

    def at(name: str, to: str) -> str | None:
        steps.append(name)
        if name == step and steps.count("DATA" if step == "QUIT" else step) == number and teller.kills == 0:
            teller.kill()
        return None

    post = Post(at=at)
    file = await two_alarms(there)
    with post_office(post, there.tls, there.mail):
        teller = Teller(file)
        try:
            if step == "committed":
                until(lambda: len(sent(there)) >= number)
                teller.kill()
            else:
                until(lambda: teller.kills == 1)
            teller.start()
            until(lambda: len(sent(there)) >= 2)
        finally:
            teller.kill()
    entries = sent(there)
    assert [each.kind for each in entries] == ["system.verified", "directory.held"]
    assert len({each.notice for each in entries}) == 2
    ids = [identity for _, identity in post.ids]
    expected = [f"<{each.notice}@ledger.test>" for each in entries]
    assert list(dict.fromkeys(ids)) == expected, "in order, and a repeat bears the id that it had"
    whole = ("DATA", "taken", "QUIT")  # the server had all of it, and no entry said so
    assert len(ids) - 2 in ((0, 1) if step == "committed" else (step in whole,))


async def test_of_two_processes_one_tells(tmp_path: Path) -> None:
    there = place(tmp_path / "there", mail_security=(TO,))
    there = replace(there, config=replace(there.config, webhooks=(), syslog=()))
    post = Post()
    file = await two_alarms(there)
    with post_office(post, there.tls, there.mail):
        one, other = Teller(file), Teller(file)
        try:
            until(lambda: len(sent(there)) == 2)
            time.sleep(3)  # time enough for the other one to send, if it did
        finally:
            one.kill()
            other.kill()
    assert len(post.taken) == len(sent(there)) == 2
