"""Real receivers, there and away: each is told once, in order, verified by somebody else's library."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.ports import Snapshot
from onepam.boot.clock import wall_clock
from onepam.domain.history.system import LedgerVerified
from onepam.domain.leaving.brake import DirectoryHeld, HoldReason
from onepam.domain.people.events import PersonChanged, PersonDisabled
from onepam.domain.roster.events import RosterHeld
from onepam.domain.signing_in.events import FactorRemoved
from onepam.domain.telling.outbox import NoticeFailed, NoticeSent, ReceiverFailing
from onepam.egress.outbox import mail
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant, iso
from onepam.store.read.alarms import alarms
from onepam.store.read.outbox import deliveries, waiting
from tests.outbox.company import Company, Place, place, toml
from tests.outbox.receivers import SILENT, Hook, Log, Post, hook_receiver, post_office, rsyslog

pytestmark = pytest.mark.anyio

FOUND = LedgerVerified("incremental", 1, "00", ("leaf: entry 7: it is not what was published",))
ALARMED = ("ada@example.com", "max@example.com", "security@example.com")
HELD = DirectoryHeld("hld_1", "scim:idp_1", HoldReason.MANY, None)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place(tmp_path_factory.mktemp("outbox"), mail_security=("security@example.com",))


@pytest.fixture(scope="module")
def logs(there: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    with rsyslog(tmp_path_factory.mktemp("rsyslog"), there.tls, there.syslog) as log:
        yield log


@asynccontextmanager
async def company(there: Place, tmp_path: Path, **changes: object) -> AsyncIterator[Company]:
    data = tmp_path / "data"
    data.mkdir()
    found = Company(replace(there.config, data=data, **changes), wall_clock())  # type: ignore[arg-type]
    try:
        await found.begin()
        yield found
    finally:
        await found.close()


def roster_held(version: str) -> RosterHeld:
    return RosterHeld(version, "00", "upload", "roster.shrinks", 9, 0, 0, 9, 8, 10, Instant(0), None)


async def test_everybody_is_told_by_every_channel(there: Place, logs: Log, tmp_path: Path) -> None:
    post, hook, before = Post(), Hook(there.secret), len(logs.taken)
    async with company(there, tmp_path) as here:
        with post_office(post, there.tls, there.mail), hook_receiver(hook, there.tls, there.hook):
            await here.record(FOUND, FactorRemoved("fac_1", "eve", "replaced", "eve"))
            at = here.now
            await here.tell()
            await here.tell()
    told = [(to, str(message["Subject"])) for to, message in post.taken]
    alarm = "OnePAM alarm: The history fails its verification in one place"
    mine = "OnePAM: A factor by which Eve signs in was replaced"
    assert sorted(told) == sorted([*((each, alarm) for each in ALARMED), ("eve@example.com", mine)])
    assert [body["type"] for _, body in hook.taken] == ["system.verified", "factor.removed"]
    assert not hook.forged
    taken = logs.taken[before:]
    assert [(each["pri"], each["app"], each["msgid"]) for each in taken] == [
        ("105", "onepam", "system.verified"),
        ("109", "onepam", "factor.removed"),
    ]
    assert taken[0]["host"] == "pam.example.com"
    assert taken[0]["text"].lstrip("\ufeff ").startswith("The history fails its verification in one place.")
    assert f'notice="{here.written(NoticeSent)[0].notice.rpartition("-")[0]}' in taken[0]["data"]
    assert abs(int(iso(at)[11:13]) - int(taken[0]["time"][11:13])) in (0, 1, 23)
    assert len(here.written(NoticeSent)) == 8
    assert not here.written(ReceiverFailing)


async def test_a_stranger_reads_the_mail(there: Place, tmp_path: Path) -> None:
    """mblaze, a mail reader of its own, shows headers and text of what was sent; a name can forge nothing."""
    post = Post()
    name = "Eve\r\nBcc: mallory@example.com\r\n\r\nClick here"
    async with company(there, tmp_path, webhooks=(), syslog=()) as here:
        with post_office(post, there.tls, there.mail):
            await here.record(PersonChanged("eve", "ada", None, None, None, name, "eve@example.com"))
            await here.record(FactorRemoved("fac_1", "eve", "removed", "eve"))
            await here.tell()
    ((to, message),) = post.taken
    assert to == "eve@example.com"
    kept = tmp_path / "mail"
    kept.write_bytes(message.as_bytes())
    headers = subprocess.run(["mhdr", str(kept)], capture_output=True, text=True, check=True).stdout
    shown = subprocess.run(["mshow", str(kept)], capture_output=True, text=True, check=True).stdout
    names = [line.partition(":")[0].lower() for line in headers.splitlines() if not line.startswith((" ", "\t"))]
    assert "bcc" not in names
    assert {"from", "to", "subject", "date", "message-id", "auto-submitted"} <= set(names)
    assert "A factor by which Eve Bcc: mallory@example.com Click here signs in was removed." in shown
    assert "https://pam.example.com/factors" in shown
    assert max(map(len, message.get_content().splitlines()[2:])) < 100


async def test_everybody_away_for_a_day(there: Place, logs: Log, tmp_path: Path) -> None:
    """The mail server and the receiver are down for 26 hours, and alarms go on: then each is told once, in order."""
    post, hook, before = Post(), Hook(there.secret), len(logs.taken)
    async with company(there, tmp_path, syslog=(f"logs localhost:{there.hook}",)) as here:
        await here.record(FOUND)
        for hour in range(26):
            await here.record(roster_held(f"ver_{hour}"), *([HELD] if hour in (3, 20) else []))
            for _ in range(4):
                await here.tell(15 * MINUTE)
        assert not here.written(NoticeSent)
        failing = here.written(ReceiverFailing)
        assert len(failing) == len({each.receiver for each in failing}) == 5
        with post_office(post, there.tls, there.mail), hook_receiver(hook, there.tls, there.hook):
            await here.tell(61 * MINUTE)
            await here.tell(61 * MINUTE)
        sent = here.written(NoticeSent)
        assert not here.written(NoticeFailed)
    kinds = [body["type"] for _, body in hook.taken]
    assert kinds[:2] == ["system.verified", "roster.held"]
    assert kinds.count("directory.held") == 2
    assert [body["data"]["first_entry"] for _, body in hook.taken] == sorted(
        body["data"]["first_entry"] for _, body in hook.taken
    )
    told = [body["data"] for _, body in hook.taken if body["type"] == "roster.held"]
    assert sum(each["count"] for each in told) == 26
    assert not hook.forged
    for to in ALARMED:
        ids = [identity for address, identity in post.ids if address == to]
        assert len(ids) == len(set(ids)) == len(hook.taken)
    assert sorted(each.notice for each in sent if each.receiver == "siem") == sorted(each for each, _ in hook.taken)
    assert len(logs.taken) == before


async def test_a_flood_is_one_notice_an_hour(there: Place, tmp_path: Path) -> None:
    hook = Hook(there.secret)
    async with company(there, tmp_path, mail_server="", syslog=()) as here:
        with hook_receiver(hook, there.tls, there.hook):
            for _ in range(30):
                await here.record(*(roster_held(f"ver_{number}") for number in range(100)))
                await here.tell(MINUTE)
            await here.tell(HOUR)
    assert [body["data"]["count"] for _, body in hook.taken] == [100, 2900]
    assert hook.taken[1][1]["data"]["sentence"].endswith("(2900 alike.)")


async def test_one_that_is_down_holds_up_nobody(there: Place, tmp_path: Path) -> None:
    post = Post()
    async with company(there, tmp_path, syslog=()) as here:
        with post_office(post, there.tls, there.mail):
            await here.record(FOUND)
            await here.tell()
        assert {each.receiver for each in here.written(NoticeSent)} == {"mail:ada", "mail:max", "security"}
        assert [each.receiver for each in here.written(ReceiverFailing)] == ["siem"]


async def test_given_up_after_two_days_and_the_next_is_told(there: Place, tmp_path: Path) -> None:
    hook = Hook(there.secret, status=503)
    async with company(there, tmp_path, mail_server="", syslog=()) as here:
        with hook_receiver(hook, there.tls, there.hook):
            await here.record(FOUND)
            for _ in range(49):
                await here.tell(HOUR)
            assert [each.because for each in here.written(NoticeFailed)] == ["webhook.status"]
            assert not hook.taken
            hook.status = 200
            await here.record(HELD)
            await here.tell(HOUR)
    assert [body["type"] for _, body in hook.taken] == ["directory.held"]


async def test_an_address_that_does_not_exist_and_a_person_who_left(there: Place, tmp_path: Path) -> None:
    post = Post(at=lambda step, to: "550 No such user" if (step, to) == ("RCPT", "max@example.com") else None)
    async with company(there, tmp_path, webhooks=(), syslog=()) as here:
        with post_office(post, there.tls, there.mail):
            await here.record(FOUND, PersonDisabled("ada", "max", "left"))
            await here.tell()
    assert [to for to, _ in post.ids] == ["security@example.com"]
    assert [(each.receiver, each.because) for each in here.written(NoticeFailed)] == [("mail:max", "mail.recipient")]


async def test_a_restart_repeats_nothing_and_loses_nothing(there: Place, tmp_path: Path) -> None:
    hook = Hook(there.secret)
    async with company(there, tmp_path, mail_server="", syslog=()) as here:
        with hook_receiver(hook, there.tls, there.hook):
            await here.record(FOUND)
            await here.tell()
        await here.record(HELD)
        await here.tell()
        again = Company(here.config, Instant(here.now + SECOND))
        try:
            with hook_receiver(hook, there.tls, there.hook):
                await again.outbox.begin()
                await again.tell(MINUTE)
                await again.tell(DAY)
        finally:
            await again.close()
    assert [body["type"] for _, body in hook.taken] == ["system.verified", "directory.held"]


@pytest.mark.parametrize("how", ["another CA", "no STARTTLS", "a wrong password", "no answer to a password"])
async def test_a_mail_server_that_is_not_trusted_gets_nothing(
    there: Place, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Post()
    changes: dict[str, object] = {"webhooks": (), "syslog": ()}
    if how == "another CA":
        changes["notice_ca"] = ""
    elif how in ("a wrong password", "no answer to a password"):
        wrong = tmp_path / "wrong"
        wrong.write_text("wrong" if how == "a wrong password" else SILENT)
        wrong.chmod(0o600)
        changes["mail_password_file"] = str(wrong)
        if how == "no answer to a password":
            monkeypatch.setattr(mail, "ANSWER_SECONDS", 2.0)
    async with company(there, tmp_path, **changes) as here:
        with post_office(post, there.tls, there.mail, implicit=how == "no STARTTLS"):
            await here.record(FOUND)
            if how != "no STARTTLS":
                await here.tell()
    if how != "no STARTTLS":
        codes = {each.because for each in here.written(ReceiverFailing)}
        because = {"another CA": "mail.tls", "a wrong password": "mail.sign_in", "no answer to a password": "mail.down"}
        assert codes == {because[how]}
    assert not post.taken


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    there = place(tmp_path / "implicit", mail="smtps://localhost")
    post = Post()
    async with company(there, tmp_path, webhooks=(), syslog=()) as here:
        with post_office(post, there.tls, there.mail, implicit=True):
            await here.record(FOUND)
            await here.tell()
    assert len(post.taken) == 2


def alarmed(db: Snapshot, at: Instant) -> list[str]:
    return [each.sentence for each in alarms(db, at) if each.kind == "notices"]


async def test_whoever_fails_for_an_hour_is_an_alarm_until_told(there: Place, tmp_path: Path) -> None:
    hook = Hook(there.secret)
    async with company(there, tmp_path, mail_server="", syslog=()) as here:
        await here.record(FOUND)
        await here.tell()
        assert await here.reader(waiting) == {"siem": 1}
        assert [(each.receiver, each.because) for each in await here.reader(deliveries)] == [("siem", "fetch.down")]
        assert await here.reader(alarmed) == []
        await here.tell(61 * MINUTE)
        assert len(await here.reader(alarmed)) == 1
        with hook_receiver(hook, there.tls, there.hook):
            await here.tell(61 * MINUTE)
        assert await here.reader(alarmed) == []
        assert await here.reader(waiting) == {}
        assert [each.failing for each in await here.reader(deliveries)] == [None]


def test_the_test_command_says_how_each_took_it(there: Place, tmp_path: Path) -> None:
    post, hook = Post(), Hook(there.secret)
    file = tmp_path / "config.toml"
    hooks = ("gone https://localhost:1/hook /nowhere/secret", *there.config.webhooks)
    file.write_text(toml(replace(there.config, webhooks=hooks, syslog=("logs localhost:1",))))
    command = [sys.executable, "-m", "onepam.boot.commands.up", "outbox", "test", "--config", str(file)]
    with post_office(post, there.tls, there.mail), hook_receiver(hook, there.tls, there.hook):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    security, gone, siem, logs = done.stdout.splitlines()
    assert (security, siem) == ("security: taken", "siem: taken")
    assert gone == "gone: FAILED  outbox.fault: /nowhere/secret cannot be read: No such file or directory"
    assert logs.startswith("logs: FAILED  syslog.down")
    assert [to for to, _ in post.ids] == ["security@example.com"]
    assert [body["type"] for _, body in hook.taken] == ["outbox.test"]
