"""What a plan says of the fields whose names do not say enough: masks, kept results, and statements that ask first."""

from dataclasses import replace

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask, Results
from onepam.domain.matrix.words import changed, made
from onepam.kernel.clock import SECOND
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
        "permissions",
        f"{PROD.name} lets through: read and other → {wider}",
        "added lets through: read",
    ]
    assert list(changed(role, replace(role, permissions=(plain, replace(PROD, name="added", guardrails=None))))) == [
        "permissions"
    ]
    assert list(changed(role, replace(role, permissions=(replace(plain, guardrails=None),)))) == [
        "permissions",
        f"{PROD.name} lets through: read and other → everything",
    ]
    longer = replace(plain, longest=plain.longest + SECOND)
    assert list(changed(role, replace(role, permissions=(longer,)))) == ["permissions"]


def test_what_is_new_says_what_it_masks_keeps_and_lets_through() -> None:
    new = replace(WEB, mask=Mask(("orders.customer",)), results=Results(10, 65_536))
    assert list(made(new)) == ["mask: columns orders.customer", "results: 10 rows of at most 65,536 bytes"]
    assert list(made(WEB)) == []
    asks = replace(PROD, name="asks", guardrails=Guardrails((READ, OTHER, ASK_WRITE)))
    assert list(made(replace(LEAD, permissions=(replace(PROD, guardrails=None), asks)))) == [
        "asks lets through: read and other; write once somebody has said yes"
    ]
