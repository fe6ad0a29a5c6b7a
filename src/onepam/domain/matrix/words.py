"""What changes of a definition, in words where the name of its field alone does not say enough to agree to."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from onepam.domain.access.asked import Asking
from onepam.domain.access.asked_words import asking_words
from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import Permission
from onepam.domain.access.review_schedule import ReviewSchedule
from onepam.domain.access.session_users import SessionUsers
from onepam.kernel.clock import DAY

_DATA = ("mask", "results", "session_users")


def changed(old: Any, new: Any) -> Iterator[str]:
    """The fields in which two definitions of one kind differ: `logins`, `mask: none → orders.customer`; of permissions
    which of their own fields, and what each lets through now of a database's statements, where that changes."""
    for each in fields(old):
        was, now = getattr(old, each.name), getattr(new, each.name)
        if was == now:
            continue
        if each.name in _DATA:
            yield f"{each.name}: {data_words(was)} → {data_words(now)}"
            continue
        if isinstance(old, ReviewSchedule) and each.name != "fallback":
            yield f"{each.name}: {_schedule(was)} → {_schedule(now)}"
            continue
        said = [*_permissions(was, now)] if each.name == "permissions" else []
        yield from said or [each.name]


def made(new: Any) -> Iterator[str]:
    """Of a definition that is new, what it masks, keeps and lets through of a database, and how it is asked for."""
    for name in _DATA:
        if (data := getattr(new, name, None)) is not None:
            yield f"{name}: {data_words(data)}"
    for each in getattr(new, "permissions", ()):
        yield from _first(each)


def _first(permission: Permission) -> Iterator[str]:
    """Of a permission that is new."""
    if permission.asking is not None:
        yield f"{permission.name} is asked for: {_asking(permission.asks)}"
    if permission.guardrails is not None:
        yield f"{permission.name} lets through: {permission.guardrails.words()}"


def _permissions(was: tuple[Permission, ...], now: tuple[Permission, ...]) -> Iterator[str]:
    before = {each.name: each for each in was}
    for each in now:
        old = before.pop(each.name, None)
        if old is None:
            yield f"permission {each.name}: new"
            yield from _first(each)
            continue
        names = [field.name for field in fields(each) if field.name not in ("guardrails", "asking")]
        if others := [name for name in names if getattr(old, name) != getattr(each, name)]:
            yield f"permission {each.name}: {', '.join(others)}"
        if old.asks != each.asks:
            yield f"{each.name} is asked for: {_asking(old.asks)} → {_asking(each.asks)}"
        if old.guardrails != each.guardrails:
            yield f"{each.name} lets through: {_guards(old.guardrails)} → {_guards(each.guardrails)}"
    yield from (f"permission {name}: removed" for name in before)


def _asking(asks: Asking) -> str:
    return "; ".join(asking_words(asks)) or "with a yes"


def _guards(guardrails: Guardrails | None) -> str:
    return "everything" if guardrails is None else guardrails.words()


def data_words(data: Mask | Results | SessionUsers | None) -> str:
    """What is masked, how much of results is recorded, or for which logins users are made."""
    if data is None:
        return "none"
    if isinstance(data, SessionUsers):
        members = [f"{login} as a member of {role}" for login, role in sorted(data.member_of.items())]
        return f"{', '.join(members)}, made by {data.made_by}"
    if isinstance(data, Results):
        return f"{data.rows:,} rows of at most {data.bytes:,} bytes"
    columns = [f"columns {', '.join(data.columns)}"] if data.columns else []
    return "; ".join([*columns, *([f"patterns {', '.join(data.patterns)}"] if data.patterns else [])])


def _schedule(value: Any) -> str:
    if isinstance(value, int):
        return f"{value // DAY} days"
    return value if isinstance(value, str) else ", ".join(value or ()) or "none"
