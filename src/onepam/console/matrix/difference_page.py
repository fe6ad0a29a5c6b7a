"""The difference between matrix and world: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class DifferencePage(PageContext):
    """Where the role matrix as designed and what people can do differ, and how many people administer.

    `views`: list of {href, word, here (bool)}: designed, actual, difference, unused
    `kinds`: list of {id, words, count, more (bool: people can do more than the matrix says)}
    `kind`: the id of the kind that is shown, or ""
    `rows`: list of {words, role, person (none, or {id, name}), resource, detail}
    `designed`: the text in force could be read, so that definitions were compared; true before the first file, too
    `administering`: none, or {now, people, percent, points (of a polyline, in 240 by 40), said (the trend in words)}
    `pager`: of parts/ui.html
    """

    template: ClassVar = "difference.html"

    views: list[Context]
    kinds: list[Context]
    kind: str
    rows: list[Context]
    designed: bool
    administering: Context | None
    pager: Context
