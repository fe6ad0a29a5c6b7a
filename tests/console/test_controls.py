"""The board of controls in the browser: tested by hand, assigned, failed, and mended by a run and nothing else."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.console.controls.controls import failures, picture
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Verdict
from onepam.domain.history.system import LedgerVerified
from onepam.jobs.controls import ControlTests
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.read.controls.board import RunRow, board
from tests.company import record
from tests.console.browsing import Office, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as office:
        yield office


async def test_a_control_fails_is_assigned_and_is_mended_by_a_run(office: Office) -> None:
    company, ada, aud = office.company, await office.sign_in("ada"), await office.sign_in("aud")
    assert (await ada.read("/controls")).count("Never tested") == len(TESTS)
    assert "Tested: 1 control." in await aud.done("/controls/run", control="LOG-03")
    page = await ada.read("/controls/LOG-03")
    assert "it never ran" in page
    assert "The same rows" in page
    assert "within the last 10 minutes" in await ada.refused("/controls/run", control="LOG-03")
    for given, why in (
        ({"owner": "nobody at all"}, "Nobody here"),
        ({"owner": "Max Example", "due": "soon"}, "not a day"),
        ({"owner": "Max Example", "due": "2026-03-01"}, "day to come"),
    ):
        assert why in await ada.refused("/controls/LOG-03/owner", **given)
    assert "Said who" in await ada.done("/controls/LOG-03/owner", owner="Max Example", due="2026-03-05")
    page = await ada.read("/controls/LOG-03")
    assert all(word in page for word in ("Max Example", "Fails still", "due"))
    assert "Mended" not in page
    company.clock.advance(5 * DAY)
    ada = await office.sign_in("ada")
    assert "overdue" in await ada.read("/controls")
    await record(company.ledger, *(LedgerVerified(kind, 1, "00", ()) for kind in ("incremental", "fold", "lawful")))
    assert "Fails still" in await ada.read("/controls/LOG-03"), "it holds, and no run has said so"
    await ControlTests(company.ledger, company.reader).turn()
    page = await ada.read("/controls/LOG-03")
    assert "Mended" in page
    assert "overdue" not in page
    assert "Fails still" in await ada.read("/controls/LOG-03?as_of=2026-03-04T00:00:00Z")
    assert all(each.last is not None for each in company.reader.now(board)), "time tests each of them"
    assert (await ada.get("/controls/NO-01")).status_code == 404
    direct = await ada.read("/controls/RBC-03")
    assert re.search(r'<a [^>]*href="/people/eve"[^>]*>engineer of Eve Example</a>', direct), "not the id of a binding"
    assert "binding b" not in direct


def ran(day: int, verdict: Verdict, passed: int = 4) -> RunRow:
    return RunRow(Instant(day * DAY + HOUR), 1, None, Instant(day * DAY), 4, 4 - passed, 0, 0, "00", "", verdict, None)


def test_only_a_run_that_does_not_fail_ends_a_failure() -> None:
    runs = [ran(6, Verdict.FAIL), ran(5, Verdict.PASS), ran(4, Verdict.FAIL), ran(3, Verdict.FAIL),
            ran(2, Verdict.NOT_TESTED), ran(1, Verdict.FAIL)]  # fmt: skip
    assert failures(runs) == [
        {"since": runs[0].at, "until": None},
        {"since": runs[3].at, "until": runs[1].at},
        {"since": runs[5].at, "until": runs[4].at},
    ]
    assert failures([ran(1, Verdict.PASS)]) == []


def test_the_picture_is_as_high_as_the_share_that_passed() -> None:
    bars = picture([ran(1, Verdict.PASS), ran(2, Verdict.FAIL, 2), ran(3, Verdict.FAIL, 0)])
    assert [(each["x"], each["height"], each["state"]) for each in bars] == [
        (0, 24, "proven"),
        (8, 12, "finding"),
        (16, 3, "finding"),
    ]
    assert len(picture([ran(day, Verdict.PASS) for day in range(50)])) == 30
