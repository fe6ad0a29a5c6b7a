"""The wait of a statement, without a wire and a ledger's file: who is told, and that it ends once in every order."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from onepam.app.sessions.ask_statement import AskingQuery, EndingQuery
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.history.commit import Decided, Placed
from onepam.domain.sessions.waiting_statements import (
    AskingFacts,
    EndingFacts,
    OpenSession,
    StatementApproved,
    StatementAsked,
    StatementEnded,
)
from onepam.gateway import ask_first as module
from onepam.gateway import settling
from onepam.gateway.ask_first import Question, Said, WaitingStatements, ask_first
from onepam.gateway.live import Live
from onepam.gateway.session import Gateway
from onepam.gateway.tasks import Tasks
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Refused, Unavailable
from tests.gateway.test_live_tail import Tail, no_access, still

pytestmark = pytest.mark.anyio

SESSION = OpenSession("eve", "db-1", "app", Instant(HOUR), ("lead",), waits=False, anybody=True)


class Scene:
    """The gateway of one statement. `fails`: so many words to the ledger are lost before one is taken."""

    def __init__(self, *, session: OpenSession | None = SESSION, seconds: float = 3600.0) -> None:
        self.tasks, self.statements = Tasks(), WaitingStatements()
        self.live = Live(cast(Any, Tail()), no_access, still, lambda ends: seconds)
        self.session, self.fails = session, 0
        self.events: list[object] = []
        self.told: list[StatementAsked] = []
        self.asked = asyncio.Event()
        self.then: Callable[[], None] = lambda: None
        gateway = SimpleNamespace(
            ledger=self, live=self.live, statements=self.statements, tasks=self.tasks, random=bytes
        )
        self.question = Question("ses_1", 3, (StatementClass.WRITE,), False, Said("DELETE FROM t"))
        self.wait = self.tasks.spawn(ask_first(cast(Gateway, gateway), self.question, self._hear))

    def _hear(self, asked: StatementAsked) -> None:
        self.told.append(asked)
        self.asked.set()
        self.then()

    async def commit(self, query: object, decide: Callable[[Any, Instant], Decided[Any] | Refused]) -> object:
        if self.fails:
            self.fails -= 1
            raise Unavailable("away")
        over = any(isinstance(each, StatementEnded | StatementApproved) for each in self.events)
        asks = any(isinstance(each, StatementAsked) for each in self.events)
        facts = AskingFacts(self.session) if isinstance(query, AskingQuery) else EndingFacts(asks and not over)
        assert isinstance(query, AskingQuery | EndingQuery)
        decided = decide(facts, Instant(1))
        if isinstance(decided, Decided):
            self.events += decided.events
        return decided

    def says(self, event: object) -> None:
        """Somebody's word, as the ledger has it; heard of at once, or by `hears`."""
        self.events.append(event)

    def hears(self) -> None:
        self.live.apply([Placed(7, Instant(2), self.events[-1])])

    @property
    def yes(self) -> StatementApproved:
        return StatementApproved(self.told[0].statement, "max", "lead")

    def ends(self) -> list[str]:
        return [each.because for each in self.events if isinstance(each, StatementEnded)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "SETTLE_SECONDS", 0)


async def outcome(scene: Scene) -> str:
    """The code of what came of it, "" for a yes; nothing of it is left anywhere."""
    async with asyncio.timeout(60):
        refused = await scene.wait
    assert await scene.tasks.over(60)
    assert len(scene.statements) == len(scene.live._waiting) == 0
    return refused.code if refused is not None else ""


async def test_a_yes_lets_it_run_and_what_it_says_is_shown_as_long_as_it_waits() -> None:
    scene = Scene()
    await scene.asked.wait()
    assert scene.statements.facts(scene.told[0].statement) == [("Statement", "DELETE FROM t")]
    scene.says(scene.yes)
    scene.fails = 1
    scene.hears()
    assert await outcome(scene) == ""
    assert (scene.ends(), scene.fails) == ([], 1), "the ledger, which has it, is asked for nothing more"


async def test_what_cannot_wait_is_told_to_nobody() -> None:
    scene = Scene(session=None)
    assert await outcome(scene) == "statement.session_over"
    assert (scene.told, scene.events) == ([], [])


async def test_nobody_decided_in_time() -> None:
    scene = Scene(seconds=0.0)
    assert await outcome(scene) == "statement.lapsed"
    assert scene.ends() == ["statement.lapsed"]


async def test_a_yes_in_time_that_is_heard_of_after_it_holds() -> None:
    """The ledger has it when the gateway would say that its time is over."""
    scene = Scene(seconds=0.0)
    scene.then = lambda: scene.says(scene.yes)
    await scene.asked.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not scene.wait.done()
    scene.hears()
    assert await outcome(scene) == ""
    assert scene.ends() == []


async def test_a_yes_of_which_nothing_is_heard_lets_nothing_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNHEARD_SECONDS", 0.0)
    scene = Scene(seconds=0.0)
    scene.then = lambda: scene.says(scene.yes)
    assert await outcome(scene) == "gateway.unavailable"


async def test_without_the_ledger_nobody_is_asked_and_it_hears_the_end_once_it_is_back() -> None:
    scene = Scene()
    scene.fails = 3
    assert await outcome(scene) == "gateway.unavailable"
    assert (scene.told, scene.fails) == ([], 0)
    scene = Scene(seconds=0.0)
    scene.then = lambda: setattr(scene, "fails", 3)
    assert await outcome(scene) == "gateway.unavailable"
    assert scene.ends() == ["gateway.unavailable"]


async def test_whoever_cancels_the_wait_ends_it_for_their_reason() -> None:
    scene = Scene()
    await scene.asked.wait()
    scene.question.because = "client.left"
    scene.wait.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outcome(scene)
    assert await scene.tasks.over(60)
    assert scene.ends() == ["client.left"]
    assert len(scene.statements) == len(scene.live._waiting) == 0
