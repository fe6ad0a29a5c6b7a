"""What changes of a definition, in words where the name of its field alone does not say enough to agree to."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import Permission
from onepam.domain.access.review_schedule import ReviewSchedule
from onepam.kernel.clock import DAY


def changed(old: Any, new: Any) -> Iterator[str]:
    """The fields in which two definitions of one kind differ: `logins`, `mask: none → orders.customer`, and after
    `permissions` what each lets through now of a database's statements, where that changes."""
    for each in fields(old):
        was, now = getattr(old, each.name), getattr(new, each.name)
        if was == now:
            continue
        if each.name in ("mask", "results"):
            yield f"{each.name}: {data_words(was)} → {data_words(now)}"
            continue
        if isinstance(old, ReviewSchedule) and each.name != "fallback":
            yield f"{each.name}: {_schedule(was)} → {_schedule(now)}"
            continue
        yield each.name
        if each.name == "permissions":
            yield from _permissions(was, now)


def made(new: Any) -> Iterator[str]:
    """Of a definition that is new, what it masks, keeps and lets through of a database."""
    for name in ("mask", "results"):
        if (data := getattr(new, name, None)) is not None:
            yield f"{name}: {data_words(data)}"
    for each in getattr(new, "permissions", ()):
        if each.guardrails is not None:
            yield f"{each.name} lets through: {each.guardrails.words()}"


def _permissions(was: tuple[Permission, ...], now: tuple[Permission, ...]) -> Iterator[str]:
    before = {each.name: each for each in was}
    for each in now:
        old = before.get(each.name)
        if old is None and each.guardrails is not None:
            yield f"{each.name} lets through: {each.guardrails.words()}"
        elif old is not None and old.guardrails != each.guardrails:
            yield f"{each.name} lets through: {_guards(old.guardrails)} → {_guards(each.guardrails)}"


def _guards(guardrails: Guardrails | None) -> str:
    return "everything" if guardrails is None else guardrails.words()


def data_words(data: Mask | Results | None) -> str:
    """What is masked, or how much of results is recorded."""
    if data is None:
        return "none"
    if isinstance(data, Results):
        return f"{data.rows:,} rows of at most {data.bytes:,} bytes"
    columns = [f"columns {', '.join(data.columns)}"] if data.columns else []
    return "; ".join([*columns, *([f"patterns {', '.join(data.patterns)}"] if data.patterns else [])])


def _schedule(value: Any) -> str:
    if isinstance(value, int):
        return f"{value // DAY} days"
    return value if isinstance(value, str) else ", ".join(value or ()) or "none"
