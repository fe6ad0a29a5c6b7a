"""The prober's way in at a listener for databases: a ticket in the place of a password, and one word for an answer.

Whoever signs in as `onepam-probe` holds no permit and gets none: the answer is an error, as every refusal is, and the
connection ends with it. A ticket of another process, of another path, or from another machine is answered by "none".
"""

import logging
from dataclasses import dataclass

from onepam.app.leaving.probe_access import probe_access, record_probe
from onepam.app.open_session import Knock
from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, Verdict
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.login_tokens import INVALID
from onepam.gateway.probes import told
from onepam.kernel.ids import new_id
from onepam.protocols.sql.session import DatabaseGateway

log = logging.getLogger(__name__)

PROBER = "onepam-probe"
"""The user name; no person's login has its form, which is LOGIN@TARGET."""

NONE = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """A listener's path of probes, the entry point of those who come to it with a token, and that of all else."""

    path: ProbePath
    token: EntryPoint
    other: EntryPoint


async def answer(gateway: DatabaseGateway, asked: Asked, ticket: str, source: str, own: str) -> str:
    """What the door says to a ticket's question, in one word. Raises `Unavailable`."""
    probe = gateway.probes.redeem(ticket, asked.path, source, own)
    if probe is None:
        log.warning("a ticket for a probe from %s is not ours", source)
        return NONE
    return told(await _verdict(gateway, asked, probe, source))["result"]


async def _verdict(gateway: DatabaseGateway, asked: Asked, probe: Probe, source: str) -> Verdict:
    """As a door goes on from a proof, with the same look-up and the same decision, up to the permit. A token is asked
    for as from the one address that it is good from."""
    shared, entry, sign_in, token = gateway.shared, asked.other, probe.sign_in or None, None
    if probe.proof is ProbedProof.TOKEN:
        found = await gateway.find_token(probe.sought)
        if found is None:
            await record_probe(shared.ledger, probe, INVALID, shared.node)
            return INVALID
        entry, sign_in, token, source = asked.token, found.sign_in, found.token, found.source or source
    session = new_id("ses", shared.random)
    knock = Knock(
        session, entry, probe.person, probe.resource, probe.login, shared.node, source, PROBER, sign_in, token=token
    )
    return await probe_access(shared.ledger, probe, knock)
