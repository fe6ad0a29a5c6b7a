"""A client of its own process on libmariadb that prepares a statement and executes it: `PORT ROOT TEXT VALUE…`. What
comes back, in the binary form of the protocol, it gives as JSON."""

import ctypes
import json
import sys
from ctypes import c_char, c_char_p, c_int, c_uint, c_ulong, c_void_p

library = ctypes.CDLL("libmariadb.so.3")
for name, given, back in (
    ("mysql_init", [c_void_p], c_void_p), ("mysql_options", [c_void_p, c_int, c_void_p], c_int),
    ("mysql_real_connect", [c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_uint, c_char_p, c_ulong], c_void_p),
    ("mysql_error", [c_void_p], c_char_p), ("mysql_stmt_init", [c_void_p], c_void_p),
    ("mysql_stmt_prepare", [c_void_p, c_char_p, c_ulong], c_int), ("mysql_stmt_error", [c_void_p], c_char_p),
    ("mysql_stmt_bind_param", [c_void_p, c_void_p], c_char), ("mysql_stmt_execute", [c_void_p], c_int),
    ("mysql_stmt_bind_result", [c_void_p, c_void_p], c_char), ("mysql_stmt_field_count", [c_void_p], c_uint),
    ("mysql_stmt_fetch", [c_void_p], c_int), ("mysql_close", [c_void_p], None),
):  # fmt: skip
    function = getattr(library, name)
    function.argtypes, function.restype = given, back

VERIFY, CA, PROTOCOL, TCP, STRING = 21, 27, 9, 1, 254
SIZE = 4096


class Bind(ctypes.Structure):
    """MYSQL_BIND of libmariadb."""

    _fields_ = (
        ("length", ctypes.POINTER(c_ulong)), ("is_null", ctypes.POINTER(c_char)), ("buffer", c_void_p),
        ("error", c_void_p), ("u", c_void_p), ("store", c_void_p), ("fetch", c_void_p), ("skip", c_void_p),
        ("buffer_length", c_ulong), ("offset", c_ulong), ("length_value", c_ulong), ("flags", c_uint),
        ("pack_length", c_uint), ("buffer_type", c_int), ("error_value", c_char), ("is_unsigned", c_char),
        ("long_data", c_char), ("is_null_value", c_char), ("extension", c_void_p),
    )  # fmt: skip


def bound(values: list[bytes]) -> tuple[ctypes.Array[Bind], list[ctypes.Array[c_char]], list[c_ulong], list[c_char]]:
    binds = (Bind * max(len(values), 1))()
    buffers = [ctypes.create_string_buffer(each, SIZE) for each in values]
    lengths, nulls = [c_ulong(len(each)) for each in values], [c_char(b"\0") for _ in values]
    for bind, buffer, length, null in zip(binds, buffers, lengths, nulls, strict=False):
        bind.buffer_type, bind.buffer, bind.buffer_length = STRING, ctypes.addressof(buffer), SIZE
        bind.length, bind.is_null = ctypes.pointer(length), ctypes.pointer(null)
    return binds, buffers, lengths, nulls


port, root, text, *values = sys.argv[1:]
handle = library.mysql_init(None)
on, tcp = c_int(1), c_int(TCP)
library.mysql_options(handle, VERIFY, ctypes.byref(on))
library.mysql_options(handle, CA, root.encode())
library.mysql_options(handle, PROTOCOL, ctypes.byref(tcp))
if not library.mysql_real_connect(handle, b"localhost", b"app@db-1", b"a login token", b"app", int(port), None, 0):
    sys.exit(library.mysql_error(handle).decode())
statement = library.mysql_stmt_init(handle)
parameters = bound([each.encode() for each in values])
if library.mysql_stmt_prepare(statement, text.encode(), len(text)):
    sys.exit(library.mysql_stmt_error(statement).decode())
library.mysql_stmt_bind_param(statement, parameters[0])
if library.mysql_stmt_execute(statement):
    sys.exit(library.mysql_stmt_error(statement).decode())
results = bound([b""] * library.mysql_stmt_field_count(statement))
library.mysql_stmt_bind_result(statement, results[0])
rows = []
while not library.mysql_stmt_fetch(statement):
    rows.append(
        [
            None if null.value != b"\0" else buffer.raw[: length.value].decode()
            for buffer, length, null in zip(*results[1:], strict=True)
        ]
    )
sys.stdout.write(json.dumps(rows))
library.mysql_close(handle)
