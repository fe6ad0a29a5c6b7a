"""Roles: what its templates are given."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.console.frame.page import Context, PageContext
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class RolesPage(PageContext):
    """The role matrix: some roles × some systems.

    `filter`: {q (part of a role's name or purpose), where (part of a resource's name or label), by (the label by which
        systems stand together)}
    `labels`: list of str: those that it may be
    `columns`: list of {id, name, labels (dict), group (str: such as the environment)}; those of one group stand
        together
    `rows`: list of {id, name, purpose, owner, people (int), administrative (bool), cells ({column id: {how
        ("standing" | "request"), administrative (bool), says (str), drift (str, "" when none)}}, nothing for a column
        it does not reach)}
    `version`: the digest of access.yaml in force
    `since`: none before the first
    `pager`, `across`: of parts/ui.html, for the roles and for the systems
    """

    template: ClassVar = "roles.html"

    filter: Context
    views: list[Context]
    labels: list[str]
    columns: list[Context]
    rows: list[Context]
    version: str
    since: Instant | None
    pager: Context
    across: Context
