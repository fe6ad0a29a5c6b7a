"""Those who only want to work while somebody attacks the doors: a live session, a browser, an SSH client."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes

import httpx2

from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.identity.passwords import hash_password
from onepam.kernel.ids import new_id
from tests.gateway_fixture import Gateway, Person
from tests.gateway_process import Process, elsewhere, started

PASSWORD = "violet harbour ladder seven"
BROWSER, SSH = "127.0.7.1", "127.0.8.1"
"""Where the bystanders come from: networks of loopback that are not the attacker's."""

ELSEWHERE = ("nice", "-n", "19")
"""A real attacker has a machine of its own; this one takes no core from the clients and the target."""

PATIENCE = 60.0


@dataclass
class Noticed:
    """What bystanders noticed, in seconds; `got` is what the attacker did, `grown` the gateway's memory in bytes."""

    keystrokes: list[float] = field(default_factory=list)
    sign_ins: list[float] = field(default_factory=list)
    ssh: list[float] = field(default_factory=list)
    got: dict[str, int] = field(default_factory=dict)
    grown: int = 0


@dataclass
class Town:
    """A gateway process, and the people who use it."""

    gateway: Gateway
    process: Process
    person: Person
    typist: asyncio.subprocess.Process
    email: str

    @property
    def console_port(self) -> int:
        return int(self.process.console.rpartition(":")[2])

    def memory(self) -> int:
        """Resident bytes of the gateway."""
        text = Path(f"/proc/{self.process.popen.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", text)
        assert found is not None
        return int(found[1]) * 1024

    async def keystrokes(self, seconds: float) -> list[float]:
        """Lines to the target and back through the live session for so long, each a hundredth of a second after the
        one before."""
        assert self.typist.stdin is not None
        assert self.typist.stdout is not None
        self.typist.stdin.write(b"%f 0.01\n" % seconds)
        async with asyncio.timeout(seconds + PATIENCE):
            line = await self.typist.stdout.readline()
        assert line, "the live session has ended"
        took: list[float] = json.loads(line)
        return took

    async def sign_in(self) -> float:
        """Another person's first step with the right password, from the page to the second step."""
        began = time.perf_counter()
        origin = f"http://127.0.0.1:{self.console_port}"
        transport = httpx2.AsyncHTTPTransport(local_address=BROWSER, verify=False)  # no TLS: nothing to load
        async with httpx2.AsyncClient(base_url=origin, transport=transport, timeout=PATIENCE) as browser:
            page = await browser.get("/sign-in")
            assert page.status_code == 200, page.text
            csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
            assert csrf is not None
            form = {"csrf": csrf[1], "login": self.email, "password": PASSWORD, "next": "/"}
            answer = await browser.post("/sign-in", data=form, headers={"origin": origin})
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/second"), answer.text
        return time.perf_counter() - began

    async def ssh(self) -> float:
        """Another session by the stock client, from its start to its end."""
        began = time.perf_counter()
        command = self.gateway.ssh(self.person, "true")
        done = await self.gateway.run(command[0], "-b", SSH, *command[1:])
        assert done.status == 0, done.stderr
        return time.perf_counter() - began

    async def during(self, way: str, seconds: float) -> Noticed:
        """What the bystanders notice while one client attacks in this way."""
        before = self.memory()
        attacker = await asyncio.create_subprocess_exec(
            *ELSEWHERE, sys.executable, "-m", "tests.attack.ways", way, str(self.gateway.platform.ssh_port),
            str(self.console_port), str(seconds), stdout=subprocess.PIPE,
        )  # fmt: skip
        assert attacker.stdout is not None
        try:
            assert await attacker.stdout.readline() == b"on\n"
            await asyncio.sleep(0.3)
            noticed = await self.at_peace(seconds - 0.3)
            noticed.grown = self.memory() - before
            noticed.got = json.loads(await attacker.stdout.read())["seen"]
        finally:
            if attacker.returncode is None:
                attacker.terminate()
            await attacker.wait()
        return noticed

    async def at_peace(self, seconds: float) -> Noticed:
        """What the bystanders notice of each other."""
        noticed, until = Noticed(), time.monotonic() + seconds

        async def type_lines() -> None:
            noticed.keystrokes = await self.keystrokes(seconds)

        await asyncio.gather(
            type_lines(), _repeat(until, self.sign_in, noticed.sign_ins), _repeat(until, self.ssh, noticed.ssh)
        )
        return noticed


async def _repeat(until: float, act: Callable[[], Awaitable[float]], seen: list[float]) -> None:
    """At least once, whatever it takes."""
    while not seen or time.monotonic() < until:
        seen.append(await act())
        await asyncio.sleep(0.3)


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """A gateway as a process of its own, a live session through it, and somebody with a password."""
    with elsewhere(folder) as (gateway, egress):
        process = started(folder, egress=egress)
        try:
            gateway.platform.ssh_port = process.ssh_port
            await gateway.record(gateway.resource("web-1"))
            person = await gateway.person()
            secret = hash_password(PASSWORD)
            factor = new_id("fac", token_bytes)
            await gateway.record(
                FactorEnrolled(
                    factor, person.id, FactorKind.PASSWORD, "v1", None, person.id, secret=secret, reference=""
                )
            )
            client = gateway.ssh(person, "echo ready; cat")
            typist = await gateway.start(sys.executable, "-m", "tests.attack.typist", *client)
            assert typist.stdin is not None
            assert typist.stdout is not None
            assert await typist.stdout.readline() == b"ready\n"
            yield Town(gateway, process, person, typist, f"{person.id}@example.com")
            typist.stdin.close()
            await typist.wait()
        finally:
            process.stop()
