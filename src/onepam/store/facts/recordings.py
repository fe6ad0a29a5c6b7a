"""Facts of checking recordings."""

from onepam.app.ports import Snapshot
from onepam.app.sessions.check_recordings import KnownBadQuery
from onepam.domain.sessions.recordings import Condition, KnownBad
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT


@loads(KnownBadQuery)
def known_bad(db: Snapshot, query: KnownBadQuery, at: Instant) -> KnownBad:
    sql = f"SELECT condition FROM bad_recording WHERE session = :session AND {AT}"
    found = ((each, row(db, sql, {"session": each, "at": at})) for each in query.sessions)
    return KnownBad({session: Condition(each["condition"]) for session, each in found if each is not None})
