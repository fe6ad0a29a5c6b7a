"""Who is told of a request, and of a provider that is refused: as the tables stood when it happened, and bounded."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.access.guardrails import StatementClass
from onepam.domain.leaving.brake import DirectoryPersonHeld, HoldReason
from onepam.domain.providers.refusals import ProviderRefused
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.domain.telling.outbox import Channel, Notice, ReceiverSet, Told, next_notice
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.store.read import outbox
from onepam.store.read.outbox import to_tell
from tests.company import Company, record

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
