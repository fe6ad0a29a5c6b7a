"""The role matrix as it was designed (controls RBC-01, RBC-02): each role with what each permission opens of what
there is, as of one instant; a role that opens nothing has one row."""

import json
from functools import lru_cache

from onepam.evidence.envelope import AsOf
from onepam.evidence.report import Column, Report, Row, Said
from onepam.evidence.reports.scope import MAX_ROWS, Drawn, Scope, TooLarge, ordered

NAME = "matrix"
QUERY = """\
WITH site AS MATERIALIZED (
  SELECT resource, labels, logins, valid_from AS placed FROM ev_resources_v1
  WHERE valid_from <= :at AND :at < valid_until AND pins <> '[]'
), reach AS (
  SELECT q.role, q.permission, q.mode, q.actions, s.resource, s.placed, l.value AS login,
         CASE WHEN q.administrative = 1 OR json_extract(s.labels, '$.env') = 'prod' THEN 1 ELSE 0 END AS privileged
  FROM ev_permissions_v1 q JOIN site s ON TRUE JOIN json_each(s.logins) l ON TRUE
  WHERE q.valid_from <= :at AND :at < q.valid_until AND q.selector <> '{}' AND q.actions <> '[]'
    AND NOT EXISTS (SELECT 1 FROM json_each(q.selector) w WHERE NOT EXISTS (
      SELECT 1 FROM json_each(s.labels) x WHERE x.key = w.key AND x.value = w.value))
    AND EXISTS (SELECT 1 FROM json_each(q.logins) a WHERE a.value IN ('*', l.value))
)
SELECT r.role, r.version, r.owner, r.purpose, r.valid_from, w.permission, w.mode, w.actions, w.resource, w.login,
       w.privileged, w.placed
FROM ev_roles_v1 r LEFT JOIN reach w ON w.role = r.role
WHERE r.valid_from <= :at AND :at < r.valid_until
ORDER BY r.role, w.permission, w.resource, w.login"""

_ROLE = "role.set"

COLUMNS = (
    Column("role"),
    Column("version"),
    Column("owner"),
    Column("purpose"),
    Column("permission"),
    Column("mode"),
    Column("actions"),
    Column("resource"),
    Column("login"),
    Column("privileged"),
    Column("console", [Said(_ROLE, "body.console")]),
    Column("change", [Said(_ROLE, "body.change")]),
    Column("set", [Said(_ROLE, "header.time")]),
    Column("resource_set", [Said("resource.set", "header.time")]),
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    entry_at = lru_cache(maxsize=MAX_ROWS)(scope.history.entry_at)
    parameters = {"at": scope.as_of}
    rows = list[Row]()
    for role, version, owner, purpose, since, permission, mode, actions, *where in scope.history.query(
        QUERY, parameters
    ):
        resource, login, privileged, placed = where
        words = {
            "role": role,
            "version": version,
            "owner": owner,
            "purpose": purpose,
            "permission": permission or "",
            "mode": mode or "",
            "actions": ", ".join(json.loads(actions or "[]")),
            "resource": resource or "",
            "login": login or "",
            "privileged": "" if resource is None else "yes" if privileged else "no",
        }
        others = [] if placed is None else [entry_at(placed)]
        rows.append(scope.entries.row(COLUMNS, ordered(entry_at(since), (), others), **words))
        if len(rows) > MAX_ROWS:
            raise TooLarge(NAME)
    report = Report(
        NAME, "The role matrix as designed: what each role opens, whose it is, and what for", 1, COLUMNS, rows
    )
    return Drawn(report, AsOf(scope.as_of), QUERY, parameters)
