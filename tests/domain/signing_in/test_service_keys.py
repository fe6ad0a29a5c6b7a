"""Keys of service accounts: the rules, branch by branch."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in import service_keys as rules
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind, FactorRemoved
from onepam.domain.signing_in.gate import Tries
from onepam.domain.signing_in.rules import FRESH_FACTOR, MAX_FACTORS, AccountFacts, FactorFacts
from onepam.domain.signing_in.service_keys import Registered, ServiceKey, ServiceKeyFacts
from onepam.kernel.clock import FOREVER, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, LATER, MANAGER, NOW, present

KEY = ServiceKey("fac_1", "bot", "ci", "SHA256:abc", "ssh-ed25519 AAAA", ("192.0.2.0/24", "2001:db8::/32"))
BOT = AccountFacts("bot", PersonKind.SERVICE, True, LATER, Tries(), (), (), ())
WITH_KEY = replace(BOT, factors=(FactorFacts("fac_1", FactorKind.SSH_KEY, 0),))
FACTS = ServiceKeyFacts(BOT, present("ada", ADMINISTRATOR))


BOBS = Registered("fac_0", "bot", "bob", ("192.0.2.0/24", "2001:db8::/32"), waits=True)
OTHERS = replace(BOBS, person="rob")


def code(answer: object) -> str:
    assert isinstance(answer, Refused), answer
    return answer.code


def test_an_administrator_registers_a_key_with_its_networks() -> None:
    answer = rules.register(FACTS, ADA, KEY, NOW)
    assert isinstance(answer, Decided)
    networks = ("192.0.2.0/24", "2001:db8::/32")
    assert answer.events == (
        FactorEnrolled("fac_1", "bot", FactorKind.SSH_KEY, "", None, "ada", label="ci", reference="SHA256:abc",
                       public="ssh-ed25519 AAAA", networks=networks),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(FACTS, actor=present("ada")), "right.missing"),
        (replace(FACTS, actor=replace(FACTS.actor, mfa_at=Instant(NOW - FRESH_FACTOR))), "factor.stale"),
        (replace(FACTS, account=replace(BOT, kind=None)), "person.unknown"),
        (replace(FACTS, account=replace(BOT, kind=PersonKind.EMPLOYEE)), "service_key.person"),
        (replace(FACTS, account=replace(BOT, kind=PersonKind.VENDOR)), "service_key.person"),
        (replace(FACTS, account=replace(BOT, enabled=False)), "person.disabled"),
        (replace(FACTS, account=replace(BOT, ends=NOW)), "person.disabled"),
        (replace(FACTS, account=replace(BOT, factors=WITH_KEY.factors * MAX_FACTORS)), "factor.many"),
        (replace(FACTS, registered=OTHERS), "service_key.registered"),
        (replace(FACTS, registered=replace(BOBS, waits=False)), "service_key.registered"),
        (replace(FACTS, registered=replace(BOBS, by="ada")), "service_key.takes_two"),
        (replace(FACTS, actor=replace(FACTS.actor, linked_by=("bob",)), registered=BOBS), "service_key.takes_two"),
        (replace(FACTS, registered=replace(BOBS, networks=("192.0.2.0/24",))), "service_key.networks"),
    ],
)
def test_who_registers_no_key(facts: ServiceKeyFacts, expected: str) -> None:
    assert code(rules.register(facts, ADA, KEY, NOW)) == expected


def test_of_what_is_trusted_a_key_opens_nothing_privileged_until_a_second_registers_it() -> None:
    trusted = replace(FACTS, account=replace(BOT, roles=(MANAGER,)))
    alone = rules.register(trusted, ADA, KEY, NOW)
    assert isinstance(alone, Decided)
    assert alone.events[0].privileged_from == FOREVER  # type: ignore[attr-defined]
    both = rules.register(replace(trusted, registered=BOBS), ADA, KEY, NOW)
    assert isinstance(both, Decided)
    removed, enrolled = both.events
    assert removed == FactorRemoved("fac_0", "bot", "confirmed", "ada")
    assert isinstance(enrolled, FactorEnrolled)
    assert (enrolled.factor, enrolled.by, enrolled.privileged_from) == ("fac_1", "ada", None)


def test_an_account_without_an_end_may_have_a_key() -> None:
    facts = replace(FACTS, account=replace(BOT, ends=None))
    assert isinstance(rules.register(facts, ADA, KEY, NOW), Decided)


def test_a_key_needs_good_networks() -> None:
    assert code(rules.register(FACTS, ADA, replace(KEY, networks=()), NOW)) == "input.networks"


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ((), "1 to 16"),
        (tuple(f"192.0.2.{number}" for number in range(17)), "1 to 16"),
        (("0.0.0.0/0",), "too wide"),
        (("::/0",), "too wide"),
        (("0.0.0.0/1", "128.0.0.0/1"), "too wide"),
        (("192.0.2.1/24",), "bits beyond"),
        (("ci.example.com",), "not a network"),
        (("",), "not a network"),
        (("1" * 44,), "longer than any network"),
        (("::ffff:192.0.2.0/120",), "as an IPv4 network"),
        (("::/64",), "as an IPv4 network"),
        (("10.0.0.0/8", "nonsense"), "not a network"),
    ],
)
def test_networks_that_are_none(networks: tuple[str, ...], said: str) -> None:
    answer = rules.normal_networks(networks)
    assert code(answer) == "input.networks"
    assert isinstance(answer, Refused)
    assert said in answer.message


def test_networks_have_one_way_of_writing() -> None:
    given = ("2001:DB8:0::/32", " 192.0.2.7 ", "192.0.2.7/32", "10.0.0.0/255.0.0.0")
    assert rules.normal_networks(given) == ("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32")


@pytest.mark.parametrize(
    ("source", "inside"),
    [
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("::ffff:192.0.2.1", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("::c000:201", False),
        ("", False),
        ("unix", False),
    ],
)
def test_where_a_key_comes_from(source: str, inside: bool) -> None:
    assert rules.within(source, KEY.networks) is inside


def test_no_networks_let_nobody_in() -> None:
    assert not rules.within("192.0.2.1", ())


@given(st.ip_addresses(), st.integers(8, 128))
def test_an_address_is_within_the_network_around_it_and_the_network_is_kept(address: object, bits: int) -> None:
    source = ip_address(str(address))
    network = str(ip_network((source, min(bits, source.max_prefixlen)), strict=False))
    kept = rules.normal_networks((network,))
    if isinstance(kept, tuple):
        assert kept == (network,)
        assert rules.within(str(source), kept)


def test_a_key_is_removed_without_a_fresh_factor() -> None:
    actor = replace(FACTS.actor, mfa_at=Instant(NOW - FRESH_FACTOR))
    answer = rules.remove(ServiceKeyFacts(WITH_KEY, actor), ADA, "fac_1", NOW)
    assert isinstance(answer, Decided)
    assert answer.events == (FactorRemoved("fac_1", "bot", "removed", "ada"),)


def test_which_keys_are_not_removed() -> None:
    facts = ServiceKeyFacts(WITH_KEY, FACTS.actor)
    assert code(rules.remove(facts, ADA, "fac_2", NOW)) == "service_key.unknown"
    assert code(rules.remove(replace(facts, actor=present("ada")), ADA, "fac_1", NOW)) == "right.missing"
    person = replace(WITH_KEY, kind=PersonKind.EMPLOYEE)
    assert code(rules.remove(replace(facts, account=person), ADA, "fac_1", NOW)) == "service_key.unknown"
