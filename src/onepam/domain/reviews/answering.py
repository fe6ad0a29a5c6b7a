"""Who decides on an item: exactly one, by what is so at that moment, or nobody, which a page shows.

The first who can, of: whom it was passed on to, the manager, the sponsor or owner of the account, the owner of the
role or whoever answers for the system, the fallback of the review. Nobody decides on their own access, nor for whoever
may be one hand with them. So when a manager leaves, their items are the next one's without anybody's doing, and a
circle of managers is none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from onepam.domain.reviews.events import Answers


@dataclass(frozen=True)
class Chain:
    """Who may come to decide on an item, as of now. `here` are those of them who can sign in, `hands` whoever may be
    one hand with its person; `owns` is what `owner` decides as."""

    person: str
    named: str | None
    manager: str | None
    sponsor: str | None
    owner: str | None
    fallback: str | None
    here: frozenset[str]
    hands: frozenset[str] = frozenset()
    owns: Answers = Answers.ROLE_OWNER

    def may(self, who: str | None) -> bool:
        """Whether somebody could decide on it, if it came to them."""
        return who is not None and who != self.person and who in self.here and who not in self.hands

    def _order(self) -> Iterator[tuple[str, Answers]]:
        ways = (
            (self.manager, Answers.MANAGER),
            (self.sponsor, Answers.SPONSOR),
            (self.owner, self.owns),
            (self.fallback, Answers.FALLBACK),
        )
        yield from ((who, answers) for who, answers in ways if who is not None and self.may(who))

    @cached_property
    def decides(self) -> tuple[str, Answers] | None:
        """Who decides on it now, and as what; None where nobody is left."""
        if self.named is not None and self.may(self.named):
            return self.named, Answers.NAMED
        return next(self._order(), None)

    def after(self, who: str) -> str | None:
        """Who is next where somebody says that it is not theirs: of those behind them, or else of all; None: nobody."""
        order = list(dict.fromkeys(each for each, _ in self._order()))
        rest = order[order.index(who) + 1 :] if who in order else order
        return next(iter(rest), None)
