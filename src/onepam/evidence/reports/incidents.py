"""Incidents (control MON-05): one row for each that was opened in the period, with all that was written of it since."""

from onepam.evidence.report import Column
from onepam.evidence.reports.linked import Linked, parameters, said
from onepam.evidence.reports.scope import Drawn, Scope, names

NAME = "incidents"
HEAD, NOTED, ASSIGNED = "incident.opened", "incident.noted", "incident.assigned"
TOLD, CLOSED, AGAIN = "incident.reminded", "incident.closed", "incident.reopened"

QUERY = """\
SELECT entry, kind, incident, kind <> 'incident.opened' FROM ev_incidents_v1
WHERE time >= :from AND entry < :end ORDER BY entry"""

COLUMNS = (
    Column("opened", said("header.time", HEAD)),
    Column("incident", said("body.incident", HEAD)),
    Column("title", said("payload.title", HEAD)),
    Column("what", said("payload.what", HEAD)),
    Column("severity", said("body.severity", HEAD, ASSIGNED)),
    Column("began", said("body.began:time", HEAD)),
    Column("found", said("body.found:time", HEAD)),
    Column("opened_by", said("body.by", HEAD)),
    Column("opened_by_name", names([(HEAD, "body.by")])),
    Column("owners", said("body.owner", HEAD, ASSIGNED)),
    Column("owner_names", names([(HEAD, "body.owner"), (ASSIGNED, "body.owner")])),
    Column("due", said("body.due:time", HEAD, ASSIGNED, AGAIN)),
    Column("assigned", said("header.time", ASSIGNED)),
    Column("assigned_by", said("body.by", ASSIGNED)),
    Column("assigned_because", said("payload.because", ASSIGNED)),
    Column("links", said("body.links", HEAD, NOTED)),
    Column("noted", said("header.time", NOTED)),
    Column("noted_of", said("body.at:time", NOTED)),
    Column("noted_by", said("body.by", NOTED)),
    Column("notes", said("payload.note", NOTED)),
    Column("reminded", said("header.time", TOLD)),
    Column("closed", said("header.time", CLOSED)),
    Column("closed_by", said("body.by", CLOSED)),
    Column("closed_by_name", names([(CLOSED, "body.by")])),
    Column("cause", said("payload.cause", CLOSED)),
    Column("done", said("payload.done", CLOSED)),
    Column("lessons", said("payload.lessons", CLOSED)),
    Column("reopened", said("header.time", AGAIN)),
    Column("reopened_by", said("body.by", AGAIN)),
    Column("reopened_because", said("payload.because", AGAIN)),
)

LINKED = Linked(
    NAME,
    "Incidents that were opened in the period, to their end",
    QUERY,
    (HEAD,),
    {HEAD: ("by", "owner"), ASSIGNED: ("owner",), CLOSED: ("by",)},
    COLUMNS,
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    return LINKED.draw(scope, scope.history.query(QUERY, parameters(scope)))
