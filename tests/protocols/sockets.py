"""This machine's TCP connections, as the kernel has them."""

import os
from pathlib import Path


def own_port(pids: list[int], port: int) -> int:
    """The local port of the processes' one connection to a port of loopback."""
    links = [os.readlink(each) for pid in pids for each in Path(f"/proc/{pid}/fd").iterdir()]
    (found,) = [row for row in _rows() if f"socket:[{row[9]}]" in links and _port(row[2]) == port]
    return _port(found[1])


def connections(ours: int | None = None, theirs: int | None = None) -> list[str]:
    """The states of this machine's TCP connections with a local or remote port, as /proc/net/tcp names them; without
    those that listen, or have ended on both sides and have nothing left to send (TIME_WAIT)."""
    return [
        row[3]
        for row in _rows()
        if row[3] not in ("0A", "06") and ours in (None, _port(row[1])) and theirs in (None, _port(row[2]))
    ]


def _rows() -> list[list[str]]:
    return [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]


def _port(address: str) -> int:
    return int(address.split(":")[1], 16)
