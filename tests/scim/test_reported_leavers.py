"""A leaver whom the directory does not lead: the account was made by hand, and nobody agreed to the takeover."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.app.leaving.decide_hold import decide_holds
from onepam.app.people.disable_person import disable_person
from onepam.domain.leaving.leaving import Ended
from onepam.domain.telling.outbox import Channel, ReceiverSet
from onepam.store.engine.rebuild import compare
from onepam.store.read.alarms import alarms
from onepam.store.read.directory_brake import reported_leavers
from onepam.store.read.outbox import to_tell
from onepam.store.read.people import person as person_row
from tests.company import record, refused
from tests.scim.directory import CORE, Directory

pytestmark = pytest.mark.anyio

OFF = {"op": "replace", "value": {"active": False}}
ON = {"op": "replace", "value": {"active": True}}
EVE = {"schemas": [CORE], "userName": "eve@example.com", "active": True}


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = await Directory.create(tmp_path)
    yield found
    found.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


async def waiting(directory: Directory, **more: Any) -> str:
    """A user with the address of eve, whom an administrator added by hand: its path."""
    made = await directory.ask("POST", "/Users", {**EVE, **more})
    assert made.status == 201, made
    return f"/Users/{made.body['id']}"


def reported(directory: Directory) -> list[tuple[str, str]]:
    """Who is reported, and why; an alarm stands as long as anybody is."""
    found = directory.company.reader.now(reported_leavers)
    told = [each for each in directory.company.reader.now(alarms) if each.kind == "directory_report"]
    assert len(told) == (1 if found else 0)
    return [(each.person, each.because) for each in found]


def works(directory: Directory) -> bool:
    found = directory.company.reader.now(person_row, None, "eve")
    assert found is not None
    return found.row.enabled


@pytest.mark.parametrize("way", ["PATCH", "PUT", "DELETE"])
async def test_whichever_way_the_directory_says_it(directory: Directory, way: str) -> None:
    path = await waiting(directory)
    assert reported(directory) == []
    if way == "PATCH":
        answer = await directory.patch(path, OFF)
        assert (answer.status, answer.body["active"]) == (200, False)
        assert (await directory.patch(path, OFF)).status == 200
    elif way == "PUT":
        # With another address: what counts is whom the user waited for.
        gone = {**EVE, "userName": "eve.gone@example.com", "active": False}
        assert (await directory.ask("PUT", path, gone)).status == 200
    else:
        assert (await directory.ask("DELETE", path)).status == 204
    why = "deleted in the directory" if way == "DELETE" else "deactivated in the directory"
    assert reported(directory) == [("eve", why)]
    assert works(directory)


async def test_deactivated_and_then_deleted_is_one_report(directory: Directory) -> None:
    path = await waiting(directory)
    await directory.patch(path, OFF)
    assert (await directory.ask("DELETE", path)).status == 204
    assert reported(directory) == [("eve", "deactivated in the directory")]


async def test_it_goes_when_the_directory_says_active_again(directory: Directory) -> None:
    path = await waiting(directory)
    await directory.patch(path, OFF)
    assert (await directory.patch(path, ON)).status == 200
    assert reported(directory) == []
    # It waits for the yes again, and a next leaving is told again; a deleted user comes back under another id.
    assert (await directory.ask("DELETE", path)).status == 204
    assert reported(directory) != []
    await waiting(directory)
    assert reported(directory) == []


async def test_another_directory_does_not_answer_for_this_one(directory: Directory) -> None:
    await directory.patch(await waiting(directory), OFF)
    entra = await directory.new_token("entra")
    assert (await directory.ask("POST", "/Users", EVE, token=entra)).status == 201
    assert reported(directory) == [("eve", "deactivated in the directory")]


async def test_it_goes_when_the_person_is_disabled(directory: Directory) -> None:
    await directory.patch(await waiting(directory), OFF)
    company = directory.company
    assert isinstance(await disable_person(company.ledger, company.actor("ada"), "eve", "left"), Ended)
    assert reported(directory) == []


async def test_it_goes_when_the_account_is_taken_over(directory: Directory) -> None:
    """Two users of the directory have the address; one leaves, and the other one is agreed to."""
    first = await waiting(directory)
    second = await waiting(directory, userName="eve2@corp.example", emails=[{"value": "eve@example.com"}])
    await directory.patch(first, OFF)
    assert reported(directory) == [("eve", "deactivated in the directory")]
    user = second.rpartition("/")[2]
    assert await directory.agrees(user) == "eve"
    assert reported(directory) == []
    assert works(directory)


async def test_an_administrator_ends_the_account_or_says_that_it_stays(directory: Directory) -> None:
    company, path = directory.company, await waiting(directory)
    await directory.patch(path, OFF)
    bob, ada = company.actor("bob"), company.actor("ada")
    assert await decide_holds(company.ledger, bob, ("eve",), True, "a namesake") == (1, None)
    assert (reported(directory), works(directory)) == ([], True)
    refused((await decide_holds(company.ledger, bob, ("eve",), True, "x"))[1], "hold.unknown")
    await directory.patch(path, ON)
    await directory.patch(path, OFF)
    assert await decide_holds(company.ledger, ada, ("eve",), False, "true") == (1, None)
    assert (reported(directory), works(directory)) == ([], False)


async def test_whoever_can_do_something_is_told(directory: Directory) -> None:
    await record(directory.company.ledger, ReceiverSet("mail", Channel.MAIL), ReceiverSet("hook", Channel.WEBHOOK))
    await directory.patch(await waiting(directory), OFF)
    found, _ = directory.company.reader.now(to_tell, None, 0)
    told = [each for each in found if each.occurrence.kind == "directory.leaver_reported"]
    assert [each.receiver for each in told] == ["mail:ada", "mail:bob", "hook"]
    assert all("Eve Example has left" in each.occurrence.sentence and each.occurrence.alarm for each in told)
