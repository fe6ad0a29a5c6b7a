"""Why the matrix is to change, in the words of whoever proposes it."""

from dataclasses import dataclass

from onepam.kernel import limits
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MAX_TITLE_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Motive:
    """A title by which the change is found again, the reason for it, and a ticket's number or nothing."""

    title: str = ""
    reason: str = ""
    ticket: str = ""

    def plain(self, *, required: bool) -> "Motive | Refused":
        """The same as it is kept, or why it cannot be; title and reason may lack only where they are not required."""
        title = plain_text(self.title, MAX_TITLE_CHARACTERS, what="title", required=required)
        reason = plain_text(self.reason, limits.MAX_TEXT_CHARACTERS, what="reason", required=required)
        ticket = plain_text(self.ticket, limits.MAX_NAME_CHARACTERS, what="ticket", required=False)
        for text in (title, reason, ticket):
            if isinstance(text, Refused):
                return text
        return Motive(str(title), str(reason), str(ticket))


UNSAID = Motive()
"""Of the bootstrap, before anybody could say."""
