"""Tickets: once, in time, on their path, from this machine; and never too many."""

import pytest

from onepam.domain.leaving.probing import Probe, ProbedProof, ProbePath, ProbePurpose, WouldOpen
from onepam.gateway.probes import LIFETIME, MOST_TICKETS, Probes, of_this_machine, told
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused, Unavailable
from tests.company import Counted, ManualClock

PROBE = Probe("prb_1", "eve", ProbePath.SSH, ProbedProof.ACCOUNT, ProbePurpose.LEAVER)
HERE = "127.0.0.1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(Instant(1_000_000))


def test_a_ticket_serves_once(clock: ManualClock) -> None:
    probes = Probes("nod_1", clock, Counted())
    ticket = probes.ticket(PROBE)
    assert probes.redeem(ticket, ProbePath.SSH, HERE, HERE) == PROBE
    assert probes.redeem(ticket, ProbePath.SSH, HERE, HERE) is None


@pytest.mark.parametrize(
    ("path", "source", "late"),
    [(ProbePath.API, HERE, 0), (ProbePath.SSH, "192.0.2.7", 0), (ProbePath.SSH, HERE, LIFETIME)],
)
def test_whatever_is_not_exactly_right_spends_it(clock: ManualClock, path: ProbePath, source: str, late: int) -> None:
    probes = Probes("nod_1", clock, Counted())
    ticket = probes.ticket(PROBE)
    clock.advance(late)
    assert probes.redeem(ticket, path, source, HERE) is None
    clock.advance(-late)
    assert probes.redeem(ticket, ProbePath.SSH, HERE, HERE) is None


def test_another_process_knows_none_of_them(clock: ManualClock) -> None:
    ticket = Probes("nod_1", clock, Counted()).ticket(PROBE)
    assert Probes("nod_2", clock, Counted()).redeem(ticket, ProbePath.SSH, HERE, HERE) is None


@pytest.mark.parametrize("text", ["", "x", "é" * 43, "x" * 43, "x" * 44, "x" * 1_000_000])
def test_what_is_no_ticket(clock: ManualClock, text: str) -> None:
    assert Probes("nod_1", clock, Counted()).redeem(text, ProbePath.SSH, HERE, HERE) is None


def test_tickets_are_few_and_those_that_lapsed_make_room(clock: ManualClock) -> None:
    probes = Probes("nod_1", clock, Counted())
    for _ in range(MOST_TICKETS):
        probes.ticket(PROBE)
    with pytest.raises(Unavailable):
        probes.ticket(PROBE)
    clock.advance(LIFETIME)
    assert probes.ticket(PROBE)


@pytest.mark.parametrize(
    ("source", "own", "ours"),
    [
        (HERE, "0.0.0.0", True),
        ("::1", "::1", True),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("fe80::1%eth0", "fe80::1%eth0", True),
        ("testclient", HERE, False),
        ("", "", False),
    ],
)
def test_from_this_machine(source: str, own: str, ours: bool) -> None:
    assert of_this_machine(source, own) is ours


def test_the_answer_is_one_of_two() -> None:
    assert told(WouldOpen()) == {"result": "would_open"}
    assert told(Refused("person.disabled", "no")) == {"result": "refused", "code": "person.disabled"}
