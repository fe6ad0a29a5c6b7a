"""People, and one of them from joining on."""

from dataclasses import replace
from typing import Any

from onepam.console.people.people_page import PeoplePage, PersonPage
from onepam.console.signing_in.second_factors_page import SecondFactorsPage
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE
from onepam.store.read.staff import OnRoster
from tests.console.samples.company import (
    CHAIN,
    DB1,
    JONAS,
    LENA,
    MIRA,
    PRIYA,
    PROOF,
    STAGE,
    STANDING,
    TOMAS,
    Context,
    ago,
    ahead,
)
from tests.console.samples.everyday import HOME


def person_row(who: Context, kind: str, roles: list[str], factors: list[str], **more: Any) -> Context:
    email = who["name"].split()[0].lower() + "@example.org"
    return {
        "id": who["id"],
        "name": who["name"],
        "email": email,
        "kind": kind,
        "roles": roles,
        "factors": factors,
        "factor_state": "proven" if factors else "due",
        "state": "active",
        "because": "",
        "origin": "",
        "last_basis": "shown to us",
        "ends_in": "",
        "privileged": False,
        "last_sign_in": ago(3 * HOUR),
        "live": 0,
        "ends": FOREVER,
        "owner": "",
        **more,
    }


PEOPLE = PeoplePage(
    filter={"q": "", "role": "", "kind": "", "state": "", "origin": "", "factor": ""},
    choices={
        "kind": {"": "Everybody", "employee": "Employees", "vendor": "Vendors", "service": "Service accounts"},
        "state": {"": "In any state", "active": "Active", "ending": "Ending soon", "disabled": "Disabled"},
        "origin": {"": "From anywhere", "administrator": "Added here", "scim": "SCIM", "roster": "Roster"},
        "factor": {"": "Any second factor", "own": "Own passkey or app", "none": "None yet"},
    },
    people=[
        person_row(JONAS, "employee", ["Database operator", "Engineer"], ["passkey", "app"], privileged=True, live=1),
        person_row(
            LENA,
            "employee",
            ["Security officer"],
            ["passkey", "attested by Okta"],
            last_sign_in=ago(2 * DAY),
            last_basis="attested, Okta",
            origin="SCIM from Okta",
        ),
        person_row(
            {"id": "per_ravi", "name": "Ravi Menon"},
            "employee",
            [],
            ["declared of Google Workspace"],
            factor_state="untested",
            last_basis="declared, Google Workspace",
            origin="first sign-in at Google Workspace",
        ),
        person_row(
            {"id": "per_olga", "name": "Olga Petrova"},
            "employee",
            [],
            ["passkey"],
            state="disabled",
            because="left the company",
            origin="roster",
            last_sign_in=ago(9 * DAY),
        ),
        person_row(MIRA, "employee", ["Platform lead", "Administrator"], ["passkey"], privileged=True),
        person_row(PRIYA, "employee", ["Engineer"], [], state="invited", last_sign_in=None, last_basis=""),
        person_row(
            TOMAS,
            "vendor",
            ["Vendor support"],
            ["app"],
            state="ending",
            ends=ahead(5 * DAY),
            ends_in="ends in 5 days",
            owner="Mira Okafor",
            last_sign_in=ago(26 * HOUR),
        ),
        person_row(
            {"id": "per_ci", "name": "deploy-bot"},
            "service",
            ["Deployer"],
            [],
            ends=ahead(80 * DAY),
            owner="Mira Okafor",
            last_sign_in=ago(9 * MINUTE),
        ),
    ],
    pager={"total": 5005, "first": False, "next": "per_ci", "filters": {"q": ""}},
    may_add=True,
)


def bar(since: int, until: int, label: str, state: str = "plain", href: str | None = None, row: int = 0) -> Context:
    return {
        "since": ago(since),
        "until": ago(until),
        "says": f"{label}, {since // DAY} days ago until {until // DAY} days ago",
        "href": href,
        "state": state,
        "label": label,
        "row": row,
    }


def point(at: int, says: str, state: str = "plain", href: str | None = None) -> Context:
    return {"at": ago(at), "says": says, "href": href, "state": state}


PERSON = PersonPage(
    may_give=True,
    roles=[("developer", "Develops the shop"), ("first-line", "Looks at the logs when a customer calls")],
    duties=[],
    person={
        "id": "per_jonas",
        "name": "Jonas Lindqvist",
        "email": "jonas@example.org",
        "kind": "employee",
        "state": "active",
        "because": "hired",
        "origin": "SCIM from Okta",
        "owner": "",
        "manager": MIRA,
        "joined": ago(320 * DAY),
        "ends": FOREVER,
        "ends_in": "",
        "last_sign_in": ago(3 * HOUR),
        "last_basis": "attested, Okta",
    },
    edit={
        "name": "Jonas Lindqvist",
        "email": "jonas@example.org",
        "manager": "mira@example.org",
        "owner": "",
        "ends": "",
    },
    left=None,
    erasure=None,
    may_erase=False,
    roster=OnRoster(
        entry="stf_jonas",
        number="4711",
        since=ago(300 * DAY),
        starts=ago(330 * DAY),
        ends=None,
        manager="Mira Okafor",
        sponsor=None,
        removed=None,
    ),
    exception={
        "ends": ahead(40 * DAY),
        "by": "Lena Vogel",
        "reason": "No phones are allowed on the shop floor.",
    },
    may_except=False,
    identities=[
        {
            "provider": "Okta",
            "user_name": "jonas.lindqvist",
            "since": ago(320 * DAY),
            "because": "provisioned by SCIM",
            "last": ago(3 * HOUR),
        }
    ],
    start=ago(330 * DAY),
    end=ahead(15 * DAY),
    ticks=[
        {"at": ago(days * DAY), "word": word}
        for days, word in [(323, "Jan 2026"), (264, "Mar"), (203, "May"), (142, "Jul"), (80, "Sep"), (19, "Nov")]
    ],
    lanes=[
        {
            "word": "Roles",
            "bars": [bar(320 * DAY, 0, "Engineer"), bar(200 * DAY, 0, "Database operator", row=1)],
            "points": [],
        },
        {
            "word": "Grants",
            "bars": [
                bar(190 * DAY, 160 * DAY, "db-orders-2", href="/requests/req_1"),
                bar(90 * DAY, 62 * DAY, "db-orders-1", href="/requests/req_2"),
                bar(6 * DAY, 0, "db-orders-1", "due", "/requests/req_7f2k"),
            ],
            "points": [],
        },
        {
            "word": "Sessions",
            "bars": [],
            "points": [
                point(
                    days * DAY,
                    f"Session on db-orders-1, {days} days ago",
                    "finding" if days == 88 else "plain",
                    "/sessions/ses_3",
                )
                for days in (300, 281, 240, 188, 181, 170, 166, 88, 80, 71, 64, 12, 5, 1)
            ],
        },
        {
            "word": "Reviews",
            "bars": [],
            "points": [
                point(232 * DAY, "Reviewed by Mira Okafor: keep", "proven"),
                point(141 * DAY, "Reviewed: keep", "proven"),
                point(50 * DAY, "Reviewed: keep", "proven"),
            ],
        },
        {
            "word": "Factors",
            "bars": [bar(319 * DAY, 0, "Authenticator app", "untested"), bar(140 * DAY, 0, "Passkey", "proven", row=1)],
            "points": [],
        },
    ],
    bindings=[
        {
            "role": "Database operator",
            "href": "/roles/rol_dbop",
            "way": "by name",
            "taken": True,
            "since": ago(200 * DAY),
            "ends": FOREVER,
            "because": "moved to the database team",
            "chain": STANDING,
        },
        {
            "role": "Engineer",
            "href": "/roles/rol_eng",
            "way": "through the group engineering, which Okta fills: changed there",
            "taken": False,
            "since": ago(320 * DAY),
            "ends": FOREVER,
            "because": "",
            "chain": STANDING,
        },
    ],
    access=[
        {"resource": DB1, "login": "postgres", "how": "granted", "ends": ahead(3 * HOUR), "chain": CHAIN},
        {"resource": STAGE, "login": "deploy", "how": "standing", "ends": FOREVER, "chain": STANDING},
    ],
    factors=[
        {"kind": "Passkey", "name": "ThinkPad", "since": ago(140 * DAY), "state": "proven"},
        {"kind": "Authenticator app", "name": "phone", "since": ago(319 * DAY), "state": "proven"},
    ],
    sessions=HOME.sessions,
    access_beyond=0,
    link=None,
    waiting=None,
    second_factors=["passkey", "authenticator app", "attested by Okta"],
    second_state="proven",
    may_change=True,
    keys=[],
    may_key=False,
    may_disable=True,
    may_enrol=True,
    ends_now={"sessions": 1, "grants": 1, "requests": 0},
    history=[
        {"at": ago(40 * DAY), "words": "Mira Okafor changed what is known of Jonas Lindqvist", "proof": PROOF},
        {"at": ago(320 * DAY), "words": "Mira Okafor added Jonas Lindqvist: joined", "proof": PROOF},
    ],
    proof=PROOF,
)

SERVICE = replace(
    PERSON,
    person={
        **PERSON.person,
        "id": "per_ci",
        "name": "deploy-bot",
        "email": "",
        "kind": "service",
        "owner": "Mira Okafor",
        "manager": None,
        "origin": "added here",
        "ends": ahead(80 * DAY),
        "last_sign_in": None,
    },
    factors=[],
    exception=None,
    identities=[],
    second_factors=["none: a machine"],
    second_state="plain",
    edit={
        "name": "deploy-bot",
        "email": "",
        "manager": "",
        "owner": "mira@example.org",
        "ends": "2026-02-11",
    },
    keys=[
        {
            "id": "fac_ci",
            "name": "ci@runner-3",
            "fingerprint": "SHA256:0pUuBqf0k2F1Xc5jvQmD4e5o0Zy6g8bqYcT4sWm1VxE",
            "networks": ["192.0.2.0/24", "2001:db8:12::/48"],
            "since": ago(12 * DAY),
            "waits": True,
        }
    ],
    may_enrol=False,
    may_key=True,
)

MFA = SecondFactorsPage(
    bases=[
        {"word": "shown to us", "means": "Both factors were shown to OnePAM.", "people": 41, "sessions": 812,
         "weak": False},
        {"word": "attested", "means": "The provider's signed message names one.", "people": 1204, "sessions": 9310,
         "weak": False},
        {"word": "stepped up here", "means": "The second one shown to OnePAM.", "people": 88, "sessions": 406,
         "weak": False},
        {"word": "declared", "means": "A dated statement says so.", "people": 12, "sessions": 30, "weak": True},
        {"word": "accepted risk", "means": "No second factor.", "people": 0, "sessions": 0, "weak": True},
    ],
    people=1352, never=7, without_total=19, rules_total=2, resources=310, sessions=10_558,
    sessions_without=0, machines=14, machine_sessions=2209, oldest="12 h",
    exceptions=[{"person": {"id": "per_ravi", "name": "Ravi Menon"}, "ends": ahead(40 * DAY), "by": "Lena Vogel"}],
    exceptions_waiting=1,
    gains=[
        {"decider": {"id": "per_ravi", "name": "Ravi Menon"}, "gainer": {"id": "per_priya", "name": "Priya Raman"},
         "makers": [{"id": "per_lena", "name": "Lena Vogel"}], "times": 3, "last": ago(DAY), "replaced": replaced}
        for replaced in (True, False)
    ],
    own=[{"word": "passkey", "people": 96}, {"word": "authenticator app", "people": 33}],
    without=[{"id": "per_ravi", "name": "Ravi Menon"}, {"id": "per_priya", "name": "Priya Raman"}],
    rules=[
        {"resource": "db-orders-1", "words": "a passkey only; a factor of its own for each session"},
        {"resource": "db-orders-2", "words": "at most 1 h old"},
    ],
)  # fmt: skip
NO_MFA = replace(
    MFA,
    exceptions=[],
    exceptions_waiting=0,
    gains=[],
    rules=[],
    rules_total=0,
    without=[],
    without_total=0,
    sessions_without=3,
)

LEAVER = replace(
    PERSON,
    duties=[
        {"word": "service account", "name": "CI deploy", "href": "/people/per_ci", "until": ahead(30 * DAY)},
        {"word": "vendor without a sponsor", "name": "Vic Field", "href": "/people/per_vic", "until": ahead(5 * DAY)},
        {"word": "resource", "name": "db-orders-1", "href": "/resources/db-orders-1", "until": None},
    ],
    person={**PERSON.person, "state": "disabled", "because": "left the company", "ends": ago(2 * DAY)},
    left={
        "removed": ago(2 * DAY),
        "because": "left the company",
        "origin": "SCIM from Okta",
        "left_at": ago(2 * DAY + 4 * HOUR),
        "notified": ago(2 * DAY),
    },
    access=[],
    bindings=[],
    may_enrol=False,
)
