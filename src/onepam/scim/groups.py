"""`/Groups`: a company's teams, whose members are members of `directory:NAME` here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onepam.app.provisioning.provision_group import deprovision_group, provision_group
from onepam.domain.provisioning.groups import MOST_MEMBERS_CHANGED, PutGroup
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.limits import MAX_NAME_CHARACTERS
from onepam.kernel.text import plain_text
from onepam.scim.document import answered, canonical, read_resource
from onepam.scim.errors import ScimError, invalid_path, invalid_value, not_found, refused
from onepam.scim.filter import Compare, Filter, get, matches
from onepam.scim.patch import ABSENT, Operation, apply, read_operations
from onepam.scim.request import Call
from onepam.scim.schema import group_schema
from onepam.scim.services import ScimServices
from onepam.scim.users import ATTEMPTS, meta
from onepam.store.read.provisioning import ScimGroup, group


@dataclass(slots=True)
class Members:
    """What a request does to the members. With `all`, `add` are the members and there are no others."""

    all: bool = False
    add: set[str] = field(default_factory=set)
    remove: set[str] = field(default_factory=set)

    def more(self, users: set[str]) -> None:
        """These are members."""
        self.add |= users
        self.remove -= users

    def less(self, users: set[str]) -> None:
        """These are not."""
        self.add -= users
        self.remove |= users

    def only(self, users: set[str]) -> None:
        """These, and nobody else."""
        self.all, self.add, self.remove = True, set(users), set()

    @property
    def touched(self) -> bool:
        """Whether anything is said of members."""
        return self.all or bool(self.add or self.remove)


async def create_group(services: ScimServices, call: Call) -> ScimGroup:
    """POST. Raises `ScimError`."""
    body = call.json()
    members = Members()
    members.more(_users(get(body, "members")))
    document = read_resource(body, group_schema())
    return await _write(services, call, new_id("grp", services.random), None, document, members)


async def replace_group(services: ScimServices, call: Call, group_id: str) -> ScimGroup:
    """PUT: without members, the group is empty. Raises `ScimError`."""
    body = call.json()
    members = Members()
    members.only(_users(get(body, "members")))
    document = read_resource(body, group_schema())
    for _ in range(ATTEMPTS):
        found = await read_group(services, call, group_id)
        call.must_match(found.version)
        if (done := await _try(services, call, found, document, members)) is not None:
            return done
    raise _busy()


async def patch_group(services: ScimServices, call: Call, group_id: str) -> ScimGroup:
    """PATCH; the answer has no members. They are changed by name: a large group costs no more than a small one."""
    schema = group_schema()
    operations = read_operations(call.json(), schema)
    of_members = [each for each in operations if each.target.place.name == "members"]
    others = [each for each in operations if each.target.place.name != "members"]
    needs_all = any(_by_filter(each) for each in of_members)
    for _ in range(ATTEMPTS):
        found = await read_group(services, call, group_id, members=needs_all)
        call.must_match(found.version)
        old = json.loads(found.document)
        document = apply(old, others, schema, shown(services, found)) if others else old
        members = Members()
        for each in of_members:
            _change(members, each, found.members)
        if not members.touched and canonical(document) == found.document:
            return found
        if (done := await _try(services, call, found, document, members)) is not None:
            return done
    raise _busy()


async def delete_group(services: ScimServices, call: Call, group_id: str) -> None:
    """DELETE. Raises `ScimError`."""
    found = await read_group(services, call, group_id, members=False)
    call.must_match(found.version)
    version = found.version if "if-match" in call.headers else None
    hold = new_id("hld", services.random)
    outcome = await deprovision_group(services.ledger, call.token.token, group_id, version, call.received, hold)
    if isinstance(outcome, Refused):
        raise refused(outcome)


async def read_group(services: ScimServices, call: Call, group_id: str, *, members: bool = True) -> ScimGroup:
    """The group as it is. Raises `ScimError` (404)."""
    found = await services.reader(group, None, call.token.provider, group_id, members=members)
    if found is None:
        raise not_found("group of this id")
    return found


def shown(services: ScimServices, found: ScimGroup) -> dict[str, Any]:
    """The group as a client sees it."""
    location = f"{services.url}/Groups/{found.group}"
    written: dict[str, Any] = {"id": found.group, "meta": meta(services, "Group", found, location)}
    if found.members:
        written["members"] = [
            {"value": each, "$ref": f"{services.url}/Users/{each}", "type": "User"} for each in found.members
        ]
    return answered(json.loads(found.document), group_schema(), written)


def _by_filter(operation: Operation) -> bool:
    """Whether the operation chooses members by something that only the whole list answers."""
    entries = operation.target.entries
    return entries is not None and _one_user(entries) is None


def _one_user(entries: Filter) -> str | None:
    """The user of `members[value eq "id"]`."""
    if isinstance(entries, Compare) and entries.op == "eq" and entries.place.name == "value":
        return entries.value if isinstance(entries.value, str) else ""
    return None


def _change(members: Members, operation: Operation, held: tuple[str, ...]) -> None:
    target, value = operation.target, operation.value
    if target.place.sub:
        raise ScimError(400, "mutability", "A member is added or removed, never changed.")
    if target.entries is not None:
        if operation.op != "remove":
            raise invalid_path("Members are added and replaced without a filter.")
        one = _one_user(target.entries)
        if one is not None:
            members.less({one})
        else:
            now = (set() if members.all else set(held)) | members.add
            entries = ({"value": each, "type": "User"} for each in now - members.remove)
            members.less({each["value"] for each in entries if matches(each, target.entries)})
    elif operation.op == "add":
        members.more(_users(value))
    elif operation.op == "replace":
        members.only(_users(value))
    elif value is ABSENT or value in (None, [], {}, ""):
        members.only(set())
    else:
        members.less(_users(value))


def _users(value: Any) -> set[str]:
    """The ids in a value of `members`. Raises `ScimError` (invalidValue)."""
    if value is None:
        return set()
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MOST_MEMBERS_CHANGED:
        raise ScimError(413, "", f"At most {MOST_MEMBERS_CHANGED:,} members are taken at once; send them in parts.")
    return {_user_of(each) for each in entries}


def _user_of(entry: Any) -> str:
    if isinstance(entry, Mapping):
        if str(get(entry, "type") or "User").lower() != "user":
            raise invalid_value("Groups do not nest: a member is a user.")
        entry = get(entry, "value")
    if not isinstance(entry, str) or not entry:
        raise invalid_value("A member has the id of a user as its value.")
    return entry


async def _try(
    services: ScimServices, call: Call, found: ScimGroup, document: dict[str, Any], members: Members
) -> ScimGroup | None:
    try:
        return await _write(services, call, found.group, found, document, members)
    except ScimError as error:
        if error.status == 503:
            return None
        raise


async def _write(
    services: ScimServices,
    call: Call,
    group_id: str,
    found: ScimGroup | None,
    document: dict[str, Any],
    members: Members,
) -> ScimGroup:
    name = plain_text(str(document["displayName"]), MAX_NAME_CHARACTERS, what="displayName")
    if isinstance(name, Refused):
        raise refused(name)
    command = PutGroup(
        group=group_id,
        version=found.version if found else None,
        name=name,
        external_id=str(document.get("externalId") or "")[:MAX_NAME_CHARACTERS],
        document=canonical(document),
        add=frozenset(members.add),
        remove=frozenset(members.remove),
        all_members=members.all,
        received=call.received,
        hold=new_id("hld", services.random),
    )
    outcome = await provision_group(
        services.ledger, call.token.token, command, found is not None and found.name != name
    )
    if isinstance(outcome, Refused):
        raise refused(outcome)
    return ScimGroup(
        group=group_id,
        provider=call.token.provider,
        version=outcome.result.version,
        name=name,
        created=found.created if found else outcome.time,
        modified=outcome.time,
        document=command.document,
    )


def _busy() -> ScimError:
    return ScimError(503, "", "Others change the same resource; try again.")
