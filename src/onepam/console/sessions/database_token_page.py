"""A login token for a database: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import PageContext


@dataclass(frozen=True, slots=True)
class DatabaseTokenPage(PageContext):
    """A login token, shown this once.

    `user`: the name that the client gives; `resource`: its name; `token`: what it gives as the password; `expires`:
    until when it is used first (Instant); `lines`: list of [word, text] to copy
    """

    template: ClassVar = "database_token.html"

    user: str
    resource: str
    token: str
    expires: int
    lines: list[tuple[str, str]]
