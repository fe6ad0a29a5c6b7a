"""Roster: what its templates are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.domain.roster.events import RosterRules
from onepam.store.read.staff import Source, VersionRow


@dataclass(frozen=True, slots=True)
class RosterPage(PageContext):
    """The staff roster against the accounts.

    `taken`, `held`: a version (store.read.staff.VersionRow), or none
    `trouble`: what was wrong with the file that came last
    `accounts`, `people`: list of {kind, words, count}: how much does not agree, either way
    `filter`: {q, finding ("" or a kind)}
    `findings`: list of {person (or none), name, words, detail, since}: what does not agree
    `pager`: of parts/ui.html
    `versions`: list of versions, the newest first
    `source`: whence it is pulled, or none
    `columns`: list of (ours, theirs)
    """

    template: ClassVar = "roster.html"

    taken: VersionRow | None
    held: VersionRow | None
    stale: bool
    held_why: str
    trouble: Sequence[str]
    accounts: list[Context]
    people: list[Context]
    filter: Context
    findings: list[Context]
    pager: Context
    versions: Sequence[VersionRow]
    source: Source | None
    rules: RosterRules
    columns: list[tuple[str, str]]
    may_take: bool


@dataclass(frozen=True, slots=True)
class RosterPlanPage(PageContext):
    """What a version of the staff roster would change, before it does.

    `plan`: none for a file that cannot be taken, or {digest, rows, before, held (str, empty where the brake would let
        it through), released (bool), counts {added, changed, ended, leavers}, leavers (list of {id, name}), added,
        ended (list of {name, detail}), changed (list of {name, detail, what})}
    `file`: the bytes, packed, for the form
    """

    template: ClassVar = "roster_plan.html"

    plan: Context | None
    file: str
    errors: list[str]
    error_count: int
