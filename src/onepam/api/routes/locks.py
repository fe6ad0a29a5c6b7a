"""Locks: who or what opens no session now, setting one and lifting one."""

from typing import Literal

from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Id, Moment, Text
from onepam.api.routes.route import Route
from onepam.app.sessions.lock_access import lift_lock, lock_access
from onepam.domain.access.locking import LOCKERS, LockScope
from onepam.domain.access.model import ConsoleRight
from onepam.kernel.ids import new_id
from onepam.store.read import locks as rows


class LockOut(Answer):
    """A lock that stands: on a person, a resource, or everything (both null); the ledger's `entry` has its reason."""

    lock: str
    scope: LockScope
    person: str | None
    person_name: str
    resource: str | None
    by: str
    by_name: str
    since: Moment
    entry: int


class LockIn(Body):
    """What to lock: `about` is a person's or a resource's id, empty for everything."""

    scope: Literal["person", "resource", "everything"]
    about: Text = ""
    reason: Text = ""


class Locked(Answer):
    """The lock that is set."""

    lock: str


async def list_locks(caller: Who, services: Services, at: AsOf) -> list[LockOut]:
    """The locks that stand."""
    return [LockOut.model_validate(each) for each in await services.reader(rows.locks, at)]


async def set_lock(body: LockIn, caller: Who, services: Services) -> Locked:
    """Lock a person, a resource or everything: its sessions end now, and none opens until the lock is lifted."""
    name = new_id("lck", services.random)
    scope = LockScope(body.scope)
    made = await lock_access(services.ledger, caller.actor, name, scope, body.about, body.reason)
    return Locked(lock=done(made))


async def lift(lock: Id, caller: Who, services: Services) -> Done:
    """Lift a lock of somebody else's that is not on me, under a fresh factor."""
    done(await lift_lock(services.ledger, caller.actor, lock))
    return Done()


ROUTES = (
    Route("GET", "/locks", right(*LOCKERS, ConsoleRight.AUDIT), list_locks),
    Route("POST", "/locks", right(*LOCKERS), set_lock),
    Route("POST", "/locks/{lock}/lift", right(ConsoleRight.ADMINISTER), lift),
)
