"""`access.yaml`: the role matrix as people write and review it. docs/access-yaml.md is its manual.

Reading is total: whatever the text, the answer is a matrix or a list of problems with their places, never a half.
The file names people by e-mail. Reading does not know who exists; `resolve` does, and adds what it finds unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

from onepam.domain.access.asked import MANAGER, OWNER
from onepam.domain.access.model import (
    ENVIRONMENT,
    MAX_SESSION,
    Action,
    ConsoleRight,
    Mode,
    Permission,
    Recording,
    ResourceKind,
    SubjectKind,
)
from onepam.domain.access.separation import Separation
from onepam.domain.history.event import plain
from onepam.domain.matrix import asking_fields, database_fields, fields, pins, review_fields, separation_fields
from onepam.domain.matrix.matrix import (
    SOURCE,
    BindingDefinition,
    Matrix,
    ResourceDefinition,
    RoleDefinition,
    Someone,
    binding_id,
)
from onepam.domain.matrix.parse import Findings, Node, Problem, Scalar, Spot, parse
from onepam.domain.people.events import DIRECTORY_GROUP
from onepam.kernel.canonical import encode
from onepam.kernel.clock import DAY

MAX_GRANT = 7 * DAY
"""Longest time that may be asked for at once (microseconds)."""

MAX_RESOURCES = 10_000
MAX_ROLES = 500
MAX_PERMISSIONS = 32
MAX_PURPOSE_CHARACTERS = 300
MAX_DIRECTORY_GROUP = 210
MAX_ROLE_BYTES = 60_000

MAX_GUESSES = 5
"""For so many unknown people a nearest address is sought: each costs a look at everybody, inside the ledger's lock."""

PORTS = {ResourceKind.POSTGRES: 5432, ResourceKind.MYSQL: 3306}
"""The port of an address that names none; of the others it must be written."""

_SECTIONS = ("groups", "resources", "roles", "separate", "bindings", "reviews")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mention:
    """A person named in the file, and where."""

    email: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class AccessFile:
    """What a file says. `wanted` names people by e-mail and is None where there are `problems`.

    `document` is the hex SHA-256 of the text.
    """

    file: str
    text: str
    document: str
    wanted: Matrix | None
    mentions: tuple[Mention, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class InvalidFile:
    """A file that means nothing as it is: all its problems in the file's order. Nothing of it takes effect."""

    problems: tuple[Problem, ...]


def read_access(text: str, file: str = "access.yaml") -> AccessFile:
    """Reads a file. `file` is how messages call it."""
    findings = Findings(file)
    reading = _Reading(findings)
    root = parse(text, findings)
    wanted = None if root is None else reading.matrix(root)
    problems = findings.problems()
    document = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return AccessFile(file, text, document, None if problems else wanted, tuple(reading.mentions), problems)


def resolve(read: AccessFile, people: tuple[Someone, ...]) -> Matrix | InvalidFile:
    """The matrix by people's identifiers, or all problems: the file's own and the people it names in vain.

    Of several people with one address the enabled one is meant; two enabled ones are a problem.
    """
    known: dict[str, list[Someone]] = {}
    for each in people:
        known.setdefault(each.email, []).append(each)
    ids: dict[str, str] = {}
    findings = Findings(read.file)
    unknown = 0
    for mention in read.mentions:
        found = known.get(mention.email, [])
        meant = [each for each in found if each.enabled] or found
        if len(meant) == 1:
            ids[mention.email] = meant[0].person
        elif meant:
            findings.add(
                mention.spot, f"{mention.email} is the address of {len(meant)} people.", "Disable all but one."
            )
        else:
            unknown += 1
            hint = fields.meant(mention.email, known, findings) if unknown <= MAX_GUESSES else ""
            findings.add(mention.spot, f"Nobody here has the address {mention.email}.", hint)
    problems = sorted((*read.problems, *findings.problems()), key=lambda each: (each.line, each.column))
    if problems or read.wanted is None:
        return InvalidFile(tuple(problems))
    return _identified(read.wanted, ids)


def _identified(wanted: Matrix, ids: Mapping[str, str]) -> Matrix:
    bindings = {}
    for each in wanted.bindings.values():
        subject = ids[each.subject] if each.subject_kind is SubjectKind.PERSON else each.subject
        key = binding_id(each.role, each.subject_kind, subject)
        bindings[key] = replace(each, binding=key, subject=subject)
    return Matrix(
        groups={
            name: {ids[email]: source for email, source in members.items()} for name, members in wanted.groups.items()
        },
        resources={name: replace(each, owner=ids[each.owner]) for name, each in wanted.resources.items()},
        roles={name: replace(each, owner=ids[each.owner]) for name, each in wanted.roles.items()},
        bindings=bindings,
        separations={
            name: replace(each, excused=tuple(replace(one, person=ids[one.person]) for one in each.excused))
            for name, each in wanted.separations.items()
        },
        reviews=replace(wanted.reviews, fallback=ids[wanted.reviews.fallback] if wanted.reviews.fallback else None),
    )


class _Reading:
    """One pass over one file. A method that finds something wrong says so and gives None; the rest is still read."""

    def __init__(self, findings: Findings) -> None:
        self.mentions: list[Mention] = []
        self._approvers: list[tuple[str, Spot]] = []
        self._findings = findings

    def matrix(self, root: Node) -> Matrix:
        """The matrix of the document's root, with people by e-mail; whole only where there are no findings."""
        spot = Spot(1, 1)
        given = fields.record(root, spot, "file", ("version",), _SECTIONS, self._findings)
        version = given.get("version")
        if version is not None and not (isinstance(version, Scalar) and version.plain and version.text == "1"):
            self._findings.add(version.spot, "This release reads version 1 of the format.", "Write: version: 1")
        groups = self._section(given.get("groups"), "group", MAX_ROLES, self._group)
        resources = self._section(given.get("resources"), "resource", MAX_RESOURCES, self._resource)
        roles = self._section(given.get("roles"), "role", MAX_ROLES, self._role)
        self._check_approvers(roles)
        apart = self._section(given.get("separate"), "separation", MAX_ROLES, self._separation)
        separation_fields.check_roles(given.get("separate"), roles, self._findings)
        return Matrix(
            groups=_whole(groups),
            resources=_whole(resources),
            roles=_whole(roles),
            bindings=self._bindings(given.get("bindings"), groups, roles),
            separations=_whole(apart),
            reviews=review_fields.schedule(given.get("reviews"), self._findings, self._person),
        )

    def _section(
        self, node: Node | None, what: str, most: int, read: Callable[[str, Scalar, Node], T | None]
    ) -> dict[str, T | None]:
        """All that a section names, with None for what could not be read: naming it elsewhere is no second mistake."""
        found: dict[str, T | None] = {}
        listed = () if node is None else fields.entries(node, f"section of {what}s", self._findings)
        if len(listed) > most:
            self._findings.add(listed[most][0].spot, f"There are {len(listed)} {what}s.", f"At most {most}.")
            return found
        for key, value in listed:
            name = fields.word(key, f"name of a {what}", self._findings)
            entry = read(key.text, key, value)
            found[key.text] = entry if name is not None else None
        return found

    def _person(self, node: Node | None, what: str) -> str | None:
        address = None if node is None else fields.email(node, what, self._findings)
        if node is not None and address is not None:
            self.mentions.append(Mention(address, node.spot))
        return address

    def _group(self, name: str, key: Scalar, node: Node) -> dict[str, str] | None:
        given = fields.record(node, key.spot, "group", ("members",), (), self._findings)
        if "members" not in given:
            return None
        members: dict[str, str] = {}
        for each in fields.items(given["members"], "members", self._findings, MAX_RESOURCES):
            address = self._person(each, "member")
            if address in members:
                self._findings.add(each.spot, f"{address} is a member twice.", "Keep one line.")
            elif address is not None:
                members[address] = SOURCE
        return members

    def _resource(self, name: str, key: Scalar, node: Node) -> ResourceDefinition | None:
        required = ("kind", "address", "labels", "owner", "logins")
        optional = (*pins.FIELDS, "mfa", "environment", "mask", "results", "session_users")
        given = fields.record(node, key.spot, "resource", required, optional, self._findings)
        findings = self._findings
        kind = _read(given, "kind", lambda value: fields.choice(value, "kind", ResourceKind, findings))
        port = None if kind is None else PORTS.get(kind)
        address = _read(given, "address", lambda value: fields.address(value, findings, port))
        labels = _read(given, "labels", lambda value: fields.labels(value, "set of labels", findings))
        owner = self._person(given.get("owner"), "owner")
        logins = _read(given, "logins", lambda value: self._logins(value, wildcard=False))
        keys = pins.read(kind or ResourceKind.SSH, given, key, findings) if given else None
        if kind is None or address is None or labels is None or owner is None or logins is None or keys is None:
            return None
        mfa = _read(given, "mfa", lambda value: fields.mfa_rule(value, findings))
        environment: tuple[str, ...] = ENVIRONMENT if kind is ResourceKind.SSH else ()
        if "environment" in given and kind is not ResourceKind.SSH:
            findings.add(given["environment"].spot, f"A resource of kind {kind} takes no variables.", "Remove it.")
        elif "environment" in given:
            listed = fields.words(given["environment"], "environment variable", findings, fields.VARIABLE)
            environment = tuple(sorted(variable for variable, _ in listed))
        mask, results = database_fields.data(kind, given, findings)
        users = database_fields.session_users(kind, given, logins, findings)
        return ResourceDefinition(
            name, kind, *address, labels, owner, logins, keys, mfa, environment, mask, results, users
        )

    def _logins(self, node: Node, *, wildcard: bool) -> tuple[str, ...]:
        listed = fields.items(node, "logins", self._findings)
        if wildcard and len(listed) == 1 and isinstance(listed[0], Scalar) and listed[0].text == "*":
            return ("*",)
        logins = tuple(sorted(login for login, _ in fields.words(node, "login", self._findings, fields.LOGIN)))
        if not logins:
            star = ', or ["*"] for every login of the resource' if wildcard else ""
            self._findings.add(node.spot, "There is no login.", f"Name at least one, such as [deploy]{star}.")
        return logins

    def _role(self, name: str, key: Scalar, node: Node) -> RoleDefinition | None:
        given = fields.record(node, key.spot, "role", ("purpose", "owner"), ("console", "permissions"), self._findings)
        findings = self._findings
        purpose = _read(given, "purpose", lambda v: fields.text_of(v, "purpose", findings, MAX_PURPOSE_CHARACTERS))
        owner = self._person(given.get("owner"), "owner")
        console = _read(given, "console", lambda v: fields.choices(v, "console right", ConsoleRight, findings)) or ()
        permissions = self._section(given.get("permissions"), "permission", MAX_PERMISSIONS, self._permission)
        if purpose is None or owner is None:
            return None
        if not console and not permissions:
            findings.add(key.spot, f"The role {name} gives nothing.", "Add `permissions`, `console`, or both.")
        ordered = tuple(each for _, each in sorted(_whole(permissions).items()))
        role = RoleDefinition(name, purpose, owner, console, ordered)
        if (size := len(encode(plain(role)))) > MAX_ROLE_BYTES:
            findings.add(key.spot, f"The role {name} takes {size:,} bytes.", f"At most {MAX_ROLE_BYTES:,}: split it.")
        return role

    def _permission(self, name: str, key: Scalar, node: Node) -> Permission | None:
        required, optional = (
            ("actions", "where", "logins", "mode", "longest"),
            ("approvers", "administrative", "recording", "guardrails", *asking_fields.FIELDS),
        )
        given = fields.record(node, key.spot, "permission", required, optional, self._findings)
        findings = self._findings
        actions = _read(given, "actions", lambda value: fields.choices(value, "action", Action, findings))
        where = _read(given, "where", lambda value: fields.labels(value, "selector", findings))
        logins = _read(given, "logins", lambda value: self._logins(value, wildcard=True))
        mode = _read(given, "mode", lambda value: fields.choice(value, "mode", Mode, findings))
        most = MAX_SESSION if mode is Mode.STANDING else MAX_GRANT
        longest = _read(given, "longest", lambda value: fields.duration(value, findings, most))
        approvers = _read(given, "approvers", lambda value: asking_fields.approvers(value, findings)) or ()
        asking, then = asking_fields.asking(mode, given, findings)
        self._approvers += (*approvers, *then)
        administrative = _read(given, "administrative", lambda value: fields.flag(value, "administrative", findings))
        recording = _read(given, "recording", lambda value: fields.choice(value, "recording", Recording, findings))
        guards = _read(given, "guardrails", lambda value: database_fields.guardrails(value, findings))
        if "guardrails" in given and actions and Action.QUERY not in actions:
            findings.add(given["guardrails"].spot, "Guardrails are for `query` alone.", "Remove them.")
        if actions and Action.UNMASKED in actions and Action.QUERY not in actions:
            findings.add(given["actions"].spot, "Without `query` nothing is seen unmasked.", "Add query.")
        if actions and Action.LOCAL_FILES in actions and Action.QUERY not in actions:
            findings.add(given["actions"].spot, "Without `query` no file is loaded.", "Add query.")
        if mode is Mode.REQUEST and not approvers:
            spot = given["approvers"].spot if "approvers" in given else given["mode"].spot
            findings.add(spot, "Nobody could approve what is on request.", "Add a line: approvers: [a role]")
        asks = guards is not None and bool(guards.asks())
        if asks and mode is Mode.STANDING and not approvers:
            hint = "Add a line: approvers: [a role]"
            findings.add(given["guardrails"].spot, "Nobody could say yes to what asks first.", hint)
        if asks and not {MANAGER, OWNER}.isdisjoint(role for role, _ in approvers):
            findings.add(given["approvers"].spot, "What asks first is decided by roles.", "Name roles alone.")
        if mode is Mode.STANDING and approvers and not asks:
            findings.add(given["approvers"].spot, "A standing permission asks nobody.", "Remove it, or: mode: request")
        if actions is None or where is None or logins is None or mode is None or longest is None:
            return None
        names = tuple(sorted(role for role, _ in approvers))
        return Permission(
            name, actions, where, logins, mode, longest, names, administrative or False, recording, guards, asking
        )

    def _separation(self, name: str, key: Scalar, node: Node) -> Separation | None:
        return separation_fields.separation(name, key, node, self._person, self._findings)

    def _check_approvers(self, roles: Mapping[str, RoleDefinition | None]) -> None:
        """Who is named as an approver must be a role that carries the right to approve."""
        for approver, spot in self._approvers:
            role = roles.get(approver)
            if approver in (MANAGER, OWNER):
                continue
            if approver not in roles:
                self._findings.add(spot, f"There is no role {approver}.", fields.meant(approver, roles, self._findings))
            elif role is not None and ConsoleRight.APPROVE not in role.console:
                hint = f"Name a role that has it, or give {approver} this line: console: [approve]"
                self._findings.add(spot, f"The role {approver} has no right to approve.", hint)

    def _bindings(
        self,
        node: Node | None,
        groups: Mapping[str, dict[str, str] | None],
        roles: Mapping[str, RoleDefinition | None],
    ) -> dict[str, BindingDefinition]:
        found: dict[str, BindingDefinition] = {}
        for each in () if node is None else fields.items(node, "bindings", self._findings, MAX_RESOURCES):
            binding = self._binding(each, groups, roles)
            if binding is None:
                continue
            if binding.binding in found:
                message = f"The role {binding.role} is bound to {binding.subject} twice."
                self._findings.add(each.spot, message, "Keep one of them.")
            found[binding.binding] = binding
        return found

    def _binding(
        self,
        node: Node,
        groups: Mapping[str, dict[str, str] | None],
        roles: Mapping[str, RoleDefinition | None],
    ) -> BindingDefinition | None:
        findings = self._findings
        given = fields.record(node, node.spot, "binding", ("role", "because"), ("group", "person", "ends"), findings)
        role = _read(given, "role", lambda value: self._named(value, "role", roles))
        group = _read(given, "group", lambda value: self._bound_group(value, groups))
        person = self._person(given.get("person"), "person")
        because = _read(given, "because", lambda v: fields.text_of(v, "reason", findings, MAX_PURPOSE_CHARACTERS))
        until = _read(given, "ends", lambda value: fields.ends(value, findings))
        if given and ("group" in given) == ("person" in given):
            findings.add(node.spot, "A binding is for one group or one person.", "Write group: or person:, not both.")
        subject = group or person
        if role is None or subject is None or because is None:
            return None
        kind = SubjectKind.PERSON if group is None else SubjectKind.GROUP
        return BindingDefinition(binding_id(role, kind, subject), role, kind, subject, until, because)

    def _bound_group(self, node: Node, groups: Mapping[str, dict[str, str] | None]) -> str | None:
        """A group of this file, or one that a directory feeds, which need not exist yet."""
        if not (isinstance(node, Scalar) and node.text.startswith(DIRECTORY_GROUP)):
            return self._named(node, "group", groups)
        name = fields.text_of(node, "name of a directory's group", self._findings, MAX_DIRECTORY_GROUP)
        if name == DIRECTORY_GROUP:
            self._findings.add(node.spot, "The directory's group has no name.", f"Such as {DIRECTORY_GROUP}Engineering")
            return None
        return name

    def _named(self, node: Node, what: str, known: Mapping[str, object]) -> str | None:
        name = fields.word(node, f"name of a {what}", self._findings)
        if name is not None and name not in known:
            self._findings.add(node.spot, f"There is no {what} {name}.", fields.meant(name, known, self._findings))
            return None
        return name


def _read(given: Mapping[str, Node], name: str, read: Callable[[Node], T]) -> T | None:
    """A field that may be missing; that it must not be was said already."""
    return read(given[name]) if name in given else None


def _whole(found: Mapping[str, T | None]) -> dict[str, T]:
    return {name: each for name, each in found.items() if each is not None}
