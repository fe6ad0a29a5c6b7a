"""A small company of one afternoon in November: its people, servers, and why they may reach them."""

from typing import Any

from onepam.console.app import PLACES
from onepam.console.frame.places import Place
from onepam.console.frame.rendering import Reader, Shell
from onepam.kernel.clock import DAY, MINUTE, SECOND, Instant, later, parse

Context = dict[str, Any]

NOW = parse("2026-11-20T14:05:00Z")


def ago(length: int) -> Instant:
    return Instant(NOW - length)


def ahead(length: int) -> Instant:
    return later(NOW, length)


ALL = tuple(place for place in PLACES if place.shown)
MINE = tuple(place for place in ALL if place.path in ("/", "/approvals", "/factors", "/sessions"))


def shell(path: str = "/", shown: tuple[Place, ...] = ALL, as_of: Instant | None = None, **more: Any) -> Shell:
    reader = Reader("per_mira", "Mira Okafor", "Platform lead", shown)
    return Shell(
        now=as_of or NOW,
        path=path,
        here=path,
        csrf="c5rf",
        reader=reader,
        as_of=as_of,
        waiting=3,
        changes=1,
        live=2,
        **more,
    )


def outside(path: str, **more: Any) -> Shell:
    return Shell(now=NOW, path=path, here=path, csrf="c5rf", **more)


def link(kind: str, title: str, detail: str = "", href: str | None = None, at: Instant | None = None) -> Context:
    return {"kind": kind, "title": title, "detail": detail, "href": href, "at": at}


CHAIN = [
    link("role", "Database operator", "Runs and repairs the databases", "/roles#rol_dbop"),
    link("permission", "db-prod", "shell on env=prod, tier=db as postgres, on request"),
    link("binding", "group dba", "from access.yaml, 3 people", "/changes/chg_2", ago(90 * DAY)),
    link("request", "req_7f2k", "Rebuild the bloated index on orders", "/requests/req_7f2k", ago(52 * MINUTE)),
    link("approval", "Mira Okafor", "as owner of db-prod", "/people/per_mira", ago(47 * MINUTE)),
    link("ticket", "OPS-2291"),
]
STANDING = [*CHAIN[:2], link("binding", "group platform", "from access.yaml", "/changes/chg_2", ago(90 * DAY))]
PROOF = {
    "entry": 48_211,
    "entry_hash": "9f2c4a77d01be35581fa",
    "checkpoint_size": 48_230,
    "checkpoint_at": ago(20 * SECOND),
    "altered": False,
    "witness": "witness.example.org",
    "witness_at": ago(14 * SECOND),
    "download": "/ledger/proof/48211",
}
FRESH_PROOF = {**PROOF, "checkpoint_size": None, "checkpoint_at": None, "witness": None, "witness_at": None}


def resource(name: str, env: str, **labels: str) -> Context:
    return {"id": name, "name": name, "kind": "ssh", "labels": {"env": env, **labels}}


DB1, DB2 = resource("db-orders-1", "prod", tier="db"), resource("db-orders-2", "prod", tier="db")
WEB1, WEB2 = resource("web-1", "prod", tier="web"), resource("web-2", "prod", tier="web")
STAGE, BUILD = resource("stage-1", "stage"), resource("build-1", "tools")


def someone(ident: str, name: str) -> Context:
    return {"id": f"per_{ident}", "name": name}


MIRA, JONAS, PRIYA = (
    someone("mira", "Mira Okafor"),
    someone("jonas", "Jonas Lindqvist"),
    someone("priya", "Priya Raman"),
)
TOMAS, LENA = someone("tomas", "Tomás Herrera"), someone("lena", "Lena Vogel")


def ssh(login: str, name: str) -> str:
    return f"ssh -p 2222 {login}@{name}@gate.example.org"


def decision(ident: str, **more: object) -> Context:
    """The form on what waits, for somebody who may decide."""
    may = {"decides": True, "denies": True, "mine": False, "stale": False, "why_not": ""}
    return {"id": ident, "digest": "", **may, **more}


MINE_TO_WAIT: Context = {"decides": False, "mine": True, "why_not": "Nobody approves their own proposal."}
"""Of whoever proposed it."""
