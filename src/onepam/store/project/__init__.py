"""Projections: for each event kind the one function that turns it into rows. Nothing else writes state tables."""

from onepam.store.project import (
    access,
    changes,
    directory_brake,
    disk,
    mfa_exceptions,
    people,
    probing,
    providers,
    provisioning,
    recordings,
    requests,
    sessions,
    sign_in,
    signals,
    staff,
    system,
)
from onepam.store.project.registry import STATE_TABLES, project, unprojected

__all__ = [
    "STATE_TABLES",
    "access",
    "changes",
    "directory_brake",
    "disk",
    "mfa_exceptions",
    "people",
    "probing",
    "project",
    "providers",
    "provisioning",
    "recordings",
    "requests",
    "sessions",
    "sign_in",
    "signals",
    "staff",
    "system",
    "unprojected",
]
