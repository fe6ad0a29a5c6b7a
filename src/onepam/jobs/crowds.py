"""What stands at the listeners' doors is said in the ledger, and the doors learn who is known."""

import time
from collections.abc import Mapping

from onepam.app.ports import Ledger, Reader
from onepam.app.sessions.close_session import append_event
from onepam.domain.host.doors import Door, DoorCalm, DoorPressed, DoorWatch
from onepam.gateway.crowd import Crowd, Known
from onepam.jobs.job import Job
from onepam.store.read.doors import pressed_doors, signed_in_from

PERIOD_SECONDS = 3.0


class CrowdWatch:
    """Says when a crowd stands at a door of this process and when it is over."""

    def __init__(self, ledger: Ledger, reader: Reader, node: str, crowds: Mapping[Door, Crowd], known: Known) -> None:
        self._ledger = ledger
        self._reader = reader
        self._node = node
        self._known = known
        begun = _now()
        self._watched = [(DoorWatch(node, door, begun), crowd) for door, crowd in crowds.items()]
        self._unsaid: list[DoorPressed | DoorCalm] | None = None
        self._after: int | None = None

    def job(self) -> Job:
        """Every few seconds."""
        return Job("doors", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Looks at each door. The first turn says, too, that what this node's last life saw is over."""
        if self._unsaid is None:
            pressed = await self._reader(pressed_doors)
            self._unsaid = [DoorCalm(self._node, each.door, 0, 0) for each in pressed if each.node == self._node]
        sources, self._after = await self._reader(signed_in_from, None, self._after)
        self._known.remember(sources)
        for watch, crowd in self._watched:
            said = watch.look(crowd.turned_away, len(crowd), crowd.networks(), _now())
            self._unsaid += [said] if said is not None else []
        while self._unsaid:
            await append_event(self._ledger, self._unsaid[0])
            del self._unsaid[0]


def _now() -> int:
    return time.monotonic_ns() // 1000
