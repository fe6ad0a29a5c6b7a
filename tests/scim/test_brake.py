"""A directory with a brake: it cannot lock everybody out, take an account over, or end a company in an hour."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.app.leaving.decide_hold import decide_holds, lapse_person_hold, remind_of
from onepam.app.people.disable_person import disable_person
from onepam.app.people.end_overdue_person import end_overdue_person
from onepam.app.ports import Snapshot
from onepam.app.provisioning.provision_user import agree_to_takeover
from onepam.domain.access.model import SubjectKind
from onepam.domain.leaving.brake import HoldOutcome, HoldReason
from onepam.domain.leaving.leaving import Ended
from onepam.domain.provisioning.take_over import Shown
from onepam.domain.provisioning.tokens import END_ATTRIBUTE
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.kernel.clock import HOUR, MINUTE, Instant, iso
from onepam.store.db import rows
from onepam.store.engine.rebuild import compare
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import access_facts, held_roles
from onepam.store.read.directory_brake import held_people, lapsed_holds, own_words, reminders_due
from onepam.store.read.overdue import overdue_people
from onepam.store.read.people import person as person_row
from onepam.store.read.provisioned import troubled
from tests.company import binding, record, refused
from tests.scim.directory import ENTERPRISE, Directory

pytestmark = pytest.mark.anyio

OFF = {"op": "replace", "value": {"active": False}}
ON = {"op": "replace", "value": {"active": True}}


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = await Directory.create(tmp_path)
    for who in ("ada", "bob"):
        await record(found.company.ledger, passkey(who))
    await record(found.company.ledger, binding("directory:Engineering", "engineer", kind=SubjectKind.GROUP))
    yield found
    found.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


def roles(directory: Directory, person: str) -> tuple[str, ...]:
    def of(db: Snapshot, at: Any) -> tuple[str, ...]:
        return tuple(each.role for each in held_roles(db, person, at))

    return directory.company.reader.now(of)


def held(directory: Directory) -> dict[str, HoldReason]:
    return {each.person: each.reason for each in directory.company.reader.now(held_people)}


def enabled(directory: Directory, person: str) -> bool:
    found = directory.company.reader.now(person_row, None, person)
    assert found is not None
    return found.row.enabled


def passkey(person: str) -> FactorEnrolled:
    return FactorEnrolled(f"fac_{person}", person, FactorKind.PASSKEY, "v1", None, None)


def has_factor(directory: Directory, person: str) -> bool:
    return bool(count(directory, f"SELECT count(*) FROM factor WHERE person = :person AND {AT}", person=person))


def begun_holds(directory: Directory) -> int:
    """How many holds ever began: each is an alarm."""
    return count(directory, "SELECT count(DISTINCT hold) FROM directory_hold")


def count(directory: Directory, sql: str, **values: Any) -> int:
    def of(db: Snapshot, at: Any) -> int:
        return int(rows(db, sql, {"at": at, **values})[0][0])

    return directory.company.reader.now(of)


async def crowd(directory: Directory, size: int) -> list[str]:
    """Users with people behind them, all in Engineering."""
    made = [await directory.user(f"p{each}") for each in range(size)]
    await directory.group("Engineering", *(each["id"] for each in made))
    return [each["id"] for each in made]


def who(directory: Directory, user: str) -> str:
    def of(db: Snapshot, at: Any) -> str:
        return str(rows(db, "SELECT person FROM scim_user WHERE scim_user = ? ORDER BY valid_from DESC", (user,))[0][0])

    return directory.company.reader.now(of)


async def test_a_directory_cannot_lock_everybody_out(directory: Directory) -> None:
    """The founding administrators are linked, renamed and deactivated by whoever has the token."""
    company = directory.company
    users = {each: await directory.takes_over(f"{each}@example.com") for each in ("ada", "bob")}
    for user in users.values():
        off = await directory.patch(f"/Users/{user}", OFF)
        assert (off.status, off.body["active"]) == (200, False)
    assert not enabled(directory, "ada")
    assert enabled(directory, "bob")
    assert held(directory) == {"bob": HoldReason.LAST_ADMINISTRATOR}
    refused((await decide_holds(company.ledger, company.actor("bob"), ("bob",), True, "here"))[1], "sign_in.ended")
    # The session is gone; a new sign-in administers, and opens nothing else.
    await record(company.ledger, binding("bob", "engineer"))
    assert roles(directory, "bob") == ("administrator",)
    assert company.reader.now(lambda db, at: access_facts(db, "bob", "dev-1", at)).roles[0].permissions == ()
    company.clock.advance(100 * HOUR)
    assert await company.reader(lapsed_holds) == ()
    await company.sign_in("bob")
    refused((await decide_holds(company.ledger, company.actor("bob"), ("bob",), False, "off"))[1], "person.self")
    assert await decide_holds(company.ledger, company.actor("bob"), ("bob",), True, "I am here") == (1, None)
    assert held(directory) == {}
    assert [each.person for each in await company.reader(own_words)] == ["bob"]
    assert roles(directory, "bob") == ("administrator", "engineer")


async def test_a_group_of_many_waits_and_ends_after_twelve_hours(directory: Directory) -> None:
    company = directory.company
    users = await crowd(directory, 8)
    for user in users:
        assert (await directory.patch(f"/Users/{user}", OFF)).body["active"] is False
    people = [who(directory, each) for each in users]
    assert [enabled(directory, each) for each in people] == [False] * 5 + [True] * 3
    assert held(directory) == dict.fromkeys(people[5:], HoldReason.MANY)
    assert all(roles(directory, each) == () for each in people)
    holds = {each.hold for each in company.reader.now(held_people)}
    assert len(holds) == 1
    assert await company.reader(reminders_due) == ()
    company.clock.advance(6 * HOUR)
    (due,) = await company.reader(reminders_due)
    assert await remind_of(company.ledger, due) is None
    assert await company.reader(reminders_due) == ()
    # A word on one of them; the time on another; the directory on the third.
    await company.sign_in("ada")
    assert await decide_holds(company.ledger, company.actor("ada"), (people[5],), True, "she works here") == (1, None)
    assert roles(directory, people[5]) == ("engineer",)
    assert (await directory.patch(f"/Users/{users[6]}", ON)).body["active"] is True
    assert roles(directory, people[6]) == ("engineer",)
    assert held(directory) == {people[7]: HoldReason.MANY}
    refused(await lapse_person_hold(company.ledger, people[7], company.new), "hold.not_due")
    company.clock.advance(6 * HOUR)
    assert await company.reader(lapsed_holds) == (people[7],)
    assert await lapse_person_hold(company.ledger, people[7], company.new) is HoldOutcome.LAPSED
    assert not enabled(directory, people[7])
    assert held(directory) == {}
    # Rehired: what the directory ended the directory brings back.
    assert (await directory.patch(f"/Users/{users[7]}", ON)).status == 200
    assert enabled(directory, people[7])


async def test_an_hour_later_the_next_five_end(directory: Directory) -> None:
    users = await crowd(directory, 7)
    for user in users[:6]:
        await directory.patch(f"/Users/{user}", OFF)
    directory.company.clock.advance(HOUR + MINUTE)
    await directory.patch(f"/Users/{users[6]}", OFF)
    assert list(held(directory)) == [who(directory, users[5])]


@pytest.mark.parametrize("block", [1, 5])
async def test_who_is_brought_back_at_once_counts_all_the_same(directory: Directory, block: int) -> None:
    """Off and on again, one by one or five at a time: each of them has lost the factors."""
    users = await crowd(directory, 15)
    people = [who(directory, each) for each in users]
    for each in people:
        await record(directory.company.ledger, passkey(each))
    ends = []
    for start in range(0, 15, block):
        for user in users[start : start + block]:
            await directory.patch(f"/Users/{user}", OFF)
        ends += [enabled(directory, each) for each in people[start : start + block]]
        for user in users[start : start + block]:
            await directory.patch(f"/Users/{user}", ON)
    assert ends == [False] * 5 + [True] * 10
    assert [has_factor(directory, each) for each in people] == [False] * 5 + [True] * 10
    assert begun_holds(directory) == 1
    directory.company.clock.advance(HOUR + MINUTE)
    await directory.patch(f"/Users/{users[0]}", OFF)
    assert not enabled(directory, people[0])


async def sweep(directory: Directory) -> None:
    """What the gateway does every few seconds."""
    company = directory.company
    for person in await company.reader(overdue_people):
        await end_overdue_person(company.ledger, person, company.new)
    for person in await company.reader(lapsed_holds):
        await lapse_person_hold(company.ledger, person, company.new)


async def ending(directory: Directory, users: list[str], at: Instant) -> None:
    for user in users:
        said = await directory.patch(f"/Users/{user}", {"op": "replace", "path": END_ATTRIBUTE, "value": iso(at)})
        assert said.status == 200


async def test_an_end_that_a_directory_writes_goes_by_the_brake(directory: Directory) -> None:
    company = directory.company
    users = await crowd(directory, 12)
    people = [who(directory, each) for each in users]
    await record(company.ledger, *(passkey(each) for each in people))
    await ending(directory, users, Instant(company.clock() + MINUTE))
    company.clock.advance(2 * MINUTE)
    await sweep(directory)
    await sweep(directory)
    ended = {each for each in people if not enabled(directory, each)}
    assert len(ended) == 5
    assert held(directory) == dict.fromkeys(set(people) - ended, HoldReason.MANY)
    assert {each for each in people if not has_factor(directory, each)} == ended
    assert begun_holds(directory) == 1
    # Ends count for what the directory says otherwise, too.
    more = await directory.user("late")
    await directory.patch(f"/Users/{more['id']}", OFF)
    assert held(directory)[who(directory, more["id"])] is HoldReason.MANY
    # Nobody is kept past their end; an administrator moves it first. The directory's later end gives no right back.
    waiting = [each for each in people if each not in ended]
    said = (await decide_holds(company.ledger, company.actor("ada"), waiting[:1], True, "she works here"))[1]
    refused(said, "hold.end_passed")
    later = Instant(company.clock() + 100 * HOUR)
    await ending(directory, [users[people.index(each)] for each in waiting[:2]], later)
    assert roles(directory, waiting[0]) == ()
    assert await decide_holds(company.ledger, company.actor("ada"), waiting[:1], True, "she works here") == (1, None)
    assert roles(directory, waiting[0]) == ("engineer",)
    # In time the others end, but for whom the end was moved.
    company.clock.advance(12 * HOUR)
    await sweep(directory)
    assert set(held(directory)) == set()
    assert [enabled(directory, each) for each in waiting] == [True, True] + [False] * 5
    assert [has_factor(directory, each) for each in waiting[:2]] == [True, True]


async def test_vendors_whose_sponsor_a_directory_ends_go_by_the_brake(directory: Directory) -> None:
    """One departure, and a week later all whom that person answered for."""
    company = directory.company
    sponsor = await directory.user("sponsor")
    vendors = [
        await directory.user(
            f"v{each}",
            userType="Contractor",
            **{
                ENTERPRISE: {"manager": {"value": sponsor["id"]}},
                END_ATTRIBUTE.rpartition(":")[0]: {"endDate": iso(Instant(company.clock() + 2_000 * HOUR))},
            },
        )
        for each in range(8)
    ]
    await directory.patch(f"/Users/{sponsor['id']}", OFF)
    company.clock.advance(8 * 24 * HOUR)
    await sweep(directory)
    assert len(held(directory)) == 3
    assert sum(enabled(directory, who(directory, each["id"])) for each in vendors) == 3


async def test_a_client_that_repeats_itself_sees_what_it_said(directory: Directory) -> None:
    """Okta asks by filter and PATCHes or PUTs again; Entra PATCHes, reads, and deletes 30 days later."""
    users = await crowd(directory, 6)
    for user in users[:5]:
        await directory.patch(f"/Users/{user}", OFF)
    last = users[5]
    first = await directory.patch(f"/Users/{last}", OFF)
    assert (first.status, first.body["active"]) == (200, False)
    again = await directory.patch(f"/Users/{last}", {"op": "Replace", "path": "active", "value": "False"})
    assert (again.status, again.body["active"], again.body["meta"]) == (200, False, first.body["meta"])
    read = await directory.ask("GET", f"/Users/{last}")
    assert (read.status, read.body["active"]) == (200, False)
    found = await directory.ask("GET", '/Users?filter=userName%20eq%20"p5@corp.example"')
    assert [each["active"] for each in found.body["Resources"]] == [False]
    assert (await directory.ask("DELETE", f"/Users/{last}")).status == 204
    assert (await directory.ask("GET", f"/Users/{last}")).status == 404
    assert len(held(directory)) == 1
    # Created again while the account waits: the same person, who is there again.
    person = directory.company.reader.now(held_people)[0].person
    back = await directory.user("p5")
    assert who(directory, back["id"]) == person
    assert held(directory) == {}


async def test_an_administrator_may_always_end_anyone(directory: Directory) -> None:
    company = directory.company
    users = await crowd(directory, 8)
    for user in users:
        await directory.patch(f"/Users/{user}", OFF)
    people = [who(directory, each) for each in users[5:]]
    for person in people[:2]:
        assert isinstance(await disable_person(company.ledger, company.actor("ada"), person, "left"), Ended)
    assert list(held(directory)) == people[2:]
    assert await decide_holds(company.ledger, company.actor("ada"), people, False, "left") == (
        0,
        refused((await decide_holds(company.ledger, company.actor("ada"), people, False, "left"))[1], "hold.unknown"),
    )


async def test_an_account_made_by_hand_is_not_taken_over(directory: Directory) -> None:
    answer = await directory.ask(
        "POST", "/Users", {"userName": "ada@example.com", "displayName": "Mallory", "active": True}
    )
    assert (answer.status, answer.body["active"]) == (201, True)
    assert [each.trouble for each in await directory.company.reader(troubled, None)] == ["takeover"]
    path = f"/Users/{answer.body['id']}"
    for change in (OFF, ON, {"op": "replace", "path": "displayName", "value": "Eve"}, OFF):
        assert (await directory.patch(path, change)).status == 200
    found = directory.company.reader.now(person_row, None, "ada")
    assert found is not None
    assert (found.row.name, found.row.enabled) == ("Ada Example", True)


async def test_a_yes_holds_for_what_was_shown(directory: Directory) -> None:
    """A page asks about eve; before the yes the directory gives the user an administrator's address."""
    company = directory.company
    made = await directory.ask("POST", "/Users", {"userName": "eve@example.com"})
    user = made.body["id"]
    (shown,) = await company.reader(troubled, None)
    assert (shown.waits_for, shown.version) == ("eve", 1)
    await directory.patch(f"/Users/{user}", {"op": "replace", "path": "userName", "value": "bob@example.com"})
    for seen in (Shown(user, 1, "eve"), Shown(user, 1, "bob"), Shown(user, 2, "eve")):
        refused(await agree_to_takeover(company.ledger, company.actor("ada"), seen), "takeover.changed")
    assert [each.waits_for for each in await company.reader(troubled, None)] == ["bob"]
    await directory.patch(f"/Users/{user}", OFF)
    assert enabled(directory, "bob")
    await directory.patch(f"/Users/{user}", ON)
    assert await directory.agrees(user) == "bob"


async def test_a_token_writes_people_of_its_domains_only(directory: Directory) -> None:
    token = await directory.new_token("entra", domains=("corp.example",))
    foreign = await directory.ask("POST", "/Users", {"userName": "zoe@evil.example"}, token=token)
    own = await directory.ask("POST", "/Users", {"userName": "zoe@corp.example"}, token=token)
    assert (foreign.status, own.status) == (201, 201)
    assert [each.trouble for each in await directory.company.reader(troubled, None)] == ["foreign_domain"]
