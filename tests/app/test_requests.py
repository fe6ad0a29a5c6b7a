"""From asking to the end of a grant, through the use cases on a real ledger."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.people.disable_person import disable_person
from onepam.app.requests.approve_request import approve_request, undo_approval
from onepam.app.requests.deny_request import deny_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.make_request import make_request
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.domain.access.proposal import REQUEST
from onepam.domain.leaving.leaving import Ended
from onepam.domain.requests.approval import Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.events import UNDO
from onepam.domain.requests.expiry import Swept
from onepam.kernel.clock import HOUR, MINUTE, SECOND, Instant
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, entries_of
from onepam.store.engine.rebuild import compare
from onepam.store.read.requests import request as read_request
from tests.company import DEV, PROD, Company, record, refused, role_set

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


def kinds(company: Company, begin: int = 0) -> list[str]:
    db = connect(company.path, read_only=True)
    found = [each.header.kind for each in entries(db, begin, 1 << 40)]
    db.close()
    return found


async def test_from_the_request_to_the_session_and_its_end(company: Company) -> None:
    refused(await company.open("eve", "web-1", "root"), "access.needs_approval")
    made = await company.ask("eve", "web-1", "root", 30 * MINUTE)
    assert made.approvers == ("manager",)
    before = company.ledger.size()
    granted = await company.approve("max", made)
    assert kinds(company, before) == ["request.approved", "grant.started"]
    opened = await company.open("eve", "web-1", "root")
    assert isinstance(opened, Opened)
    assert opened.ends == granted.ends == granted.starts + 30 * MINUTE
    assert (opened.because.request, opened.because.approval_by, opened.because.grant) == (
        made.request,
        "max",
        granted.grant,
    )
    refused(await company.open("eve", "web-2", "root"), "access.needs_approval")
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")
    company.clock.advance(30 * MINUTE)
    refused(await company.open("eve", "web-1", "root"), "access.needs_approval")


async def test_what_lies_outside_the_catalogue_is_unknown(company: Company) -> None:
    for resource in ("dev-1", "nowhere"):
        outcome = await make_request(
            company.ledger, company.actor("max"), "req_1", resource, "app", HOUR, "because I want to"
        )
        refused(outcome, "resource.unknown")


async def test_nobody_approves_their_own_request_and_the_attempt_is_kept(company: Company) -> None:
    await company.bind("eve", "manager")
    made = await company.ask("eve", "web-1", "app")
    outcome = await approve_request(company.ledger, company.actor("eve"), made.request, made.digest, "grt_1")
    refused(outcome, "request.self_approval")
    assert kinds(company)[-1] == "request.approval_refused"


async def test_a_changed_role_voids_the_request(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    await record(company.ledger, role_set("engineer", (PROD,)))
    outcome = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_1")
    assert "void" in refused(outcome, "role.changed").message
    outcome = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_1")
    refused(outcome, "request.closed")
    await record(company.ledger, role_set("engineer", (PROD, DEV)))
    outcome = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_1")
    refused(outcome, "request.closed")


async def test_of_many_approvals_at_once_one_starts_a_grant(company: Company) -> None:
    for person in ("ada", "bob"):
        await company.bind(person, "manager")
    for _ in range(10):
        made = await company.ask("eve", "web-1", "app")
        outcomes = await asyncio.gather(
            *(
                approve_request(company.ledger, company.actor(person), made.request, made.digest, company.new("grt"))
                for person in ("max", "ada", "bob") * 3
            )
        )
        assert sum(isinstance(outcome, Granted) for outcome in outcomes) == 1
        assert {getattr(outcome, "code", "") for outcome in outcomes} == {"", "request.closed"}
        given = next(outcome.grant for outcome in outcomes if isinstance(outcome, Granted))
        assert await end_grant(company.ledger, company.actor("eve"), given) is None


async def approved(company: Company) -> tuple[Asked, Granted]:
    """An approval by max that has not taken effect."""
    made = await company.ask("eve", "web-1", "app")
    granted = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, company.new("grt"))
    assert isinstance(granted, Granted)
    return made, granted


async def test_an_approval_opens_nothing_before_it_takes_effect(company: Company) -> None:
    _, granted = await approved(company)
    assert granted.starts - company.clock.now > UNDO - SECOND
    refused(await company.open("eve", "web-1", "app"), "access.not_yet")
    company.clock.advance(UNDO - SECOND)
    refused(await company.open("eve", "web-1", "app"), "access.not_yet")
    company.clock.advance(SECOND)
    assert isinstance(await company.open("eve", "web-1", "app"), Opened)


async def test_an_undone_approval_opens_nothing_and_the_request_waits_again(company: Company) -> None:
    made, _ = await approved(company)
    undo = undo_approval(company.ledger, company.actor("bob"), made.request)
    refused(await undo, "request.no_authority")
    before = company.ledger.size()
    assert await undo_approval(company.ledger, company.actor("max"), made.request) is None
    assert kinds(company, before) == ["request.approval_undone", "grant.ended"]
    refused(await undo_approval(company.ledger, company.actor("max"), made.request), "request.nothing_to_undo")
    company.clock.advance(2 * UNDO)
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")
    granted = await company.approve("max", made)
    detail = company.reader.now(read_request, None, made.request)
    assert detail is not None
    assert (detail.row.grant, detail.row.grant_state) == (granted.grant, "running")
    assert isinstance(await company.open("eve", "web-1", "app"), Opened)


async def test_what_has_taken_effect_is_not_undone(company: Company) -> None:
    made, _ = await approved(company)
    company.clock.advance(UNDO)
    refused(await undo_approval(company.ledger, company.actor("max"), made.request), "request.nothing_to_undo")
    assert isinstance(await company.open("eve", "web-1", "app"), Opened)


async def test_who_leaves_before_their_approval_takes_effect_gives_nothing(company: Company) -> None:
    await approved(company)
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "max", "left"), Ended)
    company.clock.advance(UNDO)
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")


async def test_who_leaves_afterwards_has_decided(company: Company) -> None:
    await approved(company)
    company.clock.advance(UNDO)
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "max", "left"), Ended)
    assert isinstance(await company.open("eve", "web-1", "app"), Opened)


@pytest.mark.parametrize("leaver_first", [True, False])
async def test_a_leaver_gets_no_grant(company: Company, leaver_first: bool) -> None:
    made = await company.ask("eve", "web-1", "app")
    leave = disable_person(company.ledger, company.actor("ada"), "eve", "left")
    approve = approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_1")
    both = (leave, approve) if leaver_first else (approve, leave)
    outcomes = await asyncio.gather(*both)
    ended = next(outcome for outcome in outcomes if isinstance(outcome, Ended))
    if leaver_first:
        assert (ended.requests, ended.grants) == (1, 0)
    else:
        assert (ended.requests, ended.grants) == (0, 1)
    refused(await company.open("eve", "web-1", "app"), "person.disabled")


async def test_denying_and_withdrawing_close_a_request(company: Company) -> None:
    first = await company.ask("eve", "web-1", "app")
    second = await company.ask("eve", "web-2", "app")
    refused(await deny_request(company.ledger, company.actor("aud"), first.request), "request.no_authority")
    assert await deny_request(company.ledger, company.actor("max"), first.request, "not today") is None
    refused(await withdraw_request(company.ledger, company.actor("max"), second.request), "request.not_yours")
    assert await withdraw_request(company.ledger, company.actor("eve"), second.request) is None
    for made in (first, second):
        outcome = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_1")
        refused(outcome, "request.closed")
    refused(await withdraw_request(company.ledger, company.actor("eve"), "req_none"), "request.unknown")
    refused(await deny_request(company.ledger, company.actor("max"), "req_none"), "request.unknown")


@pytest.mark.parametrize(("person", "because"), [("eve", "holder"), ("max", "approver"), ("ada", "administrator")])
async def test_a_grant_can_be_ended_before_its_time(company: Company, person: str, because: str) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    refused(await end_grant(company.ledger, company.actor("vic"), granted.grant, "mine"), "grant.unknown")
    assert await end_grant(company.ledger, company.actor(person), granted.grant, "done") is None
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")
    refused(await end_grant(company.ledger, company.actor(person), granted.grant, "done"), "grant.unknown")
    db = connect(company.path, read_only=True)
    (ended,) = entries_of(db, ("grant.ended",))
    assert (ended.event.because, ended.event.reason) == (because, "done")
    db.close()


async def test_expiry_gives_each_grant_one_receipt_and_voids_what_nobody_answered(company: Company) -> None:
    granted = [await company.approve("max", await company.ask("eve", name, "app")) for name in ("web-1", "web-2")]
    waiting = await company.ask("eve", "web-1", "root")
    gone = await company.ask("vic", "web-1", "app")
    assert await expire_access(company.ledger) == Swept(0, 0, "")
    await company.unbind("vic", "vendor")
    assert await expire_access(company.ledger) == Swept(0, 1, "")
    company.clock.advance(HOUR)
    assert await expire_access(company.ledger) == Swept(2, 0, "")
    company.clock.advance(REQUEST.lapse)
    assert await expire_access(company.ledger) == Swept(0, 1, "")
    assert await expire_access(company.ledger) == Swept(0, 0, "")
    db = connect(company.path, read_only=True)
    receipts = {each.event.grant: each.event.ends for each in entries_of(db, ("grant.expired",))}
    assert receipts == {each.grant: each.ends for each in granted}
    void = {each.event.request: each.event.because for each in entries_of(db, ("request.withdrawn",))}
    assert void == {waiting.request: "expired", gone.request: "binding.ended"}
    db.close()


async def test_expiry_goes_through_many_waiting_requests_in_bounded_steps(company: Company) -> None:
    made = [await company.ask("eve", "web-1", "app", 5 * MINUTE + n * SECOND) for n in range(20)]
    for person in ("dan", "fay", "gus"):
        await company.join(person, "engineer")
        made += [await company.ask(person, "web-1", "app", 5 * MINUTE + n * SECOND) for n in range(20)]
    assert await expire_access(company.ledger) == Swept(0, 0, "")
    company.clock.advance(REQUEST.lapse)
    assert await expire_access(company.ledger) == Swept(0, len(made), "")


async def test_a_grant_never_outlives_its_binding_or_its_person(company: Company) -> None:
    soon = Instant(company.clock() + 20 * MINUTE)
    await company.bind("max", "engineer", soon)
    await company.bind("ada", "manager")
    made = await company.ask("max", "web-1", "app")
    assert made.expires == soon
    granted = await company.approve("ada", made)
    assert granted.ends == soon
