"""Whose users are swept, and that a server which does not answer is asked once."""

from typing import Any, cast

import pytest

from onepam.domain.sessions.session_users import LeftBecause
from onepam.jobs.session_users import OTHERS, SessionUserSweep
from onepam.kernel.clock import Instant
from onepam.store.read.session_users import OverUser, over_users

pytestmark = pytest.mark.anyio

NOW = Instant(1 << 50)


class Swept:
    """What is swept, and what was known of its resource then."""

    def __init__(self, *rows: OverUser, **because: LeftBecause) -> None:
        self.asked: list[tuple[str, LeftBecause | None]] = []
        self._rows, self._because = rows, because

    async def read(self, read: Any, *of: Any) -> Any:
        assert read is over_users
        return self._rows

    async def drop(self, user: str, away: LeftBecause | None) -> LeftBecause | None:
        self.asked.append((user, away))
        return away or self._because.get(user)

    async def turn(self) -> list[tuple[str, LeftBecause | None]]:
        await SessionUserSweep(cast(Any, self.read), "nod_1", self.drop, lambda: NOW).turn()
        return self.asked


async def test_what_another_process_still_may_drop_is_left_to_it() -> None:
    ours = OverUser("ours", "db", "nod_1", NOW)
    theirs = OverUser("theirs", "db", "nod_2", Instant(NOW - OTHERS + 1))
    dead = OverUser("dead", "db", "nod_2", Instant(NOW - OTHERS))
    assert await Swept(ours, theirs, dead).turn() == [("ours", None), ("dead", None)]


@pytest.mark.parametrize(
    ("because", "away"),
    [(LeftBecause.DOWN, LeftBecause.DOWN), (LeftBecause.SECRET, LeftBecause.SECRET), (LeftBecause.OWNS, None)],
)
async def test_a_server_that_does_not_answer_is_asked_once(because: LeftBecause, away: LeftBecause | None) -> None:
    rows = [OverUser(name, name[:2], "nod_1", NOW) for name in ("db1", "db2", "dc1")]
    assert await Swept(*rows, db1=because).turn() == [("db1", None), ("db2", away), ("dc1", None)]
