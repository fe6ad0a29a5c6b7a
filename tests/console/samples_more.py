"""The rest of the sample company: sign-in, people, resources, roles, changes, ledger, factors; and the list of all pages."""

from typing import Any

from onepam.console.rendering import Shell
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND
from tests.console.samples import (
    APPROVALS, BUILD, CHAIN, DB1, DB2, EMPTY_HOME, FLASHES, FRESH_PROOF, HOME, JONAS, LENA, LIVE_SESSION, MINE, MIRA, NOW, PRIYA, PROOF, REFUSAL,
    REQUEST, SESSION, SESSIONS, SETUP, STAGE, STANDING, TOMAS, WEB1, WEB2, Context, ago, ahead, outside, shell,
)  # fmt: skip

PASSKEY = {"options": "/sign-in/passkey/options", "verify": "/sign-in/passkey"}
QR = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA5IDkiPjxwYXRoIGQ9Ik0wIDBoM3YzSDB6TTYgMGgzdjNINnpNMCA2aDN2M0gwek00IDRoMnYySDR6TTcgN2gydjJIN3oiLz48L3N2Zz4="

SIGN_IN: Context = {"step": "password", "login": "", "error": "", "hint": "", "methods": ["totp", "passkey"], "passkey": PASSKEY, "next": "/"}
SECOND_STEP: Context = {**SIGN_IN, "step": "second", "error": "That code was not accepted.", "hint": "Wait for the next one; each works once."}
CODES = ["7K2P-M4QX", "Q9DT-3WLA", "H5NV-8RJC", "2BXE-6YKU", "W4GS-P7ZM", "L8CF-1THN", "V3QA-9DEK", "J6RY-5XBW"]
ENROL: Context = {
    "step": "password", "person": {"name": "Priya Raman", "login": "priya"}, "token": "t0k3n", "ends": ahead(22 * HOUR), "errors": {},
    "min_length": 14, "passkey": PASSKEY, "totp": {"svg": QR, "secret": "JBSW Y3DP EHPK 3PXP", "account": "priya"}, "codes": CODES,
}  # fmt: skip
CONFIRM: Context = {
    "state": "ask", "token": "t0k3n", "person": {"name": "Jonas Lindqvist"}, "source": "10.4.1.17", "client": "OpenSSH_9.2p1", "target": "db-orders-1",
    "login": "postgres", "ends": ahead(108 * SECOND), "error": "", "stale": False,
}  # fmt: skip
CLI: Context = {
    "person": {"name": "Jonas Lindqvist"}, "client": "jonas@thinkpad", "source": "10.4.1.17", "redirect": "http://127.0.0.1:43121/", "state": "s7",
    "hours": 12, "device": False, "error": "",
}  # fmt: skip


def person_row(who: Context, kind: str, roles: list[str], factors: list[str], **more: Any) -> Context:
    email = who["name"].split()[0].lower() + "@example.org"
    return {
        "id": who["id"], "name": who["name"], "email": email, "kind": kind, "roles": roles, "factors": factors, "state": "active", "privileged": False,
        "last_sign_in": ago(3 * HOUR), "live": 0, "ends": FOREVER, "owner": "", **more,
    }  # fmt: skip


PEOPLE: Context = {
    "filter": {"q": "", "kind": "", "role": ""},
    "people": [
        person_row(JONAS, "employee", ["Database operator", "Engineer"], ["passkey", "app"], privileged=True, live=1),
        person_row(LENA, "employee", ["Security officer"], ["passkey"], last_sign_in=ago(2 * DAY)),
        person_row(MIRA, "employee", ["Platform lead", "Administrator"], ["passkey"], privileged=True),
        person_row(PRIYA, "employee", ["Engineer"], [], state="invited", last_sign_in=None),
        person_row(TOMAS, "vendor", ["Vendor support"], ["app"], ends=ahead(40 * DAY), last_sign_in=ago(26 * HOUR)),
        person_row({"id": "per_ci", "name": "deploy-bot"}, "service", ["Deployer"], [], ends=ahead(80 * DAY), owner="Mira Okafor", last_sign_in=ago(9 * MINUTE)),
    ],
    "total": 6,
    "may_add": True,
}  # fmt: skip


def bar(since: int, until: int, label: str, state: str = "plain", href: str | None = None, row: int = 0) -> Context:
    begin, end = ago(since), ahead(-until) if until >= 0 else ahead(-until)
    return {"since": begin, "until": end, "says": f"{label}, {since // DAY} days ago until {until // DAY} days ago", "href": href, "state": state,
            "label": label, "row": row}  # fmt: skip


def point(at: int, says: str, state: str = "plain", href: str | None = None) -> Context:
    return {"at": ago(at), "says": says, "href": href, "state": state}


PERSON: Context = {
    "person": {"id": "per_jonas", "name": "Jonas Lindqvist", "email": "jonas@example.org", "kind": "employee", "state": "active", "owner": "", "manager": MIRA,
               "joined": ago(320 * DAY), "ends": FOREVER, "last_sign_in": ago(3 * HOUR)},
    "start": ago(330 * DAY), "end": ahead(15 * DAY),
    "ticks": [{"at": ago(days * DAY), "word": word} for days, word in
              [(323, "Jan 2026"), (264, "Mar"), (203, "May"), (142, "Jul"), (80, "Sep"), (19, "Nov")]],
    "lanes": [
        {"word": "Roles", "bars": [bar(320 * DAY, 0, "Engineer"), bar(200 * DAY, 0, "Database operator", row=1)], "points": []},
        {"word": "Grants", "bars": [bar(190 * DAY, 160 * DAY, "db-orders-2", href="/requests/req_1"), bar(90 * DAY, 62 * DAY, "db-orders-1", href="/requests/req_2"),
                                    bar(6 * DAY, 0, "db-orders-1", "due", "/requests/req_7f2k")], "points": []},
        {"word": "Sessions", "bars": [], "points": [point(days * DAY, f"Session on db-orders-1, {days} days ago", "finding" if days == 88 else "plain", "/sessions/ses_3")
                                                    for days in (300, 281, 240, 188, 181, 170, 166, 88, 80, 71, 64, 12, 5, 1)]},
        {"word": "Reviews", "bars": [], "points": [point(232 * DAY, "Reviewed by Mira Okafor: keep", "proven"), point(141 * DAY, "Reviewed: keep", "proven"),
                                                   point(50 * DAY, "Reviewed: keep", "proven")]},
        {"word": "Factors", "bars": [bar(319 * DAY, 0, "Authenticator app", "untested"), bar(140 * DAY, 0, "Passkey", "proven", row=1)], "points": []},
    ],
    "bindings": [
        {"role": "Database operator", "role_id": "rol_dbop", "source": "group dba", "since": ago(200 * DAY), "ends": FOREVER, "because": "moved to the database team", "chain": STANDING},
        {"role": "Engineer", "role_id": "rol_eng", "source": "group engineering", "since": ago(320 * DAY), "ends": FOREVER, "because": "", "chain": STANDING},
    ],
    "access": [
        {"resource": DB1, "login": "postgres", "how": "granted", "ends": ahead(3 * HOUR), "chain": CHAIN},
        {"resource": STAGE, "login": "deploy", "how": "standing", "ends": FOREVER, "chain": STANDING},
    ],
    "factors": [{"kind": "Passkey", "name": "ThinkPad", "since": ago(140 * DAY), "state": "proven"}, {"kind": "Authenticator app", "name": "phone", "since": ago(319 * DAY), "state": "proven"}],
    "sessions": HOME["sessions"],
    "may_disable": True, "may_enrol": True, "ends_now": {"sessions": 1, "grants": 1, "requests": 0}, "proof": PROOF,
}  # fmt: skip


def resource_row(target: Context, **more: Any) -> Context:
    return {
        **target, "address": "10.8.0.21", "owner": "Mira Okafor", "logins": ["postgres", "root"], "state": "proven", "state_word": "Host key pinned",
        "people": 4, "live": 0, "last_session": ago(5 * HOUR), **more,
    }  # fmt: skip


RESOURCES: Context = {
    "filter": {"q": ""}, "total": 6,
    "resources": [
        resource_row(BUILD, owner="Lena Vogel", logins=["root"]), resource_row(DB1, live=1), resource_row(DB2),
        resource_row(STAGE, logins=["deploy"], people=14), resource_row(WEB1, logins=["deploy"], people=9),
        resource_row(WEB2, logins=["deploy"], people=9, state="due", state_word="No host key yet", last_session=None),
    ],
}  # fmt: skip
RESOURCE: Context = {
    "resource": {**DB1, "address": "10.8.0.21", "port": 22, "owner": "Mira Okafor", "logins": ["postgres", "root"], "since": ago(300 * DAY),
                 "host_keys": [{"fingerprint": "SHA256:Qk3v0nNq7uYl1cJm2Vd4xHs8PzRwTb6GfEaLiOoKyUc", "algorithm": "ssh-ed25519", "pinned_at": ago(300 * DAY), "by": "Mira Okafor"}]},
    "reach": [
        {"person": JONAS, "login": "postgres", "role": "Database operator", "how": "granted", "ends": ahead(3 * HOUR), "chain": CHAIN},
        {"person": MIRA, "login": "root", "role": "Platform lead", "how": "on request", "ends": FOREVER, "chain": STANDING},
    ],
    "sessions": [{"id": "ses_1", "person": "Jonas Lindqvist", "login": "postgres", "started": ago(18 * MINUTE), "ended": None, "state": "live", "recording": "live"},
                 {"id": "ses_3", "person": "Jonas Lindqvist", "login": "postgres", "started": ago(2 * DAY), "ended": ago(2 * DAY - HOUR), "state": "closed", "recording": "intact"}],
    "history": [{"at": ago(300 * DAY), "title": "Declared", "detail": "by Mira Okafor, in access.yaml", "proof": PROOF}, {"at": ago(90 * DAY), "title": "Label tier=db added", "detail": "by Lena Vogel", "proof": PROOF}],
    "proof": PROOF,
}  # fmt: skip

_COLUMNS = [
    (name, env) for env, names in [("production", ["db-orders-1", "db-orders-2", "web-1", "web-2", "queue-1", "cache-1"]), ("staging", ["stage-1", "stage-db-1"]),
                                   ("tools", ["build-1", "git-1", "metrics-1"])] for name in names
]  # fmt: skip


def role_row(ident: str, name: str, purpose: str, people: int, owner: str, allowed: str, drift: str = "") -> Context:
    """`allowed`: one letter a column; s/S standing, r/R on request, capital = administrative, `.` nothing."""
    cells = {}
    for (column, _), letter in zip(_COLUMNS, allowed, strict=True):
        if letter != ".":
            how = "standing" if letter in "sS" else "request"
            cells[column] = {"how": how, "administrative": letter.isupper(), "drift": drift if column == "build-1" else "",
                             "says": f"{name} → {column}: shell as deploy, {'standing' if how == 'standing' else 'on request, at most 4 h'}{', administrative' if letter.isupper() else ''}."}  # fmt: skip
    return {"id": ident, "name": name, "purpose": purpose, "owner": owner, "people": people, "administrative": any(c.isupper() for c in allowed), "cells": cells}


ROLES: Context = {
    "columns": [{"id": name, "name": name, "labels": {"env": env}, "group": env} for name, env in _COLUMNS],
    "rows": [
        role_row("rol_lead", "Platform lead", "Answers for the platform at any hour.", 2, "Mira Okafor", "RRRRRRSSSSS"),
        role_row("rol_dbop", "Database operator", "Runs and repairs the databases.", 3, "Mira Okafor", "RR.....s..s"),
        role_row("rol_eng", "Engineer", "Builds and ships the shop.", 9, "Priya Raman", "..rr..ss.s."),
        role_row("rol_build", "Build keeper", "Keeps the build machines alive.", 2, "Lena Vogel", "........Sss", drift="1 account on the server that no binding explains."),
        role_row("rol_vendor", "Vendor support", "Northwind's hardware support, under contract.", 1, "Mira Okafor", "....r.....s"),
        role_row("rol_sec", "Security officer", "Watches, reviews, ends sessions.", 1, "Lena Vogel", "..........s"),
    ],
    "version": "4be1d00c5f77a2", "since": ago(9 * DAY), "export": "/roles.csv",
}  # fmt: skip

_CHANGE = {"id": "chg_3", "summary": "Vendor support may reach queue-1", "by": PRIYA, "at": ago(40 * MINUTE), "state": "waiting", "widens": True, "digest": "4be1d00c5f77a2"}
CHANGES: Context = {
    "changes": [_CHANGE, {**_CHANGE, "id": "chg_2", "summary": "Database operators on request only", "by": MIRA, "at": ago(9 * DAY), "state": "applied"},
                {**_CHANGE, "id": "chg_1", "summary": "Everybody root on build-1", "by": PRIYA, "at": ago(30 * DAY), "state": "rejected"}],
    "change": {**_CHANGE, "decided_by": "", "decided_at": None, "decided_why": "", "ends": {"sessions": 1, "people": 1},
               "effects": [{"person": TOMAS, "gains": ["queue-1 as support, on request, at most 2 h"], "loses": []},
                           {"person": JONAS, "gains": [], "loses": ["cache-1 as root, standing", "metrics-1 as admin, standing"]}],
               "diff": [{"kind": "skip", "text": "roles", "number": None}, {"kind": "same", "text": "  vendor-support:", "number": 41},
                        {"kind": "same", "text": "    owner: mira", "number": 42}, {"kind": "remove", "text": "    permissions: []", "number": 43},
                        {"kind": "add", "text": "    permissions:", "number": 43}, {"kind": "add", "text": "      - {do: [shell], where: {tier: queue}, logins: [support], on: request, longest: 2h}", "number": 44}]},
    "may_approve": True, "why_not": "",
}  # fmt: skip

LEDGER: Context = {
    "state": "proven", "headline": "Every entry is there, in order, signed, and witnessed elsewhere.", "advice": "", "head": {"size": 48_230, "at": ago(4 * SECOND)},
    "signed": {"size": 48_230, "at": ago(3 * SECOND), "signer": "onepam signer", "root": "9f2c4a77d01be355"},
    "witnessed": [{"name": "witness.example.org", "size": 48_221, "at": ago(14 * SECOND)}],
    "checks": [{"name": "Tail", "at": ago(32 * SECOND), "state": "proven", "words": "212 entries", "every": MINUTE},
               {"name": "Incremental", "at": ago(20 * MINUTE), "state": "proven", "words": "1,904 entries", "every": HOUR},
               {"name": "Full fold", "at": ago(3 * DAY), "state": "proven", "words": "tables equal the history", "every": 7 * DAY}],
    "stored": {"entries": 48_230, "recordings": 1_310_000_000, "oldest": ago(320 * DAY)}, "key": "onepam.example.org/log+4be1d00c+AZx3bWjN0qS8vK2LQ9f1",
    "entry": None,
    "entries": [{"index": 48_229 - n, "at": ago(n * 40 * SECOND + 4 * SECOND), "kind": kind, "klass": "session", "who": who} for n, (kind, who) in enumerate(
        [("session.chunks_sealed", "gate-1"), ("request.approved", "Mira Okafor"), ("request.made", "Jonas Lindqvist"), ("session.closed", "Lena Vogel"), ("recording.watched", "Lena Vogel")])],
    "commands": [["The whole history against the tables", "onepam ledger verify"], ["A pack, offline, without us", "python3 verify.py pack.zip --log-key KEY --witness-key KEY"]],
}  # fmt: skip
LEDGER_ALONE: Context = {
    **LEDGER, "state": "due", "headline": "The history is whole, but no independent witness confirms it.",
    "advice": "Whoever controls this machine and its key could rewrite it unnoticed. Run “onepam witness” on another host.", "witnessed": [],
    "entry": {"index": 48_211, "at": ago(47 * MINUTE), "kind": "request.approved", "klass": "request", "klass_seq": 913, "leaf": "9f2c4a77d01be35581fa9f2c4a77d01be35581fa",
              "fields": [["Request", "req_7f2k"], ["By", "Mira Okafor"]], "proof": {**PROOF, "witness": None, "witness_at": None}},
}  # fmt: skip
FACTORS: Context = {
    "passkeys": [{"id": "fac_1", "name": "ThinkPad", "since": ago(140 * DAY), "last_used": ago(3 * HOUR), "device": "this device"}],
    "totp": {"id": "fac_2", "since": ago(319 * DAY), "last_used": ago(60 * DAY)}, "recovery": {"left": 2, "made": ago(319 * DAY)}, "new_codes": [],
    "keys": [{"id": "key_1", "name": "jonas@thinkpad", "fingerprint": "SHA256:uYl1cJm2Vd4xHs8PzRwTb6GfEaLiOoKyUcQk3v0nNq7", "algorithm": "ssh-ed25519", "since": ago(90 * DAY), "last_used": ago(HOUR)}],
    "cli": [{"id": "cli_1", "machine": "jonas@thinkpad", "since": ago(HOUR), "ends": ahead(11 * HOUR), "source": "10.4.1.17"}],
    "passkey": {"options": "/factors/passkeys/options", "verify": "/factors/passkeys"}, "may_remove": True, "errors": {}, "notice": "",
}  # fmt: skip
NO_FACTORS: Context = {**FACTORS, "passkeys": [], "totp": None, "keys": [], "cli": [], "new_codes": CODES, "may_remove": False, "recovery": {"left": 8, "made": NOW},
                       "errors": {"key": "That is a private key. Paste the .pub file, and replace the key you just showed."}, "notice": "A replaced factor opens nothing privileged for an hour."}  # fmt: skip

SAMPLES: dict[str, tuple[str, Shell, Context]] = {
    "sign_in": ("sign_in.html", outside("/sign-in"), SIGN_IN), "sign_in-second": ("sign_in.html", outside("/sign-in"), SECOND_STEP),
    **{f"enrol-{step}": ("enrol.html", outside("/enrol/t0k3n"), {**ENROL, "step": step}) for step in ("password", "factor", "totp", "codes", "done")},
    **{f"confirm-{state}": ("confirm.html", outside("/confirm/t0k3n"), {**CONFIRM, "state": state}) for state in ("ask", "done", "over")},
    "cli_authorize": ("cli_authorize.html", outside("/cli/authorize"), CLI),
    "cli_authorize-device": ("cli_authorize.html", outside("/cli/authorize"), {**CLI, "device": True, "redirect": ""}),
    "home": ("home.html", shell("/", MINE), HOME), "home-admin": ("home.html", shell("/"), {**HOME, "setup": SETUP}), "home-empty": ("home.html", shell("/"), EMPTY_HOME),
    "home-search": ("home.html", shell("/"), {**EMPTY_HOME, "query": "oracle", "setup": None}),
    "request": ("request.html", shell("/requests/req_7f2k", flashes=FLASHES), REQUEST), "approvals": ("approvals.html", shell("/approvals"), APPROVALS),
    "approvals-empty": ("approvals.html", shell("/approvals"), {"waiting": [], "decided": []}), "sessions": ("sessions.html", shell("/sessions"), SESSIONS),
    "sessions-empty": ("sessions.html", shell("/sessions"), {**SESSIONS, "sessions": [], "total": 0}),
    "session": ("session.html", shell("/sessions/ses_3"), SESSION), "session-live": ("session.html", shell("/sessions/ses_1"), LIVE_SESSION),
    "session-nothing": ("session.html", shell("/sessions/ses_6"), {**SESSION, "recording": "", "events": [], "proof": FRESH_PROOF}),
    "people": ("people.html", shell("/people"), PEOPLE), "people-as-of": ("people.html", shell("/people", as_of=ago(262 * DAY)), PEOPLE),
    "person": ("person.html", shell("/people/per_jonas"), PERSON), "resources": ("resources.html", shell("/resources"), RESOURCES),
    "resource": ("resource.html", shell("/resources/db-orders-1"), RESOURCE), "roles": ("roles.html", shell("/roles"), ROLES),
    "roles-empty": ("roles.html", shell("/roles"), {**ROLES, "rows": [], "columns": []}), "changes": ("changes.html", shell("/changes"), CHANGES),
    "changes-empty": ("changes.html", shell("/changes"), {**CHANGES, "changes": [], "change": None}), "ledger": ("ledger.html", shell("/ledger"), LEDGER),
    "ledger-alone": ("ledger.html", shell("/ledger"), LEDGER_ALONE), "factors": ("factors.html", shell("/factors"), FACTORS),
    "factors-new": ("factors.html", shell("/factors"), NO_FACTORS), "refusal": ("refusal.html", shell("/sessions"), REFUSAL),
    "refusal-outside": ("refusal.html", outside("/enrol/x"), {**REFUSAL, "heading": "This link no longer works", "why": "It was used, or its 24 hours are over.",
                                                              "next": {"href": "/sign-in", "word": "Sign in"}, "code": "enrol.link_over", "chain": None}),
}  # fmt: skip
"""Picture name -> template, shell, context."""
