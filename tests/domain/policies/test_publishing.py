"""Policy documents: who publishes, looks through, confirms and retires, and who is reminded how often."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import ActorFacts, HeldRole
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.policies.events import (
    PolicyConfirmed,
    PolicyLookedThrough,
    PolicyPublished,
    PolicyReminded,
    PolicyRetired,
)
from onepam.domain.policies.publishing import (
    LONGEST_REVIEW,
    MOST_BYTES,
    MOST_TIMES,
    REMINDED_EACH,
    Draft,
    PolicyFacts,
    Standing,
    Unread,
    confirm,
    is_due,
    look_through,
    publish,
    remind,
    retire,
)
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_000 * DAY)
NEXT = Instant(NOW + 90 * DAY)
EVE = ActorFacts("eve", True, None, Instant(NOW + HOUR), NOW, ())
ADA = replace(EVE, person="ada", roles=(HeldRole("b", "", "administrator", "v", (), (ConsoleRight.ADMINISTER,), None),))
GONE = replace(ADA, signed_in_until=None)
NEW = PolicyFacts(ADA, None, 0, True, frozenset({"engineer"}), 0)
IN_FORCE = replace(NEW, standing=Standing(2, "d2", "max", NEXT), last=2)
DRAFT = Draft("access", "Access control", "pdf", "d3", 100, "max", NEXT, ("engineer",), "stricter")


def test_the_first_version_is_one_and_each_follows_the_last_ever() -> None:
    done = publish(NEW, DRAFT, NOW)
    entry = PolicyPublished(
        "access", 1, "Access control", "d3", 100, "application/pdf", "max", NEXT, ("engineer",), "ada", "stricter"
    )
    assert done == Decided((entry,), 1)
    retired = replace(NEW, last=2)
    for facts in (IN_FORCE, retired):
        later = publish(facts, replace(DRAFT, note=""), NOW)
        assert later == Decided((replace(entry, version=3, note=None),), 3)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"policy": "Access"}, "policy.name"),
        ({"policy": "../x"}, "policy.name"),
        ({"policy": "a" * 65}, "policy.name"),
        ({"ending": "html"}, "policy.media"),
        ({"size": 0}, "policy.size"),
        ({"size": MOST_BYTES + 1}, "policy.size"),
        ({"digest": "d2"}, "policy.same"),
        ({"readers": ("nobody",)}, "policy.readers"),
        ({"readers": ("engineer",) * 21}, "policy.readers"),
        ({"review_by": NOW}, "policy.day"),
        ({"review_by": Instant(NOW + LONGEST_REVIEW + 1)}, "policy.day"),
        ({"title": ""}, "text.missing"),
        ({"note": "x" * 5_000}, "text.too_long"),
    ],
)
def test_what_is_not_published(changes: dict[str, object], code: str) -> None:
    refused = publish(IN_FORCE, replace(DRAFT, **changes), NOW)  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert refused.code == code


def test_an_administrator_publishes_and_a_person_answers() -> None:
    for facts, code in (
        (replace(NEW, actor=EVE), "right.missing"),
        (replace(NEW, actor=GONE), "sign_in.ended"),
        (replace(NEW, owner_here=False), "policy.owner"),
    ):
        refused = publish(facts, DRAFT, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == code


def test_whoever_answers_for_it_looks_it_through_or_an_administrator() -> None:
    owner = replace(IN_FORCE, actor=replace(EVE, person="max"))
    done = look_through(owner, "access", NEXT, "still right", NOW)
    assert done == Decided((PolicyLookedThrough("access", 2, NEXT, "max", "still right"),), None)
    assert isinstance(look_through(IN_FORCE, "access", NEXT, "", NOW), Decided)
    for facts, note, day, code in (
        (replace(IN_FORCE, actor=EVE), "", NEXT, "policy.not_owner"),
        (replace(IN_FORCE, actor=GONE), "", NEXT, "sign_in.ended"),
        (NEW, "", NEXT, "policy.unknown"),
        (IN_FORCE, "x" * 5_000, NEXT, "text.too_long"),
        (IN_FORCE, "", NOW, "policy.day"),
    ):
        refused = look_through(facts, "access", day, note, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == code


def test_one_confirms_the_document_that_one_read_once() -> None:
    eve = replace(IN_FORCE, actor=EVE, confirmed=1)
    assert confirm(eve, "access", "d2", NOW) == Decided((PolicyConfirmed("access", 2, "d2", "eve"),), None)
    for facts, digest, code in (
        (eve, "d1", "policy.changed"),
        (replace(eve, confirmed=2), "d2", "policy.confirmed"),
        (replace(eve, actor=GONE), "d2", "sign_in.ended"),
        (replace(eve, standing=None), "d2", "policy.unknown"),
    ):
        refused = confirm(facts, "access", digest, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == code


def test_an_administrator_retires_it_and_says_why() -> None:
    done = retire(IN_FORCE, "access", "there is another one", NOW)
    assert done == Decided((PolicyRetired("access", "ada", "there is another one"),), None)
    for facts, why, code in (
        (replace(IN_FORCE, actor=EVE), "x", "right.missing"),
        (NEW, "x", "policy.unknown"),
        (IN_FORCE, "", "text.missing"),
    ):
        refused = retire(facts, "access", why, NOW)
        assert isinstance(refused, Refused)
        assert refused.code == code


def test_whoever_has_not_read_it_is_told_at_once_and_then_every_two_weeks_three_times() -> None:
    new = Unread("access", 2, "eve", 0, None)
    again = replace(new, person="max", times=1, told=Instant(NOW - REMINDED_EACH))
    early = replace(again, told=Instant(NOW - REMINDED_EACH + 1))
    enough = replace(again, times=MOST_TIMES)
    assert [is_due(each, NOW) for each in (new, again, early, enough)] == [True, True, False, False]
    done = remind((new, again, early, enough), NOW)
    assert done == Decided((PolicyReminded("access", 2, "eve", 1), PolicyReminded("access", 2, "max", 2)), 2)
    assert remind((), NOW) == Decided((), 0)
