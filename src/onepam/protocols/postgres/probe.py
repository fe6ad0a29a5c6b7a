"""The prober's way in at the listener for databases: a ticket in the place of a password, and one word for an answer.

Whoever signs in as `onepam-probe` holds no permit and gets none: the answer is an error, as every refusal is, and the
connection ends with it. A ticket of another process, of another path, or from another machine is answered by "none".
"""

import logging
import socket
import ssl
from contextlib import suppress

from onepam.app.leaving.probe_access import probe_access, record_probe
from onepam.app.open_session import Knock
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbeResult, Verdict
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.login_tokens import INVALID
from onepam.gateway.probes import told
from onepam.kernel.ids import new_id
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.dial import start_up
from onepam.protocols.postgres.session import PostgresGateway
from onepam.protocols.sql.tls import ALPN

log = logging.getLogger(__name__)

PROBER = "onepam-probe"
"""The user name; no person's login has its form, which is LOGIN@TARGET."""

ANSWER_SECONDS = 5.0
NONE = "none"
_MOST_BYTES = 4096


async def answer(gateway: PostgresGateway, ticket: str, source: str, own: str) -> str:
    """What the door says to a ticket's question, in one word. Raises `Unavailable`."""
    probe = gateway.probes.redeem(ticket, ProbePath.POSTGRES, source, own)
    if probe is None:
        log.warning("a ticket for a probe from %s is not ours", source)
        return NONE
    return told(await _verdict(gateway, probe, source))["result"]


async def _verdict(gateway: PostgresGateway, probe: Probe, source: str) -> Verdict:
    """As `PersonDoor` goes on from a proof, with the same look-up and the same decision, up to the permit. A token is
    asked for as from the one address that it is good from."""
    shared, entry, sign_in, token = gateway.shared, EntryPoint.POSTGRES_CERTIFICATE, probe.sign_in or None, None
    if probe.proof is ProbedProof.TOKEN:
        found = await gateway.find_token(probe.sought)
        if found is None:
            await record_probe(shared.ledger, probe, INVALID, shared.node)
            return INVALID
        entry, sign_in, token, source = EntryPoint.POSTGRES_TOKEN, found.sign_in, found.token, found.source or source
    session = new_id("ses", shared.random)
    knock = Knock(
        session, entry, probe.person, probe.resource, probe.login, shared.node, source, PROBER, sign_in, token=token
    )
    return await probe_access(shared.ledger, probe, knock)


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
