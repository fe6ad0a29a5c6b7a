"""Policies in the browser: published from a file, read, confirmed; and who has not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.kernel.clock import DAY, HOUR, Instant, iso
from tests.console.browsing import Browser, Office, opened

pytestmark = pytest.mark.anyio

TEXT = b"# Access\n\n<script>alert(1)</script> Nobody shares a key.\n"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


def form(office: Office, **changes: str) -> dict[str, str]:
    day = iso(Instant(office.company.clock.now + 90 * DAY))[:10]
    made = {"policy": "access", "title": "Access control", "owner": "max@example.com", "review_by": day, "ending": "md"}
    return {**made, **changes}


async def published(office: Office, ada: Browser, changes: dict[str, str], text: bytes = TEXT) -> str:
    answer = await ada.upload("/policies", text, **form(office, **changes))
    assert answer.status_code == 303
    return await ada.read(answer.headers["Location"])


async def test_a_policy_is_published_read_confirmed_and_retired(office: Office) -> None:
    ada, max_, eve = await office.sign_in("ada"), await office.sign_in("max"), await office.sign_in("eve")
    assert "No policy yet" in await eve.read("/policies")
    assert "Version 1 is in force from now on." in await published(office, ada, {})
    then = office.company.clock.now
    assert "Read and confirm" in await eve.read("/policies")
    page = await eve.read("/policies/access")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Nobody shares a key." in page
    assert "Who has not confirmed it" not in page
    digest = page.split('name="digest" value="')[1].split('"')[0]
    assert "Another version is in force" in await eve.refused("/policies/access/confirm", digest="0" * 64)
    assert "Confirmed, with your name and this version." in await eve.done("/policies/access/confirm", digest=digest)
    assert "I have read" not in await eve.read("/policies/access")
    hers = await max_.read("/policies/access")
    assert "1 of 6 have" in hers, "whoever answers for it sees who has not"
    assert "Vic Example" in hers
    assert "Eve Example" not in hers
    office.company.clock.advance(HOUR)
    day = form(office)["review_by"]
    assert "Looked through" in await max_.done("/policies/access/look-through", review_by=day, note="right")
    assert "That is no day." in await max_.refused("/policies/access/look-through", review_by="soon")
    assert "Whoever answers for it" in await eve.refused("/policies/access/look-through", review_by=day)
    assert "Version 2 is in force" in await published(office, ada, {"readers": "engineer, manager"}, b"another")
    assert "Read and confirm" in await eve.read("/policies")
    assert "0 of 2 have" in await max_.read("/policies/access")
    past = await max_.read(f"/policies/access?as_of={iso(Instant(then + 1))}")
    assert "Version 1" in past
    assert "Version 2" not in past
    one = await eve.get("/policies/access/versions/1")
    assert one.content == TEXT
    assert one.headers["content-disposition"] == 'attachment; filename="access-1.md"'
    assert (await eve.get("/policies/access/versions/7")).status_code == 404
    assert (await eve.get("/policies/none")).status_code == 404
    assert "Retired" in await ada.done("/policies/access/retire", reason="there is another one")
    gone = await eve.read("/policies/access")
    assert "Retired" in gone
    assert "access/versions/2" in gone


async def test_what_cannot_be_published_is_said(office: Office) -> None:
    ada = await office.sign_in("ada")
    for changes, says in (
        ({"owner": "nobody at all"}, "Nobody, or more than one person, is called that."),
        ({"review_by": "soon"}, "That is no day."),
        ({"policy": "Access Control"}, "lower-case letters"),
        ({"readers": "nobody"}, "does not exist"),
    ):
        assert says in await published(office, ada, changes)
    assert "is not empty" in await published(office, ada, {}, b"")
    assert "No policy yet" in await ada.read("/policies")


async def test_a_document_that_was_altered_is_said_to_be_and_cannot_be_confirmed(office: Office) -> None:
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    await published(office, ada, {})
    (file,) = (office.recordings.parent / "policies").iterdir()
    file.write_bytes(b"altered")
    page = await eve.read("/policies/access")
    assert "is not what was published any more" in page
    assert "I have read" not in page
    assert (await eve.get("/policies/access/versions/1")).status_code == 409
