"""The fields of a permission that say how it may be asked for: with which ticket, how far ahead, with whose yes."""

import re
from collections.abc import Mapping

from onepam.domain.access.asked import MANAGER, OWNER, PLAINLY, Asking, Unasked
from onepam.domain.access.hours import Hours, read_hours
from onepam.domain.access.model import Mode
from onepam.domain.access.patterns import BadPattern, Patterns
from onepam.domain.matrix.fields import NAME, duration, flag, record, shown, words
from onepam.domain.matrix.parse import Findings, Node, Scalar, Spot
from onepam.kernel.clock import DAY, HOUR
from onepam.kernel.errors import Refused

FIELDS = ("ticket", "ahead", "weekly", "approvals", "escalate", "first_use", "unasked")
MAX_AHEAD = 92 * DAY
MAX_WEEKLY = 92 * DAY
"""A quarter: what lasts longer is a role's own, which reviews see."""
MAX_APPROVALS = 5
MAX_ESCALATION = 23 * HOUR
"""A request waits a day."""

MAX_UNASKED = 12 * HOUR
MAX_TIMES = 100
"""What nobody is asked for is bounded always."""

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
        first_use=bool(flag(given["first_use"], "first_use", findings)) if "first_use" in given else False,
        unasked=_unasked(given["unasked"], findings) if "unasked" in given else None,
    )
    if found.first_use and "ahead" not in given:
        findings.add(given["first_use"].spot, "It is asked for within a window, which lies ahead.", "Add: ahead: 7d")
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
    return _number(node, "How many say yes", MAX_APPROVALS, findings) or 1


def _unasked(node: Node, findings: Findings) -> Unasked | None:
    given = record(node, node.spot, "rule that asks nobody", ("longest", "times"), ("hours",), findings)
    longest = duration(given["longest"], findings, MAX_UNASKED) if "longest" in given else None
    times = _number(given["times"], "How often it is given", MAX_TIMES, findings) if "times" in given else None
    hours: Hours | None = None
    if "hours" in given:
        text = given["hours"].text if isinstance(given["hours"], Scalar) else ""
        read = read_hours(text)
        if isinstance(read, Refused):
            findings.add(given["hours"].spot, read.message, read.hint)
        else:
            hours = read
    return None if longest is None or times is None else Unasked(longest, times, hours)


def _number(node: Node, what: str, most: int, findings: Findings) -> int | None:
    text = node.text if isinstance(node, Scalar) and node.plain else ""
    if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII) or int(text) > most:
        findings.add(node.spot, f"{what} is a number.", f"From 1 to {most}, without quotes.")
        return None
    return int(text)


def _escalation(node: Node, findings: Findings) -> tuple[int, Named]:
    given = record(node, node.spot, "escalation", ("after", "to"), (), findings)
    after = duration(given["after"], findings, MAX_ESCALATION) if "after" in given else None
    then = approvers(given["to"], findings) if "to" in given else ()
    if "to" in given and not then:
        findings.add(given["to"].spot, "It escalates to nobody.", "Name a role: to: [a role]")
    return after or 0, then
