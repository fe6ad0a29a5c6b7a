"""A role given and taken from the page of a person and of a role: the same plan, the same inbox, the same proof."""

import re
from html import unescape

import pytest

from onepam.app.matrix.apply_access import apply_access
from onepam.app.matrix.plan_access import plan_access
from onepam.domain.matrix.changing import Applied, Proposed
from onepam.domain.matrix.events import ChangeApplied, ChangeProposed
from onepam.domain.matrix.motive import Motive
from onepam.domain.matrix.plan import Plan
from onepam.store.read.changes import objects_in_force, text_in_force
from tests.company import record
from tests.console.browsing import Browser, Office
from tests.console.test_pages_admin import ACCESS, WHY, hidden, typed

pytestmark = pytest.mark.anyio

GIVE = {"gives": "yes", "role": "engineer", "person": "max", "reason": "Joins the shop", "ticket": "OPS-9"}
TAKE = {"gives": "no", "role": "engineer", "person": "eve", "reason": "Moves on", "back": "/people/eve"}
LINE = '  - {role: engineer, person: "max@example.com", because: "Joins the shop (OPS-9)"}\n'


async def in_force(office: Office, text: str = ACCESS) -> str:
    """The file in force: ada proposes, bob agrees."""
    ada = office.company.actor("ada")
    plan = await plan_access(office.company.ledger, ada, text)
    assert isinstance(plan, Plan), plan
    outcome = await apply_access(office.company.ledger, ada, text, "chg_first", plan.digest, Motive("It", "begins"))
    if isinstance(outcome, Proposed):
        bob = await office.sign_in("bob")
        await bob.approves("chg_first", digest=plan.digest, back="/changes")
    else:
        assert isinstance(outcome, Applied), outcome
    return await office.company.reader(text_in_force, None)


def fields(page: str) -> dict[str, str]:
    """What the form of a plan sends."""
    words = {name: re.search(rf'name="{name}"[^>]* value="([^"]*)"', page) for name in ("title", "ticket")}
    reason = re.search(r'name="reason"[^>]*>([^<]*)</textarea>', page)
    assert reason
    assert all(words.values())
    return {
        **{name: unescape(found[1]) for name, found in words.items() if found},
        "reason": unescape(reason[1]),
        "text": typed(page),
        **{name: hidden(page, name) for name in ("digest", "base", "guided")},
    }


async def looked_at(browser: Browser, form: dict[str, str]) -> dict[str, str]:
    answer = await browser.post("/changes/role", **form)
    assert answer.status_code == 200, answer.text[-2000:]
    return fields(answer.text)


async def test_a_role_is_given_from_a_persons_page_and_another_agrees(office: Office) -> None:
    before = await in_force(office)
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    page = await ada.read("/people/max")
    assert "Give a role to Max Example" in page
    assert '<option value="engineer">' in page
    assert "Give a role to" not in await (await office.sign_in("aud")).read("/people/max")
    size = office.company.ledger.size()
    planned = await ada.post("/changes/role", **GIVE, back="/people/max")
    assert "Propose it to another administrator" in planned.text
    assert "web-1 as app: shell, exec, on request, at most 2 h" in planned.text
    assert office.company.ledger.size() == size, "a look is no entry"
    said = fields(planned.text)
    assert (said["title"], said["ticket"]) == ("Give engineer to Max Example", "OPS-9")
    assert said["text"] == before + LINE
    proposed = await ada.post("/changes", **said)
    here = proposed.headers["Location"]
    inbox = await bob.read("/approvals")
    assert "Change of the role matrix: Give engineer to Max Example" in inbox
    assert "Joins the shop" in inbox
    change = await bob.read(here)
    assert "Give engineer to Max Example" in change
    await bob.approves(here.rpartition("/")[2], digest=hidden(change, "digest"), back=here)
    assert await office.company.reader(text_in_force, None) == before + LINE
    assert "Joins the shop (OPS-9)" in await ada.read("/people/max")
    role = await ada.read("/roles/engineer")
    assert "Max Example" in role
    assert "Take engineer from Max Example" in role


async def test_a_role_is_taken_at_once_since_nobody_gains(office: Office) -> None:
    await in_force(office)
    ada = await office.sign_in("ada")
    assert "Take engineer from Eve Example" in await ada.read("/people/eve")
    said = await looked_at(ada, TAKE)
    assert "eve@example.com" not in said["text"]
    page = await ada.done("/changes", **said)
    assert "Nobody gains by it" in page
    assert "Take engineer from Eve Example" in page
    assert "Take engineer" not in await ada.read("/people/eve")


async def test_from_the_roles_page_somebody_is_named_by_address(office: Office) -> None:
    await in_force(office)
    ada = await office.sign_in("ada")
    form = {**GIVE, "person": "", "email": "MAX@example.com", "ends": "2031-01-31", "back": "/roles/engineer"}
    said = await looked_at(ada, form)
    assert "ends: 2031-01-31" in said["text"]
    seen = (await ada.post("/changes/role", **form)).text
    assert "the role engineer until 31 January 2031" in seen
    assert '<a class="back" href="/roles/engineer">' in seen
    foreign = await ada.post("/changes/role", **{**form, "back": "//evil.example/people/"})
    assert '<a class="back" href="/changes">' in foreign.text
    for wrong, words in (
        ({"email": "nobody@example.com"}, "Nobody has the address"),
        ({"role": "pilot"}, "There is no role pilot"),
        ({"ends": "soon"}, "is not a date"),
        ({"reason": ""}, "The reason is empty"),
        ({"gives": "no"}, "does not give engineer to max@example.com by name"),
        ({"person": "nothing", "email": ""}, "There is no person nothing"),
    ):
        assert words in unescape(await ada.refused("/changes/role", **{**form, **wrong})), wrong
    nothing = await ada.done("/changes/role", **{**form, "email": "eve@example.com", "ends": "", "reason": "Founded it",
                                                 "ticket": ""})  # fmt: skip
    assert "access.yaml says so already" in nothing


async def test_what_others_changed_meanwhile_is_kept_and_said(office: Office) -> None:
    await in_force(office)
    ada = await office.sign_in("ada")
    mine = await looked_at(ada, {**GIVE, "back": "/people/max"})
    theirs = await looked_at(ada, TAKE)
    assert "In force." in await ada.done("/changes", **theirs)
    again = await ada.post("/changes", **mine)
    assert again.status_code == 409
    assert "your change was carried over" in again.text
    said = fields(again.text)
    assert said["text"] == theirs["text"] + LINE
    assert said["reason"] == "Joins the shop"
    assert (await ada.post("/changes", **said)).headers["Location"].startswith("/changes/chg_")


async def test_what_was_overtaken_while_it_waited_is_proposed_again(office: Office) -> None:
    await in_force(office)
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    here = (await ada.post("/changes", **await looked_at(ada, GIVE))).headers["Location"]
    theirs = await looked_at(ada, TAKE)
    await ada.done("/changes", **theirs)
    yes = {"digest": hidden(await bob.read(here), "digest"), "back": here}
    assert "changed since this was proposed" in await bob.refused(
        f"/approvals/{here.rpartition('/')[2]}", decision="approve", **yes
    )
    page = await ada.read(here)
    assert "Propose it again" in page
    again = await ada.read(f"/changes/new?again={here.rpartition('/')[2]}")
    said = fields(again)
    assert said["text"] == theirs["text"] + LINE
    assert said["title"] == "Give engineer to Max Example"
    assert (await ada.post("/changes", **said)).headers["Location"].startswith("/changes/chg_")


async def test_a_text_over_the_same_lines_is_kept_and_its_writer_told(office: Office) -> None:
    before = await in_force(office)
    ada = await office.sign_in("ada")
    base = hidden(await ada.read("/changes/new"), "base")
    await ada.done("/changes", **await looked_at(ada, TAKE))
    text = before.replace("{role: engineer, person: eve@example.com, because: Founded it}",
                          "{role: engineer, person: eve@example.com, because: Stays}")  # fmt: skip
    page = (await ada.post("/changes/plan", text=text, base=base)).text
    assert "changed the same lines" in page
    assert typed(page) == text
    assert hidden(page, "base") != base


async def test_a_group_is_named_with_who_fills_it(office: Office) -> None:
    text = ACCESS.replace("resources:", "groups:\n  web: {members: [eve@example.com]}\nresources:").replace(
        "{role: engineer, person: eve@example.com,", "{role: engineer, group: web,"
    )
    await in_force(office, text + '  - {role: auditor, group: "directory:Audit", because: From Okta}\n')
    ada = await office.sign_in("ada")
    page = await ada.read("/people/eve")
    assert "through the group web of access.yaml: changed there, by its members" in page
    assert "Take engineer" not in page
    assert "which a directory fills: changed there" in await ada.read("/roles/auditor")
    refused = await ada.refused("/changes/role", **TAKE)
    assert "does not give engineer to eve@example.com by name" in refused


async def test_words_are_asked_of_whoever_proposes(office: Office) -> None:
    before = await in_force(office)
    ada = await office.sign_in("ada")
    text = before.replace("longest: 2h", "longest: 1h")
    digest = hidden((await ada.post("/changes/plan", text=text)).text, "digest")
    answer = await ada.post("/changes", text=text, digest=digest, title="", reason="x")
    assert answer.status_code == 409
    assert "The title is empty." in answer.text
    assert typed(answer.text) == text
    assert "In force." in await ada.done("/changes", text=text, digest=digest, **WHY)


async def test_where_the_text_in_force_is_not_kept_nothing_is_replaced_without_a_word(office: Office) -> None:
    await in_force(office)
    ledger, ada = office.company.ledger, await office.sign_in("ada")
    digest = "ab" * 32
    unkept = ChangeProposed("chg_unkept", digest, digest, True, None, "2 roles created", None)
    await record(ledger, unkept, ChangeApplied("chg_unkept", digest, digest, None, bootstrap=True))
    founding = await ada.read("/changes/chg_unkept")
    assert "<h2>The founding</h2>" in founding
    assert "2 roles created" in founding
    assert f'data-copy="{digest}"' in founding
    assert "Its text is not kept here" in founding
    assert "Nobody: names, owners" not in founding
    assert "cannot be edited" in await ada.refused("/changes/role", **GIVE, back="/people/max")
    new = await ada.read("/changes/new")
    assert "so the editor begins empty" in new
    there = await office.company.reader(objects_in_force, None)
    assert there["resource"] == 1
    assert f"replaces all of it: {there['role']} roles, 1 resource and {there['binding']} bindings." in new
    planned = await ada.post("/changes/plan", text=ACCESS + LINE, base=hidden(new, "base"))
    form = {**fields(planned.text), "title": "All of it", "reason": "The text was lost"}
    size = ledger.size()
    unsaid = await ada.post("/changes", **form)
    assert unsaid.status_code == 409
    assert "replaces all of it" in unsaid.text
    assert ledger.size() == size
    assert (await ada.post("/changes", **form, replaces="yes")).headers["Location"].startswith("/changes/chg_")
