"""Notices by syslog: RFC 5424 messages over TLS with octet counting (RFC 5425).

Syslog answers nothing. So a message counts as taken once the server has closed the connection after our end of data:
RFC 5425, section 4.4, has it answer a close_notify with its own, which it reads behind the message.
"""

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass

from onepam.egress.egress import Egress
from onepam.egress.outbox.send import Letter, configured
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused

ANSWER_SECONDS = 15.0
FACILITY = 13
"""Log audit (RFC 5424, section 6.2.1)."""

ALERT, NOTICE = 1, 5
PORT = 6514
ENTERPRISE = "32473"
"""The private enterprise number of examples (RFC 5612): we have none of our own."""

_SYSLOG = re.compile(r"([a-z][a-z0-9-]{0,39}) (\[[0-9a-f:]+\]|[A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class SyslogServer:
    """A receiver by its name."""

    name: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "SyslogServer":
        """`NAME HOST:PORT`; without a port, 6514. Raises `ValueError`."""
        found = _SYSLOG.fullmatch(text)
        if found is None or not 0 < int(found[3] or PORT) < 65536:
            raise ValueError(f"{text!r} is not NAME HOST:PORT")
        return cls(found[1], found[2].strip("[]"), int(found[3] or PORT))


class Syslog:
    """One receiver, verified by its name."""

    def __init__(self, server: SyslogServer, trust: ssl.SSLContext, egress: Egress) -> None:
        self._server = server
        self._trust = trust
        self._egress = configured(egress, server.port)

    async def send(self, letter: Letter, now: Instant) -> Refused | None:
        """Codes: `syslog.tls`, `syslog.down`, and those of `Egress`."""
        address = await self._egress.resolve(self._server.host, self._server.port)
        if isinstance(address, Refused):
            return address
        return await asyncio.to_thread(self._hand_over, address, framed(message_of(letter)))

    def _hand_over(self, address: str, frame: bytes) -> Refused | None:
        name, host = self._server.name, self._server.host
        try:
            with socket.create_connection((address, self._server.port), ANSWER_SECONDS) as dialled:
                with self._trust.wrap_socket(dialled, server_hostname=host) as stream:
                    stream.sendall(frame)
                    with suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):  # closed without a word, all the same read
                        stream.unwrap()
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or "no TLS came about"
            return Refused("syslog.tls", f"{name} is not spoken to: {why}.", "Its CA must be known to this machine.")
        except OSError:
            return Refused("syslog.down", f"{name} is down, or did not take the message.")
        return None


def message_of(letter: Letter) -> bytes:
    """One message of RFC 5424; its structured data says which entries, and the id by which a repeat is recognised."""
    notice = letter.notice
    severity = ALERT if notice.newest.alarm else NOTICE
    data = {
        "notice": notice.id,
        "first": str(notice.first),
        "last": str(notice.newest.index),
        "count": str(notice.count),
        "link": letter.link,
    }
    structured = "".join(f' {name}="{_escaped(value)}"' for name, value in data.items())
    host = _UNPRINTABLE.sub("", letter.host)[:255] or "-"
    header = f"<{FACILITY * 8 + severity}>1 {iso(notice.newest.at)} {host} onepam - {notice.newest.kind[:32]}"
    text = " ".join(filter(None, (notice.sentence, notice.newest.text.replace("\n", "\\n"))))
    return f"{header} [onepam@{ENTERPRISE}{structured}] \ufeff{text}".encode()


def framed(message: bytes) -> bytes:
    """Octet counting (RFC 5425, section 4.3)."""
    return str(len(message)).encode("ascii") + b" " + message


def _escaped(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", value)
