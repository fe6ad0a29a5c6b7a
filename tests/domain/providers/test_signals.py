"""What a signal ends and that it serves once; that a stream takes two administrators."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from onepam.domain.access.proposal import ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.providers.signal_setting import (
    MAX_ADDRESS_CHARACTERS,
    MOST_PROPOSALS,
    MOST_STREAMS,
    StreamFacts,
    StreamProposal,
    approve,
    propose,
    reject,
    remove,
    unfit,
)
from onepam.domain.providers.signals import (
    CREDENTIAL_CHANGED,
    SESSION_REVOKED,
    Delivery,
    Signal,
    SignalFacts,
    SignalKind,
    SignalReceived,
    SignalStreamProposed,
    SignalStreamRejected,
    SignalStreamRemoved,
    SignalStreamSet,
    Stream,
    Subject,
    receive,
)
from onepam.domain.signing_in.events import SignedOut
from onepam.domain.signing_in.rules import FRESH_FACTOR
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, NOW, present, proposal

PUSHED = Stream(
    "chg_1", "sst_1", "Okta", "https://okta.example", "https://pam.example", Delivery.PUSH, "idp_1", "", "s-1",
    "d" * 64, None,
)  # fmt: skip
FETCHED = replace(PUSHED, delivery=Delivery.POLL, endpoint="https://okta.example/poll", digest=None, secret="sealed")
FACTS = StreamFacts(present("ada", ADMINISTRATOR), (), providers=frozenset({"idp_1"}))
LAID = proposal(ProposalKind.SIGNAL_STREAM, "chg_1")
WAITING = replace(FACTS, proposal=StreamProposal(PUSHED, LAID), waiting=(("chg_1", "sst_1"),))
THERE = replace(FACTS, streams=((PUSHED, Instant(NOW - DAY)),))
MANY = tuple((replace(PUSHED, stream=f"sst_a{number}", name=f"{number}"), NOW) for number in range(MOST_STREAMS))
STALE = replace(FACTS.actor, mfa_at=Instant(NOW - FRESH_FACTOR))
NOBODY = present("eve")
SIGNAL = Signal(SignalKind.SESSION_REVOKED, "set-1", Instant(NOW - 5), Subject(True, "00u"), "", "why")
TAKEN = SignalFacts(True, False, "eve", (("sgn_1", "eve"), ("sgn_2", "eve")))


def whole(outcome: object) -> dict[str, Any]:
    """The one event that was decided on, but for who did."""
    assert isinstance(outcome, Decided)
    event: Any = outcome.events[0]
    return {**asdict(event), "by": "", "proposed_by": ""}


def code(outcome: object) -> str:
    return outcome.code if isinstance(outcome, Refused) else "done"


def events(outcome: object) -> tuple[Any, ...]:
    assert isinstance(outcome, Decided), outcome
    return outcome.events


@pytest.mark.claim(
    "a signal ends sign-ins and never begins one",
    altered="a signal also enabled its person",
)
@pytest.mark.parametrize(
    ("kind", "detail", "because"),
    [
        (SignalKind.SESSION_REVOKED, "", SESSION_REVOKED),
        (SignalKind.CREDENTIAL_CHANGE, "revoke", SESSION_REVOKED),
        (SignalKind.CREDENTIAL_CHANGE, "delete", SESSION_REVOKED),
        (SignalKind.CREDENTIAL_CHANGE, "update", CREDENTIAL_CHANGED),
        (SignalKind.CREDENTIAL_CHANGE, "create", ""),
        (SignalKind.VERIFICATION, "", ""),
        (SignalKind.STREAM_UPDATED, "paused", ""),
    ],
)
def test_what_ends_by_a_signal(kind: SignalKind, detail: str, because: str) -> None:
    received, *ended = events(receive(TAKEN, "sst_1", replace(SIGNAL, kind=kind, detail=detail)))
    assert isinstance(received, SignalReceived)
    assert (received.person, received.ended, received.reason) == ("eve", len(ended), "why")
    assert ended == [SignedOut(each, "eve", because, None) for each in (("sgn_1", "sgn_2") if because else ())]


@pytest.mark.claim(
    "times and replay are checked",
    altered="a signal that came before was taken again",
)
def test_a_signal_serves_once_and_only_while_its_stream_is_in_force() -> None:
    assert code(receive(replace(TAKEN, seen=True), "sst_1", SIGNAL)) == "signal.repeated"
    assert code(receive(replace(TAKEN, in_force=False), "sst_1", SIGNAL)) == "signal.stream"
    (alone,) = events(receive(SignalFacts(True, False, None, ()), "sst_1", replace(SIGNAL, reason="")))
    assert (alone.person, alone.ended, alone.reason) == (None, 0, None)
    assert alone.jti_digest == replace(SIGNAL, reason="x").digest != replace(SIGNAL, jti="set-2").digest


def test_a_stream_is_proposed() -> None:
    for wanted in (PUSHED, FETCHED):
        (proposed,) = events(propose(FACTS, wanted, NOW))
        assert isinstance(proposed, SignalStreamProposed)
        assert (proposed.by, proposed.digest, proposed.secret) == ("ada", wanted.digest, wanted.secret)
        assert (proposed.endpoint, proposed.remote) == (wanted.endpoint, "s-1")


@pytest.mark.parametrize(
    ("facts", "wanted", "why"),
    [
        (replace(FACTS, actor=NOBODY), PUSHED, "right.missing"),
        (replace(FACTS, actor=STALE), PUSHED, "factor.stale"),
        (replace(FACTS, taken=True), PUSHED, "signal.change_taken"),
        (FACTS, replace(PUSHED, provider="idp_9"), "signal.provider"),
        (replace(THERE, streams=((replace(PUSHED, stream="sst_0", name="OKTA"), NOW),)), PUSHED, "signal.name_taken"),
        (replace(FACTS, streams=MANY), PUSHED, "signal.many"),
        (replace(FACTS, waiting=(("chg", "s"),) * MOST_PROPOSALS), PUSHED, "signal.many_proposals"),
    ],
)  # fmt: skip
def test_why_a_stream_is_not_proposed(facts: StreamFacts, wanted: Stream, why: str) -> None:
    assert code(propose(facts, wanted, NOW)) == why


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (replace(PUSHED, name=""), "text.missing"),
        (replace(PUSHED, name="Okta "), "signal.name"),
        (replace(PUSHED, issuer=""), "signal.address"),
        (replace(PUSHED, issuer="a b"), "signal.address"),
        (replace(PUSHED, audience="a\nb"), "signal.address"),
        (replace(PUSHED, audience="x" * (MAX_ADDRESS_CHARACTERS + 1)), "signal.address"),
        (replace(PUSHED, remote="a b"), "signal.address"),
        (replace(FETCHED, endpoint="x" * (MAX_ADDRESS_CHARACTERS + 1)), "signal.address"),
        (replace(FETCHED, endpoint="a\tb"), "signal.address"),
        (replace(PUSHED, digest=None), "signal.delivery"),
        (replace(PUSHED, endpoint="https://x"), "signal.delivery"),
        (replace(FETCHED, endpoint=""), "signal.delivery"),
        (replace(FETCHED, secret=None), "signal.delivery"),
    ],
)
def test_what_no_stream_can_be(stream: Stream, why: str) -> None:
    refused = unfit(stream)
    assert refused is not None
    assert refused.code == why
    assert code(propose(FACTS, stream, NOW)) == refused.code


def test_another_administrator_approves() -> None:
    (agreed,) = events(approve(WAITING, "chg_1", NOW))
    assert isinstance(agreed, SignalStreamSet)
    assert (agreed.proposed_by, agreed.by, agreed.stream, agreed.digest) == ("bob", "ada", "sst_1", "d" * 64)
    earlier = replace(WAITING, streams=((PUSHED, Instant(NOW - DAY)),))
    assert code(approve(earlier, "chg_1", NOW)) == "done", "a change of a stream that is there"


@pytest.mark.parametrize("stream", [PUSHED, FETCHED])
def test_all_of_what_was_proposed_is_set_and_nothing_else(stream: Stream) -> None:
    proposed = propose(FACTS, stream, NOW)
    agreed = approve(replace(WAITING, proposal=StreamProposal(stream, LAID)), "chg_1", NOW)
    assert whole(proposed) == whole(agreed)


@pytest.mark.parametrize(("later", "stands"), [(-1, True), (0, False), (1, False)])
def test_a_stream_that_changed_before_it_was_proposed_overtakes_nothing(later: int, stands: bool) -> None:
    since = Instant(LAID.since + later)
    outcome = approve(replace(WAITING, streams=((PUSHED, since),)), "chg_1", NOW)
    assert isinstance(outcome, Decided)
    assert (code(outcome.result) != "signal.overtaken") == stands


def test_why_a_stream_is_not_approved() -> None:
    own = replace(WAITING, proposal=StreamProposal(PUSHED, replace(LAID, by="ada")))
    left = replace(WAITING, proposal=StreamProposal(PUSHED, replace(LAID, present=False)))
    overtaken = replace(WAITING, streams=((PUSHED, NOW),))
    assert code(approve(replace(WAITING, actor=NOBODY), "chg_1", NOW)) == "right.missing"
    assert code(approve(replace(WAITING, actor=STALE), "chg_1", NOW)) == "factor.stale"
    assert code(approve(FACTS, "chg_1", NOW)) == "signal.no_proposal"
    assert code(approve(replace(WAITING, providers=frozenset()), "chg_1", NOW)) == "signal.provider"
    for facts, kind, why in (
        (own, ProposalRefused, "signal.self_approval"),
        (left, SignalStreamRejected, "signal.proposer_left"),
        (overtaken, SignalStreamRejected, "signal.overtaken"),
    ):
        outcome = approve(facts, "chg_1", NOW)
        (event,) = events(outcome)
        assert isinstance(event, kind)
        assert isinstance(outcome, Decided)
        assert code(outcome.result) == why


def test_a_proposal_is_rejected() -> None:
    assert events(reject(WAITING, "chg_1", NOW)) == (SignalStreamRejected("chg_1", "sst_1", "ada", "denied"),)
    own = replace(WAITING, proposal=StreamProposal(PUSHED, replace(LAID, by="ada")))
    assert events(reject(own, "chg_1", NOW)) == (SignalStreamRejected("chg_1", "sst_1", "ada", "withdrawn"),)
    assert code(reject(FACTS, "chg_1", NOW)) == "signal.no_proposal"
    assert code(reject(replace(WAITING, actor=NOBODY), "chg_1", NOW)) == "right.missing"


def test_a_stream_is_removed_with_what_waits_for_it() -> None:
    facts = replace(THERE, waiting=(("chg_2", "sst_1"), ("chg_3", "sst_2")))
    assert events(remove(facts, "sst_1", "moved", NOW)) == (
        SignalStreamRemoved("sst_1", "ada", "moved"),
        SignalStreamRejected("chg_2", "sst_1", "ada", "signal.removed"),
    )
    assert code(remove(FACTS, "sst_1", "moved", NOW)) == "signal.unknown"
    assert code(remove(replace(THERE, actor=STALE), "sst_1", "moved", NOW)) == "factor.stale"
    assert code(remove(THERE, "sst_1", "", NOW)) != "done"
