"""What digests leave out: what was added to a record later, where it says nothing. So whatever stays as it is keeps the
digest that it had before one could say it: a role its version, and a request what was approved."""

from collections.abc import Mapping

from onepam.kernel.canonical import Json

_LATER: Mapping[str, Mapping[str, Json]] = {
    "asking": {"first_use": False, "unasked": None},
    "guardrails": {"bytes": None, "wait": None},
    "schedule": {"until": None},
}
"""By the member of a permission or a substance: those of its own members, and how each says nothing."""

_WHOLE = ("asking", "schedule")
"""The members that were themselves added later, and say nothing where they are None."""


def without_unsaid(said: Mapping[str, Json]) -> dict[str, Json]:
    """What a permission or a substance says, as digests are made of it."""
    return {name: _said(name, each) for name, each in said.items() if name not in _WHOLE or each is not None}


def _said(name: str, value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    later = _LATER.get(name, {}).items()
    return {key: each for key, each in value.items() if (key, each) not in later}
