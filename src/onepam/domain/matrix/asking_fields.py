"""The fields of a permission that say how it may be asked for: with which ticket, how far ahead, with whose yes."""

import re
from collections.abc import Mapping

from onepam.domain.access.asked import MANAGER, OWNER, PLAINLY, Asking
from onepam.domain.access.model import Mode
from onepam.domain.access.patterns import BadPattern, Patterns
from onepam.domain.matrix.fields import NAME, duration, flag, record, shown, words
from onepam.domain.matrix.parse import Findings, Node, Scalar, Spot
from onepam.kernel.clock import DAY, HOUR

FIELDS = ("ticket", "ahead", "weekly", "approvals", "escalate")
MAX_AHEAD = 92 * DAY
MAX_WEEKLY = 92 * DAY
"""A quarter: what lasts longer is a role's own, which reviews see."""
MAX_APPROVALS = 5
MAX_ESCALATION = 23 * HOUR
"""A request waits a day."""

_APPROVER = re.compile(f"{NAME.pattern}|{MANAGER}|{OWNER}", re.ASCII)

Named = tuple[tuple[str, Spot], ...]


def asking(mode: Mode | None, given: Mapping[str, Node], findings: Findings) -> tuple[Asking | None, Named]:
    """How it may be asked for, None where nothing is said, and the roles that decide after a while."""
    there = [given[each] for each in FIELDS if each in given]
    if mode is Mode.STANDING and there:
        findings.add(there[0].spot, "A standing permission is not asked for.", "Remove it, or: mode: request")
    ticket, ticketed = _ticket(given["ticket"], findings) if "ticket" in given else ("", False)
    after, then = _escalation(given["escalate"], findings) if "escalate" in given else (0, ())
    found = Asking(
        ticket=ticket,
        ticketed=ticketed,
        ahead=(duration(given["ahead"], findings, MAX_AHEAD) or 0) if "ahead" in given else 0,
        weekly=(duration(given["weekly"], findings, MAX_WEEKLY) or 0) if "weekly" in given else 0,
        approvals=_approvals(given["approvals"], findings) if "approvals" in given else 1,
        escalates=after,
        then=tuple(sorted(role for role, _ in then)),
    )
    return (None if found == PLAINLY else found), then


def approvers(node: Node, findings: Findings) -> Named:
    """Roles, or whoever stands for one."""
    return tuple(words(node, "approver", findings, _APPROVER))


def _ticket(node: Node, findings: Findings) -> tuple[str, bool]:
    """A pattern, and whether none is asked without."""
    if isinstance(node, Scalar):
        return _pattern(node, findings), True
    given = record(node, node.spot, "rule of tickets", ("pattern",), ("required",), findings)
    needed = flag(given["required"], "required", findings) if "required" in given else True
    return (_pattern(given["pattern"], findings) if "pattern" in given else ""), bool(needed)


def _pattern(node: Node, findings: Findings) -> str:
    text = node.text if isinstance(node, Scalar) else ""
    try:
        if Patterns.of((text,)).found("") is False:
            return text
        findings.add(node.spot, "This pattern is in every text.", "Such as '^OPS-[0-9]+$'.")
    except BadPattern as why:
        findings.add(node.spot, f"{shown(text)} is no pattern: {why}.", "Such as '^OPS-[0-9]+$'.")
    return ""


def _approvals(node: Node, findings: Findings) -> int:
    text = node.text if isinstance(node, Scalar) and node.plain else ""
    if not re.fullmatch(r"[1-9]", text, re.ASCII) or int(text) > MAX_APPROVALS:
        findings.add(node.spot, "How many say yes is a number.", f"From 1 to {MAX_APPROVALS}, without quotes.")
        return 1
    return int(text)


def _escalation(node: Node, findings: Findings) -> tuple[int, Named]:
    given = record(node, node.spot, "escalation", ("after", "to"), (), findings)
    after = duration(given["after"], findings, MAX_ESCALATION) if "after" in given else None
    then = approvers(given["to"], findings) if "to" in given else ()
    if "to" in given and not then:
        findings.add(given["to"].spot, "It escalates to nobody.", "Name a role: to: [a role]")
    return after or 0, then
