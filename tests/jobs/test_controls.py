"""The tests of controls by themselves: once a day, each over everything, and one that breaks keeps no other."""

from pathlib import Path

import pytest

from onepam.app.ports import Snapshot
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Population, Test
from onepam.jobs.controls import ControlTests
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import rows
from onepam.store.read.controls import populations
from onepam.store.read.controls.board import board
from tests.company import Company

pytestmark = pytest.mark.anyio


def told(db: Snapshot, at: Instant) -> list[str]:
    return [each["control"] for each in rows(db, "SELECT control FROM control_run")]


async def test_each_is_tested_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = await Company.create(tmp_path)
    job = ControlTests(company.ledger, company.reader)
    try:
        await job.turn()
        assert company.reader.now(told) == [], "on its first day nothing is known of a whole one"
        company.clock.advance(DAY)

        def broken(db: Snapshot, at: Instant, test: Test) -> Population:
            raise ValueError("a table is not what it was")

        monkeypatch.setattr(populations, "POPULATIONS", {**populations.POPULATIONS, "MFA-04": broken})
        await job.turn()
        await job.turn()
        assert sorted(company.reader.now(told)) == sorted(TESTS.keys() - {"MFA-04"})
        monkeypatch.undo()
        await job.turn()
        assert sorted(company.reader.now(told)) == sorted(TESTS)
        company.clock.advance(DAY)
        await job.turn()
        assert len(company.reader.now(told)) == 2 * len(TESTS)
        for each in company.reader.now(board):
            assert each.last is not None
            assert len(each.trend) == 2
    finally:
        company.close()
