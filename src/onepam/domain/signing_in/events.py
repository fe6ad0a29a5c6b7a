"""Factors, enrolment and the sessions of the console and the CLI: who proved to be whom, by what, when."""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.proof import MfaBasis
from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


class FactorKind(StrEnum):
    """What a person can prove with. Neither a password nor a provider's word of one factor signs anybody in alone."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind, not a secret
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"
    PROVIDER = "provider"
    SSH_KEY = "ssh_key"

    @property
    def words(self) -> str:
        """As sentences call it."""
        return {"totp": "authenticator app", "recovery": "recovery codes", "ssh_key": "SSH key"}.get(self, self.value)


class SignInKind(StrEnum):
    """Where a sign-in session lives."""

    CONSOLE = "console"
    CLI = "cli"

    @property
    def words(self) -> str:
        """As sentences call it."""
        return "command line" if self is SignInKind.CLI else self.value


@event(
    "enrolment.proposed", klass="identity", control="PRV-02", words="{by} proposed to replace the factors of {person}"
)
@dataclass(frozen=True, slots=True)
class EnrolmentProposed:
    """Replacing the factors of somebody who decides, administers or reaches what is privileged waits for a second
    administrator."""

    enrolment: str
    person: str
    because: str
    by: str


@event(
    "enrolment.announced",
    klass="identity",
    alarm=True,
    control="PRV-02",
    words="{by} may make a link for new factors of {person} from {due} on, since nobody else could decide",
)
@dataclass(frozen=True, slots=True)
class EnrolmentAnnounced:
    """As `enrolment.proposed`, where nobody else could decide: its proposer may make the link from `due` on, unless an
    administrator or the person cancels it."""

    enrolment: str
    person: str
    because: str
    by: str
    due: Instant


@event(
    "enrolment.opened",
    klass="identity",
    control="PRV-03",
    words="{by} made an enrolment link for {person} until {expires}",
)
@dataclass(frozen=True, slots=True)
class EnrolmentOpened:
    """A one-use link by which a person sets a password and a second factor. Its token is kept only as a digest.

    `by` made it, after `proposed_by` proposed it (None where it was no proposal).
    """

    enrolment: str
    person: str
    expires: Instant
    because: str
    by: str | None
    token_digest: str | None = private()
    proposed_by: str | None = None


@event(
    "enrolment.undecided",
    klass="identity",
    alarm=True,
    control="PRV-02",
    words="Nobody else decided on the link that {by} made for new factors of {person}",
)
@dataclass(frozen=True, slots=True)
class EnrolmentUndecided:
    """A finding beside `enrolment.opened`: who proposed the link made it, since nobody else could decide in time."""

    enrolment: str
    person: str
    by: str


@event(
    "enrolment.used",
    klass="identity",
    control="PRV-03",
    words="{person} set a password and a factor by the enrolment link",
)
@dataclass(frozen=True, slots=True)
class EnrolmentUsed:
    """The link has served, and serves nobody again. `makers` are the others by whose hands it came into being: for 30
    days they and the person do not decide for each other."""

    enrolment: str
    person: str
    makers: tuple[str, ...] = ()


@event("enrolment.ended", klass="identity", control="PRV-03", words="The enrolment link of {person} is void: {because}")
@dataclass(frozen=True, slots=True)
class EnrolmentEnded:
    """The link (or the proposal of one) is void before it served."""

    enrolment: str
    person: str
    because: str
    by: str | None


@event(
    "factor.enrolled",
    klass="identity",
    control="MFA-01 MFA-03",
    words="{person} has a new factor: {kind}[, {label}][, enrolled by {by}]",
)
@dataclass(frozen=True, slots=True)
class FactorEnrolled:
    """A factor in force from now on.

    `reference` finds the factor without a secret: a passkey's credential id or an SSH key's fingerprint, else empty.
    `public` is its public half (COSE key in base64url, OpenSSH line); `secret` a password hash, or a sealed TOTP seed,
    or the digests of recovery codes: never a secret in clear. `privileged_from`: after a replacement for somebody with
    rights to decide, to administer or to what is privileged, nothing privileged opens before this; a service account's
    key opens nothing privileged before it. `by` added it; None: it came by a link (`enrolment.used`). `networks`: for
    a service account's key, the CIDR networks that it may come from; None for a person's factor. `challenge` is the
    digest of the challenge that a new passkey has answered, which serves nobody again.
    """

    factor: str
    person: str
    kind: FactorKind
    policy: str
    privileged_from: Instant | None
    by: str | None
    label: str | None = private()
    reference: str | None = private()
    public: str | None = private()
    secret: str | None = private()
    networks: tuple[str, ...] | None = private()
    challenge: str = ""


@event(
    "factor.removed", klass="identity", control="MFA-01 OFF-04", words="{by} removed a factor of {person}: {because}"
)
@dataclass(frozen=True, slots=True)
class FactorRemoved:
    """The factor proves nothing from now on."""

    factor: str
    person: str
    because: str
    by: str | None


@event("factor.used", klass="identity", control="MFA-01", words="{person} used a factor")
@dataclass(frozen=True, slots=True)
class FactorUsed:
    """A factor's moving part: the TOTP step, the passkey's signature counter, the number of a spent recovery code.

    `challenge` is the digest of the challenge that a passkey has answered, which serves nobody again.
    """

    factor: str
    person: str
    counter: int
    challenge: str = ""


@event(
    "sign_in.failed", klass="identity", control="CRD-05", words="{person} failed to sign in with {at_factor}: {code}"
)
@dataclass(frozen=True, slots=True)
class SignInFailed:
    """A refused attempt on a known account. `locked_until` is set when the account is now locked out (back-off).

    `device` is the kind that it came from ("known": the person signed in there before; "strange"), which has its own
    count and lock. The code `sign_in.locked` stands for the first try, right or wrong, during a lock. `provider` is
    whose message was refused, "" where there was none.
    """

    person: str
    at_factor: FactorKind
    code: str
    failures: int
    locked_until: Instant | None
    provider: str = ""
    device: str = "strange"
    source: str | None = private()


@event(
    "sign_in.opened",
    klass="identity",
    control="MFA-01 IDN-03",
    words="{person} signed in to the {kind}[ from {source}]",
)
@dataclass(frozen=True, slots=True)
class SignedIn:
    """A console or CLI session. `proven` are the factors shown, `mfa_at` when; `parent` the session that opened it.

    `basis`, `provider` and `phishing_resistant` are as in `MfaProof`; `methods` are the provider's own words for what
    it saw (`amr`, `acr`, AuthnContextClassRef), `provider_session` and `name_id` what its logout will name.
    """

    session: str
    person: str
    kind: SignInKind
    proven: tuple[FactorKind, ...]
    mfa_at: Instant
    expires: Instant
    parent: str | None
    token_digest: str | None = private()
    source: str | None = private()
    agent: str | None = private()
    basis: MfaBasis = MfaBasis.OWN
    provider: str = ""
    methods: tuple[str, ...] = ()
    phishing_resistant: bool = False
    provider_session: str | None = private()
    name_id: str | None = private()


@event("sign_in.stepped_up", klass="identity", control="MFA-01", words="{person} showed a fresh factor: {factor}")
@dataclass(frozen=True, slots=True)
class SteppedUp:
    """A fresh factor inside a running sign-in session; `basis` is why it counts as made with two from now on.

    `message` names the provider's message that showed it ("" for a factor of ours), which serves nobody again.
    """

    session: str
    person: str
    factor: FactorKind
    mfa_at: Instant
    basis: MfaBasis = MfaBasis.OWN
    phishing_resistant: bool = False
    message: str = ""


@event("sign_in.closed", klass="identity", control="OFF-04", words="A sign-in of {person} ended: {because}")
@dataclass(frozen=True, slots=True)
class SignedOut:
    """The session's token is dead; certificates issued under it too."""

    session: str
    person: str
    because: str
    by: str | None


@event(
    "sign_in.device_allowed",
    klass="identity",
    control="MFA-01 IDN-03",
    words="{person} let a command line without a browser sign in[: {client}][ from {source}]",
)
@dataclass(frozen=True, slots=True)
class DeviceAllowed:
    """The person typed the code of a terminal whose machine has no browser, under a fresh factor: it may open the CLI
    session `session` under their console session `parent`, once, until `expires`.

    `key` is the registered SSH key by which the terminal had named its person before; "" where there was none, and the
    browser came from the terminal's address.
    """

    session: str
    person: str
    parent: str
    expires: Instant
    key: str
    source: str | None = private()
    client: str | None = private()


@event(
    "sign_in.device_refused",
    klass="identity",
    control="MFA-01 IDN-03",
    words="{by} let no command line without a browser sign in: {code}[, {client}][ from {source}]",
)
@dataclass(frozen=True, slots=True)
class DeviceRefused:
    """A wrong code, another person, another address, or "not me": the terminal's attempt is void. `source` is the
    terminal's address."""

    session: str
    by: str
    code: str
    source: str | None = private()
    client: str | None = private()


@event(
    "certificate.issued",
    klass="identity",
    control="MFA-01 OFF-04",
    words="{person} got a client's certificate until {expires}",
)
@dataclass(frozen=True, slots=True)
class CertificateIssued:
    """A person's certificate, for SSH or for databases, under a CLI session. It carries no authority of its own."""

    session: str
    person: str
    serial: int
    expires: Instant
    fingerprint: str
