"""The populations of what is watched: drawn sessions, incidents, sign-offs of reviews, and removals that are asked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.incidents.keep_incident import close_incident, note_to_incident, open_incident
from onepam.app.reviews.decide_item import decide_item
from onepam.app.reviews.open_review import open_review
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.controls.control import Severity, Verdict
from onepam.domain.incidents.events import IncidentClosed, IncidentOpened, Link, LinkKind
from onepam.domain.incidents.handling import Draft
from onepam.domain.leaving.probing import ProbedProof, ProbeMade, ProbePath, ProbePurpose, ProbeResult
from onepam.domain.reviews.events import ReviewSignedOff, Scope
from onepam.domain.reviews.events import Verdict as Said
from onepam.domain.reviews.opening import Opening
from onepam.domain.sessions.inspecting import RecordingInspected
from onepam.domain.sessions.inspecting import Verdict as Seen
from onepam.jobs.reviews import Reviewing
from onepam.kernel.clock import DAY, Instant
from onepam.store.read.controls.populations import run_of
from tests.app.test_inspections import ended
from tests.company import Company, record

pytestmark = pytest.mark.anyio

FAIL, NOT_TESTED = Verdict.FAIL, Verdict.NOT_TESTED
HOLDS = (Verdict.PASS, "")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    made = await Company.create(tmp_path)
    yield made
    made.close()


def found(company: Company, control: str) -> dict[str, tuple[Verdict, str]]:
    """The rows by key."""
    return {each.key: (each.verdict, each.reason) for each in company.reader.now(run_of, None, control).rows}


async def test_what_was_drawn_is_inspected_in_time(company: Company) -> None:
    assert company.reader.now(run_of, None, "MON-03").verdict is NOT_TESTED
    first, second = await ended(company), await ended(company)
    assert found(company, "MON-03") == {first: HOLDS, second: HOLDS}, "there is time left"
    await record(company.ledger, RecordingInspected(first, "eve", "aud", Seen.EXPECTED))
    company.clock.advance(8 * DAY)
    assert found(company, "MON-03") == {first: HOLDS, second: (FAIL, "nobody inspected it")}
    await record(company.ledger, RecordingInspected(second, "eve", "aud", Seen.EXPECTED))
    assert found(company, "MON-03")[second] == (FAIL, "inspected late")
    company.clock.advance(90 * DAY)
    assert found(company, "MON-03") == {}


async def test_incidents_are_dealt_with_in_time_and_by_two(company: Company) -> None:
    assert company.reader.now(run_of, None, "MON-05").verdict is NOT_TESTED
    ada, ledger = company.actor("ada"), company.ledger
    for name in ("inc_1", "inc_2"):
        draft = Draft(name, "A key", "", Severity.MEDIUM, None, None, "max")
        assert await open_incident(ledger, ada, draft) == name
    assert await note_to_incident(ledger, ada, "inc_1", None, "revoked", ()) is None
    for name in ("inc_1", "inc_2"):
        assert await close_incident(ledger, company.actor("aud"), name, "a log", "revoked", "") is None
    now = company.clock.now
    opened = IncidentOpened("inc_3", Severity.HIGH, None, now, "max", Instant(now + DAY), (), "ada", "x", "y")
    by_cause = (Link(LinkKind.CAUSED_BY, "eve"),)
    await record(ledger, opened, replace(opened, incident="inc_4", links=by_cause), replace(opened, incident="inc_5"))
    await record(ledger, replace(opened, incident="inc_6"))
    await record(ledger, IncidentClosed("inc_3", "max", "x", "y"), IncidentClosed("inc_4", "eve", "x", "y"))
    company.clock.advance(2 * DAY)
    await record(ledger, IncidentClosed("inc_5", "aud", "x", "y"))
    assert found(company, "MON-05") == {
        "inc_1": HOLDS,
        "inc_2": (FAIL, "closed, and nothing was noted or linked"),
        "inc_3": (FAIL, "of high severity, and closed by who answered for it"),
        "inc_4": (FAIL, "closed by who brought it about"),
        "inc_5": (FAIL, "closed late"),
        "inc_6": (FAIL, "open past its day"),
    }
    company.clock.advance(366 * DAY)
    assert set(found(company, "MON-05")) == {"inc_6"}


async def test_a_review_is_signed_off_in_time(company: Company) -> None:
    company.clock.advance(30 * DAY)
    await Reviewing(company.ledger, company.reader).turn()
    (review,) = found(company, "REV-01")
    assert found(company, "REV-01")[review] == HOLDS
    while found(company, "REV-01")[review] == HOLDS:
        company.clock.advance(7 * DAY)
        await Reviewing(company.ledger, company.reader).turn()
    assert found(company, "REV-01")[review] == (FAIL, "not signed off in time")
    await record(company.ledger, ReviewSignedOff(review, 0, 0, 0, 0, (), "aud", "seen"))
    assert found(company, "REV-01")[review] == (FAIL, "signed off late")


async def test_what_a_review_took_is_asked_of_a_listener(company: Company) -> None:
    wanted = Opening(Scope(), 2 * DAY, Suspends.PRIVILEGED, "bob")
    await open_review(company.ledger, company.actor("ada"), wanted, "rev_1")
    assert await decide_item(company.ledger, company.actor("ada"), "rev_1", "eve", "engineer", Said.REMOVE) is None
    key = "eve/engineer"
    assert found(company, "OFF-06") == {key: (NOT_TESTED, "no listener was asked")}
    asked = ProbeMade("prb_1", "eve", ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.REVOKED, "", "00", "dev-1",
                      "app", ProbeResult.UNANSWERED, "", "node-1")  # fmt: skip
    for result, said in (
        (ProbeResult.UNANSWERED, (NOT_TESTED, "a listener did not answer")),
        (ProbeResult.WOULD_OPEN, (FAIL, "a listener would open")),
        (ProbeResult.REFUSED, HOLDS),
    ):
        await record(company.ledger, replace(asked, probe=f"prb_{result}", result=result))
        assert found(company, "OFF-06") == {key: said}
