"""Recordings to inspect, as pictures have them."""

from onepam.console.sessions.inspections_page import InspectionsPage
from onepam.kernel.clock import DAY, HOUR
from tests.console.samples.company import JONAS, ago, ahead

TO_INSPECT = {
    "drawn": ["as any session", "privileged"],
    "state": "due",
    "word": "To inspect",
    "due": ahead(6 * DAY),
    "said": [],
    "may": True,
}
INSPECTED = {"by": "Sofia Blum", "verdict": "Concern", "concern": True, "note": "copied the payroll", "at": ago(HOUR)}
INSPECTIONS = InspectionsPage(
    filter={"state": ""},
    choices={"state": {"": "All that wait", "waiting": "To inspect", "overdue": "Overdue", "done": "Inspected"}},
    figures={
        "ended": 1_204, "drawn": 181, "share": 15, "inspected": 160, "late": 9, "waiting": 11, "overdue": 3,
        "concerns": 2, "done": 93,
    },
    sessions=[
        {
            "id": "ses_3", "state": "finding", "word": "Overdue", "person": JONAS, "resource": "db-1",
            "login": "postgres", "entry": "ssh", "opened": ago(9 * DAY), "ended": ago(8 * DAY),
            "risks": ["as any session", "privileged", "at night or at a weekend (UTC)"], "due": ago(DAY), "own": False,
            "said": [],
        },
        {
            "id": "ses_4", "state": "due", "word": "To inspect", "person": JONAS, "resource": "web-1",
            "login": "root", "entry": "ssh", "opened": ago(3 * HOUR), "ended": ago(2 * HOUR),
            "risks": ["as any session", "ended by somebody"], "due": ahead(6 * DAY), "own": True, "said": [],
        },
        {
            "id": "ses_5", "state": "finding", "word": "Concern", "person": JONAS, "resource": "web-1",
            "login": "app", "entry": "ssh", "opened": ago(5 * HOUR), "ended": ago(4 * HOUR),
            "risks": ["as any session"], "due": ahead(6 * DAY), "own": False, "said": [INSPECTED],
        },
    ],
    pager={"total": 3, "first": True, "next": "", "filters": {"state": ""}},
)  # fmt: skip
