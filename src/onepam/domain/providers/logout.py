"""Signing out because the provider says so: the sign-ins it opened end, and the command-line sessions under them.

The live gateway sessions of such a sign-in end, too: gateway/live.py follows the event. A message of the provider's
serves once, whichever node it comes to.
"""

from dataclasses import dataclass
from hashlib import sha256

from onepam.domain.history.commit import Decided
from onepam.domain.providers.events import ProviderLoggedOut
from onepam.domain.signing_in.events import SignedOut
from onepam.kernel.errors import Refused

BECAUSE = "provider.logout"
"""The code under which they end."""

MOST = 1_000
"""Sign-ins that one notice ends."""

USED = Refused("sign_in.replayed", "This logout was used already.")


@dataclass(frozen=True, slots=True)
class LogoutFacts:
    """Whether the message served before; (session, person) of the running sign-ins that it names, and of those under
    them."""

    used: bool
    sign_ins: tuple[tuple[str, str], ...]


def message_digest(unique: str) -> str:
    """By which a message is known again (`ProviderLoggedOut`)."""
    return sha256(unique.encode()).hexdigest()


def end(facts: LogoutFacts, provider: str, unique: str) -> Decided[int] | Refused:
    """Ends them all; the result is how many. `unique` is the provider's id of the message."""
    if facts.used:
        return USED
    ended = tuple(SignedOut(session, person, BECAUSE, None) for session, person in facts.sign_ins)
    return Decided((ProviderLoggedOut(provider, message_digest(unique), len(ended)), *ended), len(ended))
