"""What waits for somebody's decision beside requests: one proposal of each sort that looks different."""

from dataclasses import replace
from typing import Any

from onepam.console.frame.page import Context
from onepam.kernel.clock import DAY, HOUR
from tests.console.samples.company import LENA, MINE_TO_WAIT, MIRA, ago, ahead, decision
from tests.console.samples.everyday import NO_APPROVALS


def laid(
    ident: str,
    kind: str,
    icon: str,
    title: str,
    facts: dict[str, str],
    by: Context,
    said: Context | None = None,
    **more: Any,
) -> Context:
    return {
        "id": ident,
        "kind": kind,
        "icon": icon,
        "title": title,
        "facts": [{"word": word, "value": value, "href": None} for word, value in facts.items()],
        "asks": icon == "terminal-2",
        "text": "",
        "values": (),
        "by": by,
        "at": ago(3 * HOUR),
        "until": ahead(6 * DAY),
        "alone": None,
        "href": "/changes/chg_1",
        "decision": decision(ident, **(said or {})),
        **more,
    }


PROPOSALS = replace(
    NO_APPROVALS,
    first=False,
    later=ago(3 * HOUR),
    link={"url": "https://onepam.example.org/enrol/enr_4fQx", "ends": ahead(DAY)},
    held=2,
    reported=1,
    proposals=[
        laid(
            "chg_1", "Change", "git-pull-request", "Change of the role matrix",
            {"What": "Database operators reach db-orders-2 as postgres, on request, for 4 hours at most"}, LENA,
        ),
        laid(
            "stk_1", "SCIM token", "id-badge-2", "SCIM token Okta",
            {"Directory": "okta", "From": "203.0.113.0/24", "For": "example.org"}, LENA, {"stale": True},
        ),
        laid(
            "enr_1", "New factors", "fingerprint", "New factors of Mira Okafor",
            {"Because": "lost the telephone"}, MIRA, MINE_TO_WAIT, alone=ahead(DAY),
        ),
        laid(
            "stm_1", "Statement", "terminal-2", "A statement of Mira Okafor as app on orders",
            {"Class": "write", "In a transaction": "others wait for what it has locked"}, MIRA,
            text="UPDATE orders\nSET state = $1 WHERE id = $2", values=("'cancelled'", "NULL"), href="",
        ),
    ],
)  # fmt: skip
