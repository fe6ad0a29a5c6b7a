"""Controls (control EVD-01): one row for each run of a test in the period, as it was written down."""

from onepam.evidence.report import Column
from onepam.evidence.reports.linked import Linked, parameters, said
from onepam.evidence.reports.scope import Drawn, Scope, names

NAME = "controls"
HEAD = "control.tested"

QUERY = """\
SELECT entry, kind, control, 0 FROM ev_controls_v1
WHERE kind = 'control.tested' AND time >= :from AND entry < :end ORDER BY entry"""

COLUMNS = (
    Column("tested", said("header.time", HEAD)),
    Column("control", said("body.control", HEAD)),
    Column("version", said("body.version", HEAD)),
    Column("population_from", said("body.begin:time", HEAD)),
    Column("population_until", said("body.until:time", HEAD)),
    Column("population", said("body.population", HEAD)),
    Column("failed", said("body.failed", HEAD)),
    Column("not_tested", said("body.untested", HEAD)),
    Column("excluded", said("body.excluded", HEAD)),
    Column("verdict", said("body.verdict", HEAD)),
    Column("cause", said("body.cause", HEAD)),
    Column("digest", said("body.digest", HEAD)),
    Column("tested_by", said("body.by", HEAD)),
    Column("tested_by_name", names([(HEAD, "body.by")])),
)

LINKED = Linked(NAME, "Controls: each run of a test in the period", QUERY, (HEAD,), {HEAD: ("by",)}, COLUMNS)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    return LINKED.draw(scope, scope.history.query(QUERY, parameters(scope)))
