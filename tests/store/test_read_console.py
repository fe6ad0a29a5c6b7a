"""What the console asks of history: the numbers on each page, searching, a request's chain, entries, the setup."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.store.engine.database import connect
from onepam.store.facts.deciding import deciders
from onepam.store.read.changes import text_in_force
from onepam.store.read.console import Counts, counts, entry, kept, kinds_there, listed, newest, setup
from onepam.store.read.estate import sites
from onepam.store.read.explain import asked
from onepam.store.read.moments import history_of
from onepam.store.read.paging import Window
from onepam.store.read.proposals import proposed_enrolment
from onepam.store.read.requests import count_waiting, request_of_grant, requests
from onepam.store.read.second_factor import mfa_report
from onepam.store.read.sessions import (
    SessionFilter,
    count_refusals,
    count_sessions,
    refusal,
    refusals,
    sessions,
)
from tests.company import Company, record


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


@pytest.mark.anyio
async def test_a_page_counts_what_its_reader_may_decide_and_see(company: Company) -> None:
    await company.ask("eve", "web-1", "app")
    await company.open("eve", "dev-1", "app")
    assert await company.reader(counts, None, "max") == Counts(1, 0, 0, answers=True), "he answers for others"
    assert await company.reader(counts, None, "eve") == Counts(0, 0, 1)
    assert await company.reader(counts, None, "vic") == Counts(0, 0, 0)
    assert await company.reader(counts, None, "aud") == Counts(0, 0, 1, answers=True)
    assert await company.reader(count_waiting, None, "bob") == 0


@pytest.mark.anyio
async def test_the_chain_of_a_request_grows_with_its_decision(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    before = company.clock()
    links = await company.reader(asked, None, made.request)
    assert [each.kind for each in links] == ["role", "permission", "binding", "request", "ticket"]
    granted = await company.approve("max", made)
    links = await company.reader(asked, None, made.request)
    assert [each.kind for each in links] == ["role", "permission", "binding", "request", "ticket", "approval", "grant"]
    assert links[-2].by_name == "Max Example"
    assert "approval" not in [each.kind for each in await company.reader(asked, before, made.request)]
    assert await company.reader(asked, None, "nothing") == ()
    assert await company.reader(request_of_grant, None, granted.grant) == made.request
    assert await company.reader(request_of_grant, None, "nothing") is None
    assert await company.reader(deciders, None, ("manager",), "eve") == (("max", "Max Example"),)
    assert await company.reader(deciders, None, ("manager",), "max") == ()
    decided = await company.reader(requests, None, decider="max", most=1)
    assert [each.request for each in decided] == [made.request]
    assert await company.reader(requests, None, decider="ada") == ()


@pytest.mark.anyio
async def test_sessions_and_refusals_are_searched_counted_and_cut_by_time(company: Company) -> None:
    await company.open("eve", "dev-1", "app")
    company.clock.advance(HOUR)
    between = company.clock()
    await company.open("eve", "nowhere", "root")
    await company.open("eve", "dev-1", "app")
    for word, many in (("DEV", 2), ("example", 2), ("192.0.2", 2), ("eve", 2), ("vic", 0), ("%", 0)):
        which = SessionFilter(search=word, before=between)
        assert await company.reader(count_sessions, None, which) == many, word
        assert len(await company.reader(sessions, None, which)) == many // 2, word
    for word, many in (("NOWHERE", 1), ("root", 1), ("eve", 1), ("192.0.2", 1), ("dev", 0)):
        assert await company.reader(count_refusals, None, SessionFilter(search=word)) == many, word
    assert await company.reader(count_sessions, None, SessionFilter(since=between)) == 1
    assert await company.reader(count_refusals, None, SessionFilter(since=company.clock())) == 0
    assert await company.reader(refusals, None, SessionFilter(before=between)) == ()
    assert await company.reader(count_sessions, None, SessionFilter(status="ended")) == 0
    (told,) = await company.reader(refusals, None, SessionFilter(person="eve"))
    assert await company.reader(refusal, None, told.session) == told
    assert await company.reader(refusal, between, told.session) is None


@pytest.mark.anyio
async def test_the_setup_counts_what_is_missing(company: Company) -> None:
    found = await company.reader(setup)
    before = len((await company.reader(mfa_report)).without)
    assert (found.administrators, found.resources, found.unpinned, found.roles, found.factorless) == (
        2,
        4,
        1,
        6,
        before,
    )
    new = PersonAdded("new", PersonKind.EMPLOYEE, "joined", "ada", None, None, name="New", email="new@example.com")
    await record(company.ledger, new)
    assert (await company.reader(setup)).factorless == before + 1
    assert (await company.reader(setup, Instant(company.clock() - DAY))).resources == 0


@pytest.mark.anyio
async def test_entries_are_those_of_the_instant(company: Company) -> None:
    before = company.clock()
    size = (await company.reader(kept)).entries
    company.clock.advance(MINUTE)
    made = await company.ask("eve", "web-1", "app")
    last = await company.reader(newest)
    assert last is not None
    assert (last.header.index, last.event.request) == (size, made.request)
    assert await company.reader(entry, None, size) == last
    assert await company.reader(entry, before, size) is None
    assert await company.reader(entry, None, -1) is None
    first = await company.reader(entry, None, 0)
    assert first is not None
    assert (await company.reader(kept)).oldest == first.header.time


@pytest.mark.anyio
async def test_entries_come_by_kind_the_newest_first_each_once(company: Company) -> None:
    before = company.clock()
    await company.ask("eve", "web-1", "app")
    with closing(connect(company.path)) as db:
        told = [(each["idx"], each["kind"]) for each in db.execute("SELECT idx, kind FROM entry ORDER BY idx DESC")]
    there = await company.reader(lambda db, at: kinds_there(db))
    assert there == tuple(sorted({kind for _, kind in told}))
    for kinds in (there, ("binding.added", "person.added"), ()):
        found, after = list[int](), None
        while after != "":
            part = await company.reader(listed, None, Window(after or "", 4), kinds)
            found += [each.header.index for each in part.rows]
            after = part.next
        assert found == [index for index, kind in told if kind in kinds]
    assert (await company.reader(listed, before, Window(), ("request.made",))).rows == ()
    odd = await company.reader(listed, None, Window("-1", 4), there)
    assert odd == await company.reader(listed, None, Window(size=4), there)


@pytest.mark.anyio
async def test_what_was_there_is_found_by_name(company: Company) -> None:
    found = await company.reader(sites, None, ["web-1", "old-1", "nowhere"])
    assert {name: each.ready for name, each in found.items()} == {"web-1": True, "old-1": False}
    (declared,) = await company.reader(history_of, None, "resource", "web-1")
    assert declared.kind == "resource.set"
    assert len(declared.leaf) == 32
    assert await company.reader(history_of, None, "resource", "nowhere") == ()
    assert await company.reader(text_in_force) == ""
    assert await company.reader(proposed_enrolment, None, "ada") is None
