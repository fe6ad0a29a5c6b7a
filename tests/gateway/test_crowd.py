"""Who gets a place at a listener's door, and who gives way."""

from functools import partial
from ipaddress import ip_network
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.gateway.crowd import (
    A_SECOND,
    BURST,
    MOST_KNOWN,
    WRONG_TIMES,
    Crowd,
    Known,
    Limits,
    Origin,
    Place,
    Rates,
    written,
)

LIMITS = Limits(most=20, kept=5, from_address=8, from_network=12)


class Hall:
    """A crowd and everybody in it; the lot always falls on the first."""

    def __init__(self, limits: Limits = LIMITS, known: Known | None = None, lot: int = 0) -> None:
        self.crowd = Crowd(limits, known or Known(), lambda among: min(lot, among - 1))
        self.here: list[tuple[str, Place]] = []

    def come(self, source: str) -> Place | None:
        place = self.crowd.arrive(source)
        if not isinstance(place, Place):
            return None
        entry = (source, place)
        self.here.append(entry)
        place.give_way = lambda: self.here.remove(entry)
        return place

    def count(self, prefix: str) -> int:
        return sum(source.startswith(prefix) for source, _ in self.here)


@pytest.mark.parametrize(
    ("source", "address", "network"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "", ""),
        ("unknown", "", ""),
    ],
)
def test_where_somebody_comes_from(source: str, address: str, network: str) -> None:
    assert Origin.of(source) == Origin(address, network)


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_who_comes_by_ipv4_to_a_listener_on_both_is_known_by_it(named: str, known: str) -> None:
    assert written(named) == known


def test_one_address_has_its_share_and_no_more() -> None:
    hall = Hall()
    assert all(hall.come("192.0.2.1") for _ in range(8))
    assert hall.come("192.0.2.1") is None
    assert hall.crowd.turned_away == 1
    assert hall.come("192.0.2.2")
    hall.here[0][1].leave()
    assert hall.come("192.0.2.1")


def test_in_a_full_network_its_most_crowded_address_gives_way() -> None:
    hall = Hall()
    for _ in range(8):
        hall.come("192.0.2.1")
    for last in range(2, 6):
        hall.come(f"192.0.2.{last}")
    assert hall.come("192.0.2.9")
    assert (hall.count("192.0.2.1"), len(hall.crowd)) == (7, 12)


def test_a_flood_from_few_networks_displaces_itself_and_nobody_else() -> None:
    """The newcomer gets in at once, however full it is."""
    hall = Hall(lot=999)
    hall.come("203.0.113.5")
    for number in range(200):
        hall.come(f"198.51.{number % 3}.{number % 7}")
    assert hall.count("203.0.113.5") == 1
    assert hall.come("192.0.2.1")
    assert hall.count("192.0.2.1") == 1
    assert len(hall.crowd) == LIMITS.most - LIMITS.kept


def test_against_a_flood_from_many_networks_everyone_has_the_same_chance() -> None:
    """No network has more than another, so the lot is drawn among all, the newcomer included."""
    hall = Hall(lot=999)
    for number in range(15):
        assert hall.come(f"198.51.{number}.1")
    assert hall.come("192.0.2.1") is None  # the lot fell on the last
    first = Hall(lot=0)
    for number in range(16):
        assert first.come(f"198.51.{number}.1")
    assert first.count("198.51.0.1") == 0


def test_strangers_never_take_the_last_places() -> None:
    known = Known()
    known.remember(["192.0.2.1"])
    hall = Hall(known=known, lot=999)
    for number in range(500):
        hall.come(f"198.51.{number % 256}.1")
    assert len(hall.crowd) == 15
    assert all(hall.come("192.0.2.1") for _ in range(5))
    assert len(hall.crowd) == 20
    assert hall.come("192.0.2.1")
    assert (hall.count("192.0.2.1"), len(hall.crowd)) == (6, 20)


def test_known_ones_alone_give_way_among_themselves() -> None:
    known = Known()
    known.remember([f"198.51.{number}.1" for number in range(3)])
    hall = Hall(known=known)
    for number in range(60):
        hall.come(f"198.51.{number % 3}.1")
    assert len(hall.crowd) == 20
    assert sorted(hall.count(f"198.51.{number}.1") for number in range(3)) == [6, 7, 7]


def test_whoever_has_proven_who_they_are_is_not_displaced_by_strangers() -> None:
    hall = Hall()
    place = hall.come("198.51.0.1")
    assert place is not None
    place.vouch()
    for number in range(500):
        hall.come(f"198.51.{number % 256}.{number % 3}")
    assert hall.count("198.51.0.1") >= 1
    assert ("198.51.0.1", place) in hall.here


def test_who_leaves_counts_no_more_and_twice_is_once() -> None:
    hall = Hall()
    place = hall.come("192.0.2.1")
    other = hall.come("192.0.2.1")
    assert place
    assert other
    place.leave()
    place.leave()
    assert (len(hall.crowd), hall.crowd.networks()) == (1, 1)
    other.leave()
    assert (len(hall.crowd), hall.crowd.networks()) == (0, 0)


def test_without_a_descriptor_one_stranger_gives_way_else_one_known() -> None:
    known = Known()
    known.remember(["192.0.2.1"])
    hall = Hall(known=known)
    hall.crowd.thin()
    for source in ("192.0.2.1", "192.0.2.1", "198.51.0.1"):
        hall.come(source)
    hall.crowd.thin()
    assert [source for source, _ in hall.here] == ["192.0.2.1", "192.0.2.1"]
    hall.crowd.thin()
    assert len(hall.crowd) == 1


def test_connections_of_trusted_proxies_are_not_counted() -> None:
    crowd = Crowd(LIMITS, Known(), lambda among: 0, (ip_network("10.0.0.0/29"), ip_network("2001:db8::/64")))
    for source in ("10.0.0.5", "2001:db8::1"):
        for _ in range(100):
            place = crowd.arrive(source)
            assert isinstance(place, Place)
            place.leave()
    assert (len(crowd), crowd.turned_away) == (0, 0)
    assert isinstance(crowd.arrive("not an address"), Place)
    assert len(crowd) == 1


def test_of_known_addresses_the_newest_are_kept() -> None:
    known = Known()
    known.remember(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(MOST_KNOWN + 1))
    assert Origin.of("10.0.0.0") not in known
    assert Origin.of("10.0.0.1") in known
    known.remember(["10.0.0.1", "192.0.2.1"])
    assert Origin.of("10.0.0.1") in known
    assert Origin.of("10.0.0.2") not in known


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.booleans()), max_size=200), st.randoms())
def test_no_bound_is_ever_passed(comings: list[tuple[int, int, bool]], random: Random) -> None:
    known = Known()
    known.remember(f"198.51.{network}.0" for network in range(3))
    crowd = Crowd(LIMITS, known, random.randrange)
    here: list[Place] = []
    for network, address, leaves in comings:
        place = crowd.arrive(f"198.51.{network}.{address}")
        if isinstance(place, Place):
            here.append(place)
            place.give_way = partial(here.remove, place)
        if leaves and here:
            here.pop(random.randrange(len(here))).leave()
        assert len(crowd) == len(here) <= LIMITS.most
        assert sum(not each.known for each in here) <= LIMITS.most - LIMITS.kept
        assert all(
            sum(each.origin.network == other.origin.network for each in here) <= LIMITS.from_network
            and sum(each.origin.address == other.origin.address for each in here) <= LIMITS.from_address
            for other in here
        )


def test_whoever_comes_again_and_again_is_turned_away_however_short_each_visit() -> None:
    """A connection that is gone at once holds no place; the flood that it belongs to is counted, and said."""
    now, known = 1000.0, Known()
    known.remember(["198.51.100.9"])
    crowd = Crowd(Limits(4096, 256, 4096, 4096), known, lambda among: 0, now=lambda: now)

    def visits(source: str, count: int) -> int:
        found = [crowd.arrive(source) for _ in range(count)]
        for place in found:
            if isinstance(place, Place):
                place.leave()
        return sum(isinstance(place, Place) for place in found)

    assert visits("192.0.2.1", 2 * BURST) == BURST
    assert (crowd.turned_away, len(crowd)) == (BURST, 0)
    assert visits("192.0.2.2", 10) == 10, "a neighbour"
    assert visits("198.51.100.9", 2 * BURST) == 2 * BURST, "whoever signed in lately"
    now += 1
    assert visits("192.0.2.1", 2 * BURST) == A_SECOND
    now += 3600
    assert visits("192.0.2.1", 2 * BURST) == BURST


def test_a_wrong_secret_counts_as_many_visits() -> None:
    crowd = Crowd(LIMITS, Known(), lambda among: 0, now=lambda: 0.0)
    came = 0
    while isinstance(place := crowd.arrive("192.0.2.1"), Place):
        came += 1
        place.wrong()
        place.leave()
    assert came == -(-BURST // (WRONG_TIMES + 1))
    assert isinstance(crowd.arrive("192.0.2.2"), Place)


def test_of_more_addresses_than_are_remembered_the_oldest_are_new_ones() -> None:
    rates = Rates(lambda: 0.0)
    assert sum(rates.come("192.0.2.1") for _ in range(BURST + 1)) == BURST
    for number in range(MOST_KNOWN - 1):
        rates.come(f"neighbour {number}")
    assert not rates.come("192.0.2.1")
    for number in range(MOST_KNOWN):
        rates.come(f"another {number}")
    assert rates.come("192.0.2.1")
