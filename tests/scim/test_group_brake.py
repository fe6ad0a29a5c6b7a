"""A directory that takes its own group from the last administrator: held, visible, and answered as always."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.app.leaving.decide_hold import decide_holds
from onepam.app.ports import Snapshot
from onepam.domain.access.model import SubjectKind
from onepam.domain.leaving.brake import HoldReason
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import held_roles
from onepam.store.read.alarms import alarms
from onepam.store.read.directory_brake import held_people, own_words
from tests.company import binding, record
from tests.scim.directory import Directory
from tests.scim.test_brake import OFF, held, who

pytestmark = pytest.mark.anyio


class Corp:
    """A company that is administered by members of the directory's group `Admins`, and by nobody else."""

    def __init__(self, directory: Directory, users: dict[str, str], group: str) -> None:
        self.directory, self.users, self.group = directory, users, group
        self.people = {name: who(directory, user) for name, user in users.items()}

    def roles(self, name: str) -> tuple[str, ...]:
        def of(db: Snapshot, at: object) -> tuple[str, ...]:
            return tuple(each.role for each in held_roles(db, self.people[name], at))  # type: ignore[arg-type]

        return self.directory.company.reader.now(of)

    def held(self) -> list[str]:
        """Who is held for the group; the page and the alarm say so."""
        found = held(self.directory)
        assert set(found.values()) <= {HoldReason.LAST_ADMINISTRATORS_GROUP}
        told = [each.sentence for each in self.directory.company.reader.now(alarms) if each.kind == "directory"]
        assert [("took from the last administrator" in each) for each in told] == [True] * bool(found)
        return [name for name, person in self.people.items() if person in found]

    async def out(self, *names: str) -> None:
        members = [{"value": self.users[each]} for each in names]
        change = {"op": "remove", "path": "members", "value": members}
        assert (await self.directory.patch(self.group, change)).status in (200, 204)


@pytest.fixture
async def corp(tmp_path: Path) -> AsyncIterator[Corp]:
    directory = await Directory.create(tmp_path)
    ledger = directory.company.ledger
    users = {name: (await directory.user(name))["id"] for name in ("pia", "quin", "rob")}
    group = await directory.group("Admins", users["pia"], users["quin"])
    found = Corp(directory, users, f"/Groups/{group['id']}")
    for name in ("pia", "quin"):
        person = found.people[name]
        await record(ledger, FactorEnrolled(f"fac_{name}", person, FactorKind.PASSKEY, "v1", None, None))
    await record(ledger, binding("directory:Admins", "administrator", kind=SubjectKind.GROUP))
    await record(ledger, binding("directory:Admins", "engineer", kind=SubjectKind.GROUP))
    yield found
    directory.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


async def test_members_taken_out_one_by_one(corp: Corp) -> None:
    await corp.out("pia")
    assert (corp.roles("pia"), corp.held()) == ((), [])
    await corp.out("quin")
    assert corp.held() == ["quin"]
    assert corp.roles("quin") == ("administrator",)
    read = await corp.directory.ask("GET", corp.group)
    assert read.body.get("members", []) == []
    # A client that repeats itself, and one that writes the active user anew, change nothing of it.
    await corp.out("quin")
    renamed = {"op": "replace", "path": "displayName", "value": "Quin the Third"}
    assert (await corp.directory.patch(f"/Users/{corp.users['quin']}", renamed)).status == 200
    assert (corp.held(), corp.roles("quin")) == (["quin"], ("administrator",))


@pytest.mark.parametrize("way", ["replace", "PUT", "rename", "DELETE"])
async def test_whichever_way_all_are_taken_out(corp: Corp, way: str) -> None:
    directory, group = corp.directory, corp.group
    if way == "replace":
        done = await directory.patch(group, {"op": "replace", "path": "members", "value": []})
    elif way == "PUT":
        done = await directory.ask("PUT", group, {"displayName": "Admins", "members": []})
    elif way == "rename":
        done = await directory.patch(group, {"op": "replace", "path": "displayName", "value": "Former admins"})
    else:
        done = await directory.ask("DELETE", group)
    assert done.status in (200, 204)
    (last,) = corp.held()
    other = "quin" if last == "pia" else "pia"
    assert (corp.roles(last), corp.roles(other)) == (("administrator",), ())


async def test_another_name_that_administers_too_is_no_loss(corp: Corp) -> None:
    await record(corp.directory.company.ledger, binding("directory:Operators", "administrator", kind=SubjectKind.GROUP))
    done = await corp.directory.patch(corp.group, {"op": "replace", "path": "displayName", "value": "Operators"})
    assert done.status in (200, 204)
    assert (corp.held(), corp.roles("pia"), corp.roles("quin")) == ([], ("administrator",), ("administrator",))


async def test_the_directory_says_the_group_again(corp: Corp) -> None:
    await corp.out("pia", "quin")
    (last,) = corp.held()
    add = {"op": "add", "path": "members", "value": [{"value": corp.users[last]}]}
    assert (await corp.directory.patch(corp.group, add)).status in (200, 204)
    assert (corp.held(), corp.roles(last)) == ([], ("administrator", "engineer"))


async def test_the_last_administrator_decides_alone_and_that_is_a_finding(corp: Corp) -> None:
    await corp.out("pia", "quin")
    (last,) = corp.held()
    company, person = corp.directory.company, corp.people[last]
    await company.sign_in(person)
    assert await decide_holds(company.ledger, company.actor(person), (person,), True, "I run this") == (1, None)
    assert (corp.held(), corp.roles(last)) == ([], ("administrator", "engineer"))
    assert [each.person for each in company.reader.now(own_words)] == [person]


async def test_kept_by_another_the_account_follows_the_directory_again(corp: Corp) -> None:
    await corp.out("pia", "quin")
    (last,) = corp.held()
    company, person = corp.directory.company, corp.people[last]
    assert await decide_holds(company.ledger, company.actor("ada"), (person,), True, "she works here") == (1, None)
    assert (corp.held(), corp.roles(last)) == ([], ())


async def test_deactivated_under_such_a_hold_is_the_end_of_the_account_held(corp: Corp) -> None:
    await corp.out("pia", "quin")
    (last,) = corp.held()
    assert (await corp.directory.patch(f"/Users/{corp.users[last]}", OFF)).status == 200
    assert held(corp.directory) == {corp.people[last]: HoldReason.LAST_ADMINISTRATOR}
    assert corp.roles(last) == ("administrator",)
    assert [each.because for each in corp.directory.company.reader.now(held_people)] == ["deactivated in the directory"]


async def test_a_group_that_gives_no_right_to_administer_is_left_at_once(corp: Corp) -> None:
    directory = corp.directory
    await record(directory.company.ledger, binding("directory:Ops", "engineer", kind=SubjectKind.GROUP))
    group = await directory.group("Ops", corp.users["rob"])
    assert corp.roles("rob") == ("engineer",)
    assert (await directory.ask("DELETE", f"/Groups/{group['id']}")).status == 204
    assert (corp.held(), corp.roles("rob")) == ([], ())
