"""A client of its own process on libmariadb that asks for what few programs do: compression, another user, a reset.
Each is told as a line."""

import ctypes
import os
import sys
from ctypes import c_char_p, c_int, c_uint, c_ulong, c_void_p

library = ctypes.CDLL("libmariadb.so.3")
for name, given, back in (
    ("mysql_init", [c_void_p], c_void_p), ("mysql_options", [c_void_p, c_int, c_void_p], c_int),
    ("mysql_real_connect", [c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_uint, c_char_p, c_ulong], c_void_p),
    ("mysql_error", [c_void_p], c_char_p), ("mysql_query", [c_void_p, c_char_p], c_int),
    ("mysql_store_result", [c_void_p], c_void_p), ("mysql_fetch_row", [c_void_p], ctypes.POINTER(c_char_p)),
    ("mysql_free_result", [c_void_p], None), ("mysql_change_user", [c_void_p, c_char_p, c_char_p, c_char_p], c_int),
    ("mysql_reset_connection", [c_void_p], c_int), ("mysql_close", [c_void_p], None),
):  # fmt: skip
    function = getattr(library, name)
    function.argtypes, function.restype = given, back

VERIFY, CA, PROTOCOL, TCP, COMPRESS = 21, 27, 9, 1, 1


def value(connection: int, text: bytes) -> bytes | None:
    """The one value that a statement gives."""
    if library.mysql_query(connection, text):
        return bytes(library.mysql_error(connection))
    result = library.mysql_store_result(connection)
    if not result:
        return None
    found: bytes | None = library.mysql_fetch_row(result)[0]
    library.mysql_free_result(result)
    return found


def main(port: int, user: bytes, token: bytes, root: bytes) -> None:
    connection = library.mysql_init(None)
    yes, tcp = ctypes.c_byte(1), c_uint(TCP)
    library.mysql_options(connection, VERIFY, ctypes.byref(yes))
    library.mysql_options(connection, CA, root)
    library.mysql_options(connection, PROTOCOL, ctypes.byref(tcp))
    library.mysql_options(connection, COMPRESS, None)
    if not library.mysql_real_connect(connection, b"localhost", user, token, None, port, None, 0):
        sys.exit(library.mysql_error(connection).decode())
    told: list[object] = [value(connection, b"SELECT REPEAT('x', 5)")]
    told += [value(connection, b"SET @a = 1"), value(connection, b"SELECT @a")]
    told += [library.mysql_change_user(connection, b"root", b"", None), library.mysql_error(connection)]
    told += [value(connection, b"SELECT @a"), library.mysql_reset_connection(connection)]
    told.append(value(connection, b"SELECT @a"))
    library.mysql_close(connection)
    os.write(1, "".join(f"{each}\n" for each in told).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(os.fsencode, sys.argv[2:]))
