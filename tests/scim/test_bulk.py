"""Bulk (RFC 7644, section 3.7): each operation by itself, references in any order, and bounds."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.scim.app import ScimDoor
from onepam.scim.bulk import REQUEST
from onepam.store.engine.rebuild import compare
from tests.scim.directory import ENTERPRISE, URL, Directory

pytestmark = pytest.mark.anyio


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = await Directory.create(tmp_path)
    yield found
    found.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


def user(name: str, **more: Any) -> Any:
    data = {"userName": f"{name}@corp.example", **more}
    return {"method": "POST", "path": "/Users", "bulkId": name, "data": data}


def managed(name: str, manager: str) -> Any:
    return user(name, **{ENTERPRISE: {"manager": {"value": f"bulkId:{manager}"}}})


def team(name: str, *members: str) -> Any:
    data = {"displayName": name, "members": [{"value": f"bulkId:{each}"} for each in members]}
    return {"method": "POST", "path": "/Groups", "bulkId": name, "data": data}


async def sent(directory: Directory, *operations: Any, **more: Any) -> Any:
    answer = await directory.ask("POST", "/Bulk", {"schemas": [REQUEST], "Operations": list(operations), **more})
    assert answer.status == 200, answer
    return answer.body["Operations"]


async def test_references_are_resolved_backwards_and_forwards(directory: Directory) -> None:
    done = await sent(directory, team("Ops", "ann", "ben"), managed("ann", "ben"), user("ben"))
    assert [(each["bulkId"], each["status"]) for each in done] == [("Ops", "201"), ("ann", "201"), ("ben", "201")]
    shown = {}
    for each in done:
        assert each["location"].startswith(URL)
        assert each["version"] == 'W/"1"'
        shown[each["bulkId"]] = (await directory.ask("GET", each["location"].removeprefix(URL))).body
    assert {each["value"] for each in shown["Ops"]["members"]} == {shown["ann"]["id"], shown["ben"]["id"]}
    assert shown["ann"][ENTERPRISE]["manager"]["value"] == shown["ben"]["id"]


async def test_every_method_in_one_message(directory: Directory) -> None:
    old = await directory.user("old")
    gone = await directory.user("gone")
    group = await directory.group("Ops", old["id"])
    out = f'members[value eq "{old["id"]}"]'
    done = await sent(
        directory,
        {"method": "patch", "path": f"/Groups/{group['id']}", "data": {"Operations": [{"op": "remove", "path": out}]}},
        {"method": "PUT", "path": f"/Users/{old['id']}", "data": {**old, "title": "Boss"}, "version": 'W/"1"'},
        {"method": "DELETE", "path": f"/Users/{gone['id']}"},
        user("new"),
        {
            "method": "PATCH",
            "path": "/Users/bulkId:new",
            "data": {"Operations": [{"op": "add", "path": "title", "value": "Newest"}]},
        },
        {"method": "PUT", "path": f"/Users/{old['id']}", "data": old, "version": 'W/"1"'},
    )
    assert [each["status"] for each in done] == ["204", "200", "204", "201", "200", "412"]
    assert done[4]["location"] == done[3]["location"]
    assert done[5]["response"]["status"] == "412"
    assert (await directory.ask("GET", done[3]["location"].removeprefix(URL))).body["title"] == "Newest"
    assert (await directory.ask("GET", f"/Users/{gone['id']}")).status == 404
    assert "members" not in (await directory.ask("GET", f"/Groups/{group['id']}")).body


async def test_what_goes_wrong_is_said_where_it_went_wrong(directory: Directory) -> None:
    await directory.user("twice")
    done = await sent(
        directory,
        user("twice"),
        team("Ops", "twice"),
        team("Circle", "nobody"),
        managed("one", "other"),
        managed("other", "one"),
        managed("self", "self"),
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Bulk", "bulkId": "b", "data": {}},
        {"method": "POST", "path": "/Users", "data": {"userName": "x"}},
        {"method": "DELETE", "path": "/Users"},
        {"method": "PUT", "path": "/Users/usr_x"},
        {"method": "POST", "path": "/Users", "bulkId": 7, "data": {}},
        "no operation",
        user("fine"),
    )
    found = [each["status"] for each in done]
    assert found == ["409", "409", "409", "409", "409", "409", *["400"] * 7, "201"]
    assert all(each["response"]["detail"] for each in done[:-1])


async def test_after_so_many_errors_nothing_more_is_done(directory: Directory) -> None:
    await directory.user("twice")
    bad = [{**user("twice"), "bulkId": f"b{each}"} for each in range(3)]
    done = await sent(directory, bad[0], user("ann"), bad[1], user("ben"), bad[2], failOnErrors=2)
    assert [each["status"] for each in done] == ["409", "201", "409"]
    none = await directory.ask("GET", "/Users?filter=userName%20eq%20%22ben@corp.example%22")
    assert none.body["totalResults"] == 0


async def test_bounds(directory: Directory) -> None:
    announced = (await directory.ask("GET", "/ServiceProviderConfig")).body["bulk"]
    assert announced == {"supported": True, "maxOperations": 1_000, "maxPayloadSize": 1_048_576}
    many = [{"method": "DELETE", "path": "/Users/usr_aaaaaaaaaaaaaaaa"}] * 1_001
    for status, body in (
        (413, {"schemas": [REQUEST], "Operations": many}),
        (413, b'{"schemas": ["x"]}' + b" " * 1_048_576),
        (400, {"schemas": [REQUEST], "Operations": []}),
        (400, {"schemas": ["urn:other"], "Operations": many[:1]}),
        (400, {"schemas": [REQUEST], "Operations": many[:1], "failOnErrors": 0}),
        (400, {"schemas": [REQUEST], "Operations": [user("a"), user("a")]}),
    ):
        answer = await directory.ask("POST", "/Bulk", body)
        assert answer.status == status, answer
    assert (await directory.ask("GET", "/Bulk")).status == 405
    assert [each["status"] for each in await sent(directory, *many[:1_000])] == ["404"] * 1_000


async def test_each_operation_counts_as_a_request(directory: Directory) -> None:
    directory.door = ScimDoor(directory.services, rate=5)
    await sent(directory, *[{"method": "DELETE", "path": "/Users/usr_aaaaaaaaaaaaaaaa"}] * 20)
    assert (await directory.ask("GET", "/Users?count=0")).status == 429
    directory.company.clock.advance(3_000_000)
    assert (await directory.ask("GET", "/Users?count=0")).status == 200
