"""Pages of every day with the company's real data: who sees what, every form does what it says, the past stays."""

import json
import re

import pytest

from onepam.app.requests.end_grant import end_grant
from onepam.domain.requests.events import UNDO
from onepam.kernel.clock import DAY, HOUR, MINUTE, moment
from onepam.store.engine.entries import entries as stored
from tests.console.browsing import Browser, Office, count


async def entries(office: Office, kind: str) -> int:
    """How many entries of a kind there are."""
    return await office.company.reader(count, None, kind)


async def proven(browser: Browser, session: str) -> int:
    """The entry that a session's page proves."""
    page = await browser.read(f"/sessions/{session}")
    found = re.search(r'<dl class="proof">.*?No. (\d+)', page[page.index(">Proven<") :], re.DOTALL)
    assert found is not None
    return int(found[1])


async def kind_of(office: Office, index: int) -> str:
    """What kind an entry is."""
    (entry,) = await office.company.reader(lambda db, at: list(stored(db, index, index + 1)), None)
    return entry.header.kind


def stamp(office: Office) -> str:
    """The minute now, as a link carries it."""
    return moment(office.company.clock.now).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.anyio
async def test_a_request_is_asked_for_approved_used_and_given_back(office: Office) -> None:
    eve, max_ = await office.sign_in("eve"), await office.sign_in("max")
    home = await eve.read("/")
    assert "ssh -p 2222 app@dev-1@gate.example.org" in home
    assert "app@old-1@" not in home
    assert "No host key pinned" in home
    assert "ssh -p 2222 app@web-1@gate.example.org" not in home
    assert "Max Example will be asked." in home
    asked = await eve.post(
        "/requests", resource="web-1", option="engineer:app", minutes="60", reason="Restart nginx", ticket="OPS-7"
    )
    here = asked.headers["Location"]
    request = here.rpartition("/")[2]
    page = await eve.read(here)
    assert "Waiting" in page
    assert "Restart nginx" in page
    inbox = await max_.read("/approvals")
    assert "Eve Example" in inbox
    assert "OPS-7" in inbox
    assert "Never asked for this before" in inbox
    assert "data-waiting>1<" in inbox
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', inbox)
    assert digest
    await max_.done(f"/approvals/{request}", decision="approve", digest=digest[1], comment="go ahead")
    page = await eve.read(here)
    assert "takes effect" in page
    assert "ssh -p 2222 app@web-1@gate.example.org" not in page
    inbox = await max_.read("/approvals")
    left = re.search(r"data-undo=(\d+)", inbox)
    assert left
    assert 9_000 < int(left[1]) <= 10_000
    await max_.done(f"/approvals/{request}/undo")
    assert "Waiting" in await eve.read(here)
    assert "data-undo=" not in await max_.read("/approvals")
    assert (await max_.post(f"/approvals/{request}/undo")).status_code == 409
    await max_.done(f"/approvals/{request}", decision="approve", digest=digest[1], comment="go ahead")
    office.company.clock.advance(UNDO)
    page = await eve.read(here)
    assert "ssh -p 2222 app@web-1@gate.example.org" in page
    assert ": go ahead" in page
    assert "ssh -p 2222 app@web-1@gate.example.org" in await eve.read("/")
    inbox = await max_.read("/approvals")
    assert "Nothing waits for you" in inbox
    assert "Decided lately" in inbox
    page = await eve.done(f"/requests/{request}/withdraw")
    assert f"ended the access by the request {request} early" in page
    assert "ssh -p 2222 app@web-1@gate.example.org" not in await eve.read("/")


@pytest.mark.anyio
async def test_a_request_is_denied_and_one_is_withdrawn(office: Office) -> None:
    company, eve, max_ = office.company, await office.sign_in("eve"), await office.sign_in("max")
    denied, withdrawn = await company.ask("eve", "web-1", "app"), await company.ask("eve", "web-2", "root")
    await max_.done(f"/approvals/{denied.request}", decision="deny", comment="not today")
    page = await eve.read(f"/requests/{denied.request}")
    assert "Denied" in page
    assert "not today" in page
    assert "Withdrawn" in await eve.done(f"/requests/{withdrawn.request}/withdraw")
    assert "no longer waits" in await eve.refused(f"/requests/{withdrawn.request}/withdraw")


@pytest.mark.anyio
async def test_what_may_not_be_asked_or_decided_is_refused_in_words(office: Office) -> None:
    company, eve, max_ = office.company, await office.sign_in("eve"), await office.sign_in("max")
    made = await company.ask("eve", "web-1", "app")
    ask = {"resource": "web-1", "option": "engineer:app", "minutes": "60", "reason": "Again"}
    again = await eve.post("/requests", **ask)
    assert again.headers["Location"] == f"/requests/{made.request}"
    assert "asked for exactly this already" in await eve.read(f"/requests/{made.request}")
    assert "4 h at the longest" in await eve.refused("/requests", **{**ask, "minutes": "600"})
    assert "no such target" in await eve.refused("/requests", **{**ask, "resource": "nowhere"})
    assert "The reason is empty" in await eve.refused("/requests", **{**ask, "minutes": "90", "reason": " "})
    changed = await max_.post(f"/approvals/{made.request}", decision="approve", digest="0" * 64)
    assert changed.status_code == 409
    assert "not what is asked" in changed.text
    assert (await max_.post(f"/approvals/{made.request}", decision="perhaps")).status_code == 409
    assert "waits for a decision" in (await max_.post("/approvals/nothing", decision="deny")).text


@pytest.mark.anyio
async def test_a_grant_is_ended_by_who_may_and_by_nobody_else(office: Office) -> None:
    company = office.company
    granted = await company.approve("max", await company.ask("eve", "web-1", "app"))
    eve, vic, ada = await office.sign_in("eve"), await office.sign_in("vic"), await office.sign_in("ada")
    assert (await vic.post(f"/grants/{granted.grant}/end", reason="why not")).status_code == 404
    assert (await ada.post("/grants/nothing/end", reason="gone")).status_code == 404
    page = await ada.read(f"/requests/{granted.request}")
    assert f'action="/grants/{granted.grant}/end"' in page
    assert f'action="/grants/{granted.grant}/end"' not in await eve.read(f"/requests/{granted.request}")
    assert "reason is empty" in await ada.refused(f"/grants/{granted.grant}/end", reason="")
    page = await ada.done(f"/grants/{granted.grant}/end", reason="the work is done")
    assert "the work is done" in page
    assert await end_grant(company.ledger, company.actor("eve"), granted.grant) is not None


@pytest.mark.anyio
async def test_what_is_open_already_cannot_be_asked_for(office: Office) -> None:
    company, vic = office.company, await office.sign_in("vic")
    for resource in ("web-1", "web-2", "dev-1"):
        assert "You may ask for" in await vic.read("/")
        assert "All that your roles offer is open to you already." not in await vic.read("/")
        await company.approve("max", await company.ask("vic", resource, "app"))
    assert "All that your roles offer is open to you already." in await vic.read("/")
    assert "You may ask for" not in await (await office.sign_in("aud")).read("/"), "nothing else in a reading room"


@pytest.mark.anyio
async def test_a_session_is_seen_watched_and_ended_by_whom_it_concerns(office: Office) -> None:
    company = office.company
    await company.approve("max", await company.ask("eve", "web-1", "app"))
    ended, live = await office.session("eve", "web-1", "app"), await office.session("eve", "dev-1", "app", close=False)
    eve, bob, aud = await office.sign_in("eve"), await office.sign_in("bob"), await office.sign_in("aud")
    max_, vic = await office.sign_in("max"), await office.sign_in("vic")
    for stranger in (max_, vic):
        assert (await stranger.get(f"/sessions/{ended}")).status_code == 404
        assert (await stranger.get(f"/sessions/{ended}/recording")).status_code == 404
        assert (await stranger.post(f"/sessions/{live}/kill", reason="no")).status_code == 404
        assert "No sessions yet" in await stranger.read("/sessions")
    page = await eve.read(f"/sessions/{ended}")
    assert "Shell closed" in page
    assert "/tmp/\\u202eevil" in page
    assert "Max Example" in page
    assert "Read as a whole for this page, now." in page
    assert "does not follow the session" not in page
    assert "does not follow the session" in await eve.read(f"/sessions/{live}")
    assert await entries(office, "recording.watched") == 0
    before = await proven(eve, ended)
    shown = await eve.get(f"/sessions/{ended}/recording")
    assert json.loads(shown.text.splitlines()[0])["version"] == 3
    assert "echo hello" in shown.text
    assert await entries(office, "recording.watched") == 1
    assert await proven(eve, ended) == before, "a viewing is no end of what was viewed"
    assert await kind_of(office, before) == "session.closed"
    page = await bob.read(f"/sessions/{ended}")
    assert "Not shown to you" in page
    assert "evil" not in page
    assert (await bob.get(f"/sessions/{ended}/recording")).status_code == 404
    assert await entries(office, "recording.watched") == 1
    assert "evil" in await aud.read(f"/sessions/{ended}")
    saved = await aud.get(f"/sessions/{ended}/recording?download=1")
    assert saved.headers["Content-Disposition"] == f'attachment; filename="{ended}.cast"'
    assert await entries(office, "recording.watched") == 3
    assert "0 shells" not in re.sub("<[^>]+>", "", await bob.read(f"/sessions/{live}"))
    for seen in (live, ended):
        text = re.sub("<[^>]+>", "", await eve.read(f"/sessions/{seen}"))
        assert "2 shells or commands" in text
        assert "1 file operation" in text
    assert "2 file records" in re.sub("<[^>]+>", "", await bob.read(f"/sessions/{ended}"))
    assert "2 shells or commands, 2 file records" in await bob.read("/sessions")
    page = await bob.read(f"/sessions/{live}")
    assert "End session" in page
    assert "reason is empty" in await bob.refused(f"/sessions/{live}/kill", reason="")
    assert "The session is being ended." in await bob.done(f"/sessions/{live}/kill", reason="wrong host")
    assert "Bob Example ordered its end" in await bob.read("/sessions")
    assert await entries(office, "session.kill_ordered") == 1
    assert await kind_of(office, await proven(bob, live)) == "session.opened"
    assert (await aud.post(f"/sessions/{live}/kill", reason="no")).status_code == 404


@pytest.mark.anyio
async def test_an_altered_recording_is_named_and_not_played(office: Office) -> None:
    ident = await office.session("eve", "dev-1", "app")
    file = next(office.recordings.rglob(f"*{ident}*"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    eve = await office.sign_in("eve")
    page = await eve.read(f"/sessions/{ident}")
    assert "Altered" in page
    assert "recording altered at byte" in page
    file.unlink()
    page = await eve.read(f"/sessions/{ident}")
    assert "Nothing to play" in page
    assert "Missing" in page
    assert (await eve.get(f"/sessions/{ident}/recording")).status_code == 404


@pytest.mark.anyio
async def test_the_list_of_sessions_filters_and_pages_refusals_too(office: Office) -> None:
    company, ada = office.company, await office.sign_in("ada")
    made = []
    for _ in range(55):
        made.append(await office.session("eve", "dev-1", "app"))
        company.clock.advance(MINUTE)
    await company.open("vic", "web-1", "root")
    await company.open("eve", "nowhere", "=cmd")
    page = await ada.read("/sessions")
    assert re.findall(r"\d+ sessions?[^<]*", page)[-1] == "55 sessions, 2 refusals"
    assert "Refused" in page
    assert made[-1] in page
    assert made[0] not in page
    pages = [page]
    while older := re.search(r'href="(/sessions\?[^"]*after=ses_[^"]*)"', pages[-1]):
        pages.append(await ada.read(older[1].replace("&amp;", "&")))
    shown = [set(re.findall(r'href="/sessions/(ses_\w+)', each)) for each in pages]
    assert [len(each) for each in shown] == [25, 25, 7], "each once, refusals among them"
    assert set(made) < set().union(*shown)
    assert made[0] in shown[-1]
    sheet = await ada.read("/sessions?as=csv")
    assert sheet.count("\r\n") == 58
    found = await ada.read("/sessions?state=refused&q=nowhere")
    assert "1 refusal<" in found
    assert "No such target in the catalogue" in found
    refused = re.search(r'href="/sessions/(ses_\w+)"', found)
    assert refused
    assert "was refused" in await ada.read(f"/sessions/{refused[1]}")
    vic = await office.sign_in("vic")
    assert (await vic.get(f"/sessions/{refused[1]}")).status_code == 404
    assert "1 refusal<" in await vic.read("/sessions")
    assert "Nothing matches" in await ada.read("/sessions?q=zzz")
    assert "Nothing matches" in await ada.read("/sessions?state=gap")
    company.clock.advance(2 * DAY)
    ada = await office.sign_in("ada")
    assert "No sessions yet" in await ada.read("/sessions?days=1")


@pytest.mark.anyio
async def test_one_sees_oneself_and_what_one_reaches_and_no_more(office: Office) -> None:
    company, eve = office.company, await office.sign_in("eve")
    mine = await eve.read("/people/eve")
    assert "From joining to leaving" in mine
    assert 'href="/roles' not in mine
    for path in ("/people/ada", "/people/nobody", "/resources/nowhere", "/requests/nothing", "/sessions/nothing"):
        answer = await eve.get(path)
        assert answer.status_code == 404, path
    unknown, theirs = await eve.get("/people/nobodx"), await eve.get("/people/bobobo")
    assert unknown.text.replace("nobodx", "bobobo") == theirs.text
    reached = await eve.read("/resources/web-1")
    assert "Eve Example" in reached
    assert "Vic Example" not in reached
    assert 'href="/ledger' not in reached
    assert "app · engineer" in reached
    assert 'action="/requests"' in reached
    assert 'action="/requests"' not in await (await office.sign_in("ada")).read("/resources/web-1")
    home = re.search(r'<a class="nav-link" href="([^"]+)" aria-current="page">', reached)
    assert home
    assert home[1] == "/", "who has no list of resources stands under Home"
    back = await eve.post(
        "/requests", resource="web-1", option="engineer:app", minutes="60", reason="", back="/resources/web-1"
    )
    assert back.headers["location"] == "/resources/web-1"
    astray = await eve.post(
        "/requests", resource="web-1", option="engineer:app", minutes="60", reason="", back="//evil.example"
    )
    assert astray.headers["location"] == "/"
    vic = await office.sign_in("vic")
    assert (await vic.get("/resources/old-1")).status_code == 404
    made = await company.ask("eve", "web-1", "app")
    assert (await vic.get(f"/requests/{made.request}")).status_code == 404
    found = json.loads((await vic.get("/find?q=e")).text)["results"]
    assert {each["kind"] for each in found} <= {"Resource", "Page", "Session"}
    assert "/people/eve" not in {each["href"] for each in found}
    everything = json.loads((await (await office.sign_in("ada")).get("/find?q=eve")).text)["results"]
    assert everything[0] == {
        "kind": "Person",
        "title": "Eve Example",
        "detail": "engineer",
        "href": "/people/eve",
        "icon": "user",
    }


@pytest.mark.anyio
async def test_the_past_is_shown_as_it_was_and_cannot_be_changed(office: Office) -> None:
    company, ada = office.company, await office.sign_in("ada")
    company.clock.advance(2 * MINUTE)
    before = stamp(office)
    company.clock.advance(2 * MINUTE)
    made = await company.ask("eve", "web-1", "app")
    await company.approve("max", made)
    await company.unbind("vic", "vendor")
    session = await office.session("eve", "web-1", "app")
    company.clock.advance(2 * MINUTE)
    now = await ada.read("/people/eve")
    assert "web-1" in now
    then = await ada.read(f"/people/eve?as_of={before}")
    assert "As of 2 March 2026" in then
    assert "web-1" not in then
    assert "vendor" in await ada.read(f"/people/vic?as_of={before}")
    assert "No role" in await ada.read("/people/vic")
    assert (await ada.get(f"/requests/{made.request}?as_of={before}")).status_code == 404
    assert (await ada.get(f"/sessions/{session}?as_of={before}")).status_code == 404
    assert "No resources yet" in await ada.read("/resources?as_of=2026-03-01T00:00")
    ahead = await ada.get("/resources?as_of=2999-01-01T00:00")
    assert (ahead.status_code, "nothing is known of the future" in ahead.text) == (400, True)
    for path in ("/", "/sessions", "/people", "/resources", "/resources/web-1", "/roles", "/changes", "/ledger"):
        page = await ada.read(f"{path}?as_of={before}")
        assert "read-only" in page, path
        assert not re.search(r"<fieldset class=\"plain\"(?! disabled)", page), path
    assert "As of" in await ada.read(f"/sessions?as_of={before}&state=closed&q=eve")


@pytest.mark.anyio
async def test_the_list_of_requests_filters_pages_and_downloads(office: Office) -> None:
    company = office.company
    granted = await company.approve("max", await company.ask("eve", "web-1", "app", HOUR, "=1+1"))
    company.clock.advance(2 * HOUR)
    waiting = await company.ask("vic", "web-2", "app")
    aud = await office.sign_in("aud")
    page = await aud.read("/requests")
    assert "2 requests<" in page
    assert page.index(f'href="/requests/{waiting.request}"') < page.index(f'href="/requests/{granted.request}"')
    assert "by Max Example" in page
    assert "go ahead" in page
    over = await aud.read("/requests?state=over&q=EVE&days=1")
    assert "1 request<" in over
    assert waiting.request not in over
    assert "Nothing matches" in await aud.read("/requests?state=denied")
    sheet = await aud.read("/requests?as=csv&state=over")
    assert sheet.count("\r\n") == 2
    assert '"\'=1+1"' in sheet
    assert '<a class="back" href="/requests">' in await aud.read(f"/requests/{granted.request}")
    assert 'href="/requests"' in await aud.read("/"), "the reading room leads there"
    eve = await office.sign_in("eve")
    assert (await eve.get("/requests")).status_code == 403
    assert '<a class="back" href="/">' in await eve.read(f"/requests/{granted.request}")


@pytest.mark.anyio
async def test_times_that_are_over_are_worded_as_over(office: Office) -> None:
    company = office.company
    granted = await company.approve("max", await company.ask("eve", "web-1", "app", HOUR))
    waiting = await company.ask("eve", "web-2", "app")
    company.clock.advance(25 * HOUR)
    eve = await office.sign_in("eve")
    page = await eve.read(f"/requests/{granted.request}")
    assert ">Over</span>" in page
    assert "Give back" not in page
    assert "Void" in await eve.read(f"/requests/{waiting.request}")


@pytest.mark.anyio
async def test_an_unknown_address_is_a_page_with_a_way_back(office: Office) -> None:
    eve, stranger = await office.sign_in("eve"), office.browser()
    for path, status in (("/nothing/here", 404), ("/approvals/apr_1", 405), ("/static/none.css", 404)):
        for who, frame in ((eve, 'id="sidebar"'), (stranger, "bare-page")):
            answer = await who.get(path)
            assert answer.status_code == status, path
            assert "There is no such page." in answer.text
            assert 'href="/">Home' in answer.text
            assert frame in answer.text
            assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "POST" in (await eve.get("/approvals/apr_1")).headers["Allow"]
    assert (await eve.post("/nothing/here", reason="no")).status_code == 404
