"""The proof of a second factor: which factors were shown, when, and why they count."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from onepam.kernel.clock import Instant


class MfaBasis(StrEnum):
    """Why a sign-in counts as made with a second factor. Reports keep the five apart.

    `own`: both factors were shown to us. `attested`: the provider's message names a method that counts (RFC 8176 `amr`,
    `acr`, SAML `AuthnContextClassRef`). `declared`: the provider attests nothing, and a dated statement says that it
    demands a second factor; never for administrative roles. `stepped_up`: the first factor at the provider, the second
    one shown to us. `accepted`: no second factor, under a risk acceptance that is in force. `words` are for people.
    """

    words: str

    def __new__(cls, code: str, words: str = "") -> Self:
        """`code` alone finds a member; a member has words."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.words = words
        return member

    OWN = "own", "shown to us"
    ATTESTED = "attested", "attested"
    DECLARED = "declared", "declared"
    STEPPED_UP = "stepped_up", "stepped up here"
    ACCEPTED = "accepted", "accepted risk"


@dataclass(frozen=True, slots=True)
class MfaProof:
    """Which factors, the last of them shown when, in which sign-in session; of a machine `MACHINE`, now, in none
    (empty).

    `basis` says why it counts as a second factor, `provider` who saw the first one ("" for ourselves).
    `phishing_resistant` is of the factor that was shown at `at`.
    """

    session: str
    factors: tuple[str, ...]
    at: Instant
    basis: MfaBasis = MfaBasis.OWN
    provider: str = ""
    phishing_resistant: bool = False
