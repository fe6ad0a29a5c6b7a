"""One event of any kind, made from the types of its fields."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints


def sample(hint: Any) -> Any:
    """A value of an annotated type: texts are "x", numbers 1, tuples and mappings have one item, nothing is None."""
    origin = get_origin(hint)
    if origin is tuple:
        return (sample(get_args(hint)[0]),)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"x": sample(get_args(hint)[1])}
    if origin is not None:
        return sample(next(each for each in get_args(hint) if each is not NoneType))
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return hint(**{each.name: sample(hints[each.name]) for each in fields(hint)})
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return next(iter(hint))
    return {str: "x", int: 1, bool: True}[getattr(hint, "__supertype__", hint)]
