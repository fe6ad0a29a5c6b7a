"""Asking ahead and within hours, a yes of several, and who decides while one is away: by the commands."""

import json
from dataclasses import replace

from onepam.domain.access.asked import Asking, Unasked
from onepam.domain.access.model import ConsoleRight
from onepam.kernel.clock import DAY, HOUR, Instant, iso
from tests.api.office import Office, now
from tests.cli.conftest import NewTerminal
from tests.company import PROD, role_set


def test_what_may_be_asked_for_is_listed_with_the_line_that_asks(office: Office, terminal: NewTerminal) -> None:
    asking = Asking(ticket="^OPS-", ticketed=True, ahead=7 * DAY, weekly=14 * DAY, approvals=2)
    office.record(role_set("careful", (replace(PROD, asking=asking),)), role_set("lead", (), (ConsoleRight.APPROVE,)))
    eve, max_, joe = office.join("careful"), office.join("manager", name="max"), office.join("lead", name="joe")
    sue = office.join("manager", name="sue")
    mine = terminal().signed_in(eve)
    listed = mine.run("request")
    assert listed.code == 0, listed.err
    assert "onepam request app@web-1" in listed.out
    assert "2 of: manager" in listed.out
    assert "^OPS-" in listed.out
    assert {each["login"] for each in mine.run("request", "--json").json} >= {"app"}
    ask = ("request", "app@web-1", "--reason", "on call", "--json")
    assert json.loads(mine.run(*ask).err)["code"] == "request.no_ticket"
    assert json.loads(mine.run(*ask, "--ticket", "OPS-1", "--from", "soon").err)["code"] == "input.begins"
    later = iso(Instant(now() + 2 * DAY))
    ahead = mine.run(*ask, "--ticket", "OPS-1", "--from", later)
    assert ahead.code == 0, ahead.err
    hours = ("--hours", "Mon-Sun 00:00-24:00 Europe/Berlin", "--for", "14d")
    made = mine.run("request", "app@web-1", "--reason", "on call", "--ticket", "OPS-1", *hours)
    assert "waits for 2 of: manager" in made.out
    request = made.out.split()[0]
    assert "within Mon-Sun 00:00-24:00 Europe/Berlin" in mine.run("requests").out
    his, theirs, hers = (terminal().signed_in(each) for each in (max_, joe, sue))
    assert "Agreed: 1 of 2." in his.run("approve", request, "--yes").out
    until = iso(Instant(now() + DAY))
    assert his.run("delegate", "joe Example", "--until", until, "--reason", "leave").code == 0
    assert request not in theirs.run("inbox").out, "whoever delegates has agreed already: nothing of theirs waits"
    assert "Approved; the access ends" in hers.run("approve", request, "--yes").out


def test_what_a_rule_approves_waits_for_nobody(office: Office, terminal: NewTerminal) -> None:
    office.record(role_set("quick", (replace(PROD, asking=Asking(unasked=Unasked(HOUR, 2))),)))
    mine = terminal().signed_in(office.join("quick"))
    made = mine.run("request", "app@web-1", "--reason", "on call", "--for", "30m", "--wait")
    assert made.code == 0, made.err
    assert "needed no approval: open to you, ends in" in made.out
    assert "waits for" not in made.out + made.err


def test_somebody_decides_for_another(office: Office, terminal: NewTerminal) -> None:
    office.record(role_set("lead", (), (ConsoleRight.APPROVE,)))
    eve, max_, joe = office.join("engineer"), office.join("manager", name="mia"), office.join("lead", name="jon")
    request = terminal().signed_in(eve).run("request", "app@web-1", "--reason", "why").out.split()[0]
    hers, his = terminal().signed_in(max_), terminal().signed_in(joe)
    assert hers.run("delegate", "jon Example").code == 2  # until when?
    made = hers.run("delegate", "jon Example", "--until", iso(Instant(now() + DAY)), "--json")
    assert made.code == 0, made.err
    assert request in his.run("inbox").out
    assert "Jon Example" in hers.run("delegate").out
    assert json.loads(hers.run("delegate", "--all", "--json").err)["code"] == "right.missing"
    assert his.run("approve", request, "--yes").code == 0
    assert "is over" in his.run("delegate", "--end", made.json["delegation"]).out
    assert "Nobody decides for you" in hers.run("delegate").out
