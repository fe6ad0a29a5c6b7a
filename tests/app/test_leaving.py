"""Leaving through the use cases, on a real ledger: nothing is left, nothing waits for somebody who is gone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.app.open_session import Opened
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.people.end_overdue_person import end_overdue_person
from onepam.app.ports import Snapshot
from onepam.app.requests.expire_access import expire_access
from onepam.app.sessions.close_session import NoFacts
from onepam.app.signing_in.sign_in import open_cli_session
from onepam.domain.access.decision import AccessFacts, decide
from onepam.domain.access.model import SubjectKind
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.leaving import MOST_OF_EACH, SPONSOR_GRACE, Ended, Held
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved, PersonAdded, PersonDisabled, PersonKind
from onepam.domain.requests.events import GrantEnded, GrantStarted, RequestRerouted
from onepam.domain.sessions.events import ConfirmationAsked, ConfirmationFailed
from onepam.domain.signing_in.events import EnrolmentEnded, EnrolmentProposed
from onepam.domain.signing_in.exception_events import MfaExceptionAccepted, MfaExceptionEnded, MfaExceptionProposed
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.engine.rebuild import compare
from onepam.store.engine.writer import Writer
from onepam.store.facts.people import held
from onepam.store.read.access import access
from onepam.store.read.overdue import overdue_people
from onepam.store.read.proofs_of_sign_in import acting
from tests.company import Company, binding, record, refused

pytestmark = pytest.mark.anyio

E = TypeVar("E")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


def told(company: Company, kind: type[E]) -> list[E]:
    db = connect(company.path, read_only=True)
    try:
        return [each.event for each in entries(db, 0, 1 << 40) if isinstance(each.event, kind)]
    finally:
        db.close()


async def test_what_waited_for_the_leaver_is_passed_on(company: Company) -> None:
    """Max decides what eve asks; with bob as a second manager bob does, and without him nobody: which is said."""
    mine = await company.ask("eve", "web-1", "app")
    await company.bind("bob", "manager")
    await disable_person(company.ledger, company.actor("ada"), "max", "left")
    await disable_person(company.ledger, company.actor("ada"), "bob", "left too")
    assert told(company, RequestRerouted) == [
        RequestRerouted(mine.request, "max", ("bob",), "ada"),
        RequestRerouted(mine.request, "bob", (), "ada"),
    ]
    assert await expire_access(company.ledger) is not None  # the request still stands: it waits for a new manager


async def test_confirmations_and_proposals_end_too(company: Company) -> None:
    soon = Instant(company.clock() + MINUTE)
    await record(
        company.ledger,
        ConfirmationAsked("cnf_1", "eve", "dev-1", "app", soon, "digest", "192.0.2.1"),
        EnrolmentProposed("enr_mine", "eve", "lost the phone", "ada"),
        EnrolmentProposed("enr_theirs", "aud", "lost the phone", "eve"),
        EnrolmentProposed("enr_others", "aud", "lost the phone", "bob"),
    )
    ended = await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    assert isinstance(ended, Ended)
    assert (ended.confirmations, ended.enrolments) == (1, 2)
    assert [each.confirmation for each in told(company, ConfirmationFailed)] == ["cnf_1"]
    assert {each.enrolment for each in told(company, EnrolmentEnded)} == {"enr_mine", "enr_theirs"}


async def test_exceptions_from_the_second_factor_end_too(company: Company) -> None:
    """The leaver's own, and what the leaver proposed; what was accepted of somebody else's proposals stands."""
    soon, over = Instant(company.clock() + DAY), Instant(company.clock() + MINUTE)
    await record(
        company.ledger,
        MfaExceptionProposed("exc_1", "eve", soon, "bob", "phone at the mender's", "on site only"),
        MfaExceptionAccepted("exc_1", "eve", soon, "max", company.clock()),
        MfaExceptionProposed("exc_2", "eve", soon, "bob", "again", "none"),
        MfaExceptionProposed("exc_3", "vic", soon, "eve", "theirs", "none"),
        MfaExceptionProposed("exc_4", "vic", soon, "eve", "theirs", "none"),
        MfaExceptionAccepted("exc_4", "vic", soon, "max", company.clock()),
        MfaExceptionProposed("exc_5", "eve", over, "bob", "lapsed", "none"),
    )
    company.clock.advance(MINUTE)
    ended = await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    assert isinstance(ended, Ended)
    assert ended.exceptions == 3
    assert told(company, MfaExceptionEnded) == [
        MfaExceptionEnded("exc_1", "eve", "person.disabled", "ada"),
        MfaExceptionEnded("exc_2", "eve", "person.disabled", "ada"),
        MfaExceptionEnded("exc_3", "vic", "person.disabled", "ada"),
    ]
    assert await company.reader(overdue_people) == ()
    await record(company.ledger, MfaExceptionProposed("exc_6", "eve", soon, "bob", "late", "none"))
    assert await company.reader(overdue_people) == ("eve",)
    swept = await end_overdue_person(company.ledger, "eve", company.new)
    assert isinstance(swept, Ended)
    assert (swept.exceptions, await company.reader(overdue_people)) == (1, ())


async def test_no_proof_of_before_opens_anything_afterwards(company: Company) -> None:
    """A certificate, a registered key, a cookie, a CLI token, a CLI code that was not exchanged: each on its own."""
    signed = company.signed_in("eve")
    await record(company.ledger, signed)
    assert signed.token_digest is not None
    assert await company.reader(acting, None, signed.token_digest, "192.0.2.1") is not None
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    refused(await company.open("eve", "dev-1", "app"), "person.disabled")
    assert await company.reader(acting, None, signed.token_digest, "192.0.2.1") is None
    code = await open_cli_session(company.ledger, company.actor("eve"), "sgn_cli", "digest", "192.0.2.1")
    assert isinstance(code, Refused)
    assert await enable_person(company.ledger, company.actor("ada"), "eve", "hired again") is None
    await company.bind("eve", "engineer")
    refused(await company.open("eve", "dev-1", "app"), "sign_in.ended")  # the certificate of before is worth nothing


async def test_more_than_one_command_ends_is_nothing_worth_and_ended_by_the_next(company: Company) -> None:
    many = [
        replace(company.signed_in("eve"), session=f"sgn_{number:05}", token_digest=f"{number:064x}")
        for number in range(MOST_OF_EACH + 5)
    ]
    for start in range(0, len(many), 400):
        await record(company.ledger, *many[start : start + 400])
    ended = await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    assert isinstance(ended, Ended)
    assert ended.sign_ins == MOST_OF_EACH
    left = await company.reader(_held, None, "eve")
    assert len(left.sign_ins) == 6  # the five, and that of the first morning
    for session in left.sign_ins:
        digest = next((each.token_digest for each in many if each.session == session), None)
        assert digest is None or await company.reader(acting, None, digest, "192.0.2.1") is None
    assert await company.reader(overdue_people) == ("eve",)
    assert await end_overdue_person(company.ledger, "eve", company.new) == Ended(6, 0, 0, 0, 0)
    assert await company.reader(overdue_people) == ()


async def test_however_many_grants_a_leaver_has_all_of_them_end(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    (one,) = told(company, GrantStarted)
    many = [replace(one, grant=f"grt_{number:05}") for number in range(2 * MOST_OF_EACH + 5)]
    for start in range(0, len(many), 400):
        await record(company.ledger, *many[start : start + 400])
    ended = await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    assert isinstance(ended, Ended)
    counts = [ended.grants]
    while await company.reader(overdue_people):
        ended = await end_overdue_person(company.ledger, "eve", company.new)
        assert isinstance(ended, Ended)
        counts.append(ended.grants)
    assert counts == [MOST_OF_EACH, MOST_OF_EACH, 6]
    assert {each.grant for each in told(company, GrantEnded)} == {granted.grant, *(each.grant for each in many)}


def _held(db: Snapshot, at: Instant, person: str) -> Held:
    return held(db, person, at)


async def test_a_vendor_is_out_when_the_contract_ends_whatever_else_says_otherwise(company: Company) -> None:
    """Door, console and API look at the end itself; a binding without an end of its own ends with the vendor."""
    await record(company.ledger, binding("vic", "engineer"))
    opened = await company.open("vic", "dev-1", "app")
    assert isinstance(opened, Opened)
    company.clock.advance(90 * DAY - HOUR)
    signed = company.signed_in("vic")
    await record(company.ledger, signed)
    late = await company.open("vic", "dev-1", "app")
    assert isinstance(late, Opened)
    assert late.ends <= opened.opened + 90 * DAY
    assert signed.token_digest is not None
    assert await company.reader(acting, None, signed.token_digest, "192.0.2.1") is not None
    company.clock.advance(HOUR)
    refused(await company.open("vic", "dev-1", "app"), "person.disabled")
    assert await company.reader(acting, None, signed.token_digest, "192.0.2.1") is None
    assert await company.reader(overdue_people) == ("vic",)
    assert isinstance(await end_overdue_person(company.ledger, "vic", company.new), Ended)
    (left,) = told(company, PersonDisabled)
    assert (left.origin, left.by) == ("end", None)
    assert left.left_at is not None
    refused(await end_overdue_person(company.ledger, "vic", company.new), "person.not_due")


async def test_a_vendor_whose_sponsor_left_ends_after_the_days_of_grace(company: Company) -> None:
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "max", "left"), Ended)
    assert await company.reader(overdue_people) == ()
    refused(await end_overdue_person(company.ledger, "vic", company.new), "person.not_due")
    company.clock.advance(SPONSOR_GRACE)
    assert await company.reader(overdue_people) == ("vic",)
    assert isinstance(await end_overdue_person(company.ledger, "vic", company.new), Ended)


async def test_a_grant_under_a_group_that_somebody_left_has_its_receipt(company: Company) -> None:
    await record(
        company.ledger,
        binding("directory:Ops", "engineer", kind=SubjectKind.GROUP),
        GroupMemberAdded("directory:Ops", "aud", "scim:idp_1", None),
    )
    granted = await company.approve("max", await company.ask("aud", "web-1", "app"))
    assert (await expire_access(company.ledger)).grants == 0
    await record(company.ledger, GroupMemberRemoved("directory:Ops", "aud", "scim:idp_1", None))
    refused(await company.open("aud", "web-1", "app"), "resource.unknown")
    assert (await expire_access(company.ledger)).grants == 1
    (ended,) = told(company, GrantEnded)
    assert (ended.grant, ended.because) == (granted.grant, "binding.ended")
    assert (await expire_access(company.ledger)).grants == 0


MOVES = st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(["Dev", "Support"])), max_size=6)


async def test_after_any_moves_rights_equal_a_fresh_evaluation(tmp_path: Path) -> None:
    """A person moved through groups holds exactly what somebody new in the same groups would hold."""
    company = await Company.create(tmp_path)
    await record(
        company.ledger,
        binding("directory:Dev", "engineer", kind=SubjectKind.GROUP),
        binding("directory:Support", "vendor", kind=SubjectKind.GROUP),
    )
    count = 0

    @settings(max_examples=25, deadline=None)
    @given(MOVES)
    def moves(steps: list[tuple[str, str]]) -> None:
        nonlocal count
        count += 1
        mover, fresh, groups = f"mover{count}", f"fresh{count}", set[str]()
        writer = company.ledger.writer
        run(writer, *(PersonAdded(each, PersonKind.EMPLOYEE, "hired", None, None, None) for each in (mover, fresh)))
        for what, group in steps:
            name = f"directory:{group}"
            if what == "add":
                groups.add(name)
                run(writer, GroupMemberAdded(name, mover, "scim", None))
            elif name in groups:
                groups.discard(name)
                run(writer, GroupMemberRemoved(name, mover, "scim", None))
        run(writer, *(GroupMemberAdded(name, fresh, "scim", None) for name in sorted(groups)))
        for resource in ("web-1", "web-2", "dev-1"):
            moved, new = company.reader.now(access, None, ((mover, resource), (fresh, resource)))
            assert _rights(moved) == _rights(new)

    moves()
    company.ledger.close()  # all of it is laid by hand
    company.reader.close()


def run(writer: Writer, *events: object) -> None:
    if events:
        writer.commit(NoFacts(), lambda facts, now: Decided(events, None))


def _rights(facts: AccessFacts) -> object:
    outcomes = [decide(facts, login, Instant(1 << 50)) for login in ("app", "root", "db")]
    return [each.code if isinstance(each, Refused) else (each.actions, each.because) for each in outcomes]
