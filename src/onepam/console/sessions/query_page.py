"""Running statements at a database: what the templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class QueryPage(PageContext):
    """The page, and without script what came of its text.

    `resource`, `login`: where to, as whom; `database`: its name, empty for the login's own; `text`: what is asked;
    `served`: the gateway listens for databases; `notices`: list of {severity, words, detail, hint, link};
    `results`: list of results (`QueryPartPage.result`); `over`: why the session has ended, empty where it was asked for
    """

    template: ClassVar = "query.html"

    resource: str
    login: str
    database: str
    text: str
    served: bool
    notices: list[Context]
    results: list[Context]
    over: str


@dataclass(frozen=True, slots=True)
class QueryPartPage(PageContext):
    """One part of the answer, which the page's script puts where it belongs.

    `notice`: {severity, words, detail, hint, link (where to confirm, empty)} or none. `result`: {number,
    of, statement, columns (list of {name, number}), rows (list of lists of {null, short, text, left (bytes not
    shown)}), more, copied, tag, took (words), wrong} or none, and in it `wrong`: {sqlstate, words, detail, hint, line,
    column, before, at, after; line 0 where no place is named} or none
    """

    template: ClassVar = "query_part.html"

    notice: Context | None = None
    result: Context | None = None
