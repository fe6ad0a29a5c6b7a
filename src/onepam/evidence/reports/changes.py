"""Changes of access.yaml (control CHG-01): one row for each version proposed in the period: who proposed it, who
agreed, what it gives and takes, and when."""

from onepam.evidence.report import Column
from onepam.evidence.reports.linked import Linked, parameters, said
from onepam.evidence.reports.scope import Drawn, Scope, names

NAME = "changes"
HEAD, APPROVED, REJECTED, REFUSED, APPLIED = (
    "change.proposed", "change.approved", "change.rejected", "change.refused", "change.applied")  # fmt: skip
DECIDED = (APPROVED, REJECTED)
ROLE_SET, ROLE_GONE, RESOURCE_SET, RESOURCE_GONE = "role.set", "role.removed", "resource.set", "resource.removed"
BOUND, UNBOUND = "binding.added", "binding.ended"

QUERY = """\
SELECT entry, kind, change, kind <> 'change.proposed' FROM ev_changes_v1
WHERE time >= :from AND entry < :end ORDER BY entry"""

COLUMNS = (
    Column("proposed", said("header.time", HEAD)),
    Column("change", said("body.change", HEAD)),
    Column("title", said("payload.title", HEAD)),
    Column("proposed_by", said("body.by", HEAD)),
    Column("proposed_by_name", names([(HEAD, "body.by")])),
    Column("reason", said("payload.reason", HEAD)),
    Column("ticket", said("payload.ticket", HEAD)),
    Column("document", said("body.document", HEAD)),
    Column("digest", said("body.digest", HEAD)),
    Column("widens", said("body.widens", HEAD)),
    Column("summary", said("body.summary", HEAD)),
    Column("decision", said("header.kind", *DECIDED)),
    Column("decided", said("header.time", *DECIDED)),
    Column("decided_by", said("body.by", *DECIDED)),
    Column("decided_by_name", names((kind, "body.by") for kind in DECIDED)),
    Column("rejected_because", said("body.because", REJECTED)),
    Column("refused_decisions", said("body.code", REFUSED)),
    Column("refused_decisions_by", said("body.by", REFUSED)),
    Column("applied", said("header.time", APPLIED)),
    Column("roles_set", said("body.role", ROLE_SET)),
    Column("roles_removed", said("body.role", ROLE_GONE)),
    Column("resources_set", said("body.resource", RESOURCE_SET)),
    Column("resources_removed", said("body.resource", RESOURCE_GONE)),
    Column("roles_given", said("body.role", BOUND)),
    Column("given_to", said("body.subject", BOUND)),
    Column("bindings_given", said("body.binding", BOUND)),
    Column("bindings_ended", said("body.binding", UNBOUND)),
)

LINKED = Linked(
    NAME,
    "Changes of access.yaml that were proposed in the period, decided and applied",
    QUERY,
    (HEAD,),
    dict.fromkeys((HEAD, *DECIDED), ("by",)),
    COLUMNS,
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    return LINKED.draw(scope, scope.history.query(QUERY, parameters(scope)))
