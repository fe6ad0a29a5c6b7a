"""Signing in and out, stepping up, and what a terminal asks the browser to confirm."""

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import JSONResponse, Response

from onepam.app.signing_in.enrol import recover
from onepam.app.signing_in.sign_in import sign_in, sign_out, step_up
from onepam.console.frame.dispatch import SESSION_PREFIX
from onepam.console.frame.factor_words import Passkeys
from onepam.console.frame.gate import shown_code, through_gate, visiting
from onepam.console.frame.hashing import hashing
from onepam.console.frame.page import Context
from onepam.console.frame.places import ANYBODY, MEMBER, Place
from onepam.console.frame.rendering import CLI_AUTHORIZE_CSP
from onepam.console.frame.visit import SESSION_COOKIE, Visit, following
from onepam.console.sessions import confirming
from onepam.console.sessions.confirming import stale
from onepam.console.signing_in import device, enrol
from onepam.console.signing_in import federated_page as federated
from onepam.console.signing_in.entering import (
    PASSKEY,
    SIGNED_OUT,
    SIGNED_OUT_HERE,
    agent,
    first_page,
    first_step_in,
    let_in,
    second_step,
)
from onepam.console.signing_in.entrance_page import CliAuthorizePage, RecoveryPage, SignInPage, StepUpPage
from onepam.console.signing_in.federated_page import HINT_COOKIE, leave_provider
from onepam.domain.signing_in.events import FactorKind
from onepam.domain.signing_in.gate import WRONG, Visitor
from onepam.domain.signing_in.rules import CLI_SESSION, Opening, Proof
from onepam.identity import recovery
from onepam.identity.cli_codes import is_redirect, issue_code
from onepam.identity.passwords import verify_password
from onepam.identity.stored import read_codes
from onepam.identity.tokens import is_pkce_challenge, new_token, token_digest
from onepam.kernel.clock import HOUR
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read.federated import came_by
from onepam.store.read.proofs_of_sign_in import Account, account, account_by_email

MAX_PASSWORD_CHARACTERS = 1024

STEP_UP = {"options": "/step-up/passkey/options", "verify": "/step-up/passkey/verify"}


_ENDED = {
    SIGNED_OUT: "You are signed out.",
    SIGNED_OUT_HERE: "You are signed out here. Your provider cannot be reached, so you may still be signed in there.",
}


async def sign_in_page(visit: Visit) -> Response:
    """The first step; whoever is signed in already goes on."""
    then = following(visit.request.query_params.get("next", "/"))
    if visit.member is not None:
        return visit.go(then)
    return await first_page(visit, then, note=_ENDED.get(visit.request.query_params.get("state", ""), ""))


async def password(visit: Visit) -> Response:
    """The password. Whether the account exists shows neither in words nor in time."""
    email, typed = visit.form.get("login", "")[:300].strip(), visit.form.get("password", "")[:MAX_PASSWORD_CHARACTERS]
    then = following(visit.form.get("next", "/"))
    found = await visit.services.reader(account_by_email, None, email)
    stored = found.of(FactorKind.PASSWORD)[0] if found is not None and found.of(FactorKind.PASSWORD) else None
    right = await hashing(verify_password, stored.secret if stored else None, typed)
    if found is None:
        visit.services.guesses.failed(visit.source, visit.now)
        return await first_page(visit, then, email, WRONG)
    refused = await through_gate(visit, found, FactorKind.PASSWORD, right and stored is not None)
    if refused is not None or stored is None:
        return await first_page(visit, then, email, WRONG)
    flow = {"person": found.person, "password": stored.factor, "next": then}
    return visit.keep(visit.go("/sign-in/second"), flow)


async def second_page(visit: Visit) -> Response:
    """The second step."""
    flow = visit.flow()
    found = await _in_flow(visit, flow)
    return visit.go("/sign-in") if found is None else _second(visit, found, flow)


async def totp(visit: Visit) -> Response:
    """The authenticator app's code after a password."""
    flow = visit.flow()
    found = await _in_flow(visit, flow)
    if found is None:
        return visit.go("/sign-in?" + urlencode({"next": following(visit.form.get("next", "/"))}))
    proof = await shown_code(visit, found)
    if isinstance(proof, Refused):
        return _second(visit, found, flow, proof)
    response = visit.go(following(str(flow.get("next", "/"))))
    refused_or_none = await _open_second(visit, response, flow, found.person, proof, visiting(visit, found))
    if refused_or_none is not None:
        return _second(visit, found, flow, refused_or_none)
    return visit.forget(response)


async def passkey_options(visit: Visit) -> Response:
    """WebAuthn options: for anybody before the first step, for the person of the password after it."""
    return await Passkeys(visit).options(await _in_flow(visit, visit.flow()))


async def passkey_verify(visit: Visit) -> Response:
    """A passkey is both factors in one gesture."""
    proven = await Passkeys(visit).proven()
    if isinstance(proven, Refused):
        return visit.forget(_said(proven))
    person, proof = proven
    flow = visit.flow()
    response = JSONResponse({"redirect": following(str(flow.get("next", "/")))})
    if "first" in flow:
        refused = await _open_second(visit, response, flow, person, proof, Visitor(visit.source))
    else:
        refused = await _open(visit, response, person, (proof,), Visitor(visit.source))
    return visit.forget(_said(refused) if refused is not None else response)


async def recovery_page(visit: Visit) -> Response:
    """A recovery code after the password."""
    found = await _in_flow(visit, visit.flow())
    return visit.go("/sign-in") if found is None else visit.page(RecoveryPage(error=""))


async def recovery_code(visit: Visit) -> Response:
    """Spends a code; it opens nothing but the way to enrol anew."""
    found = await _in_flow(visit, visit.flow())
    if found is None:
        return visit.go("/sign-in")
    kept = found.of(FactorKind.RECOVERY)
    stored = read_codes(kept[0].secret) if kept else None
    digest = await hashing(recovery.match, stored, visit.form.get("code", ""))
    refused = await through_gate(visit, found, FactorKind.RECOVERY, digest is not None)
    if refused is not None or digest is None or stored is None:
        return visit.page(RecoveryPage(error=WRONG.message), 403)
    random = visit.services.random
    token = new_token("enr", random)
    proof = Proof(kept[0].factor, FactorKind.RECOVERY, stored.digests.index(digest))
    answer = await recover(
        visit.services.ledger,
        found.person,
        proof,
        new_id("enr", random),
        token_digest(token).hex(),
        visiting(visit, found),
    )
    if isinstance(answer, Refused):
        return visit.page(RecoveryPage(error=answer.message), 403)
    return visit.forget(visit.go(f"/enrol/{token.reveal().decode('ascii')}"))


async def signed_out(visit: Visit) -> Response:
    """Ends this session, and goes on to sign out at the provider that it came by."""
    onward = None
    if visit.member is not None:
        actor = visit.member.actor
        onward = await leave_provider(visit, actor.session)
        await sign_out(visit.services.ledger, actor)
        visit.services.queries.signed_out(actor)
    response = onward or visit.go(f"/sign-in?state={SIGNED_OUT}")
    for cookie in (SESSION_COOKIE, HINT_COOKIE):
        visit.drop_cookie(response, cookie)
    return response


async def step_up_page(visit: Visit) -> Response:
    """A fresh factor inside the session."""
    return await _step_up(visit, following(visit.request.query_params.get("next", "/")))


async def step_up_totp(visit: Visit) -> Response:
    """The code of the app."""
    found = await _myself(visit)
    then = following(visit.form.get("next", "/"))
    proof = await shown_code(visit, found)
    refused = proof if isinstance(proof, Refused) else None
    if not isinstance(proof, Refused):
        refused = await step_up(visit.services.ledger, visit.me.actor, proof, visiting(visit, found))
    if refused is None:
        return visit.go(then)
    return await _step_up(visit, then, refused)


async def _step_up(visit: Visit, then: str, refused: Refused | None = None) -> Response:
    came = await visit.services.reader(came_by, None, visit.me.actor.session)
    return visit.page(
        StepUpPage(
            methods=_methods(await _myself(visit)),
            passkey=STEP_UP,
            next=then,
            leads=_leads(visit, then),
            error=refused.message if refused else "",
            provider=came[0].name if came is not None and came[0].rule.attests else "",
        ),
        403 if refused else 200,
    )


def _leads(visit: Visit, then: str) -> Context | None:
    """The page of the reader's side bar that the path belongs to; None where there is none."""
    path = urlsplit(then).path
    for each in visit.shown():
        if each.shown and (path == each.path or path.startswith(f"{each.path}/")):
            return {"href": each.path, "word": each.shown.word}
    return None


async def step_up_options(visit: Visit) -> Response:
    """Options for the person's own passkeys."""
    return await Passkeys(visit).options(await _myself(visit))


async def step_up_verify(visit: Visit) -> Response:
    """The passkey must be the person's own."""
    proven = await Passkeys(visit).proven()
    refused = proven if isinstance(proven, Refused) else None
    if not isinstance(proven, Refused):
        person, proof = proven
        refused = (
            WRONG
            if person != visit.me.actor.person
            else await step_up(visit.services.ledger, visit.me.actor, proof, visiting(visit, await _myself(visit)))
        )
    then = following(str(visit.flow().get("next", "/")))
    return visit.forget(_said(refused) if refused is not None else JSONResponse({"redirect": then}))


async def cli_page(visit: Visit) -> Response:
    """`onepam login` asks for a session in the person's name."""
    query = visit.request.query_params
    challenge, redirect = query.get("code_challenge", ""), query.get("redirect_uri", "")
    state, client = query.get("state", "")[:200], query.get("client", "the command line")[:100]
    if not is_pkce_challenge(challenge) or not is_redirect(redirect) or not state:
        return visit.refusal(
            Refused("cli.malformed", "This address is not from onepam login.", "Run: onepam login"), 400
        )
    if stale(visit):
        here = "/cli/authorize?" + urlencode(dict(query))
        return visit.go("/step-up?" + urlencode({"next": here}))
    response = visit.page(
        CliAuthorizePage(
            person={"name": visit.me.name},
            client=client,
            source=visit.source,
            redirect=redirect,
            state=state,
            hours=CLI_SESSION // HOUR,
        ),
        csp=CLI_AUTHORIZE_CSP,
    )
    return visit.keep(response, {"challenge": challenge, "redirect": redirect, "state": state})


async def cli_authorize(visit: Visit) -> Response:
    """Sends a one-use code to the waiting terminal on loopback, or the refusal."""
    flow = visit.flow()
    redirect, state = str(flow.get("redirect", "")), str(flow.get("state", ""))
    if not is_redirect(redirect) or visit.form.get("state") != state:
        return visit.refusal(Refused("cli.lapsed", "This question has lapsed.", "Run: onepam login"), 400)
    answer = {"error": "access_denied", "state": state}
    if visit.form.get("decision") == "allow":
        actor, services = visit.me.actor, visit.services
        code = issue_code(
            services.envelope, actor.person, actor.session, str(flow["challenge"]), redirect, visit.now, services.random
        )
        if isinstance(code, Refused):
            return visit.refusal(code, 400)
        answer = {"code": code, "state": state}
    return visit.forget(visit.go(f"{redirect}?{urlencode(answer)}"))


async def _open_second(
    visit: Visit, response: Response, flow: dict[str, Any], person: str, proof: Proof, visitor: Visitor
) -> Refused | None:
    """Opens the session for the first step that the flow holds, and this second one."""
    if flow.get("person") != person:
        return WRONG
    first = first_step_in(flow)
    if first is not None:
        return await second_step(visit, response, first, proof, visitor=visitor)
    return await _open(visit, response, person, (Proof(str(flow["password"]), FactorKind.PASSWORD, 0), proof), visitor)


async def _open(
    visit: Visit, response: Response, person: str, proofs: tuple[Proof, ...], visitor: Visitor
) -> Refused | None:
    """Opens the session in the ledger, then hands its token to the browser."""
    services = visit.services
    token = new_token(SESSION_PREFIX, services.random)
    session = new_id("sgn", services.random)
    opening = Opening(session, person, proofs, token_digest(token).hex(), visitor, agent(visit))
    ends = await sign_in(services.ledger, opening)
    if isinstance(ends, Refused):
        return ends
    let_in(visit, response, person, ends, token)
    return None


def _second(visit: Visit, found: Account, flow: dict[str, Any], refused: Refused | None = None) -> Response:
    then, through = str(flow.get("next", "/")), "first" in flow
    return visit.page(
        SignInPage(
            step="second",
            login=found.email,
            error=refused.message if refused else "",
            hint=refused.hint if refused else "",
            methods=_methods(found),
            passkey=PASSKEY,
            next=then,
            providers=[],
            through="provider" if through else "",
            note="",
        ),
        403 if refused else 200,
    )


def _methods(found: Account) -> list[str]:
    kinds = (("passkey", FactorKind.PASSKEY), ("totp", FactorKind.TOTP))
    return [word for word, kind in kinds if found.of(kind)]


async def _in_flow(visit: Visit, flow: dict[str, Any]) -> Account | None:
    """The person who has shown a password, or came from their provider, in this browser."""
    stepped = "password" in flow or "first" in flow
    return await visit.services.reader(account, None, str(flow["person"])) if stepped else None


async def _myself(visit: Visit) -> Account:
    found = await visit.services.reader(account, None, visit.me.actor.person)
    assert found is not None  # a signed-in person exists
    return found


def _said(refused: Refused) -> Response:
    return JSONResponse(json.loads(json.dumps({"error": refused.message, "hint": refused.hint})))


PLACES: tuple[Place, ...] = (
    Place("GET", "/sign-in", ANYBODY, sign_in_page),
    Place("POST", "/sign-in", ANYBODY, password),
    Place("GET", "/sign-in/second", ANYBODY, second_page),
    Place("POST", "/sign-in/totp", ANYBODY, totp),
    Place("POST", "/sign-in/passkey/options", ANYBODY, passkey_options),
    Place("POST", "/sign-in/passkey/verify", ANYBODY, passkey_verify),
    Place("GET", "/sign-in/recovery", ANYBODY, recovery_page),
    Place("POST", "/sign-in/recovery", ANYBODY, recovery_code),
    Place("POST", "/sign-out", ANYBODY, signed_out),
    Place("GET", "/step-up", MEMBER, step_up_page),
    Place("POST", "/step-up/totp", MEMBER, step_up_totp),
    Place("POST", "/step-up/passkey/options", MEMBER, step_up_options),
    Place("POST", "/step-up/passkey/verify", MEMBER, step_up_verify),
    Place("GET", "/cli/authorize", MEMBER, cli_page),
    Place("POST", "/cli/authorize", MEMBER, cli_authorize),
    *confirming.PLACES,
    *device.PLACES,
    *federated.PLACES,
    *enrol.PLACES,
)
