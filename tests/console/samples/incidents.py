"""Incidents: the register, opening one, one that is open, one of whoever answers for it, and one that is closed."""

from dataclasses import replace

from onepam.console.frame.page import Context, PageContext
from onepam.console.frame.rendering import Shell
from onepam.console.incidents.incidents import KINDS, SEVERITIES
from onepam.console.incidents.incidents_page import IncidentPage, IncidentsPage, NewIncidentPage
from onepam.console.people.lanes import ticks
from onepam.kernel.clock import DAY, HOUR, MINUTE
from onepam.store.read.incidents import STATES
from tests.console.samples.company import MINE, NOW, ago, ahead, shell


def row(**changes: object) -> Context:
    return {
        "id": "inc_7f2k", "title": "A key of the shop was written into a log", "state": "due", "word": "Open",
        "severity": "High", "found": ago(5 * HOUR), "owner": "Mira Okafor", "due": ahead(2 * DAY), "late": False,
        "closed": None, **changes,
    }  # fmt: skip


INCIDENTS = IncidentsPage(
    filter={"state": "", "severity": ""},
    choices={"state": dict(STATES), "severity": {"": "Any severity", **SEVERITIES}},
    figures={"open": 2, "overdue": 1, "high": 1, "closed": 14},
    incidents=[
        row(id="inc_2", title="Somebody signed in from two countries", state="finding", word="Overdue", late=True,
            severity="Medium", due=ago(DAY), owner="Sofia Blum"),
        row(),
    ],
    pager={"total": 2, "first": True, "next": "", "filters": {"state": "", "severity": ""}},
)  # fmt: skip
NO_INCIDENTS = replace(INCIDENTS, incidents=[], figures=dict.fromkeys(("open", "overdue", "high", "closed"), 0))
NO_SUCH_INCIDENTS = replace(NO_INCIDENTS, filter={"state": "closed", "severity": "low"})
NEW_INCIDENT = NewIncidentPage(
    links=[{"kind": "Session", "words": "ses_3", "value": "session:ses_3"}],
    value="session:ses_3",
    severities=SEVERITIES,
    me="Mira Okafor",
)
NEW_INCIDENT_PLAIN = replace(NEW_INCIDENT, links=[], value="")

START, END = ago(9 * HOUR), ahead(10 * MINUTE)


def point(at: int, says: str, state: str = "plain") -> Context:
    return {"at": ago(at), "says": says, "href": "/ledger?entry=9120", "state": state}


INCIDENT = IncidentPage(
    incident={
        **row(), "began": ago(8 * HOUR), "opened": ago(4 * HOUR), "opened_by": "Sofia Blum", "closed_by": "",
        "owner_id": "per_mira",
    },
    start=START,
    end=END,
    ticks=ticks(START, END),
    lanes=[
        {"word": "Incident", "points": [], "bars": [
            {"row": 0, "since": ago(8 * HOUR), "until": NOW, "says": "Began 06:05, and still open", "href": None,
             "state": "due", "label": "A key of the shop was written into a log"}]},
        {"word": "Sessions", "points": [], "bars": [
            {"row": 0, "since": ago(8 * HOUR), "until": ago(7 * HOUR), "says": "Jonas Lindqvist on web-1 as root",
             "href": "/sessions/ses_3", "state": "plain", "label": "Jonas Lindqvist on web-1 as root"}]},
        {"word": "Entries", "bars": [], "points": [point(7 * HOUR, "A recording was inspected: a concern", "due")]},
        {"word": "Written", "bars": [], "points": [point(4 * HOUR, "opened"), point(HOUR, "noted")]},
    ],
    links=[
        {"kind": "Session", "words": "Jonas Lindqvist on web-1 as root", "href": "/sessions/ses_3",
         "since": ago(8 * HOUR), "until": ago(7 * HOUR)},
        {"kind": "Caused by", "words": "Jonas Lindqvist", "href": "/people/per_jonas", "since": None, "until": None},
    ],
    history=[
        {"at": ago(4 * HOUR), "words": "Sofia Blum opened the incident inc_7f2k (high)", "entry": 9_120},
        {"at": ago(HOUR), "words": "Mira Okafor noted to the incident inc_7f2k: the key is revoked", "entry": 9_240},
    ],
    keeps=True,
    may_note=True,
    may_close=False,
    why_not="Somebody else closes it: one of high severity takes two, and you answered for it.",
    severities=SEVERITIES,
    kinds=KINDS,
)  # fmt: skip
INCIDENT_TO_CLOSE = replace(INCIDENT, may_close=True, why_not="")
INCIDENT_OWNED = replace(INCIDENT, keeps=False, why_not="", links=[])
INCIDENT_CLOSED = replace(
    INCIDENT, may_note=False, why_not="",
    incident={**INCIDENT.incident, "state": "proven", "word": "Closed", "closed": ago(MINUTE), "closed_by": "Ada"},
)  # fmt: skip

INCIDENT_SAMPLES: dict[str, tuple[Shell, PageContext]] = {
    "incidents": (shell("/incidents"), INCIDENTS),
    "incidents-empty": (shell("/incidents"), NO_INCIDENTS),
    "incidents-none": (shell("/incidents"), NO_SUCH_INCIDENTS),
    "incident-new": (shell("/incidents/new"), NEW_INCIDENT),
    "incident-new-plain": (shell("/incidents/new"), NEW_INCIDENT_PLAIN),
    "incident": (shell("/incidents/inc_7f2k"), INCIDENT),
    "incident-to-close": (shell("/incidents/inc_7f2k"), INCIDENT_TO_CLOSE),
    "incident-owned": (shell("/incidents/inc_7f2k", MINE), INCIDENT_OWNED),
    "incident-closed": (shell("/incidents/inc_7f2k"), INCIDENT_CLOSED),
}
