"""Verifying what a browser shows: the codes of an app, the assertions of a passkey."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from starlette.responses import JSONResponse, Response

from onepam.console.frame.visit import Visit
from onepam.domain.signing_in.events import FactorKind
from onepam.domain.signing_in.gate import WRONG
from onepam.domain.signing_in.rules import Proof
from onepam.identity import totp
from onepam.identity.passkeys import (
    Passkey,
    authentication_options,
    new_challenge,
    presented,
    registration_options,
    verify_authentication,
    verify_registration,
)
from onepam.identity.stored import open_seed, read_passkey
from onepam.kernel.errors import Refused
from onepam.store.read.proofs_of_sign_in import Account, Factor, factor_by_reference


def totp_proof(visit: Visit, found: Account, code: str) -> Proof | None:
    """The app's code as a proof, or None."""
    for factor in found.of(FactorKind.TOTP):
        seed = open_seed(factor.secret, found.person, visit.services.envelope)
        step = totp.match(seed, code, visit.wall, factor.counter)
        if step is not None:
            return Proof(factor.factor, FactorKind.TOTP, step)
    return None


def reference(credential_id: bytes) -> str:
    """How a passkey is found again."""
    return urlsafe_b64encode(credential_id).rstrip(b"=").decode("ascii")


class Passkeys:
    """WebAuthn's two ceremonies over a visit; the challenge travels sealed in the browser, and the ledger knows which
    have served."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    async def options(self, found: Account | None) -> Response:
        """Options to sign in: with the person's passkeys where the person is known."""
        visit = self._visit
        challenge = new_challenge(visit.services.random)
        allowed = [_passkey(each) for each in found.of(FactorKind.PASSKEY)] if found else []
        text = authentication_options(visit.services.party, challenge, allowed)
        flow = {**visit.flow(), "challenge": urlsafe_b64encode(challenge).decode("ascii")}
        if following := visit.request.query_params.get("next", ""):
            flow["next"] = following
        return visit.keep(JSONResponse(json.loads(text)), flow)

    async def proven(self) -> tuple[str, Proof] | Refused:
        """(person, proof) of the assertion that the browser sent."""
        visit = self._visit
        challenge = self._challenge()
        response = json.dumps((visit.json or {}).get("credential"))
        shown = presented(response)
        if isinstance(shown, Refused):
            return shown
        factor = await visit.services.reader(
            factor_by_reference, None, FactorKind.PASSKEY, reference(shown.credential_id)
        )
        if factor is None or challenge is None:
            return WRONG
        handle = factor.person.encode("ascii")
        verified = verify_authentication(visit.services.party, challenge, response, _passkey(factor), handle)
        if isinstance(verified, Refused):
            return verified
        return factor.person, Proof(
            factor.factor, FactorKind.PASSKEY, verified.sign_count, sha256(challenge).hexdigest()
        )

    def register(self, person: str, email: str, name: str, found: Account | None) -> Response:
        """Options to register a new passkey."""
        visit = self._visit
        challenge = new_challenge(visit.services.random)
        known = [_passkey(each) for each in found.of(FactorKind.PASSKEY)] if found else []
        text = registration_options(visit.services.party, challenge, person.encode("ascii"), email, name, known)
        flow = {**visit.flow(), "challenge": urlsafe_b64encode(challenge).decode("ascii")}
        return visit.keep(JSONResponse(json.loads(text)), flow)

    async def registered(self) -> tuple[Passkey, str] | Refused:
        """The new passkey that the browser made, and the digest of the challenge that it answered."""
        visit = self._visit
        challenge = self._challenge()
        if challenge is None:
            return Refused("passkey.lapsed", "This took too long.", "Try again.")
        response = json.dumps((visit.json or {}).get("credential"))
        made = verify_registration(visit.services.party, challenge, response)
        if isinstance(made, Refused):
            return made
        known = await visit.services.reader(
            factor_by_reference, None, FactorKind.PASSKEY, reference(made.credential_id)
        )
        if known is not None:
            return Refused("passkey.known", "This passkey is registered already.")
        return made, sha256(challenge).hexdigest()

    def _challenge(self) -> bytes | None:
        text = self._visit.flow().get("challenge")
        return urlsafe_b64decode(text) if isinstance(text, str) else None


def _passkey(factor: Factor) -> Passkey:
    return read_passkey(factor.public, factor.counter)
