"""Requests through their use cases, beside `test_requests.py`: when, with whose yes, and who decides for whom."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.people.change_person import change_person
from onepam.app.people.disable_person import disable_person
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.delegate import delegate, end_delegation
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.make_request import When, make_request
from onepam.domain.access.asked import MANAGER, OWNER, Asking
from onepam.domain.access.model import ConsoleRight
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.leaving.leaving import Ended
from onepam.domain.people.adding import Attributes
from onepam.domain.requests.approval import Agreed, Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.delegating import Delegation
from onepam.domain.requests.events import UNDO
from onepam.domain.signing_in.events import EnrolmentUsed
from onepam.kernel.clock import DAY, HOUR, Instant, parse
from onepam.store.engine.rebuild import compare
from onepam.store.read.controls.access import bound
from onepam.store.read.delegations import delegations
from onepam.store.read.requests import inbox
from onepam.store.read.requests import request as read_request
from tests.company import DEV, PROD, Company, record, refused, role_set

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


async def approved(company: Company) -> tuple[Asked, Granted]:
    """An approval by max that has not taken effect."""
    made = await company.ask("eve", "web-1", "app")
    granted = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, company.new("grt"))
    assert isinstance(granted, Granted)
    return made, granted


async def test_access_within_weekly_hours_opens_and_ends_with_them_and_comes_back(company: Company) -> None:
    """It is a Monday, at eight in the morning in UTC."""
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=Asking(weekly=14 * DAY)), DEV)))
    asked = await make_request(
        company.ledger, company.actor("eve"), "req_w", "web-1", "app", 14 * DAY, "on call", "",
        when=When(hours="Mon,Tue 10:00-12:00 Europe/Berlin"),
    )  # fmt: skip
    assert isinstance(asked, Asked), asked
    given = await approve_request(company.ledger, company.actor("max"), "req_w", asked.digest, "grt_w")
    assert isinstance(given, Granted)
    company.clock.now = parse("2026-03-02T08:59:00Z")
    refused(await company.open("eve", "web-1", "app"), "access.outside_hours")
    company.clock.now = parse("2026-03-02T09:30:00Z")
    opened = await company.open("eve", "web-1", "app")
    assert isinstance(opened, Opened)
    assert opened.ends == parse("2026-03-02T11:00:00Z")
    company.clock.now = parse("2026-03-02T11:00:00Z")
    refused(await company.open("eve", "web-1", "app"), "access.outside_hours")


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        ("at night", "hours.unreadable"),
        ("Mon 09:00-17:00 Europe/Bärlin", "hours.unreadable"),
        ("Mon 09:00-17:00 ../etc", "hours.unreadable"),
        ("Mon 09:00-17:00 Europe/Nowhere", "hours.zone"),
        ("Mon 09:00-17:00 /etc/passwd", "hours.zone"),
        ("Mon 09:00-17:00 UTC", "request.no_hours"),
    ],
)
async def test_hours_are_read_and_their_zone_is_known(company: Company, hours: str, code: str) -> None:
    made = await make_request(
        company.ledger, company.actor("eve"), "req_z", "web-1", "app", HOUR, "why", when=When(hours=hours)
    )
    refused(made, code)


async def test_it_takes_two_and_the_yes_of_whoever_left_counts_no_more(company: Company) -> None:
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=Asking(approvals=2)), DEV)))
    for person in ("ada", "bob"):
        await company.bind(person, "manager")
    made = await company.ask("eve", "web-1", "app")
    assert made.approvals == 2
    first = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_1", "fine")
    assert first == Agreed(made.request, 1, 2)
    found = await company.reader(read_request, None, made.request)
    assert found is not None
    assert [who for who, _ in found.agreed] == ["max"]
    assert "max" not in dict(found.approvers)
    assert await company.reader(inbox, None, "max", ("manager",)) == ()
    refused(
        await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_2"),
        "request.agreed",
    )
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "max", "left"), Ended)
    second = await approve_request(company.ledger, company.actor("ada"), made.request, made.digest, "grt_3")
    assert second == Agreed(made.request, 1, 2)
    last = await approve_request(company.ledger, company.actor("bob"), made.request, made.digest, "grt_4")
    assert isinstance(last, Granted)


async def test_what_is_extended_goes_on_and_falls_with_what_it_goes_on_from(company: Company) -> None:
    _, granted = await approved(company)
    company.clock.advance(UNDO)
    more = await make_request(
        company.ledger, company.actor("eve"), "req_x", "web-1", "app", HOUR, "not done", "", when=When(extend=True)
    )
    assert isinstance(more, Asked)
    given = await approve_request(company.ledger, company.actor("max"), "req_x", more.digest, "grt_x")
    assert isinstance(given, Granted)
    assert (given.starts, given.ends) == (granted.ends, granted.ends + HOUR)
    assert await end_grant(company.ledger, company.actor("eve"), granted.grant) is None
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")
    found = await company.reader(read_request, None, "req_x")
    assert found is not None
    assert found.row.grant_state == "ended"


async def test_managers_and_owners_decide_where_they_are_named(company: Company) -> None:
    """Ada owns the resource; bob is nobody here, and has the same role."""
    await record(company.ledger, role_set("engineer", (replace(PROD, approvers=(OWNER, MANAGER)), DEV)))
    for person in ("ada", "bob"):
        await company.bind(person, "manager")
    made = await company.ask("eve", "web-1", "app")
    found = await company.reader(read_request, None, made.request)
    assert found is not None
    assert [who for who, _ in found.approvers] == ["ada"]
    assert await company.reader(inbox, None, "bob", ("manager",)) == ()
    (waiting,) = await company.reader(inbox, None, "ada", ("manager",))
    assert (waiting.row.request, waiting.under) == (made.request, "manager")
    refused(
        await approve_request(company.ledger, company.actor("bob"), made.request, made.digest, "grt_1"),
        "request.no_authority",
    )
    given = await approve_request(company.ledger, company.actor("ada"), made.request, made.digest, "grt_2")
    assert isinstance(given, Granted)
    refused(await end_grant(company.ledger, company.actor("max"), given.grant, "no") or "", "grant.unknown")
    assert await end_grant(company.ledger, company.actor("ada"), given.grant, "enough") is None


async def test_whoever_named_the_manager_does_not_decide_as_one(company: Company) -> None:
    """Ada administers and approves: neither by herself, nor for max, whom she named; max decides."""
    await record(company.ledger, role_set("engineer", (replace(PROD, approvers=(MANAGER,)), DEV)))
    await company.bind("ada", "manager")
    until = Instant(company.clock.now + DAY)
    away = await delegate(company.ledger, company.actor("max"), "dlg_1", "ada", company.clock.now, until)
    assert isinstance(away, Delegation)
    known = Attributes("Eve", "eve@example.com", "ada")
    for manager, grant, lasts in (("ada", "grt_1", HOUR), ("max", "grt_2", 2 * HOUR)):
        changed = await change_person(company.ledger, company.actor("ada"), "eve", replace(known, manager=manager))
        assert changed is None
        made = await company.ask("eve", "web-1", "app", lasts)
        yes = company.ledger, company.actor("ada"), made.request, made.digest, grant
        refused(await approve_request(*yes), "request.no_authority")
        found = await company.reader(read_request, None, made.request)
        assert found is not None
        assert [who for who, _ in found.approvers] == (["max"] if manager == "max" else [])
        assert await company.reader(inbox, None, "ada", ("manager",)) == ()
    given = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_3")
    assert isinstance(given, Granted)


async def test_a_manager_whom_they_named_themselves_decides_later_and_whom_the_roster_named_at_once(
    company: Company,
) -> None:
    await record(company.ledger, role_set("engineer", (replace(PROD, approvers=(MANAGER,)), DEV)))
    await company.bind("ada", "manager")
    known = Attributes("Eve", "eve@example.com", "ada")
    assert await change_person(company.ledger, company.actor("ada"), "eve", known) is None
    company.clock.advance(30 * DAY)
    await company.sign_in("ada")
    await company.sign_in("eve")
    made = await company.ask("eve", "web-1", "app")
    given = await approve_request(company.ledger, company.actor("ada"), made.request, made.digest, "grt_1")
    assert isinstance(given, Granted)


async def test_two_do_not_approve_each_others_in_turn_while_somebody_else_could(company: Company) -> None:
    await company.bind("eve", "manager")
    await company.bind("max", "engineer")
    first = await company.ask("max", "web-1", "app")
    yes = await approve_request(company.ledger, company.actor("eve"), first.request, first.digest, "grt_1")
    assert isinstance(yes, Granted)
    made = await company.ask("eve", "web-1", "app")
    await company.bind("bob", "manager")
    back = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_2")
    refused(back, "request.ring")
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "bob", "left"), Ended)
    assert isinstance(
        await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_3"), Granted
    )
    (test,) = (each for name, each in TESTS.items() if name == "PRV-02")
    population = await company.reader(bound, None, test)
    assert {each.key: each.reason for each in population.rows if each.kind == "grant" and each.reason} == {
        "grt_3": "its holder had approved the approver's within 90 days"
    }


async def test_where_all_would_give_a_yes_back_each_may(company: Company) -> None:
    """Else nobody could decide for whoever decided for all others lately."""
    await company.bind("eve", "manager")
    for who in ("bob", "max"):
        await company.bind(who, "engineer")
    await company.bind("bob", "manager")
    for number, who in enumerate(("max", "bob")):
        asked = await company.ask(who, "web-1", "app")
        of = company.ledger, company.actor("eve"), asked.request, asked.digest, f"grt_{number}"
        assert isinstance(await approve_request(*of), Granted)
    made = await company.ask("eve", "web-1", "app")
    back = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, "grt_9")
    assert isinstance(back, Granted)


async def test_each_yes_of_several_counts_where_two_approve_each_other_in_turn(company: Company) -> None:
    """Eve was not the last who agreed to what max asked."""
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=Asking(approvals=2)), DEV)))
    for person in ("ada", "eve"):
        await company.bind(person, "manager")
    await company.bind("max", "engineer")
    for asks, first, last in (("max", "eve", "ada"), ("eve", "ada", "max")):
        made = await company.ask(asks, "web-1", "app")
        yes = (made.request, made.digest, f"grt_{asks}")
        assert isinstance(await approve_request(company.ledger, company.actor(first), *yes), Agreed)
        assert isinstance(await approve_request(company.ledger, company.actor(last), *yes), Granted)
    population = await company.reader(bound, None, TESTS["PRV-02"])
    assert {each.key: each.reason for each in population.rows if each.kind == "grant"} == {
        "grt_max": "", "grt_eve": "its holder had approved the approver's within 90 days",
    }  # fmt: skip


@pytest.mark.parametrize("first", ["ada", "aud"])
async def test_whoever_made_ones_link_and_ones_delegate_are_one_yes(company: Company, first: str) -> None:
    """Ada made the link by which bob enrolled: with his account, too, she names aud to decide for him."""
    await record(
        company.ledger,
        role_set("engineer", (replace(PROD, asking=Asking(approvals=2)), DEV)),
        role_set("lead", (), (ConsoleRight.APPROVE,)),
    )
    for person, role in (("ada", "manager"), ("bob", "manager"), ("aud", "lead")):
        await company.bind(person, role)
    await record(company.ledger, EnrolmentUsed("enr_bob", "bob", ("ada",)))
    until = Instant(company.clock.now + DAY)
    named = await delegate(company.ledger, company.actor("bob"), "dlg_1", "aud", Instant(0), until)
    assert isinstance(named, Delegation)
    made = await company.ask("eve", "web-1", "app")
    yes = (made.request, made.digest, "grt_1")
    assert isinstance(await approve_request(company.ledger, company.actor(first), *yes), Agreed)
    last, code = ("aud", "request.no_authority") if first == "ada" else ("ada", "request.one_hand")
    refused(await approve_request(company.ledger, company.actor(last), *yes), code)
    assert await company.reader(inbox, None, "aud", ("lead",)) == ()
    assert isinstance(await approve_request(company.ledger, company.actor("max"), *yes), Granted)


async def test_somebody_decides_for_another_who_is_away(company: Company) -> None:
    """Max is away; bob approves by a role that nobody asks."""
    await record(company.ledger, role_set("lead", (), (ConsoleRight.APPROVE,)))
    await company.bind("bob", "lead")
    until = Instant(company.clock.now + DAY)
    made = await company.ask("eve", "web-1", "app")
    yes = (company.ledger, company.actor("bob"), made.request, made.digest)
    refused(await approve_request(*yes, "grt_1"), "request.no_authority")
    named = await delegate(company.ledger, company.actor("max"), "dlg_1", "bob", Instant(0), until, "on leave")
    assert isinstance(named, Delegation)
    (waiting,) = await company.reader(inbox, None, "bob", ("lead",))
    assert (waiting.row.request, waiting.under) == (made.request, "manager")
    found = await company.reader(read_request, None, made.request)
    assert found is not None
    assert {who for who, _ in found.approvers} == {"max", "bob"}
    (listed,) = await company.reader(delegations, None, "bob")
    assert (listed.person, listed.to, listed.reason) == ("max", "bob", "on leave")
    assert isinstance(await approve_request(*yes, "grt_2"), Granted)
    assert await end_delegation(company.ledger, company.actor("bob"), "dlg_1") is None
    other = await company.ask("eve", "web-2", "app")
    refused(
        await approve_request(company.ledger, company.actor("bob"), other.request, other.digest, "grt_3"),
        "request.no_authority",
    )
    assert await company.reader(delegations, None) == ()


async def test_a_delegate_of_whoever_asks_and_one_of_whoever_left_decide_nothing(company: Company) -> None:
    await record(company.ledger, role_set("lead", (), (ConsoleRight.APPROVE,)))
    for person in ("eve", "bob"):
        await company.bind(person, "manager")
    await company.bind("ada", "lead")
    until = Instant(company.clock.now + DAY)
    for delegation, person, to in (("dlg_1", "eve", "max"), ("dlg_2", "bob", "ada")):
        named = await delegate(company.ledger, company.actor(person), delegation, to, Instant(0), until)
        assert isinstance(named, Delegation)
    made = await company.ask("eve", "web-1", "app")
    yes = (company.ledger, company.actor("max"), made.request, made.digest)
    refused(await approve_request(*yes, "grt_1"), "request.own_delegate")
    assert await company.reader(inbox, None, "max", ("manager",)) == ()
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "bob", "left"), Ended)
    left = await approve_request(company.ledger, company.actor("ada"), made.request, made.digest, "grt_2")
    refused(left, "request.no_authority")
