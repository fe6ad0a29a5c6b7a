"""Asks the listener for PostgreSQL's clients by a ticket, as the prober does."""

import socket
import ssl
from contextlib import suppress

from onepam.domain.leaving.probing import ProbePath, ProbeResult
from onepam.domain.sessions.events import EntryPoint
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.dial import start_up
from onepam.protocols.sql.probe import PROBER, Asked
from onepam.protocols.sql.tls import ALPN

ASKED = Asked(ProbePath.POSTGRES, EntryPoint.POSTGRES_TOKEN, EntryPoint.POSTGRES_CERTIFICATE)
ANSWER_SECONDS = 5.0
_MOST_BYTES = 4096


def ask(host: str, port: int, trusted: bytes, ticket: str) -> bool:
    """Whether a listener of ours answered the ticket; `trusted` (PEM) is the certificate that it shows, or its root.
    Blocking."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the very certificate is what we ask for, whatever name it carries
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols([ALPN])
    said = b""
    try:
        context.load_verify_locations(cadata=trusted.decode("ascii"))
        with (
            socket.create_connection((host, port), ANSWER_SECONDS) as plain,
            context.wrap_socket(plain) as tls,
        ):
            tls.sendall(start_up({"user": PROBER}) + wire.message(ord("p"), ticket.encode("ascii") + b"\0"))
            with suppress(ConnectionResetError):
                while len(said) < _MOST_BYTES and (piece := tls.recv(_MOST_BYTES)):
                    said += piece
    except (OSError, ValueError):
        return False
    return any(f"OnePAM: {each.value}\0".encode() in said for each in (ProbeResult.WOULD_OPEN, ProbeResult.REFUSED))
