"""Decisions in reviews (controls REV-03, REV-04): one row for each of the period, with what followed on its item."""

from onepam.evidence.report import Column
from onepam.evidence.reports.linked import Linked, parameters, said
from onepam.evidence.reports.scope import Drawn, Scope, names

NAME = "decisions"
HEAD, WITHHELD, RETURNED = "review.decided", "role.withheld", "role.returned"

QUERY = """\
SELECT entry, kind, review || ' ' || person || ' ' || role, 1 FROM ev_reviews_v1
WHERE kind IN ('review.decided', 'role.withheld', 'role.returned') AND time >= :from AND entry < :end
ORDER BY entry"""

COLUMNS = (
    Column("decided", said("header.time", HEAD)),
    Column("review", said("body.review", HEAD)),
    Column("person", said("body.person", HEAD)),
    Column("name", names([(HEAD, "body.person")])),
    Column("role", said("body.role", HEAD)),
    Column("verdict", said("body.verdict", HEAD)),
    Column("decided_by", said("body.by", HEAD)),
    Column("decided_by_name", names([(HEAD, "body.by")])),
    Column("decided_as", said("body.answers", HEAD)),
    Column("note", said("payload.note", HEAD)),
    Column("withheld", said("header.time", WITHHELD)),
    Column("withheld_because", said("body.because", WITHHELD)),
    Column("returned", said("header.time", RETURNED)),
    Column("returned_because", said("body.because", RETURNED)),
)
"""Later decisions on the item stand beside the first, each with a row of its own, too."""

LINKED = Linked(
    NAME,
    "Decisions of the period in reviews of access, and what followed on each item",
    QUERY,
    (HEAD,),
    {HEAD: ("person", "by")},
    COLUMNS,
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    return LINKED.draw(scope, scope.history.query(QUERY, parameters(scope)))
