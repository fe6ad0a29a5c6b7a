"""What a company's directory says by SCIM (RFC 7643, RFC 7644): users, groups, and the tokens that it says it with.

A *user* is the directory's record, a *person* is ours: a user leads to at most one person. A token brings people into
groups that roles are bound to, so one administrator proposes it and it works when another one has approved it.
"""

import unicodedata
from dataclasses import dataclass

from onepam.domain.history.event import event, private
from onepam.kernel.clock import Instant


@event(
    "scim_token.proposed",
    klass="provisioning",
    control="PRV-02 CHG-01",
    words="{by} proposed the SCIM token {name} for {provider}",
)
@dataclass(frozen=True, slots=True)
class ScimTokenProposed:
    """A token that waits for a second administrator. Only its proposer has seen it; `digest` is its hex SHA-256.

    `provider` names the directory whose users and groups it may change. `networks` (CIDR) are where requests may come
    from, empty for anywhere. `end_attribute` is the attribute of a user that holds the end of a vendor's contract. With
    `oauth`, the token is the secret of a client that exchanges it for access tokens of an hour (RFC 6749, section 4.4).
    `domains` are those of the addresses that it may speak of, empty for any.
    """

    token: str
    provider: str
    name: str
    networks: tuple[str, ...]
    end_attribute: str
    ends: Instant
    by: str
    digest: str | None = private()
    oauth: bool = False
    domains: tuple[str, ...] = ()


@event(
    "scim_token.approved",
    klass="provisioning",
    control="PRV-02 CHG-01",
    words="{by} approved the SCIM token of {provider}",
)
@dataclass(frozen=True, slots=True)
class ScimTokenApproved:
    """The token works from now on. `by` is not who proposed it."""

    token: str
    provider: str
    by: str


@event(
    "scim_token.ended",
    klass="provisioning",
    control="CHG-01",
    words="{by} ended the SCIM token of {provider}: {because}",
)
@dataclass(frozen=True, slots=True)
class ScimTokenEnded:
    """The token, or its proposal, is void. `because` is a code, or somebody's words. `by` is None for time."""

    token: str
    provider: str
    because: str
    by: str | None


@event("scim_user.set", klass="provisioning", control="IDN-01 PRV-03", words="{provider} wrote a user[, {person}]")
@dataclass(frozen=True, slots=True)
class ScimUserSet:
    """The directory's user as it is from now on.

    `person` is who it leads to here (None: nobody yet), `trouble` the code of what keeps it from working, "" for none.
    `document` is the JSON that the client sent; it is answered unchanged. `waits_for` is the account, made by hand, to
    which it leads once an administrator agrees.
    """

    user: str
    provider: str
    person: str | None
    active: bool
    version: int
    trouble: str
    token: str
    user_name: str | None = private()
    external_id: str | None = private()
    document: str | None = private()
    waits_for: str | None = None


@event(
    "scim_user.taken_over",
    klass="provisioning",
    control="IDN-01 PRV-02",
    words="{by} agreed that {provider} leads the account of {person}",
)
@dataclass(frozen=True, slots=True)
class AccountTakenOver:
    """An administrator agreed that the provider's user leads to an account that was made by hand."""

    person: str
    provider: str
    user: str
    by: str


@event(
    "scim_user.removed", klass="provisioning", control="OFF-01 OFF-02", words="{provider} removed a user[, {person}]"
)
@dataclass(frozen=True, slots=True)
class ScimUserRemoved:
    """The directory deleted the user. Its person's access ended with it; the history stays."""

    user: str
    provider: str
    person: str | None
    token: str


@event("scim_group.set", klass="provisioning", control="RBC-01", words="{provider} wrote the directory group {name}")
@dataclass(frozen=True, slots=True)
class ScimGroupSet:
    """The directory's group as it is from now on, or its members changed with this `version`."""

    group: str
    provider: str
    version: int
    name: str
    token: str
    external_id: str | None = private()
    document: str | None = private()


@event(
    "scim_group.member_added",
    klass="provisioning",
    control="PRV-01 RBC-01",
    words="The directory group {group} has the member {user}",
)
@dataclass(frozen=True, slots=True)
class ScimGroupMemberAdded:
    """The directory says that the user is a member, whether active or not. One event per member."""

    group: str
    user: str


@event(
    "scim_group.member_removed",
    klass="provisioning",
    control="OFF-01 OFF-05",
    words="The directory group {group} has the member {user} no more",
)
@dataclass(frozen=True, slots=True)
class ScimGroupMemberRemoved:
    """The directory says that the user is no member any more."""

    group: str
    user: str


@event(
    "scim_group.removed",
    klass="provisioning",
    control="RBC-01 OFF-05",
    words="{provider} removed the directory group {name}",
)
@dataclass(frozen=True, slots=True)
class ScimGroupRemoved:
    """The directory deleted the group. `bindings` of access.yaml used it, and reach nobody now."""

    group: str
    provider: str
    name: str
    bindings: tuple[str, ...]
    token: str


def name_key(name: str) -> str:
    """A user's or group's name as it is compared: neither case nor the form of Unicode counts (RFC 7643, caseExact)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
