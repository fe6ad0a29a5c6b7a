"""What the shell offers after a tab: what this person may name, from the gateway; nothing where it cannot be asked."""

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

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
own_requests = _each("/requests", "request", whose="mine", status="open")


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
