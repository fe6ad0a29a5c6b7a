"""Live sessions when the ledger's tail fails: what is followed again, and when every session ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from onepam.domain.access.decision import AccessFacts
from onepam.domain.history.commit import Placed
from onepam.domain.people.events import PersonDisabled
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.waiting_statements import StatementApproved, StatementEnded
from onepam.domain.signing_in.events import SignedOut
from onepam.gateway import live as module
from onepam.gateway.live import Live
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Unavailable

pytestmark = pytest.mark.anyio


class Tail:
    """A ledger whose tail fails as told: each item is a batch, or a fault to raise."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[list[Placed] | Exception] = asyncio.Queue()
        self.asked: list[int] = []

    def size(self) -> int:
        return 0

    async def follow(self, after: int) -> AsyncIterator[list[Placed]]:
        self.asked.append(after)
        while True:
            item = await self.items.get()
            if isinstance(item, Exception):
                raise item
            yield item


async def no_access(asked: Sequence[tuple[str, str]]) -> list[AccessFacts]:
    raise Unavailable("no database")


def still() -> Instant:
    return Instant(0)


async def follow(tail: Tail, clock: Clock = still) -> tuple[Live, "asyncio.Task[None]"]:
    live = Live(tail, no_access, clock, lambda ends: 3600.0)
    return live, asyncio.get_running_loop().create_task(live.follow(5))


async def test_a_tail_that_fails_is_followed_again_from_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)
    tail = Tail()
    live, task = await follow(tail)
    ends: list[str] = []
    live.register("ses_1", "eve", "dev-1", ends.append)
    tail.items.put_nowait([Placed(5, Instant(1), PersonDisabled("vic", "ada", "x"))])
    tail.items.put_nowait(Unavailable("gone"))
    tail.items.put_nowait([Placed(6, Instant(2), PersonDisabled("eve", "ada", "x"))])
    async with asyncio.timeout(5):
        while not ends:  # noqa: ASYNC110 - the test's own list
            await asyncio.sleep(0.001)
    assert (tail.asked, ends) == ([5, 6], ["person.disabled"])
    task.cancel()


async def test_a_follower_that_begins_again_acts_on_nothing_twice() -> None:
    """It broke by something else than the ledger, and its job was begun anew with the place of long ago."""
    tail, ends = Tail(), list[str]()
    live, task = await follow(tail)
    live.register("ses_1", "eve", "dev-1", ends.append)
    tail.items.put_nowait([Placed(5, Instant(1), PersonDisabled("vic", "ada", "x"))])
    tail.items.put_nowait(RuntimeError("broken"))
    async with asyncio.timeout(60):
        with pytest.raises(RuntimeError, match="broken"):
            await task
        again = asyncio.get_running_loop().create_task(live.follow(5))
        while len(tail.asked) < 2:  # noqa: ASYNC110 - the test's own list
            await asyncio.sleep(0.001)
    assert tail.asked == [5, 6]
    again.cancel()


def test_one_session_that_cannot_be_ended_keeps_no_other_alive() -> None:
    live, ends = Live(Tail(), no_access, still, lambda ends: 3600.0), list[str]()

    def broken(because: str) -> None:
        raise OSError(because)

    live.register("ses_1", "eve", "dev-1", broken)
    live.register("ses_2", "eve", "dev-1", ends.append)
    live.end_all(SessionEnd.GATEWAY_STOPPED)
    assert ends == ["gateway.stopped"]


async def test_one_failure_after_a_quiet_hour_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.0)
    monkeypatch.setattr(module, "WITHOUT_LEDGER_SECONDS", 0.1)
    tail = Tail()
    live, task = await follow(tail)
    ends: list[str] = []
    live.register("ses_1", "eve", "dev-1", ends.append)
    await asyncio.sleep(0.2)
    tail.items.put_nowait(Unavailable("once"))
    await asyncio.sleep(0.05)
    assert ends == []
    await asyncio.sleep(0.1)
    tail.items.put_nowait(Unavailable("and again: it has been away for longer than we wait"))
    await asyncio.sleep(0.05)
    assert ends == ["ledger.unavailable"]
    task.cancel()


def test_of_revoked_sign_ins_the_newest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2)
    live = Live(Tail(), no_access, still, lambda ends: 3600.0)
    live.apply([Placed(n, Instant(n), SignedOut(f"sgn_{n}", "eve", "session.revoked", None)) for n in range(4)])
    assert list(live._revoked) == ["sgn_2", "sgn_3"]


def test_the_bound_is_the_documented_one() -> None:
    assert module.WITHOUT_LEDGER_SECONDS == 60.0


@pytest.mark.parametrize(
    ("event", "code", "words"),
    [
        (StatementEnded("stm_1", "denied", "max", "not today"), "statement.denied", "max said no to this statement: n"),
        (StatementEnded("stm_1", "withdrawn", "eve"), "statement.withdrawn", "eve took this statement back."),
        (StatementEnded("stm_1", "statement.lapsed", "max"), "statement.lapsed", "this statement waits no longer."),
        (StatementEnded("stm_1", "statement.lapsed", None), "statement.lapsed", "this statement waits no longer."),
    ],
)
async def test_what_is_heard_of_a_statement_that_does_not_run(event: StatementEnded, code: str, words: str) -> None:
    live = Live(Tail(), no_access, still, lambda ends: 3600.0)
    with live.decision("stm_1") as decision, live.decision("stm_2") as other:
        live.apply([Placed(5, Instant(1), event), Placed(6, Instant(1), StatementApproved("stm_1", "ada", "lead"))])
        refused = await decision
        assert refused is not None
        assert (refused.code, refused.message[: len(words)]) == (code, words), "the first word holds"
        assert not other.done()
        live.apply([Placed(7, Instant(1), StatementApproved("stm_2", "ada", "lead"))])
        assert await other is None
    live.apply([Placed(8, Instant(1), StatementEnded("stm_2", "denied", "max"))])
