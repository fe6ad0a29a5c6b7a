"""A session in which a statement waits, as its relay sees it: when somebody is asked, when no more, and what passes."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.ask_first import LAPSED
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.protocols.postgres import guarding
from onepam.protocols.postgres.asking import MOST_BEHIND
from onepam.protocols.postgres.relay import Relay
from onepam.protocols.sql.events import Wanted
from onepam.recording.frames import Marker
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.small import Journal

pytestmark = pytest.mark.anyio

WRITES = Guardrails((StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE))
INSERT = "INSERT INTO t VALUES ($1)"


class Asker:
    """In the place of the real one: who is asked, and why no more."""

    def __init__(self) -> None:
        self.asks = False
        self.wanted: list[Wanted] = []
        self.withdrawn: list[str] = []

    def ask(self, wanted: Wanted, tell: Callable[[str], None], decided: Callable[[Refused | None], None]) -> None:
        self.asks, self.tell, self._decided = True, tell, decided
        self.wanted.append(wanted)

    def withdraw(self, because: str) -> bool:
        waited, self.asks = self.asks, False
        self.withdrawn += [because] * waited
        return waited

    def decided(self, refused: Refused | None = None) -> None:
        self.asks = False
        self._decided(refused)


class Side(SimpleNamespace):
    """The client's leg or the target's: what was sent to it, and whether it is held."""

    def __init__(self, **more: Any) -> None:
        super().__init__(sent=b"", held=False, done=[], is_full=False, **more)

    def send(self, data: bytes) -> None:
        self.sent += data

    def hold(self, held: bool) -> None:
        self.held = held

    def part_with(self, words: bytes) -> None:
        self.done.append("parted")

    def cancel(self, tasks: Tasks) -> None:
        self.done.append("cancelled")

    def cut(self) -> None:
        self.done.append("cut")

    close = cut

    def let_in(self) -> bytes:
        return b""

    def is_closed(self) -> bool:
        return False


class Scene:
    def __init__(self) -> None:
        self.asker, self.journal = Asker(), Journal()
        self.client = Side(source="192.0.2.1", minor=0, greeted=True, is_psql=False, left=None)
        self.there = Side(catalogue=None, greeting=(), early=b"", process=1)
        self.cancel: Callable[[], None] = lambda: None

    async def begin(self) -> None:
        target: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.relay = Relay(
            cast(Any, self.client), target, cast(Any, self.journal), lambda _: guarding.allowance(WRITES),
            cast(Any, self), Tasks(), cast(Any, self.asker),
        )  # fmt: skip
        target.set_result(self.there)
        await asyncio.sleep(0)
        self.client.sent = b""

    def make(self, source: str, minor: int, cancel: Callable[[], None], process: int) -> tuple[int, bytes]:
        """As `Keys.make`."""
        self.cancel = cancel
        return 1, b"1234"

    def drop(self, *key: object) -> None:
        """As `Keys.drop`."""


@pytest.fixture
async def scene() -> Scene:
    scene = Scene()
    await scene.begin()
    return scene


async def test_each_is_asked_for_once_and_its_session_hears_that_it_waits(scene: Scene) -> None:
    first, second = pg.query("DELETE FROM t"), pg.query("DELETE FROM u")
    scene.client.heard(first)
    scene.client.heard(second)
    (wanted,) = scene.asker.wanted
    assert wanted == Wanted(1, frozenset(("write",)), b"DELETE FROM t", (), in_transaction=False)
    scene.asker.tell("it waits")
    assert b"it waits" in scene.client.sent
    scene.asker.decided()
    assert scene.there.sent == first
    assert [each.text for each in scene.asker.wanted] == [b"DELETE FROM t", b"DELETE FROM u"]
    marked = [each.text for each in scene.journal.frames if isinstance(each, Marker)]
    assert marked == ["execution 1 waits: it waits", "execution 1: somebody has said yes"]


@pytest.mark.parametrize(
    ("code", "sqlstate"),
    [
        (LAPSED, b"57014"),
        ("client.cancelled", b"57014"),
        ("gateway.unavailable", b"58000"),
        ("gateway.failed", b"58000"),
        ("statement.denied", b"42501"),
        ("statement.nobody", b"42501"),
    ],
)
async def test_by_its_error_a_client_tells_a_no_from_what_nobody_said(code: str, sqlstate: bytes, scene: Scene) -> None:
    scene.client.heard(pg.query("DELETE FROM t"))
    scene.asker.decided(Refused(code, "why"))
    assert b"C" + sqlstate + b"\0" in scene.client.sent
    assert scene.there.sent == b""


async def test_a_cancel_ends_the_wait_or_reaches_the_target(scene: Scene) -> None:
    scene.client.heard(pg.query("DELETE FROM t"))
    scene.cancel()
    assert scene.asker.withdrawn == ["client.cancelled"]
    assert b"C57014\0" in scene.client.sent
    assert scene.there.done == []
    scene.cancel()
    assert scene.there.done == ["cancelled"]


async def test_what_the_target_skips_asks_nobody_any_more(scene: Scene) -> None:
    scene.client.heard(pg.parse("", "SELECT 1/0") + pg.bind("", "") + pg.execute())
    scene.client.heard(pg.parse("", INSERT) + pg.bind("", "", [b"a"]) + pg.execute() + pg.SYNC)
    assert scene.asker.asks
    scene.there.sent = b""
    scene.there.heard(pg.PARSED + pg.BOUND + pg.error("22012", "division by zero"))
    assert scene.asker.withdrawn == ["statement.skipped"]
    assert scene.there.sent == pg.SYNC


async def test_what_waits_behind_is_held_and_read_again(scene: Scene) -> None:
    scene.client.heard(pg.query("DELETE FROM t"))
    scene.client.heard(pg.query("SELECT 1") * (MOST_BEHIND // 14 + 1))
    held = [scene.client.held]
    scene.asker.decided()
    assert [*held, scene.client.held] == [True, False]


async def test_what_is_no_message_behind_it_ends_the_session(scene: Scene) -> None:
    scene.client.heard(pg.query("DELETE FROM t") + b"\xff\xff\xff\xff\xff")
    left = [scene.client.left]
    scene.asker.decided()
    assert [*left, scene.client.left] == [None, SessionEnd.CLIENT_PROTOCOL]
    assert scene.client.done == ["parted"]


@pytest.mark.parametrize("leaves", [True, False])
async def test_the_end_of_the_session_ends_the_wait(leaves: bool, scene: Scene) -> None:
    scene.client.heard(pg.query("DELETE FROM t"))
    if leaves:
        await scene.relay.close()
    else:
        scene.relay.abort()
    assert scene.asker.withdrawn == ["client.left" if leaves else "session.over"]
    scene.asker.tell("it waits")
    scene.asker.decided()
    assert (scene.there.sent, scene.client.sent) == (b"", b"")
