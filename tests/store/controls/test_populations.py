"""The populations of the controls: of each a row that passes, one that fails, and what makes it not tested."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.app.people.add_person import add_person
from onepam.app.requests.expire_access import expire_access
from onepam.app.reviews.close_review import carry_out, close_review, remind
from onepam.app.reviews.decide_item import decide_item
from onepam.app.reviews.open_review import open_review
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Verdict
from onepam.domain.history.system import LedgerVerified
from onepam.domain.leaving.probing import ProbedProof, ProbeMade, ProbePath, ProbePurpose, ProbeResult
from onepam.domain.matrix.events import ChangeApplied, ChangeApproved, ChangeProposed
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonAdded, PersonDisabled, PersonKind
from onepam.domain.reviews.events import Answers, ReviewDecided, Scope
from onepam.domain.reviews.events import Verdict as Said
from onepam.domain.reviews.opening import Opening
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.signing_in.exception_events import MfaExceptionAccepted, MfaExceptionProposed
from onepam.jobs.controls import ControlTests
from onepam.jobs.reviews import Reviewing
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.store.read.controls.populations import POPULATIONS, run_of
from tests.app.test_roster import take as took
from tests.app.test_roster import text
from tests.company import Company, binding, record

pytestmark = pytest.mark.anyio

PASS, FAIL, NOT_TESTED, EXCLUDED = Verdict.PASS, Verdict.FAIL, Verdict.NOT_TESTED, Verdict.EXCLUDED
HOLDS = (PASS, "")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    made = await Company.create(tmp_path)
    yield made
    made.close()


def found(company: Company, control: str) -> dict[str, tuple[Verdict, str]]:
    """The rows by key."""
    return {each.key: (each.verdict, each.reason) for each in company.reader.now(run_of, None, control).rows}


def test_each_control_of_the_catalogue_has_its_population() -> None:
    assert list(POPULATIONS) == list(TESTS)


async def test_of_a_new_company_nothing_is_green_that_nothing_was_tested_of(company: Company) -> None:
    for control in TESTS:
        run = company.reader.now(run_of, None, control)
        assert run.verdict is not PASS or run.count(PASS), control


async def test_accounts_and_vendors_are_held_against_the_roster_of_the_day(company: Company) -> None:
    assert set(found(company, "IDN-01").values()) == {(NOT_TESTED, "no roster")}
    bot = Attributes("Bot", None, owner="eve", ends=Instant(company.clock.now + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, bot, "CI") is None
    ends = Instant(company.clock.now + 30 * DAY)
    await record(company.ledger, PersonAdded("van", PersonKind.VENDOR, "hired", "ada", "eve", ends))
    company.clock.advance(5 * HOUR)  # from here on the contract ends within 90 days
    await took(company, text("eve"))
    accounts = found(company, "IDN-01")
    assert (accounts["ada"], accounts["eve"]) == (HOLDS, (FAIL, "on no roster, or has left it"))
    assert accounts["bot"] == (FAIL, "a service whose owner is not on the roster")
    assert found(company, "VND-01") == {
        "vic": HOLDS,
        "van": (FAIL, "on no roster, or has left it; the sponsor is not on the roster; no contract end"),
    }
    company.clock.advance(25 * HOUR)
    stale = (NOT_TESTED, "the roster is older than 24 hours")
    assert set(found(company, "VND-01").values()) == {stale}
    assert found(company, "PRV-03")["bot"] == HOLDS


async def test_who_left_is_out_within_a_day_and_refused(company: Company) -> None:
    assert company.reader.now(run_of, None, "OFF-01").verdict is NOT_TESTED
    for person, news in (("eve", HOUR), ("vic", 30 * HOUR)):
        await company.leaves(person, news)
    assert found(company, "OFF-01") == {"eve": HOLDS, "vic": (FAIL, "longer than 24 hours")}
    assert set(found(company, "OFF-06").values()) == {(NOT_TESTED, "no listener was asked")}
    asked = ProbeMade("prb_1", "eve", ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.LEAVER, "", "00", "web-1", "app",
                      ProbeResult.WOULD_OPEN, "bnd_1", "node-1")  # fmt: skip
    other = replace(asked, probe="prb_2", person="vic", result=ProbeResult.UNANSWERED, code="")
    await record(company.ledger, asked, other)
    assert found(company, "OFF-06") == {
        "eve": (FAIL, "a listener would open"),
        "vic": (NOT_TESTED, "a listener did not answer"),
    }
    again = (replace(each, probe=f"{each.probe}b", result=ProbeResult.REFUSED) for each in (asked, other))
    await record(company.ledger, *again)
    assert set(found(company, "OFF-06").values()) == {HOLDS}
    assert set(found(company, "OFF-02").values()) == {HOLDS}
    await company.sign_in("vic")
    assert found(company, "OFF-02")["vic"] == (FAIL, "let in after leaving")
    company.clock.advance(91 * DAY)
    assert found(company, "OFF-01") == {}


async def test_nobody_left_is_known_by_a_fresh_roster(company: Company) -> None:
    await took(company, text())
    for control in ("OFF-01", "OFF-02", "OFF-06"):
        run = company.reader.now(run_of, None, control)
        assert (run.verdict, run.cause) == (PASS, "the roster of the last 24 hours names nobody who left"), control


async def test_a_grant_was_asked_for_approved_and_ended(company: Company) -> None:
    made = await company.ask("eve", "web-1", "app")
    granted = await company.approve("max", made)
    assert found(company, "PRV-01") == {granted.grant: HOLDS}
    opened: Any = await company.open("eve", "web-1", "app")
    company.clock.advance(HOUR + 30 * SECOND)
    assert found(company, "PRV-04") == {granted.grant: HOLDS}
    company.clock.advance(MINUTE)
    assert found(company, "PRV-04") == {granted.grant: (FAIL, "a session ran more than 60 seconds longer")}
    end = SessionClosed(opened.session, SessionEnd.EXPIRED, "ab" * 32, 3, {"bytes": 5}, True, None,
                        last_byte=Instant(company.clock.now - 90 * SECOND))  # fmt: skip
    await record(company.ledger, end)
    assert found(company, "PRV-04") == {granted.grant: HOLDS}
    assert found(company, "LOG-01") == {opened.session: HOLDS}
    company.clock.advance(2 * DAY)
    assert found(company, "PRV-04") == {granted.grant: (FAIL, "its end is not noted")}
    await expire_access(company.ledger)
    assert found(company, "PRV-04") == {granted.grant: (FAIL, "its end was noted more than a day later")}


@pytest.mark.parametrize(
    ("chunks", "verified", "gap", "finding"),
    [(0, True, None, "no recording"), (3, False, None, "the recording was not verified"), (3, True, "cut", "a gap")],
)
async def test_a_session_is_recorded_whole_under_a_factor(
    company: Company, chunks: int, verified: bool, gap: str | None, finding: str
) -> None:
    opened: Any = await company.open("eve", "dev-1", "app")
    assert found(company, "LOG-01") == {}
    assert found(company, "MFA-01") == {opened.session: HOLDS}
    await record(
        company.ledger,
        SessionClosed(opened.session, SessionEnd.CLIENT_LEFT, "ab" * 32, chunks, {"bytes": 5}, verified, gap),
    )
    assert found(company, "LOG-01") == {opened.session: (FAIL, finding)}


async def test_an_exception_is_signed_by_another_and_ends(company: Company) -> None:
    soon, far = Instant(company.clock.now + DAY), Instant(company.clock.now + 400 * DAY)
    for number, (person, ends, by) in enumerate([("eve", soon, "max"), ("aud", far, "max"), ("vic", soon, "ada")]):
        name, why = f"exc_{number}", None if person == "eve" else "no reader"
        await record(
            company.ledger,
            MfaExceptionProposed(name, person, ends, "ada", why, "a guard"),
            MfaExceptionAccepted(name, person, ends, by, company.clock()),
        )
    assert found(company, "MFA-04") == {
        "eve": (NOT_TESTED, "its reason was erased"),
        "aud": (FAIL, "longer than 365 days"),
        "vic": (FAIL, "accepted by who proposed it, or whom it is for"),
    }


async def change(company: Company, name: str, proposer: str | None, decider: str | None, *objects: Any) -> None:
    proposed = ChangeProposed(name, "d0", "d1", True, proposer, "1 binding", "text")
    agreed = (ChangeApproved(name, "d1", decider),) if decider else ()
    applied = ChangeApplied(name, "d0", "d1", decider or proposer, bootstrap=proposer is None)
    await record(company.ledger, proposed, *agreed, applied, *(replace(each, change=name) for each in objects))


async def test_what_is_changed_is_changed_by_two(company: Company) -> None:
    assert set(found(company, "PRV-02").values()) == {(FAIL, "it came with no change of access.yaml")}
    await change(company, "chg_1", None, None)
    assert set(found(company, "PRV-02").values()) == {HOLDS}
    await change(company, "chg_2", "ada", "bob", binding("ada", "auditor"))
    await change(company, "chg_3", "eve", None, binding("eve", "vendor"))
    await change(company, "chg_4", "ada", "ada")
    assert found(company, "CHG-01") == {
        "chg_1": HOLDS,
        "chg_2": HOLDS,
        "chg_3": (FAIL, "it gives somebody more, and nobody approved it"),
        "chg_4": (FAIL, "approved by who proposed it"),
    }
    bound = found(company, "PRV-02")
    assert (bound["bnd_ada_auditor"], bound["bnd_eve_vendor"]) == (HOLDS, (FAIL, "nobody else had a hand in it"))
    direct = found(company, "RBC-03")
    assert (direct["bnd_ada_auditor"], direct["bnd_vic_vendor"][0]) == ((FAIL, "it names a person"), FAIL)
    await company.unbind("vic", "vendor")
    await company.bind("vic", "vendor", Instant(company.clock.now + DAY))
    assert found(company, "RBC-03")["bnd_vic_vendor"] == HOLDS


async def test_an_account_by_hand_says_why(company: Company) -> None:
    assert set(found(company, "PRV-03").values()) == {HOLDS}
    await record(company.ledger, PersonAdded("joe", PersonKind.EMPLOYEE, "", "ada", None, None))
    assert found(company, "PRV-03")["joe"] == (FAIL, "added by hand, without a reason")


async def test_a_role_has_an_owner_a_purpose_and_a_review_each_year(company: Company) -> None:
    assert set(found(company, "RBC-02").values()) == {HOLDS}
    company.clock.advance(366 * DAY)
    assert found(company, "RBC-02")["engineer"] == (FAIL, "in no review of the last 12 months")
    for name, scope, finding in (
        ("rev_0", Scope(people=("eve",)), (FAIL, "in no review of the last 12 months")),
        ("rev_1", Scope(roles=("engineer",)), HOLDS),
    ):
        await company.sign_in("ada")
        wanted = Opening(scope, DAY, Suspends.NOTHING, "bob")
        await open_review(company.ledger, company.actor("ada"), wanted, name)
        company.clock.advance(DAY)
        await close_review(company.ledger, name)
        assert found(company, "RBC-02")["engineer"] == finding
    await record(company.ledger, PersonDisabled("ada", None, "left"))
    assert found(company, "RBC-02")["engineer"] == (FAIL, "its owner is not here")


async def test_reviews_take_place_and_end_in_time(company: Company) -> None:
    company.clock.advance(30 * DAY)  # the second quarter has begun
    assert found(company, "REV-01") == {"2026-Q2": HOLDS}, "it may be opened within a day"
    company.clock.advance(DAY)
    assert found(company, "REV-01") == {"2026-Q2": (FAIL, "missed")}
    await Reviewing(company.ledger, company.reader).turn()
    (review,) = found(company, "REV-01")
    assert found(company, "REV-01") == {review: (FAIL, "opened late")}
    assert found(company, "REV-02") == {review: HOLDS}
    company.clock.advance(90 * DAY)
    await Reviewing(company.ledger, company.reader).turn()
    both = found(company, "REV-01")
    assert both[review] == (FAIL, "opened late")
    assert [each for key, each in both.items() if key != review] == [HOLDS]


async def test_what_is_decided_is_decided_by_whoever_may_and_carried_out(company: Company) -> None:
    wanted = Opening(Scope(), 2 * DAY, Suspends.PRIVILEGED, "bob")
    await open_review(company.ledger, company.actor("ada"), wanted, "rev_1")
    assert await decide_item(company.ledger, company.actor("ada"), "rev_1", "eve", "engineer", Said.REMOVE) is None
    assert await decide_item(company.ledger, company.actor("max"), "rev_1", "vic", "vendor", Said.REMOVE) is None
    item, vendors = "rev_1/eve/engineer", "rev_1/vic/vendor"
    assert found(company, "REV-03") == {item: HOLDS, vendors: HOLDS}
    assert found(company, "REV-04") == {item: HOLDS, vendors: HOLDS}
    for by, answers, why in (
        ("aud", Answers.MANAGER, "decided on their own access"),
        ("eve", Answers.FALLBACK, "decided by somebody who was not what they decided as"),
    ):
        await record(company.ledger, ReviewDecided("rev_1", "aud", "auditor", Said.REMOVE, by, answers))
        assert found(company, "REV-03")["rev_1/aud/auditor"] == (FAIL, why)
    assert found(company, "REV-04")["rev_1/aud/auditor"] == (FAIL, "nothing was withheld")
    await company.unbind("vic", "vendor")
    await carry_out(company.ledger)
    company.clock.advance(15 * DAY)
    assert found(company, "REV-04")[vendors] == HOLDS
    assert found(company, "REV-04")[item] == (FAIL, "a binding gives it still")
    await company.unbind("eve", "engineer")
    await carry_out(company.ledger)
    assert found(company, "REV-04")[item] == (FAIL, "it took longer than 14 days")
    assert found(company, "REV-06") == {}
    await close_review(company.ledger, "rev_1")
    assert found(company, "REV-06") == {"rev_1": (FAIL, "nobody was told at the last stage")}


async def test_silence_was_told_of_and_suspends(company: Company) -> None:
    wanted = Opening(Scope(), 2 * DAY, Suspends.EVERYTHING, "bob")
    await open_review(company.ledger, company.actor("ada"), wanted, "rev_1")
    for span in (DAY, 23 * HOUR):
        company.clock.advance(span)
        await remind(company.ledger, "rev_1")
    company.clock.advance(HOUR)
    await close_review(company.ledger, "rev_1")
    assert found(company, "REV-06") == {"rev_1": HOLDS}


async def test_who_keeps_everything_in_a_hurry_is_found(company: Company) -> None:
    people = [f"p{number}" for number in range(51)]
    await record(
        company.ledger,
        *(PersonAdded(each, PersonKind.EMPLOYEE, "hired", "ada", None, None, "max") for each in people),
        *(binding(each, "engineer") for each in people),
    )
    wanted = Opening(Scope(roles=("engineer",)), DAY, Suspends.NOTHING, None)
    for review, pause in (("rev_1", SECOND), ("rev_2", 3 * SECOND)):
        await company.sign_in("ada")
        await open_review(company.ledger, company.actor("ada"), wanted, review)
        for each in people:
            company.clock.advance(pause)
            await record(company.ledger, ReviewDecided(review, each, "engineer", Said.KEEP, "max", Answers.MANAGER))
    hasty = found(company, "REV-05")
    assert hasty["rev_1/max"][0] is FAIL
    assert "kept 51 of 51" in hasty["rev_1/max"][1]
    assert hasty["rev_2/max"] == HOLDS


async def test_the_history_is_verified_all_of_it_and_lately(company: Company) -> None:
    never = (FAIL, "it never ran")
    assert found(company, "LOG-03") == {"incremental": never, "fold": never, "lawful": never}
    await record(company.ledger, *(LedgerVerified(each, 1, "00", ()) for each in ("fold", "lawful")))
    assert set(found(company, "LOG-03").values()) == {HOLDS}, "all of it is the newest entries, too"
    company.clock.advance(49 * HOUR)
    assert found(company, "LOG-03")["incremental"] == (FAIL, "it did not run lately")
    await record(company.ledger, LedgerVerified("incremental", 2, "00", ("a leaf",)))
    assert found(company, "LOG-03")["incremental"] == (FAIL, "1 findings")
    company.clock.advance(7 * DAY)
    assert found(company, "LOG-03")["fold"] == (FAIL, "it did not run lately")


async def test_each_control_is_tested_each_day(company: Company) -> None:
    job = ControlTests(company.ledger, company.reader)
    for span in (DAY, DAY, 2 * DAY):
        company.clock.advance(span)
        await job.turn()
    each_day = found(company, "EVD-01")
    assert len(each_day) == 3 * len(TESTS), "the first whole day, the second, and the third without a run"
    assert each_day["RBC-03/2026-03-03"] == HOLDS
    assert each_day["IDN-01/2026-03-04"] == (FAIL, "not tested")
    assert each_day["RBC-03/2026-03-05"] == (FAIL, "no run")
