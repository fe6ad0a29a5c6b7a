"""Resources, the role matrix, changes."""

from dataclasses import replace
from typing import Any

from onepam.console.frame.wording import held_by
from onepam.console.matrix.changes_page import ChangesPage, ProposePage
from onepam.console.matrix.difference import views
from onepam.console.matrix.resources_page import ResourcePage, ResourcesPage
from onepam.console.matrix.role_page import RolePage
from onepam.console.matrix.roles_page import RolesPage
from onepam.domain.matrix.matrix import SOURCE
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE
from tests.console.samples.company import (
    BUILD,
    CHAIN,
    DB1,
    DB2,
    JONAS,
    MIRA,
    PRIYA,
    PROOF,
    STAGE,
    STANDING,
    TOMAS,
    WEB1,
    WEB2,
    Context,
    ago,
    ahead,
    decision,
    ssh,
)


def resource_row(target: Context, **more: Any) -> Context:
    return {
        **target,
        "address": "10.8.0.21",
        "owner": "Mira Okafor",
        "logins": ["postgres", "root"],
        "state": "proven",
        "state_word": "Host key pinned",
        "people": 4,
        "live": 0,
        "last_session": ago(5 * HOUR),
        **more,
    }


RESOURCES = ResourcesPage(
    filter={"q": ""},
    pager={"total": 1000, "first": False, "next": "web-2", "filters": {"q": ""}},
    resources=[
        resource_row(BUILD, owner="Lena Vogel", logins=["root"]),
        resource_row(DB1, live=1),
        resource_row(DB2),
        resource_row(STAGE, logins=["deploy"], people=14),
        resource_row(WEB1, logins=["deploy"], people=9),
        resource_row(WEB2, logins=["deploy"], people=9, state="due", state_word="No host key yet", last_session=None),
    ],
)
RESOURCE = ResourcePage(
    resource={
        **DB1,
        "address": "10.8.0.21",
        "port": 22,
        "owner": "Mira Okafor",
        "logins": ["postgres", "root"],
        "mfa": "a passkey only; at most 1 h old",
        "mask": "",
        "session_users": None,
        "left": [],
        "since": ago(300 * DAY),
        "pin": "host key",
        "pins": [
            {
                "fingerprint": "SHA256:Qk3v0nNq7uYl1cJm2Vd4xHs8PzRwTb6GfEaLiOoKyUc",
                "algorithm": "ssh-ed25519",
                "ends": None,
                "pinned_at": ago(300 * DAY),
                "by": "Mira Okafor",
            }
        ],
    },
    open=[
        {
            "resource": DB1,
            "login": "postgres",
            "ends": ahead(3 * HOUR),
            "ready": True,
            "pin": "host key",
            "token": True,
            "command": ssh("postgres", "db-orders-1"),
            "more": [["scp", "scp -P 2222 FILE postgres@db-orders-1@gate.example.org:"]],
            "chain": CHAIN,
        }
    ],
    requestable=[
        {
            "resource": DB1,
            "approvers": "Mira Okafor or Lena Vogel",
            "ticket_required": True,
            "ticket": "",
            "approvals": 1,
            "ahead": 0,
            "weekly": 90 * DAY,
            "first_use": True,
            "unasked": "1 h at a time, 3 times in seven days",
            "pending": None,
            "options": [{"value": "r:r", "login": "root", "role": "Operator", "longest": HOUR, "opens": "shell"}],
        }
    ],
    reach=[
        {
            "person": JONAS,
            "ways": [
                {
                    "login": "postgres",
                    "role": "Database operator",
                    "how": "granted",
                    "ends": ahead(3 * HOUR),
                    "chain": CHAIN,
                },
                {
                    "login": "root",
                    "role": "Database operator",
                    "how": "on request",
                    "ends": FOREVER,
                    "chain": STANDING,
                },
            ],
        },
        {
            "person": MIRA,
            "ways": [
                {"login": "root", "role": "Platform lead", "how": "on request", "ends": FOREVER, "chain": STANDING}
            ],
        },
    ],
    sessions=[
        {
            "id": "ses_1",
            "person": "Jonas Lindqvist",
            "login": "postgres",
            "started": ago(18 * MINUTE),
            "ended": None,
            "state": "live",
            "recording": "live",
        },
        {
            "id": "ses_3",
            "person": "Jonas Lindqvist",
            "login": "postgres",
            "started": ago(2 * DAY),
            "ended": ago(2 * DAY - HOUR),
            "state": "closed",
            "recording": "intact",
        },
    ],
    history=[
        {"at": ago(300 * DAY), "words": "Mira Okafor declared the resource db-orders-1", "proof": PROOF},
        {"at": ago(90 * DAY), "words": "Lena Vogel declared the resource db-orders-1", "proof": PROOF},
    ],
    pager={"total": 2, "first": True, "next": "", "filters": {}},
    proof=PROOF,
)

_COLUMNS = [
    (name, env)
    for env, names in [
        ("production", ["db-orders-1", "db-orders-2", "web-1", "web-2", "queue-1", "cache-1"]),
        ("staging", ["stage-1", "stage-db-1"]),
        ("tools", ["build-1", "git-1", "metrics-1"]),
    ]
    for name in names
]


def role_row(ident: str, name: str, purpose: str, people: int, owner: str, allowed: str, drift: str = "") -> Context:
    """`allowed`: one letter a column; s/S standing, r/R on request, capital = administrative, `.` nothing."""
    cells = {}
    for (column, _), letter in zip(_COLUMNS, allowed, strict=True):
        if letter != ".":
            how = "standing" if letter in "sS" else "request"
            cells[column] = {
                "how": how,
                "administrative": letter.isupper(),
                "drift": drift if column == "build-1" else "",
                "says": f"{name} → {column}: shell as deploy, "
                f"{'standing' if how == 'standing' else 'on request, at most 4 h'}"
                f"{', administrative' if letter.isupper() else ''}.",
            }
    return {
        "id": ident,
        "name": name,
        "purpose": purpose,
        "owner": owner,
        "people": people,
        "administrative": any(c.isupper() for c in allowed),
        "cells": cells,
    }


_MATRIX = {"q": "", "where": "", "by": "env", "view": ""}
ROLES = RolesPage(
    views=views("/roles"),
    columns=[{"id": name, "name": name, "labels": {"env": env}, "group": env} for name, env in _COLUMNS],
    rows=[
        role_row("rol_lead", "Platform lead", "Answers for the platform at any hour.", 2, "Mira Okafor", "RRRRRRSSSSS"),
        role_row("rol_dbop", "Database operator", "Runs and repairs the databases.", 3, "Mira Okafor", "RR.....s..s"),
        role_row("rol_eng", "Engineer", "Builds and ships the shop.", 9, "Priya Raman", "..rr..ss.s."),
        role_row(
            "rol_build", "Build keeper", "Keeps the builds alive.", 2, "Lena Vogel", "........Sss", "nobody used it."
        ),
        role_row(
            "rol_vendor",
            "Vendor support",
            "Northwind's hardware support, under contract.",
            1,
            "Mira Okafor",
            "....r.....s",
        ),
        role_row("rol_sec", "Security officer", "Watches, reviews, ends sessions.", 1, "Lena Vogel", "..........s"),
    ],
    version="4be1d00c5f77a2",
    since=ago(9 * DAY),
    filter=_MATRIX,
    labels=["env", "team"],
    pager={"total": 44, "first": True, "next": "rol_sec", "filters": {**_MATRIX, "system": ""}},
    across={"total": 80, "first": True, "next": _COLUMNS[-1][0], "filters": {**_MATRIX, "after": ""}},
)

_CHANGE = {
    "id": "chg_3",
    "title": "Vendor support may reach queue-1",
    "why": "The new queue is under the support contract, too",
    "ticket": "OPS-2041",
    "summary": "1 role changed; gain: 1, lose: 1",
    "by": PRIYA,
    "at": ago(40 * MINUTE),
    "state": "waiting",
    "widens": True,
    "digest": "4be1d00c5f77a2",
    "document": "e900e35e0ed7a1b2c3d4",
}
_EFFECTS = [
    {
        "person": TOMAS,
        "gains": ["the role vendor until 31 December 2026", "queue-1 as support, on request, at most 2 h"],
        "loses": [],
    },
    {"person": JONAS, "gains": [], "loses": ["cache-1 as root, standing", "metrics-1 as admin, standing"]},
]
_DIFF = [
    {"kind": "skip", "text": "roles", "number": None},
    {"kind": "same", "text": "  vendor-support:", "number": 41},
    {"kind": "same", "text": "    owner: mira", "number": 42},
    {"kind": "remove", "text": "    permissions: []", "number": 43},
    {"kind": "add", "text": "    permissions:", "number": 43},
    {
        "kind": "add",
        "text": "      - {do: [shell], where: {tier: queue}, logins: [support], on: request, longest: 2h}",
        "number": 44,
    },
]
CHANGES = ChangesPage(
    pager={"total": 31, "first": True, "next": "chg_1", "filters": {}},
    changes=[
        _CHANGE,
        {
            **_CHANGE,
            "id": "chg_2",
            "title": "Database operators on request only",
            "by": MIRA,
            "at": ago(9 * DAY),
            "state": "applied",
        },
        {
            **_CHANGE,
            "id": "chg_1",
            "title": "Untitled change",
            "why": "",
            "ticket": "",
            "by": PRIYA,
            "at": ago(30 * DAY),
            "state": "rejected",
        },
    ],
    change={
        **_CHANGE,
        "decided_by": "",
        "decided_at": None,
        "decided_why": "",
        "widenings": [],
        "broken": [],
        "ends": {"sessions": 1, "people": 1},
        "planned": True,
        "effects": _EFFECTS,
        "diff": _DIFF,
    },
    decision=decision("chg_3", digest="4be1d00c5f77a2"),
    may_propose=True,
)

_TEAMS = (
    "backup", "billing", "build", "cards", "catalogue", "checkout", "claims", "content", "design", "growth", "ledger",
    "mail", "mobile", "orders", "payments", "quality", "search", "storage",
)  # fmt: skip
_MOTIVE = {key: str(_CHANGE[key]) for key in ("title", "ticket")} | {"reason": str(_CHANGE["why"])}
PROPOSE = ProposePage(
    base="4be1d00c5f77a2",
    guided=False,
    back={"href": "/changes", "word": "Changes"},
    replaces="",
    motive={"title": "", "reason": "", "ticket": ""},
    said=None,
    text="roles:\n" + "".join(f"  {each}:\n    owner: mira@example.org\n" for each in _TEAMS),
    plan=None,
    problems=[
        {"line": 2, "column": 3, "message": "The role backup has no purpose.", "hint": "Say what the job is."},
        {"line": 34, "column": 12, "message": "Nobody here has this address.", "hint": ""},
    ],
)
PLANNED = replace(
    PROPOSE,
    motive=_MOTIVE,
    problems=[],
    plan={
        "digest": "4be1d00c5f77a2",
        "summary": "1 role changed; gain: 1, lose: 0",
        "changes_something": True,
        "widens": True,
        "widenings": ["The role vendor reaches queue-1."],
        "broken": [{"says": "Jonas Weber holds already author and releaser (releases): four eyes", "refused": False}],
        "ends": {"sessions": 2, "people": 1},
        "effects": _EFFECTS,
        "diff": _DIFF,
    },
)
_BOUND: Context = {
    "person": None,
    "group": "",
    "members": 1,
    "since": ago(90 * DAY),
    "ends": FOREVER,
    "because": "Their product",
    "taken": False,
}
GIVEN = replace(
    PLANNED,
    guided=True,
    back={"href": "/people/per_1", "word": "The person"},
    motive={"title": "Give first-line to Tomas Reyes", "reason": "Answers customers from Monday", "ticket": "OPS-2044"},
    said={
        "text": "Others have changed access.yaml since you began: "
        "your change was carried over to what is in force now.",
        "hint": "This is what it would do now.",
    },
)
ROLE = RolePage(
    role={
        "id": "developer",
        "purpose": "Develops the shop",
        "owner": MIRA,
        "console": ["audit"],
        "version": "4be1d00c5f77a2" * 4,
        "since": ago(90 * DAY),
        "reviewed": ago(30 * DAY),
        "apart": ["releaser: nobody releases what they wrote"],
    },
    permissions=[
        {"name": "production", "says": "shell, exec as deploy, on request, at most 2 h", "where": "app=shop env=prod",
         "approvers": ["approver"], "administrative": True},
        {"name": "staging", "says": "shell, exec, sftp as deploy, standing", "where": "app=shop env=stage",
         "approvers": [], "administrative": False},
    ],
    bound=[
        {**_BOUND, "id": "bnd_1", "group": "developers", "members": 14, "way": held_by("developers", SOURCE, ())},
        {
            **_BOUND,
            "id": "bnd_2",
            "group": "directory:Engineering",
            "members": 9,
            "way": held_by("directory:Engineering", SOURCE, ("Okta",)),
        },
        {**_BOUND, "id": "bnd_3", "person": JONAS, "way": held_by("", SOURCE, ()), "taken": True, "ends": ahead(DAY)},
    ],
    pager={"total": 61, "first": True, "next": "bnd_3", "filters": {}},
    may_give=True,
)  # fmt: skip
NOBODYS_ROLE = replace(
    ROLE, permissions=[], bound=[], may_give=False, pager={"total": 0, "first": True, "next": "", "filters": {}}
)
