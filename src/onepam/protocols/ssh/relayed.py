"""What the channels of a session share."""

import asyncio
from typing import Any, Protocol

from onepam.gateway.recorder import Recorder
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.tap import Kind


class RelayedSession(Protocol):
    """What a channel needs of its session."""

    person: PersonConnection
    target: "asyncio.Future[TargetConnection | Refused]"
    recorder: Recorder
    kinds: frozenset[Kind]
    excerpt: bool
    greeting: str

    def ended(self, channel: Any) -> None: ...
