"""The way to a target: one address, TLS to a server that must be a pinned one, and nothing said before it is known."""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TypeVar

from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.protocols.sql.tls import Leg, Pins

SILENT_SECONDS = 90
"""How long a target may give no sign of life."""


@dataclass(frozen=True, slots=True)
class Where:
    """An IP address that was resolved and admitted before; `name` is the target's as it was configured, which an
    authority that is pinned must vouch for."""

    address: str
    port: int
    name: str
    pins: Pins

    @classmethod
    def of(cls, address: str, port: int, name: str, pinned: Sequence[str]) -> "Where | Refused":
        """The target as it is configured; or what is pinned of it is neither a digest nor a certificate."""
        try:
            return cls(address, port, name, Pins.of(pinned))
        except ValueError as error:
            return Refused("target.certificate", f"what is pinned of the target cannot be read: {error}")


class TargetLeg(Leg):
    """Our connection to a target."""

    def __init__(self) -> None:
        super().__init__(SessionEnd.TARGET_LOST)
        self.early = b""
        """What came after it was ready; it is not read on until somebody does."""
        self._cancelling: asyncio.Task[None] | None = None

    def cancel(self, tasks: Tasks) -> "asyncio.Task[None] | None":
        """Have the server end what it does for us now; once at a time. The task ends when it has heard so, or does not
        answer; None where it cannot be told."""
        if (self._cancelling is None or self._cancelling.done()) and (asked := self.asked_to_stop()) is not None:
            self._cancelling = tasks.spawn(asked)
        return self._cancelling

    def asked_to_stop(self) -> Coroutine[None, None, None] | None:
        """Asks the server, over another connection, to end what it does for this one."""
        return None

    async def wait_closed(self) -> None:
        """What asks the server to cancel is over, too."""
        await super().wait_closed()
        if self._cancelling is not None:
            await asyncio.wait((self._cancelling,))


T = TypeVar("T", bound=TargetLeg)


async def secured(
    where: Where,
    pair: tuple[bytes, bytes] | None,
    make: Callable[[], T],
    ask: Callable[[T], Awaitable[Refused | None]],
    alpn: str = "",
) -> T | Refused:
    """A connection to the pinned server, made by `make`. A target may be known in two ways, and each is asked by one of
    its own. `ask` asks for TLS in the clear; `pair` is our certificate and its key (PEM), `alpn` what is spoken within.
    Raises `ssl.SSLError` for a pair that does not fit."""
    refused = Refused("target.certificate", "nothing is pinned that the target is known by")
    for context in where.pins.contexts(pair, alpn):
        leg = make()
        answer = await _tls(leg, where, context, ask)
        if isinstance(answer, Refused):
            leg.cut()
            if answer.code != "target.certificate":
                return answer
            refused = answer
        elif context.verify_mode is not ssl.CERT_NONE or where.pins.has(leg.certificate):
            leg.patience(SILENT_SECONDS)
            return leg
        else:
            leg.cut()
            refused = _another("it is none of the pinned ones")
    return refused


async def _tls(
    leg: T, where: Where, context: ssl.SSLContext, ask: Callable[[T], Awaitable[Refused | None]]
) -> Refused | None:
    """TCP, the request for TLS, TLS."""
    loop = asyncio.get_running_loop()
    try:
        await loop.create_connection(lambda: leg, where.address, where.port)
    except OSError as fault:
        words = os.strerror(fault.errno) if fault.errno else fault  # asyncio's own would name our address of it
        return Refused("target.down", f"the target cannot be reached: {words}")
    refused = await ask(leg)
    if refused is not None:
        return refused
    secured: asyncio.Future[ssl.SSLError | None] = loop.create_future()
    leg.secure(
        context,
        lambda fault: None if secured.done() else secured.set_result(fault),
        server=False,
        name=where.name,
    )
    broken = await secured
    if isinstance(broken, ssl.SSLCertVerificationError):
        return _another(broken.verify_message)
    if broken is not None:
        return Refused("target.refusing", f"the target ended the TLS: {broken.reason or broken}")
    return None


def _another(why: str) -> Refused:
    return Refused(
        "target.certificate",
        f"the target shows another certificate than the pinned one ({why}): nothing was sent to it",
        "an administrator must find out why before pinning the new certificate",
    )
