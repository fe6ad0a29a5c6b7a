"""What a terminal asks its person to confirm in the browser."""

from starlette.responses import Response

from onepam.app.sessions.confirm import give_confirmation
from onepam.console.frame.places import MEMBER, Place
from onepam.console.frame.visit import Visit
from onepam.console.sessions.confirming_page import ConfirmPage
from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.identity.tokens import code_digest
from onepam.store.read.confirmations import confirmation


def stale(visit: Visit) -> bool:
    """Whether the second factor must be shown again."""
    shown = visit.me.facts.mfa_at
    return shown is None or shown + FRESH_FACTOR <= visit.now


async def confirm_page(visit: Visit) -> Response:
    """Which terminal asks, for what; only the person of its key may answer, under a fresh factor."""
    if stale(visit):
        return visit.go(f"/step-up?next=/confirm/{visit.path('token')}")
    return await _confirm(visit)


async def confirm(visit: Visit) -> Response:
    """The code that the terminal shows, typed by its person under a fresh factor."""
    token = visit.path("token")
    if stale(visit):
        return visit.go(f"/step-up?next=/confirm/{token}")
    digest = code_digest(visit.form.get("code", ""))
    if digest is None:
        return await _confirm(visit, "The code has eight letters, such as BCDF-GHJK.")
    refused = await give_confirmation(visit.services.ledger, visit.me.actor, token, digest.hex())
    if refused is not None and refused.code == "confirmation.stale_factor":
        return visit.go(f"/step-up?next=/confirm/{token}")
    return await _confirm(visit, done=True) if refused is None else await _confirm(visit, refused.message)


async def refuse_confirmation(visit: Visit) -> Response:
    """«This is not me»: the attempt is void at once."""
    await give_confirmation(visit.services.ledger, visit.me.actor, visit.path("token"), "")
    return await _confirm(visit, over=True)


async def _confirm(visit: Visit, error: str = "", *, done: bool = False, over: bool = False) -> Response:
    asked = await visit.services.reader(confirmation, None, visit.path("token"))
    mine = asked is not None and asked.person == visit.me.actor.person
    if asked is not None and not mine and asked.status == "asked" and not error:
        error = "This terminal's key belongs to somebody else; only they may confirm."
    state = "done" if done else "ask"
    if over or asked is None or not mine or (not done and (asked.status != "asked" or asked.expires <= visit.now)):
        state = "over"
    return visit.page(
        ConfirmPage(
            state=state,
            token=visit.path("token"),
            person={"name": visit.me.name},
            source=asked.source if asked and mine else "",
            client="ssh",
            target=asked.resource if asked and mine else "",
            login=asked.login if asked and mine else "",
            ends=asked.expires if asked else visit.now,
            error=error,
            stale=stale(visit),
        ),
        403 if error else 200,
    )


PLACES: tuple[Place, ...] = (
    Place("GET", "/confirm/{token}", MEMBER, confirm_page),
    Place("POST", "/confirm/{token}", MEMBER, confirm),
    Place("POST", "/confirm/{token}/refuse", MEMBER, refuse_confirmation),
)
