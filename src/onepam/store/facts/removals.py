"""Whom somebody took the right to decide from, with their own hand."""

from onepam.app.ports import Snapshot
from onepam.domain.signing_in.enrolling import OWN_REMOVALS
from onepam.kernel.clock import Instant
from onepam.store.engine.entries import entries_of, size_at
from onepam.store.facts.directory_brake import who_can_decide

REMOVING = (
    "binding.ended",
    "directory.person_decided",
    "factor.removed",
    "group.member_removed",
    "identity.unlinked",
    "person.changed",
    "person.disabled",
    "provider.removed",
    "role.removed",
    "role.set",
)
"""The kinds by which somebody may cease to administer or to be able to sign in; each says `by` whom."""

MOST = 100
"""Deeds that are each looked at by themselves; where there are more, whoever could decide before them counts."""


def removed_by(db: Snapshot, person: str, at: Instant) -> frozenset[str]:
    """Who could decide until a deed of this person's, within `OWN_REMOVALS` before `at`, and cannot now."""
    found = entries_of(db, REMOVING, size_at(db, Instant(at - OWN_REMOVALS)), size_at(db, at))
    deeds = [each.header.time for each in found if each.fields.get("by") == person]
    could: set[str] = set()
    for time in deeds[-MOST:]:
        could |= who_can_decide(db, Instant(time - 1)) - who_can_decide(db, time)
    if len(deeds) > MOST:
        could |= who_can_decide(db, Instant(deeds[0] - 1))
    return frozenset(could) - who_can_decide(db, at)
