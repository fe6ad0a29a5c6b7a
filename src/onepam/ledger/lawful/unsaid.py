"""The digests of a role and of what is asked for: without what was added to them later and says nothing there, so that
whatever stays as it is keeps the digest that it had before one could say it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

ADDED_WHOLE = ("asking", "schedule")
ADDED_WITHIN: Mapping[str, Mapping[str, Any]] = {
    "asking": {"first_use": False, "unasked": None},
    "guardrails": {"bytes": None, "wait": None},
    "schedule": {"until": None},
}
"""What says nothing where it is null; and by member those of its members that were added, with what says nothing."""


def role_version(body: Mapping[str, Any]) -> str:
    """The version that a role has by what it says."""
    said = {each: body[each] for each in ("role", "purpose", "owner", "console")}
    return _digest({**said, "permissions": [without_unsaid(each) for each in body["permissions"]]})


def substance_digest(substance: Mapping[str, Any]) -> str:
    """The digest of what is asked for."""
    return _digest(without_unsaid(substance))


def without_unsaid(of: Mapping[str, Any]) -> dict[str, Any]:
    """What a permission says, or what is asked for, in whichever version of its entry."""
    found = {}
    for name, value in of.items():
        nothing = ADDED_WITHIN.get(name, {})
        if value is not None and nothing:
            found[name] = {each: what for each, what in value.items() if each not in nothing or nothing[each] != what}
        elif value is not None or name not in ADDED_WHOLE:
            found[name] = value
    return found


def _digest(said: Mapping[str, Any]) -> str:
    """Of what was canonical (RFC 8785) before it was read."""
    return sha256(
        json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")
    ).hexdigest()
