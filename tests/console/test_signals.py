"""Setting a stream of signals in the console: two administrators, a token that is shown once, what came, its end."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.console.providers.signals import health
from onepam.domain.providers.events import ProviderSet
from onepam.domain.providers.signals import SignalKind, SignalReceived
from onepam.identity.signals.receiver import Polled
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.engine.rebuild import compare
from onepam.store.read import signals as rows
from tests.company import record
from tests.console.browsing import ORIGIN, Browser, Office, opened
from tests.identity.oidc.hostile import Answer, Hostile
from tests.identity.signals.watch import OKTA, transmitter

pytestmark = pytest.mark.anyio


@pytest.fixture
def sender() -> Iterator[Hostile]:
    with transmitter() as running:
        yield running


@pytest.fixture
async def office(tmp_path: Path, sender: Hostile) -> AsyncIterator[Office]:
    async with opened(tmp_path, sender.egress.admitted) as office:
        company = office.company
        await record(
            company.ledger,
            ProviderSet("chg_1", "idp_1", OKTA.kind, OKTA.name, OKTA.settings, OKTA.rule, "ada", "bob"),
        )
        yield office
    assert compare(office.company.path) == []


def form(sender: Hostile, **more: str) -> dict[str, str]:
    return {
        "name": "Okta", "provider": "idp_1", "issuer": sender.issuer, "audience": ORIGIN, "delivery": "push", **more,
    }  # fmt: skip


async def waiting(office: Office) -> str:
    (found,) = await office.company.reader(rows.stream_proposals)
    return found.stream.change


async def in_force(office: Office, ada: Browser, bob: Browser, typed: dict[str, str]) -> str:
    assert (await ada.post("/signals", **typed)).status_code in (200, 303)
    await bob.approves(await waiting(office))
    (found,) = await office.company.reader(rows.streams)
    return found.stream.stream


async def test_two_administrators_connect_a_transmitter(office: Office, sender: Hostile) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    assert "Nobody sends signals yet" in await ada.read("/signals")
    assert "Okta" in await ada.read("/signals/new")
    answer = await ada.post("/signals", **form(sender, token="their-token", remote="s-1"))
    token = re.search(r"Bearer (osg_[\w-]{43})", answer.text)
    assert answer.status_code == 200
    assert token
    assert answer.headers["Cache-Control"] == "no-store"
    change = await waiting(office)
    mine = await ada.read("/signals")
    assert "Nobody approves their own proposal" in mine
    assert 'value="approve"' not in mine
    page = await bob.read("/signals")
    assert 'value="approve"' in page
    assert token[1] not in page
    page = await bob.approves(change, back="/signals")
    assert "Nothing yet" in page
    stream = (await office.company.reader(rows.streams))[0].stream.stream
    assert f"{ORIGIN}/signals/{stream}" in page

    assert (await bob.post(f"/signals/{stream}/test")).status_code == 303
    assert sender.asked.count("/verify") == 1
    assert "Asked:" in await bob.read("/signals")
    sender.answers["/verify"] = Answer(status=500)
    assert (await bob.post(f"/signals/{stream}/test")).status_code == 303
    assert "refuses to verify" in await bob.read("/signals")

    said = SignalReceived(stream, "a" * 64, SignalKind.SESSION_REVOKED, "", "eve", 2, Instant(1), "Landspeed <b>")
    await record(office.company.ledger, said)
    page = await bob.read("/signals")
    for words in ("Works", "Eve Example", "Landspeed &lt;b&gt;", "2 sign-ins"):
        assert words in page

    assert (await bob.post(f"/signals/{stream}/remove", reason="moved")).status_code == 303
    assert await office.company.reader(rows.streams) == []
    assert (await bob.post(f"/signals/{stream}/remove", reason="moved")).status_code == 404
    assert (await bob.post(f"/signals/{stream}/test")).status_code == 404


async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(office: Office, sender: Hostile) -> None:
    ada = await office.sign_in("ada")
    for wrong, words in (
        ({"issuer": f"{sender.issuer}/other"}, "no Shared Signals configuration"),
        ({"issuer": "nonsense"}, "not an address"),
        ({"provider": "idp_9"}, "There is no such identity provider"),
        ({"name": ""}, "name"),
        ({"audience": "two words"}, "one word each"),
        ({"delivery": "poll"}, "needs an address"),
        ({"token": "tok\u00e9n"}, "one word of ASCII"),
    ):
        answer = await ada.post("/signals", **form(sender, **wrong))
        assert answer.status_code == 422, wrong
        assert words in answer.text, wrong
        assert wrong.get("name", "Okta") in answer.text
    assert await office.company.reader(rows.stream_proposals) == []


async def test_a_stream_that_is_fetched_and_one_that_is_withdrawn(office: Office, sender: Hostile) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    typed = form(sender, delivery="poll", endpoint=f"{sender.issuer}/poll", token="their-token")
    await in_force(office, ada, bob, typed)
    page = await bob.read("/signals")
    assert "Fetched" in page
    assert "their-token" not in page
    stream = (await office.company.reader(rows.streams))[0].stream
    assert (await bob.post(f"/signals/{stream.stream}/test")).status_code == 303
    assert "not known here" in await bob.read("/signals")
    assert (await ada.post("/signals", **form(sender, name="Second"))).status_code == 200
    change = await waiting(office)
    await ada.done(f"/approvals/{change}", decision="deny", back="/signals")
    assert await office.company.reader(rows.stream_proposals) == []
    office.company.clock.advance(HOUR)
    for path in ("/signals", f"/signals/{stream.stream}/remove"):
        answer = await bob.post(path, **form(sender))
        if path == "/signals":
            assert (answer.status_code, "factor" in answer.text) == (422, True)
        else:
            assert answer.headers["Location"].startswith("/step-up"), path


async def test_how_a_stream_fares_is_told(office: Office, sender: Hostile) -> None:
    ada, bob = await office.sign_in("ada"), await office.sign_in("bob")
    await in_force(office, ada, bob, form(sender))
    (found,) = await office.company.reader(rows.streams)
    now = office.company.clock.now

    def told(polled: Polled | None = None, **changes: object) -> tuple[str, str, str]:
        return health(replace(found, **changes), polled, now)  # type: ignore[arg-type]

    assert told() == ("untested", "Nothing yet", "")
    assert told(last=now) == ("proven", "Works", "")
    assert told(last=now - 31 * DAY) == ("due", "Quiet", "Nothing came for 31 days.")
    assert told(status="paused", last=now)[:2] == ("finding", "Paused")
    assert told(Polled(now, "down"), last=now) == ("finding", "Cannot be fetched", "down")
    assert told(Polled(Instant(now - HOUR), ""), last=now)[:2] == ("finding", "Not fetched")
    assert told(Polled(now, ""), last=now)[0] == "proven"
