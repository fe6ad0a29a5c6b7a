"""The ledger's time, when the machine's clock moves."""

from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from onepam.app.history.confirm_clock import ClockFacts, confirm_clock
from onepam.domain.history.ledger_time import AGREED
from onepam.domain.history.system import ClockConfirmed, ClockJumped
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.signing.author import NodeAuthor
from onepam.store.engine.clock_guard import ClockGuard
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.ledger import SqliteLedger
from tests.store.events import person, write

pytestmark = pytest.mark.anyio

START = Instant(1_800_000_000 * SECOND)


class Clocks:
    """The machine's two clocks: both go on by themselves, only the wall clock can be set."""

    def __init__(self) -> None:
        self.wall = self.steady = START

    def pass_(self, by: int) -> None:
        self.wall, self.steady = Instant(self.wall + by), Instant(self.steady + by)

    def jump(self, by: int) -> None:
        self.wall = Instant(self.wall + by)


class Machine:
    """A ledger on a machine whose clocks a test moves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clocks = Clocks()
        self.ledger = SqliteLedger(
            path, NodeAuthor.uncertified("node-1"), lambda: self.clocks.wall, bytes, lambda: self.clocks.steady
        )

    def restart(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.ledger.close()
        meanwhile()
        self.ledger = SqliteLedger(
            self.path, NodeAuthor.uncertified("node-1"), lambda: self.clocks.wall, bytes, lambda: self.clocks.steady
        )

    async def confirm(self, node: str | None = None) -> Refused | tuple[str, ...]:
        """As the command on the host does: another process, which has no doubt of its own."""
        other = SqliteLedger(
            self.path, NodeAuthor.uncertified("cli"), lambda: self.clocks.wall, bytes, lambda: self.clocks.steady
        )
        try:
            return await confirm_clock(other, "root", self.clocks.wall, node)
        finally:
            other.close()

    def write(self, number: int) -> object:
        self.clocks.pass_(SECOND)
        return write(self.ledger.writer, person(number))

    def history(self) -> list[tuple[object, int]]:
        """Every event, with its time in seconds since the start."""
        with closing(connect(self.path, read_only=True)) as db:
            return [(each.event, (each.header.time - START) // SECOND) for each in entries(db, 0, size_of(db))]


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    machine = Machine(tmp_path / "ledger.sqlite")
    machine.write(0)
    yield machine
    machine.ledger.close()


async def test_a_small_step_is_no_event(machine: Machine) -> None:
    machine.clocks.jump(4 * SECOND)
    machine.write(1)
    assert machine.history() == [(person(0), 1), (person(1), 6)]


async def test_a_jump_forward_is_an_event_and_time_follows_it(machine: Machine) -> None:
    machine.clocks.jump(30 * SECOND)
    machine.write(1)
    assert machine.history()[1:] == [(ClockJumped("node-1", 30 * SECOND, False), 32), (person(1), 32)]


async def test_a_short_jump_backwards_is_an_event_and_time_waits_for_the_clock(machine: Machine) -> None:
    machine.clocks.jump(-MINUTE)
    machine.write(1)
    machine.write(2)
    assert machine.history()[1:] == [(ClockJumped("node-1", -MINUTE, False), 1), (person(1), 1), (person(2), 1)]


async def test_a_long_jump_forward_stops_commands_and_does_not_carry_the_ledgers_time_away(machine: Machine) -> None:
    machine.clocks.jump(365 * DAY)
    for number in (1, 2):
        refused = machine.write(number)
        assert isinstance(refused, Refused)
        assert refused.code == "clock.jumped"
        assert "31536000 s" in refused.message
    assert machine.history()[1:] == [(ClockJumped("node-1", 365 * DAY, True), 2)]
    assert machine.ledger.time() == START + 3 * SECOND


async def test_a_confirmed_clock_is_believed(machine: Machine) -> None:
    machine.clocks.jump(2 * MINUTE)
    machine.write(1)
    assert await machine.confirm() == ("node-1",)
    machine.write(2)
    event, _ = machine.history()[2]
    assert isinstance(event, ClockConfirmed)
    assert (event.node, event.by, event.wall) == ("node-1", "root", START + 2 * SECOND + 2 * MINUTE)
    assert machine.history()[-1] == (person(2), 123)


async def test_another_process_can_confirm(machine: Machine) -> None:
    machine.clocks.jump(2 * MINUTE)
    assert isinstance(machine.write(1), Refused)
    assert isinstance(await machine.confirm("node-2"), Refused)
    assert isinstance(machine.write(2), Refused)
    assert await machine.confirm("node-1") == ("node-1",)
    assert not isinstance(machine.write(3), Refused)
    assert machine.history()[-1] == (person(3), 124)


async def test_a_clock_set_right_again_still_waits_for_the_word(machine: Machine) -> None:
    machine.clocks.jump(HOUR)
    machine.write(1)
    machine.clocks.jump(-HOUR)
    assert isinstance(machine.write(2), Refused)
    await machine.confirm()
    machine.write(3)
    assert machine.history()[-1] == (person(3), 4)


@pytest.mark.parametrize("seen", ["while it ran", "at a start"])
async def test_a_clock_that_was_ahead_and_is_right_again_stops_commands_until_confirmed(
    machine: Machine, seen: str
) -> None:
    """Entries of a false future: the ledger's time does not go back to the clock, and does not stand still either."""
    machine.restart(lambda: machine.clocks.jump(2 * HOUR))  # a start cannot know that the clock is ahead
    machine.write(1)
    if seen == "at a start":
        machine.restart(lambda: machine.clocks.jump(-2 * HOUR))
    else:
        machine.clocks.jump(-2 * HOUR)
    refused = machine.write(2)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.hint.split(": ")[1]) == ("clock.behind", "onepam ledger confirm-clock")
    jumped, at = machine.history()[-1]
    assert isinstance(jumped, ClockJumped)
    assert (jumped.stops, at) == (True, 7202)
    assert -2 * HOUR <= jumped.microseconds < -2 * HOUR + 2 * SECOND
    assert isinstance(machine.write(3), Refused)
    assert machine.history()[-1] == (jumped, at), "told once"
    assert await machine.confirm() == ("node-1",)
    machine.clocks.pass_(10 * HOUR)
    machine.write(4)
    assert machine.history()[-1] == (person(4), 7202 + 9 * 3600)
    machine.clocks.pass_(11 * HOUR)
    machine.write(5)
    assert machine.history()[-1] == (person(5), (machine.clocks.wall - START) // SECOND), "both agree again"


async def test_a_doubt_outlives_the_process_and_is_told_once(machine: Machine) -> None:
    machine.clocks.jump(HOUR)
    machine.write(1)
    for _ in range(3):
        machine.restart()
        refused = machine.write(2)
        assert isinstance(refused, Refused)
        assert refused.code == "clock.doubted"
    assert len(machine.history()) == 2
    await machine.confirm()
    assert not isinstance(machine.write(3), Refused)


async def test_an_offset_outlives_the_process(machine: Machine) -> None:
    machine.restart(lambda: machine.clocks.jump(2 * HOUR))
    machine.write(1)
    machine.clocks.jump(-2 * HOUR)
    machine.write(2)
    await machine.confirm()
    machine.clocks.pass_(10 * HOUR)
    machine.restart()
    assert machine.ledger.time() - machine.clocks.wall == pytest.approx(HOUR, abs=2 * SECOND)
    assert machine.ledger.seconds_until(Instant(machine.ledger.time() + 9 * MINUTE)) == pytest.approx(600)
    assert not isinstance(machine.write(3), Refused)


async def test_nothing_to_confirm_is_said(machine: Machine) -> None:
    for node in (None, "node-1"):
        refused = await machine.confirm(node)
        assert isinstance(refused, Refused)
        assert refused.code == "clock.not_in_doubt"
    assert len(machine.history()) == 1


def test_a_jump_stays_to_be_told_until_its_event_is_durable() -> None:
    clocks = Clocks()
    guard = ClockGuard("node-1", lambda: clocks.wall, lambda: clocks.steady)
    clocks.jump(HOUR)
    assert guard.check(START) == guard.check(START) == ClockJumped("node-1", HOUR, True)
    guard.heed(ClockFacts({}, AGREED))
    assert guard.stopped is not None
    guard.recorded()
    assert guard.check(START) is None
    guard.heed(ClockFacts({}, AGREED))
    assert guard.stopped is None


def test_a_jump_between_two_checks_counts_for_a_minute_at_most() -> None:
    clocks = Clocks()
    guard = ClockGuard("node-1", lambda: clocks.wall, lambda: clocks.steady)
    clocks.jump(DAY)
    assert guard.now(START) == guard.time() == START + MINUTE


@pytest.mark.parametrize(("behind", "stops"), [(MINUTE, False), (MINUTE + 1, True)])
def test_a_clock_is_behind_from_more_than_a_minute_on(behind: int, stops: bool) -> None:
    clocks = Clocks()
    guard = ClockGuard("node-1", lambda: clocks.wall, lambda: clocks.steady)
    guard.check(Instant(START + behind))
    assert (guard.stopped is not None) is stops
    assert guard.time() == START + behind
