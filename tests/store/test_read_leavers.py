"""The board of leavers from real commands: both stamps per system, what was known when, and what is left to do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.people.add_person import add_person
from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.sessions.close_session import close_session
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbePurpose, Verdict, WouldOpen, made
from onepam.domain.people.adding import Attributes
from onepam.domain.people.events import PersonDisabled, PersonKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.signing_in.events import EnrolmentUsed
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.store.db import rows
from onepam.store.facts.deciding import deciders, not_deciding
from onepam.store.read.leavers import ALLOWED, Duty, duties, latest_leaving, leavers, open_doors, rank, stranded
from tests.company import START, Company, record

pytestmark = pytest.mark.anyio

EVER = (Instant(0), Instant(1 << 52))
PROBE = Probe("prb_1", "eve", ProbePath.SSH, ProbedProof.CERTIFICATE, ProbePurpose.LEAVER, "4711", "SHA256:x")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def say(company: Company, probe: Probe, verdict: Verdict | None) -> None:
    await record(company.ledger, made(replace(probe, probe=company.new("prb")), verdict, "node-1"))


async def test_from_the_news_to_the_last_byte(company: Company) -> None:
    opened = await company.open("eve", "dev-1", "app")
    assert isinstance(opened, Opened)
    left = Instant(company.clock() - 3 * MINUTE)
    await record(company.ledger, PersonDisabled("eve", None, "contract ended", "roster", left, Instant(left + MINUTE)))
    between = Instant(company.clock() - 1)
    last_byte = company.clock.advance(SECOND)
    company.clock.advance(SECOND)
    end = SessionClosed(opened.session, SessionEnd.PERSON_DISABLED, "0" * 64, 0, {}, True, last_byte=last_byte)
    await close_session(company.ledger, end)
    await say(company, PROBE, Refused("person.disabled", "no"))
    await say(company, replace(PROBE, path=ProbePath.API), None)
    found = await company.reader(leavers, None, *EVER)
    (eve,) = found.people
    assert (eve.name, eve.origin, eve.left_at, eve.notified) == ("Eve Example", "roster", left, left + MINUTE)
    ssh, console, cli = eve.systems
    assert (ssh.held, ssh.refused, ssh.would_open) == (1, 1, 0)
    assert (console.held, console.ended) == (1, None), "the sign-in's row was not ended by this bare event"
    assert (cli.held, cli.ended, cli.unanswered) == (0, eve.removed, 1)
    assert (ssh.ended, ssh.known) == (last_byte, True)
    assert ssh.sealed is not None
    assert ssh.sealed >= last_byte + SECOND
    assert (eve.ended, eve.sealed) == (None, ssh.sealed)
    assert eve.findings(eve.removed) == ("something still runs",)
    (then,) = (await company.reader(leavers, between, *EVER)).people
    assert then.systems[0].ended is None, "as it was known before the last byte"
    assert (await company.reader(leavers, Instant(START), *EVER)).total == 0


async def test_a_leaving_by_the_use_case_is_complete_in_itself(company: Company) -> None:
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    found = await company.reader(leavers, None, *EVER)
    (eve,) = found.people
    assert eve.findings(company.clock()) == ()
    assert eve.ended is not None
    assert eve.took(company.clock()) == eve.ended - eve.removed < SECOND
    assert (found.p50, found.p95, found.longest) == (eve.took(eve.removed),) * 3
    assert await company.reader(latest_leaving, None, "eve") == eve.removed
    await enable_person(company.ledger, company.actor("ada"), "eve", "hired again")
    assert await company.reader(latest_leaving, None, "eve") is None
    assert (await company.reader(leavers, None, *EVER)).total == 1, "the period keeps them"


async def test_a_last_byte_that_nobody_saw(company: Company) -> None:
    """A process that died: only the latest that it can have been is known, unless a later byte was seen."""
    died, seen = await company.open("eve", "dev-1", "app"), await company.open("eve", "dev-1", "app")
    assert isinstance(died, Opened)
    assert isinstance(seen, Opened)
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    await close_session(
        company.ledger, SessionClosed(died.session, SessionEnd.GATEWAY_DIED, "0" * 64, 0, {}, False, "died")
    )
    between = company.clock.advance(SECOND)
    assert (await company.reader(leavers, Instant(between), *EVER)).people[0].ended is None
    last_byte = company.clock.advance(SECOND)
    end = SessionClosed(seen.session, SessionEnd.PERSON_DISABLED, "0" * 64, 0, {}, True)
    await close_session(company.ledger, replace(end, last_byte=Instant(last_byte - MINUTE)))
    (eve,) = (await company.reader(leavers, None, *EVER)).people
    assert eve.systems[0].held == 2
    assert eve.ended == eve.systems[0].ended
    assert not eve.known
    assert eve.ended is not None
    assert eve.sealed is not None
    assert eve.removed < eve.ended < between < last_byte <= eve.sealed


async def test_more_than_a_day_is_a_finding(company: Company) -> None:
    news = Instant(company.clock() - ALLOWED - HOUR)
    await record(company.ledger, PersonDisabled("max", None, "left", "roster", news, None))
    (left,) = (await company.reader(leavers, None, *EVER)).people
    assert "longer than 24 hours" in left.findings(company.clock())
    empty = await company.reader(leavers, None, Instant(0), Instant(1))
    assert (empty.people, empty.total, empty.p50) == ((), 0, None)


@pytest.mark.parametrize(("news", "findings"), [(DAY, ()), (DAY + 1, ("longer than 24 hours",))])
async def test_24_hours_are_24_hours(company: Company, news: int, findings: tuple[str, ...]) -> None:
    removed = await company.leaves("eve", news)
    (eve,) = (await company.reader(leavers, None, *EVER)).people
    assert (eve.removed, eve.took(removed), eve.findings(removed)) == (removed, news, findings)


@pytest.mark.parametrize(("signed_in", "held"), [(0, 0), (1, 1)])
async def test_a_sign_in_that_ends_as_somebody_leaves_was_not_held(company: Company, signed_in: int, held: int) -> None:
    removed = await company.leaves("eve", signed_in=signed_in)
    (eve,) = (await company.reader(leavers, None, *EVER)).people
    console = eve.systems[1]
    assert (console.held, console.ended) == (held, removed + signed_in)


@pytest.mark.parametrize(("before", "runs"), [(0, False), (1, True)])
async def test_a_sign_in_has_ended_at_its_end(company: Company, before: int, runs: bool) -> None:
    over = Instant(await company.leaves("eve", signed_in=HOUR) + HOUR)
    (eve,) = company.reader.now(lambda db, at: leavers(db, Instant(over - before), *EVER)).people
    assert eve.systems[1].ended == (None if runs else over)


async def test_an_open_door_is_a_finding_until_it_is_shut(company: Company) -> None:
    await disable_person(company.ledger, company.actor("ada"), "eve", "left")
    await say(company, PROBE, WouldOpen())
    (eve,) = (await company.reader(leavers, None, *EVER)).people
    assert eve.findings(company.clock()) == ("a listener would still open",)
    assert await company.reader(open_doors) == ("eve",)
    await say(company, PROBE, Refused("person.disabled", "no"))
    assert await company.reader(open_doors) == ()


async def test_what_they_answered_for(company: Company) -> None:
    ends = Instant(company.clock() + 30 * DAY)
    service = Attributes("Backup", None, owner="max", ends=ends)
    assert (
        await add_person(company.ledger, company.actor("ada"), "backup", PersonKind.SERVICE, service, "nightly") is None
    )
    known = Attributes("Dan", "dan@example.com", manager="max")
    assert await add_person(company.ledger, company.actor("ada"), "dan", PersonKind.EMPLOYEE, known, "hired") is None
    await disable_person(company.ledger, company.actor("ada"), "max", "left")
    removed = await company.reader(latest_leaving, None, "max")
    assert removed is not None
    assert await company.reader(duties, None, "max") == (
        Duty("person", "dan", "Dan", None),
        Duty("service", "backup", "Backup", ends),
        Duty("vendor", "vic", "Vic Example", Instant(removed + 7 * DAY)),
    )
    assert {each.kind for each in await company.reader(duties, None, "ada")} == {"resource", "role"}


async def test_requests_that_nobody_left_may_decide(company: Company) -> None:
    asked = await company.ask("eve", "web-1", "app")
    assert await company.reader(stranded) == ()
    await disable_person(company.ledger, company.actor("ada"), "max", "left")
    (found,) = await company.reader(stranded)
    assert (found.request, found.person_name, found.roles) == (asked.request, "Eve Example", ("manager",))
    lapses = Instant(company.reader.now(lambda db, at: rows(db, "SELECT max(expires) FROM request")[0][0]))
    assert len(company.reader.now(stranded, Instant(lapses - 1))) == 1
    assert company.reader.now(stranded, lapses) == ()
    await company.bind("bob", "manager")
    assert await company.reader(stranded) == ()


async def test_the_owner_of_a_service_is_nobody_who_may_decide_for_it(company: Company) -> None:
    await company.bind("bob", "manager")
    known = Attributes("Bot", None, owner="max", ends=Instant(START + 30 * DAY))
    assert await add_person(company.ledger, company.actor("ada"), "bot", PersonKind.SERVICE, known, "CI") is None

    def who(requester: str) -> list[str]:
        found = company.reader.now(lambda db, at: deciders(db, at, ("manager",), requester))
        return [person for person, _ in found]

    assert who("bot") == ["bob"]
    assert who("eve") == ["bob", "max"]

    def barred(requester: str) -> frozenset[str]:
        return company.reader.now(lambda db, at: not_deciding(db, at, requester))

    assert barred("bot") == {"bot", "max"}
    assert barred("eve") == {"eve"}
    assert barred("vic") == {"vic"}, "a vendor's sponsor may decide"
    links = (EnrolmentUsed("enr_8", "max", ("aud",)), EnrolmentUsed("enr_9", "eve", ("bob",)))
    await record(company.ledger, *links)
    assert barred("bot") == {"bot", "max", "aud"}
    assert who("eve") == ["max"], "bob made the link by which eve enrolled"


def test_nearest_rank() -> None:
    assert [rank(range(1, 101), percent) for percent in (50, 95, 100)] == [50, 95, 100]
    assert rank([7], 50) == 7
    assert (rank([1, 2, 3], 50), rank(range(1, 11), 95), rank([1, 2], 95)) == (2, 10, 2)
    assert rank([], 50) is None
