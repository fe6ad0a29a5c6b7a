"""A leaver with 1,000 live sessions: from the directory's PATCH to the last byte of the last one, through one process.

900 SSH sessions, recorded in strict mode, in client processes of their own, 100 sign-ins of console and command line,
and login tokens for a database, which only the probes use. The clock starts when the SCIM request that deactivates the
user is sent, and stops when the last client has seen its connection end; all on one machine, whose processes share one
monotonic clock.
"""

import asyncio
import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from statistics import median, quantiles
from typing import Any

from bench import Figure, Progress
from bench.room import room
from onepam.boot.clock import wall_clock
from onepam.domain.access.model import ResourceKind
from onepam.domain.leaving.probing import ProbeMade, ProbeResult
from onepam.domain.provisioning.events import AccountTakenOver, ScimTokenApproved, ScimTokenProposed, ScimUserSet
from onepam.domain.provisioning.tokens import END_ATTRIBUTE
from onepam.domain.sessions.events import SessionClosed
from onepam.domain.sessions.login_tokens import LoginTokenIssued
from onepam.domain.signing_in.events import FactorKind, SignedIn, SignInKind
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant
from onepam.kernel.ids import new_id
from onepam.scim.app import TOKEN_PREFIX
from onepam.store.read.probes import MOST_PROOFS
from tests.gateway_fixture import Gateway, Person, certificate_of
from tests.gateway_process import Process, elsewhere, started
from tests.targets import free_port

NAME = "A leaver with 1,000 live sessions"

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
DEACTIVATED = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "value": {"active": False}}],
}
"""As Okta sends it."""

SSH_SESSIONS = 900
SIGN_INS = 100
CLIENT_PROCESSES = 3
ROUNDS = 5
GOAL_SECONDS = 2.0
READY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Round:
    """Bytes of memory that the gateway took for the sessions; then seconds since the PATCH: when it was answered, when
    each SSH session had its last byte, when the ledger had the end of every session, and when the listeners had refused
    every probe; and how many sign-ins were still accepted after the answer."""

    memory: int
    answered: float
    accepted: int
    ends: list[float]
    closed: float
    probed: float


def run(progress: Progress) -> list[Figure]:
    """Several leavers, one after another."""
    return asyncio.run(_run(progress))


async def _run(progress: Progress) -> list[Figure]:
    with room() as folder, elsewhere(folder) as (gateway, _):
        async with _target(folder) as (port, host_key):
            process = started(folder, egress=[f"127.0.0.1/32:{port}"], postgres_port=free_port())
            try:
                gateway.platform.ssh_port = process.ssh_port
                database = gateway.resource(
                    "orders", kind=ResourceKind.POSTGRES, port=5432, pins=("sha256:" + "0" * 64,)
                )
                await gateway.record(replace(gateway.resource("web-1"), pins=(host_key,), port=port), database)
                rounds = []
                for number in range(ROUNDS):
                    progress(f"leaver {number + 1} of {ROUNDS}: opening {SSH_SESSIONS} sessions")
                    rounds.append(await _leave(gateway, process))
            finally:
                process.kill()
    return _figures(rounds)


def _figures(rounds: list[Round]) -> list[Figure]:
    last = [max(each.ends) for each in rounds]
    every = [end for each in rounds for end in each.ends]
    goal = f"≤ {GOAL_SECONDS * 1000:,.0f}"
    accepted, closed = sum(each.accepted for each in rounds), max(each.closed for each in rounds)
    p99 = quantiles(every, n=100, method="inclusive")[98]
    memory = rounds[0].memory / SSH_SESSIONS / 1e6
    return [
        Figure(f"memory for each of {SSH_SESSIONS} SSH sessions that talk", memory, "MB"),
        Figure(f"SCIM PATCH to last byte, each of {SSH_SESSIONS} SSH sessions, p50", median(every) * 1000, "ms"),
        Figure("the same, p99", p99 * 1000, "ms", goal, p99 <= GOAL_SECONDS),
        Figure(
            f"the same to the last session's, worst of {len(rounds)} leavers", max(last) * 1000, "ms", goal,
            max(last) <= GOAL_SECONDS,
        ),
        Figure("SCIM PATCH to its answer: every right is gone", max(each.answered for each in rounds) * 1000, "ms"),
        Figure(f"of {SIGN_INS} cookies and tokens each, still accepted then", accepted, "", "0", not accepted),
        Figure("SCIM PATCH to the last entry, its recording verified, worst", closed, "s"),
        Figure("SCIM PATCH to the last refused probe, worst", max(each.probed for each in rounds), "s"),
    ]  # fmt: skip


async def _leave(gateway: Gateway, process: Process) -> Round:
    leaver = await gateway.person()
    tokens = await _sign_ins(gateway, leaver)
    await _login_tokens(gateway, leaver)
    token = await _directory(gateway)
    memory = _memory(process)
    console = http.client.HTTPConnection(process.console.removeprefix("http://"), timeout=60)
    with contextlib.ExitStack() as clients:
        running = [clients.enter_context(_clients(gateway, leaver)) for _ in range(CLIENT_PROCESSES)]
        for each in running:
            assert (await asyncio.to_thread(_line, each)).strip() == "ready"
        assert all(_status(console, token) == 200 for token in tokens[:3])
        memory = _memory(process) - memory
        address = f"{leaver.id}@example.com"
        emails = [{"value": address, "type": "work", "primary": True}]
        user = {"schemas": [USER], "userName": address, "name": {"givenName": "Eve"}, "emails": emails, "active": True}
        made = _scim(console, token, "POST", "/scim/v2/Users", user)["id"]
        await _taken_over(gateway, leaver, made)
        path = f"/scim/v2/Users/{made}"
        began = time.monotonic()
        _scim(console, token, "PATCH", path, DEACTIVATED)
        answered = time.monotonic() - began
        accepted = [await asyncio.to_thread(_status, console, token) for token in tokens].count(200)
        ends = [end - began for each in running for end in json.loads(await asyncio.to_thread(_line, each))]
    assert len(ends) == SSH_SESSIONS
    await gateway.ended(leaver, SSH_SESSIONS)
    closed = time.monotonic() - began
    probes = await _probed(gateway, leaver)
    assert {each.result for each in probes} == {ProbeResult.REFUSED}
    assert {each.because for each in gateway.events(SessionClosed)} == {"person.disabled"}
    return Round(memory, answered, accepted, ends, closed, time.monotonic() - began)


def _memory(process: Process) -> int:
    """Resident bytes of the gateway."""
    pages = Path(f"/proc/{process.popen.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def _probed(gateway: Gateway, leaver: Person) -> list[ProbeMade]:
    """All answers: of the account, its certificate's sign-in, the newest twenty cookies and tokens, and ten tokens at
    the listener for databases."""
    async with asyncio.timeout(60):
        while True:
            found = gateway.events(ProbeMade, leaver)
            if len(found) >= 1 + 3 * MOST_PROOFS:
                return found
            await asyncio.sleep(0.2)


async def _directory(gateway: Gateway) -> str:
    """The token of a SCIM client."""
    token, stk = new_token(TOKEN_PREFIX, token_bytes), new_id("stk", token_bytes)
    digest, ends = token_digest(token).hex(), Instant(wall_clock() + DAY)
    await gateway.record(
        ScimTokenProposed(stk, "okta", "bench", (), END_ATTRIBUTE, ends, "per_bob", digest),
        ScimTokenApproved(stk, "okta", "per_ada"),
    )
    return token.reveal().decode()


def _scim(console: http.client.HTTPConnection, token: str, method: str, path: str, body: object) -> Any:
    """What the gateway answers to the directory."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    console.request(method, path, json.dumps(body), headers)
    answer = console.getresponse()
    told = answer.read()
    assert answer.status in (200, 201), told
    return json.loads(told)


async def _taken_over(gateway: Gateway, leaver: Person, user: str) -> None:
    """An administrator lets the directory lead the account, which was made by hand."""
    was = next(each for each in gateway.events(ScimUserSet) if each.user == user)
    await gateway.record(
        AccountTakenOver(leaver.id, was.provider, user, "per_ada"),
        replace(was, person=leaver.id, trouble="", version=was.version + 1, waits_for=None),
    )


async def _sign_ins(gateway: Gateway, person: Person, count: int = SIGN_INS) -> list[tuple[SignInKind, str]]:
    """Sessions of the command line (odd) and of the console, with their tokens."""
    now, made = wall_clock(), list[tuple[SignInKind, str]]()
    events = list[SignedIn]()
    for number in range(count):
        kind, token = SignInKind.CONSOLE if number % 2 else SignInKind.CLI, f"opc_{token_urlsafe(32)}"
        events.append(
            SignedIn(
                new_id("sgn", token_bytes), person.id, kind, (FactorKind.PASSWORD, FactorKind.TOTP), now,
                Instant(now + HOUR), None, sha256(token.encode()).hexdigest(), "127.0.0.1", "bench",
            )
        )  # fmt: skip
        made.append((kind, token))
    await gateway.record(*events)
    return made


async def _login_tokens(gateway: Gateway, person: Person) -> None:
    """As many as are probed, of this moment."""
    ends = Instant(wall_clock() + 10 * MINUTE)
    digests = [token_digest(new_token(LOGIN_TOKEN, token_bytes)).hex() for _ in range(MOST_PROOFS)]
    issued = (
        LoginTokenIssued(
            new_id("tok", token_bytes), person.id, "orders", "app", person.sign_in, ends, digest, "127.0.0.1"
        )
        for digest in digests
    )
    await gateway.record(*issued)


def _status(console: http.client.HTTPConnection, session: tuple[SignInKind, str]) -> int:
    kind, token = session
    if kind is SignInKind.CLI:
        console.request("GET", "/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    else:
        console.request("GET", "/factors", headers={"Cookie": f"onepam_session={token}"})
    answer = console.getresponse()
    answer.read()
    return answer.status


@contextlib.contextmanager
def _clients(gateway: Gateway, person: Person) -> Iterator["subprocess.Popen[str]"]:
    """A process with its share of the sessions."""
    command = [
        sys.executable, "-m", "bench.ssh.many_clients", str(gateway.platform.ssh_port), f"{gateway.target.login}@web-1",
        str(person.key), str(certificate_of(person)), str(SSH_SESSIONS // CLIENT_PROCESSES),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@contextlib.asynccontextmanager
async def _target(folder: Path) -> AsyncIterator[tuple[int, str]]:
    command = [sys.executable, "-m", "bench.ssh.idle_target", str(folder / "user_ca.pub")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port, host_key = (
                (await asyncio.to_thread(_line, process)).strip(),
                (await asyncio.to_thread(_line, process)).strip(),
            )
            yield int(port), host_key
        finally:
            process.kill()
