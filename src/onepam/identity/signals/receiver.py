"""The door for signals, however they come: checked, taken once, answered in the words of RFC 8935 and RFC 8936."""

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass

from onepam.app.ports import Ledger
from onepam.app.providers.receive_signal import receive_signal
from onepam.domain.providers.signals import Signal, SignalKind, Stream
from onepam.egress.fetch import Fetch
from onepam.identity.oidc.tokens import SKEW
from onepam.identity.signals.security_event import checked
from onepam.identity.signals.transmitter import Transmitter
from onepam.identity.stored import Seal
from onepam.identity.tokens import same
from onepam.kernel.clock import HOUR, Instant
from onepam.kernel.errors import Corrupt, Fault, Refused
from onepam.kernel.secret import Secret

MOST_TRANSMITTERS = 40
STATE_LASTS = 1 * HOUR
"""How long after our asking a verification may answer it."""

_ERRORS = {
    "oidc.issuer": "invalid_issuer",
    "oidc.audience": "invalid_audience",
    "oidc.algorithm": "invalid_key",
    "oidc.signature": "invalid_key",
    "oidc.unknown_key": "invalid_key",
    "signal.state": "invalid_state",
    "signal.stream": "access_denied",
}
_LATER = frozenset({"oidc.keys", "signal.discovery"})
"""What is wrong with the keys and not with the token: it can be sent again."""


@dataclass(frozen=True, slots=True)
class Polled:
    """How the last poll of a stream went in this process; `trouble` is "" for well."""

    at: Instant
    trouble: str


class Receiver:
    """Takes signals for all streams; what transmitters publish is remembered by their issuers."""

    def __init__(self, ledger: Ledger, fetch: Fetch, seal: Seal) -> None:
        self._ledger = ledger
        self._fetch = fetch
        self._seal = seal
        self._transmitters: OrderedDict[str, Transmitter] = OrderedDict()
        self.polled: dict[str, Polled] = {}

    def transmitter(self, issuer: str) -> Transmitter:
        """Who sends under this issuer."""
        found = self._transmitters.get(issuer)
        if found is None:
            if len(self._transmitters) >= MOST_TRANSMITTERS:
                self._transmitters.popitem(last=False)
            found = self._transmitters[issuer] = Transmitter(self._fetch, issuer)
        return found

    async def take(self, stream: Stream, provider_issuer: str, token: str, now: Instant) -> int | Refused:
        """How many sign-ins ended. `provider_issuer` is under which the provider's subjects are known, beside the
        stream's own. Codes: those of `security_event.checked`, `signal.state`, `signal.stream`; `error_of` says them.
        """
        ring = await self.transmitter(stream.issuer).keys(now)
        if isinstance(ring, Refused):
            return ring
        issuers = frozenset({stream.issuer, provider_issuer})
        signal = await checked(token, ring, stream.issuer, stream.audience, issuers, now)
        if isinstance(signal, Refused):
            return signal
        if not self._answers(stream, signal, now):
            return Refused("signal.state", "This verification answers nothing that was asked.")
        taken = await receive_signal(self._ledger, stream, signal, SKEW)
        return 0 if isinstance(taken, Refused) and taken.code == "signal.repeated" else taken

    def state(self, stream: str, now: Instant) -> str:
        """What a verification shall carry back: it needs no memory, so that any process recognises it."""
        return urlsafe_b64encode(self._seal.seal(Secret(b"%d" % now), _about_state(stream))).decode("ascii")

    def _answers(self, stream: Stream, signal: Signal, now: Instant) -> bool:
        if signal.kind is not SignalKind.VERIFICATION or not signal.state:
            return True
        try:
            asked = int(self._seal.open(urlsafe_b64decode(signal.state), _about_state(stream.stream)).reveal())
        except (Fault, ValueError):
            return False
        return 0 <= now - asked <= STATE_LASTS

    def secret(self, stream: Stream) -> Secret | None:
        """The token that we show the transmitter. Raises `Corrupt` when it was altered, or is another stream's."""
        if stream.secret is None:
            return None
        try:
            return self._seal.open(b64decode(stream.secret, validate=True), _about(stream.stream))
        except ValueError:
            raise Corrupt("a stream's sealed token cannot be read") from None


def sealed_token(secret: Secret, stream: str, seal: Seal) -> str:
    """A transmitter's token under the vault's key, bound to the stream."""
    return b64encode(seal.seal(secret, _about(stream))).decode("ascii")


def shows_token(stream: Stream | None, digest: bytes) -> bool:
    """Whether what was shown is the stream's token; takes as long for a stream that is not there."""
    known = bytes.fromhex(stream.digest) if stream is not None and stream.digest else bytes(32)
    return same(known, digest) and stream is not None and bool(stream.digest)


def error_of(refused: Refused) -> str:
    """The error code of RFC 8935 section 2.4; "" for what may well be taken later."""
    if refused.code in _LATER or refused.code.startswith("fetch."):
        return ""
    return _ERRORS.get(refused.code, "invalid_request")


def _about(stream: str) -> bytes:
    return f"signal-stream/{stream}".encode()


def _about_state(stream: str) -> bytes:
    return f"signal-verification/{stream}".encode()
