"""The instants at which the door's answer turns, to the microsecond."""

from dataclasses import replace

import pytest

from onepam.app.open_session import ConfirmationFacts, Knock, KnockFacts, Opened, answer
from onepam.domain.people import PersonKind
from onepam.domain.sessions import EntryPoint, MfaProof
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from tests.domain.given import GRANT, NOW, WEB, access

PROOF = MfaProof("sgn_eve", ("password", "totp"), NOW)


def outcome(facts: KnockFacts, confirmation: str | None = None) -> str:
    entry = EntryPoint.SSH_CERTIFICATE if confirmation is None else EntryPoint.SSH_KEY_CONFIRMED
    knock = Knock("ses_1", entry, "eve", "web-1", "root", "node-1", "192.0.2.1", "ssh", "sgn_eve", confirmation)
    found = answer(knock)(facts, NOW).result
    if isinstance(found, Refused):
        return found.code
    assert isinstance(found, Opened), found
    return "opened"


@pytest.mark.parametrize(("after", "expected"), [(1, "factor.replaced"), (0, "opened"), (-1, "opened")])
def test_after_a_replaced_factor_what_is_privileged_opens_again_at_the_very_instant(after: int, expected: str) -> None:
    privileged_from = Instant(NOW + after)
    facts = KnockFacts(access(grants=(GRANT,)), PersonKind.EMPLOYEE, PROOF, None, privileged_from=privileged_from)
    assert outcome(facts) == expected


def test_after_a_replaced_factor_what_is_not_privileged_opens_at_once() -> None:
    found = replace(access(), resource=replace(WEB, labels={"env": "dev"}))
    later = Instant(NOW + 1)
    assert outcome(KnockFacts(found, PersonKind.EMPLOYEE, PROOF, None, privileged_from=later)) == "opened"


@pytest.mark.parametrize(("left", "expected"), [(1, "opened"), (0, "confirmation.missing")])
def test_a_confirmation_serves_until_its_end_and_not_at_it(left: int, expected: str) -> None:
    given = ConfirmationFacts("eve", "web-1", "root", Instant(NOW + left), "given", PROOF)
    facts = KnockFacts(access(grants=(GRANT,)), PersonKind.EMPLOYEE, PROOF, given)
    assert outcome(facts, "cnf_1") == expected
