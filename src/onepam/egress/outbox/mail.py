"""Notices by e-mail: one plain text a notice, handed to the company's mail server under TLS (RFC 5321, 3207, 8314).

What is sent can hold no header or command of somebody else's: the text's words come from our own table and from names
that are plain text on one line, addresses are checked when people are added, and `email` writes the message.
"""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from onepam.domain.telling.outbox import Notice
from onepam.egress.egress import Egress
from onepam.egress.outbox.send import Letter, configured
from onepam.kernel.clock import Instant, moment
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

ANSWER_SECONDS = 30.0
"""How long a mail server may take for one answer (RFC 5321, section 4.5.3.2, allows minutes; a try is repeated)."""

WHOLE_SECONDS = 90.0

MOST_IN_DIGEST = 50
"""Notices that a digest says; it counts the rest."""

CHOOSING = "/my-notices"
"""The page on which people choose how they are told."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail is handed over: `smtps` speaks TLS from the first byte, `smtp` after STARTTLS, which it must offer.

    `plain` is a server on this very machine that is spoken to without TLS.
    """

    scheme: str
    host: str
    port: int
    user: str

    @classmethod
    def parse(cls, text: str) -> "MailServer":
        """`smtps://USER@HOST:PORT`, `smtp://…`, or `plain://127.0.0.1:25`. Raises `ValueError`."""
        parts = urlsplit(text)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path or parts.query or parts.password is not None:
            raise ValueError(f"{text!r} is not smtps://USER@HOST:PORT or smtp://USER@HOST:PORT, without a password")
        if parts.scheme == "plain" and not _of_this_machine(parts.hostname):
            raise ValueError("without TLS, e-mail goes to an address of this machine only, such as plain://127.0.0.1")
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], unquote(parts.username or ""))


_PORTS = {"smtps": 465, "smtp": 587, "plain": 25}


class Mail:
    """The channel. `trust` verifies the server by its name; `password` is there where a user is."""

    def __init__(
        self, server: MailServer, sender: str, password: Callable[[], Secret] | None, trust: ssl.SSLContext,
        egress: Egress,
    ) -> None:  # fmt: skip
        self._server = server
        self._sender = sender
        self._password = password
        self._trust = trust
        self._egress = configured(egress, server.port)

    async def send(self, letter: Letter, now: Instant) -> Refused | None:
        """Codes: `mail.` + `recipient` (no such address), `refused`, `sign_in`, `tls`, `down`; those of `Egress`."""
        address = await self._egress.resolve(self._server.host, self._server.port)
        if isinstance(address, Refused):
            return address
        try:
            message = message_of(letter, self._sender, now)
        except (MessageError, ValueError, IndexError):
            return Refused("mail.recipient", "The address is none that e-mail can be sent to.")
        dialled: list[socket.socket] = []
        work = asyncio.create_task(asyncio.to_thread(self._hand_over, address, letter.to, message, dialled))
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                return await asyncio.shield(work)
        except TimeoutError:
            return Refused("mail.down", f"{self._server.host} takes too long.")
        finally:
            for each in dialled:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)  # wakes the thread, which closes it

    def _hand_over(
        self, address: str, to: tuple[str, ...], message: EmailMessage, dialled: list[socket.socket]
    ) -> Refused | None:
        host = self._server.host
        try:
            smtp = _Smtp(self._server, address, self._trust, self._sender.rpartition("@")[2], dialled)
            try:
                if self._server.scheme == "smtp":
                    smtp.starttls(context=self._trust)
                if self._server.user and self._password is not None:
                    with _signing_in():
                        smtp.login(self._server.user, self._password().reveal().decode("utf-8"))
                refused = smtp.send_message(message, self._sender, to)
            finally:
                with suppress(OSError, smtplib.SMTPException):
                    smtp.quit()
                smtp.close()
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            gone = bool(codes) and codes <= _NO_SUCH_ADDRESS
            return Refused("mail.recipient" if gone else "mail.refused", f"{host} takes no e-mail for this address.")
        except smtplib.SMTPAuthenticationError:
            return Refused("mail.sign_in", f"{host} does not take the user and password of the configuration.")
        except smtplib.SMTPNotSupportedError:
            return Refused("mail.tls", f"{host} does not offer what is demanded: STARTTLS, and a way to sign in.")
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or "no TLS came about"
            return Refused("mail.tls", f"{host} is not spoken to: {why}.", "Its CA must be known to this machine.")
        except smtplib.SMTPResponseException as error:
            return Refused("mail.refused", f"{host} answered {error.smtp_code}.")
        except (OSError, smtplib.SMTPException):
            return Refused("mail.down", f"{host} is down, or broke off.")
        return Refused("mail.refused", f"{host} refused {len(refused)} addresses.") if refused else None


@contextmanager
def _signing_in() -> Iterator[None]:
    """Some servers break off rather than say no a second time. One that only says nothing is down."""
    try:
        yield
    except smtplib.SMTPServerDisconnected as error:
        if isinstance(error.__context__, TimeoutError):
            raise
        raise smtplib.SMTPAuthenticationError(535, str(error)) from None


_NO_SUCH_ADDRESS = frozenset({550, 551, 553})


class _Smtp(smtplib.SMTP):
    """Connects to the one address that was judged; the certificate must be for the server's name."""

    def __init__(
        self, server: MailServer, address: str, trust: ssl.SSLContext, name: str, dialled: list[socket.socket]
    ) -> None:
        self._to = server
        self._address = address
        self._trust = trust
        self._dialled = dialled
        super().__init__(server.host, server.port, local_hostname=name, timeout=ANSWER_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        dialled = socket.create_connection((self._address, port), timeout)
        self._dialled.append(dialled)
        if self._to.scheme == "smtps":
            return self._trust.wrap_socket(dialled, server_hostname=host)
        return dialled


def message_of(letter: Letter, sender: str, now: Instant) -> EmailMessage:
    """The e-mail of a notice. Raises `ValueError` or `MessageError` for an address that cannot stand in one."""
    notice = letter.notice
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("OnePAM", addr_spec=sender)
    message["To"] = ", ".join(str(Address(addr_spec=each)) for each in letter.to)
    message["Subject"] = _subject(letter)
    message["Date"] = moment(letter.digest.slot if letter.digest is not None else notice.newest.at)
    message["Message-ID"] = f"<{letter.id}@{letter.origin}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(text_of(letter), charset="utf-8", cte="quoted-printable")
    return message


def text_of(letter: Letter) -> str:
    """What a person reads, on a telephone too: the sentence, the link, when, and where it stands in the history."""
    if letter.digest is None:
        return _told(letter.notice, letter.link, letter.origin)
    shown = tuple(zip(letter.digest.notices, letter.links, strict=True))[:MOST_IN_DIGEST]
    more = len(letter.digest.notices) - len(shown)
    rest = f"\nAnd {more} more: {letter.base}\n" if more else ""
    told = "\n".join(_told(notice, link, letter.origin) for notice, link in shown)
    return f"{told}{rest}\nHow you are told: {letter.base}{CHOOSING}\n"


def _subject(letter: Letter) -> str:
    if letter.digest is not None:
        count = len(letter.digest.notices)
        return f"OnePAM: {'one notice' if count == 1 else f'{count} notices'} since the last digest"
    new = letter.notice.newest
    return f"{'OnePAM alarm' if new.alarm else 'OnePAM'}: {_short(letter.notice.sentence)}"


def _told(notice: Notice, link: str, origin: str) -> str:
    when = moment(notice.newest.at).strftime("%Y-%m-%d %H:%M UTC")
    entries = f"entry {notice.first}"
    if notice.count > 1:
        entries = f"entries {notice.first} to {notice.newest.index}, {notice.count} of them"
    kept = f"\n{notice.newest.text}\n" if notice.newest.text else ""
    return f"{notice.sentence}\n\n{link}\n{kept}\n{when}, {entries} of {origin}\n"


def _short(sentence: str) -> str:
    first = sentence.split(". ")[0].split(": ")[0].rstrip(".")
    return first if len(first) <= 100 else f"{first[:99]}…"


def _of_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
