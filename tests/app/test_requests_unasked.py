"""What nobody is asked for, and access that lasts from its first use on, through the use cases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.app.open_session import Opened
from onepam.app.requests.approve_request import approve_request
from onepam.app.requests.end_grant import end_grant
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.make_request import AT_ONCE, When, make_request
from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.hours import Hours, read_hours
from onepam.domain.access.model import MAX_SESSION
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Verdict
from onepam.domain.requests.approval import Granted
from onepam.domain.requests.asking import Asked
from onepam.domain.requests.events import UNDO
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant, parse
from onepam.kernel.errors import Refused
from onepam.store.engine.rebuild import compare
from onepam.store.read.controls.access import asked_for, bound
from onepam.store.read.requests import request as read_request
from tests.company import DEV, PROD, Company, record, refused, role_set

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()
    assert compare(company.path) == []


def hours(text: str) -> Hours:
    found = read_hours(text)
    assert isinstance(found, Hours)
    return found


async def offered(company: Company, asking: Asking) -> None:
    """Production is asked for so."""
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=asking), DEV)))


async def asks(
    company: Company, lasts: int = HOUR, login: str = "app", when: When = AT_ONCE, ticket: str = ""
) -> Asked | Refused:
    """Eve asks, at a front door that lets a rule approve."""
    of = company.ledger, company.actor("eve"), company.new("req"), "web-1", login, lasts, "on call", ticket
    return await make_request(*of, when=when, grant=company.new("grt"))


async def given(company: Company, **asked: object) -> Instant | None:
    """Until when a rule gave it; None where it waits for somebody."""
    made = await asks(company, **asked)  # type: ignore[arg-type]
    assert isinstance(made, Asked), made
    return made.given.ends if made.given is not None else None


async def test_a_rule_approves_at_once_within_its_hours_so_long_and_so_often(company: Company) -> None:
    """It is a Monday, at eight in the morning in UTC: nine in Berlin."""
    rule = Unasked(2 * HOUR, 2, hours("Mon-Fri 09:00-17:00 Europe/Berlin"))
    await offered(company, Asking(ticketed=True, unasked=rule))
    refused(await asks(company), "request.no_ticket")
    made = await asks(company, 2 * HOUR, ticket="OPS-1")
    assert isinstance(made, Asked)
    assert made.given is not None
    assert made.given.ends == made.given.starts + 2 * HOUR
    opened = await company.open("eve", "web-1", "app")
    assert isinstance(opened, Opened)
    assert (opened.because.approval_by, opened.because.grant) == ("", made.given.grant)
    refused(await asks(company, ticket="OPS-1"), "request.given")
    assert await given(company, lasts=2 * HOUR + MINUTE, login="root", ticket="OPS-2") is None, "too long"
    assert await given(company, login="root", ticket="OPS-2", when=When(extend=False)) is not None
    company.clock.advance(3 * HOUR)
    assert await given(company, ticket="OPS-3") is None, "twice in seven days already"
    company.clock.advance(7 * DAY)
    await company.sign_in("eve")
    company.clock.now = parse("2026-03-09T15:29:00Z")
    assert await given(company, lasts=HOUR, ticket="OPS-4") is None, "it would end after the hours"
    assert await given(company, lasts=30 * MINUTE, ticket="OPS-4") is not None


async def test_a_rule_approves_neither_windows_nor_extensions_nor_where_no_grant_is_named(company: Company) -> None:
    await offered(company, Asking(ahead=7 * DAY, weekly=7 * DAY, unasked=Unasked(4 * HOUR, 50)))
    later = Instant(company.clock.now + HOUR)
    assert await given(company, when=When(begins=later)) is None
    assert await given(company, when=When(hours="Mon-Fri 09:00-17:00 UTC")) is None
    assert await given(company, lasts=HOUR) is not None
    assert await given(company, when=When(extend=True)) is None
    made = await company.ask("eve", "web-2", "app")
    assert made.given is None


async def test_an_unknown_zone_approves_nothing(company: Company) -> None:
    await offered(company, Asking(unasked=Unasked(HOUR, 5, hours("Mon-Sun 00:00-24:00 Europe/Nowhere"))))
    assert await given(company) is None


async def test_an_approver_ends_what_a_rule_gave_and_its_page_says_by_which(company: Company) -> None:
    await offered(company, Asking(unasked=Unasked(HOUR, 5)))
    made = await asks(company)
    assert isinstance(made, Asked)
    assert made.given is not None
    found = await company.reader(read_request, None, made.request)
    assert found is not None
    for control, population in (("PRV-01", asked_for), ("PRV-02", bound)):
        rows = (await company.reader(population, None, TESTS[control])).rows
        assert [(each.kind, each.verdict) for each in rows if each.key == made.given.grant] == [
            ("grant by a rule", Verdict.PASS)
        ]
    assert (found.row.decider, found.row.rule, found.row.grant_state) == (None, made.substance.role_version, "running")
    assert await end_grant(company.ledger, company.actor("max"), made.given.grant, "not today") is None
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")


async def within(company: Company, until: Instant, begins: Instant | None = None) -> Granted:
    """Two hours from the first use on, that max approves."""
    made = await asks(company, 2 * HOUR, when=When(begins, until=until))
    assert isinstance(made, Asked), made
    given = await approve_request(company.ledger, company.actor("max"), made.request, made.digest, company.new("grt"))
    assert isinstance(given, Granted), given
    company.clock.advance(UNDO)
    return given


async def test_the_clock_runs_from_the_first_use(company: Company) -> None:
    await offered(company, Asking(ahead=7 * DAY, first_use=True))
    until = Instant(company.clock.now + 10 * HOUR)
    granted = await within(company, until)
    assert granted.ends == until
    refused(await asks(company, when=When(extend=True)), "request.nothing_to_extend")
    company.clock.advance(3 * HOUR)
    await company.sign_in("eve")
    first = await company.open("eve", "web-1", "app")
    assert isinstance(first, Opened)
    assert first.ends == first.opened + 2 * HOUR
    company.clock.advance(HOUR)
    second = await company.open("eve", "web-1", "app")
    assert isinstance(second, Opened)
    assert second.ends == first.ends
    company.clock.now = first.ends
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")
    await expire_access(company.ledger)


async def test_it_ends_with_its_window_whenever_it_was_used_first(company: Company) -> None:
    await offered(company, Asking(ahead=7 * DAY, first_use=True))
    until = Instant(company.clock.now + 5 * HOUR)
    await within(company, until, Instant(company.clock.now + HOUR))
    refused(await company.open("eve", "web-1", "app"), "access.not_yet")
    company.clock.now = Instant(until - HOUR)
    await company.sign_in("eve")
    opened = await company.open("eve", "web-1", "app")
    assert isinstance(opened, Opened)
    assert opened.ends == until < opened.opened + MAX_SESSION


async def test_a_window_that_was_never_used_ends_and_one_that_is_too_short_or_too_far_is_refused(
    company: Company,
) -> None:
    now = company.clock.now
    refused(await asks(company, when=When(until=Instant(now + 5 * HOUR))), "request.no_first_use")
    await offered(company, Asking(ahead=DAY, weekly=DAY, first_use=True))
    for when, code in (
        (When(until=Instant(now + HOUR)), "request.short_window"),
        (When(until=Instant(now + 2 * DAY)), "request.too_far"),
        (When(Instant(now - 1), until=Instant(now + 5 * HOUR)), "request.past"),
        (When(hours="Mon 08:00-17:00 UTC", until=Instant(now + 5 * HOUR)), "request.no_first_use"),
        (When(extend=True, until=Instant(now + 5 * HOUR)), "request.no_first_use"),
    ):
        lasts = DAY if when.hours else 2 * HOUR
        refused(await asks(company, lasts, when=when), code)
    await within(company, Instant(now + 5 * HOUR))
    company.clock.now = Instant(now + 5 * HOUR)
    refused(await company.open("eve", "web-1", "app"), "access.needs_approval")
    await expire_access(company.ledger)
