"""Somebody on the host takes the key of a node out of force."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.host.nodes import NodeFacts, revoke
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class NodeQuery:
    """The key of one node."""

    facts: ClassVar[type[NodeFacts]] = NodeFacts
    node: str


async def revoke_node(ledger: Ledger, node: str, by: str, because: str) -> Refused | None:
    """None when nothing counts any more that bears the node's signature."""
    outcome = await ledger.commit(NodeQuery(node), lambda facts, now: revoke(facts, node, by, because))
    return outcome if isinstance(outcome, Refused) else outcome.result
