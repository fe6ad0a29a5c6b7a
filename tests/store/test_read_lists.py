"""Requests, people, sessions and refusals to read: now, and as they were."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.app.open_session import Opened
from onepam.app.people.disable_person import disable_person
from onepam.app.ports import Snapshot
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.deny_request import deny_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.withdraw_request import withdraw_request
from onepam.app.sessions.close_session import close_session
from onepam.app.sessions.kill_session import kill_session
from onepam.domain.access.model import SubjectKind
from onepam.domain.access.proposal import REQUEST
from onepam.domain.history.system import PayloadsErased
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved
from onepam.domain.requests.events import RequestStatus
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import RecordingWatched, SessionClosed
from onepam.domain.signing_in.events import EnrolmentUsed, FactorEnrolled, FactorKind, FactorRemoved, FactorUsed
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.store.db import rows
from onepam.store.engine.rebuild import compare
from onepam.store.read.everybody import people
from onepam.store.read.people import Bar, Held, lanes, person
from onepam.store.read.requests import count_waiting, inbox, request, requests
from onepam.store.read.sessions import SessionFilter, refusals, session, sessions
from tests.company import PROD, Company, binding, record, role_set

pytestmark = pytest.mark.anyio

MANAGER = frozenset({"manager"})
"""The roles by which somebody approves today."""


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


def closed(opened: Opened, **changes: Any) -> SessionClosed:
    values: dict[str, Any] = {
        "because": SessionEnd.CLIENT_LEFT, "head": "ab", "chunks": 3, "counts": {"output": 7}, "verified": True
    }  # fmt: skip
    return SessionClosed(opened.session, **{**values, **changes})


async def opened(company: Company, person: str, resource: str, login: str) -> Opened:
    permit = await company.open(person, resource, login)
    assert isinstance(permit, Opened), permit
    return permit


async def test_requests_by_person_and_status(company: Company) -> None:
    approved, denied, withdrawn, lapsed = [
        await company.ask("eve", name, login) for name in ("web-1", "web-2") for login in ("app", "root")
    ]
    await company.approve("max", approved)
    await deny_request(company.ledger, company.actor("max"), denied.request, "not today")
    await withdraw_request(company.ledger, company.actor("eve"), withdrawn.request)
    company.clock.advance(REQUEST.lapse)
    await company.sign_in("vic")
    waiting = await company.ask("vic", "web-1", "app")
    found = await company.reader(requests)
    assert [(each.request, each.status) for each in found] == [
        (waiting.request, RequestStatus.OPEN),
        (lapsed.request, RequestStatus.VOID),
        (withdrawn.request, RequestStatus.WITHDRAWN),
        (denied.request, RequestStatus.DENIED),
        (approved.request, RequestStatus.APPROVED),
    ]
    assert await company.reader(requests, None, "eve") == found[1:]
    for status in RequestStatus:
        assert await company.reader(requests, None, None, status) == tuple(
            each for each in found if each.status is status
        )
    assert (found[1].because, found[1].decided) == ("expired", lapsed.expires)
    assert (found[3].comment, found[3].decider_name, found[3].decided_under) == ("not today", "Max Example", "manager")
    assert (found[4].grant_state, found[4].person_name, found[4].ticket) == ("expired", "Eve Example", "OPS-7")
    await expire_access(company.ledger)
    assert await company.reader(requests, None, "eve", RequestStatus.APPROVED) == found[4:]
    assert [each.status for each in await company.reader(requests, None, "eve", RequestStatus.VOID)] == [
        RequestStatus.VOID
    ]


async def test_one_request_with_its_chain_and_history(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    await approve_request(company.ledger, company.actor("eve"), made.request, made.digest, "grt_x")
    waiting = await company.reader(request, None, made.request)
    assert waiting is not None
    assert waiting.approvers == (("max", "Max Example"),)
    at_first = company.clock.now
    granted = await company.approve("max", made)
    while_running = company.clock.advance(MINUTE)
    permit = await opened(company, "eve", "web-1", "app")
    await end_grant(company.ledger, company.actor("max"), granted.grant, "seen enough")
    found = await company.reader(request, None, made.request)
    assert found is not None
    assert [each.kind for each in found.history] == [
        "request.made", "request.approval_refused", "request.approved", "grant.started", "session.opened",
        "grant.ended",
    ]  # fmt: skip
    assert found.sessions == (permit.session,)
    assert found.row.grant_state == "ended"
    assert found.row.grant_ends == found.history[-1].time
    assert [each.index for each in found.history] == sorted(each.index for each in found.history)
    running = await company.reader(request, while_running, made.request)
    assert running is not None
    assert (running.row.grant_state, running.row.grant_ends) == ("running", granted.ends)
    assert len(running.history) == 4
    assert await company.reader(request, at_first, made.request) == waiting
    assert await company.reader(request, None, "req_none") is None
    assert await company.reader(request, Instant(made.expires - 2 * REQUEST.lapse), made.request) is None


async def test_the_inbox_holds_what_one_may_decide_and_says_what_came_before(company: Company) -> None:
    used = await company.ask("eve", "web-1", "app", 20 * MINUTE)
    await company.approve("max", used)
    await opened(company, "eve", "web-1", "app")
    other = await company.ask("eve", "web-1", "root")
    await deny_request(company.ledger, company.actor("max"), other.request)
    company.clock.advance(20 * MINUTE)
    again = await company.ask("eve", "web-1", "app", HOUR)
    first = await company.ask("vic", "web-2", "app")
    await company.bind("eve", "manager")
    found = await company.reader(inbox, None, "max", MANAGER)
    assert [(each.row.request, each.asked, each.granted, each.used, each.under, each.privileged) for each in found] == [
        (again.request, 1, 1, 1, "manager", True),
        (first.request, 0, 0, 0, "manager", True),
    ]
    assert [each.unusual for each in found] == [("longer than ever before",), ()]
    assert [each.row.request for each in await company.reader(inbox, None, "eve", MANAGER)] == [first.request]
    for nobody in ("ada", "aud", "vic"):
        assert await company.reader(inbox, None, nobody, MANAGER) == ()
    detail = await company.reader(request, None, again.request)
    assert detail is not None
    assert detail.approvers == (("max", "Max Example"),)


async def test_the_inbox_warns_of_what_would_be_void_and_of_what_was_never_used(company: Company) -> None:
    await company.approve("max", await company.ask("eve", "web-1", "app", 20 * MINUTE))
    company.clock.advance(20 * MINUTE)
    await company.ask("eve", "web-1", "app", 20 * MINUTE)
    (never,) = await company.reader(inbox, None, "max", MANAGER)
    assert never.unusual == ("granted before and never used",)
    await record(company.ledger, role_set("engineer", (PROD,)))
    (void,) = await company.reader(inbox, None, "max", MANAGER)
    assert void.unusual[0].startswith("The request is void")
    assert not void.privileged


async def test_what_waited_then_is_shown_to_who_approved_then_and_does_today(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    then = company.clock()
    company.clock.advance(MINUTE)
    await company.bind("bob", "manager")
    for who, at, today, found in (
        ("max", then, MANAGER, 1),
        ("max", then, frozenset({"engineer"}), 0),
        ("max", then, frozenset[str](), 0),
        ("bob", then, MANAGER, 0),
        ("bob", None, MANAGER, 1),
    ):
        shown = await company.reader(inbox, at, who, today)
        assert [each.row.request for each in shown] == [made.request] * found, (who, at, today)


async def test_the_inbox_is_read_in_pieces_and_counted_whole(company: Company) -> None:
    made = [(await company.ask("eve", "web-1", "app", number * MINUTE)).request for number in (5, 6, 7)]
    first = await company.reader(inbox, None, "max", MANAGER, Instant(0), 2)
    assert [each.row.request for each in first] == made[:2]
    second = await company.reader(inbox, None, "max", MANAGER, first[-1].row.made, 2)
    assert [each.row.request for each in second] == made[2:]
    assert await company.reader(count_waiting, None, "max") == 3


async def test_what_one_hand_asks_waits_for_the_other_neither_in_the_list_nor_in_its_number(company: Company) -> None:
    await company.bind("bob", "manager")
    await company.ask("eve", "web-1", "app")
    await record(company.ledger, EnrolmentUsed("enr_9", "max", ("eve",)))
    for who, found in (("max", 0), ("bob", 1)):
        assert len(await company.reader(inbox, None, who, MANAGER)) == found
        assert await company.reader(count_waiting, None, who) == found


async def test_approvers_through_a_group_are_approvers(company: Company) -> None:
    await record(
        company.ledger,
        binding("leads", "manager", kind=SubjectKind.GROUP),
        GroupMemberAdded("leads", "bob", "scim", None),
    )
    made = await company.ask("eve", "web-1", "app")
    found = await company.reader(request, None, made.request)
    assert found is not None
    assert [who for who, _ in found.approvers] == ["bob", "max"]
    assert len(await company.reader(inbox, None, "bob", MANAGER)) == 1
    await disable_person(company.ledger, company.actor("ada"), "bob", "left")
    found = await company.reader(request, None, made.request)
    assert found is not None
    assert [who for who, _ in found.approvers] == ["max"]


async def test_people_in_a_list_and_one_by_one(company: Company) -> None:
    await record(company.ledger, FactorEnrolled("fac_1", "eve", FactorKind.TOTP, "v1", None, "phone"))
    permit = await opened(company, "eve", "dev-1", "app")
    await company.approve("max", await company.ask("eve", "web-1", "app"))
    await company.ask("eve", "web-2", "app")
    found = (await company.reader(people)).rows
    assert [each.name for each in found] == sorted(each.name for each in found)
    eve, vic = (next(each for each in found if each.person == name) for name in ("eve", "vic"))
    assert (eve.roles, eve.factors, eve.live, eve.invited, eve.enabled) == (("engineer",), ("totp",), 1, False, True)
    assert (vic.owner_name, vic.invited, vic.factors) == ("Max Example", False, ())  # signed in, by whatever
    for each in found:
        one = await company.reader(person, None, each.person)
        assert one is not None
        assert one.row == each
    before = company.clock.now
    detail = await company.reader(person, before, "eve")
    assert detail is not None
    assert detail.held == Held(sign_ins=1, sessions=1, grants=1, requests=1)
    assert [(each.role, each.purpose, each.because) for each in detail.bindings] == [
        ("engineer", "the work of engineer", "joined the team")
    ]
    await close_session(company.ledger, closed(permit))
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    gone = await company.reader(person, None, "eve")
    assert gone is not None
    assert (gone.row.enabled, gone.held) == (False, Held(0, 0, 0, 0))
    assert [each.kind for each in gone.history] == ["person.added", "person.disabled"]
    assert (await company.reader(people, before)).rows == found
    assert await company.reader(person, before, "eve") == detail
    assert await company.reader(person, None, "nobody") is None


async def test_lanes_run_from_joining_to_leaving(company: Company) -> None:
    await record(company.ledger, FactorEnrolled("fac_1", "eve", FactorKind.TOTP, "v1", None, "phone"))
    await record(
        company.ledger, binding("ops", "vendor", kind=SubjectKind.GROUP), GroupMemberAdded("ops", "eve", "scim", None)
    )
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    permit = await opened(company, "eve", "web-1", "app")
    await record(company.ledger, FactorUsed("fac_1", "eve", 7))
    half_way = company.clock.advance(10 * MINUTE)
    then = await company.reader(lanes, half_way, "eve")
    await close_session(company.ledger, closed(permit))
    await record(company.ledger, GroupMemberRemoved("ops", "eve", "scim", None))
    await record(company.ledger, FactorRemoved("fac_1", "eve", "lost", "ada"))
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    company.clock.advance(HOUR)
    now = {lane.name: lane.bars for lane in await company.reader(lanes, None, "eve")}
    assert list(now) == [
        "roster", "account", "roles", "grants", "sessions", "factors", "identities", "leaving", "sign-ins",
    ]  # fmt: skip
    assert [(bar.words, bar.ends is None) for bar in now["roles"]] == [
        ("engineer", False),
        ("vendor (through ops)", False),
    ]
    for name in ("account", "grants", "sessions", "factors", "sign-ins"):
        (bar,) = now[name]
        assert bar.ends is not None, name
        assert half_way < bar.ends < company.clock.now
    assert (now["grants"][0].words, now["grants"][0].reference) == ("app on web-1", granted.grant)
    assert await company.reader(lanes, half_way, "eve") == then
    assert all(bar.ends is None for lane in then for bar in lane.bars)
    assert isinstance(then[1].bars[0], Bar)


async def test_a_grant_and_a_sign_in_stop_in_their_lane_when_their_time_is_over(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    company.clock.advance(DAY)
    found = {lane.name: lane.bars for lane in await company.reader(lanes, None, "eve")}
    assert [bar.ends for bar in found["grants"]] == [granted.ends]
    (sign_in,) = found["sign-ins"]
    assert sign_in.ends is not None
    assert sign_in.ends < company.clock.now


async def test_sessions_by_every_filter(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    await company.approve("max", made)
    first = await opened(company, "eve", "dev-1", "app")
    second = await opened(company, "eve", "web-1", "app")
    await company.bind("bob", "engineer")
    third = await opened(company, "bob", "dev-1", "app")
    await close_session(company.ledger, closed(first, gap="the last second"))
    rows = await company.reader(sessions)
    assert [each.session for each in rows] == [third.session, second.session, first.session]

    async def by(**which: Any) -> list[str]:
        return [each.session for each in await company.reader(sessions, None, SessionFilter(**which))]

    assert await by(person="bob") == [third.session]
    assert await by(resource="web-1") == [second.session]
    assert await by(status="open") == [third.session, second.session]
    assert await by(since=second.opened) == [third.session, second.session]
    assert await by(before=rows[0].opened, most=1) == [second.session]
    assert await by(request=made.request) == [second.session]
    assert await by(gap=True) == [first.session]
    assert (rows[2].counts, rows[2].chunks, rows[2].verified, rows[2].head) == ({"output": 7}, 3, True, "ab")
    assert (rows[1].counts, rows[1].chunks, rows[1].verified, rows[1].status) == ({}, None, None, "open")
    assert rows[1].because == second.because


async def test_one_session_with_why_and_everything_that_happened_to_it(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    await company.approve("max", made)
    permit = await opened(company, "eve", "web-1", "app")
    while_open = company.clock.advance(MINUTE)
    await kill_session(company.ledger, company.actor("ada"), permit.session, "odd commands")
    await close_session(company.ledger, closed(permit, because=SessionEnd.KILLED))
    await record(
        company.ledger, RecordingWatched(permit.session, "aud", "play"), RecordingWatched("ses_x", "aud", "play")
    )
    await record(company.ledger, role_set("engineer", (PROD,)))
    found = await company.reader(session, None, permit.session)
    assert found is not None
    assert [each.kind for each in found.history] == [
        "session.opened", "session.kill_ordered", "session.closed", "recording.watched",
    ]  # fmt: skip
    assert (found.row.killed_by_name, found.row.closed_because, found.row.status) == ("Ada Example", "killed", "closed")
    assert [each.kind for each in found.why] == [
        "role", "permission", "binding", "request", "ticket", "approval", "grant",
    ]  # fmt: skip
    assert found.why[0].words == "the work of engineer"
    then = await company.reader(session, while_open, permit.session)
    assert then is not None
    assert (then.row.status, then.row.killed_by, len(then.history)) == ("open", None, 1)
    assert await company.reader(session, None, "ses_none") is None


async def test_refusals_of_one_person_and_of_everybody(company: Company) -> None:
    await company.open("eve", "web-1", "root")
    await company.open("stranger", "web-1", "root")
    mine = company.clock.now
    await company.open("eve", "nowhere", "root")
    everybody = await company.reader(refusals)
    assert [(each.person, each.code, each.asked, each.login) for each in everybody] == [
        ("eve", "resource.unknown", "nowhere", "root"),
        ("stranger", "person.disabled", "web-1", "root"),
        ("eve", "access.needs_approval", "web-1", "root"),
    ]
    assert [each.resource for each in everybody] == [None, "web-1", "web-1"]
    assert await company.reader(refusals, None, SessionFilter(person="eve")) == (everybody[0], everybody[2])
    assert await company.reader(refusals, mine) == everybody[1:]
    assert len(await company.reader(refusals, None, SessionFilter(most=1))) == 1


async def test_what_was_erased_is_missing_and_the_rest_stands(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    await company.approve("max", made)
    await company.open("eve", "web-1", "root")
    indexes = await company.reader(payloads_of, None, "eve")
    await record(company.ledger, PayloadsErased("ers_1", "eve", indexes, naming=False))
    found = await company.reader(request, None, made.request)
    assert found is not None
    assert (found.row.reason, found.row.ticket, found.row.comment) == (None, None, None)
    assert found.row.person_name == "erased person eve"
    assert [each.kind for each in found.history] == ["request.made", "request.approved", "grant.started"]
    assert found.history[0].event.reason is None
    (refusal,) = await company.reader(refusals)
    assert (refusal.person, refusal.login, refusal.source) == ("eve", None, None)


def payloads_of(db: Snapshot, at: Instant, person: str) -> tuple[int, ...]:
    return tuple(each[0] for each in rows(db, "SELECT idx FROM payload WHERE person = ?", (person,)))
