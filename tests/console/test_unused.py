"""The views of the role matrix beside the designed one: what is held and used, the difference, and what nobody uses."""

import pytest

from onepam.domain.people.events import GroupMemberAdded
from onepam.kernel.clock import DAY
from tests.company import record
from tests.console.browsing import Office
from tests.console.test_pages_admin import ACCESS, hidden, typed
from tests.console.test_roles_given import in_force

pytestmark = pytest.mark.anyio

APART = """separate:
  four-eyes: {roles: [engineer, manager], because: Nobody approves what they ask for}
"""


async def test_what_nobody_used_is_flagged_and_a_change_prepared(office: Office) -> None:
    text = await in_force(office)
    office.company.clock.advance(100 * DAY)
    ada = await office.sign_in("ada")
    page = await ada.read("/unused")
    assert "Unused rights" in page
    assert ">engineer</a>" in page
    assert "Remove" in page
    planned = await ada.post("/changes/unused", role="")
    assert planned.status_code == 200, planned.text[-500:]
    assert "Prepared from what nobody used for 90 days." in planned.text
    assert "eve@example.com" not in typed(planned.text).partition("bindings")[2]
    assert hidden(planned.text, "digest")
    assert "eve@example.com" in text.partition("bindings")[2]
    sheet = await ada.read("/unused?as=csv")
    assert '"eve","engineer","web-1"' in sheet
    nothing = await ada.post("/changes/unused", role="manager")
    assert nothing.headers["Location"] == "/unused"
    actual = await ada.read("/roles?view=actual")
    assert "used it for 90 days." in actual


async def test_what_a_directory_brings_together_is_seen_on_the_page_of_the_difference(office: Office) -> None:
    await in_force(office, f"{ACCESS}  - {{role: manager, group: 'directory:leads', because: leads}}\n{APART}")
    ada = await office.sign_in("ada")
    assert "held together" not in await ada.read("/difference")
    await record(office.company.ledger, GroupMemberAdded("directory:leads", "eve", "scim:okta", None))
    page = await ada.read("/difference")
    assert "engineer and manager (four-eyes)" in page
    assert 'href="/people/eve"' in page
    assert "people administer something" in page
    assert "engineer and manager (four-eyes)" in await ada.read("/difference?as=csv&kind=apart")
    assert "engineer and manager (four-eyes)" not in await ada.read("/difference?as=csv&kind=nobody")
    again = await ada.post("/changes/plan", text=f"{ACCESS}{APART}", base="")
    assert "held together" not in again.text
