"""Other systems: all of them with what is found, and one with its accounts."""

from dataclasses import replace

from onepam.console.frame.page import Context
from onepam.console.systems.systems import FINDINGS, HELD_WORDS, KNOWN
from onepam.console.systems.systems_page import SystemPage, SystemsPage
from onepam.domain.systems.events import Match, Standing
from onepam.domain.systems.importing import SHRINKS
from onepam.kernel.clock import DAY, HOUR
from onepam.store.read.systems import ListRow, SystemRow
from tests.console.samples.company import JONAS, TOMAS, ago, ahead


def a_list(standing: Standing, days: int, **more: object) -> ListRow:
    known: dict[str, object] = {
        "list": f"acl_{days}", "standing": standing, "digest": "4b1e77aa5c03d1e8f6b29f2c" + "0" * 40,
        "made": ago(days * DAY), "because": "", "accounts": 418, "added": 6, "changed": 21, "gone": 4,
        "decided": ago(days * DAY - HOUR), "by": "per_lena", "by_name": "Lena Fischer", "released_by_name": "",
    }  # fmt: skip
    return ListRow(**{**known, **more})  # type: ignore[arg-type]


TAKEN = a_list(Standing.TAKEN, 2)
HELD = a_list(Standing.HELD, 1, because=SHRINKS, accounts=102, added=0, changed=0, gone=316)
PAYROLL = SystemRow("payroll", JONAS["id"], JONAS["name"], 30, 418, 9, 3, 1, 1, 2, TAKEN, None)
CRM = SystemRow("crm", TOMAS["id"], TOMAS["name"], 14, 97, 0, 0, 0, 0, 0, a_list(Standing.TAKEN, 9), HELD)


def account(name: str, rights: str, finding: str = "", **more: object) -> Context:
    due = ago(2 * DAY) if finding == "nobody" else ahead(20 * DAY) if finding else None
    return {
        "account": f"lac_{name}", "name": name, "email": "", "rights": rights, "person": None, "person_name": "",
        "service": False, "known": "", "used": ago(3 * DAY), "said_owner": "",
        "words": FINDINGS.get(finding, ""), "due": due, "overdue": finding == "nobody", **more,
    }  # fmt: skip


_JONAS: Context = {"person": JONAS["id"], "person_name": JONAS["name"], "known": KNOWN[Match.EMAIL]}
_TOMAS: Context = {"person": TOMAS["id"], "person_name": TOMAS["name"], "known": KNOWN[Match.NAME]}
_FOUND: Context = {"system": "payroll", "since": ago(32 * DAY), "answers": JONAS["name"]}
ACCOUNTS = [
    account("batch-night", "run jobs", service=True, **{**_JONAS, "known": KNOWN[Match.OWNER]}),
    account("j.weber", "approve, read", email="jonas@example.org", **_JONAS),
    account("mig-2019", "administer", "nobody", used=None, said_owner="projects"),
    account("t.novak", "read", "still_there", **_TOMAS),
]
SYSTEMS = SystemsPage(
    systems=(CRM, PAYROLL),
    findings=[{**ACCOUNTS[2], **_FOUND}, {**ACCOUNTS[3], **_FOUND, "since": ago(10 * DAY)}],
    more=0,
    errors=[],
    error_count=0,
    may_take=True,
)
SYSTEMS_INVALID = replace(
    SYSTEMS,
    more=214,
    errors=["line 4, column account: 'eve' stands on line 2 already, with the same right."],
    error_count=1,
)
NO_SYSTEMS = replace(SYSTEMS, systems=(), findings=[])
SYSTEM = SystemPage(
    system=PAYROLL,
    held_why="",
    filter={"q": "", "finding": ""},
    accounts=ACCOUNTS,
    pager={"total": 418, "first": True, "next": "lac_t.novak", "filters": {"q": "", "finding": ""}},
    lists=(TAKEN, a_list(Standing.TAKEN, 32, by_name="Mara Olsen", released_by_name="Lena Fischer")),
    may_take=True,
    releases=False,
)
SYSTEM_HELD = replace(SYSTEM, system=CRM, held_why=HELD_WORDS[SHRINKS], lists=(HELD, TAKEN), releases=True)
SYSTEM_NOTHING = replace(SYSTEM, filter={"q": "zzz", "finding": "any"}, accounts=[], may_take=False)
