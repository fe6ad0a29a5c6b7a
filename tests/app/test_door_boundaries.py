"""The instants at which the door's answer turns, to the microsecond."""

from dataclasses import replace

import pytest

from onepam.app.open_session import Challenge, ConfirmationFacts, Knock, KnockFacts, Opened, answer
from onepam.domain.access.decision import ResourceFacts
from onepam.domain.access.model import MfaRule
from onepam.domain.access.proof import MfaProof
from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.events import EntryPoint
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from tests.domain.given import GRANT, NOW, WEB, access

PROOF = MfaProof("sgn_eve", ("password", "totp"), NOW)
FACTS = KnockFacts(access(grants=(GRANT,)), PersonKind.EMPLOYEE, PROOF, None, None, None, spent=False)


def at(resource: ResourceFacts) -> KnockFacts:
    """The facts of a knock at another resource."""
    return replace(FACTS, access=replace(FACTS.access, resource=resource))


def outcome(facts: KnockFacts, confirmation: str | None = None) -> str:
    entry = EntryPoint.SSH_CERTIFICATE if confirmation is None else EntryPoint.SSH_KEY_CONFIRMED
    knock = Knock("ses_1", entry, "eve", "web-1", "root", "node-1", "192.0.2.1", "ssh", "sgn_eve", confirmation)
    found = answer(knock)(facts, NOW).result
    if isinstance(found, Refused):
        return found.code
    if isinstance(found, Challenge):
        return found.kind
    assert isinstance(found, Opened), found
    return "opened"


@pytest.mark.parametrize(("after", "expected"), [(1, "factor.replaced"), (0, "opened"), (-1, "opened")])
def test_after_a_replaced_factor_what_is_privileged_opens_again_at_the_very_instant(after: int, expected: str) -> None:
    privileged_from = Instant(NOW + after)
    assert outcome(replace(FACTS, privileged_from=privileged_from)) == expected


def test_after_a_replaced_factor_what_is_not_privileged_opens_at_once() -> None:
    found = at(replace(WEB, labels={"env": "dev"}))
    assert outcome(replace(found, privileged_from=Instant(NOW + 1))) == "opened"


@pytest.mark.parametrize(("left", "expected"), [(1, "opened"), (0, "confirmation.missing")])
def test_a_confirmation_serves_until_its_end_and_not_at_it(left: int, expected: str) -> None:
    given = ConfirmationFacts("eve", "web-1", "root", Instant(NOW + left), "given", PROOF)
    assert outcome(replace(FACTS, confirmation=given), "cnf_1") == expected


def test_a_target_whose_address_was_erased_opens_for_nobody() -> None:
    assert outcome(FACTS) == "opened"
    assert outcome(at(replace(WEB, address=None))) == "resource.unknown"


def test_where_each_session_asks_for_a_factor_of_its_own_a_spent_one_opens_nothing() -> None:
    facts = replace(at(replace(WEB, mfa=MfaRule(fresh=True))), spent=True)
    given = ConfirmationFacts("eve", "web-1", "root", Instant(NOW + 1), "given", PROOF)
    assert outcome(replace(facts, spent=False)) == "opened"
    assert outcome(facts) == "confirm"
    assert outcome(replace(facts, confirmation=given), "cnf_1") == "mfa.fresh"
