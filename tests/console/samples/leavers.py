"""The board of leavers."""

from dataclasses import replace
from typing import Any

from onepam.console.leaving.leavers_page import LeaversPage
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND
from tests.console.samples.company import JONAS, TOMAS, Context, ago, ahead

_REMOVED = ago(2 * DAY)


def system(name: str, **more: Any) -> Context:
    return {
        "name": name, "held": 3, "removed": _REMOVED, "ended": _REMOVED + SECOND, "known": True, "sealed": None,
        "probed": _REMOVED + 4 * SECOND,
        "state": "proven", "word": "4 refused", **more,
    }  # fmt: skip


def leaver(who: Context, **more: Any) -> Context:
    return {
        "id": who["id"], "name": who["name"], "kind": "employee", "because": "contract ended", "origin": "roster",
        "took": "4 min", "width": 41.5, "state": "proven", "findings": [], "removed": _REMOVED,
        "stamps": [
            {"word": "Left, by roster or directory", "at": _REMOVED - 4 * MINUTE},
            {"word": "We were notified", "at": _REMOVED - SECOND},
            {"word": "Access removed", "at": _REMOVED},
            {"word": "Last byte", "at": _REMOVED + SECOND},
            {"word": "Recordings sealed and verified", "at": _REMOVED + 3 * SECOND},
        ],
        "points": [
            {"word": "We were notified", "at": _REMOVED - SECOND, "x": 41.2},
            {"word": "Access removed", "at": _REMOVED, "x": 41.4},
            {"word": "Last byte", "at": _REMOVED + SECOND, "x": 41.5},
        ],
        "systems": [
            system("SSH", sealed=_REMOVED + 3 * SECOND),
            system("Console", held=1),
            system("Command line", held=0, state="untested", word="not probed", probed=None),
        ],
        **more,
    }  # fmt: skip


LEAVERS = LeaversPage(
    begin=ago(90 * DAY),
    until=ahead(0),
    total=2,
    may_probe=True,
    figures=[
        {"word": "Half of them within", "value": "4 min", "state": "plain"},
        {"word": "95 of 100 within", "value": "1 day 2 h", "state": "plain"},
        {"word": "The longest", "value": "1 day 2 h", "state": "plain"},
        {"word": "Findings", "value": "1", "state": "finding"},
    ],
    ticks=[{"x": 5.6, "word": "1 s"}, {"x": 33.3, "word": "1 min"}, {"x": 66.3, "word": "1 h"},
              {"x": 92.0, "word": "24 h"}],
    people=[
        leaver(JONAS),
        leaver(
            TOMAS, took="1 day 2 h", width=92.6, state="finding", findings=["longer than 24 hours"],
            systems=[system("SSH", ended=None, state="finding", word="1 would open"), system("Console", known=False),
                     system("Command line")],
            stamps=[{"word": "Left, by roster or directory", "at": _REMOVED - DAY - 2 * HOUR},
                    {"word": "Access removed", "at": _REMOVED}],
        ),
    ],
)  # fmt: skip
NO_LEAVERS = replace(LEAVERS, people=[], total=0)
