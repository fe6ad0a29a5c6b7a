"""The self-verification goes on where it was: a failure costs one turn, a finding makes it read everything again."""

import threading
from pathlib import Path

import pytest

from onepam.domain.history.system import LedgerVerified
from onepam.jobs.self_check import SelfCheck
from onepam.jobs.verification import Verdict
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Unavailable
from onepam.ledger.authors import Standing
from onepam.ledger.check import Position
from onepam.ledger.lawful.entry import Unlawful
from onepam.ledger.lawful.judging import Lawful
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.company import Company

pytestmark = pytest.mark.anyio

SOME, MORE = Position(time=1), Position(time=2)
STANDING = Standing("log")


class Scripted(SelfCheck):
    """Verifications that end as they are told to; `began` are the positions that they went on from."""

    def __init__(self, company: Company, *ends: Position | str | None) -> None:
        self._company = company
        self._ends = list(ends)
        self.began: list[Position | None] = []
        self.lawful: Lawful | None = None
        nobody: object = None
        super().__init__(
            company.ledger, nobody, company.path, Path("/nowhere"), "log", None, (), company.clock, threading.Event()  # type: ignore[arg-type]
        )  # fmt: skip

    def verify(self, start: tuple[Position, Standing] | None = None) -> Verdict:
        self.began.append(start[0] if start else None)
        end = self._ends.pop(0)
        if end is None:
            raise Unavailable("no signer")
        findings = (end,) if isinstance(end, str) else ()
        at = SOME if isinstance(end, str) else end
        lawful = None if start else self.lawful
        return Verdict(findings, 1, "", Instant(0), None, 0, at, STANDING, lawful=lawful)

    def told(self) -> list[tuple[str, tuple[str, ...]]]:
        with connect(self._company.path, read_only=True) as db:
            found = [each.event for each in entries(db, 0, 1 << 30)]
        return [(each.kind, each.findings) for each in found if isinstance(each, LedgerVerified)]


async def test_everything_first_and_then_the_tail(tmp_path: Path) -> None:
    check = Scripted(await Company.create(tmp_path), None, SOME, MORE, None, MORE)
    with pytest.raises(Unavailable):
        await check.turn()
    for _ in range(2):
        await check.turn()
    with pytest.raises(Unavailable):
        await check.turn()
    await check.turn()
    assert check.began == [None, None, SOME, MORE, MORE]
    assert check.told() == [("fold", ())], "the tail is told each hour"


async def test_when_the_newest_entries_were_looked_at_is_known_before_it_is_written_down(tmp_path: Path) -> None:
    company = await Company.create(tmp_path)
    check = Scripted(company, SOME, MORE, "altered", MORE)
    assert check.looked is None
    seen = list[tuple[Instant, int] | None]()
    for _ in range(4):
        await check.turn()
        seen.append(check.looked)
    assert [each and each[1] for each in seen] == [1, 1, None, 1]
    first, second = seen[0], seen[1]
    assert first is not None
    assert second is not None
    assert first[0] < second[0]


async def test_whoever_meets_an_alteration_has_everything_verified(tmp_path: Path) -> None:
    check = Scripted(await Company.create(tmp_path), SOME, MORE)
    await check.turn()
    check.all_again()
    await check.turn()
    assert check.began == [None, None]
    assert check.told() == [("fold", ()), ("fold", ())]


async def test_a_finding_is_told_at_once_and_everything_is_read_again(tmp_path: Path) -> None:
    check = Scripted(await Company.create(tmp_path), SOME, "altered", MORE, MORE)
    for _ in range(4):
        await check.turn()
    assert check.began == [None, SOME, None, MORE]
    assert check.told() == [("fold", ()), ("incremental", ("altered",))]


async def test_what_was_not_lawful_is_an_entry_of_its_own_and_nothing_is_read_again(tmp_path: Path) -> None:
    check = Scripted(await Company.create(tmp_path), SOME, MORE)
    found = Unlawful(7, "role.set", "declaring a role", "no change says so")
    check.lawful = Lawful((found,), 1, 9)
    for _ in range(2):
        await check.turn()
    assert check.began == [None, SOME]
    assert check.told() == [("lawful", ("entry 7 (role.set): declaring a role: no change says so",)), ("fold", ())]
