from onepam.kernel.ids import new_id


def test_an_identifier_says_what_it_is_and_carries_80_random_bits() -> None:
    assert new_id("ses", lambda count: bytes(range(count))) == "ses_aaaqeayeaudaocaj"
    assert new_id("per", lambda count: b"\xff" * count) == "per_" + "7" * 16
