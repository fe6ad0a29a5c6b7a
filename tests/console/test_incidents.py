"""Incidents in the browser: opened from a session, drawn by time, added to by whoever answers, closed by another."""

from pathlib import Path

import pytest

from tests.app.test_inspections import ended
from tests.console.browsing import Browser, opened

pytestmark = pytest.mark.anyio


async def test_an_incident_is_opened_from_a_session_added_to_and_closed(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        ada, aud, max_, eve = [await office.sign_in(who) for who in ("ada", "aud", "max", "eve")]
        assert "No incident is open" in await ada.read("/incidents")
        assert (await max_.get("/incidents")).status_code == 403
        session = await ended(office.company)
        carried = f"/incidents/new?link=session:{session}"
        for page in (f"/sessions/{session}", "/ledger?entry=1", "/controls/LOG-01"):
            assert "/incidents/new?link=" in await ada.read(page)
        assert [carried in await each.read(f"/sessions/{session}") for each in (ada, eve)] == [True, False]
        assert f'name="links" value="session:{session}"' in await ada.read(f"{carried}&link=odd&link=session:")
        form = {"title": "<b>A key</b>", "severity": "high", "owner": "max@example.com", "links": f"session:{session}"}
        for changes, says in (
            ({"owner": "nobody at all"}, "Nobody, or more than one person"),
            ({"severity": "worst"}, "Say how much it weighs"),
            ({"began": "soon"}, "That is no time."),
            ({"title": ""}, "The title is empty"),
        ):
            assert says in await ada.refused("/incidents", **{**form, **changes})
        answer = await ada.post("/incidents", **form, began="2026-01-01 10:00", what="in a log")
        assert answer.status_code == 303
        one = answer.headers["Location"]
        page = await ada.read(one)
        assert "&lt;b&gt;A key&lt;/b&gt;" in page
        assert 'aria-label="Sessions"' in page
        assert f"/sessions/{session}" in page
        assert (await eve.get(one)).status_code == 404
        assert "may be erased" in (theirs := await max_.read(one)), "whoever answers for it sees it and adds to it"
        assert "Close it" not in theirs
        await links_nothing(max_, one)
        assert "Noted." in await max_.done(f"{one}/note", note="revoked", at="2026-01-02 10:00", kind="session", ref="")
        for typed, says in (
            ({"kind": "person", "ref": "nobody at all"}, "Nobody, or more than one person"),
            ({"kind": "odd", "ref": "x"}, "Say what kind of thing it is"),
            ({"kind": "session", "ref": "ses_none"}, "There is nothing to link"),
            ({"at": "soon"}, "That is no time."),
        ):
            assert says in await ada.refused(f"{one}/note", note="x", **typed)
        assert "Noted." in await ada.done(f"{one}/note", note="", kind="caused_by", ref="Eve Example")
        assert "Eve Example" in await ada.read(one)
        over = {"cause": "a debug log", "done": "revoked"}
        assign = {"owner": "ada@example.com", "severity": "high", "because": "she knows"}
        assert "That is no day." in await ada.refused(f"{one}/assign", **assign, due="soon")
        assert "Nobody, or more" in await ada.refused(f"{one}/assign", **{**assign, "owner": "nobody at all"})
        assert "Said who answers" in await ada.done(f"{one}/assign", **assign)
        assert "Somebody else closes it" in await ada.read(one)
        assert "takes two" in await ada.refused(f"{one}/close", **over)
        assert "Closed. It stays" in await aud.done(f"{one}/close", **over)
        assert "a debug log" in await aud.read(one)
        assert "Closed" in await aud.read("/incidents?state=closed")
        assert "None of these" in await aud.read("/incidents?state=closed&severity=low")
        assert "Open again." in await aud.done(f"{one}/reopen", reason="used again")
        sheet = (await aud.get("/incidents?as=csv")).text
        assert '"<b>A key</b>","high","open"' in sheet
        found = (await aud.get("/find?q=a+key")).json()["results"]
        assert one in [each["href"] for each in found]
        home = await ada.read("/")
        assert "You answer for" in home
        assert "1 incident open." in home, "she watches"
        assert "incident open" not in await aud.read("/")


async def links_nothing(owner: Browser, one: str) -> None:
    """Who answers for it and has no right is not asked what belongs to it, and what they say of it is refused alike."""
    assert 'name="ref"' not in await owner.read(one)
    for kind, ref in (("entry", "1"), ("session", "ses_none"), ("caused_by", "ada@example.com"), ("person", "x")):
        assert "is linked by whoever" in await owner.refused(f"{one}/note", note="x", kind=kind, ref=ref)
