"""Who stands behind an account, by what its list says."""

import pytest

from onepam.domain.systems.events import Match
from onepam.domain.systems.file import AccountRow
from onepam.domain.systems.matching import NOBODY, Behind, Matching, Someone

PEOPLE = (
    Someone("per_eve", "eve.example@example.com", ("EVE01",), True),
    Someone("per_max", "max@example.com", (), True),
    Someone("per_gone", "gus@example.com", ("gus",), False),
    Someone("per_old", "same@example.com", (), False),
    Someone("per_new", "same@example.com", (), True),
    Someone("per_two", "max@sister.example.com", (), True),
    Someone("per_root", "root@example.com", (), True),
    Someone("per_erased", "", (), False),
)


@pytest.mark.parametrize(
    ("name", "email", "owner", "behind"),
    [
        ("x1", "eve.example@example.com", None, Behind("per_eve", False, Match.EMAIL)),
        ("x1", "gus@example.com", None, Behind("per_gone", False, Match.EMAIL)),
        ("x1", "same@example.com", None, Behind("per_new", False, Match.EMAIL)),
        ("eve01", "other@example.com", None, NOBODY),  # an address that is nobody's says more than a name
        ("Eve.Example@example.com", None, None, Behind("per_eve", False, Match.NAME)),
        ("eve01", None, None, Behind("per_eve", False, Match.NAME)),
        ("GUS", None, None, Behind("per_gone", False, Match.NAME)),
        ("eve.example", None, None, Behind("per_eve", False, Match.NAME)),
        ("max", None, None, NOBODY),  # two of them
        ("root", None, None, NOBODY),
        ("nobody-knows", None, None, NOBODY),
        ("batch", None, "eve.example@example.com", Behind("per_eve", True, Match.OWNER)),
        ("batch", "eve.example@example.com", "unknown", NOBODY),
    ],
)
def test_who_stands_behind_it(name: str, email: str | None, owner: str | None, behind: Behind) -> None:
    assert Matching(PEOPLE).behind(AccountRow(name, ("r",), email, None, owner)) == behind
