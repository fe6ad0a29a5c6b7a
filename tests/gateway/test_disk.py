"""Who waits and who ends when the disk runs low, with the disk's numbers given."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from onepam.domain.host.disk import DiskStage
from onepam.gateway.disk import LOOK_BYTES, PATIENCE_SECONDS, Disk, Marks, Share, Space

MIB = 1 << 20
MARKS = Marks(alarm=100 * MIB, low=40 * MIB, reserve=8 * MIB)
TOTAL = 1000 * MIB


class Machine:
    """A disk and a clock that do as they are told."""

    def __init__(self) -> None:
        self.free = 500 * MIB
        self.now = 0.0
        self.looks = 0
        self.ended: list[str] = []
        self.disk = Disk(Path("/nowhere"), MARKS, self.look, lambda: self.now)

    def look(self, folder: Path) -> Space:
        self.looks += 1
        return Space(self.free, TOTAL)

    def share(self, session: str, person: str = "") -> Share:
        return self.disk.share(session, person or session, lambda because: self.ended.append(f"{session} {because}"))

    def wrote(self, share: Share, size: int) -> None:
        """The bytes went to the disk."""
        assert share.admits(size)
        self.free -= size

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.disk.tick()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize(
    ("free", "stage"),
    [
        (100 * MIB, DiskStage.ENOUGH),
        (100 * MIB - 1, DiskStage.ALARM),
        (40 * MIB, DiskStage.ALARM),
        (40 * MIB - 1, DiskStage.LOW),
        (0, DiskStage.LOW),
    ],
)
def test_the_marks(machine: Machine, free: int, stage: DiskStage) -> None:
    machine.free = free
    machine.disk.tick()
    assert machine.disk.stage is stage


def test_back_up_only_with_some_room_above_the_mark(machine: Machine) -> None:
    seen = []
    for free in (30, 45, 50, 105, 110, 105, 99):
        machine.free = free * MIB
        machine.disk.tick()
        seen.append(machine.disk.stage.value)
    assert seen == ["low", "low", "alarm", "alarm", "enough", "enough", "alarm"]


def test_the_largest_of_the_person_who_writes_most_waits_first(machine: Machine) -> None:
    typist, big = machine.share("typist"), machine.share("big")
    many = [machine.share(f"many-{number}", "many") for number in range(3)]
    machine.wrote(typist, 1000)
    machine.wrote(big, 20 * MIB)
    for number, share in enumerate(many):
        machine.wrote(share, (10 + number) * MIB)
    order = []
    machine.free = MARKS.low
    for _ in range(6):
        machine.free -= 3 * MIB
        machine.disk.tick()
        order.append([share.session for share in (typist, big, *many) if share.paused])
    assert [set(after) - set(before) for before, after in pairwise(order)] == [
        {"many-1"}, {"many-0"}, {"big"}, set(), set()
    ]  # fmt: skip
    assert order[0] == ["many-2"]


def test_without_new_writing_nobody_else_waits(machine: Machine) -> None:
    first, second = machine.share("first"), machine.share("second")
    machine.wrote(first, 5 * MIB)
    machine.wrote(second, 4 * MIB)
    machine.free = MARKS.low - 1
    for _ in range(5):
        machine.passes(1)
    assert (first.paused, second.paused) == (True, False)


def test_new_space_lets_all_go_on(machine: Machine) -> None:
    share, resumed = machine.share("big"), list[str]()
    share.on_resume = lambda: resumed.append("big")
    machine.wrote(share, 5 * MIB)
    machine.free = MARKS.low - 1
    machine.passes(1)
    assert share.paused
    machine.free = 500 * MIB
    machine.passes(1)
    assert (share.paused, resumed, machine.ended) == (False, ["big"], [])


def test_who_waits_in_vain_ends_one_at_a_time_and_once(machine: Machine) -> None:
    shares = [machine.share(f"big-{number}") for number in range(2)]
    for share in shares:
        machine.wrote(share, 5 * MIB)
    for _ in range(2):
        machine.free = min(machine.free, MARKS.low) - 3 * MIB
        machine.passes(1)
    assert all(share.paused for share in shares)
    machine.passes(PATIENCE_SECONDS - 2)
    assert machine.ended == []
    machine.passes(1)
    assert len(machine.ended) == 1
    for _ in range(3):
        machine.passes(1)
    assert sorted(machine.ended) == ["big-0 disk.low", "big-1 disk.low"]
    assert not any(share.paused for share in shares)


def test_the_reserve_is_nobodys(machine: Machine) -> None:
    share = machine.share("any")
    machine.free = MARKS.reserve + 100
    machine.disk.tick()
    assert share.admits(100)
    machine.free = MARKS.reserve
    assert not share.admits(1)
    machine.free = 500 * MIB
    assert share.admits(1)


def test_between_two_looks_what_is_written_counts(machine: Machine) -> None:
    """Looks are rare while there is much, yet never later than the marks would allow."""
    share = machine.share("any")
    before = machine.looks
    for _ in range(100):
        machine.wrote(share, LOOK_BYTES // 25)
    assert 2 <= machine.looks - before <= 5


@pytest.mark.parametrize("after", [lambda share: share.leave(), lambda share: share.end()], ids=["left", "ended"])
def test_a_share_that_is_over_hears_nothing(machine: Machine, after: Callable[[Share], None]) -> None:
    share, heard = machine.share("gone"), list[str]()
    share.on_resume = lambda: heard.append("resumed")
    machine.wrote(share, 5 * MIB)
    after(share)
    ended = list(machine.ended)
    machine.free = MARKS.low - 1
    machine.passes(1)
    share.pause(machine.now)
    machine.passes(PATIENCE_SECONDS + 1)
    machine.free = 500 * MIB
    machine.passes(1)
    share.end()
    assert (share.paused, heard, machine.ended) == (False, [], ended)
