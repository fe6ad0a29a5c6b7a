"""Dials have places: people in turn, and a target that hangs keeps nobody from others."""

import asyncio
from collections.abc import Callable

import pytest

from onepam.gateway import dials as dials_module
from onepam.gateway.dials import BUSY, Dials

pytestmark = pytest.mark.anyio

LONG = 3600.0


class Dialling:
    """Dials that last until they are told to end; who has begun, in order, and what each was told."""

    def __init__(self, dials: Dials) -> None:
        self._dials = dials
        self.begun: list[str] = []
        self.told: list[object] = []
        self._ends: dict[str, asyncio.Event] = {}

    def start(self, name: str, person: str = "eve", resource: str = "db-1") -> "asyncio.Task[None]":
        self._ends[name] = asyncio.Event()

        async def one() -> None:
            async with self._dials.place(person, resource) as refused:
                self.told.append(refused)
                if refused is None:
                    self.begun.append(name)
                    await self._ends[name].wait()

        return asyncio.ensure_future(one())

    def end(self, name: str) -> None:
        self._ends[name].set()


async def rounds() -> None:
    """All that is ready has run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(there: Callable[[], object]) -> None:
    async with asyncio.timeout(300):
        while not there():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_people_and_of_one_the_resources_are_dialled_in_turn() -> None:
    dialling = Dialling(Dials(1, hanging_seconds=LONG))
    tasks = [dialling.start(f"flood {each}", "eve", "db-1") for each in range(3)]
    await rounds()
    tasks += [dialling.start("eve elsewhere", "eve", "db-2"), dialling.start("bob", "bob", "db-1")]
    await rounds()
    assert dialling.begun == ["flood 0"]
    for _ in range(5):
        dialling.end(dialling.begun[-1])
        await rounds()
    assert dialling.begun == ["flood 0", "flood 1", "bob", "eve elsewhere", "flood 2"]
    await asyncio.gather(*tasks)


async def test_no_more_at_once_than_there_are_places() -> None:
    dialling = Dialling(Dials(2, hanging_seconds=LONG))
    tasks = [dialling.start(str(each)) for each in range(5)]
    await rounds()
    assert dialling.begun == ["0", "1"]
    for count in range(5):
        dialling.end(str(count))
        await rounds()
        assert len(dialling.begun) == min(5, count + 3)
    await asyncio.gather(*tasks)
    tasks = [dialling.start("6"), dialling.start("7"), dialling.start("8")]
    await rounds()
    assert dialling.begun[5:] == ["6", "7"]
    for each in tasks:
        each.cancel()


async def test_targets_that_hang_keep_nobody_from_others() -> None:
    """A dial that lasts goes on without a place, and gives none back when it ends."""
    dialling = Dialling(Dials(1, hanging_seconds=0.01))
    hanging = dialling.start("hangs")
    other = dialling.start("other")
    await until(lambda: dialling.begun == ["hangs", "other"])
    assert not hanging.done()
    await asyncio.sleep(0.05)  # the other has no place either by now
    dialling.end("hangs")
    dialling.end("other")
    await asyncio.gather(hanging, other)
    dialling._dials._hanging_seconds = LONG
    more = [dialling.start("a"), dialling.start("b")]
    await rounds()
    assert dialling.begun[2:] == ["a"]
    for task in more:
        task.cancel()


async def test_whoever_leaves_takes_no_place() -> None:
    """Neither while they wait, nor at the moment at which it is theirs."""
    dialling = Dialling(dials := Dials(1, hanging_seconds=LONG))
    async with dials.place("ada", "db-1"):
        waits, given, last = (dialling.start(each) for each in ("waits", "given", "last"))
        await rounds()
        waits.cancel()
        await rounds()
    given.cancel()  # has the place, and has not heard of it
    await until(lambda: dialling.begun)
    assert dialling.begun == ["last"]
    assert given.cancelled()
    dialling.end("last")
    await last
    assert not dials._waiting


async def test_of_one_person_so_many_wait() -> None:
    dialling = Dialling(Dials(1, most_of_one=2, hanging_seconds=LONG))
    tasks = [dialling.start(str(each), "eve") for each in range(4)]
    tasks.append(dialling.start("bob", "bob"))
    await rounds()
    assert dialling.told == [None, BUSY]
    assert tasks[3].done()
    dialling.end("0")
    await rounds()
    assert dialling.begun == ["0", "1"]
    tasks.append(dialling.start("5", "eve"))
    await rounds()
    assert not tasks[-1].done()
    for each in tasks:
        each.cancel()


async def test_of_all_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dials_module, "MOST_WAITING", 2)
    dialling = Dialling(Dials(1, hanging_seconds=LONG))
    tasks = [dialling.start(each, each) for each in ("eve", "bob", "ada", "max")]
    await rounds()
    assert dialling.told == [None, BUSY]
    assert [each.done() for each in tasks] == [False, False, False, True]
    for each in tasks:
        each.cancel()


async def test_nobody_waits_for_ever() -> None:
    dialling = Dialling(Dials(1, hanging_seconds=LONG, waiting_seconds=0.01))
    holds, waits = dialling.start("holds"), dialling.start("waits")
    await waits
    assert dialling.told == [None, BUSY]
    dialling.end("holds")
    await holds
    following = dialling.start("following")
    await rounds()
    assert dialling.begun == ["holds", "following"]
    dialling.end("following")
    await following
