"""Which columns of a target are masked: from names in a mask to the numbers by which results name them.

One look when the session begins, over its own connection. So what others rename or make meanwhile is read by its old
name, and what is new is not known: its rows are masked, and statements about it are refused.
"""

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

_LOOK: Final = """
WITH RECURSIVE named AS (
  SELECT a.attrelid AS rel, a.attnum AS num
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'm', 'v')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND (pg_catalog.lower(a.attname::pg_catalog.text) IN ({names})
    OR pg_catalog.lower(pg_catalog.concat(c.relname, '.', a.attname)) IN ({names})
    OR pg_catalog.lower(pg_catalog.concat(n.nspname, '.', c.relname, '.', a.attname)) IN ({names}))
), edges(a, b) AS (
  SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits
  UNION ALL SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits
  UNION ALL SELECT d.refobjid, r.ev_class FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND r.ev_class <> d.refobjid
), touched AS (SELECT rel FROM named UNION SELECT e.b FROM touched t JOIN edges e ON e.a = t.rel)
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relnatts,
  CASE WHEN t.rel IS NOT NULL THEN (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
      a.attnum, a.attname, m.num IS NOT NULL, pg_catalog.pg_get_expr(g.adbin, g.adrelid)) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a LEFT JOIN named m ON m.rel = a.attrelid AND m.num = a.attnum
    LEFT JOIN pg_catalog.pg_attrdef g ON g.adrelid = a.attrelid AND g.adnum = a.attnum AND a.attgenerated <> ''
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) END,
  CASE WHEN t.rel IS NOT NULL THEN (
    SELECT pg_catalog.json_agg(e.b::pg_catalog.int8) FROM edges e JOIN pg_catalog.pg_class o ON o.oid = e.b
    WHERE e.a = c.oid AND o.relkind NOT IN ('v', 'm')) END,
  CASE WHEN t.rel IS NOT NULL AND c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (SELECT DISTINCT rel FROM touched) t ON t.rel = c.oid
WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v')
"""

Row = Sequence[str | None]

TELLING: Final = frozenset(
    ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs", "pg_statistic", "pg_statistic_ext_data", "pg_stat_activity")
)
"""Of PostgreSQL's own catalogue what repeats values of columns, or statements of others."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, a view, … `columns`: its columns by name, known of those that may have masked ones; `masked` are numbers
    of those, None for all. Numbers of columns go up to `width`."""

    oid: int
    schema: str
    name: str
    width: int
    columns: Mapping[str, int]
    masked: frozenset[int] | None = frozenset()

    @property
    def tainted(self) -> bool:
        """Whether a column of it is masked."""
        return self.masked is None or bool(self.masked)

    def masks(self, column: str) -> bool:
        """Whether the column of this name is."""
        return self.masked is None or self.columns.get(column, 0) in self.masked


class Catalogue:
    """What one look has found."""

    def __init__(self, relations: Iterable[Relation]) -> None:
        self._by_number = {each.oid: each for each in relations}
        self._by_name: dict[str, dict[int, Relation]] = {}
        for each in self._by_number.values():
            self._by_name.setdefault(each.name, {})[each.oid] = each

    def named(self, schema: str, name: str) -> list[Relation]:
        """All that a name may mean; `schema` is "" where none is said."""
        return [each for each in self._by_name.get(name, {}).values() if schema in ("", each.schema)]

    def name(self, oid: int) -> str:
        """What a relation is called."""
        return self._by_number[oid].name

    def masked(self, oid: int) -> frozenset[int] | None:
        """The masked columns of a relation, None for all."""
        return self._by_number[oid].masked

    def mask(self, oid: int, columns: frozenset[int] | None) -> None:
        """These columns of the relation are masked, None for all."""
        now = self._by_number[oid] = replace(self._by_number[oid], masked=columns)
        self._by_name[now.name][oid] = now

    def masks(self, relation: int, column: int) -> bool:
        """Whether a column of a result is masked, by the numbers of where it comes from: 0 for what is computed."""
        if not relation:
            return False
        found = self._by_number.get(relation)
        if found is None or column > found.width:
            return True
        return found.masked is None or column in found.masked


def look(columns: Iterable[str]) -> str:
    """The statement that asks for all of it. The columns are those of a `Mask`, of no letter that SQL would read."""
    return _LOOK.format(names=", ".join(f"'{each}'" for each in columns))


MANY: Final = 100
"""So many relations are looked at in a turn, but for views: of these one."""

Outputs = Callable[[str, Catalogue], frozenset[int] | None]
"""Tells from the text of a view which of its columns, from 1, show masked ones, None where any may."""


Reading = Generator[None, None, Catalogue]
"""Gives way now and then to whatever else there is to do; what it returns is there in the end."""


def catalogue(rows: Iterable[Row], outputs: Outputs) -> Reading:
    """What the rows of `look` say."""
    found, named = dict[int, Relation](), dict[int, set[int]]()
    made, near, views = dict[int, dict[int, str]](), dict[int, list[int]](), dict[int, str]()
    for place, (oid, schema, name, _, width, columns, others, view) in enumerate(rows):
        if place % MANY == 0:
            yield
        number, listed = int(oid or 0), list[Any](json.loads(columns or "[]"))
        told = schema == "pg_catalog" and name in TELLING
        found[number] = Relation(
            number,
            schema or "",
            name or "",
            int(width or 0),
            {each[1]: each[0] for each in listed},
            None if told else frozenset(),
        )
        named[number] = {each[0] for each in listed if each[2]}
        made[number] = {each[0]: each[3] for each in listed if each[3]}
        near[number] = json.loads(others or "[]")
        if view:
            views[number] = view
    yield from _alike(found, named, made, near)
    known = Catalogue(found.values())
    for number, masked in named.items():
        if masked:
            known.mask(number, frozenset(masked))
    yield from _seen(known, views, outputs)
    return known


def _alike(
    found: Mapping[int, Relation],
    named: dict[int, set[int]],
    made: Mapping[int, Mapping[int, str]],
    near: Mapping[int, list[int]],
) -> Generator[None, None, None]:
    """Columns of the same name are masked in all tables that inherit from each other, and so are columns that are made
    of masked ones."""
    changed = True
    while changed:
        changed = False
        for place, (number, masked) in enumerate(named.items()):
            if place % MANY == 0:
                yield
            columns = found[number].columns
            names = {name for name, column in columns.items() if column in masked}
            more = {column for column, text in made[number].items() if any(name in text for name in names)} - masked
            changed = changed or bool(more)
            masked |= more
            for other in near[number]:
                theirs = {column for name, column in found[other].columns.items() if name in names} - named[other]
                changed = changed or bool(theirs)
                named[other] |= theirs


def _seen(known: Catalogue, views: Mapping[int, str], outputs: Outputs) -> Generator[None, None, None]:
    """What views show of masked columns, also of other views': the eldest first, which younger ones are made of; once
    more those that have the name of one in which more was found to be masked since they were looked at."""
    looked, found, left, clock = dict[int, int](), list[tuple[int, str]](), sorted(views), count()
    while left:
        found.clear()
        for number in left:
            yield
            looked[number], was = next(clock), known.masked(number)
            shown = None if was is None else outputs(views[number], known)
            masked = None if was is None or shown is None else was | shown
            if masked != was:
                known.mask(number, masked)
                found.append((looked[number], known.name(number).replace('"', '""')))
        left = [
            each for each in sorted(views)
            if any(when > looked[each] and name in views[each] for when, name in found)
        ]  # fmt: skip
