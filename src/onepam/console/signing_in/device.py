"""What a terminal without a browser asks of its person: `onepam login --device`."""

from starlette.responses import Response

from onepam.app.signing_in.devices import answer_device
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.visit import Visit
from onepam.console.sessions.confirming import stale
from onepam.console.signing_in.device_page import DevicePage
from onepam.domain.signing_in.devices import WRONG_ADDRESS, WRONG_PERSON
from onepam.domain.signing_in.rules import CLI_SESSION
from onepam.identity.devices import Waiting
from onepam.identity.tokens import code_digest
from onepam.kernel.clock import HOUR
from onepam.kernel.errors import Refused
from onepam.store.read.proofs_of_sign_in import account

_ELSEWHERE = Refused(
    WRONG_ADDRESS,
    "This terminal is at another address than your browser.",
    "Open the page in a browser at the terminal's address; or register an SSH key that the terminal holds under "
    "My factors, and run again: onepam login --device",
)
_THEIRS = Refused(
    WRONG_PERSON,
    "This terminal has shown the key of somebody else; only they may let it in.",
    "Did somebody send you this address? Do not type any code.",
)


async def device_page(visit: Visit) -> Response:
    """Which terminal asks, from where; under a fresh factor, and only to whoever may let it in."""
    if stale(visit):
        return _step_up(visit)
    waiting = _waiting(visit)
    if waiting is None:
        return _page(visit, None, "over")
    refused = await _not_for(visit, waiting)
    return visit.refusal(refused) if refused is not None else _page(visit, waiting, "ask")


async def let_in(visit: Visit) -> Response:
    """The code that the terminal shows, typed by its person."""
    if stale(visit):
        return _step_up(visit)
    waiting, digest = _waiting(visit), code_digest(visit.form.get("code", ""))
    if waiting is None:
        return _page(visit, None, "over")
    if digest is None:
        refused = await _not_for(visit, waiting)
        error = "The code has eight letters, such as BCDF-GHJK."
        return visit.refusal(refused) if refused is not None else _page(visit, waiting, "ask", error)
    return await _answered(visit, waiting, digest.hex())


async def not_me(visit: Visit) -> Response:
    """The attempt is void at once."""
    waiting = _waiting(visit)
    return _page(visit, None, "over") if waiting is None else await _answered(visit, waiting, "")


async def _answered(visit: Visit, waiting: Waiting, typed: str) -> Response:
    actor = visit.me.actor
    refused = await answer_device(visit.services.ledger, actor, waiting.asked, typed)
    if refused is None:
        waiting.answer = actor
        return _page(visit, waiting, "done")
    if refused.code == "device.stale_factor":
        return _step_up(visit)
    waiting.over = True
    return _page(visit, waiting, "refused", refused.message if typed else "")


async def _not_for(visit: Visit, waiting: Waiting) -> Refused | None:
    """Why it is not for whoever asks: judged again, by the ledger, when they answer."""
    asked, actor = waiting.asked, visit.me.actor
    if not asked.key:
        return None if asked.vouches and asked.source == actor.source else _ELSEWHERE
    mine = await visit.services.reader(account, None, actor.person)
    return None if mine is not None and any(each.factor == asked.key for each in mine.factors) else _THEIRS


def _waiting(visit: Visit) -> Waiting | None:
    return visit.services.devices.named(visit.path("device"), visit.now)


def _step_up(visit: Visit) -> Response:
    return visit.go(f"/step-up?next=/cli/device/{visit.path('device')}")


def _page(visit: Visit, waiting: Waiting | None, state: str, error: str = "") -> Response:
    page = DevicePage(
        state=state,
        device=visit.path("device"),
        person={"name": visit.me.name},
        client=waiting.asked.client if waiting else "",
        source=waiting.asked.source if waiting else "",
        keyed=bool(waiting and waiting.asked.key),
        hours=CLI_SESSION // HOUR,
        ends=waiting.asked.expires if waiting else visit.now,
        error=error,
    )
    return visit.page(page, 403 if error else 200)


PLACES: tuple[Place, ...] = (
    Place("GET", "/cli/device/{device}", MEMBER, device_page),
    Place("POST", "/cli/device/{device}", MEMBER, let_in),
    Place("POST", "/cli/device/{device}/refuse", MEMBER, not_me),
)
