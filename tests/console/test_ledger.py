"""The ledger's page as an audit trail: by subject, page after page, as a sheet."""

import csv
import io
import re
from dataclasses import replace

import pytest

from onepam.console.history.ledger import _check
from onepam.console.history.subjects import BY_MACHINE, SUBJECTS, narrowed, subjects_of
from onepam.domain.history.event import kinds
from onepam.store.read.console import Verified
from tests.console.browsing import Office
from tests.console.samples.company import NOW
from tests.console.test_health import HEALTH


def test_every_kind_is_of_one_subject() -> None:
    known = [each.name for each in kinds()]
    assert {kind: subjects_of(kind) for kind in known if len(subjects_of(kind)) != 1} == {}
    assert set(known) >= BY_MACHINE
    assert {each for kind in known for each in subjects_of(kind)} == set(SUBJECTS) - {"", "all"}


def test_only_what_repeats_itself_is_left_out_and_what_nobody_knows_is_shown() -> None:
    there = ("request.made", "recording.chunks_sealed", "unheard.of")
    assert narrowed("", there) == ("request.made", "unheard.of")
    assert narrowed("all", there) == there
    assert narrowed("requests", there) == ("request.made",)


def test_no_check_has_passed_while_a_right_was_used_that_the_history_did_not_give() -> None:
    passed, unlawful = Verified(NOW, 9, whole=True), replace(HEALTH, unlawful=("entry 7",))
    assert _check(passed, "All", "each week", HEALTH)["state"] == "proven"
    assert _check(passed, "All", "each week", unlawful)["state"] == "finding"
    assert _check(passed, "All", "each week", replace(HEALTH, findings=("entry 7",)))["state"] == "finding"


@pytest.mark.anyio
async def test_the_entries_of_a_subject_page_and_are_a_sheet(office: Office) -> None:
    for _ in range(30):
        await office.session("eve", "dev-1", "app")
    aud = await office.sign_in("aud")
    pages = [await aud.read("/ledger?of=sessions")]
    while following := re.search(r'href="(/ledger\?[^"]*after=\d+[^"]*)"', pages[-1]):
        pages.append(await aud.read(following[1].replace("&amp;", "&")))
    shown = [[int(each) for each in re.findall(r'href="/ledger\?entry=(\d+)', page)] for page in pages]
    indexes = [each for page in shown for each in page]
    assert [len(each) for each in shown] == [25, 25, 10]
    assert indexes == sorted(set(indexes), reverse=True)
    sheet = list(csv.DictReader(io.StringIO((await aud.read("/ledger?of=sessions&as=csv")).lstrip("\ufeff"))))
    assert [int(each["entry"]) for each in sheet] == indexes
    assert {each["kind"] for each in sheet} == {"session.opened", "session.closed"}
    assert "No such entries" in await aud.read("/ledger?of=directories")
    assert f"entry={indexes[0]}" in await aud.read("/ledger?of=nonsense&after=x")


@pytest.mark.anyio
async def test_the_entries_that_concern_somebody_or_something(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.sign_in("eve")
    sessions = [await office.session("eve", "dev-1", "app") for _ in range(2)]
    await office.company.join("gus", "engineer")
    await office.sign_in("gus")
    theirs = await office.session("gus", "dev-1", "app")
    aud = await office.sign_in("aud")

    async def kinds_of(asked: str) -> list[tuple[str, str]]:
        sheet = csv.DictReader(io.StringIO((await aud.read(f"/ledger?as=csv&{asked}")).lstrip("\ufeff")))
        return [(each["entry"], each["kind"]) for each in sheet]

    of_eve = await kinds_of("of=sessions&who=EVE@example.com")
    assert [kind for _, kind in of_eve] == ["session.closed", "session.opened"] * 2
    assert await kinds_of("of=sessions&who=eve") == of_eve == await kinds_of("of=sessions&who=eve%20example")
    here = await kinds_of("of=sessions&where=dev-1")
    assert [kind for _, kind in here] == ["session.closed", "session.opened"] * 3
    assert await kinds_of("of=sessions&where=dev-1&who=eve") == of_eve
    assert await kinds_of("of=sessions&where=dev") == []
    assert await kinds_of("who=nobody") == []
    everything = await kinds_of("who=eve")
    assert {"person.added", "sign_in.opened", "binding.added"} <= {kind for _, kind in everything}
    page = await aud.read("/ledger?of=sessions&who=eve")
    assert 'name="who" value="eve"' in page
    assert all(each not in page for each in (theirs, "Looked back"))
    assert sessions
    monkeypatch.setattr("onepam.store.read.concerned.LOOKED", 3)
    assert await kinds_of("who=eve") == everything, "however little is looked through at once"
    page = await aud.read("/ledger?who=eve&of=people")
    assert "and looking further" in page
    assert "ledger is empty" not in page
    shown, looked = list[str](), 0
    while following := re.search(r'hx-get="(/ledger\?[^"]*looks=\d+[^"]*)" hx-trigger="load"', page):
        shown += re.findall(r'href="/ledger\?entry=(\d+)', page)
        page, looked = await aud.read(following[1].replace("&amp;", "&")), looked + 1
    assert looked > 3
    shown += re.findall(r'href="/ledger\?entry=(\d+)', page)
    assert shown == [entry for entry, _ in await kinds_of("who=eve&of=people")], "it goes on by itself to the beginning"
    assert "back to the first entry" in page
    monkeypatch.setattr("onepam.console.history.ledger.LOOKS", 2)
    page = await aud.read("/ledger?who=eve&of=people&after=9&lacks=25&looks=1")
    assert "the next page goes on from there" in page, "and so often only"
    assert 'hx-trigger="load"' not in page


@pytest.mark.anyio
async def test_a_name_that_nobody_has_is_said_with_those_that_are_like_it(office: Office) -> None:
    await office.sign_in("eve")
    aud = await office.sign_in("aud")
    page = await aud.read("/ledger?who=exampl&of=people")
    assert "Nobody is called “exampl”" in page
    assert '<a href="/ledger?of=people&amp;who=eve">Eve Example</a>' in page
    page = await aud.read("/ledger?where=dev")
    assert "No resource is called “dev”" in page
    assert '<a href="/ledger?where=dev-1">dev-1</a>' in page
    assert "Like it" not in await aud.read("/ledger?who=qqqq")
    assert "is called" not in await aud.read("/ledger?who=eve&where=dev-1")


@pytest.mark.anyio
async def test_an_entry_leads_to_whom_and_what_it_names_and_says_whose_it_is(office: Office) -> None:
    await office.sign_in("eve")
    session = await office.session("eve", "dev-1", "app")
    aud = await office.sign_in("aud")
    listed = await aud.read("/ledger?of=sessions")
    assert f"The session {session} (Eve Example, app on dev-1) was closed" in listed
    sheet = csv.DictReader(io.StringIO((await aud.read("/ledger?as=csv")).lstrip("\ufeff")))
    index = {each["kind"]: each["entry"] for each in sheet}
    page = await aud.read(f"/ledger?entry={index['session.opened']}")
    for href, words in (("people/eve", "Eve Example"), ("resources/dev-1", "dev-1"), (f"sessions/{session}", session)):
        assert f'<a href="/{href}">{words}</a>' in page
    assert f"<title>Entry {index['session.opened']}" in page
    page = await aud.read(f"/ledger?entry={index['session.closed']}")
    assert f'The session <a href="/sessions/{session}">{session}</a> (Eve Example' in page
