"""The catalogue: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class CataloguePage(PageContext):
    """What the reader may ask for.

    `filter`: {q}
    `offers`: list of {resource {id, name, kind, labels}, login, role, opens (words), longest, deciders (words), asking
        (list of str: what asking takes, one fact each), at_once (bool: a rule approves some of it), privileged (bool),
        pending (id of the reader's request that waits, or "")}
    `beyond`: how many more there are
    """

    template: ClassVar = "catalogue.html"

    filter: Context
    offers: list[Context]
    beyond: int
