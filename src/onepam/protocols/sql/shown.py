"""The certificate that our listener shows: of our own authority, made anew long before it ends, or an operator's."""

import ssl
from collections.abc import Callable
from pathlib import Path

from onepam.kernel.clock import MINUTE, Clock, Instant
from onepam.kernel.errors import Unavailable
from onepam.protocols.sql.tls import server_context
from onepam.vault.database_authority import SERVER_LIFETIME, ServerCertificate


class Issued:
    """Of our own authority. It is made anew when half of its time is over. `clients`: the root (PEM) of what clients
    may show."""

    def __init__(self, issue: Callable[[Instant], ServerCertificate], clients: bytes, clock: Clock) -> None:
        self._issue, self._clients, self._clock = issue, clients, clock
        self._made: tuple[ssl.SSLContext, Instant] | None = None

    def __call__(self) -> ssl.SSLContext:
        now = self._clock()
        if self._made is None or now >= self._made[1] - SERVER_LIFETIME // 2:
            found = self._issue(now)
            self._made = server_context(found.certificate, found.key.reveal(), self._clients), found.until
        return self._made[0]


class OfFiles:
    """An operator's own, in two PEM files. They are looked at each minute; ones that cannot be used, after some that
    could, leave those in force."""

    def __init__(self, certificate: Path, key: Path, clients: bytes, clock: Clock) -> None:
        """Raises `Unavailable` where there is nothing to show."""
        self._files, self._clients, self._clock = (certificate, key), clients, clock
        self._looked, self._stamp = clock(), self._stamps()
        self._context = self._read()

    def __call__(self) -> ssl.SSLContext:
        now = self._clock()
        if now >= self._looked + MINUTE:
            self._looked = now
            try:
                stamp = self._stamps()
                if stamp != self._stamp:
                    self._context, self._stamp = self._read(), stamp
            except Unavailable:
                pass
        return self._context

    def _stamps(self) -> tuple[int, ...]:
        try:
            return tuple(file.stat().st_mtime_ns for file in self._files)
        except OSError as error:
            raise Unavailable(f"the certificate for databases cannot be read: {error}") from None

    def _read(self) -> ssl.SSLContext:
        try:
            certificate, key = (file.read_bytes() for file in self._files)
            return server_context(certificate, key, self._clients)
        except (OSError, ssl.SSLError) as error:
            raise Unavailable(f"the certificate for databases cannot be used: {error}") from None
