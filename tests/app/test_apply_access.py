"""The role matrix as a file, on a real ledger: who changes it, what takes a second person, and what falls with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.approve_change import approve_change
from onepam.app.matrix.plan_access import plan_access
from onepam.app.matrix.reject_change import reject_change
from onepam.app.open_session import Opened
from onepam.app.people.disable_person import disable_person
from onepam.domain.matrix.changing import MOST_WAITING, Applied, Outcome, Proposed, Unchanged
from onepam.domain.matrix.events import ChangeProposed, ChangeRejected
from onepam.domain.matrix.file import InvalidFile
from onepam.domain.matrix.plan import Plan
from onepam.kernel.errors import Refused
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from onepam.store.engine.rebuild import compare
from onepam.store.facts.changes import matrix
from tests.company import Company, record, refused
from tests.matrix_company import FILE, PEOPLE, WHY, found, founded

pytestmark = pytest.mark.anyio

WIDER = FILE.replace("longest: 4h", "longest: 6h")
NARROWER = FILE.replace("longest: 4h", "longest: 2h")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await founded(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


def kinds(company: Company, begin: int) -> list[str]:
    db = connect(company.path, read_only=True)
    kinds = [each.header.kind for each in entries(db, begin, 1 << 40)]
    db.close()
    return kinds


async def plan(company: Company, text: str, by: str = "ada") -> Plan:
    made = await plan_access(company.ledger, company.actor(by), text)
    assert isinstance(made, Plan), made
    return made


async def apply(company: Company, text: str, change: str, by: str = "ada") -> Outcome:
    return await apply_access(
        company.ledger, company.actor(by), text, change, (await plan(company, text, by)).digest, WHY
    )


async def change(company: Company, text: str, number: str = "chg_1") -> None:
    """In force, by ada's proposal and bob's approval where it needs one."""
    outcome = await apply(company, text, number)
    if isinstance(outcome, Proposed):
        outcome = await approve_change(company.ledger, company.actor("bob"), number, outcome.plan.digest, text)
    assert isinstance(outcome, Applied), outcome


async def test_the_bootstrap_is_an_event_and_its_file_is_then_what_is(tmp_path: Path) -> None:
    company = await found(tmp_path)
    made = await plan_access(company.ledger, None, FILE)
    assert isinstance(made, Plan)
    before = company.ledger.size()
    assert isinstance(await apply_access(company.ledger, None, FILE, "chg_0", None), Applied)
    assert kinds(company, before)[:3] == ["change.proposed", "change.applied", "resource.set"]
    again = await apply_access(company.ledger, None, FILE, "chg_1", None)
    assert isinstance(again, Unchanged)
    for person in PEOPLE:
        await company.sign_in(person)
    refused(await apply_access(company.ledger, None, NARROWER, "chg_1", None), "bootstrap.over")
    refused(await plan_access(company.ledger, None, FILE), "bootstrap.over")
    company.close()
    assert compare(company.path) == []


async def test_a_plan_appends_nothing_and_is_for_administrators_and_auditors(company: Company) -> None:
    before = company.ledger.size()
    assert (await plan(company, FILE)).objects == ()
    made = await plan(company, WIDER, "aud")
    assert made.widens
    assert made.gained_by("eve") is not None
    refused(await plan_access(company.ledger, company.actor("eve"), FILE), "right.missing")
    assert company.ledger.size() == before


async def test_a_broken_file_changes_nothing(company: Company) -> None:
    before = company.ledger.size()
    text = FILE.replace("kind: ssh", "kind: shh").replace("max@example.com]", "mix@example.com]")
    outcome = await apply_access(company.ledger, company.actor("ada"), text, "chg_1", None, file="roles/access.yaml")
    assert isinstance(outcome, InvalidFile)
    places = [str(each).split(": ")[0] for each in outcome.problems]
    assert places == [f"roles/access.yaml:{place}" for place in ("5:21", "8:11", "15:11")]
    assert company.ledger.size() == before


async def test_who_narrows_needs_nobody(company: Company) -> None:
    before = company.ledger.size()
    assert isinstance(await apply(company, NARROWER, "chg_1"), Applied)
    assert kinds(company, before) == ["change.proposed", "change.applied", "role.set"]
    assert (await plan(company, NARROWER)).objects == ()


async def test_what_widens_is_in_force_with_the_second_person(company: Company) -> None:
    before = company.ledger.size()
    proposed = await apply(company, WIDER, "chg_1")
    assert isinstance(proposed, Proposed)
    assert kinds(company, before) == ["change.proposed"]
    digest = proposed.plan.digest
    ada, bob, max_ = (company.actor(each) for each in ("ada", "bob", "max"))
    refused(await approve_change(company.ledger, ada, "chg_1", digest, WIDER), "change.self_approval")
    refused(await approve_change(company.ledger, max_, "chg_1", digest, WIDER), "right.missing")
    refused(await approve_change(company.ledger, bob, "chg_1", digest, NARROWER), "change.digest")
    assert isinstance(await approve_change(company.ledger, bob, "chg_1", digest, WIDER), Applied)
    assert kinds(company, before) == [
        "change.proposed", "proposal.refused", "change.refused", "change.approved", "change.applied", "role.set",
    ]  # fmt: skip
    refused(await approve_change(company.ledger, bob, "chg_1", digest, WIDER), "change.closed")
    assert (await plan(company, WIDER)).objects == ()


async def test_of_two_proposals_the_second_is_overtaken(company: Company) -> None:
    other = FILE.replace("logins: [app]\n", "logins: [app, root]\n")
    one, two = await apply(company, WIDER, "chg_1"), await apply(company, other, "chg_2", "bob")
    assert isinstance(one, Proposed)
    assert isinstance(two, Proposed)
    bob, ada = company.actor("bob"), company.actor("ada")
    assert isinstance(await approve_change(company.ledger, bob, "chg_1", one.plan.digest, WIDER), Applied)
    refused(await approve_change(company.ledger, ada, "chg_2", two.plan.digest, other), "change.overtaken")
    refused(await approve_change(company.ledger, ada, "chg_2", two.plan.digest, other), "change.closed")
    stale = await apply_access(company.ledger, ada, other, "chg_3", two.plan.digest, WHY)
    refused(stale, "change.overtaken")


async def test_nobody_gives_themselves_anything(company: Company) -> None:
    text = FILE.replace("members: [eve@example.com]", "members: [eve@example.com, ada@example.com, vic@example.com]")
    before = company.ledger.size()
    outcome = refused(await apply(company, text, "chg_1"), "change.own_gain")
    assert "on dev-1" in outcome.message
    assert kinds(company, before) == ["change.refused"]
    proposed = await apply(company, text, "chg_2", "bob")
    assert isinstance(proposed, Proposed)
    gains = await approve_change(company.ledger, company.actor("ada"), "chg_2", proposed.plan.digest, text)
    refused(gains, "change.own_gain")


async def test_a_proposal_is_rejected_or_withdrawn(company: Company) -> None:
    for number, by in (("chg_1", "bob"), ("chg_2", "ada")):
        proposed = await apply(company, WIDER, number)
        assert isinstance(proposed, Proposed)
        refused(await reject_change(company.ledger, company.actor("aud"), number, "no"), "right.missing")
        assert await reject_change(company.ledger, company.actor(by), number, "not yet") is None
        closed = await approve_change(company.ledger, company.actor("bob"), number, proposed.plan.digest, WIDER)
        refused(closed, "change.closed")
    assert (await plan(company, FILE)).objects == ()


async def test_a_proposer_who_left_stands_behind_nothing(company: Company) -> None:
    proposed = await apply(company, WIDER, "chg_1")
    assert isinstance(proposed, Proposed)
    assert not isinstance(await disable_person(company.ledger, company.actor("bob"), "ada", "left"), Refused)
    outcome = await approve_change(company.ledger, company.actor("bob"), "chg_1", proposed.plan.digest, WIDER)
    refused(outcome, "change.proposer_left")


async def test_what_rests_on_a_role_falls_with_it(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    await company.ask("eve", "web-1", "root")
    assert isinstance(await company.open("eve", "web-1", "app"), Opened)
    before = company.ledger.size()
    await change(company, FILE.replace("logins: [app, root]", "logins: [root]"))
    assert kinds(company, before) == ["change.proposed", "change.applied", "resource.set", "grant.ended"]
    refused(await company.open("eve", "web-1", "app"), "access.login")
    before = company.ledger.size()
    await change(company, FILE.replace("  - {role: engineer, group: engineers, because: builds}\n", ""), "chg_2")
    assert "request.withdrawn" in kinds(company, before)
    refused(await company.open("eve", "dev-1", "app"), "resource.unknown")
    assert granted.grant


async def test_a_grant_under_a_longer_role_runs_on_as_it_was_approved(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    await change(company, WIDER)
    opened = await company.open("eve", "web-1", "app")
    assert isinstance(opened, Opened)
    assert (opened.ends, opened.because.grant) == (granted.ends, granted.grant)


async def test_the_ledger_keeps_the_file_and_names_nobody_in_the_clear(company: Company) -> None:
    before = company.ledger.size()
    text = FILE.replace("members: [eve@example.com]", "members: [eve@example.com, vic@example.com]")
    await change(company, text)
    db = connect(company.path, read_only=True)
    stored = entries(db, before, 1 << 40)
    assert stored[0].event.text == text
    assert not any(b"@example.com" in each.body for each in stored)
    state = matrix(db, company.clock())
    assert state.groups["engineers"] == {"eve": "access.yaml", "vic": "access.yaml"}
    db.close()


async def test_those_that_wait_are_counted(company: Company) -> None:
    many = (ChangeProposed(f"chg_m{each}", "d", "d", True, "bob", "more", "text") for each in range(MOST_WAITING))
    await record(company.ledger, *many)
    refused(await apply(company, WIDER, "chg_1"), "change.many")
    await record(company.ledger, ChangeRejected("chg_m0", "bob", "change.withdrawn"))
    assert isinstance(await apply(company, WIDER, "chg_1"), Proposed)
