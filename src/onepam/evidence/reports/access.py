"""The access matrix: every way in that was open or could be asked for at one instant, each with why.

The population comes first: every person and every resource there was is in a row, or is excluded with the reason. The
limits of the moment (hours, a fresh factor) are no rows: the door checks them.
"""

import json
from functools import lru_cache
from typing import Any

from onepam.evidence.envelope import AsOf, Exclusion, Filter
from onepam.evidence.report import Column, Report, Row, Said
from onepam.evidence.reports.scope import CHAINS, MAX_ROWS, NAMED, NAMES, Drawn, Scope, TooLarge, ordered
from onepam.kernel.clock import FOREVER, Instant, iso

NAME = "access"
PEOPLE = """\
SELECT a.person, a.enabled, a.ends, a.valid_from, h.valid_from FROM ev_accounts_v1 a
LEFT JOIN ev_holds_v1 h ON h.person = a.person AND h.valid_from <= :at AND :at < h.valid_until
WHERE a.valid_from <= :at AND :at < a.valid_until ORDER BY a.person"""
RESOURCES = """\
SELECT resource, pins, valid_from FROM ev_resources_v1
WHERE valid_from <= :at AND :at < valid_until ORDER BY resource"""
QUERY = """\
WITH account AS MATERIALIZED (
  SELECT a.person, a.ends FROM ev_accounts_v1 a
  WHERE a.valid_from <= :at AND :at < a.valid_until AND a.enabled = 1 AND (a.ends IS NULL OR a.ends > :at)
    AND NOT EXISTS (SELECT 1 FROM ev_holds_v1 h
      WHERE h.person = a.person AND h.valid_from <= :at AND :at < h.valid_until)
), holder AS MATERIALIZED (
  SELECT a.person, a.ends AS account_ends, b.role, b.binding, b.ends AS binding_ends, b.valid_from AS bound,
         NULL AS joined
  FROM account a JOIN ev_bindings_v1 b ON b.subject = a.person AND b.subject_kind = 'person'
  WHERE b.valid_from <= :at AND :at < b.valid_until AND (b.ends IS NULL OR b.ends > :at)
    AND NOT EXISTS (SELECT 1 FROM ev_withheld_v1 v
      WHERE v.person = a.person AND v.role = b.role AND v.valid_from <= :at AND :at < v.valid_until)
  UNION ALL
  SELECT a.person, a.ends, b.role, b.binding, b.ends, b.valid_from, m.valid_from
  FROM account a JOIN ev_members_v1 m ON m.person = a.person
  JOIN ev_bindings_v1 b ON b.subject = m.team AND b.subject_kind = 'group'
  WHERE m.valid_from <= :at AND :at < m.valid_until
    AND b.valid_from <= :at AND :at < b.valid_until AND (b.ends IS NULL OR b.ends > :at)
    AND NOT EXISTS (SELECT 1 FROM ev_withheld_v1 v
      WHERE v.person = a.person AND v.role = b.role AND v.valid_from <= :at AND :at < v.valid_until)
), site AS MATERIALIZED (
  SELECT resource, labels, logins, valid_from AS placed FROM ev_resources_v1
  WHERE valid_from <= :at AND :at < valid_until AND pins <> '[]'
), alike AS MATERIALIZED (
  SELECT DISTINCT labels, logins FROM site
), covers AS MATERIALIZED (
  SELECT q.role, q.permission, q.mode, q.actions, q.valid_from AS defined, s.labels, s.logins, l.value AS login,
         CASE WHEN q.administrative = 1 OR json_extract(s.labels, '$.env') = 'prod' THEN 1 ELSE 0 END AS privileged
  FROM ev_permissions_v1 q JOIN alike s ON TRUE JOIN json_each(s.logins) l ON TRUE
  WHERE q.valid_from <= :at AND :at < q.valid_until AND q.selector <> '{}'
    AND NOT EXISTS (SELECT 1 FROM json_each(q.selector) w WHERE NOT EXISTS (
      SELECT 1 FROM json_each(s.labels) x WHERE x.key = w.key AND x.value = w.value))
    AND EXISTS (SELECT 1 FROM json_each(q.logins) a WHERE a.value IN ('*', l.value))
), reach AS MATERIALIZED (
  SELECT c.*, s.resource, s.placed FROM covers c JOIN site s ON s.labels = c.labels AND s.logins = c.logins
), way AS (
  SELECT h.*, w.resource, w.login, w.permission, w.mode, w.actions, w.privileged, w.defined, w.placed,
         NULL AS granted, NULL AS request, NULL AS granted_until
  FROM holder h JOIN reach w ON w.role = h.role
  UNION ALL
  SELECT h.*, w.resource, w.login, w.permission, 'granted',
         (SELECT json_group_array(a.value) FROM json_each(g.actions) a
          WHERE EXISTS (SELECT 1 FROM json_each(w.actions) b WHERE b.value = a.value)),
         w.privileged, w.defined, w.placed, g.granted, g.request, g.ends
  FROM ev_grants_v1 g JOIN holder h ON h.person = g.person AND h.binding = g.binding
  JOIN reach w ON w.role = h.role AND w.resource = g.resource AND w.login = g.login AND w.permission = g.permission
  WHERE g.valid_from <= :at AND :at < g.valid_until AND g.starts <= :at AND g.ends > :at AND w.mode = 'request'
)
SELECT person, resource, login, mode, permission, actions, privileged,
       nullif(min(coalesce(account_ends, :never), coalesce(binding_ends, :never), coalesce(granted_until, :never)),
              :never) AS until,
       bound, joined, defined, placed, request
FROM way WHERE actions <> '[]'
ORDER BY person, resource, login, mode, role, permission, binding, joined, granted"""

_ROLE, _BINDING, _GRANT = "role.set", "binding.added", "grant.started"

COLUMNS = (
    Column("person", [Said(kind, "body.person") for kind in NAMED]),
    Column("name", [Said(kind, "payload.name") for kind in NAMED]),
    Column("resource", [Said("resource.set", "body.resource")]),
    Column("login"),
    Column("mode"),
    Column("permission"),
    Column("actions"),
    Column("privileged"),
    Column("until"),
    Column("role", [Said(_ROLE, "body.role")]),
    Column("role_version", [Said(_ROLE, "body.version")]),
    Column("role_purpose", [Said(_ROLE, "body.purpose")]),
    Column("binding", [Said(_BINDING, "body.binding")]),
    Column("bound_to", [Said(_BINDING, "body.subject_kind")]),
    Column("bound_because", [Said(_BINDING, "body.because")]),
    Column("bound_from", [Said(_BINDING, "header.time")]),
    Column("bound_until", [Said(_BINDING, "body.ends:time")]),
    Column("group", [Said("group.member_added", "body.group")]),
    Column("request", [Said(_GRANT, "body.request")]),
    Column("reason", [Said("request.made", "payload.reason")]),
    Column("ticket", [Said("request.made", "payload.ticket")]),
    Column("schedule", [Said(_GRANT, "body.substance.schedule")]),
    Column("approved_by", [Said(_GRANT, "body.approved_by")]),
    Column("grant", [Said(_GRANT, "body.grant")]),
    Column("granted_until", [Said(_GRANT, "body.ends:time")]),
)

DISABLED = "disabled"
ENDED = "past the end of employment or contract"
HELD = "under a hold: a directory ended the person, and only the account waits for an administrator's word"
REACHES_NOTHING = "holds no role that reaches a resource"
NO_HOST_KEY = "a resource without a pinned host key: the gateway opens it to nobody"
NOBODY_REACHES = "a resource that no role of anybody reaches"


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    last = scope.history.size_at(scope.as_of) - 1
    entry_at = lru_cache(maxsize=MAX_ROWS)(scope.history.entry_at)
    parameters = {"at": scope.as_of, "never": FOREVER, "end": scope.end, "first": scope.first}
    rows, seen = list[Row](), set[str]()
    for person, resource, login, mode, permission, actions, privileged, until, bound, *others in scope.history.query(
        QUERY, parameters
    ):
        joined, defined, placed, request = others
        times = [each for each in (joined, defined, placed) if each is not None]
        cited = [*map(entry_at, times), *scope.named(person, last), *scope.chain(request)]
        words = {
            "login": login,
            "mode": mode,
            "permission": permission,
            "actions": ", ".join(json.loads(actions)),
            "privileged": "yes" if privileged else "no",
            "until": "" if until is None else iso(Instant(until)),
        }
        rows.append(scope.entries.row(COLUMNS, ordered(entry_at(bound), (), cited), **words))
        seen |= {f"person {person}", f"resource {resource}"}
        if len(rows) > MAX_ROWS:
            raise TooLarge(NAME)
    left_out = [(entry_at(since), why) for since, why in _left_out(scope, seen)]
    return Drawn(
        Report(NAME, "Who could reach what, as whom, and why", 3, COLUMNS, rows),
        AsOf(scope.as_of),
        f"{PEOPLE};\n{RESOURCES};\n{QUERY};\n{NAMES};\n{CHAINS}",
        parameters,
        _filters(len(rows), [why for _, why in left_out]),
        [Exclusion(entry, why) for entry, why in left_out],
        [entry for entry, _ in left_out],
    )


def _left_out(scope: Scope, seen: set[str]) -> list[tuple[Any, str]]:
    """Of everybody and everything there was, what has no row: since when it is as it is, and why it has none."""
    at = {"at": scope.as_of}
    found = []
    for person, enabled, ends, since, held in scope.history.query(PEOPLE, at):
        if not enabled:
            found.append((since, DISABLED))
        elif ends is not None and ends <= scope.as_of:
            found.append((since, ENDED))
        elif held is not None:
            found.append((held, HELD))
        elif f"person {person}" not in seen:
            found.append((since, REACHES_NOTHING))
    for resource, pins, since in scope.history.query(RESOURCES, at):
        if pins == "[]":
            found.append((since, NO_HOST_KEY))
        elif f"resource {resource}" not in seen:
            found.append((since, NOBODY_REACHES))
    return found


def _filters(rows: int, reasons: list[str]) -> list[Filter]:
    """One step for each reason: people and resources without a row, taken out of all that there was."""
    steps, left = [], rows + len(reasons)
    for reason in (DISABLED, ENDED, HELD, REACHES_NOTHING, NO_HOST_KEY, NOBODY_REACHES):
        after = left - reasons.count(reason)
        steps.append(Filter(f"without: {reason}", left, after))
        left = after
    return steps
