"""People are told as they chose: at once, in one e-mail a working day, or not; in no quiet hours; of nothing over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.events import BindingAdded, RoleSet
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission, SubjectKind, Substance
from onepam.domain.history.system import LedgerVerified
from onepam.domain.people.events import PersonDisabled
from onepam.domain.requests.events import (
    UNDO,
    ApprovalUndone,
    GrantEnded,
    GrantStarted,
    RequestApproved,
    RequestDenied,
    RequestMade,
    RequestStatus,
    RequestWithdrawn,
)
from onepam.domain.signing_in.events import FactorRemoved
from onepam.domain.telling.choosing import NoticesChosen
from onepam.domain.telling.outbox import NoticeFailed, NoticeSent
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant, parse
from onepam.store.read.outbox import waiting
from tests.outbox.company import Company, Place, place
from tests.outbox.receivers import Post, post_office

pytestmark = pytest.mark.anyio

MONDAY = parse("2026-03-02T07:00:00Z")
"""Eight o'clock in Berlin."""

FOUND = LedgerVerified("incremental", 1, "00", ("leaf: entry 7: it is not what was published",))
PROD = Permission("prod", (Action.SHELL,), {"env": "prod"}, ("root",), Mode.REQUEST, 4 * HOUR, ("manager",))
ASKED = Substance("eve", "web-1", "root", "engineer", "v1", "prod", (Action.SHELL,), HOUR)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place(tmp_path_factory.mktemp("choices"))


@asynccontextmanager
async def company(there: Place, tmp_path: Path, now: Instant = MONDAY) -> AsyncIterator[Company]:
    """One that sends e-mail; max decides what eve asks."""
    data = tmp_path / "data"
    data.mkdir()
    here = Company(replace(there.config, data=data, webhooks=(), syslog=()), now)
    try:
        await here.begin()
        engineer = RoleSet("engineer", "v1", "Build", "ada", (PROD,), (), "founding", None)
        manager = RoleSet("manager", "v1", "Decide", "ada", (), (ConsoleRight.APPROVE,), "founding", None)
        holds = BindingAdded("bnd_m", "manager", SubjectKind.PERSON, "max", None, "x", "x", "founding", None)
        await here.record(engineer, manager, holds)
        yield here
    finally:
        await here.close()


def wish(person: str, **changes: object) -> NoticesChosen:
    made = NoticesChosen(person, "Europe/Berlin", (1, 2, 3, 4, 5), 480, 0, 0, (), (), person)
    return replace(made, **changes)  # type: ignore[arg-type]


def asked(here: Company, request: str, resource: str = "web-1", lasts: int = 7 * DAY) -> RequestMade:
    return RequestMade(request, replace(ASKED, resource=resource), "d", Instant(here.now + lasts), "why", None)


def started(here: Company, request: str) -> tuple[RequestApproved, GrantStarted]:
    starts = Instant(here.now + UNDO)
    grant = GrantStarted(f"grt_{request}", request, ASKED, "bnd", "max", starts, Instant(starts + HOUR))
    return RequestApproved(request, "d", "max", "manager", starts), grant


def said(post: Post, to: str) -> list[str]:
    """The subjects of what they got."""
    return [str(message["Subject"]) for address, message in post.taken if address == f"{to}@example.com"]


async def test_requester_and_approver_are_told_at_once(there: Place, tmp_path: Path) -> None:
    post = Post()
    async with company(there, tmp_path) as here:
        with post_office(post, there.tls, there.mail):
            for request in ("req_1", "req_2", "req_3", "req_4"):
                await here.record(asked(here, request))
            await here.tell()
            assert len(said(post, "max")) == 1
            await here.record(*started(here, "req_1"))
            await here.tell(UNDO - SECOND)
            assert said(post, "eve") == [], "until then it can be undone"
            await here.tell(6 * SECOND)
            await here.record(RequestDenied("req_2", "max", "manager", "no"))
            await here.record(RequestWithdrawn("req_3", RequestStatus.VOID, "expired", None))
            await here.record(GrantEnded("grt_req_1", "req_1", "ended", "max", "enough"))
            await here.tell()
    assert said(post, "eve") == [
        "OnePAM: You may reach web-1 as root (engineer), as you asked",
        "OnePAM: Max denied what you asked for",
        "OnePAM: Nobody decided in time on what you asked for",
        "OnePAM: Max ended your access before its time",
    ]
    text = post.taken[2][1].get_content()
    assert "Max denied what you asked for: web-1 as root." in text
    assert "https://pam.example.com/requests" in text
    assert "why" not in str([message.get_content() for _, message in post.taken])


async def test_nobody_is_told_of_what_they_did_themselves_nor_of_what_was_undone(there: Place, tmp_path: Path) -> None:
    post = Post()
    async with company(there, tmp_path) as here:
        with post_office(post, there.tls, there.mail):
            await here.record(asked(here, "req_1"), *started(here, "req_1"))
            await here.record(
                GrantEnded("grt_req_1", "req_1", "undone", "max"), ApprovalUndone("req_1", "grt_1", "max")
            )
            await here.tell(DAY)
            await here.record(*started(here, "req_1"), GrantEnded("grt_req_1", "req_1", "handed_back", "eve"))
            await here.tell(DAY)
            await here.tell(DAY)
    assert said(post, "eve") == []


async def test_a_digest_is_one_mail_a_working_day_at_the_chosen_hour(there: Place, tmp_path: Path) -> None:
    post = Post()
    async with company(there, tmp_path, Instant(MONDAY - 3 * DAY + HOUR)) as here:  # a Friday, at nine
        await here.record(wish("max", in_digest=("request.made",)))
        with post_office(post, there.tls, there.mail):
            for number in range(3):
                await here.record(asked(here, f"req_{number}", f"web-{number}"))
                await here.tell(MINUTE)
            await here.record(replace(asked(here, "req_9"), substance=replace(ASKED, person="ada")))
            await here.record(FOUND)
            for _ in range(70):
                await here.tell(HOUR)
            assert said(post, "max") == ["OnePAM alarm: The history fails its verification in one place"]
            assert (await here.reader(waiting))["mail:max"] == 4
            await here.tell(MONDAY - here.now)
            await here.tell(MINUTE)
            await here.tell(MINUTE)
            assert said(post, "max")[1:] == ["OnePAM: 2 notices since the last digest"]
            await here.tell(3 * DAY)
    assert len(said(post, "max")) == 2, "nothing new, no digest"
    message = next(message for to, message in post.taken if "digest" in str(message["Subject"]))
    text = message.get_content()
    assert "Eve asks to reach web-2 as root (engineer)" in text
    assert "(3 alike.)" in text
    assert "Ada asks to reach web-1" in text
    assert "https://pam.example.com/my-notices" in text
    told = [each for each in here.written(NoticeSent) if each.notice in str(message["Message-ID"])]
    assert [(each.receiver, each.kind, each.count) for each in told] == [
        ("mail:max", "request.made", 3),
        ("mail:max", "request.made", 1),
    ]


async def test_a_digest_that_the_mail_server_refused_comes_once_it_is_back(there: Place, tmp_path: Path) -> None:
    """Away from Monday to Tuesday: one digest, under the id of its last hour, without what was decided meanwhile."""
    post = Post()
    async with company(there, tmp_path, Instant(MONDAY - HOUR)) as here:
        await here.record(wish("max", in_digest=("request.made",)))
        await here.record(asked(here, "req_1"), asked(here, "req_2", lasts=DAY))
        for _ in range(26):
            await here.tell(HOUR)
        await here.record(replace(asked(here, "req_3"), substance=replace(ASKED, person="ada")))
        with post_office(post, there.tls, there.mail):
            for _ in range(3):
                await here.tell(HOUR)
            assert said(post, "max") == ["OnePAM: one notice since the last digest"]
            await here.tell(DAY)
            await here.tell(MINUTE)
    assert said(post, "max") == ["OnePAM: one notice since the last digest"] * 2
    assert not any("alike" in message.get_content() for _, message in post.taken)
    assert not here.written(NoticeFailed)


async def test_after_a_restart_the_digest_is_not_sent_again(there: Place, tmp_path: Path) -> None:
    post = Post()
    async with company(there, tmp_path, Instant(MONDAY - HOUR)) as here:
        await here.record(wish("max", in_digest=("request.made",)), asked(here, "req_1"))
        with post_office(post, there.tls, there.mail):
            await here.tell(HOUR)
            await here.tell(MINUTE)
            again = Company(here.config, Instant(here.now + MINUTE))
            try:
                await again.outbox.begin()
                await again.tell(MINUTE)
                await again.tell(DAY)
            finally:
                await again.close()
    assert said(post, "max") == ["OnePAM: one notice since the last digest"]


async def test_in_quiet_hours_comes_what_warns_and_the_rest_afterwards(there: Place, tmp_path: Path) -> None:
    post = Post()
    async with company(there, tmp_path, parse("2026-03-02T20:58:00Z")) as here:
        await here.record(wish("max", quiet_from=22 * 60, quiet_until=7 * 60))
        await here.record(asked(here, "req_1"), asked(here, "req_2", lasts=2 * HOUR))
        # the mail server is away at first: what was due before the quiet hours is held in them all the same
        await here.tell(MINUTE)
        await here.tell(MINUTE)
        with post_office(post, there.tls, there.mail):
            await here.record(FOUND, FactorRemoved("fac_1", "max", "replaced", "max"))
            for _ in range(8):
                await here.tell(HOUR)
            assert sorted(said(post, "max")) == [
                "OnePAM alarm: The history fails its verification in one place",
                "OnePAM: A factor by which Max signs in was replaced",
            ]
            await here.tell(HOUR)
    (last,) = said(post, "max")[2:]
    assert last.startswith("OnePAM: Eve asks to reach web-1 as root (engineer)")
    assert "alike" not in post.taken[-1][1].get_content(), "the other one was over by then"


async def test_what_somebody_turned_off_never_comes_and_counts_as_waiting_for_nobody(
    there: Place, tmp_path: Path
) -> None:
    post = Post()
    async with company(there, tmp_path) as here:
        await here.record(wish("max", untold=("request.made",)))
        await here.record(asked(here, "req_1"))
        assert await here.reader(waiting) == {}
        with post_office(post, there.tls, there.mail):
            await here.tell()
            await here.record(wish("max"), asked(here, "req_2", "web-2"))
            await here.tell(2 * HOUR)
            await here.record(PersonDisabled("max", "ada", "left"))
            again = Company(here.config, Instant(here.now + SECOND))
            try:
                await again.tell(DAY)
            finally:
                await again.close()
    assert len(said(post, "max")) == 1
    assert "web-2" in post.taken[0][1].get_content()
    assert "alike" not in post.taken[0][1].get_content()
