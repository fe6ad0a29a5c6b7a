"""The section `separate` of `access.yaml`: roles that are kept apart, and who is excused."""

from collections.abc import Callable, Mapping

from onepam.domain.access.separation import Excuse, Separation
from onepam.domain.matrix import fields
from onepam.domain.matrix.parse import Entries, Findings, Items, Node, Scalar

MAX_BECAUSE_CHARACTERS = 300
MAX_ROLES_APART = 16

Named = Callable[[Node | None, str], str | None]
"""Reads a person by e-mail, and notes that the file names them."""


def separation(name: str, key: Scalar, node: Node, person: Named, findings: Findings) -> Separation | None:
    """One separation, with people by e-mail; None where something of it is wrong."""
    given = fields.record(node, key.spot, "separation", ("roles", "because"), ("excused",), findings)
    roles: tuple[str, ...] = ()
    if "roles" in given:
        listed = fields.words(given["roles"], "role", findings, most=MAX_ROLES_APART)
        roles = tuple(sorted(role for role, _ in listed))
        if len(roles) < 2 and isinstance(given["roles"], Items):
            findings.add(given["roles"].spot, "One role cannot be kept apart.", "Name two at least.")
    because = _because(given.get("because"), findings)
    excused: dict[str, Excuse] = {}
    for each in fields.items(given["excused"], "excuses", findings) if "excused" in given else ():
        one = _excuse(each, person, findings)
        if one is not None and one.person in excused:
            findings.add(each.spot, f"{one.person} is excused twice.", "Keep one line.")
        elif one is not None:
            excused[one.person] = one
    if len(roles) < 2 or because is None:
        return None
    return Separation(name, roles, because, tuple(excused.values()))


def check_roles(section: Node | None, roles: Mapping[str, object], findings: Findings) -> None:
    """Only roles of the file are kept apart."""
    for _, each in section.entries if isinstance(section, Entries) else ():
        for key, named in each.entries if isinstance(each, Entries) else ():
            for role in named.items if key.text == "roles" and isinstance(named, Items) else ():
                if isinstance(role, Scalar) and fields.NAME.fullmatch(role.text) and role.text not in roles:
                    hint = fields.meant(role.text, roles, findings)
                    findings.add(role.spot, f"There is no role {role.text}.", hint)


def _excuse(node: Node, person: Named, findings: Findings) -> Excuse | None:
    given = fields.record(node, node.spot, "excuse", ("person", "because", "ends"), (), findings)
    who, because = person(given.get("person"), "person"), _because(given.get("because"), findings)
    ends = fields.ends(given["ends"], findings) if "ends" in given else None
    return None if who is None or because is None or ends is None else Excuse(who, because, ends)


def _because(node: Node | None, findings: Findings) -> str | None:
    return None if node is None else fields.text_of(node, "reason", findings, MAX_BECAUSE_CHARACTERS)
