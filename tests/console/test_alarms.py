"""What is wrong stands above every page of administrators, with what to do; it ends when it is put right."""

import threading
from dataclasses import replace

import pytest

from onepam.app.open_session import Opened
from onepam.console.history.ledger import last_checks
from onepam.domain.history.system import LedgerVerified
from onepam.domain.host.disk import DiskLow, DiskRecovered, DiskStage
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.sessions.recordings import Condition, RecordingFoundBad
from onepam.gateway.recorder import recording_path
from onepam.jobs.recording_check import RecordingChecks
from onepam.kernel.clock import DAY, HOUR, MINUTE
from onepam.store.read.console import Verified
from tests.company import record
from tests.console.browsing import KEY, Office

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
    assert home.count(WORDS) == 1
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
async def test_the_look_of_this_minute_stands_on_the_page_and_not_in_the_past(office: Office) -> None:
    """It is written down once an hour: until then the page said that it had not been yet."""
    company, health = office.company, await office.services.health()
    assert "Not yet" in await (await office.sign_in("ada")).read("/ledger")
    before, at = company.clock(), company.clock.advance(MINUTE)
    looked = replace(health, looked_at=at, looked_size=7)
    assert "incremental" not in await company.reader(last_checks, before, looked)
    company.clock.advance(MINUTE)
    assert (await company.reader(last_checks, None, looked))["incremental"] == Verified(at, 7, True)
    await record(company.ledger, LedgerVerified("incremental", 12, "0" * 64, ("altered",)))
    assert not (await company.reader(last_checks, None, looked))["incremental"].whole


@pytest.mark.anyio
async def test_what_was_not_lawful_is_a_banner_of_its_own_and_never_says_altered(office: Office) -> None:
    ada = await office.sign_in("ada")
    found = ("entry 7 (role.set): declaring a role: no change says so", "entry 8 (role.set): declaring a role: too")
    await record(office.company.ledger, LedgerVerified("lawful", 9, "0" * 64, found[:1]))
    told = await ada.read("/sessions")
    assert "One entry uses a right that the history did not give." in told
    assert WORDS not in told
    await record(office.company.ledger, LedgerVerified("lawful", 9, "0" * 64, found))
    assert "2 entries use a right" in await ada.read("/sessions")
    await record(office.company.ledger, LedgerVerified("lawful", 9, "0" * 64, ()))
    assert "a right that the history did not give" not in await ada.read("/sessions")


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


def checks(office: Office) -> RecordingChecks:
    company = office.company
    key = lambda session: KEY  # noqa: E731
    return RecordingChecks(company.ledger, company.reader, office.recordings, key, "node-1", threading.Event())


@pytest.mark.anyio
async def test_words_about_a_recording_are_those_of_its_last_check(office: Office) -> None:
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    ident = await office.session("eve", "dev-1", "app")
    assert "Not checked yet" in await eve.read("/sessions")
    page = await ada.read(f"/sessions/{ident}")
    assert "Not checked since it was closed" in page
    assert "Complete" not in page
    await checks(office).check_new()
    assert "Complete" in await eve.read("/sessions")
    assert "Last check" in await ada.read(f"/sessions/{ident}")
    assert "Read as a whole for this page" in await eve.read(f"/sessions/{ident}")
    office.company.clock.advance(40 * DAY)
    eve = await office.sign_in("eve")
    assert "Not checked lately" in await eve.read("/sessions?days=366")


@pytest.mark.anyio
async def test_a_recording_that_fails_is_on_its_page_in_the_list_and_above_every_page(office: Office) -> None:
    ada, eve = await office.sign_in("ada"), await office.sign_in("eve")
    ident = await office.session("eve", "dev-1", "app")
    await checks(office).check_new()
    recording_path(office.recordings, ident).unlink()
    assert "The file is gone" in await eve.read(f"/sessions/{ident}")  # seen at once by whoever may read it
    await checks(office).check_part()
    for page in (await ada.read("/sessions"), await ada.read(f"/sessions/{ident}")):
        assert "Missing" in page
        assert "One recording is not what was sealed" in page
    assert "Complete" not in await ada.read("/sessions")
    assert ident in await ada.read("/sessions?state=gap")


@pytest.mark.anyio
async def test_recordings_that_nobody_checks_are_said_to_be_untested(office: Office) -> None:
    await office.session("eve", "dev-1", "app")
    ada = await office.sign_in("ada")
    assert "some are not tested" not in await ada.read("/people")
    office.company.clock.advance(2 * HOUR)
    assert "some are not tested" in await ada.read("/people")
    await checks(office).check_new()
    assert "some are not tested" not in await ada.read("/people")
    await record(office.company.ledger, RecordingFoundBad("ses_aaaaaaaaaaaaaaaa", Condition.CUT, "it ends early"))
    assert "not what was sealed" in await ada.read("/people")


@pytest.mark.anyio
async def test_the_list_says_what_is_partial_by_policy_and_what_a_check_found(office: Office) -> None:
    ada = await office.sign_in("ada")
    opened = await office.company.open("eve", "dev-1", "app")
    assert isinstance(opened, Opened), opened
    assert "partial by policy" not in await ada.read("/sessions")
    counts = {"bytes": 9, "omitted_bytes": 5}
    await record(
        office.company.ledger, SessionClosed(opened.session, SessionEnd.CLIENT_LEFT, "ab" * 32, 1, counts, True)
    )
    page = await ada.read("/sessions")
    assert "partial by policy" in page
    assert "Not checked yet" in page
    await checks(office).check_new()
    assert "Missing" in await ada.read("/sessions")
