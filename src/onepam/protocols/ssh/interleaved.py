"""Small pieces of channel data of more than one type, kept in order at little more than the cost of their bytes.

A target that changes between standard output and error with every byte fills a window of 2 MiB with as many pieces;
each by itself would cost a hundred bytes and more.
"""

from array import array

import asyncssh


class Interleaved:
    """Pieces in their order; those of one type that follow each other are one."""

    def __init__(self) -> None:
        self.bytes = 0
        """Of all that was ever added."""
        self._data = bytearray()
        self._lengths = array("i")
        """Of each piece; below 0 where it has a type, which is standard error."""
        self._piece = 0
        self._at = 0

    def __bool__(self) -> bool:
        return self._piece < len(self._lengths)

    def add(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """One more."""
        self._data += data
        self.bytes += len(data)
        length = len(data) if datatype is None else -len(data)
        if self and (self._lengths[-1] < 0) is (length < 0):
            self._lengths[-1] += length
        else:
            self._lengths.append(length)

    def first(self) -> tuple[bytes, asyncssh.DataType]:
        """The oldest piece, which is no longer kept. Raises `IndexError` where there is none."""
        length = self._lengths[self._piece]
        start, self._at = self._at, self._at + abs(length)
        self._piece += 1
        return bytes(self._data[start : self._at]), None if length > 0 else asyncssh.EXTENDED_DATA_STDERR
