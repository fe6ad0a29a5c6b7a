"""The rule of a review's sign-off: by whom, of what is over, and with the figures that the entries give."""

from __future__ import annotations

from collections.abc import Iterable

from onepam.kernel.instant import SECOND
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.known import Review
from onepam.ledger.lawful.reviews import SILENCE
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, AUDIT, FRESH, acts, one_hand
from onepam.ledger.lawful.state import State

signing_off_rules = Rules()

STAMPED, STAMPED_KEPT, STAMPED_WITHIN = 50, 95, 2 * SECOND
"""Of how many items or more somebody who keeps more of a hundred than that, at that median, is said to have stamped."""


@signing_off_rules.of("review.signed_off", "signing a review off", Authority.PERSON)
def review_signed_off(state: State, entry: Entry) -> Why:
    """Somebody who administers or audits, under a fresh factor, once it is over; who decided nothing in it, nor one
    hand with them, and lost nothing by it; with what it came to."""
    body = entry.body
    by = body["by"]
    yield acts(state, by, ADMINISTER, AUDIT, age=FRESH)
    review = state.reviews.get(body["review"])
    if review is None or not review.closed:
        yield "no such review was over"
        return
    if review.signed:
        yield "it was signed off already"
    if by in review.took_part:
        yield "they had decided in it"
    yield one_hand(state, by, *sorted(review.took_part))
    removed = [key for key, verdict in review.decided.items() if verdict == "remove"]
    silence = by in state.people and (body["review"], SILENCE) in state.people[by].withheld.values()
    if silence or any(person == by for person, _ in removed):
        yield "it had taken something from them"
    given = sum(role in state.people[who].withheld for who, role in removed if who in state.people)
    given += sum(_there_still(state, key, review.elsewhere.get(key, ())) for key in removed)
    came_to = (len(review.decided) - len(removed), len(removed), len(review.items) - len(review.decided), given)
    if (body["kept"], body["removed"], body["unanswered"], body["not_remediated"]) != came_to:
        yield "its numbers are others"
    if list(body["rubber_stamps"]) != _stamped(review):
        yield "others decided as fast as that"
    review.signed = True


def _there_still(state: State, key: tuple[str, str], ways: Iterable[tuple[str, str]]) -> bool:
    """Whether an account of what was removed in another system is on its list, or its person in one of the groups."""
    who, source = key
    person = state.people.get(who)
    groups = person.groups if person is not None else {}
    return any(account in state.listed if account else (group, source) in groups for account, group in ways)


def _stamped(review: Review) -> list[str]:
    """Who kept nearly everything of a great deal, faster than anybody reads."""
    found = []
    for who in sorted({who for who, _ in review.deciders.values()}):
        keys = [key for key, (by, _) in review.deciders.items() if by == who]
        times = sorted(review.deciders[key][1] for key in keys)
        gaps = sorted(times[number + 1] - each for number, each in enumerate(times[:-1]))
        kept = sum(review.decided[key] == "keep" for key in keys)
        much = len(keys) >= STAMPED and 100 * kept > STAMPED_KEPT * len(keys)
        if much and gaps[len(gaps) // 2] < STAMPED_WITHIN:
            found.append(who)
    return found
