"""Enrolling by a one-use link: a password, a second factor, recovery codes. Nothing is kept until the last step."""

from base64 import b64decode, b64encode
from typing import Any

from starlette.responses import JSONResponse, Response

from onepam.app.signing_in.enrol import enrol
from onepam.console.frame.factor_words import Passkeys, reference
from onepam.console.frame.hashing import hashing
from onepam.console.frame.places import ANYBODY, Place
from onepam.console.frame.rendering import Flash
from onepam.console.frame.visit import Visit
from onepam.console.signing_in.entering import onward
from onepam.console.signing_in.entrance_page import EnrolPage
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.rules import ENROLMENT_LINK, Proof
from onepam.identity import recovery, totp
from onepam.identity.passwords import AboutPerson, PasswordPolicy, check, hash_password
from onepam.identity.stored import codes_text, passkey_text, sealed_seed
from onepam.identity.tokens import is_token, token_digest
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.store.read.proofs_of_sign_in import Account, account, enrolment_person

POLICY = PasswordPolicy()
MAX_PASSWORD_CHARACTERS = 1024
GONE = Refused("enrolment.gone", "This link has lapsed or was used.", "Ask an administrator for a new one.")


async def enrol_page(visit: Visit) -> Response:
    """Where the person stands in enrolling."""
    found = await _person(visit)
    if found is None:
        return visit.refusal(GONE, 404)
    flow = _flow(visit)
    if "passkey" in flow or "totp_done" in flow:
        return await _codes(visit, found, flow)
    if "seed" in flow:
        return _show(visit, found, "totp", flow=flow)
    return _show(visit, found, "factor" if _ready(found, flow) else "password")


async def password(visit: Visit) -> Response:
    """A password that the policy accepts."""
    found = await _person(visit)
    if found is None:
        return visit.refusal(GONE, 404)
    typed = visit.form.get("password", "")[:MAX_PASSWORD_CHARACTERS]
    about = AboutPerson(found.name, found.email, visit.services.company)
    refused = await hashing(check, typed, POLICY, about)
    if refused is not None:
        words = f"{refused.message} {refused.hint}".strip()
        return _show(visit, found, "password", {"password": words}, status=422)
    if visit.form.get("again") != typed:
        return _show(visit, found, "password", {"again": "The two are not the same."}, status=422)
    hashed = await hashing(hash_password, typed)
    return visit.keep(visit.go(_here(visit)), {"link": _digest(visit), "password": hashed})


async def totp_start(visit: Visit) -> Response:
    """A fresh seed for an authenticator app."""
    found, flow = await _person(visit), _flow(visit)
    if found is None or not _ready(found, flow):
        return visit.go(_here(visit))
    seed = totp.new_secret(visit.services.random)
    return visit.keep(
        visit.go(_here(visit)), {**flow, "link": _digest(visit), "seed": b64encode(seed.reveal()).decode("ascii")}
    )


async def totp_check(visit: Visit) -> Response:
    """The app shows the right code: the seed arrived."""
    found, flow = await _person(visit), _flow(visit)
    if found is None or "seed" not in flow:
        return visit.go(_here(visit))
    step = totp.match(Secret(b64decode(flow["seed"])), visit.form.get("code", ""), visit.wall, None)
    if step is None:
        words = "That is not the code the app should show now. Is this device's clock right?"
        return _show(visit, found, "totp", {"code": words}, flow=flow, status=422)
    return visit.keep(visit.go(_here(visit)), {**flow, "totp_done": step, "shown": visit.now})


async def passkey_options(visit: Visit) -> Response:
    """Options to register a passkey."""
    found, flow = await _person(visit), _flow(visit)
    if found is None or not _ready(found, flow):
        return JSONResponse({"error": GONE.message, "hint": GONE.hint})
    return Passkeys(visit).register(found.person, found.email, found.name, found)


async def passkey_verify(visit: Visit) -> Response:
    """The new passkey."""
    found, flow = await _person(visit), _flow(visit)
    registered = await Passkeys(visit).registered() if found is not None and _ready(found, flow) else GONE
    if isinstance(registered, Refused):
        return JSONResponse({"error": registered.message, "hint": registered.hint})
    made, challenge = registered
    name = str((visit.json or {}).get("name") or "")[:60] or ("Synced passkey" if made.synced else "Passkey")
    kept = {
        "reference": reference(made.credential_id),
        "public": passkey_text(made),
        "label": "".join(each for each in name if each.isprintable()),
        "count": made.sign_count,
        "challenge": challenge,
    }
    flow.pop("challenge", None)
    done = {**flow, "link": _digest(visit), "passkey": kept, "shown": visit.now}
    return visit.keep(JSONResponse({"redirect": _here(visit)}), done)


async def finish(visit: Visit) -> Response:
    """Everything at once into the ledger; the link has served."""
    found, flow = await _person(visit), _flow(visit)
    if found is None or "codes" not in flow or visit.form.get("kept") != "yes":
        return visit.go(_here(visit))
    made = _factors(visit, found.person, flow)
    refused = await enrol(visit.services.ledger, _digest(visit), made)
    if refused is not None:
        return visit.refusal(refused)
    further = await onward(visit, _digest(visit), _shown(made, flow), Instant(flow["shown"]))
    return further or visit.forget(visit.go("/sign-in", Flash("done", f"All set, {found.name}. Sign in now.")))


def _factors(visit: Visit, person: str, flow: dict[str, Any]) -> tuple[FactorEnrolled, ...]:
    def factor(
        kind: FactorKind,
        label: str = "",
        reference: str = "",
        public: str = "",
        secret: str = "",
        challenge: str = "",
    ) -> FactorEnrolled:
        return FactorEnrolled(
            factor=new_id("fac", visit.services.random),
            person=person,
            kind=kind,
            policy=f"password-{POLICY.version}" if kind is FactorKind.PASSWORD else "",
            privileged_from=None,
            by=None,
            label=label,
            reference=reference,
            public=public,
            secret=secret,
            challenge=challenge,
        )

    made = [factor(FactorKind.RECOVERY, secret=flow["codes"])]
    if "password" in flow:
        made.append(factor(FactorKind.PASSWORD, secret=flow["password"]))
    if "passkey" in flow:
        kept = flow["passkey"]
        answered = {"challenge": kept["challenge"]}
        made.append(factor(FactorKind.PASSKEY, kept["label"], kept["reference"], kept["public"], **answered))
    if "totp_done" in flow:
        seed = sealed_seed(Secret(b64decode(flow["seed"])), person, visit.services.envelope)
        made.append(factor(FactorKind.TOTP, "Authenticator app", secret=seed))
    return tuple(made)


def _shown(made: tuple[FactorEnrolled, ...], flow: dict[str, Any]) -> Proof | None:
    """The new second factor as it was shown when it was made."""
    counters = {FactorKind.PASSKEY: flow.get("passkey", {}).get("count"), FactorKind.TOTP: flow.get("totp_done")}
    shown = ((each, counters.get(each.kind)) for each in made)
    return next((Proof(each.factor, each.kind, count) for each, count in shown if count is not None), None)


async def _codes(visit: Visit, found: Account, flow: dict[str, Any]) -> Response:
    """Shows fresh codes; loading the page again makes others, and only the last ones count."""
    shown, stored = await hashing(recovery.new_codes, visit.services.random)
    codes = [each.reveal().decode("ascii") for each in shown]
    response = _show(visit, found, "codes", codes=codes)
    return visit.keep(response, {**flow, "codes": codes_text(stored)})


def _show(
    visit: Visit,
    found: Account,
    step: str,
    errors: dict[str, str] | None = None,
    codes: list[str] | None = None,
    flow: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    token = visit.path("token")
    return visit.page(
        EnrolPage(
            step=step,
            person={"name": found.name, "login": found.email},
            provider=found.provider,
            token=token,
            ends=Instant(visit.now + ENROLMENT_LINK),
            errors=errors or {},
            min_length=POLICY.min_length,
            passkey={"options": f"/enrol/{token}/passkey/options", "verify": f"/enrol/{token}/passkey/verify"},
            totp=_totp(found, flow) if step == "totp" and flow else None,
            codes=codes or [],
        ),
        status,
    )


def _totp(found: Account, flow: dict[str, Any]) -> dict[str, str]:
    seed = Secret(b64decode(flow["seed"]))
    svg = totp.qr_svg(totp.otpauth_uri(seed, found.email, "OnePAM"))
    data = "data:image/svg+xml;base64," + b64encode(svg.encode()).decode("ascii")
    return {"svg": data, "secret": totp.typed_secret(seed), "account": found.email}


def _ready(found: Account, flow: dict[str, Any]) -> bool:
    """Whether a second factor is next: there is a password, or a provider that stands in its place."""
    return "password" in flow or bool(found.provider)


async def _person(visit: Visit) -> Account | None:
    """Whose link this is; None when it is good for nobody."""
    token = visit.path("token")
    if not is_token(token, "enr"):
        return None
    person = await visit.services.reader(enrolment_person, None, _digest(visit))
    return await visit.services.reader(account, None, person) if person is not None else None


def _flow(visit: Visit) -> dict[str, Any]:
    """The steps done under this very link."""
    flow = visit.flow()
    return flow if flow.get("link") == _digest(visit) else {}


def _digest(visit: Visit) -> str:
    return token_digest(Secret(visit.path("token").encode("utf-8"))).hex()


def _here(visit: Visit) -> str:
    return f"/enrol/{visit.path('token')}"


PLACES: tuple[Place, ...] = (
    Place("GET", "/enrol/{token}", ANYBODY, enrol_page),
    Place("POST", "/enrol/{token}/password", ANYBODY, password),
    Place("POST", "/enrol/{token}/totp/start", ANYBODY, totp_start),
    Place("POST", "/enrol/{token}/totp", ANYBODY, totp_check),
    Place("POST", "/enrol/{token}/passkey/options", ANYBODY, passkey_options),
    Place("POST", "/enrol/{token}/passkey/verify", ANYBODY, passkey_verify),
    Place("POST", "/enrol/{token}/codes", ANYBODY, finish),
)
