"""Many SSH sessions of one person in one process.

`python -m bench.ssh.many_clients PORT USER KEY CERTIFICATE COUNT` prints `ready` once all of them talk; then it waits
until the other side has ended every one, and prints when each had its last byte: JSON, in seconds of the monotonic
clock that all processes of the machine share.
"""

import asyncio
import json
import sys
import time
from functools import partial
from typing import Any

import asyncssh

AT_ONCE = 16
TRIES = 3


class _Client(asyncssh.SSHClient):
    def __init__(self, ended: list[float]) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.append(time.monotonic())


async def _open(turn: asyncio.Semaphore, ended: list[list[float]], **how: Any) -> Any:
    async with turn:
        for _ in range(TRIES):  # on a busy machine the gateway may give up dialling the target
            mine: list[float] = []
            connection, _ = await asyncssh.create_connection(partial(_Client, mine), "127.0.0.1", **how)
            process = await connection.create_process("talk")
            if (await process.stdout.readline()).strip() == "ready":
                ended.append(mine)
                return process
        raise AssertionError("no session was opened")


async def _drain(process: Any) -> None:
    while await process.stdout.read(4096):
        pass


async def main(port: int, user: str, key: str, certificate: str, count: int) -> None:
    turn, ended = asyncio.Semaphore(AT_ONCE), list[list[float]]()
    proof = (asyncssh.read_private_key(key), asyncssh.read_certificate(certificate))
    how = {
        "port": port,
        "username": user,
        "client_keys": [proof],
        "known_hosts": None,
        "agent_path": None,
        "config": None,
    }
    opened = await asyncio.gather(*(_open(turn, ended, **how) for _ in range(count)))
    print("ready", flush=True)
    await asyncio.gather(*map(_drain, opened), return_exceptions=True)
    while not all(ended):  # noqa: ASYNC110 - the last word of each connection
        await asyncio.sleep(0.01)
    print(json.dumps([each[0] for each in ended]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])))
