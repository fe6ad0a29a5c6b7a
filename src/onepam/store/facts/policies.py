"""Facts of policy documents: the version in force, and who is to read it and has not confirmed it."""

from onepam.app.policies.keep_policy import PolicyQuery, UnreadQuery
from onepam.app.ports import Snapshot
from onepam.domain.people.events import PersonKind
from onepam.domain.policies.publishing import MOST_TIMES, REMINDED_EACH, PolicyFacts, Standing, Unread
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holders import PRESENT, holders
from onepam.store.facts.holdings import actor_facts, is_here, person_kind

AT_ONCE = 500
"""People who are reminded by one command."""

READERS = f"""
    p.kind <> 'service' AND {PRESENT} AND (d.readers = '[]' OR p.person IN (
        {holders("b.role IN (SELECT value FROM json_each(d.readers))")}))
    AND d.valid_from <= :at AND :at < d.valid_until"""
"""Whether the person `p` is to read the policy `d`, as of `:at`."""

CONFIRMED = """EXISTS (SELECT 1 FROM policy_confirmed c WHERE c.policy = d.policy AND c.person = p.person
    AND c.version = d.version AND c.valid_from <= :at AND :at < c.valid_until)"""
"""... and has confirmed the version in force."""

_UNREAD = f"""
SELECT d.policy, d.version, p.person, coalesce(r.times, 0) AS times, r.told FROM policy d JOIN person p ON {READERS}
LEFT JOIN policy_reminded r ON r.policy = d.policy AND r.person = p.person AND r.version = d.version
    AND r.valid_from <= :at AND :at < r.valid_until
WHERE NOT {CONFIRMED} AND coalesce(r.times, 0) < :most_times AND (r.told IS NULL OR r.told + :each <= :at)
ORDER BY d.policy, p.person LIMIT :most"""


@loads(PolicyQuery)
def policy(db: Snapshot, query: PolicyQuery, at: Instant) -> PolicyFacts:
    """The policy, and what publishing another version of it asks."""
    of = {"policy": query.policy, "person": query.actor.person, "at": at}
    found = row(db, f"SELECT version, digest, owner, review_by FROM policy WHERE policy = :policy AND {AT}", of)
    last = row(db, "SELECT max(version) AS last FROM policy WHERE policy = :policy AND valid_from <= :at", of)
    said = row(db, f"SELECT version FROM policy_confirmed WHERE policy = :policy AND person = :person AND {AT}", of)
    roles = (
        each
        for each in query.readers
        if row(db, f"SELECT 1 FROM role WHERE role = :role AND {AT}", {"role": each, "at": at}) is not None
    )
    here = is_here(db, query.owner, at) and person_kind(db, query.owner, at) is not PersonKind.SERVICE
    return PolicyFacts(
        actor=actor_facts(db, query.actor, at),
        standing=Standing(**dict(found)) if found is not None else None,
        last=last["last"] or 0 if last is not None else 0,
        owner_here=here,
        roles=frozenset(roles),
        confirmed=said["version"] if said is not None else 0,
    )


@loads(UnreadQuery)
def unread(db: Snapshot, query: UnreadQuery, at: Instant) -> tuple[Unread, ...]:
    """Those who are due, so many at once."""
    return due(db, at, AT_ONCE)


def due(db: Snapshot, at: Instant, most: int) -> tuple[Unread, ...]:
    """Some of those who are to be told now that a policy waits for them."""
    asked = {"at": at, "most": most, "most_times": MOST_TIMES, "each": REMINDED_EACH}
    return tuple(
        Unread(each["policy"], each["version"], each["person"], each["times"], each["told"])
        for each in rows(db, _UNREAD, asked)
    )
