"""Nodes: the processes that write the ledger, each under a key of its own that the log's signer has certified.

A key lives in the memory of its process and nowhere else, so every start has a new one.
"""

from dataclasses import dataclass

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MAX_NAME_CHARACTERS = 200
MAX_REASON_CHARACTERS = 500


@event(
    "node.certified",
    klass="system",
    control="LOG-03",
    words="{node} began to sign what it writes, by certificate {number} of the signer",
)
@dataclass(frozen=True, slots=True)
class NodeCertified:
    """From this batch on a process signs what it writes as `node` with another key. `key` is its verifier key (vkey),
    `certificate` the signer's note over it, the signer's `number`-th (`ledger/authors.py`)."""

    node: str
    key: str
    number: int
    certificate: str


@event(
    "node.revoked",
    klass="system",
    control="LOG-03",
    words="{by} revoked the key of {node}[: {because}]",
)
@dataclass(frozen=True, slots=True)
class NodeRevoked:
    """Somebody on the host took the key of a node out of force: what bears its signature after this batch is no
    history. Started anew, the node has another key."""

    node: str
    key: str
    by: str
    because: str | None = private()


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """The key (vkey) by which a node signs now; None where it has none."""

    key: str | None


def revoke(facts: NodeFacts, node: str, by: str, because: str) -> Decided[None] | Refused:
    """Takes the node's key out of force."""
    if facts.key is None:
        return Refused("node.unknown", f"{node} has no key in force.", "Look at: onepam ledger nodes")
    name, reason = (
        plain_text(by, MAX_NAME_CHARACTERS, what="name"),
        plain_text(because, MAX_REASON_CHARACTERS, what="reason"),
    )
    if isinstance(name, Refused):
        return name
    if isinstance(reason, Refused):
        return reason
    return Decided((NodeRevoked(node, facts.key, name, reason),), None)
