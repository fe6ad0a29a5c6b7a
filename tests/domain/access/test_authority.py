"""Who may act at all, and with which right."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import ActorFacts, authorised, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis
from onepam.kernel.clock import Instant
from tests.domain.given import ADMINISTRATOR, ENGINEER, LATER, MANAGER, NOW
from tests.domain.given import present as somebody

ADA = somebody("ada", ENGINEER, ADMINISTRATOR)


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (ADA, None),
        (replace(ADA, ends=LATER), None),
        (replace(ADA, enabled=False), "person.disabled"),
        (replace(ADA, ends=NOW), "person.disabled"),
        (replace(ADA, signed_in_until=None), "sign_in.ended"),
        (replace(ADA, signed_in_until=NOW), "sign_in.ended"),
        (replace(ADA, mfa_at=None), "sign_in.ended"),
    ],
)
def test_only_the_enabled_and_signed_in_with_a_factor_are_present(actor: ActorFacts, code: str | None) -> None:
    for refused in (present(actor, NOW), authorised(actor, ConsoleRight.ADMINISTER, NOW)):
        assert (refused.code if refused else None) == code


def test_a_right_comes_from_a_held_role() -> None:
    refused = authorised(somebody("max", MANAGER), ConsoleRight.ADMINISTER, NOW)
    assert refused is not None
    assert refused.code == "right.missing"
    assert ADA.roles_with(ConsoleRight.ADMINISTER) == ("administrator",)
    assert present(ADA, Instant(NOW - 1)) is None


@pytest.mark.parametrize("basis", [MfaBasis.DECLARED, MfaBasis.ACCEPTED])
def test_nobody_administers_on_a_statement_in_place_of_a_factor(basis: MfaBasis) -> None:
    actor = replace(ADA, basis=basis, roles=(*ADA.roles, MANAGER))
    refused = authorised(actor, ConsoleRight.ADMINISTER, NOW)
    assert refused is not None
    assert refused.code == "mfa.not_shown"
    assert authorised(actor, ConsoleRight.APPROVE, NOW) is None


def test_the_rights_of_all_roles_together() -> None:
    assert somebody("ada", ADMINISTRATOR, MANAGER).rights() == {*ADMINISTRATOR.console, *MANAGER.console}
    assert somebody("ada").rights() == set()
