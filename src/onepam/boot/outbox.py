"""The outbox of one installation: the receivers of the configuration, and the task that tells them."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from onepam.app.ports import Ledger, Reader, Snapshot
from onepam.boot.config import BadConfig, Config
from onepam.boot.credentials import lent
from onepam.boot.node import hold
from onepam.domain.people.adding import normalised_email
from onepam.domain.telling.outbox import MAIL, SECURITY, Channel, Notice, ReceiversQuery, person_of, set_receivers
from onepam.egress.egress import Egress
from onepam.egress.fetch import Fetch
from onepam.egress.outbox.deliver import Deliverer
from onepam.egress.outbox.mail import Mail, MailServer, trust_of
from onepam.egress.outbox.send import Letter, Send, configured
from onepam.egress.outbox.syslog import Syslog, SyslogServer
from onepam.egress.outbox.webhook import Webhook, WebhookChannel
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Refused, Unavailable
from onepam.kernel.secret import Secret
from onepam.store.read.outbox import mail_address, settled, to_tell
from onepam.vault.files import CREDENTIAL, read_private

PERIOD_SECONDS = 1.0
MAX_SECRET_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Receivers:
    """Who is told besides people, and how; `senders` are by receiver."""

    channels: dict[str, Channel]
    senders: dict[str, Send]
    fetches: tuple[Fetch, ...]
    security: tuple[str, ...]

    @classmethod
    def of(cls, config: Config, own_ports: frozenset[int]) -> "Receivers":
        """Raises `BadConfig`."""
        egress = Egress(config.admitted, own_ports)
        ca = Path(config.notice_ca) if config.notice_ca else None
        channels: dict[str, Channel] = {}
        senders: dict[str, Send] = {}
        fetches: list[Fetch] = []
        try:
            trust = trust_of(ca)
            if config.mail_server:
                senders[MAIL] = _mail(config, trust, egress).send
                channels[MAIL] = Channel.MAIL
                if config.mail_security:
                    channels[SECURITY] = Channel.MAIL
            for text in config.webhooks:
                hook = Webhook.parse(text)
                encrypted = urlsplit(hook.url).scheme == "https"
                fetch = Fetch(configured(egress, hook.port) if encrypted else egress, ca)
                fetches.append(fetch)
                _once(channels, hook.name, Channel.WEBHOOK)
                senders[hook.name] = WebhookChannel(hook, _secret(hook.secret_file), fetch).send
            for text in config.syslog:
                server = SyslogServer.parse(text)
                _once(channels, server.name, Channel.SYSLOG)
                senders[server.name] = Syslog(server, trust, egress).send
        except (ValueError, OSError) as error:
            raise BadConfig(f"mail_server, webhooks, syslog: {error}") from None
        return cls(channels, senders, tuple(fetches), tuple(map(_address, config.mail_security)))


class Outbox:
    """Follows the ledger and tells. Of several processes the first one works, as long as it lives."""

    def __init__(self, config: Config, receivers: Receivers, ledger: Ledger, reader: Reader, clock: Clock) -> None:
        self._config = config
        self._receivers = receivers
        self._ledger = ledger
        self._reader = reader
        self._clock = clock
        self._deliverer: Deliverer | None = None

    @property
    def waiting(self) -> int | None:
        """How many notices wait for their receiver; None where another process delivers them."""
        return None if self._deliverer is None else sum(len(each.waiting) for each in self._deliverer.queues.values())

    async def run(self) -> None:
        """For ever, once no other process does."""
        while (lock := hold(self._config.data / "outbox.lock", create=True)) is None:  # noqa: ASYNC110 - a file's
            await asyncio.sleep(PERIOD_SECONDS)
        with lock:
            await self.begin()
            self._deliverer = deliverer = await self.deliverer()
            after = 0
            try:
                while True:
                    after = await self.follow(deliverer, after)
                    await deliverer.round(await self._reader(_now), self._clock(), PERIOD_SECONDS)
                    await asyncio.sleep(PERIOD_SECONDS)
            finally:
                self._deliverer = None
                await deliverer.stop()

    async def begin(self) -> None:
        """The receivers of the configuration are those of the ledger."""
        wanted = self._receivers.channels
        await self._ledger.commit(ReceiversQuery(), lambda facts, now: set_receivers(facts, wanted))

    async def deliverer(self) -> Deliverer:
        """One that knows what was settled."""
        return Deliverer(
            self._ledger, self._receivers.senders, self._addresses, self._letter, await self._reader(settled)
        )

    async def follow(self, deliverer: Deliverer, after: int) -> int:
        """Hands over what the entries from `after` on tell, and gives the first that was not looked at."""
        found, after = await self._reader(to_tell, None, after)
        for each in found:
            deliverer.add(each.receiver, each.channel, each.occurrence)
        return after

    async def _addresses(self, receiver: str) -> tuple[str, ...]:
        if receiver == SECURITY:
            return self._receivers.security
        address = await self._reader(mail_address, None, person_of(receiver))
        return (address,) if address else ()

    def _letter(self, notice: Notice) -> Letter:
        url = self._config.url.rstrip("/")
        return Letter(notice, (), url + notice.newest.where, self._config.origin, urlsplit(url).hostname or "localhost")


def _mail(config: Config, trust: ssl.SSLContext, egress: Egress) -> Mail:
    server = MailServer.parse(config.mail_server)
    if bool(server.user) is not bool(config.mail_password_file):
        raise ValueError("a user in mail_server and mail_password_file belong together")
    password = _secret(config.mail_password_file) if server.user else None
    return Mail(server, _address(config.mail_from), password, trust, egress)


def _address(text: str) -> str:
    found = normalised_email(text)
    if isinstance(found, Refused):
        raise BadConfig(f"mail_from, mail_security: {found.message}")
    return found


def _secret(path: str) -> Callable[[], Secret]:
    """Reads the file each time, so that a new secret needs no restart."""

    def read() -> Secret:
        try:
            return Secret(read_private(lent(path), MAX_SECRET_BYTES, forbidden=CREDENTIAL).strip())
        except OSError as error:
            raise Unavailable(f"{path} cannot be read: {error.strerror}") from None

    return read


def _once(channels: dict[str, Channel], name: str, channel: Channel) -> None:
    if name in channels or name in (MAIL, SECURITY):
        raise ValueError(f"the name {name} stands there twice, or is taken")
    channels[name] = channel


def _now(db: Snapshot, at: Instant) -> Instant:
    return at
