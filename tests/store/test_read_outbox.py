"""Who is told of a request, and of a provider that is refused: as the tables stood when it happened, and bounded."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from onepam.app.requests.deny_request import deny_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.make_request import make_request
from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.access.model import ConsoleRight
from onepam.domain.leaving.brake import (
    DirectoryHoldReminded,
    DirectoryPersonDecided,
    DirectoryPersonHeld,
    HoldOutcome,
    HoldReason,
)
from onepam.domain.providers.refusals import ProviderRefused
from onepam.domain.requests.asking import Asked
from onepam.domain.reviews.events import ReviewReminded, Stage
from onepam.domain.sessions.waiting_statements import StatementAsked, StatementEnded
from onepam.domain.telling.audience import Audience
from onepam.domain.telling.notices import TABLE
from onepam.domain.telling.outbox import Channel, Notice, ReceiverSet, Told, next_notice
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.store.read import outbox
from onepam.store.read.outbox import to_tell
from onepam.store.read.telling import OVER, plan
from tests.company import PROD, Company, record, role_set

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await record(company.ledger, ReceiverSet("mail", Channel.MAIL), ReceiverSet("hook", Channel.WEBHOOK))
    yield company
    company.close()


async def told(company: Company, kind: str) -> list[tuple[str, str]]:
    """Receivers and sentences, in order."""
    found, _ = await company.reader(to_tell, None, 0)
    return [(each.receiver, each.occurrence.sentence) for each in found if each.occurrence.kind == kind]


async def test_whoever_may_decide_is_told_and_nobody_else(company: Company) -> None:
    await company.ask("eve", "web-1", "root")
    await company.bind("bob", "manager")
    await company.bind("eve", "manager")
    await company.ask("eve", "web-2", "app")
    found = await told(company, "request.made")
    assert [receiver for receiver, _ in found] == ["mail:max", "mail:bob", "mail:max"]
    assert "Eve Example asks to reach web-1 as root (engineer)" in found[0][1]
    held = DirectoryPersonHeld("hld_1", "bob", "scim:x", HoldReason.MANY, "x", None, None, None)
    await record(company.ledger, held)
    await company.ask("vic", "web-1", "app")
    after = await told(company, "request.made")
    assert after[:3] == found, "who had to be told then is told still"
    assert [receiver for receiver, _ in after[3:]] == ["mail:eve", "mail:max"]


async def test_whoever_may_decide_once_it_escalates_is_told_once_and_nobody_of_what_is_over(company: Company) -> None:
    """Bob may then; max could before, and is told nothing more."""
    lead = role_set("lead", (), (ConsoleRight.APPROVE,))
    asking = Asking(escalates=HOUR, then=("lead", "manager"))
    await record(company.ledger, lead, role_set("engineer", (replace(PROD, asking=asking),)))
    for who, role in (("bob", "lead"), ("max", "lead"), ("eve", "lead")):
        await company.bind(who, role)
    for login in ("root", "app"):
        await company.ask("eve", "web-1", login)
        await expire_access(company.ledger)
        assert await told(company, "request.escalated") == []
    company.clock.advance(HOUR)
    await expire_access(company.ledger)
    await expire_access(company.ledger)
    sentence = "Nobody has decided yet on what was asked for, and you may, too: web-1 as root."
    found = await told(company, "request.escalated")
    assert found == [("mail:bob", sentence), ("mail:bob", sentence.replace("root", "app"))]
    assert await deny_request(company.ledger, company.actor("bob"), "req_0001", "no") is None
    waits = [each for each in (await company.reader(to_tell, None, 0))[0] if each.receiver == "mail:bob"]
    plans = [await company.reader(plan, None, each.receiver, [each.occurrence]) for each in waits]
    assert [bool(each.dropped) for each in plans] == [True, False]


async def test_whoever_could_have_decided_is_told_what_a_rule_gave_until_it_is_over(company: Company) -> None:
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=Asking(unasked=Unasked(HOUR, 2))),)))
    of = company.ledger, company.actor("eve"), "req_r", "web-1", "app", HOUR, "on call"
    made = await make_request(*of, grant="grt_r")
    assert isinstance(made, Asked)
    ((receiver, sentence),) = await told(company, "request.preapproved")
    assert receiver == "mail:max"
    assert sentence.startswith("A rule of the role engineer let Eve Example in without asking anybody: web-1 as app.")
    waits = [each for each in (await company.reader(to_tell, None, 0))[0] if each.receiver == "mail:max"]
    for over in (False, True):
        plans = {
            each.occurrence.kind: bool((await company.reader(plan, None, each.receiver, [each.occurrence])).dropped)
            for each in waits
        }
        assert plans == {"request.made": True, "request.preapproved": over}
        assert over or await end_grant(company.ledger, company.actor("eve"), "grt_r") is None


async def test_each_request_is_told_once_and_a_storm_is_one_notice_an_hour(company: Company) -> None:
    for login, system in (("root", "web-1"), ("app", "web-1"), ("root", "web-2")):
        await company.ask("eve", system, login)
        company.clock.advance(MINUTE)
    waiting = [each.occurrence for each in (await company.reader(to_tell, None, 0))[0] if each.receiver == "mail:max"]
    settled: dict[str, Told] = {}
    sent: list[Notice] = []
    for _ in range(3):
        company.clock.advance(HOUR)
        while (notice := next_notice("mail:max", waiting, settled, company.clock.now)) is not None:
            sent.append(notice)
            settled[notice.newest.alike] = Told(notice.first_at, notice.newest.index)
    assert [each.count for each in sent] == [1, 2]


async def test_the_deciders_told_are_bounded(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ("ada", "aud", "bob"):
        await company.bind(each, "manager")
    await company.ask("eve", "web-1", "root")
    assert len(await told(company, "request.made")) == 4
    monkeypatch.setattr(outbox, "MOST_DECIDERS_TOLD", 2)
    assert [receiver for receiver, _ in await told(company, "request.made")] == ["mail:ada", "mail:aud"]


async def test_of_a_statement_whoever_may_decide_on_it_is_told(company: Company) -> None:
    classes, until = (StatementClass.WRITE,), Instant(company.clock() + MINUTE)
    asked = StatementAsked("stm_1", "ses_1", "eve", "web-1", "app", 3, classes, False, ("manager",), until)
    await company.bind("eve", "manager")
    await record(company.ledger, asked)
    assert [receiver for receiver, _ in await told(company, "statement.asked")] == ["mail:max"]


async def test_a_refused_provider_is_told_to_administrators_and_systems(company: Company) -> None:
    await record(company.ledger, ProviderRefused("idp_1", "oidc.exchange", 3, company.clock()))
    assert [receiver for receiver, _ in await told(company, "provider.refused")] == ["mail:ada", "mail:bob", "hook"]


def test_each_kind_that_may_be_over_is_asked_whether_it_is() -> None:
    """What asks something of whoever is told, or reminds, is over once that is done."""
    event = SimpleNamespace(
        request="a", grant="a", statement="a", review="a", stage="b", hold="a", policy="a", incident="a", control="a"
    )
    about = set()
    for each in TABLE:
        with suppress(AttributeError):
            about |= {each.kind} if each.about(event) else set()
    assert about == set(OVER)
    asks = {each.kind for each in TABLE if Audience.DECIDERS in each.audience or each.kind.endswith("reminded")}
    assert asks <= set(OVER)


async def test_a_request_is_over_once_it_is_decided_or_its_time_is(company: Company) -> None:
    first = await company.ask("eve", "web-1", "root")
    second = await company.ask("vic", "web-1", "app")
    assert await overs(company, "request.made") == [False, False]
    await company.approve("max", first)
    assert await overs(company, "request.made") == [True, False]
    company.clock.now = Instant(second.expires)
    assert await overs(company, "request.made") == [True, True]


async def test_a_statement_a_review_and_a_hold_are_over_once_nothing_waits(company: Company) -> None:
    until = Instant(company.clock() + HOUR)
    asked = StatementAsked("stm_1", "ses_1", "eve", "web-1", "app", 3, (), False, ("manager",), until)
    held = DirectoryPersonHeld("hld_1", "vic", "scim:x", HoldReason.MANY, "x", None, None, None)
    await record(company.ledger, asked, held, DirectoryHoldReminded("hld_1", 1, until))
    told = ReviewReminded("rev_1", "max", Stage.HALF, 3, 0, until)
    await record(company.ledger, told)
    kinds = ("statement.asked", "directory.hold_reminded", "review.reminded")
    assert [await overs(company, each) for each in kinds] == [[False], [False, False, False], [True, False]]
    await record(company.ledger, StatementEnded("stm_1", "left", None))
    await record(company.ledger, DirectoryPersonDecided("hld_1", "vic", HoldOutcome.KEPT, "ada", "here"))
    assert [await overs(company, each) for each in kinds] == [[True], [True, True, False], [True, False]]


async def overs(company: Company, kind: str) -> list[bool]:
    """Whether each notice of the kind would be over for its receiver."""
    found, _ = await company.reader(to_tell, None, 0)
    about = [each for each in found if each.occurrence.kind == kind]
    plans = [await company.reader(plan, None, each.receiver, [each.occurrence]) for each in about]
    return [bool(each.dropped) for each in plans]


async def test_of_a_chat_each_subject_is_a_receiver(company: Company) -> None:
    await record(company.ledger, *(ReceiverSet(f"ops:{each}", Channel.SLACK) for each in ("alarms", "requests")))
    await company.ask("eve", "web-1", "root")
    await record(company.ledger, ProviderRefused("idp_1", "oidc.exchange", 3, company.clock()))
    assert [receiver for receiver, _ in await told(company, "request.made")] == ["mail:max", "ops:requests"]
    assert [receiver for receiver, _ in await told(company, "provider.refused")] == [
        "mail:ada", "mail:bob", "hook", "ops:alarms",
    ]  # fmt: skip
