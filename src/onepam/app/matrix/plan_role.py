"""What giving a role to a person, or taking it, would change: the edit of one binding, planned like any other text."""

import asyncio
from dataclasses import dataclass

from onepam.app.matrix.plan_access import plan_access
from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.access.model import SubjectKind
from onepam.domain.matrix.editing import RoleEdit, edited
from onepam.domain.matrix.file import InvalidFile
from onepam.domain.matrix.matrix import binding_id
from onepam.domain.matrix.plan import Plan
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class PlannedRole:
    """The text with the edit, and what it would do: what is proposed is that text, by that plan's digest."""

    text: str
    plan: Plan | InvalidFile


async def plan_role(ledger: Ledger, actor: Actor, text: str, edit: RoleEdit, person: str) -> PlannedRole | Refused:
    """The edit of the `text` that is in force, planned as of the head; refused where the file finds another by the
    address than the `person` who is meant. Nothing is recorded."""
    made = await asyncio.to_thread(edited, text, edit)
    if isinstance(made, Refused):
        return made
    plan = await plan_access(ledger, actor, made)
    if isinstance(plan, Refused):
        return plan
    if isinstance(plan, Plan) and plan.objects:
        meant = binding_id(edit.role, SubjectKind.PERSON, person)
        if meant not in {each.name for each in plan.objects if each.kind == "binding"}:
            hint = "Somebody who is enabled has it now."
            return Refused("person.address", f"access.yaml finds somebody else by the address {edit.email}.", hint)
    return PlannedRole(made, plan)
