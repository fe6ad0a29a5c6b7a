"""The role matrix as a file, on a real ledger: who may change it, what takes a second person, and what falls with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.apply_access import apply_access
from onepam.app.approve_change import approve_change
from onepam.app.plan_access import plan_access
from onepam.app.reject_change import reject_change
from onepam.domain.changing import Applied, Proposed, Unchanged
from onepam.domain.plan import Plan
from onepam.store.rebuild import compare
from tests.company import HOST_KEY, Company, refused

pytestmark = pytest.mark.anyio

FILE = f"""
version: 1
groups:
  engineers: {{members: [eve@example.com]}}
resources:
  web-1:
    kind: ssh
    address: web-1.example.com:22
    labels: {{env: prod, app: web}}
    owner: max@example.com
    logins: [app, root]
    host_keys: ["{HOST_KEY}"]
  dev-1:
    kind: ssh
    address: dev-1.example.com:22
    labels: {{env: dev, app: web}}
    owner: max@example.com
    logins: [app]
    host_keys: ["{HOST_KEY}"]
roles:
  administrator:
    purpose: Runs OnePAM
    owner: ada@example.com
    console: [administer]
  auditor:
    purpose: Looks
    owner: ada@example.com
    console: [audit]
  manager:
    purpose: Approves what engineers ask for
    owner: ada@example.com
    console: [approve]
  engineer:
    purpose: Runs the web
    owner: max@example.com
    permissions:
      dev: {{actions: [shell, exec, sftp], where: {{env: dev}}, logins: [app], mode: standing, longest: 8h}}
      prod:
        actions: [shell, exec]
        where: {{env: prod}}
        logins: ["*"]
        mode: request
        longest: 4h
        approvers: [manager]
bindings:
  - {{role: administrator, person: ada@example.com, because: founded the company}}
  - {{role: administrator, person: bob@example.com, because: founded the company}}
  - {{role: auditor, person: aud@example.com, because: audits}}
  - {{role: manager, person: max@example.com, because: leads}}
  - {{role: engineer, group: engineers, because: builds}}
"""


async def founded(folder: Path) -> Company:
    company = Company(folder / "ledger.sqlite")
    for person in ("ada", "bob", "max", "eve", "aud", "vic"):
        await company._found(person)
    return company


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await founded(tmp_path)
    assert isinstance(await apply_access(company.ledger, None, FILE, "chg_boot", None), Applied)
    for person in ("ada", "bob", "max", "eve", "aud", "vic"):
        await company.sign_in(person)
    yield company
    company.close()
    assert compare(company.path) == []


async def planned(company: Company, text: str, by: str = "ada") -> Plan:
    plan = await plan_access(company.ledger, company.actor(by), text)
    assert isinstance(plan, Plan), plan
    return plan


async def test_smoke(company: Company) -> None:
    plan = await planned(company, FILE)
    assert plan.objects == ()
    text = FILE.replace("logins: [app]\n", "logins: [app, root]\n").replace("longest: 4h", "longest: 6h")
    plan = await planned(company, text)
    print(plan.objects, plan.differences, plan.widenings, plan.summary())
    out = await apply_access(company.ledger, company.actor("ada"), text, "chg_1", plan.digest)
    assert isinstance(out, Proposed), out
    refused(await approve_change(company.ledger, company.actor("ada"), "chg_1", plan.digest, text), "change.self_approval")
    assert isinstance(await approve_change(company.ledger, company.actor("bob"), "chg_1", plan.digest, text), Applied)
    plan = await planned(company, text)
    assert isinstance(await apply_access(company.ledger, company.actor("ada"), text, "chg_2", plan.digest), Unchanged)
    assert plan.objects == ()
