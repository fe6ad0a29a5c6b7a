"""What a plan says of the fields whose names do not say enough: masks, kept results, and statements that ask first."""

from dataclasses import replace

from onepam.domain.access.asked import Asking
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.matrix.words import changed, made
from onepam.kernel.clock import DAY, SECOND
from tests.domain.matrices import LEAD, PROD, WEB

READ, OTHER, ASK_WRITE = StatementClass.READ, StatementClass.OTHER, StatementClass.ASK_WRITE


def test_a_mask_and_kept_results_say_what_they_were_and_become() -> None:
    masked = replace(WEB, mask=Mask(("orders.customer",)), results=Results(10, 65_536))
    assert list(changed(WEB, masked)) == [
        "mask: none → columns orders.customer",
        "results: none → 10 rows of at most 65,536 bytes",
    ]
    other = replace(masked, mask=Mask(("card", "name"), ("iban",)), port=23)
    assert list(changed(masked, other)) == [
        "port",
        "mask: columns orders.customer → columns card, name; patterns iban",
    ]
    assert list(changed(other, replace(other, mask=Mask((), ("iban",))))) == [
        "mask: columns card, name; patterns iban → patterns iban"
    ]


def test_a_role_says_which_statements_pass_now() -> None:
    plain = replace(PROD, guardrails=Guardrails((READ, OTHER)))
    asks = replace(PROD, guardrails=Guardrails((READ, OTHER, ASK_WRITE), 100, 30 * SECOND))
    role, added = replace(LEAD, permissions=(plain,)), replace(PROD, name="added", guardrails=Guardrails((READ,)))
    wider = "read and other; write once somebody has said yes; at most 100 rows; at most 30 s"
    assert list(changed(role, replace(role, permissions=(asks, added)))) == [
        f"{PROD.name} lets through: read and other → {wider}",
        "permission added: new",
        "added lets through: read",
    ]
    assert list(changed(role, replace(role, permissions=(replace(plain, guardrails=None),)))) == [
        f"{PROD.name} lets through: read and other → everything",
    ]


def test_a_role_says_what_of_its_permissions_is_another() -> None:
    other = replace(PROD, name="other")
    role = replace(LEAD, permissions=(PROD, other))
    longer = replace(PROD, longest=PROD.longest + SECOND, approvers=("dba",))
    assert list(changed(role, replace(role, permissions=(longer, other)))) == [
        f"permission {PROD.name}: longest, approvers"
    ]
    assert list(changed(role, replace(role, permissions=(PROD,)))) == ["permission other: removed"]
    assert list(changed(role, replace(role, permissions=(other, PROD)))) == ["permissions"], "in another order"
    third = replace(PROD, name="third", guardrails=None)
    assert list(changed(role, replace(role, permissions=(PROD, other, third)))) == ["permission third: new"]


def test_users_of_sessions_say_of_which_role_and_by_whom() -> None:
    users = SessionUsers("pam_owner", {"app": "writers", "audit": "readers"})
    words = "app as a member of writers, audit as a member of readers, made by pam_owner"
    assert list(changed(WEB, replace(WEB, session_users=users))) == [f"session_users: none → {words}"]
    assert list(made(replace(WEB, session_users=users))) == [f"session_users: {words}"]


def test_what_is_new_says_what_it_masks_keeps_and_lets_through() -> None:
    new = replace(WEB, mask=Mask(("orders.customer",)), results=Results(10, 65_536))
    assert list(made(new)) == ["mask: columns orders.customer", "results: 10 rows of at most 65,536 bytes"]
    assert list(made(WEB)) == []
    asks = replace(PROD, name="asks", guardrails=Guardrails((READ, OTHER, ASK_WRITE)))
    assert list(made(replace(LEAD, permissions=(replace(PROD, guardrails=None), asks)))) == [
        "asks lets through: read and other; write once somebody has said yes"
    ]


def test_a_role_says_how_its_permissions_are_asked_for_now() -> None:
    two = replace(PROD, asking=Asking(approvals=2))
    role, added = replace(LEAD, permissions=(PROD,)), replace(two, name="added", guardrails=None)
    assert list(changed(role, replace(role, permissions=(two, added)))) == [
        f"{PROD.name} is asked for: with a yes → 2 people say yes",
        "permission added: new",
        "added is asked for: 2 people say yes",
    ]
    late = replace(PROD, asking=Asking(approvals=2, ahead=7 * DAY))
    (said,) = changed(role, replace(role, permissions=(late,)))
    assert said.endswith("→ 2 people say yes; up to 7 days ahead"), "a comma may stand within one of them"
