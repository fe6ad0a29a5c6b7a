"""What the rules know of policy documents."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Policy:
    """A policy document: the version in force last, its digest, who answers for it, and who confirmed that version."""

    version: int
    digest: str
    owner: str
    confirmed: set[str] = field(default_factory=set)
    in_force: bool = True
