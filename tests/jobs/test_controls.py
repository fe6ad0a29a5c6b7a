"""The tests of controls by themselves: once a day, each over everything, and one that breaks keeps no other."""

from pathlib import Path

import pytest

from onepam.app.controls.assign_control import assign_control
from onepam.app.ports import Snapshot
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Population, Test
from onepam.domain.telling.outbox import Channel, ReceiverSet
from onepam.jobs.controls import ControlTests
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import rows
from onepam.store.read.controls import populations
from onepam.store.read.controls.board import board, failing_of
from onepam.store.read.outbox import to_tell
from onepam.store.read.telling import plan
from tests.company import Company, record

pytestmark = pytest.mark.anyio


def told(db: Snapshot, at: Instant) -> list[str]:
    return [each["control"] for each in rows(db, "SELECT control FROM control_run")]


async def test_whoever_answers_for_what_fails_is_told_once_and_sees_it(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    of, job = company.ledger, ControlTests(company.ledger, company.reader)
    try:
        await record(of, ReceiverSet("mail", Channel.MAIL))
        assert await assign_control(of, company.actor("ada"), "RBC-03", "max", None) is None
        for _ in range(3):
            company.clock.advance(DAY)
            await job.turn()
        found, _ = await company.reader(to_tell, None, 0)
        told = [each.occurrence for each in found if each.receiver == "mail:max"]
        assert ["The control RBC-03, which you answer for, fails" in each.sentence for each in told] == [True]
        (seen,) = company.reader.now(failing_of, None, "max")
        assert (seen.control, seen.told) == ("RBC-03", "max")
        assert not (await company.reader(plan, None, "mail:max", told)).dropped
        await company.sign_in("ada")
        assert await assign_control(of, company.actor("ada"), "RBC-03", "aud", None) is None
        assert (await company.reader(plan, None, "mail:max", told)).dropped, "it is another's now"
        assert company.reader.now(failing_of, None, "max") == ()
        await job.turn()
        assert [each.told for each in company.reader.now(failing_of, None, "aud")] == ["aud"]
    finally:
        company.close()


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
