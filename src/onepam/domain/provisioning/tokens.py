"""Tokens of SCIM clients: a proposal (`domain/access/proposal.py`) of one administrator, ended by any."""

import ipaddress
import re
from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import RULES, Proposal, ProposalKind, judge, may_propose
from onepam.domain.history.commit import Decided
from onepam.domain.provisioning.events import ScimTokenApproved, ScimTokenEnded, ScimTokenProposed
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

LONGEST_TOKEN = 400 * DAY
MOST_TOKENS = 50
MOST_NETWORKS = 50
MOST_DOMAINS = 100
MAX_NAME_CHARACTERS = 60
END_ATTRIBUTE = "urn:onepam:params:scim:schemas:extension:access:2.0:User:endDate"
"""Where a vendor's end is read, if the token does not say otherwise."""

_RULES = RULES[ProposalKind.SCIM_TOKEN]
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9-]{0,39}|idp_[a-z2-7]{16}", re.ASCII)
"""A name of the administrator's choice, or an identity provider of ours."""
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[^\s@/]{1,63}(\.[^\s@/.]{1,63})+")
_ATTRIBUTE = re.compile(r"[A-Za-z0-9$_.:-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as of the decision. `approved` is whether a second administrator let it work."""

    token: str
    provider: str
    approved: bool
    ends: Instant
    domains: tuple[str, ...] = ()

    def works(self, now: Instant) -> bool:
        """Whether requests with it are taken."""
        return self.approved and now < self.ends

    def speaks_for(self, email: str) -> bool:
        """Whether the address is of a domain of the token's; of any, where it names none."""
        return not self.domains or email.rpartition("@")[2] in self.domains


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The actor, the token (None where there is none), how many tokens and proposals there are, and the proposal of
    the token while it waits."""

    actor: ActorFacts
    token: Token | None
    count: int
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class TokenWish:
    """A token as it is proposed; `digest` is the hex SHA-256 of what only the proposer has seen. With `oauth` it is a
    client's secret, which is exchanged for access tokens and opens nothing by itself."""

    token: str
    provider: str
    name: str
    networks: tuple[str, ...]
    end_attribute: str
    ends: Instant
    digest: str
    oauth: bool = False
    domains: tuple[str, ...] = ()


def propose(facts: TokenFacts, wish: TokenWish, now: Instant) -> Decided[None] | Refused:
    """The token waits for another administrator; until then it opens nothing."""
    if (refused := may_propose(facts.actor, _RULES, now)) is not None:
        return refused
    if facts.token is not None:
        return Refused("scim_token.taken", "There is such a token already.", "Propose it again.")
    name = plain_text(wish.name, MAX_NAME_CHARACTERS, what="name")
    if isinstance(name, Refused):
        return name
    if not _PROVIDER.fullmatch(wish.provider):
        return Refused("scim_token.provider", "A provider's name is 1 to 40 of a-z, 0-9 and dashes.", "Such as okta.")
    if not _ATTRIBUTE.fullmatch(wish.end_attribute):
        return Refused("scim_token.end_attribute", "The attribute of the end is not a SCIM attribute.", END_ATTRIBUTE)
    if not now < wish.ends <= now + LONGEST_TOKEN:
        return Refused("scim_token.ends", f"A token ends within {LONGEST_TOKEN // DAY} days.", "Choose an earlier end.")
    if facts.count >= MOST_TOKENS:
        return Refused("scim_token.many", f"There are {facts.count} tokens already.", "End those that nobody uses.")
    networks = _networks(wish.networks)
    if isinstance(networks, Refused):
        return networks
    domains = tuple(dict.fromkeys(each.strip().strip("@").casefold() for each in wish.domains))
    if len(domains) > MOST_DOMAINS or not all(_DOMAIN.fullmatch(each) for each in domains):
        return Refused("scim_token.domains", "That is not a list of mail domains.", "Such as example.com.")
    proposed = ScimTokenProposed(
        token=wish.token,
        provider=wish.provider,
        name=name,
        networks=networks,
        end_attribute=wish.end_attribute,
        ends=wish.ends,
        by=facts.actor.person,
        digest=wish.digest,
        oauth=wish.oauth,
        domains=domains,
    )
    return Decided((proposed,), None)


def approve(facts: TokenFacts, now: Instant) -> Decided[Refused | None] | Refused:
    """The token works from now on. Only its proposer knows it: so it falls with them, and nobody approves their own."""
    token, by = facts.token, facts.actor.person
    if token is None or facts.proposal is None:
        return Refused("scim_token.unknown", "No such token waits for approval.", "/provisioning")
    if (no := judge(facts.proposal, facts.actor, _RULES, now)) is not None:
        return no.answer(ScimTokenEnded(token.token, token.provider, no.refused.code, by))
    return Decided((ScimTokenApproved(token.token, token.provider, by),), None)


def end(facts: TokenFacts, because: str, now: Instant) -> Decided[None] | Refused:
    """The token or its proposal is void: what only takes away needs one administrator."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.token is None:
        return Refused("scim_token.unknown", "There is no such token.", "/provisioning")
    why = plain_text(because, 200, what="reason")
    if isinstance(why, Refused):
        return why
    return Decided((ScimTokenEnded(facts.token.token, facts.token.provider, why, facts.actor.person),), None)


def _networks(networks: tuple[str, ...]) -> tuple[str, ...] | Refused:
    if len(networks) > MOST_NETWORKS:
        return Refused("scim_token.networks", f"At most {MOST_NETWORKS} networks.", "Join some of them.")
    try:
        return tuple(str(ipaddress.ip_network(each.strip())) for each in networks)
    except ValueError as error:
        return Refused("scim_token.networks", f"That is not a network: {str(error)[:120]}.", "Such as 203.0.113.0/24.")
