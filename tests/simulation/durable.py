"""What a disk would still hold after the power has failed: a shim over SQLite's own file layer (sqlite.org/vfs.html).

Every file that SQLite opens gets a *durable copy* beside it, which receives what was written only when SQLite
synchronises the file. After a SIGKILL the copies are what a machine finds that has lost every write nobody had waited
for. The shared memory of the write-ahead log is not copied: SQLite builds it anew.

The shim stands in this process's own SQLite, whichever the `sqlite3` module is linked to.
"""

import _sqlite3
import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p, cast, string_at
from dataclasses import dataclass, field
from typing import Any

SUFFIX = ".durable"
_SQLITE_OK = 0

_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
"""The name as SQLite's own pointer: the file layer keeps it until the file is closed, a copy of ours would be gone."""


class _Methods(Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", _Write),
        ("xTruncate", _Truncate),
        ("xSync", _Sync),
        *((name, c_void_p) for name in ("xFileSize", "xLock", "xUnlock", "xCheckReservedLock", "xFileControl")),
        *((name, c_void_p) for name in ("xSectorSize", "xDeviceCharacteristics")),
        *((name, c_void_p) for name in ("xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch")),
    )


class _File(Structure):
    """`sqlite3_file`: its first member is all that the library looks at."""

    _fields_ = (("pMethods", POINTER(_Methods)),)


class _Vfs(Structure):
    """`sqlite3_vfs` as far as its `xOpen`."""

    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", _Open),
    )


@dataclass
class _Copy:
    """The durable copy of a file, and what was written since the last synchronisation: None stands for a truncation."""

    descriptor: int
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def settle(self) -> None:
        """The disk has it all."""
        for offset, data in self.pending:
            if data is None:
                os.ftruncate(self.descriptor, offset)
            else:
                os.pwrite(self.descriptor, data, offset)
        self.pending.clear()


class Shim:
    """Keeps durable copies of every database file that this process opens from now on. Keep it alive."""

    def __init__(self) -> None:
        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._vfs = library.sqlite3_vfs_find(None).contents
        self._open = _Open(cast(self._vfs.xOpen, c_void_p).value or 0)
        self._copies: dict[str, _Copy] = {}
        self._of: dict[int, _Copy] = {}
        self._kept: list[Any] = []
        self._vfs.xOpen = self._keep(_Open(self._opened))

    def _keep(self, callback: Any) -> Any:
        self._kept.append(callback)
        return callback

    def _opened(self, vfs: int, name: int | None, file: int, flags: int, given: Any) -> int:
        code = self._open(vfs, name, file, flags, given)
        if code != _SQLITE_OK or name is None:
            return int(code)
        real = _File.from_address(file)
        if real.pMethods:
            path = os.fsdecode(string_at(name))
            if path not in self._copies:  # synchronising one handle of a file saves what came through the others too
                self._copies[path] = _Copy(os.open(path + SUFFIX, os.O_RDWR | os.O_CREAT, 0o600))
            self._of[file] = self._copies[path]
            real.pMethods = ctypes.pointer(self._methods(real.pMethods.contents))
        return int(code)

    def _methods(self, real: _Methods) -> _Methods:
        """The real methods, with our word put in where something is written, cut or synchronised."""
        write, truncate, sync = real.xWrite, real.xTruncate, real.xSync

        def on_write(file: int, data: int, size: int, offset: int) -> int:
            code = write(file, data, size, offset)
            if code == _SQLITE_OK:
                self._of[file].pending.append((offset, string_at(data, size)))
            return int(code)

        def on_truncate(file: int, size: int) -> int:
            code = truncate(file, size)
            if code == _SQLITE_OK:
                self._of[file].pending.append((size, None))
            return int(code)

        def on_sync(file: int, flags: int) -> int:
            code = sync(file, flags)
            if code == _SQLITE_OK:
                self._of[file].settle()
            return int(code)

        ours = _Methods.from_buffer_copy(real)
        ours.xWrite, ours.xTruncate = self._keep(_Write(on_write)), self._keep(_Truncate(on_truncate))
        ours.xSync = self._keep(_Sync(on_sync))
        self._kept.append(ours)
        return ours
