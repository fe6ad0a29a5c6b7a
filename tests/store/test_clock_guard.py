"""The ledger's time, when the machine's clock moves."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from onepam.app.confirm_clock import confirm_clock
from onepam.domain.system import ClockConfirmed, ClockJumped
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.store.clock_guard import ClockGuard
from onepam.store.database import connect
from onepam.store.entries import entries, size_of
from onepam.store.ledger import SqliteLedger
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
        self.ledger = SqliteLedger(path, "node-1", lambda: self.clocks.wall, bytes, lambda: self.clocks.steady)

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
    assert machine.history()[1:] == [(ClockJumped("node-1", 30 * SECOND), 32), (person(1), 32)]


async def test_a_jump_backwards_is_an_event_and_time_does_not_follow_it(machine: Machine) -> None:
    machine.clocks.jump(-HOUR)
    machine.write(1)
    machine.write(2)
    assert machine.history()[1:] == [(ClockJumped("node-1", -HOUR), 1), (person(1), 1), (person(2), 1)]


async def test_a_long_jump_forward_stops_commands_and_does_not_carry_the_ledgers_time_away(machine: Machine) -> None:
    machine.clocks.jump(365 * DAY)
    for number in (1, 2):
        refused = machine.write(number)
        assert isinstance(refused, Refused)
        assert refused.code == "clock.jumped"
        assert "31536000 s" in refused.message
    assert machine.history()[1:] == [(ClockJumped("node-1", 365 * DAY), 2)]


async def test_a_confirmed_clock_is_believed(machine: Machine) -> None:
    machine.clocks.jump(2 * MINUTE)
    machine.write(1)
    assert await confirm_clock(machine.ledger, "node-1", "root") is None
    machine.write(2)
    assert machine.history()[2:] == [(ClockConfirmed("node-1", "root"), 2), (person(2), 123)]


async def test_another_process_can_confirm(machine: Machine) -> None:
    machine.clocks.jump(2 * MINUTE)
    assert isinstance(machine.write(1), Refused)
    other = SqliteLedger(machine.path, "cli", lambda: machine.clocks.wall, bytes)
    assert await confirm_clock(other, "node-2", "root") is not None
    assert isinstance(machine.write(2), Refused)
    assert await confirm_clock(other, "node-1", "root") is None
    other.close()
    assert not isinstance(machine.write(3), Refused)
    assert machine.history()[-1] == (person(3), 124)


async def test_a_clock_set_right_again_still_waits_for_the_word(machine: Machine) -> None:
    machine.clocks.jump(HOUR)
    machine.write(1)
    machine.clocks.jump(-HOUR)
    assert isinstance(machine.write(2), Refused)
    await confirm_clock(machine.ledger, "node-1", "root")
    machine.write(3)
    assert machine.history()[-1] == (person(3), 4)


async def test_nothing_to_confirm_is_said(machine: Machine) -> None:
    refused = await confirm_clock(machine.ledger, "node-1", "root")
    assert isinstance(refused, Refused)
    assert refused.code == "clock.not_in_doubt"
    assert len(machine.history()) == 1


def test_a_jump_stays_to_be_told_until_its_event_is_durable() -> None:
    clocks = Clocks()
    guard = ClockGuard("node-1", lambda: clocks.wall, lambda: clocks.steady)
    clocks.jump(HOUR)
    assert guard.check() == guard.check() == ClockJumped("node-1", HOUR)
    guard.confirm()
    assert guard.stopped is not None
    guard.recorded()
    assert guard.check() is None
    guard.confirm()
    assert guard.stopped is None


def test_a_jump_between_two_checks_counts_for_a_minute_at_most() -> None:
    clocks = Clocks()
    guard = ClockGuard("node-1", lambda: clocks.wall, lambda: clocks.steady)
    clocks.jump(DAY)
    assert guard.now(START) == START + MINUTE
