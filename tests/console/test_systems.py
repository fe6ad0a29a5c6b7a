"""Other systems on live pages: from a list to who stands behind whom; a held list; what auditors and others see."""

import pytest

from onepam.kernel.clock import DAY, iso
from tests.console.browsing import Browser, Office

pytestmark = pytest.mark.anyio

HEAD = "account,right,email,last used,owner\n"
EVE, ROOT, BATCH = "e.example,read,eve@example.com,2026-03-01,\n", "root,all,,,\n", "batch,run,,,max@example.com\n"
FORMULA = "=cmd|'/c calc'!A1,+read,,,\n"


def listing(*rows: str) -> bytes:
    return (HEAD + "".join(rows)).encode()


async def said(browser: Browser, file: bytes, **form: str) -> str:
    """The page that follows an upload."""
    answer = await browser.upload("/systems", file, **form)
    assert answer.status_code == 303
    return await browser.read(answer.headers["Location"])


async def test_from_a_list_to_who_stands_behind_each_account(office: Office) -> None:
    ada, bob, aud, eve = [await office.sign_in(each) for each in ("ada", "bob", "aud", "eve")]
    before = iso(office.company.clock())
    assert "No list yet" in await ada.read("/systems")
    wrong = await ada.upload("/systems", listing("eve,,,,\n", "eve,read,nobody,,\n"), system="Payroll")
    assert wrong.status_code == 422
    assert "line 2, column right: it is empty." in wrong.text
    assert "This is no day" in await said(ada, listing(EVE), system="payroll", made="soon")
    assert "is no name of a system" in await said(ada, listing(EVE), system="pay roll")
    page = await said(ada, listing(EVE, ROOT, BATCH, FORMULA), system="Payroll", made="2026-03-01")
    assert "4 accounts: 4 added, 0 changed, 0 gone." in page
    assert "Eve Example" in page
    assert "Max Example" in page
    assert "who owns it" in page
    for reader in (ada, aud):
        found = await reader.read("/systems")
        assert "Nobody stands behind it" in found
    assert "Bring a list" not in await aud.read("/systems")
    assert (await eve.get("/systems")).status_code == 403
    assert (await eve.get("/systems/payroll")).status_code == 403
    assert (await aud.upload("/systems", listing(EVE), system="payroll")).status_code == 403
    assert (await aud.get("/systems/crm")).status_code == 404
    assert "No list yet" in await aud.read(f"/systems?as_of={before}")
    narrowed = await aud.read("/systems/payroll?finding=any&q=ro")
    assert (">root" in narrowed, "e.example" in narrowed) == (True, False)
    assert "Nothing matches" in await aud.read("/systems/payroll?q=zzz")
    sheet = await aud.get("/systems/payroll?as=csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert "\"'=cmd|'/c calc'!A1\",\"'+read\"" in sheet.text
    account = (
        narrowed.partition("lac_")[2][:16] or (await ada.read("/systems/payroll?q=root")).partition("lac_")[2][:16]
    )
    link = "/systems/payroll/link"
    assert "Nobody here, or several" in await ada.refused(link, account=f"lac_{account}", person="nobody here")
    assert "It is said so." in await ada.done(link, account=f"lac_{account}", person="bob@example.com", service="yes")
    assert "Bob Example" in await ada.read("/systems/payroll?q=root")
    assert "It is said so." in await ada.done(link, account=f"lac_{account}")
    assert "Nobody here, or several" in await ada.refused("/systems/payroll/owner", owner="nobody here", days="3")
    assert "mended within" in await ada.refused("/systems/payroll/owner", owner="bob", days="many")
    assert "Bob Example" in await ada.done("/systems/payroll/owner", owner="bob@example.com", days="3")
    office.company.clock.advance(4 * DAY)
    ada, bob = [await office.sign_in(each) for each in ("ada", "bob")]
    assert "overdue" in await ada.read("/systems")

    held = await ada.upload("/systems", listing(ROOT), system="payroll")
    assert held.headers["Location"].startswith("/systems/payroll")
    page = await ada.read("/systems/payroll")
    assert "It lacks more than half of the accounts of the list in force." in page
    assert "Another administrator may release it." in page
    assert "a list is held" in await ada.read("/systems")
    digest = (await bob.read("/systems/payroll")).partition('name="digest" value="')[2][:64]
    assert "Nobody releases what they brought" in await ada.refused("/systems/payroll/release", digest=digest)
    assert "Released: the next time" in await bob.done("/systems/payroll/release", digest=digest)
    page = await said(ada, listing(ROOT), system="payroll")
    assert "1 account: 0 added, 0 changed, 3 gone." in page
    office.company.clock.advance(600_000_000)
    assert (await bob.post("/systems/payroll/release", digest=digest)).headers["Location"].startswith("/step-up")
