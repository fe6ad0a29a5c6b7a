"""The company of tests/company.py, with its roles from a file as a customer would have them."""

from pathlib import Path

from onepam.app.matrix.apply_access import apply_access
from onepam.app.people.add_person import add_person
from onepam.domain.matrix.changing import Applied
from onepam.domain.matrix.motive import Motive
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonKind
from tests.company import HOST_KEY, Company

WHY = Motive("The web at night", "the night shift needs it", "OPS-7")

PEOPLE = ("ada", "bob", "max", "eve", "vic", "aud")

FILE = f"""\
version: 1
groups:
  engineers:
    members: [eve@example.com]
  leads: {{members: [max@example.com]}}
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
  administrator: {{purpose: Runs OnePAM, owner: ada@example.com, console: [administer]}}
  auditor: {{purpose: Looks at everything, owner: ada@example.com, console: [audit]}}
  manager: {{purpose: Approves what engineers ask for, owner: ada@example.com, console: [approve]}}
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
  - {{role: manager, group: leads, because: leads}}
  - {{role: engineer, group: engineers, because: builds}}
"""


async def found(folder: Path) -> Company:
    """The people alone: nobody has signed in, and there is no role."""
    company = Company(folder / "ledger.sqlite")
    for person in PEOPLE:
        known = Attributes(f"{person.title()} Example", f"{person}@example.com")
        assert await add_person(company.ledger, None, person, PersonKind.EMPLOYEE, known, "founded") is None
    return company


async def founded(folder: Path, text: str = FILE) -> Company:
    """The file in force by the bootstrap, then everybody signed in."""
    company = await found(folder)
    assert isinstance(await apply_access(company.ledger, None, text, "chg_0", None), Applied)
    for person in PEOPLE:
        await company.sign_in(person)
    return company
