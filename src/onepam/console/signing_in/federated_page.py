"""Signing in through a company's identity provider, and being signed out by it."""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from onepam.app.providers.federated_sign_in import sign_out_by_provider, step_up_by_provider
from onepam.console.frame.places import ANYBODY, MEMBER, Place
from onepam.console.frame.rendering import CSP
from onepam.console.frame.visit import SESSION_COOKIE, Visit, following
from onepam.console.providers.at_provider import begun_in, going, leave, read_keys_again
from onepam.console.providers.at_provider_page import AtProviderPage
from onepam.console.providers.provider_test import test_returned
from onepam.console.signing_in.entering import (
    SIGNED_OUT,
    SIGNED_OUT_HERE,
    attempt,
    first_page,
    first_step,
    keep_onward,
    let_in,
)
from onepam.domain.providers.entering import STALE, NeedsFirstFactor, NeedsSecondFactor, SignedInto, subject_digest
from onepam.domain.providers.logout import USED
from onepam.domain.providers.refusals import LEFT_OUT
from onepam.domain.providers.setting import Provider
from onepam.domain.signing_in.rules import CONSOLE_SESSION
from onepam.identity.oidc.relying_party import Received as OidcReceived
from onepam.identity.oidc.settings import OidcSettings
from onepam.identity.providers import Settings
from onepam.identity.saml.assertion import Received as SamlReceived
from onepam.identity.saml.logout import (
    LogoutNotice,
    logout_request,
    logout_response,
    read_logout_form,
    read_logout_query,
)
from onepam.identity.saml.request import PostForm, Sending, new_request_id
from onepam.identity.saml.response import check
from onepam.identity.saml.settings import SamlSettings
from onepam.identity.saml.sp_metadata import sp_metadata
from onepam.identity.tokens import token_digest
from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.secret import Secret
from onepam.store.read import providers as rows
from onepam.store.read.federated import came_by, in_force, opened_there

HINT_COOKIE = "onepam_hint"
"""The provider's ID token, sealed: it names the session there when somebody signs out."""
MAX_HINT_CHARACTERS = 3_500
MAX_HINT_BYTES = 64 * 1024
_ABOUT_HINT = b"id-token"

LAPSED = Refused("sign_in.lapsed", "This sign-in was not begun in this browser, or has lapsed.", "Sign in again.")
UNKNOWN = Refused("sign_in.provider_gone", "There is no such identity provider.", "/sign-in")

Received = OidcReceived | SamlReceived


async def begin(visit: Visit) -> Response:
    """Sends the browser to the provider."""
    then = following(visit.request.query_params.get("next", "/"))
    found = await _provider(visit)
    if isinstance(found, Refused):
        return await first_page(visit, then, refused=found)
    stored, settings = found
    return await _leave(visit, stored, settings, {"next": then})


async def step_up(visit: Visit) -> Response:
    """Sends the browser to show its factors again at the provider that the session came by."""
    then = following(visit.request.query_params.get("next", "/"))
    found = await visit.services.reader(came_by, None, visit.me.actor.session)
    settings = visit.services.providers.settings(found[0]) if found else UNKNOWN
    if found is None or isinstance(settings, Refused):
        return visit.refusal(settings if isinstance(settings, Refused) else UNKNOWN)
    flow = {"step_up": visit.me.actor.session, "next": then}
    left = await leave(visit, settings, found[0].name, flow, force=True, fresh=True)
    return left if not isinstance(left, Refused) else visit.refusal(left, 503)


async def returned(visit: Visit) -> Response:
    """The provider sends the browser back with a code (OpenID Connect)."""
    flow = visit.flow()
    begun = begun_in(flow)
    found = await _of_flow(visit, flow)
    if begun is None or isinstance(found, Refused) or not isinstance(found[1], OidcSettings):
        return await _not_ours(visit, found)
    received = await visit.services.openid.finish(found[1], visit.request.url.query, begun, visit.wall)
    return await _received(visit, flow, found[0], found[1], received)


async def posted(visit: Visit) -> Response:
    """The provider lets the browser post its answer here (SAML). A form from another site carries no cookie of ours:
    so our own page posts it once more, to where this browser's flow is known."""
    answer = visit.form.get("SAMLResponse", "")
    return visit.page(
        AtProviderPage(
            called="OnePAM",
            says="Your provider has answered.",
            address=f"/sign-in/return/{visit.path('provider')}/finish",
            fields=[("SAMLResponse", answer)],
        ),
        csp=CSP,
    )


async def finish(visit: Visit) -> Response:
    """The provider's answer, in the browser that asked (SAML)."""
    flow = visit.flow()
    found = await _of_flow(visit, flow)
    request = str(flow.get("request", ""))
    if not request or isinstance(found, Refused) or not isinstance(found[1], SamlSettings):
        return await _not_ours(visit, found)
    answer = visit.form.get("SAMLResponse", "")
    received: Received | Refused = check(found[1], answer, request, visit.wall)
    if isinstance(received, Refused) and received.code == "saml.signature" and "test" not in flow:
        known = await read_keys_again(visit, found[0], found[1])
        received = check(known, answer, request, visit.wall) if known is not None else received
    return await _received(visit, flow, found[0], found[1], received)


async def metadata(visit: Visit) -> Response:
    """What a SAML provider must know of us."""
    stored = await visit.services.reader(rows.by_provider, None, visit.path("provider"))
    settings = visit.services.providers.settings(stored) if stored else UNKNOWN
    if not isinstance(settings, SamlSettings):
        return visit.refusal(UNKNOWN, 404)
    return Response(sp_metadata(settings), media_type="application/samlmetadata+xml")


async def backchannel(visit: Visit) -> Response:
    """The provider tells us of a logout (OpenID Connect Back-Channel Logout 1.0)."""
    found = await _provider(visit)
    if isinstance(found, Refused) or not isinstance(found[1], OidcSettings):
        return JSONResponse({"error": "invalid_request"}, 400)
    stored = found[0]
    notice = await visit.services.openid.logout_notice(found[1], visit.form.get("logout_token", ""), visit.wall)
    if isinstance(notice, Refused):
        await _count(visit, stored, notice.code)
        return JSONResponse({"error": "invalid_request", "error_description": notice.message}, 400)
    digest = subject_digest(stored.provider, notice.subject) if notice.subject else ""
    session = notice.session or ""
    there = await visit.services.reader(opened_there, None, stored.provider, digest, session)
    named = tuple(each.session for each in there)
    ended = await sign_out_by_provider(visit.services.ledger, stored.provider, notice.unique, named)
    if isinstance(ended, Refused):
        return JSONResponse({"error": "invalid_request", "error_description": ended.message}, 400)
    return Response(status_code=200)


async def logout_by_address(visit: Visit) -> Response:
    """A SAML logout message of the provider in the address."""
    found = await _provider(visit)
    if isinstance(found, Refused) or not isinstance(found[1], SamlSettings):
        return visit.refusal(UNKNOWN, 404)
    query = visit.request.scope["query_string"].decode("ascii", "replace")
    return await _logout(visit, *found, read_logout_query(found[1], query, visit.wall))


async def logout_by_form(visit: Visit) -> Response:
    """A SAML logout message of the provider in a form."""
    found = await _provider(visit)
    if isinstance(found, Refused) or not isinstance(found[1], SamlSettings):
        return visit.refusal(UNKNOWN, 404)
    return await _logout(visit, *found, read_logout_form(found[1], dict(visit.form), visit.wall))


async def leave_provider(visit: Visit, session: str) -> Response | None:
    """The way to sign out at the provider, too, for a session that it opened; None where there is no such way."""
    found = await visit.services.reader(came_by, None, session)
    settings = visit.services.providers.settings(found[0]) if found else UNKNOWN
    if found is None or isinstance(settings, Refused):
        return None
    stored, there = found
    says = "You are signed out here. It goes on at your provider."
    if isinstance(settings, OidcSettings):
        hint = _hint(visit)
        url = await visit.services.openid.sign_out_url(settings, visit.wall, id_token=hint, state=SIGNED_OUT)
        if isinstance(url, Refused):
            await _count(visit, stored, url.code)
            return visit.go(f"/sign-in?state={SIGNED_OUT_HERE}")
        return going(visit, stored.name, url, (), says) if url is not None else None
    request = new_request_id(visit.services.random)
    sending = logout_request(
        settings, request, visit.wall, name_id=there.name_id, provider_session=there.provider_session
    )
    return None if isinstance(sending, Refused) else _send(visit, stored.name, sending, says)


async def _received(
    visit: Visit, flow: dict[str, Any], stored: Provider, settings: Settings, received: Received | Refused
) -> Response:
    """What a browser came back with is what it left for: a test, a step-up, or a sign-in."""
    if "test" in flow:
        return await test_returned(visit, flow, received)
    if not isinstance(received, Refused):  # held against our clock so far, and against the ledger's time from here on
        received = replace(received, assertion=received.assertion.shifted(visit.now - visit.wall))
    then = following(str(flow.get("next", "/")))
    if "step_up" in flow:
        return await _stepped_up(visit, flow, stored, then, received)
    if isinstance(received, Refused):
        await _count(visit, stored, received.code)
        return visit.forget(await first_page(visit, then, refused=received))
    if received.assertion.left_out:
        await _count(visit, stored, LEFT_OUT)
    tried = await attempt(visit, received.assertion)
    match tried.outcome:
        case SignedInto(person=person, ends=ends):
            response = let_in(visit, visit.go(then), person, ends, tried.token)
        case NeedsSecondFactor(person=person):
            kept = {"person": person, "first": first_step(received.assertion), "next": then}
            response = visit.keep(visit.go("/sign-in/second"), kept)
        case NeedsFirstFactor():
            response = visit.forget(visit.go(f"/enrol/{tried.link.reveal().decode('ascii')}"))
            keep_onward(visit, response, token_digest(tried.link).hex(), received.assertion, then)
        case Refused(code=code) as refused:
            if code == STALE and "again" not in flow:
                return await _leave(visit, stored, settings, {"next": then, "again": 1}, force=True)
            await _count(visit, stored, code)
            return visit.forget(await first_page(visit, then, refused=refused))
    if isinstance(received, OidcReceived):
        _keep_hint(visit, response, received.id_token)
    return response


async def _count(visit: Visit, stored: Provider, code: str) -> None:
    """An administrator sees that people stay outside, and why; not who."""
    await visit.services.refusals.count(stored.provider, code, visit.now)


async def _stepped_up(
    visit: Visit, flow: dict[str, Any], stored: Provider, then: str, received: Received | Refused
) -> Response:
    if visit.member is None or flow["step_up"] != visit.member.actor.session:
        return visit.forget(visit.refusal(LAPSED))
    refused = received if isinstance(received, Refused) else None
    if not isinstance(received, Refused):
        refused = await step_up_by_provider(visit.services.ledger, visit.member.actor, received.assertion)
    if refused is not None:
        await _count(visit, stored, refused.code)
    return visit.forget(visit.go(then) if refused is None else visit.refusal(refused))


async def _leave(
    visit: Visit, stored: Provider, settings: Settings, flow: dict[str, Any], *, force: bool = False
) -> Response:
    left = await leave(visit, settings, stored.name, flow, force=force)
    if not isinstance(left, Refused):
        return left
    await _count(visit, stored, left.code)
    words = f"{stored.name} cannot be reached: {left.message}"
    down = Refused(left.code, words, "Sessions that are open go on. Try again soon, or sign in in another way.")
    return await first_page(visit, str(flow["next"]), refused=down)


async def _logout(visit: Visit, stored: Provider, settings: Settings, message: object) -> Response:
    assert isinstance(settings, SamlSettings)  # the callers looked
    if isinstance(message, Refused):
        return visit.refusal(message, 400)
    if not isinstance(message, LogoutNotice):
        return visit.go(f"/sign-in?state={SIGNED_OUT}")
    there = await visit.services.reader(opened_there, None, stored.provider, "", "")
    named = tuple(each.session for each in there if message.ends(each.name_id, each.provider_session))
    ended = await sign_out_by_provider(visit.services.ledger, stored.provider, message.request_id, named)
    if ended == USED:
        return visit.refusal(USED, 400)
    answer = new_request_id(visit.services.random)
    sending = logout_response(settings, message, answer, visit.wall, whole=not isinstance(ended, Refused))
    if isinstance(sending, Refused):
        response = visit.go(f"/sign-in?state={SIGNED_OUT}")
    else:
        response = _send(visit, stored.name, sending, "You are signed out here.")
    visit.drop_cookie(response, SESSION_COOKIE)
    return response


def _send(visit: Visit, name: str, sending: Sending, says: str) -> Response:
    if isinstance(sending, PostForm):
        return going(visit, name, sending.action, sending.fields, says)
    return going(visit, name, sending.url, (), says)


async def _provider(visit: Visit) -> tuple[Provider, Settings] | Refused:
    """The provider of the address, in force and ready for use."""
    return _ready(visit, await visit.services.reader(in_force, None, visit.path("provider")))


async def _of_flow(visit: Visit, flow: dict[str, Any]) -> tuple[Provider, Settings] | Refused:
    """The provider that this browser left for: of the address, or for a test as its change makes it."""
    if flow.get("provider") != visit.path("provider"):
        return LAPSED
    if "test" not in flow:
        return await _provider(visit)
    return _ready(visit, await visit.services.reader(rows.by_change, None, str(flow["test"])))


def _ready(visit: Visit, stored: Provider | None) -> tuple[Provider, Settings] | Refused:
    if stored is None:
        return UNKNOWN
    settings = visit.services.providers.settings(stored)
    return settings if isinstance(settings, Refused) else (stored, settings)


async def _not_ours(visit: Visit, found: object) -> Response:
    refused = found if isinstance(found, Refused) else LAPSED
    return visit.forget(await first_page(visit, "/", refused=refused))


def _keep_hint(visit: Visit, response: Response, id_token: Secret) -> None:
    """A token that is too long for a cookie is left out: the provider then asks before it signs out."""
    sealed = visit.services.envelope.seal(Secret(zlib.compress(id_token.reveal(), 9)), _ABOUT_HINT)
    value = urlsafe_b64encode(sealed).decode("ascii")
    if len(value) <= MAX_HINT_CHARACTERS:
        visit.set_cookie(response, HINT_COOKIE, value, CONSOLE_SESSION // SECOND)


def _hint(visit: Visit) -> Secret | None:
    try:
        sealed = urlsafe_b64decode(visit.cookie(HINT_COOKIE).encode("ascii"))
        packed = visit.services.envelope.open(Secret(sealed).reveal(), _ABOUT_HINT)
        return Secret(zlib.decompressobj().decompress(packed.reveal(), MAX_HINT_BYTES))
    except (ValueError, Fault, zlib.error):
        return None


PLACES: tuple[Place, ...] = (
    Place("GET", "/sign-in/begin/{provider}", ANYBODY, begin),
    Place("GET", "/sign-in/return/{provider}", ANYBODY, returned),
    Place("POST", "/sign-in/return/{provider}", ANYBODY, posted, outside=True),
    Place("POST", "/sign-in/return/{provider}/finish", ANYBODY, finish, outside=True),
    Place("GET", "/sign-in/metadata/{provider}", ANYBODY, metadata),
    Place("POST", "/sign-in/backchannel/{provider}", ANYBODY, backchannel, outside=True),
    Place("GET", "/sign-in/logout/{provider}", ANYBODY, logout_by_address),
    Place("POST", "/sign-in/logout/{provider}", ANYBODY, logout_by_form, outside=True),
    Place("GET", "/step-up/provider", MEMBER, step_up),
)
