"""Who watches a session now."""

from onepam.console.frame.page import Context
from onepam.console.frame.visit import Visit
from onepam.store.read.names import names


async def watching(visit: Visit, session: str) -> list[Context]:
    """The people who watch it live, each with id and name."""
    people = visit.services.watchers.of(session)
    called = await visit.services.reader(names, visit.at, people)
    return [{"id": person, "name": called[person]} for person in people]
