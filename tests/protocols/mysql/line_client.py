"""A client of its own process on libmariadb, the library of `mariadb`: each line of its standard input is sent to the
server as a value, and what comes back is shown. Unlike `mariadb` it also hears what the server says while nothing is
asked.

`flood` asks for output without end.
"""

import ctypes
import os
import select
import sys
from ctypes import c_char_p, c_int, c_uint, c_ulong, c_void_p
from typing import NoReturn

library = ctypes.CDLL("libmariadb.so.3")
for name, given, back in (
    ("mysql_init", [c_void_p], c_void_p), ("mysql_options", [c_void_p, c_int, c_void_p], c_int),
    ("mysql_real_connect", [c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_uint, c_char_p, c_ulong], c_void_p),
    ("mysql_error", [c_void_p], c_char_p), ("mysql_real_query", [c_void_p, c_char_p, c_ulong], c_int),
    ("mysql_store_result", [c_void_p], c_void_p), ("mysql_use_result", [c_void_p], c_void_p),
    ("mysql_fetch_row", [c_void_p], ctypes.POINTER(c_char_p)), ("mysql_free_result", [c_void_p], None),
    ("mysql_get_socket", [c_void_p], c_int), ("mysql_ping", [c_void_p], c_int), ("mysql_close", [c_void_p], None),
):  # fmt: skip
    function = getattr(library, name)
    function.argtypes, function.restype = given, back

VERIFY, CA, PROTOCOL, TCP = 21, 27, 9, 1
FLOOD = b"SELECT REPEAT('x', 1000) FROM seq_1_to_1000000000"


def gone(connection: int) -> NoReturn:
    os.write(1, library.mysql_error(connection) + b"\n")
    os._exit(2)


def asked(connection: int, text: bytes) -> None:
    if library.mysql_real_query(connection, text, len(text)):
        gone(connection)


def said_back(connection: int, line: bytes) -> None:
    asked(connection, b"SELECT '%b'" % line)
    result = library.mysql_store_result(connection)
    if not result:
        gone(connection)
    os.write(1, library.mysql_fetch_row(result)[0] + b"\n")
    library.mysql_free_result(result)


def flooded(connection: int) -> NoReturn:
    asked(connection, FLOOD)
    result = library.mysql_use_result(connection)
    while result and library.mysql_fetch_row(result):
        pass
    gone(connection)


def main(port: int, user: bytes, token: bytes, root: bytes) -> None:
    connection = library.mysql_init(None)
    yes, tcp = ctypes.c_byte(1), c_uint(TCP)
    library.mysql_options(connection, VERIFY, ctypes.byref(yes))
    library.mysql_options(connection, CA, root)
    library.mysql_options(connection, PROTOCOL, ctypes.byref(tcp))
    if not library.mysql_real_connect(connection, b"localhost", user, token, None, port, None, 0):
        gone(connection)
    os.write(1, b"ready\n")
    rest = b""
    while True:
        for ready in select.select([0, library.mysql_get_socket(connection)], [], [])[0]:
            if ready:
                library.mysql_ping(connection)
                gone(connection)
            data = os.read(0, 65536)
            if not data:
                library.mysql_close(connection)
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                flooded(connection) if line == b"flood" else said_back(connection, line)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(os.fsencode, sys.argv[2:]))
