"""The prober of this process: within seconds after somebody's end its own listeners are asked whether they still open.

It takes up where it was after a restart: what was asked and answered is in the ledger.
"""

import asyncio
import http.client
import json
import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import asyncssh

from onepam.app.leaving.probe_access import record_probe
from onepam.app.ports import Ledger, Reader
from onepam.domain.leaving.probing import Probe, ProbePath
from onepam.gateway.probes import HEADER, Probes
from onepam.jobs.job import Job
from onepam.kernel.clock import DAY, SECOND, Clock, Instant
from onepam.kernel.ids import RandomBytes, new_id
from onepam.protocols.mysql.probe import ask as asked_of_mysql
from onepam.protocols.postgres.probe import ask as asked_of_postgres
from onepam.protocols.ssh.probe import asking
from onepam.store.read.probes import daily, due, probes, revoked

log = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
PAUSE_SECONDS = 0.02
"""Between two probes: nobody waits at the door for them."""

HOUR_SECONDS = 3600.0
TRIES = 3
HTTP_SECONDS = 5.0
REVOKED_AT_ONCE = 2
"""Revoked accesses that are probed in one period: a change of a role may revoke thousands at once, and they queue."""

WRITTEN = 60 * SECOND
"""An entry of this age can be read."""

SETTLED = 1 * SECOND
"""How long after an end its probes begin: cutting sessions comes first."""

_PATHS = {ProbePath.CONSOLE: "/", ProbePath.API: "/api/v1/me"}
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Listeners:
    """Where this process listens. `host_key` is what the SSH listener shows, `key` the prober's own, made at the start
    and kept nowhere; `certificate` the file of the console's own TLS, None without. `postgres_port` and
    `mysql_port` are 0 where nobody listens for those, `database_trusted` is the certificate that is shown
    there, or its root (PEM)."""

    ssh_host: str
    ssh_port: int
    host_key: asyncssh.SSHKey
    key: asyncssh.SSHKey
    console_host: str
    console_port: int
    certificate: str | None
    postgres_host: str
    postgres_port: int
    mysql_host: str
    mysql_port: int
    database_trusted: Callable[[], bytes]


class Prober:
    """Follows who has left and who is ordered to be probed."""

    def __init__(
        self, ledger: Ledger, reader: Reader, tickets: Probes, listeners: Listeners, clock: Clock, random: RandomBytes
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._tickets = tickets
        self._listeners = listeners
        self._clock = clock
        self._random = random
        self._after = self._revoked_after = Instant(clock() - DAY)
        self._next_daily = 0.0

    @property
    def _databases(self) -> frozenset[ProbePath]:
        ports = {ProbePath.POSTGRES: self._listeners.postgres_port, ProbePath.MYSQL: self._listeners.mysql_port}
        return frozenset(path for path, port in ports.items() if port)

    def job(self) -> Job:
        """Every second."""
        return Job("probes", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """What has happened since the last turn. The first asks what happened within a day and was not asked."""
        node = self._tickets.node
        for each in await self._reader(due, None, self._after, SETTLED):
            await self._ask(await self._reader(probes, None, each, node, databases=self._databases))
            self._after = each.since
        self._revoked_after = await self._revoked(self._revoked_after)
        now = asyncio.get_running_loop().time()
        if now >= self._next_daily:
            await self._ask(await self._reader(daily, None, node, databases=self._databases))
            self._next_daily = now + HOUR_SECONDS

    async def _revoked(self, after: Instant) -> Instant:
        """Probes the oldest revoked accesses, and says after which time the next are sought."""
        now, node = self._clock(), self._tickets.node
        found = await self._reader(revoked, None, after, node, SETTLED, REVOKED_AT_ONCE, databases=self._databases)
        for each in found:
            await self._ask([each.probe])
        if len(found) < REVOKED_AT_ONCE:
            return max(after, Instant(now - WRITTEN))
        return found[-1].since

    async def _ask(self, questions: Sequence[Probe]) -> None:
        left = [replace(each, probe=new_id("prb", self._random)) for each in questions]
        for attempt in range(TRIES):
            if not left:
                return
            await asyncio.sleep(attempt)
            by_path = {path: [each for each in left if each.path is path] for path in ProbePath}
            left = await self._over_ssh(by_path[ProbePath.SSH])
            postgres, mysql = by_path[ProbePath.POSTGRES], by_path[ProbePath.MYSQL]
            where = self._listeners
            left += await self._over_databases(postgres, asked_of_postgres, where.postgres_host, where.postgres_port)
            left += await self._over_databases(mysql, asked_of_mysql, where.mysql_host, where.mysql_port)
            left += await self._over_http([*by_path[ProbePath.CONSOLE], *by_path[ProbePath.API]])
        for each in left:
            log.error("probe %s of %s was not answered", each.probe, each.person)
            await record_probe(self._ledger, each, None, self._tickets.node)

    async def _over_ssh(self, questions: list[Probe]) -> list[Probe]:
        """Those that were not answered."""
        if not questions:
            return []
        where, left = self._listeners, list[Probe]()
        async with asking(_reached(where.ssh_host), where.ssh_port, where.key, where.host_key) as ask:
            for each in questions:
                if ask is None or not await ask(self._tickets.ticket(each)):
                    left.append(each)
                await asyncio.sleep(PAUSE_SECONDS)
        return left

    async def _over_databases(
        self, questions: list[Probe], asked: Callable[[str, int, bytes, str], bool], host: str, port: int
    ) -> list[Probe]:
        left = list[Probe]()
        for each in questions:
            ticket = self._tickets.ticket(each)
            if not await asyncio.to_thread(asked, _reached(host), port, self._listeners.database_trusted(), ticket):
                left.append(each)
            await asyncio.sleep(PAUSE_SECONDS)
        return left

    async def _over_http(self, questions: list[Probe]) -> list[Probe]:
        left = []
        for each in questions:
            ticket = self._tickets.ticket(each)
            if not await asyncio.to_thread(answered, self._connection, _PATHS[each.path], ticket):
                left.append(each)
            await asyncio.sleep(PAUSE_SECONDS)
        return left

    def _connection(self) -> http.client.HTTPConnection:
        where = self._listeners
        host = _reached(where.console_host)
        if where.certificate is None:
            return http.client.HTTPConnection(host, where.console_port, timeout=HTTP_SECONDS)
        context = ssl.create_default_context(cafile=where.certificate)
        context.check_hostname = False  # the very certificate is what we ask for, whatever name it carries
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return http.client.HTTPSConnection(host, where.console_port, timeout=HTTP_SECONDS, context=context)


def answered(connect: Callable[[], http.client.HTTPConnection], path: str, ticket: str) -> bool:
    """Whether a listener of ours answered the ticket. Blocking."""
    connection = connect()
    try:
        connection.request("GET", path, headers={HEADER: ticket, "Connection": "close"})
        response = connection.getresponse()
        told = json.loads(response.read(1024)) if response.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        with suppress(OSError):
            connection.close()
    return isinstance(told, dict) and told.get("result") in ("would_open", "refused")


def _reached(host: str) -> str:
    """Where a listener on any address is reached from its own machine."""
    return _ANYWHERE.get(host, host)
