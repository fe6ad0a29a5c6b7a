"""The register of incidents: how one stands, what belongs to it, and who is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.incidents.keep_incident import (
    assign_incident,
    close_incident,
    note_to_incident,
    open_incident,
    remind_owners,
    reopen_incident,
)
from onepam.domain.controls.control import Severity
from onepam.domain.incidents.events import Link, LinkKind
from onepam.domain.incidents.handling import REMINDED_EACH, WITHIN, Draft, State
from onepam.domain.telling.outbox import Channel, Occurrence, ReceiverSet
from onepam.jobs.incidents import IncidentReminders
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.store.read.incidents import (
    answers_for,
    figures,
    find_incidents,
    incident,
    incidents,
    incidents_of,
    is_anybody_due,
    of_owner,
)
from onepam.store.read.outbox import to_tell
from onepam.store.read.paging import Window
from onepam.store.read.telling import plan
from tests.company import Company, record

pytestmark = pytest.mark.anyio

EVE, WEB, FIRST = Link(LinkKind.PERSON, "eve"), Link(LinkKind.RESOURCE, "web-1"), Link(LinkKind.ENTRY, "0")
CONTROL = Link(LinkKind.CONTROL, "LOG-01")


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


async def made(company: Company, ident: str = "inc_1", severity: Severity = Severity.MEDIUM, *links: Link) -> None:
    draft = Draft(ident, f"Incident {ident}", "a key in a log", severity, None, None, "max", links)
    assert await open_incident(company.ledger, company.actor("ada"), draft) == ident


async def close(company: Company, who: str, ident: str = "inc_1") -> str:
    refused = await close_incident(company.ledger, company.actor(who), ident, "a debug log", "revoked", "")
    return refused.code if refused is not None else ""


async def test_an_incident_lives_and_its_past_can_be_asked(company: Company) -> None:
    await made(company, "inc_1", Severity.HIGH, EVE, WEB, FIRST, CONTROL)
    then = company.clock.now
    company.clock.advance(HOUR)
    noted = await note_to_incident(company.ledger, company.actor("ada"), "inc_1", then, "revoked", (EVE, WEB))
    assert noted is None
    assert await close(company, "aud") == ""
    assert await reopen_incident(company.ledger, company.actor("ada"), "inc_1", "used again") is None
    found = await company.reader(incident, None, "inc_1")
    assert found is not None
    assert [each.kind for each in found.history] == [
        "incident.opened",
        "incident.noted",
        "incident.closed",
        "incident.reopened",
    ]
    assert found.history[2].event.cause == "a debug log"
    assert {each.words for each in found.links} >= {"Eve Example", "web-1", "entry 0"}
    assert (found.row.state, found.row.closed, found.two) == (State.OPEN, None, True)
    assert found.row.due == found.history[-1].event.due
    past = await company.reader(incident, then, "inc_1")
    assert past is not None
    assert [each.kind for each in past.history] == ["incident.opened"]
    assert await company.reader(incident, then, "inc_2") is None
    assert await company.reader(answers_for, None, "inc_1", "max")
    assert not await company.reader(answers_for, None, "inc_1", "eve")
    (linked,) = await company.reader(incidents_of, None, LinkKind.CONTROL, "LOG-01")
    assert linked.incident == "inc_1"
    assert [each.incident for each in await company.reader(of_owner, None, "max")] == ["inc_1"]
    assert [each.incident for each in await company.reader(find_incidents, None, "INCIDENT INC", 5)] == ["inc_1"]


async def test_what_is_linked_is_there(company: Company) -> None:
    await made(company)
    for kind, ref in (
        (LinkKind.PERSON, "nobody"),
        (LinkKind.CAUSED_BY, "nobody"),
        (LinkKind.RESOURCE, "none"),
        (LinkKind.SESSION, "ses_none"),
        (LinkKind.ENTRY, "999999"),
        (LinkKind.ENTRY, "01"),
        (LinkKind.ENTRY, "-1"),
        (LinkKind.CONTROL, "NO-01"),
    ):
        refused = await note_to_incident(company.ledger, company.actor("ada"), "inc_1", None, "", (Link(kind, ref),))
        assert isinstance(refused, Refused)
        assert refused.code == "incident.nowhere", ref
    nobody = Draft("inc_2", "x", "", Severity.LOW, None, None, "nobody")
    outcome = await open_incident(company.ledger, company.actor("ada"), nobody)
    assert isinstance(outcome, Refused)
    assert outcome.code == "incident.owner"


async def test_one_that_was_ever_of_high_severity_or_theirs_is_closed_by_somebody_else(company: Company) -> None:
    await made(company)
    ada, assign = company.actor("ada"), assign_incident
    for severity, owner in ((Severity.HIGH, "bob"), (Severity.LOW, "max")):
        assert await assign(company.ledger, ada, "inc_1", severity, owner, None, "said so") is None
    assert await close(company, "bob") == "incident.two_hands"
    assert await note_to_incident(company.ledger, ada, "inc_1", None, "", (Link(LinkKind.CAUSED_BY, "ada"),)) is None
    assert await close(company, "ada") == "incident.own"
    assert await close(company, "aud") == ""


async def test_the_register_has_its_order_and_its_pages(company: Company) -> None:
    await made(company, "inc_1", Severity.LOW)
    await made(company, "inc_2", Severity.HIGH)
    await made(company, "inc_3", Severity.MEDIUM)
    assert await close(company, "aud", "inc_3") == ""
    company.clock.advance(WITHIN[Severity.HIGH] + MINUTE)

    async def listed(state: str = "", severity: str = "", owner: str = "", after: str = "") -> list[str]:
        found = await company.reader(incidents, None, state, severity, owner, Window(after, 2 if after else 25))
        return [each.incident for each in found.rows]

    assert await listed() == ["inc_2", "inc_1"], "what is due first stands first"
    assert await listed("overdue") == ["inc_2"]
    assert await listed("closed") == ["inc_3"]
    assert await listed("all") == ["inc_3", "inc_2", "inc_1"]
    assert await listed("all", "low") == ["inc_1"]
    assert await listed("all", "", "ada") == []
    first = await company.reader(incidents, None, "all", "", "max", Window("", 2))
    assert (first.total, first.next) == (3, "inc_2")
    assert await listed("all", after="inc_2") == ["inc_1"]
    assert await listed(after="inc_2") == ["inc_1"]
    known = await company.reader(figures, None)
    assert (known.open, known.overdue, known.high, known.closed) == (2, 1, 1, 1)


async def test_whoever_answers_for_it_is_told_until_it_is_closed(company: Company) -> None:
    await record(company.ledger, ReceiverSet("mail", Channel.MAIL))
    job = IncidentReminders(company.ledger, company.reader)
    assert job.job().name == "incidents"
    await job.turn()
    assert await remind_owners(company.ledger) == 0
    await made(company)
    assert await company.reader(is_anybody_due)
    await job.turn()
    told = await told_to(company, "max")
    assert [each.sentence.partition(",")[0] for each in told] == ["You answer for the incident inc_1"]
    assert not await over(company, "max", told)
    assert not await company.reader(is_anybody_due)
    company.clock.advance(WITHIN[Severity.MEDIUM])
    await job.turn()
    company.clock.advance(DAY)
    await job.turn()
    assert len(await told_to(company, "max")) == 2
    company.clock.advance(REMINDED_EACH)
    await job.turn()
    told = await told_to(company, "max")
    assert len(told) == 3
    await company.sign_in("ada")
    await company.sign_in("aud")
    ada = company.actor("ada")
    day = Instant(company.clock.now + DAY)
    assert await assign_incident(company.ledger, ada, "inc_1", Severity.LOW, "eve", day, "on leave") is None
    assert await over(company, "max", told), "it is another's now"
    await job.turn()
    hers = await told_to(company, "eve")
    assert len(hers) == 1
    assert await close(company, "aud") == ""
    assert await over(company, "eve", hers)
    company.clock.advance(30 * DAY)
    await job.turn()
    assert len(await told_to(company, "eve")) == 1


async def told_to(company: Company, who: str) -> list[Occurrence]:
    found, _ = await company.reader(to_tell, None, 0)
    return [each.occurrence for each in found if each.receiver == f"mail:{who}"]


async def over(company: Company, who: str, told: list[Occurrence]) -> bool:
    return bool((await company.reader(plan, None, f"mail:{who}", told)).dropped)
