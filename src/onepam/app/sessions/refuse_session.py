"""A refusal at the door that needed no look at the access: the proof itself, or the way of asking, was not good."""

from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import NoFacts
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.events import EntryPoint, SessionRefused
from onepam.kernel.errors import Refused


async def refuse_session(
    ledger: Ledger, session: str, entry: EntryPoint, person: str | None, asked: str, source: str, refused: Refused
) -> None:
    """Records the attempt of somebody who held the key to it. Raises `Unavailable` without a ledger."""
    event = SessionRefused(session, person, None, entry, refused.code, None, asked, source)
    await ledger.commit(NoFacts(), lambda facts, now: Decided((event,), None))
