"""The query pages that are open: whose, how many, and when they end."""

import asyncio

import pytest

from onepam.console.frame import queries
from onepam.console.frame.queries import BUSY, CROWDED, GONE, MANY, UNSERVED, Open, Queries
from onepam.domain.access.authority import Actor
from onepam.kernel.errors import Refused
from onepam.protocols.postgres.runner import Connection
from onepam.protocols.postgres.said import Wrong

pytestmark = pytest.mark.anyio

EVE, EVE_AGAIN, BOB = (
    Actor("eve", "sgn_1", "192.0.2.1"),
    Actor("eve", "sgn_2", "192.0.2.1"),
    Actor("bob", "sgn_3", "192.0.2.2"),
)


async def nowhere(source: str) -> Connection | Refused:
    return Refused("door.crowded", "Full.")


def opened(found: Queries, ident: str, actor: Actor = EVE) -> Open:
    page = found.open(ident, actor)
    assert isinstance(page, Open)
    return page


async def test_a_page_is_its_sign_ins_alone() -> None:
    found = Queries(nowhere)
    page = opened(found, "qry_1")
    assert found.of("qry_1", EVE) is page
    assert page.timer is not None, "somebody looks whether it is left"
    assert found.of("qry_1", EVE_AGAIN) is GONE
    assert found.of("qry_1", BOB) is GONE
    found.end(page)
    found.end(page)
    assert page.timer.cancelled()
    assert found.of("qry_1", EVE) is GONE
    await found.ended()


async def test_of_one_person_so_many_are_open() -> None:
    found = Queries(nowhere)
    pages = [opened(found, f"qry_{number}", (EVE, EVE_AGAIN)[number % 2]) for number in range(queries.MOST_PAGES)]
    assert found.open("qry_more", EVE) is MANY
    opened(found, "qry_bob", BOB)
    pages[0].runner.over = Wrong("57P01", "killed", fatal=True)
    opened(found, "qry_next")
    assert len(found) == queries.MOST_PAGES + 1
    found.signed_out(EVE_AGAIN)
    assert {each.sign_in for each in found._pages.values()} == {"sgn_1", "sgn_3"}
    await found.ended()


async def test_where_nothing_listens_there_is_none() -> None:
    assert Queries().open("qry_1", EVE) is UNSERVED


async def test_one_thing_runs_at_a_time_and_so_many_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Queries(nowhere)
    page, other, third = opened(found, "qry_1"), opened(found, "qry_2"), opened(found, "qry_3", BOB)
    with found.runs(page) as first:
        assert first is None
        with found.runs(page) as second:
            assert second is BUSY
        monkeypatch.setattr(queries, "MOST_FROM_ADDRESS", 1)
        with found.runs(other) as elsewhere:
            assert elsewhere is CROWDED
        with found.runs(third) as apart:
            assert apart is None
        monkeypatch.setattr(queries, "MOST_RUNNING", 1)
        with found.runs(third) as apart:
            assert apart is CROWDED
    with found.runs(other) as elsewhere:
        assert elsewhere is None
    assert len(found) == 3
    assert not found._running


async def test_whoever_does_not_wait_for_the_end_ends_the_page() -> None:
    found = Queries(nowhere)
    page, lost = opened(found, "qry_1"), opened(found, "qry_2")
    with pytest.raises(asyncio.CancelledError), found.runs(page):
        raise asyncio.CancelledError
    with found.runs(lost):
        lost.runner.over = Wrong("08006", "lost", fatal=True)
    assert len(found) == 0
    await found.ended()


async def test_a_page_that_is_gone_or_idle_ends() -> None:
    found, now = Queries(nowhere), asyncio.get_running_loop().time()
    gone, idle, there, busy = (opened(found, f"qry_{number}") for number in range(4))
    gone.seen -= queries.GONE_SECONDS
    idle.used -= queries.IDLE_SECONDS
    busy.used = busy.seen = now - queries.IDLE_SECONDS
    busy.busy = True
    for page in (gone, idle, there, busy):
        found._watch(page)
    assert list(found._pages.values()) == [there, busy]
    assert gone.ending == "The page was left"
    assert idle.ending == "Nothing was run for a quarter of an hour"
    assert busy.used >= now
    assert there.timer is not None
    assert not there.timer.cancelled()
    await found.ended()
