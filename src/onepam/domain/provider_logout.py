"""Signing out because the provider says so: the sign-ins it opened end, and the command-line sessions under them.

The live gateway sessions of such a sign-in end, too: gateway/live.py follows the event.
"""

from dataclasses import dataclass

from onepam.domain.commit import Decided
from onepam.domain.sign_in import SignedOut

BECAUSE = "provider.logout"
"""The code under which they end."""

MOST = 1_000
"""Sign-ins that one notice ends."""


@dataclass(frozen=True, slots=True)
class LogoutFacts:
    """(session, person) of the running sign-ins that the notice names, and of those under them."""

    sign_ins: tuple[tuple[str, str], ...]


def end(facts: LogoutFacts) -> Decided[int]:
    """Ends them all; the result is how many."""
    ended = tuple(SignedOut(session, person, BECAUSE, None) for session, person in facts.sign_ins)
    return Decided(ended, len(ended))
