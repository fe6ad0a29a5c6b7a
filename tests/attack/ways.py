"""The ways in which one client may try to keep everybody else out: run as a process of its own against a gateway.

`python -m tests.attack.ways WAY SSH_PORT CONSOLE_PORT SECONDS` attacks for so long, and prints what it got as JSON: how
often each answer came (a status, `closed`, `reset`, `refused`), and how many connections it held at the end.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any

HOST = "127.0.0.1"
PATIENCE = 60.0
PIECE = b"x" * 65536
ADDRESSES = tuple(f"127.0.1.{last}" for last in range(1, 6))
"""Of the attacker. Everybody else comes from other networks of loopback."""

BROWSER = b"GET /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


class Attack:
    """One run: where to, until when, and what came of it."""

    def __init__(self, ssh_port: int, console_port: int, seconds: float) -> None:
        self.ssh_port = ssh_port
        self.console_port = console_port
        self.seconds = seconds
        self.until = time.monotonic() + PATIENCE
        self.seen: Counter[str] = Counter()
        self.held = 0
        self._numbers = count()

    def connected(self) -> None:
        """The attack is on, and its time runs, from the first connection."""
        if not self.seen["connected"]:
            self.until = time.monotonic() + self.seconds
            sys.stdout.write("on\n")
            sys.stdout.flush()
        self.seen["connected"] += 1

    @property
    def on(self) -> bool:
        return time.monotonic() < self.until

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        source = ADDRESSES[next(self._numbers) % len(ADDRESSES)]
        return await asyncio.open_connection(HOST, port, local_addr=(source, 0), limit=1 << 16)

    async def again(self, port: int, talk: Callable[["Attack", Any, Any], Awaitable[None]]) -> None:
        """Connects and talks until the time is over, whatever becomes of each connection."""
        while self.on:
            writer = None
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + self.until - time.monotonic()):
                    reader, writer = await self.connect(port)
                    self.held += 1
                    self.connected()
                    try:
                        await talk(self, reader, writer)
                    finally:
                        self.held -= self.on
            except (ConnectionError, OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.seen[type(error).__name__] += self.on
                await asyncio.sleep(0.02)
            finally:
                if writer is not None:
                    writer.transport.abort()

    async def told(self, reader: asyncio.StreamReader) -> None:
        """What the other side says first."""
        line = await reader.readline()
        words = line.split(b" ", 2)
        self.seen[words[1].decode("ascii", "replace") if line.startswith(b"HTTP/") else "closed"] += 1


async def _silence(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await attack.told(reader)


async def _slow_head(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ")
    answer = asyncio.ensure_future(attack.told(reader))
    try:
        while not answer.done():
            writer.write(b"x")
            await writer.drain()
            await asyncio.wait([answer], timeout=0.5)
        await answer
    finally:
        answer.cancel()


async def _huge(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
    writer.write(head)
    answer = asyncio.ensure_future(attack.told(reader))
    try:
        for _ in range(200 * 1024 * 1024 // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
            if answer.done():
                break
        await answer
    finally:
        answer.cancel()


async def _huge_head(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _huge(attack, reader, writer, b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-huge: ")


async def _huge_body(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 209715200\r\n\r\n"
    await _huge(attack, reader, writer, head)


async def _slow_body(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 60000\r\n\r\n")
    answer = asyncio.ensure_future(attack.told(reader))
    try:
        while not answer.done():
            writer.write(b"x")
            await writer.drain()
            await asyncio.wait([answer], timeout=0.5)
        await answer
    finally:
        answer.cancel()


async def _many(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


async def _slow_reader(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = b"GET /static/built/app.css HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(request * 4)
    while attack.on and not writer.transport.is_closing():
        await asyncio.sleep(0.2)
        writer.write(b"\r\n")
        await writer.drain()


async def _pipelined(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(BROWSER * 2000)
    while piece := await reader.read(65536):
        attack.seen["200"] += piece.count(b"HTTP/1.1 200")
    attack.seen["closed"] += 1


async def _pages(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while attack.on:
        writer.write(BROWSER)
        head = await reader.readuntil(b"\r\n\r\n")
        attack.seen[head.split(b" ", 2)[1].decode()] += 1
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        await reader.readexactly(length)
        if b"connection: close" in head.lower():
            return


async def _sign_ins(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wrong passwords of somebody who exists: each costs a slow hash."""
    csrf = b"a" * 43
    body = (
        b"csrf="
        + sha256(csrf + b".").hexdigest().encode()
        + b"&login=eve%40example.com&password=wrong+but+long+enough&next=%2F"
    )
    writer.write(
        b"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: onepam_csrf=" + csrf + b"; __Host-onepam_csrf=" + csrf
        + b"\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )  # fmt: skip
    await attack.told(reader)


async def _half_ssh(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A version, and then nothing more."""
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    line = await reader.readline()
    attack.seen["version" if line.startswith(b"SSH-") else "turned away"] += 1
    await reader.read()


async def _exchanges(attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A key exchange up to what costs the other side something, without an end."""
    writer.write(b"SSH-2.0-flood\r\n" + KEXINIT + KEX_ECDH_INIT)
    await reader.readuntil(b"\n")
    while piece := await reader.read(65536):
        attack.seen["replies"] += b"ssh-ed25519" in piece
        if len(piece) > 300 and attack.seen["pieces"]:
            attack.seen["pieces"] += 1
            return
        attack.seen["pieces"] += 1


def _packet(payload: bytes) -> bytes:
    padding = -(len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return (len(payload) + padding + 1).to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)


def _names(*names: str) -> bytes:
    text = ",".join(names).encode("ascii")
    return len(text).to_bytes(4, "big") + text


KEXINIT = _packet(
    b"\x14" + bytes(16) + _names("curve25519-sha256") + _names("ssh-ed25519")
    + _names("aes128-gcm@openssh.com") * 2 + _names("hmac-sha2-256") * 2 + _names("none") * 2 + _names() * 2 + bytes(5)
)  # fmt: skip
KEX_ECDH_INIT = _packet(b"\x1e" + (32).to_bytes(4, "big") + Random(7).randbytes(32))


async def _ssh_keys(attack: Attack) -> None:
    """Key after key that nobody knows, each with its own connection of twenty."""
    import asyncssh

    keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(20)]
    while attack.on:
        source = ADDRESSES[next(attack._numbers) % len(ADDRESSES)]
        attack.connected()
        with suppress(OSError, asyncssh.Error, TimeoutError):
            async with asyncio.timeout(max(0.1, attack.until - time.monotonic())):
                try:
                    await asyncssh.connect(
                        HOST, attack.ssh_port, local_addr=(source, 0), username="root@web-1", client_keys=keys,
                        known_hosts=None, agent_path=None, config=None,
                    )  # fmt: skip
                except asyncssh.PermissionDenied:
                    attack.seen["denied"] += 1
                except asyncssh.Error as error:
                    attack.seen[type(error).__name__] += 1


def _at(port: str, at_once: int, talk: Callable[..., Awaitable[None]]) -> Callable[[Attack], Awaitable[None]]:
    async def attack(run: Attack) -> None:
        await asyncio.gather(*(run.again(getattr(run, port), talk) for _ in range(at_once)))

    return attack


async def _many_keys(run: Attack) -> None:
    await asyncio.gather(*(_ssh_keys(run) for _ in range(10)))


WAYS: dict[str, Callable[[Attack], Awaitable[None]]] = {
    "silent connections": _at("console_port", 1200, _silence),
    "slow heads": _at("console_port", 300, _slow_head),
    "huge heads": _at("console_port", 8, _huge_head),
    "huge bodies": _at("console_port", 8, _huge_body),
    "slow bodies": _at("console_port", 300, _slow_body),
    "slow readers": _at("console_port", 100, _slow_reader),
    "pipelined requests": _at("console_port", 20, _pipelined),
    "pages without end": _at("console_port", 50, _pages),
    "connections without end": _at("console_port", 50, _many),
    "wrong passwords": _at("console_port", 60, _sign_ins),
    "half-open SSH": _at("ssh_port", 64 * 5, _half_ssh),
    "silent SSH": _at("ssh_port", 1200, _silence),
    "key exchanges": _at("ssh_port", 50, _exchanges),
    "unknown keys": _many_keys,
}


async def _run(way: str, ssh_port: int, console_port: int, seconds: float) -> None:
    attack = Attack(ssh_port, console_port, seconds)
    await WAYS[way](attack)
    attack.seen.pop("pieces", None)
    sys.stdout.write(json.dumps({"seen": dict(attack.seen), "held": attack.held}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    os.nice(5)  # what is measured is the gateway, and the attacker has a machine of its own in life
    asyncio.run(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
