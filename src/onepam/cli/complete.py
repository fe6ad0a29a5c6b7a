"""What the shell offers after a tab: what this person may name, from the gateway; nothing where it cannot be asked."""

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any
from urllib.parse import quote

import typer

from onepam.cli.client import answered
from onepam.cli.home import Home
from onepam.cli.show import clean

SECONDS = 2.0
"""How long a tab waits for the gateway."""
MOST = 50


def targets(incomplete: str) -> list[str]:
    """What may be asked for: TARGET, or LOGIN@TARGET once there is an @."""
    login, at, resource = incomplete.rpartition("@")
    offers = (_asked("/access", search=resource) or {}).get("requestable", [])
    words = {f"{each['login']}@{each['resource']}" if at else each["resource"] for each in offers}
    return _offered(words, f"{login}{at}{resource}")


def reachable(incomplete: str) -> list[str]:
    """What is open now, and what may be asked for."""
    found = _asked("/access", search=incomplete) or {}
    return _offered({each["resource"] for part in ("open", "requestable") for each in found.get(part, [])}, incomplete)


def people(incomplete: str) -> list[str]:
    """Addresses, and ids of whoever has none."""
    found = _asked("/people", search=incomplete, most=str(MOST)) or []
    return _offered({each["email"] or each["person"] for each in found}, incomplete)


def _each(path: str, field: str, **asked: str) -> Callable[[str], list[str]]:
    def ids(incomplete: str) -> list[str]:
        return _offered({each[field] for each in _asked(path, **asked) or []}, incomplete)

    return ids


sessions = _each("/sessions", "session")
live_sessions = _each("/sessions", "session", status="open")


def inbox(incomplete: str) -> list[str]:
    """What waits: requests by LOGIN@TARGET, and all by their ids."""
    asked = [each["request"] for each in _asked("/inbox") or []]
    laid = {each["proposal"] for each in _asked("/proposals") or []}
    return _offered(_of_requests(asked) | laid, incomplete)


def own_requests(incomplete: str) -> list[str]:
    """Mine that wait."""
    return _offered(_of_requests(_asked("/requests", whose="mine", status="open") or []), incomplete)


def undoable(incomplete: str) -> list[str]:
    """Those that I approved, and that have not taken effect."""
    decided = _asked("/requests", whose="decided") or []
    return _offered(_of_requests([each for each in decided if each["grant_state"] == "starting"]), incomplete)


def keys(context: typer.Context, incomplete: str) -> list[str]:
    """The keys of the account that was named before, by id and name."""
    who = str(context.params.get("person") or "")
    if not who.startswith("per_"):
        known = _asked("/people", search=who) or []
        named = [each["person"] for each in known if who.casefold() in (each["name"].casefold(), each["email"])]
        who = named[0] if len(named) == 1 else ""
    every = _asked(f"/people/{quote(who, safe='')}/keys") or [] if who else []
    return _offered({word for each in every for word in (each["factor"], each["label"]) if word}, incomplete)


def directory_users(incomplete: str) -> list[str]:
    """Users of directories that wait for an administrator, by userName."""
    found = (_asked("/scim") or {}).get("troubled", [])
    return _offered({each["user_name"] for each in found if each["waits_for"]}, incomplete)


def _of_requests(found: list[dict[str, str]]) -> set[str]:
    return {word for each in found for word in (each["request"], f"{each['login']}@{each['resource']}")}


def _offered(words: set[str], incomplete: str) -> list[str]:
    """A word that the shell would have to quote is not offered."""
    return sorted(each for each in words if each.startswith(incomplete) and clean(each) == each and " " not in each)[
        :MOST
    ]


def _asked(path: str, **asked: str) -> Any:
    """The gateway's answer, or None: a tab complains of nothing."""
    session = Home().session()
    if session is None:
        return None
    try:
        with (
            redirect_stderr(io.StringIO()),
            answered(session.gateway, "GET", path, params=asked, token=session.token, seconds=SECONDS) as answer,
        ):
            answer.read()
            return answer.json()
    except (typer.Exit, ValueError):
        return None
