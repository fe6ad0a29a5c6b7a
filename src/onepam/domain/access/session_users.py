"""Logins of a database that are no accounts: for each session a user is made, and dropped when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionUsers:
    """The account `made_by` makes a user for each session of the logins in `member_of`: a member of the role of the
    server that stands there for the login."""

    made_by: str
    member_of: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Making:
    """What the user of one session is: a member of `role`, made by the account `made_by`."""

    made_by: str
    role: str


def making(users: SessionUsers | None, login: str) -> Making | None:
    """How sessions of this login get their user; None where the login is an account."""
    if users is None or login not in users.member_of:
        return None
    return Making(users.made_by, users.member_of[login])
