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


@pytest.mark.parametrize(
    ("hint", "there"),
    [
        ("/access?resource=web-1", "https://pam.example/access?resource=web-1"),
        ("See what you can reach: /", "See what you can reach: https://pam.example/"),
        ("Ask an administrator: they know.", "Ask an administrator: they know."),
        ("", ""),
    ],
)
def test_a_path_of_the_console_is_an_address_outside_of_it(hint: str, there: str) -> None:
    assert Refused("a", "b", hint).hint_at("https://pam.example") == there
