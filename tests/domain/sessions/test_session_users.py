"""Users that are made for sessions: which, when none is, and what is said of their end."""

from dataclasses import replace

import pytest

from onepam.domain.access.session_users import Making
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.session_users import (
    ACCOUNTED,
    MOST_LEFT,
    OUTLIVES,
    Begun,
    Dropping,
    LeftBecause,
    MadeFacts,
    MadeUser,
    MakingFacts,
    SessionUserDropped,
    SessionUserLeft,
    SessionUserMade,
    begin,
    drop,
    find,
    leave,
)
from onepam.domain.sessions.target_secrets import Leased, SecretStatus, Version
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from tests.domain.given import LATER, NOW

SECRET = Version("sec_1", 3, SecretStatus.CURRENT, "sealed")
LEASED = Leased("sec_1", 3, "sealed")
FACTS = MakingFacts(LATER, Making("owner", "readers"), (SECRET,), (), used=False, has=False)
MADE = MadeUser("onepam_a", "ses_1", "db", "readers", "owner")
OVER = replace(MADE, over=Instant(NOW - ACCOUNTED + 1))
LEFT = replace(OVER, left=LeftBecause.KEPT)


def begun(facts: MakingFacts) -> Decided[Begun] | Refused:
    return begin(facts, "onepam_a", "ses_1", "db", "app", NOW)


def test_a_user_is_made_for_a_session_that_runs() -> None:
    made = SessionUserMade(
        "onepam_a", "ses_1", "db", "app", "readers", "owner", "sec_1", 3, Instant(LATER + OUTLIVES)
    )  # fmt: skip
    assert begun(FACTS) == Decided((made,), Begun(made, LEASED))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(FACTS, ends=None), "session.ended"),
        (replace(FACTS, making=None), "access.narrowed"),
        (replace(FACTS, used=True), "gateway.failed"),
        (replace(FACTS, has=True), "gateway.failed"),
        (replace(FACTS, versions=()), "target.secret"),
        (replace(FACTS, users=(LEFT,) * MOST_LEFT), "target.leftovers"),
        (replace(FACTS, users=(replace(OVER, over=Instant(NOW - ACCOUNTED)),)), "target.leftovers"),
    ],
)
def test_when_none_is_made(facts: MakingFacts, code: str) -> None:
    refused = begun(facts)
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_what_was_left_behind_elsewhere_or_is_on_its_way_stops_nobody() -> None:
    moved = replace(LEFT, left=LeftBecause.MOVED)
    old = replace(LEFT, over=Instant(NOW - ACCOUNTED))
    users = (*(LEFT,) * (MOST_LEFT - 2), old, moved, moved, OVER, MADE)
    assert isinstance(begun(replace(FACTS, users=users)), Decided)


def test_what_it_takes_to_drop_one() -> None:
    assert find(MadeFacts(None)) == Decided((), None)
    assert find(MadeFacts(MADE, (SECRET,))) == Decided((), Dropping(MADE, LEASED))
    refused = find(MadeFacts(MADE))
    assert isinstance(refused, Refused)
    assert refused.code == "target.secret"


def test_its_end_is_said_once_and_each_reason_against_it_once() -> None:
    assert drop(MadeFacts(None)) == Decided((), None)
    assert drop(MadeFacts(LEFT)) == Decided((SessionUserDropped("onepam_a", "ses_1", "db"),), None)
    for facts in (MadeFacts(None), MadeFacts(LEFT)):
        assert leave(facts, LeftBecause.KEPT) == Decided((), None)
    for user in (MADE, LEFT):
        left = SessionUserLeft("onepam_a", "ses_1", "db", LeftBecause.OWNS)
        assert leave(MadeFacts(user), LeftBecause.OWNS) == Decided((left,), None)


def test_a_reason_is_known_by_the_code_of_a_refusal() -> None:
    assert LeftBecause.of("target.secret") is LeftBecause.SECRET
    assert LeftBecause.of("target.hanging") is LeftBecause.DOWN
    assert all(each.words for each in LeftBecause)
