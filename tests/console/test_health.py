"""The lights of the administrators' home say what is so, and since when it is not known."""

from dataclasses import replace

import pytest

from onepam.app.ports import LedgerHealth
from onepam.console.desk.health import LATE, lights
from onepam.console.frame.view import View
from onepam.kernel.clock import MINUTE, Instant
from tests.console.samples.company import NOW

HEALTH = LedgerHealth(
    size=9, head_at=NOW, log_key="k", checkpoint_size=9, checkpoint_at=NOW, witness="", witnessed_size=0,
    witnessed_at=None, verified_kind="fold", verified_size=9, verified_at=Instant(NOW - 2 * LATE), findings=(),
    trouble="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("looked", "state"),
    [(NOW, "proven"), (Instant(NOW - LATE), "proven"), (Instant(NOW - LATE - MINUTE), "due"), (None, "due")],
)
def test_a_ledger_that_nobody_verified_for_long_has_no_green_light(looked: Instant | None, state: str) -> None:
    found = lights(replace(HEALTH, looked_at=looked), [], True, View("ada", (), True), NOW)
    assert found[0]["word"] == "Ledger"
    assert found[0]["state"] == state
