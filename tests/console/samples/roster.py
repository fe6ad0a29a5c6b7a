"""The staff roster: as it stands, and what a version would change."""

from dataclasses import replace

from onepam.console.frame.page import Context
from onepam.console.roster.roster_page import RosterPage, RosterPlanPage
from onepam.domain.roster.events import RosterRules, Standing
from onepam.domain.roster.file import COLUMNS
from onepam.kernel.clock import DAY, HOUR
from onepam.store.read.staff import Source, VersionRow
from tests.console.samples.company import JONAS, TOMAS, ago

DIGEST = "9f2c4b1e77aa5c03d1e8f6b2" + "0" * 40


def version(standing: Standing, number: int, **more: object) -> VersionRow:
    known: dict[str, object] = {
        "version": f"stv_{number}", "standing": standing, "digest": DIGEST, "source": "hr.example.org", "because": "",
        "rows": 1_204, "added": 3, "changed": 12, "ended": 1, "leavers": 0, "accounts": 0, "errors": 0,
        "received": ago(number * HOUR), "by_name": "", "released_by_name": "", "said": (),
    }  # fmt: skip
    return VersionRow(**{**known, **more})  # type: ignore[arg-type]


HELD = version(
    Standing.HELD, 1, because="roster.leavers", rows=502, added=0, ended=702, leavers=687, accounts=1_190,
    said=("Jonas Weber", "Tomáš Novák", "Aïcha Ben-Salem"),
)  # fmt: skip
TAKEN = version(Standing.TAKEN, 2)
_LEFT = "left by the roster, and the account is enabled"

ROSTER = RosterPage(
    taken=TAKEN,
    stale=False,
    source=Source("hr.example.org", None, None, None, HOUR, None),
    rules=RosterRules(),
    columns=[(name, "") for name in COLUMNS],
    trouble=(),
    held=None,
    held_why="",
    accounts=[
        {
            "kind": "left_enabled",
            "words": _LEFT,
            "count": 1,
        },
        {"kind": "no_entry", "words": "on no roster", "count": 1},
    ],
    people=[{"kind": "no_account", "words": "on the roster, without an account", "count": 214}],
    filter={"q": "", "finding": ""},
    findings=[
        {"person": JONAS["id"], "name": JONAS["name"], "words": _LEFT, "detail": "", "since": ago(3 * DAY)},
        {
            "person": TOMAS["id"],
            "name": TOMAS["name"],
            "words": "on no roster",
            "detail": "tomas@example.org",
            "since": ago(40 * DAY),
        },
        {
            "person": None,
            "name": "Ingrid Sørensen",
            "words": "on the roster, without an account",
            "detail": "ingrid@example.org",
            "since": ago(9 * DAY),
        },
    ],
    pager={"total": 216, "first": True, "next": "no_account/ent_3", "filters": {"q": "", "finding": ""}},
    versions=[
        TAKEN,
        version(Standing.REFUSED, 5, digest="", rows=0, added=0, changed=0, ended=0, errors=2),
        version(Standing.TAKEN, 30, source="upload", by_name="Lena Fischer", released_by_name="Mara Olsen"),
    ],
    may_take=True,
)
ROSTER_HELD = replace(
    ROSTER,
    stale=True,
    held=HELD,
    held_why="It would end the access of too many people.",
    versions=[HELD, *ROSTER.versions],
)
ROSTER_REFUSED = replace(
    ROSTER,
    trouble=("line 17, column ends: '31.02.2026' is not a date; write 2026-03-31.",),
)
NO_ROSTER = replace(ROSTER, taken=None, source=None, accounts=[], people=[], findings=[], versions=[])
ROSTER_NOTHING = replace(ROSTER, filter={"q": "zzz", "finding": ""}, findings=[])

_PLAN: Context = {
    "digest": DIGEST, "rows": 1_206, "before": 1_204, "held": "", "released": False,
    "leavers": [{"id": JONAS["id"], "name": JONAS["name"]}],
    "added": [{"name": "Ingrid Sørensen", "detail": "4711 ingrid@example.org"}],
    "changed": [{"name": TOMAS["name"], "detail": "17 tomas@example.org", "what": "manager, ends"}],
    "ended": [{"name": JONAS["name"], "detail": "12 jonas@example.org"}],
    "counts": {"added": 3, "changed": 1, "ended": 1, "leavers": 1},
}  # fmt: skip
PLAN = RosterPlanPage(plan=_PLAN, file="eJw=", errors=[], error_count=0)
PLAN_HELD = replace(PLAN, plan={**_PLAN, "held": "It drops too many rows."})
PLAN_INVALID = RosterPlanPage(
    plan=None,
    file="",
    errors=[
        "line 17, column ends: '31.02.2026' is not a date; write 2026-03-31.",
        "line 40, column sponsor: a vendor needs a sponsor.",
    ],
    error_count=240,
)
