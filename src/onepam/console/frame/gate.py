"""The console's way to the gate (`domain/signing_in/gate.py`): who visits, and tries of factors that can be guessed."""

from starlette.responses import Response

from onepam.app.signing_in.sign_in import try_factor
from onepam.console.frame.factor_words import totp_proof
from onepam.console.frame.visit import Visit
from onepam.domain.signing_in.events import FactorKind
from onepam.domain.signing_in.gate import WRONG, Device, Visitor
from onepam.domain.signing_in.rules import Proof
from onepam.kernel.clock import DAY
from onepam.kernel.errors import Refused
from onepam.store.read.proofs_of_sign_in import Account

DEVICE_COOKIE = "onepam_device"
DEVICE_LIFETIME = 180 * DAY
MOST_PEOPLE = 5
"""Who share a browser and are all known in it."""


def visiting(visit: Visit, found: Account | None) -> Visitor:
    """Who tries: a browser in which this person has signed in since the factors were last replaced, or another one."""
    if found is None:
        return Visitor(visit.source)
    since = int(visit.flow(DEVICE_COOKIE).get("people", {}).get(found.person, 0))
    enrolled = [each.enrolled for each in found.factors if each.kind is not FactorKind.SSH_KEY]
    known = bool(enrolled) and min(enrolled) <= since
    return Visitor(visit.source, Device.KNOWN if known else Device.STRANGE)


def know_device(visit: Visit, response: Response, person: str) -> None:
    """The person has signed in here: a stranger's tries elsewhere do not lock them out in this browser."""
    people = {**visit.flow(DEVICE_COOKIE).get("people", {})}
    people.pop(person, None)
    kept = dict([*people.items(), (person, visit.now)][-MOST_PEOPLE:])
    visit.keep(response, {"people": kept}, DEVICE_COOKIE, DEVICE_LIFETIME)


async def through_gate(visit: Visit, found: Account, kind: FactorKind, right: bool) -> Refused | None:
    """A try whose outcome the edge knows; None: it counts as shown."""
    guesses, visitor = visit.services.guesses, visiting(visit, found)
    if visitor.device is not Device.KNOWN and not guesses.admit(visit.source, visit.now):
        return WRONG
    refused = await try_factor(visit.services.ledger, found.person, kind, right, visitor)
    if refused is not None:
        guesses.failed(visit.source, visit.now)
    return refused


async def shown_code(visit: Visit, found: Account) -> Proof | Refused:
    """The code of the person's app, taken through the gate."""
    proof = totp_proof(visit, found, visit.form.get("code", ""))
    refused = await through_gate(visit, found, FactorKind.TOTP, proof is not None)
    return proof if proof is not None and refused is None else refused or WRONG
