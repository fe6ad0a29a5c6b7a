"""A client of its own process on libpq that sends a text and goes, without waiting for what comes of it."""

import sys
from ctypes import c_char_p, c_int, c_void_p

from tests.protocols.postgres.line_client import gone, libpq

libpq.PQsendQuery.argtypes, libpq.PQsendQuery.restype = [c_void_p, c_char_p], c_int

if __name__ == "__main__":
    _, where, text = sys.argv
    connection = libpq.PQconnectdb(where.encode())
    if libpq.PQstatus(connection) != 0 or not libpq.PQsendQuery(connection, text.encode()):
        gone(connection)
    libpq.PQfinish(connection)
