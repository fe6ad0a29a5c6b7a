"""How a permission may be asked for, in words."""

import pytest

from onepam.domain.access.asked import PLAINLY, Asking, Unasked
from onepam.domain.access.asked_words import asking_words, length, ticket_words
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND


def test_each_fact_is_said_once() -> None:
    asked = Asking("^OPS-", True, 30 * DAY, 14 * DAY, 2, 30 * MINUTE, ("lead", "head"))
    assert asking_words(asked) == (
        "2 people say yes",
        "a ticket is needed that matches ^OPS-",
        "up to 30 days ahead",
        "within weekly hours for up to 14 days",
        "after 30 min lead or head may decide, too",
    )
    assert asking_words(PLAINLY) == ()
    window = Asking(ahead=7 * DAY, first_use=True, unasked=Unasked(HOUR, 1))
    assert asking_words(window) == (
        "up to 7 days ahead",
        "from its first use on, within a window",
        "nobody is asked for 1 h at a time, once in seven days",
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asking(ticketed=True), "a ticket is needed"),
        (Asking("^OPS-"), "a ticket, if any, that matches ^OPS-"),
        (PLAINLY, "any ticket or none"),
    ],
)
def test_tickets_are_said_as_they_are_needed(asked: Asking, said: str) -> None:
    assert ticket_words(asked) == said


@pytest.mark.parametrize(
    ("duration", "said"),
    [(30 * DAY, "30 days"), (DAY, "24 h"), (36 * HOUR, "36 h"), (90 * MINUTE, "1 h 30 min"), (SECOND, "1 min")],
)
def test_lengths_are_said_as_people_say_them(duration: int, said: str) -> None:
    assert length(duration) == said
