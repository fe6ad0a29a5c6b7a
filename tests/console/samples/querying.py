"""The query page: before anything ran, and with each thing that can come of a text."""

from onepam.console.sessions.query_page import QueryPage
from onepam.console.sessions.query_words import notice_of, result_of
from onepam.protocols.postgres.runner import Result
from onepam.protocols.postgres.said import Column, Notice, Value, Wrong
from onepam.protocols.postgres.splitting import split

TEXT = """SELECT id, state, note, paid FROM orders WHERE state = 'late';
UPDATE orders SET state = 'seen' WHERE id = 7;
SELECT idd
  FROM orders;
SELECT now()"""
_PARTS = list(split(TEXT))
_COLUMNS = (Column("id", True), Column("state", False), Column("note", False), Column("paid", True))
_ROWS = (
    (Value("7"), Value("late"), Value(""), None),
    (Value("812"), Value("late"), Value("<b>call back</b> " + "and ask again " * 20, 4_096), Value("12.50")),
)
_FIRST = Result(1, 4, _PARTS[0], _COLUMNS, _ROWS, more=True, tag="SELECT 2", took=0.012)
_SECOND = Result(2, 4, _PARTS[1], tag="UPDATE 1", took=2.41, copied=True)
_WRONG = Wrong("42703", 'column "idd" does not exist', hint='Perhaps you meant to reference "orders.id".', position=8)
_THIRD = Result(3, 4, _PARTS[2], wrong=_WRONG, took=0.004)
_ORIGIN = "https://pam.example.org"
_CONFIRM = (
    f"OnePAM: Confirm app@orders in your browser:\n\n    {_ORIGIN}/confirm/cnf_1\n\nand type this code there:   BCDF"
)

QUERY = QueryPage(
    resource="orders", login="app", database="", text="", served=True, notices=[], results=[], over=""
)  # fmt: skip
QUERY_RAN = QueryPage(
    resource="orders",
    login="app",
    database="shop",
    text=TEXT,
    served=True,
    notices=[notice_of(Notice("NOTICE", _CONFIRM), _ORIGIN), notice_of(Notice("WARNING", "late", "more"), _ORIGIN)],
    results=[result_of(each, TEXT) for each in (_FIRST, _SECOND, _THIRD)],
    over="",
)
QUERY_OVER = QueryPage(
    resource="orders", login="app", database="", text="SELECT 1", served=True, notices=[], results=[],
    over="An administrator ended the session.",
)  # fmt: skip
QUERY_UNSERVED = QueryPage(
    resource="orders", login="app", database="", text="", served=False, notices=[], results=[], over=""
)
