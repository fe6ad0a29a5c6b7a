"""A row of who is told of what (`notices.py`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onepam.domain.history.event import name_of
from onepam.domain.telling.audience import Audience
from onepam.domain.telling.freedom import Freedom
from onepam.domain.telling.outbox import FOLDED
from onepam.domain.telling.words import Named


@dataclass(frozen=True, slots=True)
class Row:
    """Of events of this record, `audience` is told `sentence`, with a link to `where`.

    `says` is what docs/notices.md says of the row. Alike are events of one kind with the same `alike`, which has few
    values; those that a person is told of are alike only for the same person. `folded` is how long after one of its
    like another waits to be one notice with what follows, `settles` how long an event may still be undone
    (microseconds). `about` is what would be over, such as a request; where it is, nobody is told any more
    (`store/read/telling.py`).
    """

    record: type
    audience: Audience
    says: str
    sentence: Callable[[Any, Named], str | None]
    where: str
    alike: Callable[[Any], str] = lambda event: ""
    text: Callable[[Any], str] = lambda event: ""
    freedom: Freedom = Freedom.NONE
    about: Callable[[Any], str] = lambda event: ""
    folded: int = FOLDED
    settles: int = 0

    @property
    def kind(self) -> str:
        """The event's name."""
        return name_of(self.record)

    @property
    def alarm(self) -> bool:
        """Whether something is wrong with the platform or attacked, and somebody must act."""
        return Audience.ADMINISTRATORS in self.audience
