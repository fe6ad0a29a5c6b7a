"""The lights of the administrators' home say what is so, and since when it is not known."""

from dataclasses import replace

import pytest

from onepam.app.ports import LedgerHealth
from onepam.console.desk.health import LATE, lights
from onepam.console.frame.view import View
from onepam.domain.host.backups import BackupFacts
from onepam.kernel.clock import DAY, MINUTE, SECOND, Instant
from tests.console.samples.company import NOW

HEALTH = LedgerHealth(
    size=9, head_at=NOW, log_key="k", checkpoint_size=9, checkpoint_at=NOW, witness="", witnessed_size=0,
    witnessed_at=None, verified_kind="fold", verified_size=9, verified_at=Instant(NOW - 2 * LATE), findings=(),
    trouble="",
)  # fmt: skip

NONE = BackupFacts(None, None)


@pytest.mark.parametrize(
    ("looked", "state"),
    [(NOW, "proven"), (Instant(NOW - LATE), "proven"), (Instant(NOW - LATE - MINUTE), "due"), (None, "due")],
)
def test_a_ledger_that_nobody_verified_for_long_has_no_green_light(looked: Instant | None, state: str) -> None:
    found = lights(replace(HEALTH, looked_at=looked), [], True, (NONE, 7), View("ada", (), True), NOW)
    assert found[0]["word"] == "Ledger"
    assert found[0]["state"] == state


def before(length: int | None) -> Instant | None:
    return None if length is None else Instant(NOW - length)


@pytest.mark.parametrize(
    ("copied", "proven", "days", "state", "says"),
    [
        (None, None, 7, "due", "none was made yet"),
        (7 * DAY, None, 7, "untested", "made, and never proven"),
        (7 * DAY + SECOND, DAY, 7, "due", "older than 7 days"),
        (DAY + SECOND, DAY, 1, "due", "older than 1 day"),
        (MINUTE, 92 * DAY, 7, "proven", "made; proven 20 August 2026"),
        (MINUTE, 92 * DAY + SECOND, 7, "untested", "made; last proven 20 August 2026"),
    ],
)
def test_the_light_of_backups_turns_with_the_age_of_the_newest_and_of_the_proof(
    copied: int | None, proven: int | None, days: int, state: str, says: str
) -> None:
    kept = (BackupFacts(before(copied), before(proven)), days)
    found = {each["word"]: each for each in lights(HEALTH, [], True, kept, View("ada", (), True), NOW)}
    assert found["Backup"] | {"href": ""} == {"word": "Backup", "state": state, "says": says, "at": before(copied),
                                             "href": ""}  # fmt: skip


def test_who_copies_by_other_means_has_no_light_of_backups() -> None:
    words = [each["word"] for each in lights(HEALTH, [], True, (NONE, 0), View("ada", (), True), NOW)]
    assert "Backup" not in words
    assert "Ledger" in words
