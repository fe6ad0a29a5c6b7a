"""What is written down of policy documents: each version by its digest, who looked it through, who confirmed it.

The document itself is in no entry: it lies beside the ledger under its digest, and whoever has it can hold it against
the entry.
"""

from dataclasses import dataclass

from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


@event(
    "policy.published",
    klass="policy",
    control="CHG-01",
    words="{by} published version {version} of the policy {policy}, which {owner} answers for[: {note}]",
)
@dataclass(frozen=True, slots=True)
class PolicyPublished:
    """From now on this version is in force; the first is 1, and each follows the one before.

    `digest` is the hex SHA-256 of the document, `size` its length (bytes), `media` its media type. `owner` answers for
    it and looks it through by `review_by`. Whoever holds one of the roles `readers` is to read and confirm it; where
    there are none, everybody with an account. `note` says what is new.
    """

    policy: str
    version: int
    title: str
    digest: str
    size: int
    media: str
    owner: str
    review_by: Instant
    readers: tuple[str, ...]
    by: str
    note: str | None = private()


@event(
    "policy.looked_through",
    klass="policy",
    control="CHG-01",
    words="{by} looked version {version} of the policy {policy} through, the next time by {review_by}[: {note}]",
)
@dataclass(frozen=True, slots=True)
class PolicyLookedThrough:
    """Its owner, or an administrator, found that this version is right as it is."""

    policy: str
    version: int
    review_by: Instant
    by: str
    note: str | None = private()


@event(
    "policy.confirmed",
    klass="policy",
    control="CHG-01",
    words="{by} confirmed having read version {version} of the policy {policy}",
)
@dataclass(frozen=True, slots=True)
class PolicyConfirmed:
    """Somebody read exactly the document with this digest, and says so."""

    policy: str
    version: int
    digest: str
    by: str


@event(
    "policy.reminded",
    klass="policy",
    control="CHG-01",
    words="{person} was told that version {version} of the policy {policy} waits to be read and confirmed",
)
@dataclass(frozen=True, slots=True)
class PolicyReminded:
    """Whoever is to read it and has not confirmed it was told so, for the `times`-th time; the first with its
    publication."""

    policy: str
    version: int
    person: str
    times: int


@event("policy.retired", klass="policy", control="CHG-01", words="{by} retired the policy {policy}[: {because}]")
@dataclass(frozen=True, slots=True)
class PolicyRetired:
    """No version of it is in force any more. Its history stays, and so do its documents."""

    policy: str
    by: str
    because: str | None = private()
