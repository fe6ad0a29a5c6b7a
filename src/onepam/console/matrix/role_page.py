"""One role: what its template is given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext


@dataclass(frozen=True, slots=True)
class RolePage(PageContext):
    """One role: what it gives, and who holds it by which way.

    `role`: {id, purpose, owner {id, name}, console (list of str), version, since (Instant), reviewed (Instant
        or none: when a review decided on it last), apart (list of str: from which roles it is kept apart, and why)}
    `permissions`: list of {name, says (str), where (label words), approvers (list of str), administrative (bool)}
    `bound`: list of {id, person {id, name} or none, group (str), members (int), since, ends (FOREVER), because, way
        (see `frame.wording.held_by`, and whether a review withholds it), taken (bool: it can be taken here)}
    `pager`: of parts/ui.html
    `may_give`: the reader proposes changes
    """

    template: ClassVar = "role.html"

    role: Context
    permissions: list[Context]
    bound: list[Context]
    pager: Context
    may_give: bool
