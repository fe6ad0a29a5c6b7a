"""Slack and Teams, there and away: facts and a link, in words that forge nothing, and nothing that decides."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.boot.clock import wall_clock
from onepam.boot.config import BadConfig
from onepam.boot.receivers import receivers_of
from onepam.domain.access.model import Action, Substance
from onepam.domain.history.system import LedgerVerified
from onepam.domain.leaving.brake import DirectoryHeld, HoldReason
from onepam.domain.people.events import PersonChanged
from onepam.domain.requests.events import RequestDenied, RequestMade
from onepam.domain.reviews.events import RoleWithheld, Withheld
from onepam.domain.telling.outbox import NoticeFailed, NoticeSent, ReceiverFailing
from onepam.egress.outbox.chat import LONGEST_TEXT
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from tests.outbox.chats import Channel, chat_server, read_marks
from tests.outbox.company import Company, Place, place

pytestmark = pytest.mark.anyio

FOUND = LedgerVerified("incremental", 1, "00", ("leaf: entry 7: it is not what was published",))
HELD = DirectoryHeld("hld_1", "scim:idp_1", HoldReason.MANY, None)
NAME = "Eve <!channel> & <https://evil.example|here> *now* [x](https://evil.example) <at>Ada</at>"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place(tmp_path_factory.mktemp("chat"))


@asynccontextmanager
async def company(
    there: Place, tmp_path: Path, kind: str, subjects: str = "alarms,requests"
) -> AsyncIterator[tuple[Company, Channel]]:
    """One with a chat and nothing else; its channel is not served yet."""
    data, secret = tmp_path / "data", tmp_path / "address"
    data.mkdir()
    channel = Channel(kind, "/services/T0/B0/s3cret")
    secret.write_text(f"https://localhost:{there.hook}{channel.path}\n")
    secret.chmod(0o600)
    config = replace(
        there.config, data=data, mail_server="", mail_from="", mail_password_file="", webhooks=(), syslog=(),
        chats=(f"ops {kind} {subjects} {secret}",), egress=(f"127.0.0.1/32:{there.hook}", f"::1/128:{there.hook}"),
    )  # fmt: skip
    found = Company(config, wall_clock())
    try:
        await found.begin()
        yield found, channel
    finally:
        await found.close()


def made(here: Company, request: str = "req_1", lasts: int = DAY) -> RequestMade:
    asked = Substance("eve", "web-1", "root", "engineer", "v", "prod", (Action.SHELL,), 1)
    return RequestMade(request, asked, "d", Instant(here.now + lasts), "because of a secret", "T-1")


@pytest.mark.parametrize("kind", ["slack", "teams"])
@pytest.mark.claim(
    "a message to Slack or Teams is facts and a link", altered="an Action.Submit beside the link; names in mrkdwn"
)
async def test_a_message_is_facts_and_a_link_and_forges_nothing(there: Place, tmp_path: Path, kind: str) -> None:
    async with company(there, tmp_path, kind) as (here, channel):
        with chat_server(channel, there.tls, there.hook):
            await here.record(PersonChanged("eve", "ada", None, None, None, NAME, "eve@example.com"))
            await here.record(made(here), FOUND)
            await here.tell()
    asked, alarm = sorted(range(len(channel.taken)), key=lambda each: "Alarm" in channel.shown(each)[0])
    link = "See it in OnePAM -> https://pam.example.com/approvals"
    lines = channel.shown(asked)
    assert lines[0].startswith(f"{NAME} asks to reach web-1 as root (engineer) and waits for a decision")
    assert "secret" not in str(channel.taken)
    if kind == "slack":
        assert lines[1] == link
        assert read_marks(channel.taken[asked]["text"]) == lines[0], "a notification says the same, and calls nobody"
        assert "entry" in lines[2]
    else:
        assert "entry" in lines[1]
        assert lines[2:] == [f"[Action.OpenUrl {link}]"]
    assert channel.shown(alarm)[0].startswith("Alarm: The history fails its verification in one place.")
    assert {each.receiver for each in here.written(NoticeSent)} == {"ops:alarms", "ops:requests"}


async def test_a_chat_hears_of_what_it_is_there_for_and_of_nobodys_own_affairs(there: Place, tmp_path: Path) -> None:
    async with company(there, tmp_path, "slack", "alarms") as (here, channel):
        with chat_server(channel, there.tls, there.hook):
            await here.record(made(here), FOUND, RoleWithheld("eve", "dba", "rev_1", Withheld.SILENCE, None))
            await here.tell()
    assert [channel.shown(each)[0][:9] for each in range(len(channel.taken))] == ["Alarm: Th"]


async def test_what_is_over_when_the_chat_is_back_is_not_told(there: Place, tmp_path: Path) -> None:
    """A day away: what waits still is told once, what was decided meanwhile or fell due is not."""
    async with company(there, tmp_path, "slack") as (here, channel):
        await here.record(made(here), made(here, "req_2", 2 * DAY), made(here, "req_3", HOUR), HELD)
        for _ in range(24):
            await here.tell(HOUR)
        await here.record(RequestDenied("req_1", "max", "manager"))
        with chat_server(channel, there.tls, there.hook):
            await here.tell(61 * MINUTE)
            await here.tell(61 * MINUTE)
    told = [channel.shown(each)[0] for each in range(len(channel.taken))]
    assert len(told) == 2
    assert sum("asks to reach" in each for each in told) == 1
    assert not any("alike" in each for each in told), "of three requests one waits still"
    assert not here.written(NoticeFailed)
    failing = {each.receiver for each in here.written(ReceiverFailing)}
    assert failing == {"ops:alarms", "ops:requests"}


@pytest.mark.parametrize("status", [429, 503])
async def test_whoever_says_how_long_to_wait_is_waited_for(there: Place, tmp_path: Path, status: int) -> None:
    async with company(there, tmp_path, "slack", "alarms") as (here, channel):
        channel.answers = [(status, {"Retry-After": "90"}, b"rate_limited")]
        with chat_server(channel, there.tls, there.hook):
            await here.record(FOUND)
            await here.tell()
            for _ in range(8):
                await here.tell(10 * SECOND)
            assert channel.asked == 1
            await here.tell(11 * SECOND)
            assert channel.asked == 2
    assert len(channel.taken) == 1
    assert [each.because for each in here.written(ReceiverFailing)] == ["chat.status"]


async def test_a_day_to_wait_is_an_hour(there: Place, tmp_path: Path) -> None:
    async with company(there, tmp_path, "slack", "alarms") as (here, channel):
        channel.answers = [(429, {"Retry-After": "86400"}, b""), (429, {"Retry-After": "soon"}, b"")]
        with chat_server(channel, there.tls, there.hook):
            await here.record(FOUND)
            await here.tell()
            await here.tell(HOUR)
            await here.tell(11 * SECOND)
    assert len(channel.taken) == 1


@pytest.mark.parametrize(
    ("kind", "answer"), [("slack", (404, {}, b"no_service")), ("teams", (200, {}, b"Webhook message delivery failed"))]
)
async def test_a_chat_that_is_gone_fails_and_says_so_without_its_address(
    there: Place, tmp_path: Path, kind: str, answer: tuple[int, dict[str, str], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async with company(there, tmp_path, kind, "alarms") as (here, channel):
        with chat_server(channel, there.tls, there.hook):
            channel.answers = [answer]
            await here.record(FOUND)
            await here.tell()
            (tmp_path / "address").write_text("http://localhost/x")
            await here.tell(MINUTE)
            (tmp_path / "address").write_text(f"https://localhost:{there.hook}{channel.path}")
            await here.tell(MINUTE)
    assert len(channel.taken) == 1, "a new address is read without a restart"
    assert len(here.written(ReceiverFailing)) == 1
    assert f"ops answered with status {answer[0]}" in caplog.text
    assert "s3cret" not in caplog.text


async def test_a_sentence_is_never_longer_than_the_chat_takes(there: Place, tmp_path: Path) -> None:
    for kind in ("slack", "teams"):
        (tmp_path / kind).mkdir()
        async with company(there, tmp_path / kind, kind) as (here, channel):
            with chat_server(channel, there.tls, there.hook):
                await here.record(PersonChanged("eve", "ada", None, None, None, "Ж" * 4000, "eve@example.com"))
                await here.record(made(here))
                await here.tell()
        assert len(channel.taken) == 1
        assert len(channel.shown(0)[0]) == LONGEST_TEXT


def test_a_chat_of_the_configuration_is_read_whole_or_not(there: Place) -> None:
    for wrong in (("ops irc alarms F",), ("ops slack F",), ("ops slack all F",), ("ops slack alarms F",) * 2,
                  ("ops slack alarms F", "ops teams requests F"), ("mail slack alarms F",),
                  ("siem slack alarms F",)):  # fmt: skip
        with pytest.raises(BadConfig):
            receivers_of(replace(there.config, chats=wrong), frozenset())
    two = replace(there.config, chats=("ops slack alarms F", "ops slack requests G"))
    assert {"ops:alarms", "ops:requests"} <= set(receivers_of(two, frozenset()).channels)
    assert {"F", "G"} <= set(two.secret_files)
