"""Keys of service accounts: a machine proves itself by a registered key alone, so the key is bound to networks.

Of an account that reaches what is privileged a key takes two: what one administrator registered opens nothing
privileged until another has registered the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from onepam.domain.access.authority import Actor, ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved
from onepam.domain.signing_in.rules import MAX_FACTORS, AccountFacts, fresh
from onepam.kernel.clock import FOREVER, Instant
from onepam.kernel.errors import Refused

MAX_NETWORKS = 16
SHORTEST_PREFIX = 8
"""Bits. A wider network would be the whole Internet in a few pieces."""

MAX_NETWORK_CHARACTERS = 43
"""The longest IPv6 network there is, written out."""

_MAPPED = IPv6Network("::ffff:0:0/96")
CONFIRMED = "confirmed"
"""Why a key of one administrator is gone: another registered the same, and that one takes its place."""

_EXAMPLE = "Such as 192.0.2.0/24 or 2001:db8:1::/48"


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A public key to be registered: the parts of its OpenSSH line, and the networks as they were typed."""

    factor: str
    person: str
    label: str
    fingerprint: str
    line: str
    networks: Sequence[str]


@dataclass(frozen=True, slots=True)
class Registered:
    """A key in force: whose it is, who registered it, from which networks, and whether it waits for a second one."""

    factor: str
    person: str
    by: str
    networks: tuple[str, ...]
    waits: bool


@dataclass(frozen=True, slots=True)
class ServiceKeyFacts:
    """The account, the administrator, and the key as it is registered already, to whomever (None: it is not)."""

    account: AccountFacts
    actor: ActorFacts
    registered: Registered | None = None


def register(facts: ServiceKeyFacts, actor: Actor, key: ServiceKey, now: Instant) -> Decided[bool] | Refused:
    """Lets the machine that holds the key sign in as the service account, from these networks only; what another
    administrator registered before is then the word of two. The result is whether it waits for a second one."""
    refused = authorised(facts.actor, ConsoleRight.ADMINISTER, now) or fresh(facts.actor, now)
    refused = refused or _unfit(facts.account, now)
    if refused is not None:
        return refused
    networks = normal_networks(key.networks)
    if isinstance(networks, Refused):
        return networks
    known = facts.registered
    if known is not None and (refused := _not_second(known, facts.actor, key.person, networks)) is not None:
        return refused
    waits = known is None and facts.account.trusted()
    enrolled = FactorEnrolled(
        factor=key.factor,
        person=key.person,
        kind=FactorKind.SSH_KEY,
        policy="",
        privileged_from=FOREVER if waits else None,
        by=actor.person,
        label=key.label,
        reference=key.fingerprint,
        public=key.line,
        networks=networks,
    )
    if known is None:
        return Decided((enrolled,), waits)
    return Decided((FactorRemoved(known.factor, known.person, CONFIRMED, actor.person), enrolled), waits)


def remove(facts: ServiceKeyFacts, actor: Actor, factor: str, now: Instant) -> Decided[None] | Refused:
    """The key opens nothing from now on; sessions that it opened end."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.account.kind is not PersonKind.SERVICE or factor not in [each.factor for each in facts.account.factors]:
        return Refused("service_key.unknown", "This service account has no such key.")
    return Decided((FactorRemoved(factor, facts.account.person, "removed", actor.person),), None)


def normal_networks(texts: Sequence[str]) -> tuple[str, ...] | Refused:
    """The networks in their one way of writing, sorted, each once."""
    if not 1 <= len(texts) <= MAX_NETWORKS:
        return _bad(f"A service key needs 1 to {MAX_NETWORKS} networks that it may come from.")
    networks = set()
    for text in texts:
        network = _network(text.strip())
        if isinstance(network, Refused):
            return network
        networks.add(str(network))
    return tuple(sorted(networks))


def within(source: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of the networks. What is not an address lies in none."""
    try:
        address: IPv4Address | IPv6Address = ip_address(source)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ip_network(each) for each in networks)


def _not_second(known: Registered, actor: ActorFacts, person: str, networks: tuple[str, ...]) -> Refused | None:
    """Why registering a key that is registered already is not a second administrator's word on it."""
    if not known.waits or known.person != person:
        return Refused("service_key.registered", "This key is registered already.", "Every account has its own key.")
    if known.by == actor.person or actor.in_hand((known.by,)):
        message = "It opens nothing privileged until another administrator has registered it, too."
        return Refused("service_key.takes_two", message, "Somebody else must, who is no one hand with you.")
    if known.networks != networks:
        message = f"It was registered from {', '.join(known.networks)}."
        return Refused("service_key.networks", message, "Register it from the same networks, or remove it first.")
    return None


def _unfit(account: AccountFacts, now: Instant) -> Refused | None:
    if account.kind is None:
        return Refused("person.unknown", f"There is no person {account.person}.", "/people")
    if account.kind is not PersonKind.SERVICE:
        return Refused(
            "service_key.person",
            "Only a service account is given a key by somebody else.",
            "People register their own under My factors.",
        )
    if not account.enabled or (account.ends is not None and account.ends <= now):
        return Refused("person.disabled", "This account is disabled.", "Enable it or give it a later end first.")
    if len(account.factors) >= MAX_FACTORS:
        return Refused("factor.many", f"No more than {MAX_FACTORS} keys; remove one first.")
    return None


def _network(text: str) -> IPv4Network | IPv6Network | Refused:
    if len(text) > MAX_NETWORK_CHARACTERS:
        return _bad("This is longer than any network.")
    try:
        network = ip_network(text)
    except ValueError:
        return _bad(f"{text!r} is not a network, or has bits beyond its prefix.")
    if network.prefixlen < SHORTEST_PREFIX:
        return _bad(f"{network} is too wide: a prefix has at least {SHORTEST_PREFIX} bits.")
    if isinstance(network, IPv6Network) and network.overlaps(_MAPPED):
        return _bad(f"{network} holds IPv4 addresses; write them as an IPv4 network.")
    return network


def _bad(message: str) -> Refused:
    return Refused("input.networks", message, _EXAMPLE)
