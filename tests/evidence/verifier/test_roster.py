"""The roster in force is the newest: an older one counts for nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from onepam.evidence.verifier.roster import Version
from onepam.kernel.clock import HOUR


@pytest.mark.parametrize(
    ("newest", "stale", "hours"),
    [({"received": 5}, "", "1"), ({"received": None}, "no roster", ""), ({}, "no roster", "")],
)
def test_where_the_newest_says_no_time_there_is_no_roster(newest: Any, stale: str, hours: str) -> None:
    bodies = {3: {"received": 4}, 9: newest}

    class Disclosed(dict[int, Any]):
        def body(self, index: int) -> Any:
            return self[index]

    log = SimpleNamespace(all_of=lambda kinds, begin, end: sorted(bodies))
    found = Version(SimpleNamespace(log=log, disclosed=Disclosed(bodies)), "accounts", HOUR + 5)  # type: ignore[arg-type]
    assert (found.stale(), found.hours()) == (stale, hours)
