"""The tables of what is derived again: which entries put a row into a report, which it rests on, what its cells say.

A report may say otherwise of itself; these tables hold. docs/evidence-pack.md describes them.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Tuple

Sources = List[List[str]]
"""Where a cell comes from, joined by `; `. A source is [kind, path], or [kind, path, path3, kind2, path2]: only entries
whose path3 equals path2 of an entry of kind2."""


class Rule(NamedTuple):
    """A report's population: one row per `heads` entry of the period, resting on it and on every `follows` entry with
    the same `link` in its body. `columns` have these sources, whatever the report says of them."""

    heads: Tuple[str, ...]
    follows: Tuple[str, ...]
    link: str
    columns: Dict[str, Sources]


def _of(kinds: Tuple[str, ...], path: str) -> Sources:
    return [[kind, path] for kind in kinds]


DOOR, ENDED = ("session.opened", "session.refused"), ("grant.ended", "grant.expired")
CLOSED, CHECKED, FOUND = "session.closed", "recordings.checked", ("recording.found_bad", "recording.found_good")
BAD = {"missing": "missing", "cut": "cut", "altered": "altered", "foreign": "foreign", "key_missing": "unopened",
       "key_altered": "unopened", "unreadable": "unopened"}  # fmt: skip
MADE, LEFT, PROBED = ("request.made",), ("person.disabled",), ("probe.made",)
DECIDED = ("request.approved", "request.approval_undone", "request.denied", "request.withdrawn")
RULES = {
    "sessions": Rule(
        DOOR, ("session.closed", "session.failed", "session.kill_ordered", *FOUND), "session",
        {"time": _of(DOOR, "header.time"), "outcome": _of(DOOR, "header.kind"), "session": _of(DOOR, "body.session"),
         "person": _of(DOOR, "body.person"), "resource": _of(DOOR, "body.resource"), "entry": _of(DOOR, "body.entry"),
         "login": [["session.opened", "body.login"], ["session.refused", "payload.login"]],
         "source": _of(DOOR, "payload.source"), "factors_basis": [["session.opened", "body.mfa.basis"]],
         "factors_provider": [["session.opened", "body.mfa.provider"]],
         "phishing_resistant": [["session.opened", "body.mfa.phishing_resistant"]],
         "ended": _of(("session.closed", "session.failed"), "header.time"),
         "last_byte": [["session.closed", "body.last_byte:time"]],
         "because": [*_of(("session.refused", "session.failed"), "body.code"), ["session.closed", "body.because"]],
         "recording_found": _of(FOUND, "body.condition"),
         "recording_condition": [], "recording_checked": [], "recording_partial": []}),  # by rule: _recordings
    "requests": Rule(
        MADE, (*DECIDED, "request.approval_refused", "grant.started", *ENDED), "request",
        {"time": _of(MADE, "header.time"), "request": _of(MADE, "body.request"),
         "person": _of(MADE, "body.substance.person"), "resource": _of(MADE, "body.substance.resource"),
         "login": _of(MADE, "body.substance.login"), "role": _of(MADE, "body.substance.role"),
         "reason": _of(MADE, "payload.reason"), "ticket": _of(MADE, "payload.ticket"),
         "decision": _of(DECIDED, "header.kind"), "decided": _of(DECIDED, "header.time"),
         "decided_by": _of(DECIDED, "body.by"), "ended": _of(ENDED, "header.time")}),
    "leavers": Rule(
        LEFT, ("probe.made", "person.enabled"), "person",
        {"removed": _of(LEFT, "header.time"), "person": _of(LEFT, "body.person"), "origin": _of(LEFT, "body.origin"),
         "left": _of(LEFT, "body.left_at:time"), "notified": _of(LEFT, "body.notified:time"),
         "probe_paths": _of(PROBED, "body.path"), "probe_results": _of(PROBED, "body.result"),
         "returned": _of(("person.enabled",), "header.time")}),
}  # fmt: skip


class Standing(NamedTuple):
    """An as-of report's population: one row per account (its `person.added`) that was enabled then, of one of `kinds`
    if there are any; it rests on all its `STANDING` entries up to then and on the roster's version in force. Rows
    whose head is one of `others` are allowed beside."""

    kinds: Tuple[str, ...]
    others: Tuple[str, ...]
    columns: Dict[str, Sources]


ADDED, TAKEN, LISTED = ("person.added",), ("roster.taken",), ("roster.entry_set",)
STANDING = ("person.disabled", "person.enabled", "roster.linked", "roster.entry_ended")
ROSTER_HOURS = 24
_SAID = {
    "added": _of(ADDED, "header.time"), "person": _of(ADDED, "body.person"),
    "roster_entry": _of(LISTED, "body.entry"), "roster_ends": _of(LISTED, "body.ends:time"),
    "linked": _of(("roster.linked",), "header.time"), "roster_version": _of(TAKEN, "body.version"),
    "roster_received": _of(TAKEN, "body.received:time"), "result": []}  # fmt: skip
AS_OF = {
    "accounts": Standing((), LISTED, _SAID),
    "vendors": Standing(("vendor",), (), {**_SAID, "contract_ends": _of(LISTED, "body.contract_ends:time")}),
}
