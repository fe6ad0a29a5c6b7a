"""Asks the listener for MySQL's clients by a ticket, as the prober does."""

import socket
import ssl

from onepam.domain.leaving.probing import ProbePath, ProbeResult
from onepam.domain.sessions.events import EntryPoint
from onepam.protocols.mysql import startup, wire
from onepam.protocols.mysql.startup import CLEAR, OFFERED, Start
from onepam.protocols.sql.probe import PROBER, Asked

ASKED = Asked(ProbePath.MYSQL, EntryPoint.MYSQL_TOKEN, EntryPoint.MYSQL_TOKEN)
ANSWER_SECONDS = 5.0
_MOST_BYTES = 4096
_COLLATION = 45


def ask(host: str, port: int, trusted: bytes, ticket: str) -> bool:
    """Whether a listener of ours answered the ticket; `trusted` (PEM) is the certificate that it shows, or its root.
    Blocking."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the very certificate is what we ask for, whatever name it carries
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    asked = Start(OFFERED, _COLLATION, PROBER, b"", None, CLEAR, {})
    try:
        context.load_verify_locations(cadata=trusted.decode("ascii"))
        with socket.create_connection((host, port), ANSWER_SECONDS) as plain:
            _packet(plain)
            plain.sendall(wire.packet(1, startup.request(OFFERED, _COLLATION)))
            with context.wrap_socket(plain) as tls:
                word = ticket.encode("ascii") + b"\0"
                tls.sendall(wire.packet(2, startup.response(asked, PROBER, OFFERED, CLEAR, word)))
                said = _packet(tls)
    except (OSError, ValueError):
        return False
    return any(
        said.endswith(f"OnePAM: {each.value}".encode()) for each in (ProbeResult.WOULD_OPEN, ProbeResult.REFUSED)
    )


def _packet(connection: socket.socket) -> bytes:
    """The payload of the next packet, or what there is of it."""
    said = b""
    while len(said) < _MOST_BYTES and (len(said) < 4 or len(said) < 4 + int.from_bytes(said[:3], "little")):
        piece = connection.recv(_MOST_BYTES)
        if not piece:
            break
        said += piece
    return said[4:]
