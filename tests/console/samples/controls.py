"""Controls: the board, and one with rows of every kind."""

from dataclasses import replace
from typing import Any

from onepam.console.controls.controls import BAR, GAP, HEIGHT, NEVER, STATES
from onepam.console.controls.controls_page import ControlPage, ControlsPage
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Verdict
from onepam.kernel.clock import DAY, HOUR
from tests.console.samples.company import JONAS, TOMAS, Context, ago, ahead

DIGEST = "5c0eee35ea6b8d134c934c0c1fe91988287ac18016c5c4317c90e755628d5c9e"


def bars(verdict: Verdict) -> list[Context]:
    """Twenty runs that passed, and then some of a verdict."""
    states = ["proven"] * 20 + [STATES[verdict][0]] * 6
    heights = [HEIGHT] * 20 + [18] * 6
    return [
        {"x": place * (BAR + GAP), "y": HEIGHT - height, "height": height, "state": state}
        for place, (height, state) in enumerate(zip(heights, states, strict=True))
    ]


def control(name: str, verdict: Verdict | None = Verdict.PASS, **more: Any) -> Context:
    state, word = STATES[verdict] if verdict else NEVER
    return {
        "id": name, "title": TESTS[name].control.title, "state": state, "word": word,
        "numbers": "412 of 412 pass" if verdict else "", "tested": ago(5 * HOUR) if verdict else None, "owner": "",
        "due": None, "late": False, "failing": None, "picture": bars(verdict) if verdict else [],
        "picture_words": "The last 30 days: 26 times: holds" if verdict else "No run yet", **more,
    }  # fmt: skip


VENDORS = control(
    "VND-01", Verdict.FAIL, numbers="38 of 41 pass, 2 fail, 1 excluded", owner="Mira Okafor", due=ahead(3 * DAY),
    failing=ago(6 * DAY), picture_words="The last 30 days: 20 times: holds, 6 times: fails",
)  # fmt: skip
CONTROLS = ControlsPage(
    figures=[
        {"word": "Fail", "value": "2 of 5", "state": "finding"},
        {"word": "Not tested", "value": "1 of 5", "state": "untested"},
        {"word": "Hold", "value": "2 of 5", "state": "proven"},
    ],
    controls=[
        VENDORS,
        control("REV-04", Verdict.FAIL, numbers="17 of 18 pass, 1 fail", owner="Jonas Lind", due=ago(DAY), late=True,
                failing=ago(20 * DAY)),
        control("IDN-01", Verdict.NOT_TESTED, numbers="0 of 412 pass, 412 not tested"),
        control("LOG-01"),
        control("PRV-02"),
    ],
    may_test=True,
)  # fmt: skip
NO_RUNS = ControlsPage(
    figures=[
        {"word": "Fail", "value": "0 of 2", "state": "plain"},
        {"word": "Not tested", "value": "2 of 2", "state": "untested"},
        {"word": "Hold", "value": "0 of 2", "state": "plain"},
    ],
    controls=[control("IDN-01", None), control("LOG-01", None)],
    may_test=False,
)
_TEST = TESTS["VND-01"]


def row(kind: str, name: str, href: str, verdict: Verdict, reason: str) -> Context:
    state, word = STATES[verdict]
    return {"kind": kind, "name": name, "href": href, "state": state, "word": word, "reason": reason}


def ran(days: int, verdict: Verdict, **more: Any) -> Context:
    state, word = STATES[verdict]
    return {"at": ago(days * DAY), "state": state, "word": word, "numbers": "41 of 41 pass", "version": 1, "by": "",
            "digest": DIGEST, **more}  # fmt: skip


CONTROL = ControlPage(
    control={
        **VENDORS, "criteria": "CC6.2, CC9.2", "severity": "high", "rule": _TEST.rule, "version": 1,
        "blind": _TEST.blind, "cause": "", "digest": DIGEST,
    },
    same=True,
    ran=True,
    rows=[
        row("person", JONAS["name"], f"/people/{JONAS['id']}", Verdict.FAIL, "no sponsor; no contract end"),
        row("person", TOMAS["name"], f"/people/{TOMAS['id']}", Verdict.FAIL, "on the roster more than once"),
        row("grant", "grt_4k2", "", Verdict.EXCLUDED, "approved by whom it is for"),
        row("period", "2026-Q3", "", Verdict.NOT_TESTED, "the roster is older than 24 hours"),
    ],
    left=12,
    runs=[
        ran(0, Verdict.FAIL, numbers="38 of 41 pass, 2 fail, 1 excluded", by="Mira Okafor"),
        ran(1, Verdict.FAIL, numbers="38 of 41 pass, 2 fail, 1 excluded"),
        ran(7, Verdict.PASS),
    ],
    failures=[{"since": ago(6 * DAY), "until": None}, {"since": ago(60 * DAY), "until": ago(51 * DAY)}],
    may_assign=True,
    may_test=True,
)  # fmt: skip
NO_RUN = replace(
    CONTROL,
    control={**control("REV-02", None), "criteria": "CC6.2", "severity": "high", "rule": TESTS["REV-02"].rule,
             "version": 1, "blind": TESTS["REV-02"].blind, "cause": "", "digest": ""},
    same=False, ran=False, rows=[], left=0, runs=[], failures=[], may_assign=False, may_test=False,
)  # fmt: skip
