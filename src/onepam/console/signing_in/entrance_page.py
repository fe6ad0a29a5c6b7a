"""Entrance: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class SignInPage(PageContext):
    """Sign-in, in two steps on one page.

    `login`: as typed ("" at first)
    `error`: ("" when none): never says whether the person exists
    `methods`: list of "totp" | "passkey" (step second)
    `passkey`: {options, verify}: paths of the island's endpoints
    `next`: the path to open afterwards
    `providers`: list of {id, name}: identity providers (step password)
    `through`: "provider" where the first step was made there, else "" (step second)
    `note`: what has just happened, such as signing out ("" when nothing)
    `step`: "password" | "second"
    """

    template: ClassVar = "sign_in.html"

    login: str
    error: str
    hint: str
    methods: list[str]
    passkey: Context
    next: str
    providers: list[Context]
    through: str
    note: str
    step: str


@dataclass(frozen=True, slots=True)
class RecoveryPage(PageContext):
    """A recovery code after the password; it opens nothing but the way to enrol anew.

    `error`: "" when none
    """

    template: ClassVar = "recovery.html"

    error: str


@dataclass(frozen=True, slots=True)
class StepUpPage(PageContext):
    """A fresh second factor inside a session.

    `methods`: list of "totp" | "passkey"
    `passkey`: {options, verify}
    `next`: the path to go on with
    `leads`: none | {href, word}, the page of the side bar that it belongs to
    `error`: "" when none
    `provider`: the identity provider that can confirm ("" where none can)
    """

    template: ClassVar = "step_up.html"

    methods: list[str]
    passkey: Context
    next: str
    leads: Context | None
    error: str
    provider: str


@dataclass(frozen=True, slots=True)
class CliAuthorizePage(PageContext):
    """Confirming `onepam login`. Served with rendering.CLI_AUTHORIZE_CSP, because its answer redirects to loopback.

    `person`: {name}
    `client`: host name and user the CLI reports
    `source`: address
    `redirect`: the loopback address the code goes to (shown as text)
    `state`: the opaque value handed back
    `hours`: how long the CLI session will last
    """

    template: ClassVar = "cli_authorize.html"

    person: Context
    client: str
    source: str
    redirect: str
    state: str
    hours: int


@dataclass(frozen=True, slots=True)
class EnrolPage(PageContext):
    """Enrolment by a one-use link.

    `person`: {name, login}
    `provider`: the identity provider that stands in place of a password ("" where there is none)
    `token`: the link's token (part of every form's address)
    `ends`: when the link ends
    `errors`: {field: message}
    `min_length`: characters of a password
    `passkey`: {options, verify}
    `totp`: {svg (a data: address of the QR code), secret (grouped text), account} in the step totp, else none
    `codes`: recovery codes, shown once, in the step codes
    `step`: "password" | "factor" | "totp" | "codes" | "done"
    """

    template: ClassVar = "enrol.html"

    person: Context
    provider: str
    token: str
    ends: Instant
    errors: Context
    min_length: int
    passkey: Context
    totp: Context | None
    codes: list[str]
    step: str
