"""What a person's origin, state and second factor are called."""

from onepam.console.frame.rendering import plural
from onepam.console.frame.wording import FACTORS
from onepam.domain.access.proof import MfaBasis
from onepam.domain.people.events import ADMINISTRATOR, PersonKind
from onepam.kernel.clock import DAY, Instant
from onepam.store.read.everybody import ENDS_SOON, PersonRow
from onepam.store.read.second_factor import OWN

STATES = {"active": "Active", "invited": "Invited", "ending": "Ending soon", "disabled": "Disabled"}
ORIGINS = {"administrator": "Added here", "scim": "SCIM", "claims": "First sign-in at a provider", "roster": "Roster"}
FACTOR_FILTER = {
    "own": "Own passkey or app",
    "attested": "Attested by a provider",
    "declared": "Declared",
    "accepted": "Accepted risk",
    "none": "None yet",
}


def origin_words(origin: str, provider: str) -> str:
    """`added here`, `SCIM from Okta`, `first sign-in at Okta`, `roster`."""
    way, _, ident = origin.partition(":")
    named = provider or ident
    if way == "scim":
        return f"SCIM from {named}" if named else "SCIM"
    if way == "claims":
        return f"first sign-in at {named}" if named else "first sign-in at a provider"
    return {ADMINISTRATOR: "added here", "end": "its end came"}.get(way, way)


def state_of(row: PersonRow, now: Instant) -> str:
    """A key of `STATES`; a machine is never invited, and its end is the rule."""
    if not row.enabled or (row.ends is not None and row.ends <= now):
        return "disabled"
    if row.kind is PersonKind.SERVICE:
        return "active"
    if row.ends is not None and row.ends - now < ENDS_SOON:
        return "ending"
    return "invited" if row.invited else "active"


def second_factor(row: PersonRow) -> tuple[str, list[str]]:
    """How sure the second factor is (`proven`, `untested`, `due`, `plain` for a machine), and what there is of it."""
    if row.kind is PersonKind.SERVICE:
        return "plain", [FACTORS["machine"]]
    said = [FACTORS[kind] for kind in OWN if kind in row.factors]
    state, last = "proven" if said else "due", row.last
    if last is not None and last.basis is MfaBasis.ATTESTED:
        state, said = "proven", [*said, f"attested by {last.provider_name}"]
    elif last is not None and last.basis is MfaBasis.DECLARED:
        state, said = ("proven" if said else "untested"), [*said, f"declared of {last.provider_name}"]
    elif last is not None and last.basis is MfaBasis.ACCEPTED:
        state, said = ("proven" if said else "due"), [*said, "accepted risk"]
    return state, said


def days_left(ends: Instant, now: Instant) -> str:
    """`ends in 5 days`, `ends today`."""
    days = (ends - now) // DAY
    return f"ends in {plural(days, 'day')}" if days else "ends today"
