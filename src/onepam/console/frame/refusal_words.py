"""Why a provider's people stay outside, and what an administrator does about it."""

from onepam.console.frame.page import Context
from onepam.store.read.providers import RefusedCount

CAUSES: dict[str, tuple[str, str]] = {
    "groups.left_out": (
        "Groups with odd names were left out; people came in without them.",
        "Rename them at the provider: no white space around, nothing invisible, at most 200 characters.",
    ),
    "sign_in.nobody": (
        "Nobody here has this identity or address.",
        "Look at its mail domains, at email_verified there, and whether the people are here. The test says it of one.",
    ),
    "sign_in.no_factor": (
        "A second factor is missing, here and there.",
        "Make an enrolment link for the person, or let people enrol by themselves.",
    ),
    "sign_in.other_identity": (
        "The person has another account at the provider, or signs in without it and came by another directory.",
        "Disable one of the two accounts there, or unlink the identity here; feed people by the provider's own token.",
    ),
    "sign_in.stale": ("The provider saw the factors too long ago.", "Shorten the sign-in session at the provider."),
    "sign_in.replayed": ("A message was used a second time.", "If it goes on, look for who repeats it."),
    "oidc.exchange": (
        "The provider does not take our client secret or code.",
        "Compare client id, secret and redirect URI with the provider's; propose the new secret.",
    ),
    "oidc.groups_overage": (
        "People are in more groups than the provider puts into a sign-in.",
        "Let it send only the groups assigned to this application, or bring groups by SCIM.",
    ),
    "oidc.demand": ("A claim that is demanded was missing.", "Look at the demanded claims below."),
    "oidc.clock": ("The clocks differ.", "Set both clocks by NTP."),
    "saml.signature": (
        "The signature does not fit the provider's certificate.",
        "Its key may have changed: its metadata is read again by itself where it has an address; else paste it anew.",
    ),
    "other.cause": ("Another cause.", "Use the test of the provider."),
}
_FAMILIES: dict[str, tuple[str, str]] = {
    "fetch": ("The provider could not be reached.", "Is it up, and may the gateway connect to it (egress)?"),
    "oidc": ("The provider's answer was not taken.", "Use the test of the provider: it says what is wrong."),
    "saml": ("The provider's answer was not taken.", "Use the test of the provider: it says what is wrong."),
    "sign_in": ("Somebody was not let in.", "Use the test of the provider: it says what is wrong."),
}


def shown(found: list[RefusedCount]) -> list[Context]:
    """Each cause in words."""
    return [_shown(each) for each in found]


def _shown(each: RefusedCount) -> Context:
    family = _FAMILIES.get(each.cause.partition(".")[0], CAUSES["other.cause"])
    why, what_to_do = CAUSES.get(each.cause, family)
    return {"why": why, "what_to_do": what_to_do, "cause": each.cause, "count": each.count, "last": each.last}
