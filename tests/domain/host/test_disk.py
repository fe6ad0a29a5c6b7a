"""What the ledger is told of the recordings' disk."""

import pytest

from onepam.domain.host.disk import DiskFacts, DiskLow, DiskRecovered, DiskStage, report_disk
from onepam.kernel.clock import Instant


@pytest.mark.parametrize("known", DiskStage)
@pytest.mark.parametrize("stage", DiskStage)
def test_each_stage_is_told_once(known: DiskStage, stage: DiskStage) -> None:
    events = report_disk(DiskFacts(known), "nod_1", stage, 7, 9, Instant(1)).events
    if known is stage:
        assert events == ()
    elif stage is DiskStage.ENOUGH:
        assert events == (DiskRecovered("nod_1", 7, 9),)
    else:
        assert events == (DiskLow("nod_1", stage, 7, 9),)
