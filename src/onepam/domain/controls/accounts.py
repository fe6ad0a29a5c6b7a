"""The rules of accounts against the staff roster: whose an account is, and when a vendor's access ends."""

from dataclasses import dataclass

from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import DAY, Instant

AHEAD = 90 * DAY
"""How far ahead a vendor's access may end (microseconds)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An enabled account and what the roster says of it: `listed` living entries, the earliest end of a contract among
    them, and whether whoever answers for it has an account that one living entry bears out."""

    kind: PersonKind
    listed: int
    contract_ends: Instant | None
    ends: Instant | None
    owner: str | None
    owner_listed: bool


def of_account(each: Standing, at: Instant) -> list[str]:
    """Why an account is not one person's, or a service's that somebody owns."""
    if each.kind is PersonKind.SERVICE:
        if each.owner is None:
            return ["a service without an owner"]
        return [] if each.owner_listed else ["a service whose owner is not on the roster"]
    return _of_listing(each)


def of_vendor(each: Standing, at: Instant) -> list[str]:
    """Why a vendor's access has no sponsor or no end."""
    found = _of_listing(each)
    if each.owner is None:
        found.append("no sponsor")
    elif not each.owner_listed:
        found.append("the sponsor is not on the roster")
    if each.contract_ends is None:
        found.append("no contract end")
    if each.ends is None:
        found.append("access without an end")
    elif each.contract_ends is not None and each.ends > each.contract_ends:
        found.append("access outlasts the contract")
    elif each.ends > at + AHEAD:
        found.append("access ends more than 90 days ahead")
    return found


def _of_listing(each: Standing) -> list[str]:
    if each.listed == 1:
        return []
    return ["on the roster more than once"] if each.listed else ["on no roster, or has left it"]
