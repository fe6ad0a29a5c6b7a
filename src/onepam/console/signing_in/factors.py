"""One's own factors and keys."""

from base64 import b64decode, b64encode
from typing import Any

from starlette.responses import JSONResponse, Response

from onepam.app.signing_in.enrol import add_factor, remove_factor
from onepam.app.signing_in.sign_in import end_sign_in
from onepam.console.frame.decision import decision
from onepam.console.frame.factor_words import Passkeys, reference
from onepam.console.frame.hashing import hashing
from onepam.console.frame.places import MEMBER, Place, Shown
from onepam.console.frame.visit import Visit
from onepam.console.signing_in.factors_page import FactorsPage, TotpPage
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.rules import FRESH_FACTOR
from onepam.identity import recovery, totp
from onepam.identity.ssh_keys import parse_public_key
from onepam.identity.stored import codes_text, passkey_text, sealed_seed
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read.proofs_of_sign_in import Account, Factor, account, factor_by_reference, spent_codes
from onepam.store.read.proposals import proposed_enrolment
from onepam.store.read.sign_ins import cli_sessions

PASSKEY = {"options": "/factors/passkey/options", "verify": "/factors/passkey/verify"}
RECOVERY_CODES = 10


async def factors_page(visit: Visit) -> Response:
    """How I prove that it is me."""
    return await _show(visit)


async def passkey_options(visit: Visit) -> Response:
    """Options to register another passkey."""
    if (stale := _stale(visit)) is not None:
        return stale
    found = await _account(visit)
    return Passkeys(visit).register(found.person, found.email, found.name, found)


async def passkey_verify(visit: Visit) -> Response:
    """The new passkey."""
    registered = await Passkeys(visit).registered()
    if isinstance(registered, Refused):
        return visit.forget(JSONResponse({"error": registered.message, "hint": registered.hint}))
    made, challenge = registered
    name = str((visit.json or {}).get("name") or "")[:60] or "Passkey"
    label = "".join(each for each in name if each.isprintable())
    public = passkey_text(made)
    new = _factor(visit, FactorKind.PASSKEY, label, reference(made.credential_id), public, challenge=challenge)
    refused = await add_factor(visit.services.ledger, visit.me.actor, new)
    if refused is not None:
        return visit.forget(JSONResponse({"error": refused.message, "hint": refused.hint}))
    return visit.forget(JSONResponse({"redirect": "/factors"}))


async def totp_start(visit: Visit) -> Response:
    """A fresh seed, kept in the browser until its first code comes back."""
    if (stale := _stale(visit)) is not None:
        return stale
    seed = totp.new_secret(visit.services.random)
    response = _totp_page(visit, seed, (await _account(visit)).email)
    return visit.keep(response, {"seed": b64encode(seed.reveal()).decode("ascii")})


async def totp_check(visit: Visit) -> Response:
    """The app shows the right code."""
    flow = visit.flow()
    if "seed" not in flow:
        return visit.go("/factors")
    seed = Secret(b64decode(flow["seed"]))
    found = await _account(visit)
    if totp.match(seed, visit.form.get("code", ""), visit.wall, None) is None:
        return _totp_page(visit, seed, found.email, "That is not the code the app should show now.", 422)
    sealed = sealed_seed(seed, found.person, visit.services.envelope)
    new = _factor(visit, FactorKind.TOTP, "Authenticator app", secret=sealed)
    refused = await add_factor(visit.services.ledger, visit.me.actor, new)
    return visit.forget(visit.outcome(refused, "/factors", "The authenticator app is set up."))


async def ssh_key(visit: Visit) -> Response:
    """Registers a public key: it says who asks, and opens nothing by itself."""
    if (stale := _stale(visit)) is not None:
        return stale
    key = parse_public_key(visit.form.get("key", ""))
    if isinstance(key, Refused):
        return await _show(visit, {"key": f"{key.message} {key.hint}".strip()}, status=422)
    if await visit.services.reader(factor_by_reference, None, FactorKind.SSH_KEY, key.fingerprint) is not None:
        return await _show(visit, {"key": "This key is registered already."}, status=422)
    label = key.comment or key.algorithm
    new = _factor(visit, FactorKind.SSH_KEY, label, key.fingerprint, key.line)
    refused = await add_factor(visit.services.ledger, visit.me.actor, new)
    return visit.outcome(refused, "/factors", f"The key {label} is registered.")


async def remove(visit: Visit) -> Response:
    """Removes one of my factors or keys."""
    if (stale := _stale(visit)) is not None:
        return stale
    refused = await remove_factor(visit.services.ledger, visit.me.actor, visit.path("factor"))
    return visit.outcome(refused, "/factors", "Removed.")


async def new_codes(visit: Visit) -> Response:
    """Ten new recovery codes; the old ones stop working in the same command."""
    if (stale := _stale(visit)) is not None:
        return stale
    shown, stored = await hashing(recovery.new_codes, visit.services.random)
    new = _factor(visit, FactorKind.RECOVERY, secret=codes_text(stored))
    refused = await add_factor(visit.services.ledger, visit.me.actor, new)
    if refused is not None:
        return visit.outcome(refused, "/factors", "")
    return await _show(visit, codes=[each.reveal().decode("ascii") for each in shown])


async def end_cli(visit: Visit) -> Response:
    """Signs one of my command lines out."""
    refused = await end_sign_in(visit.services.ledger, visit.me.actor, visit.path("session"))
    return visit.outcome(refused, "/factors", "That command line is signed out.")


async def _show(
    visit: Visit, errors: dict[str, str] | None = None, codes: list[str] | None = None, status: int = 200
) -> Response:
    found = await _account(visit)
    spent = await visit.services.reader(spent_codes, visit.at, found.person)
    second = len(found.of(FactorKind.TOTP)) + len(found.of(FactorKind.PASSKEY))
    recovery_codes = found.of(FactorKind.RECOVERY)
    app = found.of(FactorKind.TOTP)
    held_back = max((each.privileged_from or 0 for each in found.factors), default=0) > visit.now
    asked = await visit.services.reader(proposed_enrolment, visit.at, found.person)
    by = await visit.services.reader(account, visit.at, asked.by) if asked else None
    return visit.page(
        FactorsPage(
            asked={"by": by.name, "alone": asked.alone, "decision": decision(asked, visit.me.facts, visit.now)}
            if asked and by
            else None,
            passkeys=[{**_words(each), "device": "passkey"} for each in found.of(FactorKind.PASSKEY)],
            totp=_words(app[0]) if app else None,
            recovery={
                "left": max(0, RECOVERY_CODES - spent) if recovery_codes else 0,
                "made": recovery_codes[0].enrolled if recovery_codes else None,
            },
            new_codes=codes or [],
            keys=[
                {**_words(each), "fingerprint": each.reference, "algorithm": each.public.partition(" ")[0]}
                for each in found.of(FactorKind.SSH_KEY)
            ],
            cli=[
                {
                    "id": each.session,
                    "machine": each.agent,
                    "since": each.opened,
                    "ends": each.expires,
                    "source": each.source,
                }
                for each in await visit.services.reader(cli_sessions, visit.at, found.person)
            ],
            passkey=PASSKEY,
            may_remove=second > 1,
            errors=errors or {},
            notice="A factor was replaced: nothing privileged opens for an hour." if held_back else "",
        ),
        status,
    )


def _words(factor: Factor) -> dict[str, Any]:
    return {"id": factor.factor, "name": factor.label, "since": factor.enrolled, "last_used": factor.used}


def _totp_page(visit: Visit, seed: Secret, email: str, error: str = "", status: int = 200) -> Response:
    svg = totp.qr_svg(totp.otpauth_uri(seed, email, "OnePAM"))
    data = "data:image/svg+xml;base64," + b64encode(svg.encode()).decode("ascii")
    return visit.page(TotpPage(svg=data, typed=totp.typed_secret(seed), error=error), status)


def _factor(
    visit: Visit,
    kind: FactorKind,
    label: str = "",
    reference: str = "",
    public: str = "",
    secret: str = "",
    challenge: str = "",
) -> FactorEnrolled:
    return FactorEnrolled(
        factor=new_id("fac", visit.services.random),
        person=visit.me.actor.person,
        kind=kind,
        policy="",
        privileged_from=None,
        by=visit.me.actor.person,
        label=label,
        reference=reference,
        public=public,
        secret=secret,
        challenge=challenge,
    )


def _stale(visit: Visit) -> Response | None:
    """What to do first when the second factor is not fresh."""
    shown = visit.me.facts.mfa_at
    if shown is not None and shown + FRESH_FACTOR > visit.now:
        return None
    if visit.json is not None:
        return JSONResponse({"redirect": "/step-up?next=/factors", "error": "Show your second factor once more."})
    return visit.go("/step-up?next=/factors")


async def _account(visit: Visit) -> Account:
    found = await visit.services.reader(account, visit.at, visit.me.actor.person)
    return found if found is not None else Account(visit.me.actor.person, visit.me.name, "", True, ())


PLACES: tuple[Place, ...] = (
    Place("GET", "/factors", MEMBER, factors_page, Shown("My factors", "fingerprint", "Me")),
    Place("POST", "/factors/passkey/options", MEMBER, passkey_options),
    Place("POST", "/factors/passkey/verify", MEMBER, passkey_verify),
    Place("POST", "/factors/totp/start", MEMBER, totp_start),
    Place("POST", "/factors/totp", MEMBER, totp_check),
    Place("POST", "/factors/keys", MEMBER, ssh_key),
    Place("POST", "/factors/keys/{factor}/remove", MEMBER, remove),
    Place("POST", "/factors/recovery-codes", MEMBER, new_codes),
    Place("POST", "/factors/{factor}/remove", MEMBER, remove),
    Place("POST", "/factors/cli/{session}/end", MEMBER, end_cli),
)
