"""The requests that Okta and Microsoft Entra really send, and what each of them does to people and groups."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onepam.store.engine.rebuild import compare
from tests.scim.directory import ENTERPRISE, Directory

pytestmark = pytest.mark.anyio


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    found = await Directory.create(tmp_path)
    yield found
    found.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


def person_of(directory: Directory, user: str) -> Any:
    def read(db: Any, at: int) -> Any:
        return db.execute(
            "SELECT p.*, u.trouble FROM scim_user u LEFT JOIN person p ON p.person = u.person "
            "AND p.valid_from <= :at AND :at < p.valid_until "
            "WHERE u.scim_user = :u AND u.valid_from <= :at AND :at < u.valid_until",
            {"u": user, "at": at},
        ).fetchone()

    return directory.company.reader.now(read)


def members_of(directory: Directory, name: str) -> set[str]:
    def read(db: Any, at: int) -> Any:
        return db.execute(
            "SELECT person FROM group_member WHERE grp = :g AND valid_from <= :at AND :at < valid_until",
            {"g": f"directory:{name}", "at": at},
        ).fetchall()

    return {each[0] for each in directory.company.reader.now(read)}


DEACTIVATIONS = {
    "okta, without a path": [{"op": "replace", "value": {"active": False}}],
    "with a path": [{"op": "replace", "path": "active", "value": False}],
    "entra, capital letter and text": [{"op": "Replace", "path": "active", "value": "False"}],
    "entra, add": [{"op": "Add", "path": "active", "value": "False"}],
    "text without a path": [{"op": "Replace", "value": {"active": "False"}}],
    "urn as a path": [{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": False}],
    "urn as a key": [{"op": "replace", "value": {"urn:ietf:params:scim:schemas:core:2.0:User:active": False}}],
    "another case": [{"op": "REPLACE", "path": "Active", "value": "false"}],
    "an object in a list": [{"op": "replace", "value": [{"active": False}]}],
    "as if it had many values": [{"op": "replace", "value": {"active": [{"value": "False"}]}}],
    "many values with a path": [{"op": "replace", "path": "active", "value": [{"value": "False"}]}],
    "in a list": [{"op": "replace", "path": "active", "value": ["false"]}],
    "among others": [
        {"op": "replace", "value": {"name.givenName": "Z", "active": "False", f"{ENTERPRISE}:department": "none"}}
    ],
}


@pytest.mark.parametrize("operations", DEACTIVATIONS.values(), ids=DEACTIVATIONS.keys())
async def test_every_way_to_write_a_deactivation_is_a_leaving(directory: Directory, operations: Any) -> None:
    user = await directory.user("lea")
    await directory.group("Engineering", user["id"])
    person = person_of(directory, user["id"])
    assert person["enabled"] == 1
    assert members_of(directory, "Engineering") == {person["person"]}
    answer = await directory.patch(f"/Users/{user['id']}", *operations)
    assert answer.status == 200, answer
    assert answer.body["active"] is False
    assert person_of(directory, user["id"])["enabled"] == 0
    assert members_of(directory, "Engineering") == set()
    again = await directory.ask("GET", f"/Users/{user['id']}")
    assert (again.status, again.body["active"]) == (200, False)
    back = await directory.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": True}})
    assert back.status == 200
    assert person_of(directory, user["id"])["enabled"] == 1
    assert members_of(directory, "Engineering") == {person["person"]}


async def test_put_and_delete_are_leavings_too(directory: Directory) -> None:
    one, two = await directory.user("one"), await directory.user("two")
    put = await directory.ask("PUT", f"/Users/{one['id']}", {**one, "active": False})
    assert (put.status, put.body["active"]) == (200, False)
    assert person_of(directory, one["id"])["enabled"] == 0
    person = person_of(directory, two["id"])["person"]
    assert (await directory.ask("DELETE", f"/Users/{two['id']}")).status == 204
    assert (await directory.ask("GET", f"/Users/{two['id']}")).status == 404
    assert (await directory.ask("DELETE", f"/Users/{two['id']}")).status == 404
    again = await directory.user("two")
    assert person_of(directory, again["id"])["person"] != person


async def test_put_without_active_leaves_it_as_it_was(directory: Directory) -> None:
    user = await directory.user("una", active=False)
    without = {key: value for key, value in user.items() if key != "active"}
    answer = await directory.ask("PUT", f"/Users/{user['id']}", {**without, "displayName": "Una"})
    assert (answer.status, answer.body["active"]) == (200, False)


async def test_searching_all_kinds_at_once_is_said_not_to_be_offered(directory: Directory) -> None:
    for path in ("?filter=userName%20eq%20%22x%22", "/?filter=", ""):
        assert (await directory.ask("GET", path)).status == 501
    two = {"op": "replace", "value": [{"active": False}, {"active": True}]}
    user = await directory.user("nina")
    assert (await directory.patch(f"/Users/{user['id']}", two)).status == 400
    for value in ([], [{"value": "x"}], [True, False], {"other": "False"}):
        answer = await directory.patch(f"/Users/{user['id']}", {"op": "replace", "path": "active", "value": value})
        assert (answer.status, value) == (400, value)


async def test_lookups(directory: Directory) -> None:
    user = await directory.user("Ann", externalId="00u1")
    for text in (
        'userName eq "ann@CORP.example"',
        'externalId eq "00u1"',
        'emails[type eq "work"].value eq "Ann@corp.example"',
        'emails.value eq "ann@corp.example" and active eq true',
        'userName sw "an" and not (active eq "False")',
        f'id eq "{user["id"]}"',
        'emails[type eq "work" and value co "corp"]',
        'userName pr or title gt "a"',
    ):
        found = await directory.ask("GET", f"/Users?filter={text.replace(' ', '%20')}")
        assert (found.status, found.body["totalResults"]) == (200, 1), (text, found)
    none = await directory.ask("GET", "/Users?filter=userName%20eq%20%22nobody%22")
    assert (none.status, none.body["totalResults"], none.body["Resources"]) == (200, 0, [])
    page = await directory.ask("GET", "/Users?startIndex=1&count=2")
    assert (page.status, page.body["itemsPerPage"]) == (200, 1)
    assert (await directory.ask("GET", "/Users/usr_aaaaaaaaaaaaaaaa")).status == 404
    for bad in ("userName", "userName eq", "(userName pr", "a eq b", "x[y", 'userName zz "a"', "(" * 100, "not", "]"):
        answer = await directory.ask("GET", f"/Users?filter={bad.replace(' ', '%20')}")
        assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter"), bad


async def test_values_come_back_as_they_were_sent(directory: Directory) -> None:
    more = {
        ENTERPRISE: {"department": "Ünits", "manager": {"value": "abc", "displayName": "x"}},
        "urn:acme:ext": {"Tag": [1, 2.5, None, {"deep": True}]},
        "phoneNumbers": [{"type": "mobile", "value": " 0171 / 1 "}],
        "customThing": {"a": ["b"]},
    }
    user = await directory.user("vera", **more)
    assert {key: user[key] for key in more} == more


MEMBER_REMOVALS = {
    "entra": lambda user: {"op": "Remove", "path": "members", "value": [{"value": user}]},
    "filter": lambda user: {"op": "remove", "path": f'members[value eq "{user}"]'},
    "entra with null ref": lambda user: {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": user}]},
    "texts": lambda user: {"op": "remove", "path": "members", "value": [user]},
}


@pytest.mark.parametrize("removal", MEMBER_REMOVALS.values(), ids=MEMBER_REMOVALS.keys())
async def test_members_come_and_go(directory: Directory, removal: Any) -> None:
    one, two = await directory.user("one"), await directory.user("two")
    group = await directory.group("Ops")
    path = f"/Groups/{group['id']}"
    added = await directory.patch(
        path, {"op": "Add", "path": "members", "value": [{"value": one["id"]}, {"value": two["id"]}]}
    )
    assert added.status == 204
    assert members_of(directory, "Ops") == {person_of(directory, each["id"])["person"] for each in (one, two)}
    assert (await directory.patch(path, removal(one["id"]))).status == 204
    assert members_of(directory, "Ops") == {person_of(directory, two["id"])["person"]}
    shown = await directory.ask("GET", path)
    assert [each["value"] for each in shown.body["members"]] == [two["id"]]
    assert "members" not in (await directory.ask("GET", f"{path}?excludedAttributes=members")).body
    renamed = await directory.patch(path, {"op": "replace", "value": {"id": group["id"], "displayName": "Ops 2"}})
    assert renamed.status == 204
    assert (members_of(directory, "Ops"), len(members_of(directory, "Ops 2"))) == (set(), 1)
    assert (await directory.patch(path, {"op": "replace", "path": "members", "value": []})).status == 204
    assert members_of(directory, "Ops 2") == set()


async def test_a_deleted_group_gives_nothing(directory: Directory) -> None:
    user = await directory.user("gus")
    group = await directory.group("Doomed", user["id"])
    assert (await directory.ask("DELETE", f"/Groups/{group['id']}")).status == 204
    assert members_of(directory, "Doomed") == set()
    assert (await directory.ask("GET", f"/Groups/{group['id']}")).status == 404
    assert "groups" not in (await directory.ask("GET", f"/Users/{user['id']}")).body


async def test_vendors_have_a_sponsor_and_an_end(directory: Directory) -> None:
    boss = await directory.user("boss")
    base = {"userName": "v@x.example", "userType": "Contractor"}
    end = {"urn:onepam:params:scim:schemas:extension:access:2.0:User": {"endDate": "2026-12-31"}}
    manager = {ENTERPRISE: {"manager": {"value": boss["id"]}}}
    for incomplete in (base, {**base, **end}, {**base, **manager}):
        answer = await directory.ask("POST", "/Users", incomplete)
        assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
        assert "vendor" in answer.body["detail"].lower()
    made = await directory.ask("POST", "/Users", {**base, **end, **manager})
    assert made.status == 201, made
    person = person_of(directory, made.body["id"])
    assert (person["kind"], person["owner"]) == ("vendor", person_of(directory, boss["id"])["person"])


async def test_one_address_one_person(directory: Directory) -> None:
    eve = await directory.takes_over("eve@example.com")
    assert person_of(directory, eve)["person"] == "eve"
    other = await directory.ask("POST", "/Users", {"userName": "eve2", "emails": [{"value": "EVE@example.com"}]})
    assert (other.status, other.body["scimType"]) == (409, "uniqueness")
    twice = await directory.ask("POST", "/Users", {"userName": "EVE@EXAMPLE.COM"})
    assert (twice.status, twice.body["scimType"]) == (409, "uniqueness")


async def test_whom_an_administrator_disabled_the_directory_does_not_bring_back(directory: Directory) -> None:
    from onepam.app.people.disable_person import disable_person

    made = await directory.takes_over("eve@example.com")
    await disable_person(directory.company.ledger, directory.company.actor("ada"), "eve", "trouble")
    path = f"/Users/{made}"
    for active in (False, True):
        assert (await directory.patch(path, {"op": "replace", "value": {"active": active}})).status == 200
    found = person_of(directory, made)
    assert (found["enabled"], found["trouble"]) == (0, "disabled_here")


async def test_tokens(directory: Directory) -> None:
    for token in ("", "scim_" + "x" * 43, await directory.new_token("okta", approved=False)):
        answer = await directory.ask("GET", "/Users", token=token)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    far = await directory.new_token("okta", networks=("203.0.113.0/24",))
    assert (await directory.ask("GET", "/Users", token=far)).status == 401
    near = await directory.new_token("entra", networks=("192.0.2.0/24",))
    user = await directory.user("own")
    assert (await directory.ask("GET", f"/Users/{user['id']}", token=near)).status == 404


async def test_etags(directory: Directory) -> None:
    user = await directory.user("eta")
    path = f"/Users/{user['id']}"
    tag = user["meta"]["version"]
    assert (await directory.ask("GET", path, headers={"if-none-match": tag})).status == 304
    change = {"op": "replace", "value": {"title": "x"}}
    assert (await directory.patch(path, change, headers={"if-match": tag})).status == 200
    assert (await directory.patch(path, change, headers={"if-match": tag})).status == 412
    assert (await directory.ask("DELETE", path, headers={"if-match": tag})).status == 412


ODD: tuple[tuple[int, Any], ...] = (
    (400, b"{"),
    (400, b"[]"),
    (400, b'{"userName": "a", "username": "b"}'),
    (400, b'{"userName": "\\ud800"}'),
    (400, b'{"userName": NaN}'),
    (400, b"[" * 100_000),
    (400, {}),
    (400, {"userName": ""}),
    (400, {"userName": 5}),
    (400, {"userName": "x", "emails": [{"value": "no address"}]}),
    (400, {"userName": "x", "active": "perhaps"}),
    (400, {"userName": "x", "name": "text"}),
    (413, {"userName": "x", "title": "y" * 300_000}),
    (413, b" " * (4 * 1024 * 1024 + 1)),
)


@pytest.mark.parametrize(("status", "body"), ODD, ids=lambda each: str(each)[:30])
async def test_odd_bodies_are_refused_with_words(directory: Directory, status: int, body: Any) -> None:
    answer = await directory.ask("POST", "/Users", body)
    assert answer.status == status, answer
    assert answer.body["detail"]
    json.dumps(answer.body)
