"""A client of its own process on libpq, the library of psql: each line of its standard input is sent to the server as a
value, and what comes back is shown. Unlike psql it also hears what the server says while nothing is asked.

`flood` asks for output without end.
"""

import ctypes
import os
import select
import sys
from ctypes import c_char_p, c_int, c_void_p
from typing import NoReturn

libpq = ctypes.CDLL("libpq.so.5")
for name, given, back in (
    ("PQconnectdb", [c_char_p], c_void_p), ("PQstatus", [c_void_p], c_int), ("PQerrorMessage", [c_void_p], c_char_p),
    ("PQsocket", [c_void_p], c_int), ("PQconsumeInput", [c_void_p], c_int), ("PQgetResult", [c_void_p], c_void_p),
    ("PQresultStatus", [c_void_p], c_int), ("PQgetvalue", [c_void_p, c_int, c_int], c_char_p),
    ("PQclear", [c_void_p], None), ("PQgetCopyData", [c_void_p, c_void_p, c_int], c_int),
    ("PQfinish", [c_void_p], None),
    ("PQexecParams", [c_void_p, c_char_p, c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_int], c_void_p),
    ("PQsendQuery", [c_void_p, c_char_p], c_int), ("PQfreemem", [c_void_p], None),
):  # fmt: skip
    function = getattr(libpq, name)
    function.argtypes, function.restype = given, back

ROWS, BAD, COPY_OUT = 2, 1, 3
FLOOD = b"COPY (SELECT repeat('x', 1000) FROM generate_series(1, 1000000000)) TO STDOUT"


def gone(connection: int) -> NoReturn:
    os.write(1, libpq.PQerrorMessage(connection))
    os._exit(2)


def said_back(connection: int, line: bytes) -> None:
    values = (c_char_p * 1)(line)
    result = libpq.PQexecParams(connection, b"SELECT $1::text", 1, None, values, None, None, 0)
    if libpq.PQresultStatus(result) != ROWS:
        gone(connection)
    os.write(1, libpq.PQgetvalue(result, 0, 0) + b"\n")
    libpq.PQclear(result)


def flooded(connection: int) -> None:
    libpq.PQsendQuery(connection, FLOOD)
    if libpq.PQresultStatus(libpq.PQgetResult(connection)) != COPY_OUT:
        gone(connection)
    row = c_char_p()
    while libpq.PQgetCopyData(connection, ctypes.byref(row), 0) > 0:
        libpq.PQfreemem(row)
    libpq.PQgetResult(connection)
    gone(connection)


def main(words: str) -> None:
    connection = libpq.PQconnectdb(words.encode())
    if libpq.PQstatus(connection) == BAD:
        gone(connection)
    os.write(1, b"ready\n")
    rest = b""
    while True:
        for ready in select.select([0, libpq.PQsocket(connection)], [], [])[0]:
            if ready == 0:
                data = os.read(0, 65536)
                if not data:
                    libpq.PQfinish(connection)
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    flooded(connection) if line == b"flood" else said_back(connection, line)
            elif not libpq.PQconsumeInput(connection) or libpq.PQstatus(connection) == BAD:
                gone(connection)
            else:
                while result := libpq.PQgetResult(connection):
                    libpq.PQclear(result)
                if libpq.PQstatus(connection) == BAD:
                    gone(connection)


if __name__ == "__main__":
    main(sys.argv[1])
