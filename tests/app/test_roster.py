"""The staff roster on a real ledger: versions, the brake, and what follows for people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.leaving.erase_person import approve_erasure, propose_erasure
from onepam.app.open_session import Opened
from onepam.app.people.enable_person import enable_person
from onepam.app.people.end_overdue_person import end_overdue_person
from onepam.app.roster.follow_roster import follow_roster
from onepam.app.roster.take_roster import (
    Taken,
    Upload,
    plan_roster,
    record_failed_pull,
    release_roster,
    set_roster_rules,
    set_roster_source,
    take_roster,
)
from onepam.domain.leaving.brake import HoldReason
from onepam.domain.people.events import PersonKind
from onepam.domain.roster.events import RosterRules, RosterSourceSet
from onepam.domain.roster.file import InvalidRoster
from onepam.domain.roster.following import Steps
from onepam.domain.roster.taking import Held, RosterPlan, Took
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.jobs.erasing import Erasing
from onepam.kernel.clock import DAY, HOUR, MINUTE, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.db import rows
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import held_roles
from onepam.store.facts.people import person_facts
from onepam.store.read import staff as read
from onepam.store.read.directory_brake import held_people
from onepam.store.read.overdue import overdue_people
from onepam.store.read.paging import Window
from onepam.store.read.reconciliation import KINDS, MOST_FINDINGS, FindingFilter, findings, reconciliation
from tests.company import Company, Counted, binding, record, refused

pytestmark = pytest.mark.anyio

HEADER = "number,name,email,type,manager,starts,ends,time_zone,sponsor,contract_ends\n"
ROWS = {
    "ada": "1,Ada Example,ada@example.com,employee,,2020-01-01,,,,",
    "bob": "2,Bob Example,bob@example.com,employee,1,2020-01-01,,,,",
    "max": "3,Max Example,max@example.com,employee,1,2020-01-01,,,,",
    "eve": "4,Eve Example,eve@example.com,employee,max@example.com,2020-01-01,,,,",
    "aud": "5,Aud Example,aud@example.com,employee,1,2020-01-01,,,,",
    "vic": "6,Vic Example,vic@example.com,vendor,,2026-01-01,,Pacific/Auckland,3,2026-05-31",
}
RANDOM = Counted()


def fresh(prefix: str) -> str:
    return new_id(prefix, RANDOM)


def text(*but: str, **changed: str) -> bytes:
    """Everybody's rows, without some and with others changed."""
    listed = {**ROWS, **changed}
    return (HEADER + "".join(f"{row}\n" for who, row in listed.items() if who not in but)).encode()


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    await record(company.ledger, RosterSourceSet("hr.example.com", HOUR, "ada"))
    yield company
    company.close()
    assert compare(company.path) == []


async def take(company: Company, data: bytes, person: str | None = "ada") -> Taken:
    actor = company.actor(person) if person else None
    upload = Upload(data, "upload" if person else "hr.example.com", company.clock())
    taken = await take_roster(company.ledger, actor, upload, None, fresh)
    if isinstance(taken, Took):
        await follow_roster(company.ledger, fresh)
    return taken


async def person(company: Company, who: str) -> dict[str, object]:
    found = await company.reader(
        lambda db, at: rows(
            db, "SELECT * FROM person WHERE person = ? AND valid_from <= ? AND ? < valid_until", (who, at, at)
        )
    )
    return dict(found[0])


async def roles(company: Company, who: str) -> tuple[str, ...]:
    return tuple(each.role for each in await company.reader(lambda db, at: held_roles(db, who, at)))


async def test_a_dry_run_records_nothing_and_its_digest_applies_it(company: Company) -> None:
    size = company.ledger.size()
    upload = Upload(text(), "upload", company.clock())
    plan = await plan_roster(company.ledger, company.actor("ada"), upload, fresh)
    assert isinstance(plan, RosterPlan)
    assert (len(plan.difference.added), plan.held, plan.difference.leavers) == (6, None, ())
    assert company.ledger.size() == size
    other = await take_roster(company.ledger, company.actor("ada"), upload, "0" * 64, fresh)
    refused(other, "roster.digest")
    assert isinstance(await take_roster(company.ledger, company.actor("ada"), upload, plan.digest, fresh), Took)


async def test_managers_sponsors_and_ends_follow(company: Company) -> None:
    assert isinstance(await take(company, text()), Took)
    assert (await person(company, "eve"))["manager"] == "max"
    vic = await person(company, "vic")
    assert vic["owner"] == "max"
    assert vic["ends"] == parse("2026-05-31T12:00:00Z")  # the end of that day in Auckland
    again = await take(company, text())
    assert isinstance(again, Took)
    assert not again.difference.changed
    assert not again.difference.added
    moved = "4,Eve Example,eve@example.com,employee,2,2020-01-01,,,,"
    assert isinstance(await take(company, text(eve=moved)), Took)
    assert (await person(company, "eve"))["manager"] == "bob"
    assert await follow_roster(company.ledger, fresh) == Steps(0, 0, 0, 0)


async def test_who_is_removed_or_over_loses_everything_with_both_times(company: Company) -> None:
    await take(company, text())
    assert isinstance(await company.open("eve", "dev-1", "app"), Opened)
    left = "4,Eve Example,eve@example.com,employee,max@example.com,2020-01-01,2026-03-01,,,"
    assert isinstance(await take(company, text(eve=left)), Took)
    refused(await company.open("eve", "dev-1", "app"), "person.disabled")
    found = await company.reader(lambda db, at: dict(rows(db, "SELECT * FROM leaver WHERE person = 'eve'")[0]))
    assert found["origin"] == "roster"
    assert found["left_at"] == parse("2026-03-02T00:00:00Z")
    assert found["left_at"] < found["notified"] < found["removed"]
    assert isinstance(await take(company, text("eve", "aud")), Took)
    assert not (await person(company, "aud"))["enabled"]


async def test_an_administrator_may_enable_a_leaver_until_the_roster_says_something_new(company: Company) -> None:
    await take(company, text())
    await take(company, text("eve"))
    assert await enable_person(company.ledger, company.actor("ada"), "eve", "a mistake of HR") is None
    assert not (await follow_roster(company.ledger, fresh)).any()
    assert (await person(company, "eve"))["enabled"]
    assert [each.kind for each in (await company.reader(reconciliation)).findings] == ["left_enabled"]
    await take(company, text())
    await take(company, text("eve"))
    assert not (await person(company, "eve"))["enabled"]


async def test_a_return_enables_nothing(company: Company) -> None:
    await take(company, text())
    await take(company, text("eve"))
    await take(company, text())
    assert not (await person(company, "eve"))["enabled"]
    kinds = [(each.kind, each.person) for each in (await company.reader(reconciliation)).findings]
    assert kinds == [("disabled", "eve")]


async def test_a_number_that_went_to_somebody_else_is_found(company: Company) -> None:
    """Nothing tells a new name from a new person: somebody must look."""
    await take(company, text())
    await take(company, text(eve="4,Noa New,noa@example.com,employee,max@example.com,2026-01-01,,,,"))
    assert (await person(company, "eve"))["email"] == "eve@example.com"
    (found,) = (await company.reader(reconciliation)).findings
    assert (found.kind, found.person, found.detail) == ("other_address", "eve", "noa@example.com")


async def test_a_new_number_of_the_same_person_ends_nothing(company: Company) -> None:
    await take(company, text())
    renumbered = ROWS["eve"].replace("4,", "44,", 1)
    taken = await take(company, text(eve=renumbered))
    assert isinstance(taken, Took)
    assert (await person(company, "eve"))["enabled"]


async def test_the_brake_holds_until_another_act_releases_the_digest(company: Company) -> None:
    await take(company, text())
    cut = text("eve", "aud", "bob", "vic")
    held = await take(company, cut, None)
    assert isinstance(held, Held)
    assert held.plan.held == "roster.leavers"
    assert (await person(company, "eve"))["enabled"]
    size = company.ledger.size()
    again = await take(company, cut, None)
    assert isinstance(again, Held)
    assert again.version == held.version
    assert company.ledger.size() == size
    refused(await release_roster(company.ledger, company.actor("max"), held.plan.digest), "right.missing")
    refused(await release_roster(company.ledger, company.actor("ada"), "0" * 64), "roster.digest")
    company.clock.advance(6 * MINUTE)
    refused(await release_roster(company.ledger, company.actor("ada"), held.plan.digest), "factor.stale")
    await company.sign_in("ada")
    assert await release_roster(company.ledger, company.actor("ada"), held.plan.digest) is None
    refused(await release_roster(company.ledger, company.actor("ada"), held.plan.digest), "roster.not_held")
    taken = await take(company, cut, None)
    assert isinstance(taken, Took)
    assert taken.version == held.version
    assert not (await person(company, "eve"))["enabled"]
    health = await company.reader(read.health)
    assert health.newest is not None
    assert health.newest.standing == "taken"


async def test_an_empty_roster_is_held(company: Company) -> None:
    await take(company, text())
    empty = await take(company, HEADER.encode())
    assert isinstance(empty, Held)
    assert empty.plan.held == "roster.empty"


async def test_of_many_leavers_only_the_accounts_wait(company: Company) -> None:
    """A third of the company in one version: all lose sessions and rights at once, five of them the account, too."""
    ledger = company.ledger
    assert await set_roster_rules(ledger, company.actor("ada"), RosterRules(creates=True)) is None
    many = {f"p{each:02}": f"{each},P {each},p{each:02}@example.com,employee,,,,,," for each in range(10, 34)}
    await take(company, text(**many))
    everybody = await company.reader(lambda db, at: rows(db, "SELECT DISTINCT person, email FROM person"))
    known = {str(each["email"]).partition("@")[0]: str(each["person"]) for each in everybody}
    gone = [known[each] for each in sorted(many)[:12]]
    for each in gone:
        await company.sign_in(each)
        await record(ledger, binding(each, "engineer"))
    assert isinstance(await take(company, text(*sorted(many)[:12], **many)), Took)
    held = [each for each in gone if (await person(company, each))["enabled"]]
    assert len(held) == 7
    assert sorted(each.person for each in await company.reader(held_people)) == sorted(held)
    assert {each.origin for each in await company.reader(held_people)} == {"roster"}
    for each in gone:
        assert await roles(company, each) == ()
        refused(await company.open(each, "dev-1", "app"), "person.disabled" if each not in held else "resource.unknown")
    # The next version has one of them again.
    back = next(name for name, ident in known.items() if ident == held[0])
    await take(company, text(*(each for each in sorted(many)[:12] if each != back), **many))
    assert await roles(company, held[0]) == ("engineer",)


async def test_a_version_without_any_administrator_leaves_the_last_one_the_console(company: Company) -> None:
    for who in ("ada", "bob"):
        await record(company.ledger, FactorEnrolled(f"fac_{who}", who, FactorKind.PASSKEY, "v1", None, None))
    await take(company, text())
    none_left = text("ada", "bob", max="3,Max Example,max@example.com,employee,,,,,,",
                     eve="4,Eve Example,eve@example.com,employee,3,,,,,",
                     aud="5,Aud Example,aud@example.com,employee,,,,,,")  # fmt: skip
    assert isinstance(await take(company, none_left), Took)
    assert [(await person(company, who))["enabled"] for who in ("ada", "bob")] == [0, 1]
    (last,) = await company.reader(held_people)
    assert (last.person, last.reason) == ("bob", HoldReason.LAST_ADMINISTRATOR)
    assert await roles(company, "bob") == ("administrator",)


async def test_a_bad_file_changes_nothing_and_is_told_once(company: Company) -> None:
    await take(company, text())
    bad = text(eve="4,Eve,eve@example.com,employee,99,,,,,")
    outcome = await take(company, bad, None)
    assert isinstance(outcome, InvalidRoster)
    assert str(outcome.errors[0]) == "line 5, column manager: '99' is nobody in this file."
    size = company.ledger.size()
    assert isinstance(await take(company, bad, None), InvalidRoster)
    assert company.ledger.size() == size
    down = Refused("fetch.down", "hr.example.com does not answer.")
    for _ in range(2):
        await record_failed_pull(company.ledger, "hr.example.com", down, company.clock(), fresh)
    assert company.ledger.size() == size + 1
    health = await company.reader(read.health)
    assert health.trouble == ("hr.example.com does not answer.",)
    assert health.taken is not None
    assert health.taken.rows == 6


async def test_only_administrators_take_and_set(company: Company) -> None:
    refused(await take(company, text(), "max"), "right.missing")
    source = RosterSourceSet("hr.example.com", HOUR, "ada", "https://hr.example.com/r.csv", "X-Key", "sealed")
    assert await set_roster_source(company.ledger, company.actor("ada"), source) is None
    refused(await set_roster_source(company.ledger, company.actor("max"), source), "right.missing")
    refused(await set_roster_rules(company.ledger, company.actor("ada"), RosterRules(20)), "roster.brake")
    rules = RosterRules(60, 48 * HOUR, True, (("number", "Personalnummer"),))
    assert await set_roster_rules(company.ledger, company.actor("ada"), rules) is None
    theirs = text().replace(b"number", b"Personalnummer", 1)
    assert isinstance(await take(company, theirs), Took)
    joined = theirs + b"7,Joy Example,joy@example.com,employee,3,2020-01-01,,,,\n"
    assert isinstance(await take(company, joined), Took)
    found = await company.reader(lambda db, at: dict(rows(db, "SELECT * FROM person WHERE origin = 'roster'")[0]))
    assert (found["email"], found["manager"], found["kind"]) == ("joy@example.com", "max", "employee")


async def test_an_employee_becomes_a_vendor_with_sponsor_and_end(company: Company) -> None:
    await take(company, text())
    await take(company, text(eve="4,Eve Example,eve@example.com,vendor,,,,,3,2026-06-30"))
    facts = await company.reader(lambda db, at: person_facts(db, "eve", at))
    assert facts is not None
    assert (facts.kind, facts.owner, facts.ends) == (PersonKind.VENDOR, "max", parse("2026-07-01T00:00:00Z"))


async def test_the_roster_as_of_any_instant(company: Company) -> None:
    assert (await company.reader(read.health)).taken is None
    await take(company, text())
    before = company.clock()
    company.clock.advance(DAY)
    assert isinstance(await take(company, text("eve"), None), Took)
    listed = await company.reader(read.entries)
    assert "eve@example.com" not in {each.email for each in listed}
    listed = await company.reader(read.entries, before)
    assert {each.email for each in listed} >= {"eve@example.com"}
    company.clock.advance(25 * HOUR)
    assert (await company.reader(read.health)).stale
    versions = await company.reader(read.versions)
    assert [(each.rows, each.ended) for each in versions] == [(5, 1), (6, 0)]


async def test_ten_thousand_rows(company: Company) -> None:
    many = "".join(f"{n},Person {n},p{n}@example.com,employee,1,2020-01-01,,,,\n" for n in range(100, 10_100))
    taken = await take(company, text() + many.encode())
    assert isinstance(taken, Took)
    assert not taken.more
    found = await company.reader(read.health)
    assert found.taken is not None
    assert found.taken.rows == 10_006
    listed = await company.reader(reconciliation)
    assert len([each for each in listed.findings if each.kind == "no_account"]) == MOST_FINDINGS
    assert listed.counts["no_account"] == 10_000


async def test_findings_come_a_page_at_a_time_each_once_narrowed_and_counted(company: Company) -> None:
    assert (await company.reader(findings, None, FindingFilter(), Window())).counts == {}
    more = "".join(f"{n},Žofie {n},z{n}@example.com,employee,1,2020-01-01,,,,\n" for n in range(100, 112))
    assert isinstance(await take(company, text("bob", "eve") + more.encode()), Took)
    whole = await company.reader(reconciliation)
    expected = sorted(whole.findings, key=lambda each: (KINDS.index(each.kind), each.name))
    seen, after = list[object](), None
    while after != "":
        found = await company.reader(findings, None, FindingFilter(), Window(after or "", 5))
        assert (found.page.total, found.counts) == (len(expected), whole.counts)
        seen += found.page.rows
        after = found.page.next
    assert seen == expected, "in the order of kinds, then of names; nothing twice and nothing left out"
    assert {each.kind for each in expected} == {"no_entry", "no_account"}
    one = await company.reader(findings, None, FindingFilter("no_entry", "BOB"), Window())
    assert ([each.person for each in one.page.rows], one.page.total) == (["bob"], 1)
    assert one.counts == whole.counts, "the numbers of kinds are of all there is"
    named = await company.reader(findings, None, FindingFilter("", "žofie 10"), Window())
    assert [each.name for each in named.page.rows] == [f"Žofie {n}" for n in range(100, 110)]
    assert (await company.reader(findings, None, FindingFilter("no_entry", "žofie"), Window())).page.total == 0
    lost = await company.reader(findings, None, FindingFilter(), Window("no_account/ent_gone", 5))
    assert lost.page.rows == tuple(expected[:5]), "what is not there any more is no place to go on from"


async def test_ends_that_the_roster_writes_go_by_the_brake(company: Company) -> None:
    """A roster with an end for everybody ends no more accounts in an hour than one without them."""
    people = [f"p{number}" for number in range(8)]
    more = {who: f"{20 + n},{who},{who}@example.com,employee,1,2020-01-01,2026-03-05,," for n, who in enumerate(people)}
    more |= {f"s{n}": f"{40 + n},s{n},s{n}@example.com,employee,1,2020-01-01,,," for n in range(20)}
    for who in more:
        await company.join(who, "engineer")
    await take(company, text(**{who: f"{row}," for who, row in more.items()}))
    company.clock.advance(6 * DAY)
    for who in company.reader.now(overdue_people):
        await end_overdue_person(company.ledger, who, fresh)
    held = [each for each in company.reader.now(held_people) if each.person in people]
    assert len(held) == 3
    assert {each.reason for each in held} == {HoldReason.MANY}


@pytest.mark.parametrize("gone", [True, False], ids=["it has gone", "it was agreed to"])
async def test_who_was_erased_and_is_listed_again_is_somebody_new(company: Company, gone: bool) -> None:
    """By the same number and address: nothing is left to know them by, or soon will be."""
    await take(company, text())
    await take(company, text("eve"))
    assert await propose_erasure(company.ledger, company.actor("ada"), "ers_1", "eve", "asked for it", 0) is None
    assert await approve_erasure(company.ledger, company.actor("bob"), "ers_1") is None
    if gone:
        await Erasing(company.ledger, company.reader, lambda: True).turn()
    creating = RosterRules(creates=True)
    assert await set_roster_rules(company.ledger, company.actor("ada"), creating) is None
    assert isinstance(await take(company, text()), Took)
    await Erasing(company.ledger, company.reader, lambda: True).turn()
    await follow_roster(company.ledger, fresh)
    listed = await company.reader(
        lambda db, at: rows(db, "SELECT DISTINCT person FROM staff_entry WHERE email = 'eve@example.com'")
    )
    assert "eve" not in {each["person"] for each in listed}
    found = await company.reader(
        lambda db, at: rows(db, "SELECT person, enabled FROM person WHERE email = 'eve@example.com'")
    )
    assert [each["enabled"] for each in found] == [1]
    assert found[0]["person"] != "eve"
    assert not (await person(company, "eve"))["enabled"]
