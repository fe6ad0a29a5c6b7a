"""Telling others: the key, the receivers' tokens and cursors on disk, and posting to those who do not fetch."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from onepam.app.ports import Reader
from onepam.domain.providers.signals import Outgoing
from onepam.egress.fetch import Fetch
from onepam.files.private_file import create_private, read_private
from onepam.identity.signals.listener import Listener
from onepam.identity.signals.security_event import MEDIA_TYPE
from onepam.identity.signals.sending import Outbox, SendingKey, Told, token_of
from onepam.identity.tokens import new_token, token_digest
from onepam.jobs.job import Job
from onepam.kernel.errors import Corrupt, Fault, Refused
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret
from onepam.store.read.outgoing import outgoing
from onepam.vault.envelope import Envelope

log = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
MAX_BYTES = 8 * 1024
TOKEN_PREFIX = "oss"  # noqa: S105 - the beginning of our tokens' names
_ABOUT = b"signal-sending-key"


class Sender:
    """The receivers of the configuration, each with its own place in the ledger; a new one begins at the head."""

    def __init__(
        self, folder: Path, listeners: tuple[Listener, ...], issuer: str, envelope: Envelope, random: RandomBytes,
        reader: Reader, fetch: Fetch, size: Callable[[], int],
    ) -> None:  # fmt: skip
        self._reader = reader
        self._fetch = fetch
        self.issuer = issuer
        folder.mkdir(mode=0o700, exist_ok=True)
        self.key = _key(folder / "key", envelope, random)
        self._secrets = {each.name: _token(folder / f"{each.name}.token", random) for each in listeners}
        self.told = {
            each.name: Told(
                each,
                Outbox(folder / f"{each.name}.cursor", self._load, size()),
                token_digest(self._secrets[each.name]),
            )
            for each in listeners
        }
        self._pauses: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def job(self) -> Job:
        """Posts to those who do not fetch."""
        return Job("signals sent", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Every receiver that is due; who fails is tried again, ever less often."""
        await self.round(asyncio.get_running_loop().time())

    async def round(self, now: float) -> None:
        """Every receiver that is due at this time of the loop's clock, once."""
        due = [each for name, each in self.told.items() if each.to.endpoint and self._next.get(name, 0) <= now]
        for each, failed in zip(due, await asyncio.gather(*map(self._post_all, due)), strict=True):
            name = each.to.name
            if failed:
                self._pauses[name] = min(LONGEST_PAUSE_SECONDS, 2 * self._pauses.get(name, 0.5))
                self._next[name] = now + self._pauses[name]
                log.error("receiver %s: %s; again in %g seconds", name, failed, self._pauses[name])
            else:
                self._pauses.pop(name, None)

    async def _post_all(self, told: Told) -> str:
        """In order; why it stopped, or ""."""
        for jti, token in tuple(told.verifications.items()):
            if failed := await self._post(told, token):
                return failed
            told.verifications.pop(jti, None)
        try:
            while waiting := await told.outbox.waiting():
                for each in waiting:
                    if failed := await self._post(told, token_of(self.key, self.issuer, told.to.audience, each)):
                        return failed
                    told.outbox.took(each.index)
        except Fault as fault:
            return str(fault)
        return ""

    async def _post(self, told: Told, token: str) -> str:
        secret = self._secrets[told.to.name].reveal().decode("ascii")
        answer = await self._fetch.post(
            told.to.endpoint,
            content=token.encode("ascii"),
            content_type=MEDIA_TYPE,
            headers={"Authorization": f"Bearer {secret}", "Accept": "application/json"},
        )
        if isinstance(answer, Refused):
            return answer.message
        return "" if answer.status in (200, 202) else f"it answers with status {answer.status}"

    async def _load(self, after: int) -> tuple[list[Outgoing], int]:
        return await self._reader(outgoing, None, after)


def _key(path: Path, envelope: Envelope, random: RandomBytes) -> SendingKey:
    if not path.exists():
        create_private(path, envelope.seal(SendingKey.new(), _ABOUT), random)
    return SendingKey(envelope.open(read_private(path, MAX_BYTES), _ABOUT))


def _token(path: Path, random: RandomBytes) -> Secret:
    """The token between a receiver and us: what the operator laid there, else a new one."""
    if not path.exists():
        create_private(path, new_token(TOKEN_PREFIX, random).reveal() + b"\n", random)
    token = read_private(path, MAX_BYTES).strip()
    if not token or not token.isascii() or any(byte <= 32 for byte in token):
        raise Corrupt(f"{path} holds no token")
    return Secret(token)
