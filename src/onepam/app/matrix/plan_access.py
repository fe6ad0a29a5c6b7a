"""What an `access.yaml` would change, and who would gain and lose by it."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.matrix.changing import MatrixFacts, look
from onepam.domain.matrix.file import InvalidFile, read_access
from onepam.domain.matrix.plan import Plan
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class MatrixQuery:
    """The matrix and all that rests on it; who acts (None: nobody signed in); and a change by its id."""

    facts: ClassVar[type[MatrixFacts]] = MatrixFacts
    actor: Actor | None
    change: str | None = None


async def plan_access(
    ledger: Ledger, actor: Actor | None, text: str, *, file: str = "access.yaml"
) -> Plan | InvalidFile | Refused:
    """The plan as of the head. Nothing is recorded. Without an actor only before anybody ever signed in."""
    read = await asyncio.to_thread(read_access, text, file)
    outcome = await ledger.commit(MatrixQuery(actor), lambda facts, now: look(facts, read, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
