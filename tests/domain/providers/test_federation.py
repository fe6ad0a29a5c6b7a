"""A provider's message, whatever it came by."""

from onepam.domain.providers.assertion import Assertion
from onepam.kernel.clock import HOUR, Instant


def test_a_message_moves_from_our_clock_to_the_ledgers_time() -> None:
    said = Assertion("okta", "s", "eve", None, None, None, ("pwd",), "", Instant(HOUR), "id")
    assert said.shifted(2 * HOUR) == Assertion(
        "okta", "s", "eve", None, None, None, ("pwd",), "", Instant(3 * HOUR), "id"
    )
