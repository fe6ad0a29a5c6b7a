"""The tables of what is derived again: which entries put a row into a report, which it rests on, what its cells say.

A column is derived (`DERIVED`, `BY_RULE`), or says what entries say that the exporter chose (`CHOSEN`), or is the
exporter's word. docs/format.md describes them.
"""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

Sources = List[List[str]]
"""Where a cell comes from, joined by `; `. A source is [kind, path], or [kind, path, path3, kind2, path2]: only entries
whose path3 equals path2 of an entry of kind2."""


class Happening(NamedTuple):
    """The rows of a report over the period: one for each `heads` entry of the period.

    A row rests on its head; on every later `follows` entry with the same values at `link` in its body; on the entry
    that said last, by then, how somebody is called whom an entry of the row names at one of `people` (kind, path); on
    every `CHAIN` entry of the request that the head names at `chain`; and, of sessions, on a check. Entries of the
    kinds `beside` may be cited beside: which of them is the exporter's choice.
    """

    heads: Tuple[str, ...]
    follows: Tuple[str, ...]
    link: Tuple[str, ...]
    people: Tuple[Tuple[str, str], ...]
    chain: str
    beside: Tuple[str, ...]


class Standing(NamedTuple):
    """The rows of a report as of an instant: one for each account (its `person.added`) that was enabled then, of one of
    `kinds` if there are any. It rests on all its `STANDING` entries up to then, on what said last how the person is
    called, on what said last of each living entry of the roster that is theirs, and on the roster in force. With
    `both_ways` one row beside for each living entry of the roster that is nobody's, with that as its head."""

    kinds: Tuple[str, ...]
    both_ways: bool


DOOR, OPENED = ("session.opened", "session.refused"), ("session.opened",)
CLOSED, CHECKED, BAD_FOUND = "session.closed", "recordings.checked", "recording.found_bad"
FOUND = (BAD_FOUND, "recording.found_good")
BAD = {"missing": "missing", "cut": "cut", "altered": "altered", "foreign": "foreign", "key_missing": "unopened",
       "key_altered": "unopened", "unreadable": "unopened"}  # fmt: skip
MADE, DECIDED = "request.made", ("request.approved", "request.approval_undone", "request.denied", "request.withdrawn")
GRANTED, ENDED, ANSWERED = "grant.started", ("grant.ended", "grant.expired"), ("request.approved", "request.denied")
AGREED, STOOD_IN, PREAPPROVED = "request.agreed", "delegation.used", "request.preapproved"
ESCALATED, FIRST_USED = "request.escalated", "grant.first_used"
NAMED, CHAIN = ("person.added", "person.changed"), (MADE, PREAPPROVED, "request.approved", GRANTED)
LEFT, PROBED, RETURNED = "person.disabled", "probe.made", "person.enabled"
ADDED, TAKEN, LISTED = "person.added", "roster.taken", "roster.entry_set"
STANDING = ("person.disabled", "person.enabled", "roster.linked", "roster.entry_ended")
LISTING = (LISTED, "roster.entry_ended", "roster.linked")
STARTED = "system.started"
SIGNED_IN, SIGNED_OUT = "sign_in.opened", "sign_in.closed"
HOLDING = (SIGNED_IN, SIGNED_OUT, *OPENED, CLOSED, "session.failed")
"""What gives and ends a way in that runs."""
SSH = "ssh"
SYSTEMS = {SSH: SSH, "console": "console", "cli": "command_line"}
"""What runs there, as entries call it, and the columns of leavers."""

REVIEWED, SAID, WITHHELD, GIVEN_BACK = "review.opened", "review.decided", "role.withheld", "role.returned"
SIGNED_OFF = "review.signed_off"
PROPOSED, SETTLED, APPLIED = "change.proposed", ("change.approved", "change.rejected"), "change.applied"
MADE_OF = ("role.set", "role.removed", "resource.set", "resource.removed", "binding.added", "binding.ended")
"""What a change of the roles is made of."""
TESTED, OWNED = "control.tested", "control.assigned"
PUBLISHED, LOOKED_IT = "policy.published", "policy.looked_through"
READ_IT, TOLD_IT, INSPECTED = "policy.confirmed", "policy.reminded", "recording.inspected"
INCIDENT, INC_NOTED, INC_SAID = "incident.opened", "incident.noted", "incident.assigned"
INC_TOLD, INC_OVER, INC_AGAIN = "incident.reminded", "incident.closed", "incident.reopened"

PERIOD = {
    "sessions": Happening(
        DOOR, (CLOSED, "session.failed", "session.kill_ordered", *FOUND), ("session",),
        ((DOOR[0], "body.person"), (DOOR[1], "body.person"), (DOOR[0], "body.because.approval_by")),
        "body.because.request", ()),
    "requests": Happening(
        (MADE,), (AGREED, PREAPPROVED, ESCALATED, *DECIDED, "request.approval_refused", STOOD_IN, GRANTED, FIRST_USED,
                  *ENDED), ("request",),
        ((MADE, "body.substance.person"), *((kind, "body.by") for kind in (AGREED, *DECIDED)),
         (STOOD_IN, "body.person")), "", ()),
    "leavers": Happening(
        (LEFT,), (PROBED, RETURNED), ("person",), ((LEFT, "body.person"),), "", (SIGNED_OUT, CLOSED, "session.failed")),
    "reviews": Happening(
        (REVIEWED,), ("review.closed", SIGNED_OFF, WITHHELD, GIVEN_BACK), ("review",),
        ((REVIEWED, "body.by"), (REVIEWED, "body.fallback"), (SIGNED_OFF, "body.by")), "", ()),
    "decisions": Happening(
        (SAID,), (SAID, WITHHELD, GIVEN_BACK), ("review", "person", "role"),
        ((SAID, "body.person"), (SAID, "body.by")), "", ()),
    "changes": Happening(
        (PROPOSED,), (*SETTLED, "change.refused", APPLIED, *MADE_OF), ("change",),
        tuple((kind, "body.by") for kind in (PROPOSED, *SETTLED)), "", ()),
    "controls": Happening((TESTED,), (), ("control",), ((TESTED, "body.by"),), "", ()),
    "inspections": Happening(
        OPENED, (CLOSED, "session.kill_ordered", *FOUND, INSPECTED), ("session",),
        ((OPENED[0], "body.person"), (INSPECTED, "body.by")), "", ()),
    "incidents": Happening(
        (INCIDENT,), (INC_NOTED, INC_SAID, INC_TOLD, INC_OVER, INC_AGAIN), ("incident",),
        ((INCIDENT, "body.by"), (INCIDENT, "body.owner"), (INC_SAID, "body.owner"), (INC_OVER, "body.by")), "", ()),
    "policies": Happening(
        (PUBLISHED,), (LOOKED_IT, READ_IT, TOLD_IT), ("policy", "version"),
        ((PUBLISHED, "body.by"), (PUBLISHED, "body.owner")), "", ()),
}  # fmt: skip
AS_OF = {"accounts": Standing((), True), "vendors": Standing(("vendor",), False)}
FROM_THE_BEGINNING = ("access", "accounts", "vendors", "matrix", "systems")
"""Reports that rest on entries of any age: a pack that does not begin with the log's first entry has none of them."""


def _of(path: str, *kinds: str) -> Sources:
    return [[kind, path] for kind in kinds]


def _names(*people: Tuple[str, str]) -> Sources:
    return [[named, "payload.name", "body.person", *each] for each in people for named in NAMED]


_SESSIONS = {
    "time": _of("header.time", *DOOR), "outcome": _of("header.kind", *DOOR), "session": _of("body.session", *DOOR),
    "person": _of("body.person", *DOOR), "name": _names(*((kind, "body.person") for kind in DOOR)),
    "resource": _of("body.resource", *DOOR), "login": [[DOOR[0], "body.login"], [DOOR[1], "payload.login"]],
    "asked": _of("payload.asked", DOOR[1]), "entry": _of("body.entry", *DOOR), "source": _of("payload.source", *DOOR),
    "client": _of("payload.client", *OPENED), "actions": _of("body.actions", *OPENED),
    "privileged": _of("body.privileged", *OPENED), "factors": _of("body.mfa.factors", *OPENED),
    "factors_shown": _of("body.mfa.at:time", *OPENED), "factors_basis": _of("body.mfa.basis", *OPENED),
    "factors_provider": _of("body.mfa.provider", *OPENED),
    "phishing_resistant": _of("body.mfa.phishing_resistant", *OPENED), "sign_in": _of("body.mfa.session", *OPENED),
    "role": _of("body.because.role", *OPENED), "role_version": _of("body.because.role_version", *OPENED),
    "permission": _of("body.because.permission", *OPENED), "binding": _of("body.because.binding", *OPENED),
    "group": _of("body.because.group", *OPENED), "request": _of("body.because.request", *OPENED),
    "reason": _of("payload.reason", MADE), "ticket": _of("payload.ticket", MADE),
    "approved": _of("header.time", PREAPPROVED, "request.approved"),
    "approved_by": _of("body.because.approval_by", *OPENED),
    "approved_by_name": _names((DOOR[0], "body.because.approval_by")), "grant": _of("body.because.grant", *OPENED),
    "also_because": _of("body.also", *OPENED), "latest_end": _of("body.ends:time", *OPENED),
    "ended": _of("header.time", CLOSED, "session.failed"), "last_byte": _of("body.last_byte:time", CLOSED),
    "because": [*_of("body.code", DOOR[1], "session.failed"), *_of("body.because", CLOSED)],
    "killed_by": _of("body.by", "session.kill_ordered"), "kill_reason": _of("payload.reason", "session.kill_ordered"),
    "recording_policy": _of("body.recording", *OPENED), "recording_head": _of("body.head", CLOSED),
    "recording_chunks": _of("body.chunks", CLOSED), "recorded": _of("body.counts", CLOSED),
    "verified": _of("body.verified", CLOSED), "gap": _of("body.gap", CLOSED),
    "recording_found": _of("body.condition", *FOUND), "node": _of("body.node", *OPENED)}  # fmt: skip
_REQUESTS = {
    "time": _of("header.time", MADE), "request": _of("body.request", MADE),
    "person": _of("body.substance.person", MADE), "name": _names((MADE, "body.substance.person")),
    "resource": _of("body.substance.resource", MADE), "login": _of("body.substance.login", MADE),
    "role": _of("body.substance.role", MADE), "role_version": _of("body.substance.role_version", MADE),
    "permission": _of("body.substance.permission", MADE), "actions": _of("body.substance.actions", MADE),
    "schedule": _of("body.substance.schedule", MADE),
    "duration_microseconds": _of("body.substance.duration", MADE), "digest": _of("body.digest", MADE),
    "expires": _of("body.expires:time", MADE), "reason": _of("payload.reason", MADE),
    "ticket": _of("payload.ticket", MADE), "agreed": _of("header.time", AGREED), "agreed_by": _of("body.by", AGREED),
    "agreed_by_name": _names((AGREED, "body.by")), "agreed_under": _of("body.under", AGREED),
    "agreed_comment": _of("payload.comment", AGREED), "stood_in": _of("header.time", STOOD_IN),
    "stood_in_by": _of("body.by", STOOD_IN), "stood_in_for": _of("body.person", STOOD_IN),
    "stood_in_for_name": _names((STOOD_IN, "body.person")), "stood_in_under": _of("body.under", STOOD_IN),
    "escalated": _of("header.time", ESCALATED), "escalated_to": _of("body.to", ESCALATED),
    "rule_of": _of("body.role", PREAPPROVED), "rule_version": _of("body.role_version", PREAPPROVED),
    "rule_use": _of("body.nth", PREAPPROVED), "decision": _of("header.kind", PREAPPROVED, *DECIDED),
    "decided": _of("header.time", PREAPPROVED, *DECIDED), "decided_by": _of("body.by", *DECIDED),
    "decided_by_name": _names(*((kind, "body.by") for kind in DECIDED)), "decided_under": _of("body.under", *ANSWERED),
    "comment": _of("payload.comment", *ANSWERED), "withdrawn_because": _of("body.because", "request.withdrawn"),
    "refused_decisions": _of("body.code", "request.approval_refused"),
    "refused_decisions_by": _of("body.by", "request.approval_refused"), "grant": _of("body.grant", GRANTED),
    "granted": _of("body.starts:time", GRANTED), "granted_until": _of("body.ends:time", GRANTED),
    "first_used": _of("header.time", FIRST_USED), "lasts_until": _of("body.ends:time", FIRST_USED),
    "binding": _of("body.binding", GRANTED), "ended": _of("header.time", *ENDED),
    "ended_as": _of("header.kind", *ENDED), "ended_because": _of("body.because", ENDED[0]),
    "ended_by": _of("body.by", ENDED[0]), "ended_reason": _of("payload.reason", ENDED[0])}  # fmt: skip
_LEAVERS = {
    "removed": _of("header.time", LEFT), "person": _of("body.person", LEFT), "name": _names((LEFT, "body.person")),
    "origin": _of("body.origin", LEFT), "because": _of("body.because", LEFT), "removed_by": _of("body.by", LEFT),
    "left": _of("body.left_at:time", LEFT), "notified": _of("body.notified:time", LEFT),
    "probed": _of("header.time", PROBED), "probe_paths": _of("body.path", PROBED),
    "probe_proofs": _of("body.proof", PROBED), "probe_results": _of("body.result", PROBED),
    "probe_codes": _of("body.code", PROBED), "probe_nodes": _of("body.node", PROBED),
    "returned": _of("header.time", RETURNED)}  # fmt: skip
_ACCOUNTS = {
    "added": _of("header.time", ADDED), "person": _of("body.person", ADDED),
    "first_name_told": _of("payload.name", ADDED), "last_name_told": _of("payload.name", NAMED[1]),
    "roster_entry": _of("body.entry", LISTED), "roster_number": _of("payload.number", LISTED),
    "roster_name": _of("payload.name", LISTED), "roster_said": _of("header.time", LISTED),
    "roster_starts": _of("body.starts:time", LISTED), "roster_ends": _of("body.ends:time", LISTED),
    "linked": _of("header.time", "roster.linked"), "roster_version": _of("body.version", TAKEN),
    "roster_received": _of("body.received:time", TAKEN)}  # fmt: skip
_REVIEWS = {
    "opened": _of("header.time", REVIEWED), "review": _of("body.review", REVIEWED),
    "period": _of("body.period", REVIEWED), "scope": _of("body.scope", REVIEWED),
    "items": _of("body.items", REVIEWED), "digest": _of("body.digest", REVIEWED),
    "closes": _of("body.closes:time", REVIEWED), "suspends": _of("body.suspends", REVIEWED),
    "opened_by": _of("body.by", REVIEWED), "opened_by_name": _names((REVIEWED, "body.by")),
    "fallback": _of("body.fallback", REVIEWED), "fallback_name": _names((REVIEWED, "body.fallback")),
    "closed": _of("header.time", "review.closed"), "kept": _of("body.kept", "review.closed"),
    "removed": _of("body.removed", "review.closed"), "unanswered": _of("body.unanswered", "review.closed"),
    "signed_off": _of("header.time", SIGNED_OFF), "signed_off_by": _of("body.by", SIGNED_OFF),
    "signed_off_by_name": _names((SIGNED_OFF, "body.by")), "signed_off_note": _of("payload.note", SIGNED_OFF),
    "not_remediated": _of("body.not_remediated", SIGNED_OFF), "rubber_stamps": _of("body.rubber_stamps", SIGNED_OFF),
    "withheld": _of("header.time", WITHHELD), "withheld_from": _of("body.person", WITHHELD),
    "withheld_roles": _of("body.role", WITHHELD), "withheld_because": _of("body.because", WITHHELD),
    "returned": _of("header.time", GIVEN_BACK), "returned_to": _of("body.person", GIVEN_BACK),
    "returned_roles": _of("body.role", GIVEN_BACK), "returned_because": _of("body.because", GIVEN_BACK)}  # fmt: skip
_DECISIONS = {
    "decided": _of("header.time", SAID), "review": _of("body.review", SAID), "person": _of("body.person", SAID),
    "name": _names((SAID, "body.person")), "role": _of("body.role", SAID), "verdict": _of("body.verdict", SAID),
    "decided_by": _of("body.by", SAID), "decided_by_name": _names((SAID, "body.by")),
    "decided_as": _of("body.answers", SAID), "note": _of("payload.note", SAID),
    "withheld": _of("header.time", WITHHELD), "withheld_because": _of("body.because", WITHHELD),
    "returned": _of("header.time", GIVEN_BACK), "returned_because": _of("body.because", GIVEN_BACK)}  # fmt: skip
_CHANGES = {
    "proposed": _of("header.time", PROPOSED), "change": _of("body.change", PROPOSED),
    "title": _of("payload.title", PROPOSED), "proposed_by": _of("body.by", PROPOSED),
    "proposed_by_name": _names((PROPOSED, "body.by")), "reason": _of("payload.reason", PROPOSED),
    "ticket": _of("payload.ticket", PROPOSED), "document": _of("body.document", PROPOSED),
    "digest": _of("body.digest", PROPOSED), "widens": _of("body.widens", PROPOSED),
    "summary": _of("body.summary", PROPOSED), "decision": _of("header.kind", *SETTLED),
    "decided": _of("header.time", *SETTLED), "decided_by": _of("body.by", *SETTLED),
    "decided_by_name": _names(*((kind, "body.by") for kind in SETTLED)),
    "rejected_because": _of("body.because", SETTLED[1]), "refused_decisions": _of("body.code", "change.refused"),
    "refused_decisions_by": _of("body.by", "change.refused"), "applied": _of("header.time", APPLIED),
    "roles_set": _of("body.role", "role.set"), "roles_removed": _of("body.role", "role.removed"),
    "resources_set": _of("body.resource", "resource.set"),
    "resources_removed": _of("body.resource", "resource.removed"), "roles_given": _of("body.role", "binding.added"),
    "given_to": _of("body.subject", "binding.added"), "bindings_given": _of("body.binding", "binding.added"),
    "bindings_ended": _of("body.binding", "binding.ended")}  # fmt: skip
_CONTROLS = {
    "tested": _of("header.time", TESTED), "control": _of("body.control", TESTED),
    "version": _of("body.version", TESTED), "population_from": _of("body.begin:time", TESTED),
    "population_until": _of("body.until:time", TESTED), "population": _of("body.population", TESTED),
    "failed": _of("body.failed", TESTED), "not_tested": _of("body.untested", TESTED),
    "excluded": _of("body.excluded", TESTED), "verdict": _of("body.verdict", TESTED),
    "cause": _of("body.cause", TESTED), "digest": _of("body.digest", TESTED),
    "tested_by": _of("body.by", TESTED), "tested_by_name": _names((TESTED, "body.by"))}  # fmt: skip
_INSPECTIONS = {
    "opened": _of("header.time", *OPENED), "session": _of("body.session", *OPENED),
    "person": _of("body.person", *OPENED), "name": _names((OPENED[0], "body.person")),
    "resource": _of("body.resource", *OPENED), "login": _of("body.login", *OPENED),
    "privileged": _of("body.privileged", *OPENED), "request": _of("body.because.request", *OPENED),
    "ended": _of("header.time", CLOSED), "recording_head": _of("body.head", CLOSED), "gap": _of("body.gap", CLOSED),
    "killed_by": _of("body.by", "session.kill_ordered"), "found_bad": _of("header.time", FOUND[0]),
    "found_good": _of("header.time", FOUND[1]), "inspected": _of("header.time", INSPECTED),
    "inspected_by": _of("body.by", INSPECTED), "inspected_by_name": _names((INSPECTED, "body.by")),
    "verdict": _of("body.verdict", INSPECTED), "note": _of("payload.note", INSPECTED)}  # fmt: skip
_INCIDENTS = {
    "opened": _of("header.time", INCIDENT), "incident": _of("body.incident", INCIDENT),
    "title": _of("payload.title", INCIDENT), "what": _of("payload.what", INCIDENT),
    "severity": _of("body.severity", INCIDENT, INC_SAID), "began": _of("body.began:time", INCIDENT),
    "found": _of("body.found:time", INCIDENT), "opened_by": _of("body.by", INCIDENT),
    "opened_by_name": _names((INCIDENT, "body.by")), "owners": _of("body.owner", INCIDENT, INC_SAID),
    "owner_names": _names((INCIDENT, "body.owner"), (INC_SAID, "body.owner")),
    "due": _of("body.due:time", INCIDENT, INC_SAID, INC_AGAIN), "assigned": _of("header.time", INC_SAID),
    "assigned_by": _of("body.by", INC_SAID), "assigned_because": _of("payload.because", INC_SAID),
    "links": _of("body.links", INCIDENT, INC_NOTED), "noted": _of("header.time", INC_NOTED),
    "noted_of": _of("body.at:time", INC_NOTED), "noted_by": _of("body.by", INC_NOTED),
    "notes": _of("payload.note", INC_NOTED), "reminded": _of("header.time", INC_TOLD),
    "closed": _of("header.time", INC_OVER), "closed_by": _of("body.by", INC_OVER),
    "closed_by_name": _names((INC_OVER, "body.by")), "cause": _of("payload.cause", INC_OVER),
    "done": _of("payload.done", INC_OVER), "lessons": _of("payload.lessons", INC_OVER),
    "reopened": _of("header.time", INC_AGAIN), "reopened_by": _of("body.by", INC_AGAIN),
    "reopened_because": _of("payload.because", INC_AGAIN)}  # fmt: skip
_POLICIES = {
    "published": _of("header.time", PUBLISHED), "policy": _of("body.policy", PUBLISHED),
    "version": _of("body.version", PUBLISHED), "title": _of("body.title", PUBLISHED),
    "digest": _of("body.digest", PUBLISHED), "size": _of("body.size", PUBLISHED),
    "media": _of("body.media", PUBLISHED), "published_by": _of("body.by", PUBLISHED),
    "published_by_name": _names((PUBLISHED, "body.by")), "owner": _of("body.owner", PUBLISHED),
    "owner_name": _names((PUBLISHED, "body.owner")), "readers": _of("body.readers", PUBLISHED),
    "note": _of("payload.note", PUBLISHED), "review_by": _of("body.review_by:time", PUBLISHED, LOOKED_IT),
    "looked_through": _of("header.time", LOOKED_IT), "looked_through_by": _of("body.by", LOOKED_IT),
    "confirmed": _of("header.time", READ_IT), "confirmed_by": _of("body.by", READ_IT),
    "told": _of("header.time", TOLD_IT), "told_to": _of("body.person", TOLD_IT)}  # fmt: skip
DERIVED = {
    "sessions": _SESSIONS,
    "requests": _REQUESTS,
    "leavers": _LEAVERS,
    "reviews": _REVIEWS,
    "decisions": _DECISIONS,
    "changes": _CHANGES,
    "controls": _CONTROLS,
    "inspections": _INSPECTIONS,
    "incidents": _INCIDENTS,
    "policies": _POLICIES,
    "accounts": _ACCOUNTS,
    "vendors": {**_ACCOUNTS, "contract_ends": _of("body.contract_ends:time", LISTED)},
}

RECORDING = ("recording_condition", "recording_checked", "recording_partial")
_HELD = [f"{system}_{word}" for system in SYSTEMS.values() for word in ("held", "removed", "ended")]
BY_RULE = {
    "sessions": ("factors_age_seconds", *RECORDING),
    "leavers": (*_HELD, "recordings_verified", "milliseconds", "within_24_hours"),
    "inspections": ("drawn", "drawn_because", "due"),
    "policies": ("outstanding",),
    "accounts": ("kind", "owner", "roster_age_hours", "finding", "result"),
    "vendors": ("sponsor", "access_ends", "roster_age_hours", "finding", "result"),
}
"""Columns that follow from the entries and are not what one of them says."""

_BOUND, _ROLE = "binding.added", "role.set"
_ON_LIST, _LIST = "listed_account.set", "account_list.taken"
CHOSEN = {
    "leavers": {"last_sign_ins_ended": _of("header.time", SIGNED_OUT),
                "last_bytes": _of("body.last_byte:time", CLOSED)},
    "access": {
        "person": _of("body.person", *NAMED), "name": _of("payload.name", *NAMED),
        "resource": _of("body.resource", "resource.set"), "role": _of("body.role", _ROLE),
        "role_version": _of("body.version", _ROLE), "role_purpose": _of("body.purpose", _ROLE),
        "binding": _of("body.binding", _BOUND), "bound_to": _of("body.subject_kind", _BOUND),
        "bound_because": _of("body.because", _BOUND), "bound_from": _of("header.time", _BOUND),
        "bound_until": _of("body.ends:time", _BOUND), "group": _of("body.group", "group.member_added"),
        "request": _of("body.request", GRANTED), "reason": _of("payload.reason", MADE),
        "ticket": _of("payload.ticket", MADE), "schedule": _of("body.substance.schedule", GRANTED),
        "approved_by": _of("body.approved_by", GRANTED),
        "grant": _of("body.grant", GRANTED), "granted_until": _of("body.ends:time", GRANTED)},
    "matrix": {
        "console": _of("body.console", _ROLE), "change": _of("body.change", _ROLE), "set": _of("header.time", _ROLE),
        "resource_set": _of("header.time", "resource.set")},
    "systems": {
        "name": _of("payload.name", _ON_LIST), "listed": _of("header.time", _ON_LIST),
        "linked": _of("header.time", "listed_account.linked"), "person_name": _of("payload.name", *NAMED),
        "list_made": _of("body.made:time", _LIST), "list_digest": _of("body.digest", _LIST),
        "brought_by": _of("body.by", _LIST)},
}  # fmt: skip
REPORTS = (*PERIOD, *FROM_THE_BEGINNING)
"""What a pack holds."""
OF_GOVERNANCE = (
    "reviews", "decisions", "changes", "controls", "inspections", "incidents", "policies", "matrix", "systems",
)  # fmt: skip
"""What packs of releases before those that test controls do not hold."""
TITLES = {
    "sessions": "Sessions of the period, opened and refused",
    "requests": "Requests of the period, decided and granted, to the grant's end",
    "leavers": "Leavers of the period: both stamps per system, and what the listeners said",
    "access": "Who could reach what, as whom, and why",
    "accounts": "Enabled accounts against the staff roster, both ways",
    "vendors": "Vendors: sponsor, contract, and the end of access",
    "reviews": "Reviews of access that were opened in the period, to their end",
    "decisions": "Decisions of the period in reviews of access, and what followed on each item",
    "changes": "Changes of access.yaml that were proposed in the period, decided and applied",
    "controls": "Controls: each run of a test in the period",
    "inspections": "Sessions of the period: which were drawn to be inspected, and what somebody said who looked",
    "incidents": "Incidents that were opened in the period, to their end",
    "policies": "Policy documents that were published in the period, and who confirmed each",
    "matrix": "The role matrix as designed: what each role opens, whose it is, and what for",
    "systems": "Accounts of other systems: who stands behind each, and what is found",
}
VERSIONS = {"access": (1, 2, 3), "requests": (1, 2, 3)}
"""Of a report that has been drawn in several ways; all others have version 1. In version 1 of `access` what a review
withholds stands as held."""
DISABLED = "disabled"
LEFT_OUT = (
    DISABLED,
    "past the end of employment or contract",
    "under a hold: a directory ended the person, and only the account waits for an administrator's word",
    "holds no role that reaches a resource",
    "a resource without a pinned host key: the gateway opens it to nobody",
    "a resource that no role of anybody reaches",
)
"""Why a release leaves somebody or something out of `access`."""
WORDS = {
    "access": ("login", "mode", "permission", "actions", "privileged", "until"),
    "accounts": ("last_seen",),
    "matrix": ("role", "version", "owner", "purpose", "permission", "mode", "actions", "resource", "login",
               "privileged"),
    "systems": ("system", "account", "rights", "person", "service", "known", "last_used", "finding", "since", "due",
                "answers"),
}  # fmt: skip
"""Columns of a release that are the exporter's words."""
SINCE = {
    "access": {"schedule": 3},
    "requests": {
        **dict.fromkeys(("schedule", "agreed", "agreed_by", "agreed_by_name", "agreed_under", "agreed_comment"), 2),
        **dict.fromkeys(
            ("stood_in", "stood_in_by", "stood_in_for", "stood_in_for_name", "stood_in_under", "escalated",
             "escalated_to", "rule_of", "rule_version", "rule_use", "first_used", "lasts_until"), 3),
    },
}  # fmt: skip
"""Columns that a report has from a version on."""


def newest_of(name: str) -> int:
    """The version in which a release that tests controls draws a report."""
    return VERSIONS.get(name, (1,))[-1]


def columns_of(name: str, version: int) -> Tuple[str, ...]:
    """All columns that a report has in a version."""
    every = (*DERIVED.get(name, ()), *BY_RULE.get(name, ()), *CHOSEN.get(name, ()), *WORDS.get(name, ()))
    since = SINCE.get(name, {})
    return tuple(each for each in every if since.get(each, 1) <= version)
