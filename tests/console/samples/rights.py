"""Whether roles match the work: the difference, and what nobody uses."""

from dataclasses import replace

from onepam.console.matrix.difference import views
from onepam.console.matrix.difference_page import DifferencePage
from onepam.console.matrix.unused_page import UnusedPage
from onepam.kernel.clock import DAY
from tests.console.samples.company import JONAS, PRIYA, ago

DIFFERENCE = DifferencePage(
    views=views("/difference"),
    kinds=[
        {"id": "undeclared", "words": "in force, and not in the file", "count": 1, "more": True},
        {"id": "apart", "words": "roles that are kept apart, held together", "count": 1, "more": True},
        {"id": "nobody", "words": "a role that nobody holds", "count": 12, "more": False},
    ],
    kind="",
    rows=[
        {"words": "in force, and not in the file", "role": "administrator", "person": PRIYA, "resource": "",
         "detail": "given by name, by recover-access"},
        {"words": "roles that are kept apart, held together", "role": "", "person": JONAS, "resource": "",
         "detail": "author and releaser (releases)"},
        {"words": "a role that nobody holds", "role": "archive", "person": None, "resource": "", "detail": ""},
    ],
    designed=True,
    administering={
        "now": 4,
        "people": 120,
        "percent": 3,
        "points": "0.0,20.0 60.0,18.0 120.0,21.0 180.0,24.0 240.0,26.0",
        "said": "4 of 120 people administer something; 6 of 98 people at the beginning of this picture.",
    },
    pager={"total": 14, "first": True, "next": "3", "filters": {"kind": ""}},
)  # fmt: skip
NO_DIFFERENCE = replace(
    DIFFERENCE, kinds=[], rows=[], designed=False, administering=None,
    pager={"total": 0, "first": True, "next": "", "filters": {"kind": ""}},
)  # fmt: skip
UNUSED = UnusedPage(
    views=views("/unused"),
    filter={"role": ""},
    roles=[
        {"role": "developer", "people": 40, "using": 31, "unused": 6, "late": 2, "rights": 320, "touched": 141,
         "percent": 44},
        {"role": "operator", "people": 4, "using": 4, "unused": 0, "late": 0, "rights": 60, "touched": 58,
         "percent": 97},
    ],
    rows=[
        {"person": JONAS, "role": "developer", "last": None, "sessions": 0, "rights": 8, "touched": 0,
         "flagged": ago(40 * DAY), "due": ago(10 * DAY), "state": "finding", "word": "Overdue", "proposal": "remove"},
        {"person": PRIYA, "role": "developer", "last": ago(95 * DAY), "sessions": 0, "rights": 8, "touched": 0,
         "flagged": ago(5 * DAY), "due": ago(-25 * DAY), "state": "due", "word": "Unused",
         "proposal": "leave directory:Engineering"},
    ],
    suggested=[
        {
            "people": ["Lena Vogel", "Tomas Novak", "Jonas Weber"],
            "manager": "Mira Okafor",
            "lines": "  suggested-1:\n    purpose: \"TODO: what 3 people do\"\n    owner: TODO\n",
        }
    ],
    may_plan=True,
    pager={"total": 6, "first": True, "next": "2", "filters": {"role": ""}},
)  # fmt: skip
ALL_USED = replace(UNUSED, rows=[], suggested=[], may_plan=False)
NO_ROLES = replace(ALL_USED, roles=[])
