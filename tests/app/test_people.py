"""People through the use cases: coming, changing, leaving, coming back, and ending a session."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.people.add_person import add_person
from onepam.app.people.change_person import change_person
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.make_request import make_request
from onepam.app.sessions.kill_session import kill_session
from onepam.domain.leaving.leaving import Ended
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import EnrolmentOpened
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, entries_of
from onepam.store.engine.rebuild import compare
from tests.company import Company, record, refused

pytestmark = pytest.mark.anyio

KNOWN = Attributes("Dan New", "Dan@Example.COM")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


async def test_addresses_are_unique_among_the_enabled_whatever_their_capitals(company: Company) -> None:
    ada = company.actor("ada")
    assert await add_person(company.ledger, ada, "dan", PersonKind.EMPLOYEE, KNOWN, "hired") is None
    again = await add_person(company.ledger, ada, "dana", PersonKind.EMPLOYEE, KNOWN, "hired")
    assert refused(again, "person.email_taken").hint == "/people/dan"
    refused(await add_person(company.ledger, ada, "dan", PersonKind.EMPLOYEE, KNOWN, "hired"), "person.exists")
    assert isinstance(await disable_person(company.ledger, ada, "dan", "left"), Ended)
    assert await add_person(company.ledger, ada, "dana", PersonKind.EMPLOYEE, KNOWN, "hired") is None
    refused(await enable_person(company.ledger, ada, "dan", "back"), "person.email_taken")
    bad = await add_person(company.ledger, ada, "x", PersonKind.EMPLOYEE, replace(KNOWN, email="x"), "hired")
    refused(bad, "person.email")


async def test_only_administrators_add_and_the_system_only_before_the_first_sign_in(company: Company) -> None:
    for actor, code in ((company.actor("max"), "right.missing"), (None, "bootstrap.over")):
        outcome = await add_person(company.ledger, actor, "dan", PersonKind.EMPLOYEE, KNOWN, "hired")
        refused(outcome, code)


async def test_a_service_has_an_owner_and_an_end_and_nobody_decides_for_a_service_of_their_own(
    company: Company,
) -> None:
    ada = company.actor("ada")
    service = Attributes("Backup", None, owner="max", ends=Instant(company.clock() + 30 * DAY))
    assert await add_person(company.ledger, ada, "backup", PersonKind.SERVICE, service, "nightly") is None
    refused(
        await add_person(company.ledger, ada, "b2", PersonKind.SERVICE, replace(service, owner="vic"), "nightly"),
        "person.no_owner",
    )
    await company.bind("backup", "engineer")
    await company.bind("bob", "manager")
    await company.sign_in("backup")
    made = await company.ask("backup", "web-1", "app")
    own = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_1")
    refused(own, "request.own_service")
    await company.approve("bob", made)


async def test_attributes_are_changed_as_a_whole(company: Company) -> None:
    ada = company.actor("ada")
    soon = Instant(company.clock() + HOUR)
    known = Attributes("Eve Moved", "eve@example.com", manager="max", ends=soon)
    assert await change_person(company.ledger, ada, "eve", known) is None
    assert isinstance(await company.open("eve", "dev-1", "app"), Opened)
    company.clock.advance(HOUR)
    refused(await company.open("eve", "dev-1", "app"), "person.disabled")
    refused(await change_person(company.ledger, ada, "eve", replace(known, email="@")), "person.email")
    refused(
        await change_person(company.ledger, ada, "ada", replace(known, email="a@example.com", ends=None)),
        "person.self_change",
    )
    refused(await enable_person(company.ledger, ada, "eve", "back"), "person.enabled_already")


async def test_leaving_ends_everything_in_one_command(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    waiting = await company.ask("eve", "web-2", "app")
    await record(
        company.ledger, EnrolmentOpened("enr_1", "eve", Instant(company.clock() + HOUR), "a new phone", "ada", "digest")
    )
    opened = await company.open("eve", "web-1", "app")
    assert isinstance(opened, Opened)
    begin = company.ledger.size()
    ended = await disable_person(company.ledger, company.actor("ada"), "eve", "left the company")
    assert ended == Ended(1, 1, 1, 1, 1, bindings=1)
    db = connect(company.path, read_only=True)
    told = [each.event for each in entries(db, begin, 1 << 40)]
    assert [type(each).__name__ for each in told] == [
        "PersonDisabled", "SignedOut", "GrantEnded", "RequestWithdrawn", "EnrolmentEnded", "BindingEnded",
    ]  # fmt: skip
    assert (told[2].grant, told[3].request) == (granted.grant, waiting.request)
    db.close()
    refused(await company.open("eve", "dev-1", "app"), "person.disabled")
    outcome = await make_request(company.ledger, company.actor("eve"), "req_1", "web-1", "app", HOUR, "please")
    refused(outcome, "person.disabled")


async def test_coming_back_brings_nothing_but_the_account(company: Company) -> None:
    ada = company.actor("ada")
    await company.approve("max", await company.ask("eve", "web-1", "app"))
    await disable_person(company.ledger, ada, "eve", "left")
    refused(await disable_person(company.ledger, ada, "eve", "left"), "person.disabled_already")
    assert await enable_person(company.ledger, ada, "eve", "hired again") is None
    await company.sign_in("eve")
    refused(await company.open("eve", "dev-1", "app"), "resource.unknown")
    await company.bind("eve", "engineer")
    assert isinstance(await company.open("eve", "dev-1", "app"), Opened)
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")


async def test_of_two_administrators_who_disable_each_other_one_remains(company: Company) -> None:
    for _ in range(20):
        outcomes = await asyncio.gather(
            disable_person(company.ledger, company.actor("ada"), "bob", "a quarrel"),
            disable_person(company.ledger, company.actor("bob"), "ada", "a quarrel"),
        )
        assert sum(isinstance(outcome, Ended) for outcome in outcomes) == 1
        left, gone = ("ada", "bob") if isinstance(outcomes[0], Ended) else ("bob", "ada")
        refused(await disable_person(company.ledger, company.actor(left), left, "tired"), "person.self")
        assert await enable_person(company.ledger, company.actor(left), gone, "made up") is None
        await company.bind(gone, "administrator")
        await company.sign_in(gone)


async def test_none_opens_after_the_leavers_commit(company: Company) -> None:
    """Opens and a leaving race; whatever was opened stands before the leaving in the ledger."""

    async def knock() -> object:
        return await company.open("eve", "dev-1", "app")

    ada = company.actor("ada")
    outcomes = await asyncio.gather(
        *(knock() for _ in range(500)),
        disable_person(company.ledger, ada, "eve", "left"),
        *(knock() for _ in range(500)),
    )
    opened = [each for each in outcomes if isinstance(each, Opened)]
    assert len(opened) == 500
    db = connect(company.path, read_only=True)
    (left,) = entries_of(db, ("person.disabled",))
    assert all(each.header.index < left.header.index for each in entries_of(db, ("session.opened",)))
    db.close()


async def test_ending_a_session(company: Company) -> None:
    opened = await company.open("eve", "dev-1", "app")
    assert isinstance(opened, Opened)
    refused(await kill_session(company.ledger, company.actor("max"), opened.session, "odd"), "session.unknown")
    refused(await kill_session(company.ledger, company.actor("ada"), opened.session), "text.missing")
    refused(await kill_session(company.ledger, company.actor("ada"), "ses_none", "odd"), "session.unknown")
    assert await kill_session(company.ledger, company.actor("ada"), opened.session, "odd commands") is None
    assert await kill_session(company.ledger, company.actor("eve"), opened.session) is None


async def test_expiry_of_a_person_voids_what_waits(company: Company) -> None:
    await company.ask("vic", "web-1", "app")
    company.clock.advance(91 * DAY)
    assert (await expire_access(company.ledger)).requests == 1
