"""Facts of nodes: the key that one signs with."""

from onepam.app.host.revoke_node import NodeQuery
from onepam.app.ports import Snapshot
from onepam.domain.host.nodes import NodeFacts
from onepam.kernel.clock import Instant
from onepam.store.engine.batches import newest_key
from onepam.store.engine.facts import loads


@loads(NodeQuery)
def node(db: Snapshot, query: NodeQuery, at: Instant) -> NodeFacts:
    newest = newest_key(db, query.node)
    return NodeFacts(newest[0] if newest and newest[2] else None)
