"""Factors: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class FactorsPage(PageContext):
    """The reader's own factors and keys.

    `passkeys`: list of {id, name, since, last_used (or none), device (str)}
    `totp`: none, or {id, since, last_used (or none)}
    `recovery`: {left (int), made (Instant or none)}
    `new_codes`: shown once, right after they were made ([] otherwise)
    `keys`: list of {id, name, fingerprint, algorithm, since, last_used (or none)}
    `cli`: list of {id, machine, since, ends, source}: sessions of the command line
    `passkey`: {options, verify}
    `may_remove`: false while only one factor is left
    `errors`: {field: message}
    `asked`: none, or {by (str), alone (Instant or none), decision (parts/decision.html)}: somebody asks to set all of
        them anew by a link
    `notice`: such as "opens nothing privileged for an hour" ("" when none)
    """

    template: ClassVar = "factors.html"

    passkeys: list[Context]
    totp: Context | None
    recovery: Context
    new_codes: list[str]
    keys: list[Context]
    cli: list[Context]
    passkey: Context
    may_remove: bool
    errors: Context
    notice: str
    asked: Context | None


@dataclass(frozen=True, slots=True)
class TotpPage(PageContext):
    """Setting up an authenticator app.

    `svg`: data: address of the QR code
    `typed`: the seed as it is typed in, in groups
    `error`: "" when none
    """

    template: ClassVar = "totp.html"

    svg: str
    typed: str
    error: str
