"""What giving a role to a person, or taking it, would change: the edit of one binding, planned like any other text."""

import asyncio
from dataclasses import dataclass

from onepam.app.matrix.plan_access import plan_access
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.matrix.editing import RoleEdit, edited
from onepam.domain.matrix.file import InvalidFile
from onepam.domain.matrix.plan import Plan
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class PlannedRole:
    """The text with the edit, and what it would do: what is proposed is that text, by that plan's digest."""

    text: str
    plan: Plan | InvalidFile


async def plan_role(ledger: Ledger, actor: Actor, text: str, edit: RoleEdit) -> PlannedRole | Refused:
    """The edit of the `text` that is in force, planned as of the head. Nothing is recorded."""
    made = await asyncio.to_thread(edited, text, edit)
    if isinstance(made, Refused):
        return made
    plan = await plan_access(ledger, actor, made)
    return plan if isinstance(plan, Refused) else PlannedRole(made, plan)
