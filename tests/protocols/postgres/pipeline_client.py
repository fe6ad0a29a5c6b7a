"""A client of its own process on libpq, as psycopg is one: each word of its arguments is inserted in one pipeline, with
one Sync behind all. What came of each is shown."""

import sys
from ctypes import c_char_p, c_int, c_void_p

from tests.protocols.postgres.line_client import gone, libpq

for name, given, back in (
    ("PQenterPipelineMode", [c_void_p], c_int), ("PQpipelineSync", [c_void_p], c_int),
    ("PQsendQueryParams", [c_void_p, c_char_p, c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_int], c_int),
    ("PQresultErrorMessage", [c_void_p], c_char_p), ("PQresStatus", [c_int], c_char_p),
):  # fmt: skip
    function = getattr(libpq, name)
    function.argtypes, function.restype = given, back

SYNCED = b"PGRES_PIPELINE_SYNC"

if __name__ == "__main__":
    _, where, *words = sys.argv
    connection = libpq.PQconnectdb(where.encode())
    if libpq.PQstatus(connection) != 0 or not libpq.PQenterPipelineMode(connection):
        gone(connection)
    for word in words:
        values = (c_char_p * 1)(word.encode())
        libpq.PQsendQueryParams(connection, b"INSERT INTO said VALUES ($1)", 1, None, values, None, None, 0)
    libpq.PQpipelineSync(connection)
    status = b""
    while status != SYNCED:
        while result := libpq.PQgetResult(connection):
            status = libpq.PQresStatus(libpq.PQresultStatus(result))
            said = libpq.PQresultErrorMessage(result).decode().strip()
            sys.stdout.write(f"{status.decode()} {said}\n")
            libpq.PQclear(result)
    libpq.PQfinish(connection)
