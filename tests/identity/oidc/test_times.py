"""The instants at which a token of a provider begins and ceases to count."""

import pytest

from onepam.identity.oidc.tokens import SKEW, in_time
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_000 * HOUR)


def told(issued: int, expires: int | None, earliest: int = NOW - 100 * HOUR) -> str:
    claims = {"iat": issued // SECOND} | ({} if expires is None else {"exp": expires // SECOND})
    found = in_time(claims, NOW, Instant(earliest), expires=expires is not None)
    return found.code if isinstance(found, Refused) else "accepted"


@pytest.mark.parametrize(
    ("issued", "expires", "earliest", "code"),
    [
        (NOW, NOW - SKEW + SECOND, NOW, "accepted"),
        (NOW, NOW - SKEW, NOW, "oidc.expired"),
        (NOW, NOW - SKEW - SECOND, NOW, "oidc.expired"),
        (NOW + SKEW, NOW + HOUR, NOW, "accepted"),
        (NOW + SKEW + SECOND, NOW + HOUR, NOW, "oidc.clock"),
        (NOW - SKEW, NOW + HOUR, NOW, "accepted"),
        (NOW - SKEW - SECOND, NOW + HOUR, NOW, "oidc.clock"),
        (NOW, None, NOW, "accepted"),
    ],
)
def test_to_the_second(issued: int, expires: int | None, earliest: int, code: str) -> None:
    assert told(issued, expires, earliest) == code


@pytest.mark.parametrize(("begins", "refused"), [(SKEW, False), (SKEW + SECOND, True)])
def test_a_token_counts_from_its_beginning(begins: int, refused: bool) -> None:
    claims = {"iat": NOW // SECOND, "exp": (NOW + HOUR) // SECOND, "nbf": (NOW + begins) // SECOND}
    assert (in_time(claims, NOW, NOW, expires=True) is not None) is refused
