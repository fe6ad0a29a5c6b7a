"""Which columns of a target are masked: one look when the session begins, over its own connection.

A view of which the text names a masked column, or cannot be read, is *closed*: nobody can tell which of its columns
show what, for a result names a view's column by the view's own words. So is what others make meanwhile.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from onepam.protocols.mysql.lexing import name, tokens

_SYSTEM: Final = ("information_schema", "mysql", "performance_schema", "sys")
_LOOK: Final = """
SELECT 'column', HEX(CONVERT(table_schema USING utf8mb4)), HEX(CONVERT(table_name USING utf8mb4)),
 HEX(CONVERT(column_name USING utf8mb4)),
 HEX(CONVERT(CONCAT(COALESCE(generation_expression, ''), ' ', COALESCE(column_default, '')) USING utf8mb4))
 FROM information_schema.columns WHERE table_schema NOT IN ({own}) AND (LOWER(column_name) IN ({names})
 OR COALESCE(generation_expression, '') <> '' OR column_default LIKE '%(%')
UNION ALL SELECT 'view', HEX(CONVERT(table_schema USING utf8mb4)), HEX(CONVERT(table_name USING utf8mb4)), '',
 HEX(CONVERT(view_definition USING utf8mb4)) FROM information_schema.views WHERE table_schema NOT IN ({own})
UNION ALL SELECT 'table', HEX(CONVERT(table_schema USING utf8mb4)), HEX(CONVERT(table_name USING utf8mb4)), '', ''
 FROM information_schema.tables WHERE table_schema NOT IN ({own}) AND table_type NOT LIKE '%VIEW%'
"""

COLUMNS: Final = 5
Row = tuple[str, str, str, str, str]
"""What it is, schema, table, column, and the text that it is made by."""

_HARMLESS: Final = frozenset(
    (
        "tables", "columns", "schemata", "views", "statistics", "key_column_usage", "table_constraints",
        "referential_constraints", "check_constraints", "character_sets", "collations", "engines", "partitions",
        "routines", "parameters", "triggers", "global_variables", "session_variables", "global_status",
        "session_status", "plugins", "keywords", "sequences", "table_privileges", "column_privileges",
        "schema_privileges", "user_privileges", "collation_character_set_applicability", "events",
    )
)  # fmt: skip
"""Of the server's own catalogue what repeats no value of a column and no statement of others."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one look has found, all in lower case. `columns`: the masked ones of tables of this name, in any schema;
    `exact`: schema, table and column of each; `bases`: schema and name of each table; `views`, `closed`: names."""

    columns: Mapping[str, frozenset[str]]
    exact: frozenset[tuple[str, str, str]]
    bases: frozenset[tuple[str, str]]
    views: frozenset[str]
    closed: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Those of all masked columns."""
        return frozenset[str]().union(*self.columns.values())

    def masks(self, schema: str, table: str, column: str) -> bool:
        """Whether a column of a result is masked, by the names of where it comes from; "" for what is computed."""
        schema, table, column = schema.casefold(), table.casefold(), column.casefold()
        if (schema, table) in self.bases:
            return (schema, table, column) in self.exact
        return column in self.names

    def may_show(self, schema: str, table: str, column: str) -> bool:
        """The same, for whoever may see all and do anything with it: also of whatever it cannot be told."""
        known = not table or self.knows(schema.casefold(), table.casefold())
        return not known or self.masks(schema, table, column)

    def knows(self, schema: str, table: str) -> bool:
        """Whether a table or a view of this name may be read; `schema` is "" where none is said."""
        if schema in _SYSTEM:
            return schema == "information_schema" and table in _HARMLESS
        if table in self.closed:
            return False
        return (
            table in self.views
            or table == "dual"
            or any(table == each and schema in ("", of) for of, each in self.bases)
        )


def look(columns: Iterable[str]) -> str:
    """The statement that asks for all of it. The columns are those of a `Mask`, of no letter that SQL would read."""
    names = sorted({each.rpartition(".")[2] for each in columns})
    return _LOOK.format(own=_listed(_SYSTEM), names=_listed(names))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{each}'" for each in names)


def catalogue(rows: Iterable[Row], columns: tuple[str, ...]) -> Catalogue:
    """What the rows of `look` say, of a mask with these columns."""
    bases, texts = set[tuple[str, str]](), dict[tuple[str, str], str]()
    made = dict[tuple[str, str], dict[str, str]]()
    for what, schema, table, column, text in rows:
        where = (schema.casefold(), table.casefold())
        if what == "table":
            bases.add(where)
        elif what == "view":
            texts[where] = text
        else:
            made.setdefault(where, {})[column.casefold()] = text
    exact = set[tuple[str, str, str]]()
    by_table: dict[str, frozenset[str]] = {}
    for where in bases & made.keys():
        masked = _masked(where, made[where], columns)
        if masked:
            exact |= {(*where, each) for each in masked}
            by_table[where[1]] = by_table.get(where[1], frozenset()) | masked
    closed = _closed(texts, by_table)
    return Catalogue(by_table, frozenset(exact), frozenset(bases), frozenset(each[1] for each in texts), closed)


def _masked(where: tuple[str, str], made: Mapping[str, str], columns: tuple[str, ...]) -> frozenset[str]:
    """The masked columns of one table, with those that are made of them."""
    masked = {each for each in made if any(".".join((*where, each)[place:]) in columns for place in range(3))}
    named = {each: _names(text) for each, text in made.items()} if masked else {}
    grown = -1
    while grown != len(masked):
        grown = len(masked)
        masked |= {each for each, said in named.items() if not masked.isdisjoint(said)}
    return frozenset(masked)


def _closed(texts: Mapping[tuple[str, str], str], tables: Mapping[str, frozenset[str]]) -> frozenset[str]:
    named = {each: _names(text) for each, text in texts.items()}
    closed = {each[1] for each, text in texts.items() if not text.strip() or not named[each]}
    grown = -1
    while grown != len(closed):
        grown = len(closed)
        for (_, view), said in named.items():
            shows = any(table in said and not columns.isdisjoint(said) for table, columns in tables.items())
            if shows or not closed.isdisjoint(said - {view}):
                closed.add(view)
    return frozenset(closed)


def _names(text: str) -> frozenset[str]:
    """The names in a text; none where it cannot be read."""
    found = tokens(text.encode("utf-8", "surrogatepass"))
    return frozenset() if found is None else frozenset(name(each) for each in found) - {""}
