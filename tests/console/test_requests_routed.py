"""Asking ahead and within hours, going on, a yes of several, and who decides while somebody is away: by the pages."""

import re
from dataclasses import replace

import pytest

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.model import ConsoleRight
from onepam.kernel.clock import DAY, HOUR, SECOND, Instant, iso
from onepam.store.read.requests import requests
from tests.company import DEV, PROD, record, role_set
from tests.console.browsing import Office

pytestmark = pytest.mark.anyio

WANTED = {"resource": "web-1", "option": "engineer:app", "minutes": "60", "reason": "on call", "ticket": "OPS-7"}


def typed(at: Instant) -> str:
    """As a field of a form takes it."""
    return iso(at)[:16].replace("T", " ")


async def test_access_is_asked_for_ahead_and_within_hours_and_goes_on(office: Office) -> None:
    company, eve = office.company, await office.sign_in("eve")
    asking = Asking(ahead=7 * DAY, weekly=14 * DAY, approvals=2, ticket="^OPS-", ticketed=True)
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=asking), DEV)))
    home = await eve.read("/?q=web-1")
    assert "it takes the yes of 2" in home
    assert "Matches ^OPS-" in home
    for wrong, words in (
        ({"begins": "soon"}, "Not before is a time in UTC."),
        ({"hours": "at night", "days": "7"}, "These are no weekly hours."),
        ({"hours": "Mon 09:00-17:00 UTC", "days": "x"}, "Ask for at least 5 minutes."),
        ({"ticket": "7"}, "No ticket here is called like that."),
    ):
        assert words in await eve.refused("/requests", **{**WANTED, **wrong}), wrong
    begins = typed(Instant(company.clock.now + 2 * DAY))
    ahead = await eve.done("/requests", **{**WANTED, "begins": begins})
    assert "1 h, from 4 March 2026" in ahead
    page = await eve.done("/requests", **{**WANTED, "hours": "Mon-Fri 09:00-17:00 Europe/Berlin", "days": "14"})
    assert "within Mon-Fri 09:00-17:00 Europe/Berlin" in page
    assert 'aria-label="Mon-Fri 09:00-17:00 Europe/Berlin"' in page
    assert "Takes 2 people; nobody has agreed yet" in page


async def test_several_say_yes_and_what_runs_is_asked_for_longer(office: Office) -> None:
    company = office.company
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=Asking(approvals=2)), DEV)))
    await company.bind("bob", "manager")
    made = await company.ask("eve", "web-1", "app", HOUR)
    first, second = await office.sign_in("max"), await office.sign_in("bob")
    yes = {"decision": "approve", "digest": made.digest, "back": "/approvals"}
    assert "You are 1 of 2" in await first.done(f"/approvals/{made.request}", **yes)
    assert "you agreed, others are waited for" in await first.read("/approvals")
    assert "Takes 2 people; Max Example agreed" in await second.read("/approvals")
    await second.done(f"/approvals/{made.request}", **yes)
    company.clock.advance(10 * SECOND)
    eve = await office.sign_in("eve")
    page = await eve.read(f"/requests/{made.request}")
    assert "Takes 2 people; Max Example and Bob Example agreed" in page
    assert "Ask for 1 h more" in page
    assert "That is yours until" in await eve.refused("/requests", **WANTED)
    more = await eve.done("/requests", **{**WANTED, "extend": "yes"})
    assert "1 h, from 2 March 2026" in more


async def test_somebody_is_named_while_one_is_away_and_that_is_ended(office: Office) -> None:
    company = office.company
    await record(company.ledger, role_set("lead", (), (ConsoleRight.APPROVE,)))
    await company.bind("bob", "lead")
    max_, bob = await office.sign_in("max"), await office.sign_in("bob")
    until = typed(Instant(company.clock.now + DAY))
    for wrong, words in (
        ({"to": "bob@example.com", "ends": ""}, "From and until are times in UTC."),
        ({"to": "bob@example.com", "ends": until, "begins": "soon"}, "From and until are times in UTC."),
        ({"to": "somebody", "ends": until}, "Nobody here, or several, are called that."),
        ({"to": "eve@example.com", "ends": until}, "They cannot decide for you."),
    ):
        assert words in await max_.refused("/delegations", **wrong), wrong
    made = await company.ask("eve", "web-1", "app", HOUR)
    assert made.request not in await bob.read("/approvals")
    await max_.done("/delegations", to="bob@example.com", ends=until, reason="On leave")
    assert "Bob Example decides on requests for you" in await max_.read("/approvals")
    theirs = await bob.read("/approvals")
    assert "You decide on requests for Max Example" in theirs
    assert made.request in theirs
    (delegation,) = re.findall(r"/delegations/(dlg_\w+)/end", theirs)
    await bob.done(f"/delegations/{delegation}/end")
    assert made.request not in await bob.read("/approvals")
    assert "There is no such delegation of yours." in await bob.refused(f"/delegations/{delegation}/end")


async def test_the_catalogue_says_what_may_be_asked_for_and_what_a_rule_approves_is_open_at_once(
    office: Office,
) -> None:
    company = office.company
    asking = Asking(ticket="^OPS-", ticketed=True, unasked=Unasked(HOUR, 2))
    await record(company.ledger, role_set("engineer", (replace(PROD, asking=asking), DEV)))
    eve = await office.sign_in("eve")
    page = await eve.read("/catalogue?q=web-1")
    for said in (
        "A ticket is needed that matches ^OPS-", "Nobody is asked for 1 h at a time, 2 times in seven days",
        "Some at once", "/?request=web-1&amp;login=root",
    ):  # fmt: skip
        assert said in page, said
    assert "web-2" not in page
    assert "web-2" in await eve.read("/catalogue?q=root"), "narrowed by login"
    assert "Nothing matches" in await eve.read("/catalogue?q=nowhere")
    form = {"resource": "web-1", "option": "engineer:app", "minutes": "60", "reason": "on call", "ticket": "OPS-1"}
    there = await eve.done("/requests", **form)
    assert "A rule of your role approved it at once" in there
    assert "a rule of the role engineer, version" in there
    assert "There is nothing to ask for" in await (await office.sign_in("aud")).read("/catalogue")
    (made,) = await company.reader(requests, None, "eve")
    max_ = await office.sign_in("max")
    assert "End access" in await max_.read(f"/requests/{made.request}")
