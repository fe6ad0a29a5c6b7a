"""The receivers of notices that the configuration names, with what each is told by."""

import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from onepam.boot.config import BadConfig, Config
from onepam.boot.credentials import lent
from onepam.domain.people.adding import normalised_email
from onepam.domain.telling.outbox import MAIL, SECURITY, Channel, chat_for
from onepam.egress.egress import Egress
from onepam.egress.fetch import Fetch
from onepam.egress.outbox.chat import Chat, ChatChannel
from onepam.egress.outbox.mail import Mail, MailServer
from onepam.egress.outbox.send import Send, configured
from onepam.egress.outbox.syslog import Syslog, SyslogServer
from onepam.egress.outbox.webhook import Webhook, WebhookChannel
from onepam.egress.trust import trust_of
from onepam.files.private_file import CREDENTIAL, read_private
from onepam.jobs.outbox import Receivers
from onepam.kernel.errors import Refused, Unavailable
from onepam.kernel.secret import Secret

MAX_SECRET_BYTES = 4096


def receivers_of(config: Config, own_ports: frozenset[int]) -> Receivers:
    """Those of the configuration; `own_ports` are never called. Raises `BadConfig`."""
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
        for text in config.chats:
            chat = Chat.parse(text)
            fetch = Fetch(egress, ca)
            fetches.append(fetch)
            sender = ChatChannel(chat, _secret(chat.address_file), fetch).send
            for receiver in (chat_for(chat.name, each) for each in chat.subjects):
                _once(channels, receiver, chat.channel)
                senders[receiver] = sender
        for text in config.syslog:
            server = SyslogServer.parse(text)
            _once(channels, server.name, Channel.SYSLOG)
            senders[server.name] = Syslog(server, trust, egress).send
    except (ValueError, OSError) as error:
        raise BadConfig(f"mail_server, webhooks, chats, syslog: {error}") from None
    return Receivers(channels, senders, tuple(fetches), tuple(map(_address, config.mail_security)))


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
    plain = name.partition(":")[0]
    taken = {each.partition(":")[0] for each, other in channels.items() if other is not channel}
    if name in channels or plain in taken or plain in (MAIL, SECURITY):
        raise ValueError(f"the name {name} stands there twice, or is taken")
    channels[name] = channel
