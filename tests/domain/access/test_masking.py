"""What of data is masked and kept: which of two says more."""

import pytest

from onepam.domain.access.earlier import ResourceSet1
from onepam.domain.access.events import ResourceSet
from onepam.domain.access.masking import Mask, Results, hides, keeps
from onepam.domain.access.model import ResourceKind
from onepam.domain.history.event import newest

MASK = Mask(("card", "shop.customers.email"), ("a", "b"))


@pytest.mark.parametrize(
    ("these", "those", "right"),
    [
        (None, None, True), (MASK, None, True), (None, MASK, False), (MASK, MASK, True),
        (Mask(("card", "email"), ("a", "b")), MASK, True),
        (Mask(("card", "customers.email"), ("a", "b", "c")), MASK, True),
        (Mask(("card", "other.email"), ("a", "b")), MASK, False),
        (Mask(("pay.card", "email"), ("a", "b")), MASK, False),
        (Mask(("card", "mail"), ("a", "b")), MASK, False),
        (Mask(("card", "email"), ("a",)), MASK, False),
        (None, Mask(), True),
    ],
)  # fmt: skip
def test_a_mask_hides_what_another_does(these: Mask | None, those: Mask | None, right: bool) -> None:
    assert hides(these, those) is right


@pytest.mark.parametrize(
    ("these", "those", "right"),
    [
        (None, None, True), (Results(1, 1), None, True), (None, Results(1, 1), False),
        (Results(2, 3), Results(2, 3), True), (Results(3, 3), Results(2, 3), True),
        (Results(1, 3), Results(2, 3), False), (Results(2, 2), Results(2, 3), False),
    ],
)  # fmt: skip
def test_results_are_kept_as_much_as_others(these: Results | None, those: Results | None, right: bool) -> None:
    assert keeps(these, those) is right


def test_what_was_declared_before_there_were_masks_masks_nothing() -> None:
    old = ResourceSet1(
        "db", ResourceKind.POSTGRES, {"a": "b"}, "ada", ("app",), ("p",), 5432, "chg_1", "ada", "db.example"
    )
    read = newest(old)
    assert isinstance(read, ResourceSet)
    assert (read.mask, read.results, read.address, read.environment) == (None, None, "db.example", old.environment)
    assert {name: getattr(read, name) for name in old.__slots__} == {name: getattr(old, name) for name in old.__slots__}
