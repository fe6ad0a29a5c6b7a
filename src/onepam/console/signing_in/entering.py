"""The sign-in page, and the session that a browser is given: shared by our own sign-in and by providers'."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from onepam.app.providers.federated_sign_in import sign_in_by_provider
from onepam.console.frame.dispatch import SESSION_PREFIX
from onepam.console.frame.gate import know_device
from onepam.console.frame.rendering import Flash
from onepam.console.frame.visit import FLOW_LIFETIME, SESSION_COOKIE, Visit, following
from onepam.console.signing_in.entrance_page import SignInPage
from onepam.domain.history.event import decoder, plain
from onepam.domain.providers.assertion import Assertion
from onepam.domain.providers.entering import Entering, Outcome, SignedInto
from onepam.domain.signing_in.gate import Visitor
from onepam.domain.signing_in.rules import Proof
from onepam.identity.tokens import new_token, token_digest
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.kernel.text import printable
from onepam.store.read.federated import choices

MAX_AGENT_CHARACTERS = 200
PASSKEY = {"options": "/sign-in/passkey/options", "verify": "/sign-in/passkey/verify"}
SIGNED_OUT = "signed-out"
SIGNED_OUT_HERE = "signed-out-here"
"""The `state` with which a browser comes back from signing out at its provider."""

ONWARD_COOKIE = "onepam_onward"
"""Where somebody goes who enrols the first factor after a provider's message, and that message; sealed."""
ONWARD_LIFETIME = HOUR

_assertion = decoder(Assertion)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a provider's message, and the fresh tokens of the session or the link that it may have opened."""

    outcome: Outcome
    token: Secret
    link: Secret


async def first_page(
    visit: Visit, then: str, login: str = "", refused: Refused | None = None, note: str = ""
) -> Response:
    """Where people choose how to sign in; with what went wrong before."""
    providers = await visit.services.reader(choices, None)
    return visit.page(
        SignInPage(
            step="password",
            login=login,
            error=refused.message if refused else "",
            hint=refused.hint if refused and not refused.hint.startswith("/") else "",
            methods=[],
            passkey=PASSKEY,
            next=then,
            providers=[{"id": each.provider, "name": each.name} for each in providers],
            through="",
            note=note,
        ),
        403 if refused else 200,
    )


async def attempt(
    visit: Visit,
    assertion: Assertion,
    proofs: tuple[Proof, ...] = (),
    shown: Instant | None = None,
    visitor: Visitor | None = None,
) -> Attempt:
    """Holds a provider's message, and factors of ours if any were shown, against the ledger."""
    random = visit.services.random
    token, link = new_token(SESSION_PREFIX, random), new_token("enr", random)
    entering = Entering(
        person=new_id("per", random),
        identity=new_id("idn", random),
        enrolment=new_id("enr", random),
        enrolment_digest=token_digest(link).hex(),
        token_digest=token_digest(token).hex(),
        visitor=visitor or Visitor(visit.source),
        agent=agent(visit),
        proofs=proofs,
        shown=shown,
    )
    return Attempt(await sign_in_by_provider(visit.services.ledger, assertion, entering), token, link)


def let_in(visit: Visit, response: Response, person: str, ends: Instant, token: Secret) -> Response:
    """Hands the session's token to the browser, in which the person is known from now on; the flow is over."""
    know_device(visit, response, person)
    visit.set_cookie(response, SESSION_COOKIE, token.reveal().decode("ascii"), (ends - visit.now) // SECOND)
    return visit.forget(response)


def agent(visit: Visit) -> str:
    """What the browser calls itself."""
    return printable(visit.request.headers.get("user-agent", ""), MAX_AGENT_CHARACTERS)


def first_step(assertion: Assertion) -> dict[str, Any]:
    """A provider's message as a flow keeps it until the second factor; its groups were taken in already."""
    kept = plain(assertion)
    assert isinstance(kept, dict)
    return {**kept, "groups": None}


def first_step_in(flow: dict[str, Any]) -> Assertion | None:
    """The message of `first_step`; None in any other flow."""
    kept = flow.get("first")
    found: Assertion | None = _assertion(kept) if isinstance(kept, dict) else None
    return found


def keep_onward(visit: Visit, response: Response, link: str, assertion: Assertion, then: str) -> Response:
    """Remembers where somebody goes once the first factor is enrolled by the link of this digest."""
    kept = {"link": link, "first": first_step(assertion), "ends": visit.now + FLOW_LIFETIME, "next": then}
    return visit.keep(response, kept, ONWARD_COOKIE, ONWARD_LIFETIME)


async def onward(visit: Visit, link: str, proof: Proof | None, shown: Instant) -> Response | None:
    """Goes on after a first factor was enrolled by the link of this digest; None where no provider led there.

    The provider's message is the first step for ten minutes, and the new factor, as it was just shown, the second one.
    Later the provider is asked again, which costs one click.
    """
    kept = visit.flow(ONWARD_COOKIE)
    first = first_step_in(kept) if kept.get("link") == link else None
    if first is None:
        return None
    then = following(str(kept["next"]))
    if proof is not None and visit.now < kept["ends"]:
        response = visit.go(then, Flash("done", "All set. You are signed in."))
        if await second_step(visit, response, first, proof, shown) is None:
            return visit.forget(response, ONWARD_COOKIE)
    again = visit.go(f"/sign-in/begin/{first.provider}?{urlencode({'next': then})}")
    return visit.forget(visit.forget(again), ONWARD_COOKIE)


async def second_step(
    visit: Visit,
    response: Response,
    first: Assertion,
    proof: Proof,
    shown: Instant | None = None,
    visitor: Visitor | None = None,
) -> Refused | None:
    """Opens the session for a provider's message and a factor of ours; `shown`: when, where it was not just now."""
    tried = await attempt(visit, first, (proof,), shown, visitor)
    match tried.outcome:
        case SignedInto(person=person, ends=ends):
            let_in(visit, response, person, ends, tried.token)
            return None
        case Refused() as refused:
            return refused
        case _:
            return Refused("sign_in.factors", "A second factor is needed.", "Start again.")
