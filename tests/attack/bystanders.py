"""Those who only want to work while somebody attacks the doors: a live session, a browser, an SSH client."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes

import httpx2

from onepam.domain.sign_in import FactorEnrolled, FactorKind
from onepam.identity.passwords import hash_password
from onepam.kernel.ids import new_id
from tests.gateway_fixture import Gateway, Person
from tests.gateway_process import Process, elsewhere, started

PASSWORD = "violet harbour ladder seven"
BROWSER, SSH = "127.0.7.1", "127.0.8.1"
"""Where the bystanders come from: networks of loopback that are not the attacker's."""

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
    session: asyncio.subprocess.Process
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

    async def keystroke(self) -> float:
        """One line to the target and back through the live session."""
        assert self.session.stdin is not None
        assert self.session.stdout is not None
        began = time.perf_counter()
        self.session.stdin.write(b"k\n")
        async with asyncio.timeout(PATIENCE):
            line = await self.session.stdout.readline()
        assert line == b"k\n", "the live session has ended"
        return time.perf_counter() - began

    async def sign_in(self) -> float:
        """Another person's first step with the right password, from the page to the second step."""
        began = time.perf_counter()
        origin = f"http://127.0.0.1:{self.console_port}"
        transport = httpx2.AsyncHTTPTransport(local_address=BROWSER)
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
        before, noticed = self.memory(), Noticed()
        attacker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.attack.ways", way, str(self.gateway.platform.ssh_port),
            str(self.console_port), str(seconds), stdout=subprocess.PIPE,
        )  # fmt: skip
        assert attacker.stdout is not None
        try:
            assert await attacker.stdout.readline() == b"on\n"
            await asyncio.sleep(0.3)
            until = time.monotonic() + seconds - 0.3
            await asyncio.gather(
                *(
                    _repeat(until, act, seen, pause)
                    for act, seen, pause in (
                        (self.keystroke, noticed.keystrokes, 0.02),
                        (self.sign_in, noticed.sign_ins, 0.3),
                        (self.ssh, noticed.ssh, 0.3),
                    )
                )
            )
            noticed.grown = self.memory() - before
            noticed.got = json.loads(await attacker.stdout.read())["seen"]
        finally:
            if attacker.returncode is None:
                attacker.terminate()
            await attacker.wait()
        return noticed


async def _repeat(until: float, act: object, seen: list[float], pause: float) -> None:
    """At least once, whatever it takes."""
    assert callable(act)
    while not seen or time.monotonic() < until:
        seen.append(await act())
        await asyncio.sleep(pause)


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
            session = await gateway.working(person)
            found = Town(gateway, process, person, session, f"{person.id}@example.com")
            yield found
            assert session.stdin is not None
            session.stdin.close()
            await session.wait()
        finally:
            process.stop()
