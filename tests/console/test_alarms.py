"""What is wrong stands above every page of administrators, with what to do; it ends when it is put right."""

import pytest

from onepam.domain.disk import DiskLow, DiskRecovered, DiskStage
from onepam.domain.system import LedgerVerified
from tests.company import record
from tests.console.browsing import Office

BROKEN = LedgerVerified("fold", 9, "0" * 64, ("flipped: entry 3: its leaf is not the published one",))
WHOLE = LedgerVerified("fold", 9, "0" * 64, ())
WORDS = "The history was altered"


@pytest.mark.anyio
async def test_a_broken_history_is_a_banner_on_every_page_of_administrators(office: Office) -> None:
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    assert WORDS not in await ada.read("/")
    await record(office.company.ledger, BROKEN)
    for path in ("/", "/sessions", "/people", "/changes", "/ledger", "/sessions?as_of=2026-01-05T09:00"):
        assert WORDS in await ada.read(path), path
    home = await ada.read("/")
    assert home.count(WORDS) == 2  # the banner, and the line with what to do
    assert "onepam ledger verify" in home
    assert WORDS not in await eve.read("/")


@pytest.mark.anyio
async def test_a_newest_entry_check_does_not_end_what_the_full_check_found(office: Office) -> None:
    ada = await office.sign_in("ada")
    await record(office.company.ledger, BROKEN)
    await record(office.company.ledger, LedgerVerified("incremental", 12, "0" * 64, ()))
    assert WORDS in await ada.read("/sessions")
    await record(office.company.ledger, WHOLE)
    assert WORDS not in await ada.read("/sessions")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (DiskStage.ALARM, "9 GiB of 100 GiB are left"),
        (DiskStage.LOW, "Sessions that write most to it are made to wait"),
    ],
)
async def test_a_disk_that_runs_full_is_a_banner_until_there_is_space(
    office: Office, stage: DiskStage, words: str
) -> None:
    ada = await office.sign_in("ada")
    await record(office.company.ledger, DiskLow("node-1", stage, 9 << 30, 100 << 30))
    assert words in await ada.read("/sessions")
    await record(office.company.ledger, DiskRecovered("node-1", 50 << 30, 100 << 30))
    assert words not in await ada.read("/sessions")
