"""After any sequence of changes, what a person may open is what the directories' own state gives, and nothing else."""

import asyncio
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onepam.app.ports import Snapshot
from onepam.domain.access.decision import Permitted, decide
from onepam.domain.access.model import Mode, Permission, SubjectKind
from onepam.domain.leaving.leaving import Held
from onepam.kernel.clock import HOUR, Instant
from onepam.store.db import rows
from onepam.store.engine.rebuild import compare
from onepam.store.facts.holdings import access_facts
from onepam.store.facts.people import held
from tests.company import ALL_ACTIONS, binding, record, resource_set, role_set
from tests.scim.directory import CORE, PATCH, Directory

PROVIDERS = ("okta", "entra")
PEOPLE = ("ann", "ben", "cem")
TEAMS = ("Red", "Green", "Blue")

providers = st.sampled_from(PROVIDERS)
people = st.sampled_from(PEOPLE)
teams = st.sampled_from(TEAMS)
several = st.sets(people).map(sorted)
changes = st.one_of(
    st.tuples(st.just("create"), providers, people, st.booleans()),
    st.tuples(st.just("put"), providers, people, st.booleans()),
    st.tuples(st.just("patch"), providers, people, st.sampled_from([True, False, "False", "true"])),
    st.tuples(st.just("delete"), providers, people),
    st.tuples(st.just("team"), providers, teams, several),
    st.tuples(st.just("members"), providers, teams, several, st.sampled_from(["add", "remove", "replace", "Add"])),
    st.tuples(st.just("put team"), providers, teams, several),
    st.tuples(st.just("rename"), providers, teams, teams),
    st.tuples(st.just("drop"), providers, teams),
)


@dataclass
class Said:
    """What a provider says, by the test's own books: its users' ids and activity, its teams' ids and members."""

    token: str
    users: dict[str, tuple[str, bool]] = field(default_factory=dict)
    teams: dict[str, tuple[str, set[str]]] = field(default_factory=dict)


class World:
    """Directories that change, and the books that the test keeps of them."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.said: dict[str, Said] = {}

    async def begin(self) -> None:
        """Each team opens a box of its own, by a binding to the directory's group."""
        for provider in PROVIDERS:
            self.said[provider] = Said(await self.directory.new_token(provider))
        await record(
            self.directory.company.ledger,
            *(resource_set(f"box-{team}", {"team": team}) for team in TEAMS),
            *(
                role_set(team, [Permission("open", ALL_ACTIONS, {"team": team}, ("app",), Mode.STANDING, HOUR)])
                for team in TEAMS
            ),
            *(binding(f"directory:{team}", team, kind=SubjectKind.GROUP) for team in TEAMS),
        )

    async def change(self, what: str, provider: str, *more: Any) -> None:
        """One request; a yes goes into the books."""
        said = self.said[provider]
        name = more[0]
        if what in ("create", "put", "patch", "delete"):
            await self._user(said, what, name, *more[1:])
        elif what == "team":
            await self._team(said, name, *more[1:])
        elif name in said.teams:
            await self._of_team(said, what, name, *more[1:])

    async def _ask(self, said: Said, method: str, path: str, body: Any = None) -> Any:
        answer = await self.directory.ask(method, path, body, token=said.token)
        assert answer.status in (200, 201, 204, 409), answer
        return answer.body if answer.status == 201 else answer.status < 400

    async def _user(self, said: Said, what: str, name: str, active: Any = None) -> None:
        user, _ = said.users.get(name, ("", False))
        document = {"schemas": [CORE], "userName": f"{name}@corp.example", "active": active}
        if what == "create":
            if made := await self._ask(said, "POST", "/Users", document):
                said.users[name] = (made["id"], active)
        elif user and what == "put":
            if await self._ask(said, "PUT", f"/Users/{user}", document):
                said.users[name] = (user, active)
        elif user and what == "patch":
            message = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": active}}]}
            if await self._ask(said, "PATCH", f"/Users/{user}", message):
                said.users[name] = (user, str(active).lower() == "true")
        elif user:
            assert await self._ask(said, "DELETE", f"/Users/{user}")
            del said.users[name]
            for _, members in said.teams.values():
                members.discard(name)

    def _members(self, said: Said, names: list[str]) -> tuple[set[str], list[Any]]:
        there = {each for each in names if each in said.users}
        return there, [{"value": said.users[each][0]} for each in sorted(there)]

    async def _team(self, said: Said, name: str, names: list[str]) -> None:
        there, members = self._members(said, names)
        if made := await self._ask(said, "POST", "/Groups", {"displayName": name, "members": members}):
            said.teams[name] = (made["id"], there)

    async def _of_team(self, said: Said, what: str, name: str, *more: Any) -> None:
        team, now = said.teams[name]
        path = f"/Groups/{team}"
        if what == "drop":
            assert await self._ask(said, "DELETE", path)
            del said.teams[name]
        elif what == "rename":
            message = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": more[0]}]}
            if await self._ask(said, "PATCH", path, message):
                said.teams[more[0]] = said.teams.pop(name)
        elif what == "put team":
            there, members = self._members(said, more[0])
            assert await self._ask(said, "PUT", path, {"displayName": name, "members": members})
            said.teams[name] = (team, there)
        else:
            there, members = self._members(said, more[0])
            message = {"schemas": [PATCH], "Operations": [{"op": more[1], "path": "members", "value": members}]}
            assert await self._ask(said, "PATCH", path, message)
            emptied = not members and more[1] in ("remove", "replace")
            kept = {"add": now | there, "replace": there, "remove": now - there}[more[1].lower()]
            said.teams[name] = (team, set() if emptied else kept)

    def holds(self) -> None:
        """Compares everybody's doors with the books."""

        def look(db: Snapshot, at: Instant) -> None:
            sql = "SELECT person, enabled FROM person WHERE valid_from <= ? AND ? < valid_until"
            enabled = {each[0]: bool(each[1]) for each in rows(db, sql, (at, at))}
            sql = "SELECT scim_user, person FROM scim_user WHERE valid_from <= ? AND ? < valid_until"
            leads = {each[0]: each[1] for each in rows(db, sql, (at, at))}
            given: dict[str, set[str]] = {}
            for said in self.said.values():
                for name, (user, active) in said.users.items():
                    person = leads[user]
                    if active and person and enabled[person]:
                        teams = {team for team, (_, members) in said.teams.items() if name in members}
                        given.setdefault(person, set()).update(teams)
            for person, works in enabled.items():
                assert _doors(db, person, at) == given.get(person, set()), person
                assert works or held(db, person, at) == Held(), person
            sql = "SELECT person FROM group_member WHERE source = ? AND valid_from <= ? AND ? < valid_until"
            for provider, said in self.said.items():
                fed = {each[0] for each in rows(db, sql, (f"scim:{provider}", at, at))}
                assert fed <= {leads[user] for user, active in said.users.values() if active}

        self.directory.company.reader.now(look)


def _doors(db: Snapshot, person: str, at: Instant) -> set[str]:
    return {
        team for team in TEAMS if isinstance(decide(access_facts(db, person, f"box-{team}", at), "app", at), Permitted)
    }


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(changes, min_size=4, max_size=30))
def test_what_one_may_open_is_what_the_directories_say(steps: list[Any]) -> None:
    async def run(folder: Path) -> None:
        world = World(await Directory.create(folder))
        try:
            await world.begin()
            for each in steps:
                await world.change(*each)
                world.holds()
        finally:
            world.directory.company.close()
        assert compare(folder / "ledger.sqlite") == []

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@pytest.mark.anyio
async def test_ten_thousand_members_in_one_request(tmp_path: Path) -> None:
    directory = await Directory.create(tmp_path)
    try:
        users = await _users(directory, 10_000)
        group = await directory.group("Everybody")
        path = f"/Groups/{group['id']}"
        added = await directory.patch(path, {"op": "add", "path": "members", "value": [{"value": u} for u in users]})
        assert added.status == 204, added
        shown = await directory.ask("GET", path)
        assert {each["value"] for each in shown.body["members"]} == set(users)
        more = await directory.user("one-more")
        far = {"op": "add", "path": "members", "value": [{"value": u} for u in (*users, more["id"])]}
        assert (await directory.patch(path, far)).status == 413
    finally:
        directory.company.close()


async def _users(directory: Directory, count: int) -> list[str]:
    """So many users, laid down at once."""
    from onepam.domain.people.events import PersonAdded, PersonKind
    from onepam.domain.provisioning.events import ScimUserSet

    names = [directory.company.new("usr") for _ in range(count)]
    for start in range(0, count, 5_000):
        events: list[object] = []
        for user in names[start : start + 5_000]:
            person = f"per{user[3:]}"
            events.append(
                PersonAdded(
                    person=person, kind=PersonKind.EMPLOYEE, because="there", by=None, owner=None, ends=None,
                    manager=None, name=user, email=f"{user}@corp.example", origin="scim:okta",
                )
            )  # fmt: skip
            document = json.dumps({"userName": user, "active": True})
            events.append(ScimUserSet(user, "okta", person, True, 1, "", "stk", user, "", document))
        await record(directory.company.ledger, *events)
    return names
