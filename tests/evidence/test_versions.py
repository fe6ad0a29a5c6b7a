"""Entries of an older version in a pack: hashed as they were written, read in the newest form, and no further."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from onepam.app.ports import Kept
from onepam.domain.history import event as events
from onepam.domain.history.event import Registry, event, kinds, private
from onepam.evidence.reports.entries import _told
from onepam.evidence.verifier import disclosed
from onepam.kernel.canonical import encode
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.ledger.entry import Entry, Header, payload_digest
from tests.evidence import company
from tests.evidence.company import PART, History, history, pack_input, written
from tests.evidence.conftest import KEYS, Check

Body = dict[str, Any]
KINDS = ("session.closed", "request.made")
READER = Path(__file__).parents[1] / "format/reader/disclosed.mjs"


def test_both_verifiers_know_each_version_that_there_is() -> None:
    """Else they refuse every pack with an entry of it."""
    newest = {each.name: each.version for each in kinds() if each.version > 1}
    steps = {(name, before) for name, version in newest.items() for before in range(1, version)}
    assert disclosed.UPCASTS.keys() == steps
    (later,) = re.findall(r"(?s)const LATER = \{(.*?)\};", READER.read_text("utf-8"))
    assert {name: int(version) for name, version in re.findall(r"'([a-z_.]+)': (\d+)", later)} == newest


GUARDED = {"statements": ["read"], "rows": 7, "timeout": None}
SUBSTANCE = {
    "person": "eve", "resource": "db-1", "login": "app", "role": "dba", "role_version": "v1", "permission": "query",
    "actions": ["query"], "duration": 5, "guardrails": GUARDED,
    "schedule": {"begins": 5, "weekly": None, "extends": ""},
}  # fmt: skip
PERMISSION = {
    "name": "query", "actions": ["query"], "where": {"app": "crm"}, "logins": ["app"], "mode": "request", "longest": 5,
    "approvers": ["lead"], "administrative": False, "recording": None, "guardrails": GUARDED,
    "asking": {
        "ticket": "", "ticketed": False, "ahead": 1, "weekly": 0, "approvals": 1, "escalates": 0, "then": ["head"],
    },
}  # fmt: skip
PLAIN = {"guardrails": None, "asking": None}
FREE = {"guardrails": None, "schedule": None}
BECAUSE = {"role": "dba", "role_version": "v1", "permission": "query", "binding": "bnd_1", "group": "", "request": ""}
OF_BEFORE = [
    ("request.made", 2, [{"request": "req_1", "substance": SUBSTANCE, "digest": "d", "expires": 5}]),
    ("grant.started", 2, [{
        "grant": "grt_1", "request": "req_1", "substance": SUBSTANCE, "binding": "bnd_1", "approved_by": "max",
        "starts": 1, "ends": 9,
    }]),
    ("role.set", 2, [{
        "role": "dba", "version": "v1", "purpose": "p", "owner": "eve", "permissions": [PERMISSION, PERMISSION | PLAIN],
        "console": [], "change": "chg_1", "by": None,
    }]),
    ("session.opened", 1, [{
        "session": "ses_1", "person": "eve", "resource": "db-1", "login": "app", "entry": "postgres_token",
        "actions": ["query"], "ends": 9, "privileged": True, "because": BECAUSE | {"approval_by": "", "grant": ""},
        "mfa": {"session": "s", "factors": [], "at": 1, "basis": "own", "provider": "", "phishing_resistant": False},
        "node": "n", "also": [], "recording": "whole", "guardrails": GUARDED,
    }]),
]  # fmt: skip


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize(("kind", "version", "bodies"), OF_BEFORE, ids=[kind for kind, *_ in OF_BEFORE])
def test_the_verifier_reads_an_earlier_version_as_the_product_does(
    kind: str, version: int, bodies: list[Body], free: bool
) -> None:
    for body in bodies:
        said = {**body, **({"guardrails": None} if free and "guardrails" in body else {})}
        if free and "substance" in body:
            said["substance"] = {**body["substance"], **FREE}
        now = events.plain(events.join(kind, version, said, None))
        assert isinstance(now, dict)
        read, payload = disclosed.UPCASTS[kind, version](said, None)
        assert payload is None
        assert read == {name: now[name] for name in said}


def _older(body: Body) -> Body:
    """What a release wrote in which these kinds were of version 1."""
    if "because" in body:
        return {"cause" if key == "because" else key: value for key, value in body.items()}
    return {**{key: value for key, value in body.items() if key != "substance"}, "asked": [body["substance"]]}


def _newer(body: Body) -> Body:
    if "cause" in body:
        return {"because" if key == "cause" else key: value for key, value in body.items()}
    return {**{key: value for key, value in body.items() if key != "asked"}, "substance": body["asked"][0]}


def _closed(body: Body, payload: Body | None) -> tuple[Body, Body | None]:
    return _newer(body), payload


def _reworded(payload: Body) -> Body:
    return {"reason": payload["why"], "ticket": payload["ticket"]}


def _made(body: Body, payload: Body | None) -> tuple[Body, Body | None]:
    return _newer(body), payload and _reworded(payload)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> History:
    """A history in which every second entry of two kinds is of version 1, and the others of version 2."""
    h = history()
    for number, entry in enumerate(each for each in list(h.entries) if each.header.kind in KINDS):
        index, body = entry.header.index, json.loads(entry.body)
        if number % 2:
            h.entries[index] = Entry(replace(entry.header, version=2), entry.body)
            continue
        body = _older(body)
        if index in h.payloads:
            salt, payload = h.payloads[index]
            said = json.loads(payload)
            h.payloads[index] = salt, encode({"why": said["reason"], "ticket": said["ticket"]})
            body["payload"] = payload_digest(*h.payloads[index])
        h.entries[index] = Entry(entry.header, encode(body))
    as_written, said = company.body_of, company.payload_of
    older = {e.header.index for e in h.entries if e.header.kind in KINDS and e.header.version == 1}
    monkeypatch.setattr(
        company, "body_of", lambda h, index: _newer(as_written(h, index)) if index in older else as_written(h, index)
    )
    monkeypatch.setattr(
        company,
        "payload_of",
        lambda h, index: _reworded(said(h, index)) if index in older and said(h, index) else said(h, index),
    )
    return h


def knows(monkeypatch: pytest.MonkeyPatch, **steps: Callable[..., Any]) -> None:
    """A verifier of a release in which these kinds have a second version."""
    monkeypatch.setattr(disclosed, "UPCASTS", {(kind.replace("_", "."), 1): step for kind, step in steps.items()})


def test_old_and_new_entries_are_verified_together(
    aged: History, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows(monkeypatch, session_closed=_closed, request_made=_made)
    code, result = check(written(pack_input(aged)), *KEYS)
    assert code == PART, result["verdict"]


def test_a_verifier_that_reads_them_otherwise_does_not_agree(
    aged: History, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows(
        monkeypatch,
        session_closed=_closed,
        request_made=lambda body, payload: (_newer(body), payload and {"reason": "other", "ticket": payload["ticket"]}),
    )
    code, result = check(written(pack_input(aged)), *KEYS)
    assert code == 1
    assert "reason is not what the entries say" in result["verdict"]


def test_a_version_that_the_verifier_does_not_know_is_named(
    aged: History, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows(monkeypatch, request_made=_made)
    code, result = check(written(pack_input(aged)), *KEYS)
    assert code == 1
    assert "is session.closed v2, which this verifier reads up to v1: take a newer one" in result["verdict"]


def test_an_entry_that_lacks_what_its_kind_has_is_named(
    aged: History, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows(monkeypatch, session_closed=lambda body, payload: ({"x": body["gone"]}, payload), request_made=_made)
    code, result = check(written(pack_input(aged)), *KEYS)
    assert code == 1
    assert "(session.closed v1) lacks what its kind has: 'gone'" in result["verdict"]


@dataclass(frozen=True, slots=True)
class Seen1:
    """Version 1."""

    door: str
    minutes: int
    who: str | None = private()


@dataclass(frozen=True, slots=True)
class Seen:
    """Version 2."""

    door: str
    seconds: int
    by: str | None = private()


@pytest.mark.parametrize("erased", [False, True])
def test_a_report_reads_old_entries_in_the_newest_form(monkeypatch: pytest.MonkeyPatch, erased: bool) -> None:
    monkeypatch.setattr(events, "_registry", Registry())
    event("door.seen", klass="door", control="LOG-03", words="It happened")(Seen1)
    event(
        "door.seen",
        klass="door",
        control="LOG-03",
        words="It happened",
        version=2,
        upcast=lambda old: Seen(old.door, old.minutes * 60, old.who),
    )(Seen)
    payload = None if erased else b'{"who":"ada"}'
    header = Header(7, Instant(1), "door.seen", 1, "door", 0)
    told = _told(Kept(header, b'{"door":"front","minutes":2,"payload":"d1"}', b"salt", payload))
    assert told.body == {"door": "front", "seconds": 120, "payload": "d1"}
    assert told.payload == (None if erased else {"by": "ada"})
    with pytest.raises(Corrupt, match="entry 7 cannot be read"):
        _told(Kept(header, b'{"door":"front"}', b"salt", payload))
