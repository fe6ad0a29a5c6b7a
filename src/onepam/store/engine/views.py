"""The views that evidence reads: versioned and read-only. A changed meaning is a new version; old ones stay.

`ev_sessions`, `ev_checks`, `ev_requests`, `ev_reviews`, `ev_changes`, `ev_controls`, `ev_listings`, `ev_incidents`,
`ev_policies`, `ev_inspections`, `ev_leavers`, `ev_standing`, `ev_starts`, `ev_people` and `ev_erasures` are entries of
some kinds with the fields that link them. The others are state as intervals of ledger time: a row holds where
valid_from <= t AND t < valid_until, and `valid_from` is the time of the entry that made it so.
"""

from collections.abc import Mapping


def _of_entries(view: str, kinds: tuple[str, ...], fields: Mapping[str, str]) -> str:
    columns = "".join(f", json_extract(CAST(body AS TEXT), '$.{path}') AS {name}" for name, path in fields.items())
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return (
        f"CREATE VIEW IF NOT EXISTS {view} AS\n"
        f"SELECT idx AS entry, time, kind{columns} FROM entry WHERE kind IN ({listed});\n"
    )


EVIDENCE_VIEWS = (
    _of_entries(
        "ev_sessions_v1",
        (
            "session.opened",
            "session.refused",
            "session.closed",
            "session.failed",
            "session.kill_ordered",
            "recording.found_bad",
            "recording.found_good",
        ),
        {"session": "session", "person": "person", "request": "because.request", "approved_by": "because.approval_by"},
    )
    + _of_entries(
        "ev_requests_v1",
        (
            "request.made",
            "request.approved",
            "request.approval_undone",
            "request.denied",
            "request.withdrawn",
            "request.approval_refused",
            "grant.started",
            "grant.ended",
            "grant.expired",
        ),
        {"request": "request", "person": "substance.person", "decided_by": "by"},
    )
    + _of_entries(
        "ev_requests_v2",
        (
            "request.made",
            "request.agreed",
            "request.approved",
            "request.approval_undone",
            "request.denied",
            "request.withdrawn",
            "request.approval_refused",
            "grant.started",
            "grant.ended",
            "grant.expired",
        ),
        {"request": "request", "person": "substance.person", "decided_by": "by"},
    )
    + _of_entries(
        "ev_requests_v3",
        (
            "request.made",
            "request.agreed",
            "request.preapproved",
            "request.escalated",
            "request.approved",
            "request.approval_undone",
            "request.denied",
            "request.withdrawn",
            "request.approval_refused",
            "delegation.used",
            "grant.started",
            "grant.first_used",
            "grant.ended",
            "grant.expired",
        ),
        {"request": "request", "person": "substance.person", "decided_by": "by", "stands_for": "person"},
    )
    + _of_entries(
        "ev_reviews_v1",
        (
            "review.opened",
            "review.decided",
            "review.passed",
            "review.closed",
            "review.signed_off",
            "role.withheld",
            "role.returned",
        ),
        {"review": "review", "person": "person", "role": "role"},
    )
    + _of_entries(
        "ev_changes_v1",
        (
            "change.proposed",
            "change.approved",
            "change.rejected",
            "change.refused",
            "change.applied",
            "role.set",
            "role.removed",
            "resource.set",
            "resource.removed",
            "binding.added",
            "binding.ended",
        ),
        {"change": "change"},
    )
    + _of_entries(
        "ev_listings_v1",
        ("listed_account.set", "listed_account.linked", "account_list.taken"),
        {"account": "account", "list": "list"},
    )
    + _of_entries("ev_controls_v1", ("control.tested", "control.assigned"), {"control": "control"})
    + _of_entries(
        "ev_incidents_v1",
        (
            "incident.opened",
            "incident.noted",
            "incident.assigned",
            "incident.reminded",
            "incident.closed",
            "incident.reopened",
        ),
        {"incident": "incident"},
    )
    + _of_entries(
        "ev_policies_v1",
        ("policy.published", "policy.looked_through", "policy.confirmed", "policy.reminded"),
        {"policy": "policy", "version": "version"},
    )
    + _of_entries(
        "ev_inspections_v1",
        (
            "session.opened",
            "session.closed",
            "session.kill_ordered",
            "recording.found_bad",
            "recording.found_good",
            "recording.inspected",
        ),
        {"session": "session", "person": "person"},
    )
    + _of_entries("ev_checks_v1", ("recordings.checked",), {"begin": "begin", "until": "until"})
    + _of_entries("ev_leavers_v1", ("person.disabled", "person.enabled", "probe.made"), {"person": "person"})
    + _of_entries(
        "ev_standing_v1",
        (
            "person.added",
            "person.changed",
            "person.disabled",
            "person.enabled",
            "roster.linked",
            "roster.entry_set",
            "roster.entry_ended",
        ),
        {"person": "person"},
    )
    + _of_entries("ev_starts_v1", ("system.started",), {"node": "node"})
    + _of_entries("ev_people_v1", ("person.added", "person.changed"), {"person": "person"})
    + """
CREATE VIEW IF NOT EXISTS ev_erasures_v1 AS
SELECT idx AS entry, time, gone.value AS erased
FROM entry, json_each(CAST(entry.body AS TEXT), '$.indexes') AS gone WHERE entry.kind = 'payload.erased';
CREATE VIEW IF NOT EXISTS ev_seams_v1 AS
    SELECT idx AS entry FROM entry WHERE kind = 'ledger.continued';
CREATE VIEW IF NOT EXISTS ev_batches_v1 AS
SELECT first_idx AS first, last_idx AS last, node, signature FROM batch;
CREATE VIEW IF NOT EXISTS ev_nodes_v1 AS
    SELECT idx AS entry FROM entry WHERE kind IN ('node.certified', 'node.revoked');
CREATE VIEW IF NOT EXISTS ev_accounts_v1 AS
SELECT person, kind, owner, enabled, ends, valid_from, valid_until FROM person;
CREATE VIEW IF NOT EXISTS ev_roster_v1 AS
SELECT entry AS listed, person, type, sponsor, starts, ends, contract_ends, removed, said, valid_from, valid_until
FROM staff_entry;
CREATE VIEW IF NOT EXISTS ev_rosters_v1 AS
SELECT version, standing, digest, source, row_count, received, decided, valid_from, valid_until FROM staff_version;
CREATE VIEW IF NOT EXISTS ev_signins_v1 AS
SELECT session, person, kind, opened, expires, valid_from, valid_until FROM sign_in;
CREATE VIEW IF NOT EXISTS ev_connections_v1 AS
SELECT session, person, opened, closed, last_byte, status, valid_from, valid_until FROM session;
CREATE VIEW IF NOT EXISTS ev_holds_v1 AS
SELECT person, reason, valid_from, valid_until FROM person_hold;
CREATE VIEW IF NOT EXISTS ev_members_v1 AS
SELECT grp AS team, person, valid_from, valid_until FROM group_member;
CREATE VIEW IF NOT EXISTS ev_bindings_v1 AS
SELECT binding, role, subject_kind, subject, ends, valid_from, valid_until FROM binding;
CREATE VIEW IF NOT EXISTS ev_listed_v1 AS
SELECT account, system, person, rights, service, because, used, since, valid_from, valid_until FROM listed_account;
CREATE VIEW IF NOT EXISTS ev_systems_v1 AS
SELECT system, owner, days, list, taken, valid_from, valid_until FROM account_system;
CREATE VIEW IF NOT EXISTS ev_gone_v1 AS
SELECT person, removed, left_at, valid_from, valid_until FROM leaver;
CREATE VIEW IF NOT EXISTS ev_withheld_v1 AS
SELECT person, role, review, valid_from, valid_until FROM role_withheld;
CREATE VIEW IF NOT EXISTS ev_roles_v1 AS
SELECT role, version, owner, purpose, valid_from, valid_until FROM role;
CREATE VIEW IF NOT EXISTS ev_permissions_v1 AS
SELECT role, version, json_extract(p.value, '$.name') AS permission, json_extract(p.value, '$.mode') AS mode,
       json_extract(p.value, '$.actions') AS actions, json_extract(p.value, '$.where') AS selector,
       json_extract(p.value, '$.logins') AS logins,
       CAST(json_extract(p.value, '$.administrative') AS INTEGER) AS administrative, valid_from, valid_until
FROM role, json_each(role.permissions) AS p;
CREATE VIEW IF NOT EXISTS ev_resources_v1 AS
SELECT resource, labels, logins, pins, valid_from, valid_until FROM resource;
CREATE VIEW IF NOT EXISTS ev_grants_v1 AS
SELECT access_grant AS granted, request, person, resource, binding, json_extract(substance, '$.login') AS login,
       json_extract(substance, '$.permission') AS permission, json_extract(substance, '$.actions') AS actions,
       approved_by, starts, ends, valid_from, valid_until
FROM access_grant;
"""
)
