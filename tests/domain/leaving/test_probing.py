"""What a probe may be ordered for, and how its answer is kept."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.probing import (
    OrderFacts,
    Probe,
    ProbedProof,
    ProbeOrdered,
    ProbePath,
    ProbePurpose,
    ProbeResult,
    WouldOpen,
    made,
    order,
)
from onepam.domain.people.adding import PersonFacts
from onepam.domain.people.events import PersonKind
from onepam.kernel.errors import Refused
from tests.domain.given import ADA, ADMINISTRATOR, MONITOR, NOW, present

THEM = PersonFacts("eve", PersonKind.EMPLOYEE, False, None, None, None)
PROBE = Probe("prb_1", "eve", ProbePath.SSH, ProbedProof.SSH_KEY, ProbePurpose.LEAVER, "fac_1", "SHA256:abc")


@pytest.mark.parametrize("role", [ADMINISTRATOR, MONITOR])
def test_administrators_and_security_may_order_one(role: HeldRole) -> None:
    assert order(OrderFacts(present("ada", role), THEM), ADA, "eve", NOW) == Decided(
        (ProbeOrdered("eve", "ada"),), None
    )


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (OrderFacts(present("ada"), THEM), "right.missing"),
        (OrderFacts(present("ada", replace(MONITOR, console=(ConsoleRight.AUDIT,))), THEM), "right.missing"),
        (OrderFacts(present("ada", ADMINISTRATOR), None), "person.unknown"),
    ],
)
def test_who_may_not_or_for_nobody(facts: OrderFacts, code: str) -> None:
    outcome = order(facts, ADA, "eve", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


@pytest.mark.parametrize(
    ("verdict", "result", "code"),
    [
        (WouldOpen(), ProbeResult.WOULD_OPEN, ""),
        (Refused("person.disabled", "no"), ProbeResult.REFUSED, "person.disabled"),
        (None, ProbeResult.UNANSWERED, ""),
    ],
)
def test_an_answer_is_kept_without_what_was_looked_up(
    verdict: WouldOpen | Refused | None, result: ProbeResult, code: str
) -> None:
    kept = made(PROBE, verdict, "nod_1")
    assert (kept.result, kept.code, kept.node, kept.reference) == (result, code, "nod_1", "fac_1")
    assert len(kept.fingerprint) == 64
    assert "SHA256:abc" not in repr(kept)
    assert made(replace(PROBE, sought=""), verdict, "nod_1").fingerprint == ""
