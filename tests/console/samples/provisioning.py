"""Provisioning: two directories, one silent; and none yet."""

from dataclasses import replace

from onepam.console.provisioning.provisioning import TROUBLES
from onepam.console.provisioning.provisioning_page import ProvisioningPage
from onepam.kernel.clock import DAY, MINUTE
from tests.console.samples.company import LENA, MIRA, Context, ago, ahead, decision

_TOKEN: Context = {
    "id": "stk_1",
    "name": "Okta provisioning",
    "provider": "okta",
    "networks": "203.0.113.0/24",
    "domains": "example.org",
    "ends": ahead(200 * DAY),
    "over": False,
    "used": ago(3 * MINUTE),
    "proposed_by": LENA,
    "approved_by": MIRA,
    "oauth": False,
    "decision": None,
}
PROVISIONING = ProvisioningPage(
    directories=[
        {
            "provider": "okta",
            "users": 412,
            "active": 398,
            "groups": 21,
            "last": ago(3 * MINUTE),
            "late": False,
            "done": 1_204,
            "failed": 1,
            "failures": [
                {
                    "at": ago(9 * MINUTE),
                    "what": "POST Users",
                    "status": 409,
                    "detail": "Somebody else has this address.",
                }
            ],
        },
        {
            "provider": "entra",
            "users": 0,
            "active": 0,
            "groups": 0,
            "last": None,
            "late": True,
            "done": 0,
            "failed": 0,
            "failures": [],
        },
        {
            "provider": "partners",
            "users": 9,
            "active": 9,
            "groups": 1,
            "last": ago(3 * DAY),
            "late": True,
            "done": 0,
            "failed": 0,
            "failures": [],
        },
    ],
    tokens=[
        _TOKEN,
        {
            **_TOKEN,
            "id": "stk_2",
            "name": "Entra",
            "provider": "entra",
            "used": None,
            "networks": "",
            "approved_by": None,
            "oauth": True,
            "decision": decision("stk_2"),
        },
        {**_TOKEN, "id": "stk_3", "name": "Partners", "provider": "partners", "over": True, "ends": ago(DAY)},
    ],
    groups=[
        {"name": "Engineering", "provider": "okta", "named": 120, "in_effect": 118, "roles": "developer"},
        {"name": "Sales", "provider": "okta", "named": 40, "in_effect": 40, "roles": ""},
    ],
    groups_pager={"total": 2, "first": True, "next": "", "filters": {"q": "", "trouble": ""}},
    filter={"q": "", "trouble": ""},
    troubles=TROUBLES,
    pager={"total": 214, "first": True, "next": "usr_2", "filters": {"q": "", "trouble": ""}},
    unfed=[{"name": "Databases", "roles": "dba"}],
    providers=[{"id": "idp_okta", "name": "Okta"}],
    troubled=[
        {
            "user_name": "kiosk",
            "provider": "okta",
            "person": None,
            "trouble": "has no address, so there is no person",
            "user": "usr_1",
            "version": 1,
            "waits_for": None,
        },
        {
            "user_name": "lena.ortiz",
            "provider": "okta",
            "person": None,
            "trouble": "has the address of an account that was made by hand: an administrator has to agree",
            "user": "usr_2",
            "version": 2,
            "waits_for": LENA,
        },
    ],
    holds=[
        {
            "id": "hld_1",
            "origin": "scim:okta",
            "decide_by": ahead(6 * 60 * MINUTE),
            "people": [
                {
                    **one,
                    "because": "deactivated in the directory",
                    "reason": "one of many in an hour: keeps the account, and no right",
                    "began": ago(9 * MINUTE),
                }
                for one in (LENA, MIRA)
            ],
        }
    ],
    reported=[
        {
            "id": LENA["id"],
            "name": LENA["name"],
            "origin": "scim:okta",
            "because": "deactivated in the directory",
            "began": ago(2 * DAY),
        }
    ],
    own_words=[{"person": MIRA["id"], "name": MIRA["name"], "at": ago(DAY)}],
    address="https://onepam.example.org/scim/v2",
    exchange="https://onepam.example.org/scim/oauth/token",
    new="",
    client="",
    usual_days=365,
    end_attribute="endDate",
    may_change=True,
    stale=False,
)
NOBODY_HELD: Context = {"holds": [], "reported": [], "own_words": []}
NO_DIRECTORY = replace(
    PROVISIONING,
    directories=[],
    tokens=[],
    groups=[],
    unfed=[],
    troubled=[],
    **NOBODY_HELD,
)
NOTHING_MATCHES = replace(PROVISIONING, groups=[], unfed=[], troubled=[], filter={"q": "zzz", "trouble": ""})
NEW_TOKEN = replace(PROVISIONING, new="scim_" + "Ab3" * 14 + "x", stale=True)
NEW_CLIENT = replace(NEW_TOKEN, client="stk_4fq2")
