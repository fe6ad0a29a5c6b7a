"""The prober's way in over SSH: a key that this process made for itself at its start, and one act: redeeming a ticket.

Whoever signs in as `onepam-probe` holds no permit and gets none: their channels take the exec of one ticket, answer
with one line, and end. No terminal, no shell, no subsystem, no forwarding, and nothing that leads to a target.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncssh

from onepam.app.leaving.probe_access import probe_access, record_probe
from onepam.app.open_session import Knock
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, Verdict
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway.crowd import written
from onepam.gateway.entering import Proven
from onepam.gateway.probes import TICKET_CHARACTERS, told
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import new_id
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.dial import dial
from onepam.protocols.ssh.session import SshGateway, proven_by

log = logging.getLogger(__name__)

PROBER = "onepam-probe"
"""The user name; no person's login has its form, which is LOGIN@TARGET."""

MOST_CHANNELS = 100
"""In one connection, one after the other."""

ANSWER_SECONDS = 5.0
_NONE = b'{"result":"none"}\n'


class ProbeSession(asyncssh.SSHServerSession[bytes]):
    """One channel of the prober. Every request but the exec of something as long as a ticket is refused by default."""

    def __init__(self, gateway: SshGateway, person: PersonConnection) -> None:
        self._gateway = gateway
        self._person = person
        self._ticket = ""

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def exec_requested(self, command: str) -> bool:
        self._ticket = command
        return len(command) == TICKET_CHARACTERS

    def session_started(self) -> None:
        self._gateway.shared.tasks.spawn(self._answer())

    async def _answer(self) -> None:
        line = _NONE
        try:
            line = await answer(self._gateway, self._ticket, *_ends(self._person))
        except Fault as fault:
            log.error("a probe could not be answered: %s", fault)
        with suppress(OSError, asyncssh.Error):
            self._channel.write(line)
            self._channel.exit(0)


async def answer(gateway: SshGateway, ticket: str, source: str, own: str) -> bytes:
    """What the door says to a ticket's question, as one line of JSON. Raises `Unavailable`."""
    probe = gateway.probes.redeem(ticket, ProbePath.SSH, source, own)
    if probe is None:
        log.warning("a ticket for a probe from %s is not ours", source)
        return _NONE
    verdict = await _verdict(gateway, probe, source)
    return json.dumps(told(verdict)).encode() + b"\n"


async def _verdict(gateway: SshGateway, probe: Probe, source: str) -> Verdict:
    """As `PersonDoor` goes on from a proof, with the same look-up and the same decision, up to the permit."""
    shared, proven = gateway.shared, Proven(probe.person, EntryPoint.SSH_CERTIFICATE, probe.sign_in or None)
    if probe.proof is ProbedProof.SSH_KEY:
        holder = await gateway.find_key(probe.sought)
        if holder is None:
            unknown = Refused("key.unknown", "No such key is known here.")
            await record_probe(shared.ledger, probe, unknown, shared.node)
            return unknown
        proven = proven_by(holder)
    session = new_id("ses", shared.random)
    knock = Knock(
        session, proven.entry, probe.person, probe.resource, probe.login, shared.node, source, PROBER,
        probe.sign_in or None, None, proven.key,
    )  # fmt: skip
    return await probe_access(shared.ledger, probe, knock)


def _ends(person: PersonConnection) -> tuple[str, str]:
    """The connection's other end and ours."""
    peer, own = person.get_extra_info("peername"), person.get_extra_info("sockname")
    return (written(str(peer[0])), written(str(own[0]))) if peer and own else ("", "")


@asynccontextmanager
async def asking(
    host: str, port: int, key: asyncssh.SSHKey, host_key: asyncssh.SSHKey
) -> AsyncIterator[Callable[[str], Awaitable[bool]] | None]:
    """Asks a listener of ours: the function says whether a ticket was answered; None where nobody could be reached."""
    connection = await dial(host, port, PROBER, key, None, [host_key], ANSWER_SECONDS)
    if not isinstance(connection, TargetConnection):
        log.warning("the SSH listener cannot be probed: %s", connection.message)
        yield None
        return

    async def ask(ticket: str) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                done = await connection.run(ticket, check=False)
        except (TimeoutError, OSError, asyncssh.Error):
            return False
        return done.stdout is not None and done.stdout != _NONE

    try:
        yield ask
    finally:
        connection.close()
