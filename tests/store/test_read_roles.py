"""The roles, the resources and the changes as pages read them: now, and as of then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.approve_change import approve_change
from onepam.app.matrix.plan_access import plan_access
from onepam.app.matrix.reject_change import reject_change
from onepam.app.open_session import Opened
from onepam.domain.access.model import Action, ConsoleRight, Mode
from onepam.domain.leaving.brake import DirectoryPersonDecided, DirectoryPersonHeld, HoldOutcome, HoldReason
from onepam.domain.matrix.changing import Applied, Proposed
from onepam.domain.matrix.plan import Plan
from onepam.kernel.clock import HOUR, Instant
from onepam.store.engine.database import connect
from onepam.store.engine.rebuild import compare
from onepam.store.read.changes import change, changes, first_to_look_at
from onepam.store.read.everybody import people
from onepam.store.read.matrix import How
from onepam.store.read.paging import Window
from onepam.store.read.resources import resource, resources
from onepam.store.read.roles import roles
from tests.company import HOST_KEY, START, Company, binding, record
from tests.matrix_company import FILE, WHY, founded

pytestmark = pytest.mark.anyio

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC4Wv0P6B/rhoR7KvjYV/FNBYckni9jyxz0IO/WmyHWD"
TWO_MORE = FILE.replace("members: [eve@example.com]", "members: [eve@example.com, vic@example.com]").replace(
    f'host_keys: ["{HOST_KEY}"]', f'host_keys: ["{HOST_KEY}", "{OTHER_KEY}"]', 1
)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await founded(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


async def propose(company: Company, text: str, number: str) -> Plan:
    plan = await plan_access(company.ledger, company.actor("ada"), text)
    assert isinstance(plan, Plan), plan
    outcome = await apply_access(company.ledger, company.actor("ada"), text, number, plan.digest, WHY)
    assert isinstance(outcome, Proposed | Applied), outcome
    return plan


async def put(company: Company, text: str, number: str) -> Instant:
    """In force by ada and bob, who shows his factor for it; when it was so."""
    plan = await propose(company, text, number)
    await company.sign_in("bob")
    outcome = await approve_change(company.ledger, company.actor("bob"), number, plan.digest, text)
    assert isinstance(outcome, Applied), outcome
    return company.clock.advance(HOUR)


async def test_the_matrix_of_roles_and_systems(company: Company) -> None:
    found = await company.reader(roles)
    assert [(each.system, each.resources) for each in found.systems.rows] == [
        ("dev-1", ("dev-1",)),
        ("web-1", ("web-1",)),
    ]
    assert [each.role for each in found.roles.rows] == ["administrator", "auditor", "engineer", "manager"]
    rows = {each.role: each for each in found.roles.rows}
    assert (rows["administrator"].console, rows["administrator"].people) == ((ConsoleRight.ADMINISTER,), 2)
    assert rows["administrator"].cells == {}
    engineer = rows["engineer"]
    assert (engineer.owner_name, engineer.people, engineer.administrative) == ("Max Example", 1, False)
    (dev,), (prod,) = engineer.cells["dev-1"], engineer.cells["web-1"]
    assert (dev.permission, dev.mode, dev.logins, dev.privileged) == ("dev", Mode.STANDING, ("app",), False)
    assert (prod.actions, prod.logins, prod.longest) == ((Action.SHELL, Action.EXEC), ("app", "root"), 4 * HOUR)
    assert (prod.mode, prod.approvers, prod.privileged, prod.people) == (Mode.REQUEST, ("manager",), True, 1)


async def test_resources_of_one_kind_are_one_system(company: Company) -> None:
    block = FILE[FILE.index("  web-1:\n") : FILE.index("  dev-1:\n")]
    await put(company, FILE.replace(block, block + block.replace("web-1", "web-2")), "chg_1")
    found = await company.reader(roles)
    assert [(each.system, each.resources) for each in found.systems.rows][1] == ("web-1", ("web-1", "web-2"))


async def test_the_matrix_of_then_is_what_was_then(company: Company) -> None:
    then = company.clock.advance(HOUR)
    before = await company.reader(roles, then)
    await put(company, TWO_MORE, "chg_1")
    now = await company.reader(roles)
    assert [each.people for each in now.roles.rows if each.role == "engineer"] == [2]
    assert now.document != before.document
    assert now.since is not None
    assert before.since is not None
    assert before.since < then < now.since
    assert await company.reader(roles, then) == before
    nothing = await company.reader(roles, START)
    assert (nothing.systems.rows, nothing.roles.rows, nothing.document, nothing.since) == ((), (), "", None)


async def test_resources_and_who_reaches_them(company: Company) -> None:
    await company.approve("max", await company.ask("eve", "web-1", "root"))
    assert isinstance(await company.open("eve", "web-1", "root"), Opened)
    dev, web = (await company.reader(resources)).rows
    assert (dev.resource, dev.people, dev.live, dev.last) == ("dev-1", 1, 0, None)
    assert (web.resource, web.people, web.live) == ("web-1", 1, 1)
    assert web.last is not None
    assert (web.address, web.port, web.owner_name, web.pinned) == ("web-1.example.com", 22, "Max Example", True)
    page = await company.reader(resource, None, "web-1")
    assert page is not None
    (eve,) = page.reach.rows
    assert (eve.name, page.reach.total, page.reach.next) == ("Eve Example", 1, "")
    assert {(each.login, each.how) for each in eve.ways} == {
        ("app", How.REQUEST), ("root", How.REQUEST), ("root", How.GRANTED),
    }  # fmt: skip
    assert eve.ways[0].how is How.GRANTED, "what ends first stands first"
    assert (page.owner_name, page.change, page.resource.labels) == (
        "Max Example",
        "chg_0",
        {"env": "prod", "app": "web"},
    )
    assert eve.ways[0].because.approval_by == "max"
    assert await company.reader(resource, None, "web-9") is None


async def test_a_pin_is_as_old_as_its_unbroken_time(company: Company) -> None:
    await put(company, TWO_MORE, "chg_1")
    page = await company.reader(resource, None, "web-1")
    assert page is not None
    assert [(each.key, each.change) for each in page.pins] == [(HOST_KEY, "chg_0"), (OTHER_KEY, "chg_1")]
    block = FILE[FILE.index("  dev-1:\n") : FILE.index("roles:\n")]
    assert isinstance(await propose(company, TWO_MORE.replace(block, ""), "chg_2"), Plan)
    await put(company, TWO_MORE, "chg_3")
    page = await company.reader(resource, None, "dev-1")
    assert page is not None
    assert [(each.key, each.change) for each in page.pins] == [(HOST_KEY, "chg_3")]


async def test_changes_say_what_they_did_to_whom(company: Company) -> None:
    await put(company, TWO_MORE, "chg_1")
    await propose(company, TWO_MORE.replace("longest: 8h", "longest: 9h"), "chg_2")
    assert await reject_change(company.ledger, company.actor("bob"), "chg_2", "too long") is None
    rows = (await company.reader(changes)).rows
    assert [(each.change, each.status, each.proposer, each.decider, each.widens) for each in rows] == [
        ("chg_2", "rejected", "ada", "bob", True), ("chg_1", "applied", "ada", "bob", True),
        ("chg_0", "applied", "", "", True),
    ]  # fmt: skip
    parts, after = list[str](), None
    while after != "":
        part = await company.reader(changes, None, Window(after or "", 2))
        assert part.total == 3
        parts += [each.change for each in part.rows]
        after = part.next
    assert parts == [each.change for each in rows]
    assert await company.reader(first_to_look_at) == "chg_2", "the newest, where none waits"
    assert (rows[0].because, rows[0].reason, rows[0].decider_name) == ("change.denied", "too long", "Bob Example")
    page = await company.reader(change, None, "chg_1")
    assert page is not None
    assert (page.text, page.text_before) == (TWO_MORE, FILE)
    assert page.plan is not None
    assert page.plan.digest == page.row.digest
    assert page.plan.gained_by("vic") is not None
    assert page.row.decided is not None
    assert page.row.decided > page.row.proposed
    first = await company.reader(change, None, "chg_0")
    assert first is not None
    assert first.plan is not None
    assert (first.text_before, first.plan.digest, first.plan.before.roles) == ("", first.row.digest, {})
    assert await company.reader(change, None, "chg_9") is None


async def test_a_waiting_change_says_what_it_would_end(company: Company) -> None:
    granted = await company.approve("max", await company.ask("eve", "web-1", "root"))
    for target, login in (("web-1", "root"), ("web-1", "root"), ("dev-1", "app")):
        assert isinstance(await company.open("eve", target, login), Opened)
    text = TWO_MORE.replace("logins: [app, root]", "logins: [app]")
    await propose(company, text, "chg_1")
    page = await company.reader(change, None, "chg_1")
    assert page is not None
    assert (page.row.status, page.row.decided, page.sessions, page.people) == ("proposed", None, 2, 1)
    assert await company.reader(first_to_look_at) == "chg_1"
    assert granted.grant
    harmless = await company.reader(change, None, "chg_0")
    assert harmless is not None
    assert harmless.sessions == 0


async def test_a_change_whose_text_was_erased_or_means_nothing_any_more_has_no_plan(company: Company) -> None:
    company.ledger.close()
    db = connect(company.path)
    text = db.execute("SELECT text FROM change").fetchone()[0]
    try:
        for other in (None, "version: 2"):
            db.execute("UPDATE change SET text = ?", (other,))
            page = await company.reader(change, None, "chg_0")
            assert page is not None
            assert (page.plan, page.text, page.sessions) == (None, other or "", 0)
    finally:
        db.execute("UPDATE change SET text = ?", (text,))
        db.close()


async def test_who_is_under_a_hold_holds_what_the_hold_leaves(company: Company) -> None:
    """One of many holds nothing; the last administrator what administers; and afterwards it reads the same."""

    async def holding(at: Instant | None) -> dict[str, tuple[str, ...]]:
        found = {each.role: each.people for each in (await company.reader(roles, at)).roles.rows}
        listed = {each.person: each.roles for each in (await company.reader(people, at)).rows}
        assert {name: sum(name in names for names in listed.values()) for name in found} == found
        return listed

    await record(company.ledger, binding("ada", "engineer"))
    before = await holding(None)
    assert (before["eve"], sorted(before["ada"])) == (("engineer",), ["administrator", "engineer"])
    held = [
        DirectoryPersonHeld(f"hld_{who}", who, "scim:x", reason, "x", None, None, None)
        for who, reason in (("eve", HoldReason.MANY), ("ada", HoldReason.LAST_ADMINISTRATOR))
    ]
    await record(company.ledger, *held)
    then = company.clock.advance(HOUR)
    during = await holding(None)
    assert (during["eve"], during["ada"]) == ((), ("administrator",))
    company.clock.advance(HOUR)
    await record(
        company.ledger,
        *(DirectoryPersonDecided(each.hold, each.person, HoldOutcome.KEPT, "bob", "here") for each in held),
    )
    assert await holding(None) == before
    assert await holding(then) == during
