"""What is unusual about an access, and what is recommended: tables, and nothing else."""

import pytest

from onepam.domain.reviews.advice import UNUSED_FOR, Odd, Place, Use, against, unusual
from onepam.kernel.clock import DAY, Instant

NOW = Instant(1_000 * DAY)
LONG_AGO, LATELY = Instant(NOW - UNUSED_FOR), Instant(NOW - UNUSED_FOR + 1)
USUAL = Place(privileged=False, direct=False, alone=False)


@pytest.mark.parametrize(
    ("use", "reasons", "odd"),
    [
        (Use(), (), ()),
        (Use(separated=True), (Odd.SEPARATED,), (Odd.SEPARATED,)),
        (Use(opens=True, last_used=LATELY), (), ()),
        (Use(opens=True, last_used=LONG_AGO), (Odd.UNUSED,), (Odd.UNUSED,)),
        (Use(opens=False, last_used=LONG_AGO), (), ()),
        (Use(opens=True), (), (Odd.NEVER_USED,)),
        (Use(opens=True, since=LATELY), (), (Odd.NEVER_USED,)),
        (Use(opens=True, since=LONG_AGO), (Odd.NEVER_USED,), (Odd.NEVER_USED,)),
        (Use(True, LONG_AGO, LONG_AGO, True), (Odd.SEPARATED, Odd.UNUSED), (Odd.SEPARATED, Odd.UNUSED)),
    ],
)
def test_what_is_not_used_or_kept_apart_is_better_removed(
    use: Use, reasons: tuple[Odd, ...], odd: tuple[Odd, ...]
) -> None:
    assert against(use, NOW) == reasons
    assert unusual(use, USUAL, NOW) == odd


@pytest.mark.parametrize(
    ("place", "odd"),
    [
        (USUAL, ()),
        (Place(privileged=True, direct=False, alone=False), (Odd.PRIVILEGED,)),
        (Place(privileged=False, direct=True, alone=False), (Odd.DIRECT,)),
        (Place(privileged=False, direct=False, alone=True), (Odd.ALONE,)),
        (Place(privileged=True, direct=True, alone=True), (Odd.ALONE, Odd.DIRECT, Odd.PRIVILEGED)),
    ],
)
def test_where_it_stands_is_unusual_and_no_reason_against_it(place: Place, odd: tuple[Odd, ...]) -> None:
    assert unusual(Use(), place, NOW) == odd
    assert [each.words for each in odd] == [each.words for each in Odd if each in odd]
