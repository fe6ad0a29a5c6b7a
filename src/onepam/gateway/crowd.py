"""The crowd at a listener's door: who has come and has not been let in, how many from where, and who gives way.

A listener has a fixed number of places. Whoever comes gets one; when there are too many, one of those from the most
crowded network gives way, drawn by lot. So a flood from few networks displaces itself and nobody else, and against a
flood from many networks everyone has the same chance, which is what sshd's MaxStartups gives. Addresses from which
somebody signed in before are known: strangers never take the last places. Nothing here counts who is in already.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from onepam.kernel.errors import Refused

MOST_KNOWN = 10_000

BURST, A_SECOND = 512, 100
"""How often one address of strangers may come, whatever becomes of its connections: more is a flood."""

Network = IPv4Network | IPv6Network

WRONG_TIMES = 16
"""As how many of these a wrong secret counts."""

CROWDED = Refused("door.crowded", "Too many connections from this address wait already.", "Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one listener, in connections. `kept` of `most` places are for known addresses alone."""

    most: int
    kept: int
    from_address: int
    from_network: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody comes from: the address, or for IPv6 its /64, which is one customer's; and the network around it,
    an IPv4 /24 or an IPv6 /48."""

    address: str
    network: str

    @classmethod
    def of(cls, source: str) -> "Origin":
        """Of an address as a socket names it; all that is no IP address is one origin."""
        try:
            found = ip_address(source.partition("%")[0])
        except ValueError:
            return cls("", "")
        if isinstance(found, IPv6Address):
            if found.ipv4_mapped is None:
                bits = int(found)
                return cls(f"{IPv6Address(bits >> 64 << 64)}/64", f"{IPv6Address(bits >> 80 << 80)}/48")
            found = found.ipv4_mapped
        return cls(str(found), f"{str(found).rpartition('.')[0]}.0/24")


def written(address: str) -> str:
    """An address as everything writes it: IPv4 where IPv6 only wraps it, as a listener on both names who comes; what is
    no address, as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(found.ipv4_mapped) if isinstance(found, IPv6Address) and found.ipv4_mapped else address


class Known:
    """Addresses from which somebody signed in: the newest `MOST_KNOWN`."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, None] = OrderedDict()

    def remember(self, sources: Iterable[str]) -> None:
        """Somebody signed in from each of them."""
        for source in sources:
            address = Origin.of(source).address
            self._addresses[address] = None
            self._addresses.move_to_end(address)
        while len(self._addresses) > MOST_KNOWN:
            self._addresses.popitem(last=False)

    def __contains__(self, origin: Origin) -> bool:
        return origin.address in self._addresses


class Place:
    """One connection's place in the crowd. `give_way` ends the connection; it may be set once there is one."""

    def __init__(self, crowd: "Crowd", origin: Origin, known: bool) -> None:
        self._crowd = crowd
        self.origin = origin
        self.known = known
        self.give_way: Callable[[], object] = _nothing

    def leave(self) -> None:
        """Whoever stood here has been let in, or is gone; a second time does nothing."""
        self._crowd._leave(self)

    def wrong(self) -> None:
        """Whoever stands here has shown a secret that is not good: their address has spent `WRONG_TIMES` visits."""
        self._crowd._rates.come(self.origin.address, WRONG_TIMES)

    def vouch(self) -> None:
        """Whoever stands here has proven who they are, and waits for a confirmation: strangers do not displace them."""
        self.known = True


Places = dict[Place, None]


class Rates:
    """How often strangers come: each address may come `BURST` times at once and `A_SECOND` times a second from then
    on. `now` is a monotonic clock in seconds; the newest `MOST_KNOWN` addresses are remembered."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def come(self, address: str, times: int = 1) -> bool:
        """Whether this one, which counts as so many, is not too many."""
        now = self._now()
        left, before = self._left.pop(address, (float(BURST), now))
        left = min(float(BURST), left + (now - before) * A_SECOND)
        self._left[address] = (max(0.0, left - times), now)
        if len(self._left) > MOST_KNOWN:
            self._left.popitem(last=False)
        return left >= 1


class Crowd:
    """The places of one listener. `draw(n)` gives a number from 0 to n - 1, by lot. Of `proxies`, which bring many
    people from one address, the connections are not counted: the requests that they bring are."""

    def __init__(
        self,
        limits: Limits,
        known: Known,
        draw: Callable[[int], int],
        proxies: tuple[Network, ...] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = Rates(now)
        self._proxies = proxies
        self._limits = limits
        self._known = known
        self._draw = draw
        self._networks: dict[str, dict[str, Places]] = {}
        self._count = 0
        self.turned_away = 0
        """How many were refused or gave way, ever."""

    def __len__(self) -> int:
        return self._count

    def networks(self) -> int:
        """From how many networks they come."""
        return len(self._networks)

    def arrive(self, source: str) -> Place | Refused:
        """A place for whoever comes from this address. Somebody else may have had to give way for it."""
        origin = Origin.of(source)
        if self._proxies and _within(source, self._proxies):
            return Place(self, origin, True)
        if len(self._networks.get(origin.network, {}).get(origin.address, ())) >= self._limits.from_address:
            self.turned_away += 1
            return CROWDED
        known = origin in self._known
        if not known and not self._rates.come(origin.address):
            self.turned_away += 1
            return CROWDED
        place = Place(self, origin, known)
        self._networks.setdefault(origin.network, {}).setdefault(origin.address, {})[place] = None
        self._count += 1
        gone = self._too_many(origin.network)
        if gone is not None:
            self._give_way(gone)
        return CROWDED if gone is place else place

    def thin(self) -> None:
        """One gives way, because the process has no descriptor left."""
        gone = self._lot(self._of_the_crowded(known=False)) or self._lot(self._of_the_crowded(known=True))
        if gone is not None:
            self._give_way(gone)

    def _give_way(self, place: Place) -> None:
        self.turned_away += 1
        place.leave()
        place.give_way()

    def _too_many(self, network: str) -> Place | None:
        """Who gives way: one of the same network when that took more than its own, a stranger when strangers did,
        anybody when all is taken; None while there is room."""
        there = self._networks[network].values()
        if sum(map(len, there)) > self._limits.from_network:
            return self._lot(_most(there))
        if self._count <= self._limits.most - self._limits.kept:
            return None
        strangers = self._of_the_crowded(known=False)
        if self._count > self._limits.most or self._strangers() > self._limits.most - self._limits.kept:
            return self._lot(strangers) or self._lot(self._of_the_crowded(known=True))
        return None

    def _strangers(self) -> int:
        return sum(not place.known for there in self._networks.values() for these in there.values() for place in these)

    def _of_the_crowded(self, *, known: bool) -> list[Place]:
        """Strangers, or known ones, at the most crowded addresses of the most crowded networks."""
        networks = [
            [[place for place in these if place.known is known] for these in there.values()]
            for there in self._networks.values()
        ]
        most = max((sum(map(len, there)) for there in networks), default=0)
        return [place for there in networks if sum(map(len, there)) == most for place in _most(there)]

    def _lot(self, among: list[Place]) -> Place | None:
        return among[self._draw(len(among))] if among else None

    def _leave(self, place: Place) -> None:
        network, address = place.origin.network, place.origin.address
        there = self._networks.get(network, {})
        if place not in there.get(address, {}):
            return
        del there[address][place]
        self._count -= 1
        if not there[address]:
            del there[address]
        if not there:
            del self._networks[network]


def _most(addresses: Iterable[Iterable[Place]]) -> list[Place]:
    """All places at the addresses that have most of them."""
    counted = [list(these) for these in addresses]
    most = max(map(len, counted), default=0)
    return [place for these in counted if len(these) == most for place in these]


def _within(source: str, networks: tuple[Network, ...]) -> bool:
    try:
        found = ip_address(source.partition("%")[0])
    except ValueError:
        return False
    return any(found in each for each in networks)


def _nothing() -> None:
    pass
