"""The staff roster on live pages: in Chromium from a file to who left; what administrators, auditors and others see."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from playwright.async_api import FilePayload, Page, async_playwright, expect

from onepam.app.roster.follow_roster import follow_roster
from onepam.app.roster.take_roster import Upload, set_roster_rules, take_roster
from onepam.console.frame.visit import SESSION_COOKIE
from onepam.domain.roster.events import RosterRules
from onepam.domain.roster.file import InvalidRoster
from onepam.domain.roster.taking import Held, Took
from onepam.kernel.clock import HOUR, iso
from onepam.store.facts.people import person_facts
from onepam.store.read.staff import health
from tests.app.test_roster import fresh, text
from tests.console.browsing import Office

pytestmark = pytest.mark.anyio


async def take(office: Office, data: bytes) -> object:
    company = office.company
    upload = Upload(data, "upload", company.clock())
    taken = await take_roster(company.ledger, company.actor("ada"), upload, None, fresh)
    await follow_roster(company.ledger, fresh)
    return taken


async def test_administrators_are_told_of_a_held_a_refused_and_a_stale_roster(office: Office) -> None:
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    assert "the staff roster" not in await ada.read("/")
    assert isinstance(await take(office, text()), Took)
    assert "the staff roster" not in await ada.read("/")
    assert isinstance(await take(office, text("eve", "max", "aud", "vic")), Held)
    home = await ada.read("/")
    assert "A version of the staff roster is held, and nothing of it is applied. It " in home
    assert "is held" not in await eve.read("/")
    assert isinstance(await take(office, b"number,name\n1,Ada\n"), InvalidRoster)
    assert "The last file of the staff roster was refused: " in await ada.read("/")
    rules = RosterRules(stale_after=HOUR)
    assert await set_roster_rules(office.company.ledger, office.company.actor("ada"), rules) is None
    assert isinstance(await take(office, text()), Took)
    office.company.clock.advance(HOUR)
    assert "The staff roster is stale" in await ada.read("/")


async def test_a_persons_page_says_what_the_roster_knows(office: Office) -> None:
    aud, vic = await office.sign_in("aud"), await office.sign_in("vic")
    assert "known since" not in await aud.read("/people/eve")
    assert isinstance(await take(office, text("bob")), Took)
    page = await aud.read("/people/eve")
    assert "number 4, known since" in page
    assert re.search(r"starts .*2020.*manager Max Example", page, re.DOTALL)
    assert '<a href="/roster">Staff roster</a>: ' in re.sub(r' class="[^"]*"', "", page)
    assert "on no roster" in await aud.read("/people/bob")
    own = await vic.read("/people/vic")
    assert "sponsor Max Example" in own
    assert 'href="/roster"' not in own
    at = iso(office.company.clock())
    assert isinstance(await take(office, text("bob", "eve")), Took)
    assert ">left<" in re.sub(r"\s+", "", await aud.read("/people/eve"))
    assert ">left<" not in re.sub(r"\s+", "", await aud.read(f"/people/eve?as_of={at}"))
    assert "by roster or directory" in await aud.read("/leavers")


async def test_an_auditor_reads_the_roster_of_any_instant_and_others_do_not(office: Office) -> None:
    aud, eve = await office.sign_in("aud"), await office.sign_in("eve")
    before = iso(office.company.clock())
    assert isinstance(await take(office, text("bob")), Took)
    between = iso(office.company.clock())
    assert isinstance(await take(office, text()), Took)
    assert "No roster yet" in await aud.read(f"/roster?as_of={before}")
    assert "Bob Example" in await aud.read(f"/roster?as_of={between}")
    now = await aud.read("/roster")
    assert "Bob Example" not in now
    assert "Show what it would change" not in now
    assert (await eve.get("/roster")).status_code == 403
    for path in ("/roster", "/roster/plan", "/roster/release", "/roster/rules", "/roster/source"):
        assert (await aud.post(path, url="", digest="0" * 64)).status_code == 403, path


async def test_what_does_not_agree_is_narrowed_and_downloaded(office: Office) -> None:
    ada = await office.sign_in("ada")
    assert isinstance(await take(office, text("bob", "eve")), Took)
    page = await ada.read("/roster")
    assert "Bob Example" in page
    assert "Eve Example" in page
    assert 'href="/roster?finding=no_entry#findings"' in page
    narrowed = await ada.read("/roster?q=bob&finding=no_entry")
    assert ("Bob Example" in narrowed, "Eve Example" in narrowed) == (True, False)
    assert "Nothing matches" in await ada.read("/roster?q=nobody")
    sheet = await ada.get("/roster?q=bob&as=csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert [line.split(",")[0].strip("\ufeff") for line in sheet.text.splitlines()] == ['"name"', '"Bob Example"']


@asynccontextmanager
async def window(office: Office, person: str) -> AsyncIterator[Page]:
    """The person's Chromium on the console behind a real server; an error of a script fails the test."""
    said = list[str]()
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://localhost:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(office.app, log_level="warning", lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            context = await browser.new_context(base_url=address)
            token = (await office.sign_in(person)).token
            await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
            page = await context.new_page()
            page.set_default_timeout(15_000)
            page.on("pageerror", lambda error: said.append(str(error)))
            yield page
            await browser.close()
    finally:
        server.should_exit = True
        await running
    assert said == []


async def shown(page: Page, data: bytes) -> None:
    """Uploads a version, and looks at what it would change."""
    await page.goto("/roster")
    file = FilePayload(name="roster.csv", mimeType="text/csv", buffer=data)
    await page.locator("input[name=file]").set_input_files(file)
    await page.get_by_role("button", name="Show what it would change").click()


async def test_in_a_browser_from_a_file_to_who_left(office: Office) -> None:
    async with window(office, "ada") as page:
        await shown(page, b"number,name,email,type\n1,Ada,,employee\n")
        await expect(page.get_by_role("heading", name="This file cannot be taken")).to_be_visible()
        await shown(page, text())
        await expect(page.get_by_text("6 new on the roster")).to_be_visible()
        assert (await office.company.reader(health)).newest is None
        await page.get_by_role("button", name="Apply it").click()
        await expect(page.get_by_text("The roster is in force.")).to_be_visible()
        await expect(page.get_by_text("All agree")).to_have_count(2)

        await shown(page, text("eve"))
        await expect(page.get_by_role("heading", name="Lose their access")).to_be_visible()
        await expect(page.get_by_role("link", name="Eve Example")).to_be_visible()
        assert await enabled(office, "eve")
        await page.get_by_role("button", name="Apply it").click()
        await expect(page.get_by_text("1 person lost their access, 0 changed, 0 added.")).to_be_visible()
        assert not await enabled(office, "eve")

        await shown(page, text("eve", "bob", "aud", "max"))
        await expect(page.get_by_text("This file cannot be taken")).to_be_visible()  # vic's sponsor would be gone
        await shown(page, text("eve", "bob", "aud", "vic"))
        await expect(page.get_by_text("The brake will hold it")).to_be_visible()
        await page.get_by_role("button", name=re.compile("to be held")).click()
        await expect(page.get_by_text("The brake holds this version.")).to_be_visible()
        assert await enabled(office, "bob")
        await page.get_by_role("button", name="Release exactly this version").click()
        await shown(page, text("eve", "bob", "aud", "vic"))
        await page.get_by_role("button", name="Apply it").click()
        await expect(page.get_by_text("3 people lost their access")).to_be_visible()
        assert not await enabled(office, "bob")


async def enabled(office: Office, person: str) -> bool:
    found = await office.company.reader(lambda db, at: person_facts(db, person, at))
    return found is not None and found.enabled
