"""A row of the table of routes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onepam.api.guard import Needs


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path, who may call it, and what answers (its docstring describes it).

    `media` is the type of an answer that is streamed and not JSON.
    """

    method: str
    path: str
    needs: Needs
    handler: Callable[..., Any]
    status: int = 200
    media: str = ""
