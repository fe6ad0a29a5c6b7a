"""Checkpoints are handed out each hour, and one of them for the day; whoever keeps one can anchor the ledger by it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from onepam.app.history.hand_out_anchor import HandedOutFacts, hand_out_anchor
from onepam.boot.config import Config
from onepam.boot.platform import Platform
from onepam.domain.history.commit import Committed, Decided
from onepam.domain.history.system import AnchorHandedOut
from onepam.jobs.handing_out import HandingOut
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from tests.boot.installation import ORIGIN, live, verify
from tests.targets import free_port

NOW = Instant(1_790_000_000_000_000)


class AtOnce:
    """Decides on the facts given, and commits nothing."""

    def __init__(self, facts: HandedOutFacts) -> None:
        self.facts = facts
        self.events: tuple[object, ...] = ()

    async def commit(self, query: object, decide: object) -> object:
        outcome = decide(self.facts, NOW)  # type: ignore[operator]
        if isinstance(outcome, Decided):
            self.events = outcome.events
            return Committed(outcome.result, 1, NOW)
        return outcome


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("last", "day", "occasion"),
    [
        (None, None, "day"),
        (NOW - HOUR, NOW - HOUR, "hour"),
        (NOW - HOUR + 1, NOW - HOUR + 1, None),
        (NOW - HOUR, NOW - DAY, "day"),
        (NOW - HOUR, NOW - DAY + 1, "hour"),
    ],
)
async def test_each_hour_and_each_day(last: Instant | None, day: Instant | None, occasion: str | None) -> None:
    ledger = AtOnce(HandedOutFacts(last, day))
    outcome = await hand_out_anchor(ledger, "log", 7, "ab", "note")  # type: ignore[arg-type]
    if occasion is None:
        assert isinstance(outcome, Refused)
    else:
        assert ledger.events == (AnchorHandedOut(occasion, "log", 7, "ab", "note"),)


@pytest.mark.anyio
async def test_what_was_handed_out_anchors_the_ledger(tmp_path: Path) -> None:
    data = tmp_path / "data"
    config = Config(data, origin=ORIGIN, console_port=free_port(), ssh_port=free_port())
    key = await live(config, 5)
    async with Platform(config).running() as platform:
        job = HandingOut(platform.ledger, platform.anchors, ORIGIN)
        await job.turn()
        await job.turn()
    with closing(sqlite3.connect(data / "ledger.db")) as db:
        (found,) = db.execute("SELECT body FROM entry WHERE kind = 'anchor.handed_out'").fetchall()
    kept = tmp_path / "kept"
    kept.write_text(json.loads(found[0])["note"])
    code, told = verify(data, "--no-state", "--log-key", key, "--checkpoint", str(kept))
    assert code == 0, told
