"""A directory that brings somebody back whose data were erased: they are a new person, whichever way it says so."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.app.leaving.erase_person import approve_erasure, propose_erasure
from onepam.jobs.erasing import Erasing
from onepam.store.db import rows
from onepam.store.engine.entries import entries_of
from onepam.store.engine.rebuild import compare
from onepam.store.facts.people import person_facts
from onepam.store.read.erasing import counted
from tests.scim.directory import Directory

pytestmark = pytest.mark.anyio

OFF = {"op": "replace", "value": {"active": False}}
ON = {"op": "replace", "value": {"active": True}}


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = await Directory.create(tmp_path)
    yield found
    found.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


async def leads_to(directory: Directory, user: str) -> str | None:
    found = await directory.company.reader(
        lambda db, at: rows(
            db,
            "SELECT person FROM scim_user WHERE scim_user = ? AND valid_from <= ? AND ? < valid_until",
            (user, at, at),
        )
    )
    return str(found[0][0]) if found and found[0][0] is not None else None


async def erased(directory: Directory, *, gone: bool = True) -> tuple[Any, str]:
    """Kim came by the directory, left by it, and was erased: the user as it was, and the person. Where it has not
    `gone`, two people have agreed to it, and no more."""
    company = directory.company
    user = await directory.user("kim")
    person = await leads_to(directory, user["id"])
    assert person is not None
    assert (await directory.patch(f"/Users/{user['id']}", OFF)).status in (200, 204)
    assert await propose_erasure(company.ledger, company.actor("ada"), "ers_1", person, "asked for it", 0) is None
    assert await approve_erasure(company.ledger, company.actor("bob"), "ers_1") is None
    if gone:
        await carried_out(directory)
    return user, person


async def carried_out(directory: Directory) -> None:
    await Erasing(directory.company.ledger, directory.company.reader, lambda: True).turn()


async def kept(directory: Directory, user: str) -> list[tuple[str | None, str | None]]:
    """Of each time that the user was written: whom it named, and its document; None where it is empty."""
    return await directory.company.reader(
        lambda db, at: [
            (stored.fields["person"], stored.event.document)
            for stored in entries_of(db, ("scim_user.set",))
            if stored.fields["user"] == user
        ]
    )


@pytest.mark.parametrize("who", ["max", "zoe"])
async def test_what_came_after_two_people_agreed_is_anothers(directory: Directory, who: str) -> None:
    """The directory writes another human into the user, before anything has gone: one whose account was made by hand
    and waits for a word, or one who is new."""
    user, person = await erased(directory, gone=False)
    mail = f"{who}@example.com"
    other = {"userName": mail, "active": True, "displayName": f"Another {who}", "emails": [{"value": mail}]}
    assert (await directory.ask("PUT", f"/Users/{user['id']}", other)).status == 200
    led = await leads_to(directory, user["id"])
    assert led is None if who == "max" else led not in (None, person)
    await carried_out(directory)
    first, *_, last = await kept(directory, user["id"])
    assert first == (person, None)
    assert last[0] == led
    assert f"Another {who}" in str(last[1])
    found = await directory.ask("GET", f"/Users/{user['id']}")
    assert (found.body["userName"], found.body["displayName"]) == (mail, f"Another {who}")
    assert await directory.company.reader(counted, None, person) == {}


async def test_the_same_user_active_again_is_somebody_new(directory: Directory) -> None:
    user, person = await erased(directory)
    again = {"userName": "kim@corp.example", "active": True, "name": user["name"], "emails": user["emails"]}
    put = await directory.ask("PUT", f"/Users/{user['id']}", again)
    assert put.status == 200, put
    new = await leads_to(directory, user["id"])
    assert new not in (None, person)
    old = await directory.company.reader(lambda db, at: person_facts(db, person, at))
    assert old is not None
    assert (old.enabled, old.erased, old.email) == (False, True, None)
    found = await directory.company.reader(lambda db, at: person_facts(db, str(new), at))
    assert found is not None
    assert (found.enabled, found.email) == (True, "kim@corp.example")
    off = await directory.patch(f"/Users/{user['id']}", OFF)
    assert (off.body["userName"], off.body["active"]) == ("kim@corp.example", False), "nobody erased this one"


async def test_a_client_that_looks_for_the_user_finds_none_and_makes_one(directory: Directory) -> None:
    user, person = await erased(directory)
    found = await directory.ask("GET", "/Users?filter=userName%20eq%20%22kim@corp.example%22")
    assert (found.status, found.body["totalResults"]) == (200, 0)
    assert (await directory.ask("GET", f"/Users/{user['id']}")).status == 200, "the record stays, with nothing in it"
    made = await directory.user("kim")
    assert await leads_to(directory, made["id"]) not in (None, person)


@pytest.mark.parametrize("gone", [True, False], ids=["it has gone", "it was agreed to"])
@pytest.mark.parametrize("how", ["PUT", "PATCH", "PATCH active", "PATCH twice", "on and off"])
async def test_what_the_directory_goes_on_saying_of_them_is_not_kept(
    directory: Directory, how: str, gone: bool
) -> None:
    """It blocks the account, as they do, and writes it again: the answer is what is kept, and that is nothing."""
    user, _person = await erased(directory, gone=gone)
    place = f"/Users/{user['id']}"
    document = {"userName": "kim@corp.example", "active": False, "name": user["name"], "emails": user["emails"]}
    named = {"op": "replace", "value": {"userName": "kim@corp.example", "displayName": "Kim Muster"}}
    if how == "PUT":
        got = await directory.ask("PUT", place, document)
    elif how == "on and off":
        anew = {"userName": "km", "displayName": "Kim Muster", "active": True}
        assert (await directory.ask("PUT", place, anew)).status == 200
        got = await directory.patch(place, OFF, named)
    else:
        got = await directory.patch(place, OFF if how == "PATCH active" else named)
    if how == "PATCH twice":
        got = await directory.patch(place, named)
    assert got.status == 200
    await carried_out(directory)
    found = await directory.ask("GET", place)
    assert {"userName": user["id"], "active": False}.items() <= found.body.items()
    assert "Muster" not in str(found.body)
    if gone:
        assert (got.body["userName"], got.body["active"]) == (user["id"], False)
    assert await leads_to(directory, user["id"]) is None or how != "on and off"
    every = await directory.ask("GET", "/Users?filter=userName%20eq%20%22kim@corp.example%22")
    assert every.body["totalResults"] == 0
    said = [document for _, document in await kept(directory, user["id"]) if document is not None]
    assert len(said) == (how == "on and off"), "who was there, and is not known, is of nobody"


async def test_a_patch_of_what_was_erased_enables_nobody(directory: Directory) -> None:
    """There is no address left to know anybody by."""
    user, person = await erased(directory)
    await directory.patch(f"/Users/{user['id']}", ON)
    old = await directory.company.reader(lambda db, at: person_facts(db, person, at))
    assert old is not None
    assert not old.enabled
    assert await leads_to(directory, user["id"]) in (None, person)
