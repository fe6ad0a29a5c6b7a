"""Other systems: what their templates are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.store.read.systems import ListRow, SystemRow


@dataclass(frozen=True, slots=True)
class SystemsPage(PageContext):
    """All systems that have a list, how their accounts stand, and what is found.

    `systems`: of store.read.systems, by name
    `findings`: list of {account, system, name, rights (str), person (or none), person_name, words, since, due, overdue,
        answers}: those first that are due first; `more`: how many beside these
    `errors`: what is wrong with a file that was not taken, `error_count` how many such
    POST /systems (csrf, system, made, file): takes a list, or has it held.
    """

    template: ClassVar = "systems.html"

    systems: Sequence[SystemRow]
    findings: list[Context]
    more: int
    errors: list[str]
    error_count: int
    may_take: bool


@dataclass(frozen=True, slots=True)
class SystemPage(PageContext):
    """One system: its accounts, narrowed, a page at a time, and its lists.

    `system`: of store.read.systems; `held_why`: why the brake holds a list, or ""
    `filter`: {q, finding ("", any, nobody, left or still_there)}
    `accounts`: list of {account, name, email, rights (str), person (or none), person_name, service, known (str), used
        (or none), said_owner, words (the finding, or ""), due (or none), overdue}
    `pager`: of parts/ui.html
    `lists`: of store.read.systems, the newest first
    `releases`: the reader may let the held list through
    """

    template: ClassVar = "system.html"

    system: SystemRow
    held_why: str
    filter: Context
    accounts: list[Context]
    pager: Context
    lists: Sequence[ListRow]
    may_take: bool
    releases: bool
