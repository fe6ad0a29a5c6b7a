"""How long the statements of a session waited for somebody's yes, and who decided."""

from onepam.app.ports import Snapshot
from onepam.domain.sessions.waiting_statements import APPROVED, StatementApproved, StatementEnded, Waited
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.read.moments import moments
from onepam.store.read.names import name


def waited(db: Snapshot, at: Instant, session: str) -> dict[int, Waited]:
    """What came of each wait that was over by `at`, by the number of the execution in the session's recording."""
    found = rows(
        db,
        "SELECT statement, execution, asked, valid_until FROM waiting_statement "
        "WHERE session = :session AND valid_until <= :at",
        {"session": session, "at": at},
    )
    waits = {each["statement"]: each for each in found}
    told = dict[int, Waited]()
    for moment in moments(db, at, (each["valid_until"] for each in found)):
        event = moment.event
        if isinstance(event, StatementApproved | StatementEnded) and event.statement in waits:
            wait = waits[event.statement]
            decision = APPROVED if isinstance(event, StatementApproved) else event.because
            length = moment.time - wait["asked"]
            told[wait["execution"]] = Waited(decision, name(db, at, event.by), length, moment.index)
    return told
