"""When a crowd at a door is said, and when it is over."""

from onepam.domain.host.doors import CALM, MANY, WINDOW, Door, DoorCalm, DoorPressed, DoorWatch
from onepam.kernel.clock import MINUTE, SECOND

NOW = 77 * MINUTE


def watch() -> DoorWatch:
    return DoorWatch("nod_1", Door.SSH, NOW)


def test_few_are_no_crowd_however_long() -> None:
    found = watch()
    for minute in range(1, 60):
        assert found.look(minute * (MANY - 1), 3, 1, NOW + minute * WINDOW) is None


def test_many_within_the_window_are_a_crowd_from_the_first_of_them() -> None:
    found = watch()
    assert found.look(MANY - 1, 3, 1, NOW + 10 * SECOND) is None
    assert found.look(MANY, 700, 4, NOW + 20 * SECOND) == DoorPressed("nod_1", Door.SSH, MANY, 20, 700, 4)
    assert watch().look(MANY + 5, 9, 2, NOW) == DoorPressed("nod_1", Door.SSH, MANY + 5, 1, 9, 2)


def test_the_window_moves_on() -> None:
    found = watch()
    assert found.look(MANY - 1, 3, 1, NOW + WINDOW) is None
    assert found.look(2 * MANY - 2, 3, 1, NOW + WINDOW + SECOND) is None
    assert found.look(2 * MANY - 1, 3, 1, NOW + WINDOW + 2 * SECOND) is not None


def test_a_crowd_is_said_once_and_its_end_once() -> None:
    found = watch()
    assert found.look(MANY, 3, 1, NOW + SECOND) is not None
    assert found.look(10 * MANY, 3, 1, NOW + 2 * SECOND) is None
    assert found.look(20 * MANY, 3, 1, NOW + 31 * SECOND) is None
    assert found.look(20 * MANY, 3, 1, NOW + 31 * SECOND + CALM - 1) is None
    calm = found.look(20 * MANY, 3, 1, NOW + 31 * SECOND + CALM)
    assert calm == DoorCalm("nod_1", Door.SSH, 20 * MANY, 31)
    later = NOW + 31 * SECOND + CALM
    assert found.look(20 * MANY, 3, 1, later + CALM) is None
    assert found.look(21 * MANY, 3, 1, later + CALM + SECOND) is not None


def test_a_second_crowd_is_counted_by_itself() -> None:
    found = watch()
    assert found.look(MANY, 3, 1, NOW) is not None
    assert found.look(MANY, 3, 1, NOW + CALM) is not None
    begun = NOW + CALM + SECOND
    assert found.look(3 * MANY, 8, 2, begun) == DoorPressed("nod_1", Door.SSH, 2 * MANY, 1, 8, 2)
    assert found.look(3 * MANY, 3, 1, begun + CALM) == DoorCalm("nod_1", Door.SSH, 2 * MANY, 1)
