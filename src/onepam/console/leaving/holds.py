"""The word of an administrator on what a directory did: accounts whose end is held, accounts that it may lead."""

from collections.abc import Sequence

from starlette.responses import Response

from onepam.app.leaving.decide_hold import decide_holds
from onepam.app.provisioning.provision_user import agree_to_takeover
from onepam.console.frame.page import Context
from onepam.console.frame.places import ADMINISTERS, Place
from onepam.console.frame.rendering import Flash, plural
from onepam.console.frame.visit import Visit
from onepam.domain.leaving.brake import HoldReason
from onepam.domain.leaving.leaving import END
from onepam.domain.provisioning.take_over import Shown
from onepam.kernel.clock import DAY
from onepam.kernel.errors import Refused
from onepam.store.read.directory_brake import HeldPerson, held_people, own_words, reported_leavers

BACK = "/provisioning"
OWN_WORD_SHOWN = 30 * DAY
"""How long a last administrator's word on himself stands on the page (microseconds)."""

ORIGINS = {END: "An end date or a missing sponsor, as directories write them,"}
"""How an origin is said that is no directory."""

REASONS = {
    HoldReason.LAST_ADMINISTRATOR: "the last administrator who can sign in: keeps the console, and nothing else",
    HoldReason.LAST_ADMINISTRATORS_GROUP: "the last administrator who can sign in, without the group that administers: "
    "keeps the console, and nothing else",
    HoldReason.MANY: "one of many in an hour: keeps the account, and no right",
}


async def keep(visit: Visit) -> Response:
    """The account goes on, with the rights that it had."""
    return await _decided(visit, (visit.path("person"),), True)


async def end_held(visit: Visit) -> Response:
    """The account ends now."""
    return await _decided(visit, (visit.path("person"),), False)


async def keep_all(visit: Visit) -> Response:
    """All accounts of one hold go on."""
    return await _decided(visit, await _under(visit), True)


async def end_all(visit: Visit) -> Response:
    """All accounts of one hold end now."""
    return await _decided(visit, await _under(visit), False)


async def agree(visit: Visit) -> Response:
    """A directory may lead the account, made by hand, that the page named."""
    version = visit.form.get("version", "")
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    seen = Shown(visit.path("user"), number, visit.form.get("person", ""))
    outcome = await agree_to_takeover(visit.services.ledger, visit.me.actor, seen)
    if not isinstance(outcome, Refused):
        return visit.outcome(None, BACK, "The directory leads this account from now on.")
    return _refused(visit, outcome)


async def shown(visit: Visit) -> Context:
    """What the page says of holds."""
    reader, at = visit.services.reader, visit.at
    names: dict[str, list[Context]] = {}
    held = await reader(held_people, at)
    for each in held:
        names.setdefault(each.hold, []).append(_shown(each))
    return {
        "holds": [
            {"id": hold, "people": people, "decide_by": people[0]["decide_by"], "origin": people[0]["origin"]}
            for hold, people in names.items()
        ],
        "reported": [
            {"id": each.person, "name": each.name, "origin": each.origin, "because": each.because, "began": each.began}
            for each in await reader(reported_leavers, at)
        ],
        "own_words": [
            {"person": each.person, "name": each.name, "at": each.decided}
            for each in await reader(own_words, at)
            if each.decided > visit.now - OWN_WORD_SHOWN
        ],
    }


def _shown(each: HeldPerson) -> Context:
    return {
        "id": each.person,
        "name": each.name,
        "because": each.because,
        "origin": ORIGINS.get(each.origin, each.origin),
        "reason": REASONS[each.reason],
        "began": each.began,
        "decide_by": each.decide_by,
    }


async def _under(visit: Visit) -> Sequence[str]:
    hold = visit.path("hold")
    return [each.person for each in await visit.services.reader(held_people) if each.hold == hold]


async def _decided(visit: Visit, people: Sequence[str], kept: bool) -> Response:
    reason = visit.form.get("reason", "")
    done, refused = await decide_holds(visit.services.ledger, visit.me.actor, people, kept, reason)
    if refused is not None:
        return _refused(visit, refused)
    number = plural(done, "account", "accounts")
    return visit.outcome(None, BACK, f"{number} kept." if kept else f"{number} ended.")


def _refused(visit: Visit, refused: Refused) -> Response:
    if refused.code == "factor.stale":
        return visit.go(f"/step-up?next={BACK}", Flash("note", refused.message))
    if refused.code.endswith(".unknown"):
        return visit.refusal(refused, 404)
    return visit.outcome(refused, BACK, "")


PLACES = (
    Place("POST", "/provisioning/held/{person}/keep", ADMINISTERS, keep),
    Place("POST", "/provisioning/held/{person}/end", ADMINISTERS, end_held),
    Place("POST", "/provisioning/holds/{hold}/keep", ADMINISTERS, keep_all),
    Place("POST", "/provisioning/holds/{hold}/end", ADMINISTERS, end_all),
    Place("POST", "/provisioning/users/{user}/agree", ADMINISTERS, agree),
)
