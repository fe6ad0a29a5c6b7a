"""Tokens of SCIM clients: two administrators let one in, one ends it."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import Proposal, ProposalKind, ProposalRefused
from onepam.domain.history.commit import Decided
from onepam.domain.provisioning.events import ScimTokenApproved, ScimTokenEnded, ScimTokenProposed
from onepam.domain.provisioning.tokens import (
    END_ATTRIBUTE,
    LONGEST_TOKEN,
    MOST_DOMAINS,
    MOST_NETWORKS,
    MOST_TOKENS,
    Token,
    TokenFacts,
    TokenWish,
    approve,
    end,
    propose,
)
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import proposal

NOW = Instant(1_750_000_000_000_000)
LATER = Instant(NOW + 30 * DAY)
ROLE = HeldRole("bnd_1", "", "administrator", "v1", (), (ConsoleRight.ADMINISTER,), None)
ADA = ActorFacts("ada", True, None, LATER, NOW, (ROLE,))
WAITS = Token("stk_1", "okta", False, LATER)
LAID = proposal(ProposalKind.SCIM_TOKEN, "stk_1", since=Instant(NOW - 1))
NONE = TokenFacts(ADA, None, 1)
FACTS = replace(NONE, token=WAITS, proposal=LAID)
WISH = TokenWish("stk_2", "okta", "Okta", ("203.0.113.0/24",), END_ATTRIBUTE, LATER, "ab")


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_a_token_is_proposed() -> None:
    found = propose(NONE, replace(WISH, domains=("@Corp.Example", "corp.example ")), NOW)
    assert isinstance(found, Decided)
    (event,) = found.events
    assert isinstance(event, ScimTokenProposed)
    assert event.domains == ("corp.example",)
    assert (event.networks, event.by, event.digest) == (("203.0.113.0/24",), "ada", "ab")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"name": ""}, "text.missing"),
        ({"provider": "Okta!"}, "scim_token.provider"),
        ({"end_attribute": "a b"}, "scim_token.end_attribute"),
        ({"ends": NOW}, "scim_token.ends"),
        ({"ends": Instant(NOW + LONGEST_TOKEN + 1)}, "scim_token.ends"),
        ({"domains": ("nowhere",)}, "scim_token.domains"),
        ({"domains": tuple(f"x{n}.example" for n in range(MOST_DOMAINS + 1))}, "scim_token.domains"),
        ({"networks": ("nowhere",)}, "scim_token.networks"),
        ({"networks": ("10.0.0.1/8",)}, "scim_token.networks"),
        ({"networks": ("10.0.0.0/8",) * (MOST_NETWORKS + 1)}, "scim_token.networks"),
    ],
)
def test_what_a_token_cannot_be(changes: dict[str, object], refused: str) -> None:
    assert code(propose(NONE, replace(WISH, **changes), NOW)) == refused  # type: ignore[arg-type]


def test_who_may() -> None:
    nobody = replace(FACTS, actor=replace(ADA, roles=()))
    assert (
        code(propose(nobody, WISH, NOW)) == code(approve(nobody, NOW)) == code(end(nobody, "x", NOW)) == "right.missing"
    )
    tired = replace(FACTS, actor=replace(ADA, mfa_at=Instant(NOW - HOUR)))
    assert code(propose(tired, WISH, NOW)) == code(approve(tired, NOW)) == "factor.stale"
    assert code(propose(replace(NONE, count=MOST_TOKENS), WISH, NOW)) == "scim_token.many"


def test_another_one_approves() -> None:
    found = approve(FACTS, NOW)
    assert isinstance(found, Decided)
    assert found.events == (ScimTokenApproved("stk_1", "okta", "ada"),)
    assert code(approve(replace(FACTS, token=None), NOW)) == "scim_token.unknown"
    assert code(approve(replace(FACTS, proposal=None), NOW)) == "scim_token.unknown"


@pytest.mark.parametrize(
    ("laid", "event"),
    [
        (
            replace(LAID, by="ada"),
            ProposalRefused(ProposalKind.SCIM_TOKEN, "stk_1", "ada", "scim_token.self_approval"),
        ),
        (replace(LAID, present=False), ScimTokenEnded("stk_1", "okta", "scim_token.proposer_left", "ada")),
        (replace(LAID, until=NOW), ScimTokenEnded("stk_1", "okta", "scim_token.lapsed", "ada")),
    ],
)
def test_what_is_not_approved_is_recorded(laid: Proposal, event: object) -> None:
    outcome = approve(replace(FACTS, proposal=laid), NOW)
    assert isinstance(outcome, Decided)
    assert outcome.events == (event,)
    assert isinstance(outcome.result, Refused)


def test_an_id_that_stands_for_a_token_stands_for_no_other() -> None:
    assert code(propose(FACTS, WISH, NOW)) == "scim_token.taken"


def test_one_ends_it() -> None:
    found = end(FACTS, "not needed", NOW)
    assert isinstance(found, Decided)
    assert found.events == (ScimTokenEnded("stk_1", "okta", "not needed", "ada"),)
    assert code(end(replace(FACTS, token=None), "x", NOW)) == "scim_token.unknown"
    assert code(end(FACTS, "", NOW)) == "text.missing"
