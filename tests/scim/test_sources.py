"""Several say the same: each source's word stands by itself, and what a person holds is what any of them still says."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.app.people.disable_person import disable_person
from onepam.app.people.enable_person import enable_person
from onepam.app.ports import Snapshot
from onepam.domain.access.model import SubjectKind
from onepam.domain.people.events import GroupMemberAdded
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import held_roles
from onepam.store.read.everybody import people as people_rows
from onepam.store.read.provisioned import troubled
from tests.company import binding, record
from tests.scim.directory import Directory

pytestmark = pytest.mark.anyio


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = await Directory.create(tmp_path)
    await record(found.company.ledger, binding("directory:Engineering", "engineer", kind=SubjectKind.GROUP))
    yield found
    found.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


class Provider:
    """A provider whose user is aud of the company, in its own group Engineering."""

    def __init__(self, directory: Directory, token: str) -> None:
        self.directory, self.token = directory, token
        self.user = self.group = ""

    async def begin(self) -> "Provider":
        self.user = await self.directory.takes_over("aud@example.com", self.token)
        team = {"displayName": "Engineering", "members": [{"value": self.user}]}
        self.group = (await self.ask("POST", "/Groups", team)).body["id"]
        return self

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.directory.ask(method, path, body, token=self.token)
        assert answer.status < 300, answer
        return answer

    async def change(self, path: str, operation: Any) -> None:
        await self.ask("PATCH", path, {"Operations": [operation]})


def engineer(directory: Directory) -> int:
    """By how many ways aud is an engineer: one binding counts once."""

    def count(db: Snapshot, at: Any) -> int:
        return sum(each.role == "engineer" for each in held_roles(db, "aud", at))

    return directory.company.reader.now(count)


@pytest.fixture
async def both(directory: Directory) -> tuple[Provider, Provider]:
    okta = await Provider(directory, directory.token).begin()
    return okta, await Provider(directory, await directory.new_token("entra")).begin()


REMOVALS = {
    "no member": lambda p: p.change(f"/Groups/{p.group}", {"op": "remove", "path": "members"}),
    "renamed": lambda p: p.change(f"/Groups/{p.group}", {"op": "replace", "path": "displayName", "value": "Other"}),
    "deleted": lambda p: p.ask("DELETE", f"/Groups/{p.group}"),
}


@pytest.mark.parametrize("removal", REMOVALS.values(), ids=REMOVALS.keys())
@pytest.mark.parametrize("first", [0, 1])
async def test_a_group_of_two_providers_lasts_while_one_says_it(
    directory: Directory, both: tuple[Provider, Provider], removal: Any, first: int
) -> None:
    assert engineer(directory) == 1
    await removal(both[first])
    assert engineer(directory) == 1
    await removal(both[1 - first])
    assert engineer(directory) == 0


async def test_what_a_sign_in_said_stays_when_scim_takes_its_own_back(directory: Directory) -> None:
    okta = await Provider(directory, directory.token).begin()
    await record(directory.company.ledger, GroupMemberAdded("directory:Engineering", "aud", "claims:idp_1", None))
    await REMOVALS["no member"](okta)
    assert engineer(directory) == 1


async def test_who_is_shown_once_is_a_member_once(directory: Directory, both: tuple[Provider, Provider]) -> None:
    shown = (await directory.company.reader(people_rows, None)).rows
    (aud,) = [each for each in shown if each.person == "aud"]
    assert sorted(aud.roles) == ["auditor", "engineer"]


async def test_whoever_comes_back_by_one_provider_has_the_groups_of_all(
    directory: Directory, both: tuple[Provider, Provider]
) -> None:
    okta, entra = both
    await REMOVALS["no member"](okta)
    await okta.change(f"/Users/{okta.user}", {"op": "replace", "value": {"active": False}})
    assert engineer(directory) == 0
    await okta.change(f"/Users/{okta.user}", {"op": "replace", "value": {"active": True}})
    assert engineer(directory) == 1
    await REMOVALS["no member"](entra)
    assert engineer(directory) == 0


async def test_whom_an_administrator_enables_again_has_the_groups_of_the_directory(directory: Directory) -> None:
    okta = await Provider(directory, directory.token).begin()
    ledger, ada = directory.company.ledger, directory.company.actor("ada")
    await disable_person(ledger, ada, "aud", "trouble")
    await okta.change(f"/Users/{okta.user}", {"op": "replace", "value": {"title": "Auditor"}})
    assert engineer(directory) == 0
    assert [each.trouble for each in await directory.company.reader(troubled, None)] == ["disabled_here"]
    assert await enable_person(ledger, ada, "aud", "cleared") is None
    assert engineer(directory) == 1
    assert await directory.company.reader(troubled, None) == []


async def test_not_whom_the_directory_has_deactivated(directory: Directory) -> None:
    okta = await Provider(directory, directory.token).begin()
    await okta.change(f"/Users/{okta.user}", {"op": "replace", "value": {"active": False}})
    assert await enable_person(directory.company.ledger, directory.company.actor("ada"), "aud", "needed") is None
    assert engineer(directory) == 0
    await okta.change(f"/Users/{okta.user}", {"op": "replace", "value": {"active": True}})
    assert engineer(directory) == 1
