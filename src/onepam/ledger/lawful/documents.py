"""What the rules know of policy documents, of incidents and of controls."""

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


@dataclass
class Incident:
    """An incident: who answers for it and who ever did, whether it was ever of `high` severity, who is linked as having
    caused it, and the sessions that are linked."""

    owner: str
    owners: set[str] = field(default_factory=set)
    high: bool = False
    caused_by: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    is_open: bool = True


@dataclass
class Controlled:
    """A control: who answers for it, whether its last run failed, and whether they were told of that failure."""

    owner: str = ""
    failing: bool = False
    told: bool = False
