"""Whose an item is: the first who can, and nobody for themselves."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.reviews.answering import Chain
from onepam.domain.reviews.events import Answers

HERE = frozenset({"nan", "max", "sue", "own", "fay", "eve"})
CHAIN = Chain("eve", None, "max", "sue", "own", "fay", HERE)


def test_the_first_who_can_decides() -> None:
    for gone, who in (
        (set(), ("max", Answers.MANAGER)),
        ({"max"}, ("sue", Answers.SPONSOR)),
        ({"max", "sue"}, ("own", Answers.ROLE_OWNER)),
        ({"max", "sue", "own"}, ("fay", Answers.FALLBACK)),
        ({"max", "sue", "own", "fay"}, None),
    ):
        assert replace(CHAIN, here=HERE - gone).decides == who
        assert replace(CHAIN, hands=frozenset(gone)).decides == who


def test_whoever_answers_for_a_system_decides_as_that() -> None:
    of_a_system = replace(CHAIN, manager=None, sponsor=None, owns=Answers.SYSTEM_OWNER)
    assert of_a_system.decides == ("own", Answers.SYSTEM_OWNER)


def test_whoever_was_named_decides_while_they_are_here() -> None:
    assert replace(CHAIN, named="nan").decides == ("nan", Answers.NAMED)
    assert replace(CHAIN, named="nan", here=HERE - {"nan"}).decides == ("max", Answers.MANAGER)


def test_nobody_decides_on_their_own() -> None:
    own = replace(CHAIN, named="eve", manager="eve", sponsor="eve", owner="eve", fallback="eve")
    assert own.decides is None


def test_what_is_not_theirs_goes_on_to_the_next_and_comes_to_an_end() -> None:
    assert CHAIN.after("max") == "sue"
    assert CHAIN.after("sue") == "own"
    assert CHAIN.after("fay") is None
    assert CHAIN.after("nan") == "max"  # whoever stands in no chain was named
    assert replace(CHAIN, sponsor="max").after("max") == "own"


WHO = st.one_of(st.none(), st.sampled_from(sorted(HERE)))
CHAINS = st.builds(
    Chain, st.sampled_from(sorted(HERE)), WHO, WHO, WHO, WHO, WHO, st.frozensets(st.sampled_from(sorted(HERE))),
    st.frozensets(st.sampled_from(sorted(HERE))),
)  # fmt: skip


@given(CHAINS)
def test_each_item_has_exactly_one_who_can_or_nobody_is_left(chain: Chain) -> None:
    decides = chain.decides
    ways = (chain.named, chain.manager, chain.sponsor, chain.owner, chain.fallback)
    able = [who for who in ways if who is not None and who != chain.person and who in chain.here - chain.hands]
    assert (decides[0] if decides else None) == (able[0] if able else None)


@given(CHAINS, st.sampled_from(sorted(HERE)))
def test_passing_on_ends_and_comes_to_nobody_twice(chain: Chain, first: str) -> None:
    seen, who = [], chain.after(first)
    while who is not None:
        seen.append(who)
        assert chain.may(who)
        who = chain.after(who)
    assert len(seen) == len(set(seen))
