"""The staff roster's jobs: what follows for people, every few seconds, and the pull from its source, when it is due."""

import asyncio
import logging
import secrets
from base64 import b64decode

from onepam.app.ports import Ledger, Reader
from onepam.app.roster.follow_roster import follow_roster
from onepam.app.roster.take_roster import Upload, record_failed_pull, take_roster, zone_of
from onepam.domain.roster.cells import MAX_FILE_BYTES
from onepam.domain.roster.directory import parse_directory, read_directory
from onepam.domain.roster.events import SOURCE_SECRET
from onepam.domain.roster.file import InvalidRoster, RosterFile
from onepam.egress.fetch import Fetch
from onepam.egress.ldap.client import Directory
from onepam.jobs.job import Job
from onepam.kernel.clock import SECOND, Clock, Instant
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import new_id
from onepam.store.read.staff import Source, health
from onepam.vault.envelope import Envelope

log = logging.getLogger(__name__)

PERIOD_SECONDS = 15.0
PULL_TIMEOUT_SECONDS = 60.0


class RosterJob:
    """Pulls when the interval has passed since the last pull of this process, at the latest an interval after it began.

    Several processes that pull at once do no harm: an unchanged version changes nothing.
    """

    def __init__(
        self,
        ledger: Ledger,
        reader: Reader,
        fetch: Fetch,
        envelope: Envelope,
        clock: Clock,
        directory: Directory,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._fetch = fetch
        self._envelope = envelope
        self._clock = clock
        self._directory = directory
        self._pulled: tuple[Source, Instant] | None = None

    def job(self) -> Job:
        """Every few seconds; at its end the connections are closed."""
        return Job("roster", self.turn, PERIOD_SECONDS, finish=self._fetch.aclose)

    async def turn(self) -> None:
        """Pulls if it is due; then accounts become what the roster says."""
        source = (await self._reader(health)).source
        if source is not None and self._due(source):
            self._pulled = (source, self._clock())
            await self.pull(source)
        await follow_roster(self._ledger, fresh)

    async def pull(self, source: Source) -> None:
        """One pull. What went wrong is kept where the roster's health shows it."""
        answer = await (self._fetched(source) if source.directory is None else self._searched(source))
        received = self._clock()
        if isinstance(answer, Refused):
            log.warning("the staff roster could not be pulled from %s: %s", source.host, answer.message)
            await record_failed_pull(self._ledger, source.host, answer, received, fresh)
            return
        await take_roster(self._ledger, None, Upload(answer, source.host, received), None, fresh)

    def _due(self, source: Source) -> bool:
        if self._pulled is None or self._pulled[0] != source:
            return True
        return self._clock() >= self._pulled[1] + source.interval - SECOND

    async def _fetched(self, source: Source) -> bytes | Refused:
        if source.url is None:
            return Refused("roster.source", "The address of the roster was erased.", "Set it again.")
        secret = self._secret(source)
        if isinstance(secret, Refused):
            return secret
        headers = {source.header: secret} if source.header and secret else {}
        answer = await self._fetch.get(
            source.url, headers=headers, limit_bytes=MAX_FILE_BYTES, timeout_seconds=PULL_TIMEOUT_SECONDS
        )
        if isinstance(answer, Refused):
            return answer
        if answer.status != 200:
            return Refused("roster.status", f"{source.host} answered {answer.status} instead of the roster.")
        return answer.body

    async def _searched(self, source: Source) -> RosterFile | InvalidRoster | Refused:
        """What a directory holds, as rows."""
        wanted, password = parse_directory(source.directory or {}), self._secret(source)
        if isinstance(wanted, Refused):
            return wanted
        if isinstance(password, Refused):
            return password
        entries = await self._directory.entries(source.url or "", wanted, password)
        if isinstance(entries, Refused):
            return entries
        return await asyncio.to_thread(read_directory, entries, wanted, zone_of)

    def _secret(self, source: Source) -> str | Refused:
        """The secret of the source; empty where it has none."""
        if not source.secret:
            return ""
        try:
            return self._envelope.open(b64decode(source.secret), SOURCE_SECRET).reveal().decode("utf-8")
        except Fault:
            return Refused("roster.secret", "The source's secret cannot be opened.", "Set the source again.")


def fresh(prefix: str) -> str:
    """A fresh id."""
    return new_id(prefix, secrets.token_bytes)
