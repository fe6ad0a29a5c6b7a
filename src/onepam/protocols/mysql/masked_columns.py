"""Whether a statement shows masked columns in no other way than as columns of its result, where they are masked.

A masked column may stand in the outermost list of what a statement gives, be compared with `=` or `IN` to literals and
parameters, be asked for NULL, and be written. Everything else is refused. Each place of the text that names one must be
one that the parser found so: what it does not tell is refused, too.
"""

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from onepam.kernel.errors import Refused
from onepam.protocols.mysql.calling import strangers
from onepam.protocols.mysql.catalogue import Catalogue
from onepam.protocols.mysql.executable import variants
from onepam.protocols.mysql.functions import named
from onepam.protocols.mysql.lexing import Kind, Part, Token, name, split, tokens, words
from onepam.protocols.mysql.parsing import place, tree

_PLAIN: Final = named(
    "BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE USE DEALLOCATE UNLOCK LOCK KILL TRUNCATE XA HELP CHECKSUM"
)
"""Statements that show nothing of a row."""

_SHOWN: Final = named(
    "TABLES COLUMNS FIELDS INDEX INDEXES KEYS DATABASES SCHEMAS VARIABLES STATUS CREATE COLLATION CHARACTER CHARSET"
    " ENGINES GRANTS TABLE FULL GLOBAL SESSION PLUGINS PRIVILEGES PROCEDURE FUNCTION TRIGGERS EVENTS OPEN STORAGE"
    " EXTENDED"
)
"""What SHOW may show: no warnings, which repeat values, and no statements of others."""

_TREES: Final = named("SELECT WITH INSERT REPLACE UPDATE DELETE")
_EXPLAINS: Final = named("EXPLAIN DESCRIBE DESC ANALYZE")


class _Unproven(Exception):
    """Why not, in words."""


def refusal(sql: str, known: Catalogue) -> Refused | None:
    """Why the text may not run where columns are masked; None where it may."""
    for text in variants(sql) or ("*/",):
        found = tokens(text.encode("utf-8", "surrogatepass"))
        if found is None:
            return _refused("it cannot be read")
        try:
            for each in split(found):
                _prove(each, known)
        except _Unproven as why:
            return _refused(str(why))
    return None


def _refused(why: str) -> Refused:
    return Refused(
        "statement.masked",
        f"columns are masked here, and what this statement does with them cannot be shown: {why}.",
        "Name the columns that you need, masked ones in no other place than the list of what is selected.",
    )


def _prove(part: Part, known: Catalogue) -> None:
    first = next((each.text for each in part if each.text != "("), "")
    said = words(part)
    for each in strangers(part):
        raise _Unproven(f"nobody knows what the function {each} reads")
    if first in _TREES:
        _Proof(part, known).prove()
    elif first in _EXPLAINS:
        inner = next((spot for spot, word in enumerate(said) if word in _TREES), None)
        if inner is not None:
            _Proof(part[inner:], known).prove()
    elif first == "DO":
        _Proof((Token(Kind.WORD, "SELECT", 0, 0), *part[1:]), known).prove()
    elif first == "TABLE":
        if len(part) not in (2, 4):
            raise _Unproven("it cannot be read")
        _know(known, name(part[1]) if len(part) == 4 else "", name(part[-1]))
    elif first == "SET":
        if "SELECT" in said:
            raise _Unproven("a variable is set to what is selected")
    elif first not in _PLAIN and not (
        first == "SHOW" and said[1:2] and said[1] in _SHOWN and "PROCESSLIST" not in said
    ):
        raise _Unproven(f"{first} may show any of them")


def _know(known: Catalogue, schema: str, table: str) -> None:
    if known.knows(schema, table):
        return
    if table in known.closed:
        raise _Unproven(f"the view {table} is made of masked columns")
    raise _Unproven(f"the relation {table} was not there when this session began, or shows what others do")


class _Proof:
    """Of one statement that the parser knows."""

    def __init__(self, part: Part, known: Catalogue) -> None:
        found = tree(part)
        if found is None:
            raise _Unproven("it cannot be read")
        self._part, self._known, self._root = part, known, found
        said = [name(each) for each in part]
        self._masked = frozenset[str]().union(*(known.columns.get(each, frozenset()) for each in said))
        self._times = sum(each in self._masked for each in said)
        self._hidden: list[exp.Expr] = []

    def prove(self) -> None:
        """Raises `_Unproven`."""
        queries = {each.alias.casefold() for each in self._root.find_all(exp.CTE)}
        for each in self._root.find_all(exp.Table):
            self._relation(each, queries)
        if not self._masked:
            return
        if any(each.args.get("method") == "NATURAL" for each in self._root.find_all(exp.Join)):
            raise _Unproven("tables are joined by columns that are not named")
        self._hidden = [each for each in self._outermost() if self._shows(each)]
        if self._hidden:
            self._order()
        for star in self._root.find_all(exp.Star):
            self._star(star)
        times = sum(self._column(each) for each in self._root.find_all(exp.Column)) + self._other_places()
        if times != self._times:
            raise _Unproven("a masked column is named where nobody can tell what for")

    def _relation(self, table: exp.Table, queries: set[str]) -> None:
        alias = table.args.get("alias")
        if self._masked and isinstance(alias, exp.TableAlias) and alias.args.get("columns"):
            raise _Unproven("columns are given other names")
        if isinstance(table.this, exp.JSONTable) or (isinstance(table.this, exp.Parameter) and table.parent):
            return
        if not isinstance(table.this, exp.Identifier) or table.args.get("catalog"):
            raise _Unproven("nobody knows what it selects from")
        schema, said = (each.casefold() for each in (table.db, table.name))
        if schema or said not in queries:
            _know(self._known, schema, said)

    # --- What is given -----------------------------------------------------------------------------------------------

    def _outermost(self) -> list[exp.Expr]:
        """What the statement gives."""
        if isinstance(self._root, exp.Select):
            return list(self._root.expressions)
        returning = self._root.args.get("returning")
        return list(returning.expressions) if isinstance(returning, exp.Returning) else []

    def _shows(self, given: exp.Expr) -> bool:
        """Whether it is a masked column alone, or a star that may stand for one."""
        column = given.this if isinstance(given, exp.Alias) else given
        return isinstance(column, exp.Star) or (
            isinstance(column, exp.Column) and (isinstance(column.this, exp.Star) or self._is_masked(column))
        )

    def _is_masked(self, column: exp.Column) -> bool:
        return column.name.casefold() in self._masked

    def _order(self) -> None:
        """Raises where the order or the number of rows tells of a masked column, or it goes somewhere else."""
        root = self._root
        if root.args.get("distinct"):
            raise _Unproven("rows are told apart by a masked column")
        if root.args.get("into"):
            raise _Unproven("a masked column is put into a variable")
        aliases = {each.alias.casefold() for each in self._hidden if isinstance(each, exp.Alias)}
        for key in ("order", "group", "having"):
            under = root.args.get(key)
            for each in under.walk() if isinstance(under, exp.Expr) else ():
                numbered = (
                    key != "having" and place(each) is not None and isinstance(each.parent, (exp.Ordered, exp.Group))
                )
                if numbered or (isinstance(each, exp.Column) and each.name.casefold() in aliases):
                    raise _Unproven("rows are ordered or grouped by a masked column")

    def _star(self, star: exp.Star) -> None:
        above = star.parent if isinstance(star.parent, exp.Column) else star
        if any(above is each for each in self._hidden) or isinstance(star.parent, exp.Count):
            return
        select = above.parent
        if isinstance(select, exp.Select) and isinstance(select.parent, exp.Exists):
            return
        raise _Unproven("a star stands in what is computed further")

    # --- Columns -----------------------------------------------------------------------------------------------------

    def _column(self, column: exp.Column) -> int:
        """How many places that name a masked column it accounts for. Raises where one is computed with."""
        qualifiers = sum(each.name.casefold() in self._masked for each in column.parts[:-1])
        if not self._is_masked(column):
            return qualifiers
        given = column.parent if isinstance(column.parent, exp.Alias) else column
        if any(given is each for each in self._hidden) or self._compared(column) or self._written(column):
            return qualifiers + 1
        raise _Unproven(f"something is computed of {column.name}")

    def _compared(self, column: exp.Column) -> bool:
        """`column = value` and `column IN (values)`: whoever guesses a value hears that it is so, and no more."""
        above = column.parent
        if isinstance(above, (exp.EQ, exp.NullSafeEQ)):
            other = above.expression if above.this is column else above.this
            return place(other) is not None
        if isinstance(above, exp.In):
            said = above.args.get("query") is None and above.args.get("unnest") is None
            return said and above.this is column and all(place(each) is not None for each in above.expressions)
        return isinstance(above, exp.Is) and above.this is column and isinstance(above.expression, exp.Null)

    def _written(self, column: exp.Column) -> bool:
        """`SET column = …` of UPDATE and of ON DUPLICATE KEY."""
        above = column.parent
        if not isinstance(above, exp.EQ) or above.this is not column:
            return False
        return isinstance(above.parent, (exp.Update, exp.OnConflict)) and above.arg_key == "expressions"

    def _other_places(self) -> int:
        """Places that name a masked column, and mean no value of one: names that are given to something else, columns
        that an INSERT writes, `VALUES(column)` of ON DUPLICATE KEY."""
        return sum(each.name.casefold() in self._masked for each in self._given_names())

    def _given_names(self) -> Iterator[exp.Expr]:
        for alias in self._root.find_all(exp.Alias):
            if isinstance(alias.args.get("alias"), exp.Identifier):
                yield alias.args["alias"]
        if isinstance(self._root, exp.Insert):
            if isinstance(self._root.this, exp.Schema):
                yield from (each for each in self._root.this.expressions if isinstance(each, exp.Identifier))
            conflict = self._root.args.get("conflict")
            for call in conflict.find_all(exp.Anonymous) if isinstance(conflict, exp.OnConflict) else ():
                if call.name.upper() == "VALUES":
                    yield from (each for each in call.expressions if isinstance(each, exp.Identifier))
