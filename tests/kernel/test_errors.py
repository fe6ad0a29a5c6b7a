import pytest

from onepam.kernel import limits
from onepam.kernel.errors import Corrupt, Fault, Refused, Unavailable


def test_a_refusal_is_a_value_and_a_fault_is_raised() -> None:
    assert Refused("request.self_approval", "No.") == Refused("request.self_approval", "No.", "")
    assert not isinstance(Refused("a", "b"), BaseException)
    for kind in (Unavailable, Corrupt):
        with pytest.raises(Fault):
            raise kind("x")


def test_a_body_fits_the_two_byte_lengths_of_an_entry_bundle() -> None:
    assert limits.MAX_BODY_BYTES < 1 << 16
