"""PATCHes of every odd shape: never a 500, and never a yes that changes nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onepam.store.engine.rebuild import compare
from tests.scim.directory import ENTERPRISE, PATCH, Directory

URN = "urn:ietf:params:scim:schemas:core:2.0:User"
SIMPLE = ("active", "title", "displayName", "nickName", "externalId", "locale", "userName")
NAMES = (
    *SIMPLE,
    "name",
    "name.givenName",
    "emails",
    "emails.value",
    'emails[type eq "work"]',
    'emails[type eq "home"].value',
    "emails[primary eq true].type",
    "phoneNumbers",
    "addresses",
    'addresses[type eq "work"].streetAddress',
    "roles",
    ENTERPRISE,
    f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:manager",
    f"{ENTERPRISE}:manager.value",
    f"{URN}:title",
    URN,
    "urn:acme:ext",
    "urn:acme:ext:tag",
    "custom",
    "custom.part",
    "id",
    "meta",
    "groups",
    "schemas",
    "password",
    "members",
    "",
    ".",
    "a..b",
    "emails[",
    "emails[type eq]",
    "emails[].value",
    "x[y eq 1].z",
    "name[givenName eq 1]",
)
paths = st.one_of(st.sampled_from(NAMES), st.sampled_from(NAMES).map(str.upper), st.text(max_size=12))
plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["True", "False", "a@b.example", "work", ""]),
)  # fmt: skip
keys = st.one_of(st.sampled_from((*NAMES, "value", "type", "primary", "givenName")), st.text(max_size=6))
values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)), max_leaves=6
)
operations = st.lists(
    st.fixed_dictionaries(
        {"op": st.one_of(st.sampled_from(["add", "replace", "remove", "Add", "Replace", "Remove"]), plain)},
        optional={"path": st.one_of(paths, plain), "value": values},
    ),
    max_size=3,
)
simple = st.tuples(
    st.sampled_from(["add", "replace", "Add", "Replace"]), st.sampled_from(SIMPLE[1:6]), st.text(min_size=1, max_size=9)
)


def test_odd_patches_are_done_or_refused(tmp_path: Path) -> None:
    with asyncio.Runner() as loop:
        directory = loop.run(Directory.create(tmp_path))
        user = loop.run(directory.user("fuzz"))
        group = loop.run(directory.group("Fuzz"))

        @settings(max_examples=250, suppress_health_check=list(HealthCheck))
        @given(operations, st.booleans())
        def odd(given_operations: list[Any], of_group: bool) -> None:
            path = f"/Groups/{group['id']}" if of_group else f"/Users/{user['id']}"
            message = {"schemas": [PATCH], "Operations": given_operations}
            try:
                json.dumps(message).encode()
            except UnicodeEncodeError:
                return
            before = loop.run(directory.ask("GET", path)).body
            answer = loop.run(directory.ask("PATCH", path, message))
            assert answer.status in (200, 204, 400, 409, 413), answer
            after = loop.run(directory.ask("GET", path)).body
            if answer.status >= 400:
                assert answer.body["detail"]
                assert after == before
            else:
                assert _leaves(given_operations[-1:]) <= _there(after), (given_operations, after)
                again = loop.run(directory.ask("PATCH", path, message))
                assert again.status < 500, again

        odd()
        loop.run(asyncio.sleep(0))
        directory.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []


def _leaves(given_operations: list[Any]) -> set[str]:
    """The values that additions and replacements say, as texts. Whoever says yes to them must show them."""
    found = set[str]()
    for each in given_operations:
        if str(each.get("op")).lower() in ("add", "replace"):
            found |= _there(each.get("value"))
    return found


def _there(value: Any, key: str = "") -> set[str]:
    if isinstance(value, dict):
        return {leaf for name, each in value.items() for leaf in _there(each, name)}
    if isinstance(value, list):
        return {leaf for each in value for leaf in _there(each, key)}
    # Nothing is the same as not there; of several primary values one stays, and truth may be written as a text.
    return set() if value is None or value == "" or key.lower().endswith("primary") else {str(value).lower()}


def test_what_is_answered_with_yes_is_there(tmp_path: Path) -> None:
    """The model: each simple attribute is what the last operation on it said, whichever way it was written."""
    with asyncio.Runner() as loop:
        directory = loop.run(Directory.create(tmp_path))
        user = loop.run(directory.user("model"))
        path = f"/Users/{user['id']}"
        model: dict[str, str] = {}

        @settings(max_examples=120, suppress_health_check=list(HealthCheck))
        @given(st.lists(simple, min_size=1, max_size=4), st.sampled_from(["path", "loose", "urn", "urn key"]))
        def told(changes: list[tuple[str, str, str]], way: str) -> None:
            try:
                "".join(each[2] for each in changes).encode()
            except UnicodeEncodeError:
                return
            written = []
            for op, name, value in changes:
                key = f"{URN}:{name}" if "urn" in way else name
                loose = way in ("loose", "urn key")
                written.append({"op": op, "value": {key: value}} if loose else {"op": op, "path": key, "value": value})
            answer = loop.run(directory.patch(path, *written))
            if answer.status == 200:
                model.update({name: value for _, name, value in changes})
            else:
                assert answer.status == 400, answer  # an invisible character in a name
            shown = loop.run(directory.ask("GET", path)).body
            assert {name: shown.get(name) for name in model} == model

        told()
        directory.company.close()


@pytest.mark.anyio
async def test_patches_at_one_instant_all_take_effect(tmp_path: Path) -> None:
    directory = await Directory.create(tmp_path)
    users = [await directory.user(f"u{each}") for each in range(12)]
    group = await directory.group("Busy")
    asked = [
        directory.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": each["id"]}]})
        for each in users
    ] + [
        directory.patch(
            f"/Users/{users[0]['id']}", {"op": "replace", "path": f"urn:acme:ext:k{each}", "value": each + 1}
        )
        for each in range(8)
    ]
    answers = await asyncio.gather(*asked)
    assert {each.status for each in answers} == {200, 204}
    shown = await directory.ask("GET", f"/Groups/{group['id']}")
    assert {each["value"] for each in shown.body["members"]} == {each["id"] for each in users}
    user = await directory.ask("GET", f"/Users/{users[0]['id']}")
    assert user.body["urn:acme:ext"] == {f"k{each}": each + 1 for each in range(8)}
    directory.company.close()
    assert compare(tmp_path / "ledger.sqlite") == []
