"""The one HTTP client for calls that leave the gateway: bounded, to an address that was judged, no further than asked.

A name is resolved once by `Egress`, and the connection goes to exactly that address; SNI, Host and certificate are
those of the name. No redirects, no proxies or credentials from the environment, no cookies, no content codings. Plain
HTTP goes only where the operator admits the very address and port. What fails is `Refused`, worded for people.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlencode, urlsplit

import httpcore2

from onepam.egress.egress import Egress
from onepam.egress.trust import trust_of
from onepam.kernel.errors import Refused

MAX_URL_CHARACTERS = 8_000
LIMIT_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 10.0
CONNECTIONS = 20
IDLE_CONNECTIONS = 5
IDLE_SECONDS = 30.0

NO_HEADERS: Mapping[str, str] = {}

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status. `content_type` is lower-case without parameters; header names are lower-case."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str]


class Fetch:
    """A client with one pool of connections, for one event loop. `ca_file` (PEM) is trusted beside the system's CAs."""

    def __init__(self, egress: Egress, ca_file: Path | None = None) -> None:
        trust = trust_of(ca_file)
        self._pools = {
            scheme: httpcore2.AsyncConnectionPool(
                ssl_context=trust,
                max_connections=CONNECTIONS,
                max_keepalive_connections=IDLE_CONNECTIONS,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=_Judged(egress, encrypted=scheme == "https"),
            )
            for scheme in ("https", "http")
        }

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        limit_bytes: int = LIMIT_BYTES,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Fetched | Refused:
        """GET. Codes of a refusal: `fetch.` + `url`, `unresolved`, `address`, `plain`, `tls`, `down`, `timeout`,
        `too_large`, `redirect`, `protocol`.
        """
        return await self._send("GET", url, headers, b"", limit_bytes, timeout_seconds)

    async def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        content: bytes = b"",
        content_type: str = "application/octet-stream",
        headers: Mapping[str, str] = NO_HEADERS,
        limit_bytes: int = LIMIT_BYTES,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Fetched | Refused:
        """POST of a form, or of `content` as `content_type`. Codes as for `get`."""
        if form is not None:
            content, content_type = urlencode(form).encode("ascii"), "application/x-www-form-urlencoded"
        return await self._send(
            "POST", url, {**headers, "Content-Type": content_type}, content, limit_bytes, timeout_seconds
        )

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        limit_bytes: int,
        timeout_seconds: float,
    ) -> Fetched | Refused:
        parts = _parts(url)
        if isinstance(parts, Refused):
            return parts
        host = parts.hostname or ""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._exchange(method, parts, headers, content, limit_bytes)
        except _NotLetOut as stopped:
            return stopped.refused
        except (TimeoutError, httpcore2.TimeoutException):
            return Refused("fetch.timeout", f"{host} did not answer within {timeout_seconds:g} seconds.", "Try again.")
        except httpcore2.ConnectError as error:
            return _not_connected(host, error)
        except (httpcore2.NetworkError, OSError):
            return Refused("fetch.down", f"{host} broke off the connection.", "Try again.")
        except (httpcore2.ProtocolError, ValueError):
            return Refused("fetch.protocol", f"{host} does not answer as HTTP demands.")

    async def _exchange(
        self, method: str, parts: SplitResult, headers: Mapping[str, str], content: bytes, limit_bytes: int
    ) -> Fetched | Refused:
        """One request on a pooled connection."""
        host = parts.hostname or ""
        sent = {
            "Host": parts.netloc,
            "User-Agent": "OnePAM",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            **headers,
        }
        if method == "POST":
            sent["Content-Length"] = str(len(content))
        pool, url = self._pools[parts.scheme], parts._replace(fragment="").geturl()
        async with pool.stream(method, url, headers=_encoded(sent), content=content) as answer:
            received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            if answer.status in _REDIRECTS:
                return Refused("fetch.redirect", f"{host} sends us to another address; redirects are not followed.")
            if received.get("content-encoding", "identity").lower() != "identity":
                return Refused("fetch.protocol", f"{host} sends a compressed answer that was not asked for.")
            body = bytearray()
            async for part in answer.aiter_stream():
                body += part
                if len(body) > limit_bytes:
                    return Refused("fetch.too_large", f"{host} answers with more than {limit_bytes:,} bytes.")
        content_type = received.get("content-type", "").partition(";")[0].strip().lower()
        return Fetched(answer.status, content_type, bytes(body), received)


class _NotLetOut(Exception):
    """The rule for outgoing connections, or the resolver, says no; carries the words."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


class _Judged(httpcore2.AsyncNetworkBackend):
    """Connects to the one address that `Egress` resolved and admits; unencrypted, only to the operator's exceptions.

    It sits below the pool, which keeps connections by name: a connection whose certificate was checked for one name
    never serves another that happens to share its address.
    """

    def __init__(self, egress: Egress, *, encrypted: bool) -> None:
        self._egress = egress
        self._encrypted = encrypted
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's; the whole call is timed above
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        name = host.removeprefix("[").removesuffix("]")
        address = await self._egress.resolve(name, port)
        if isinstance(address, Refused):
            raise _NotLetOut(Refused(address.code.replace("target.", "fetch."), address.message, address.hint))
        if not self._encrypted and not self._egress.excepted(address, port):
            raise _NotLetOut(_plain(name))
        return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)


def _parts(url: str) -> SplitResult | Refused:
    """The parts of a URL that can be fetched: http or https, a host, no credentials, plain ASCII."""
    wrong = Refused("fetch.url", "This is not an https address that can be fetched.", "Write it as https://host/path.")
    if len(url) > MAX_URL_CHARACTERS or not url.isascii() or any(character <= " " for character in url):
        return wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return wrong
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or port == 0:
        return wrong
    return parts


def _not_connected(host: str, error: httpcore2.ConnectError) -> Refused:
    cause = _of_tls(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message.rstrip(".")
        return Refused(
            "fetch.tls",
            f"The certificate of {host} is not trusted: {why}.",
            "The server must send its whole chain, and its CA must be known to this machine.",
        )
    if cause is not None:
        return Refused("fetch.tls", f"No encrypted connection to {host} came about.", "It must speak TLS 1.2 or newer.")
    return Refused("fetch.down", f"{host} is down, or cannot be reached from here.", "Check it, and try again.")


def _of_tls(error: BaseException) -> ssl.SSLError | None:
    """The TLS error beneath what the layers between made of it."""
    beneath: BaseException | None = error
    while beneath is not None and not isinstance(beneath, ssl.SSLError):
        beneath = beneath.__cause__ or beneath.__context__
    return beneath


def _plain(host: str) -> Refused:
    return Refused(
        "fetch.plain",
        f"{host} would be asked without encryption, which is not done.",
        "Use https. An address within the house can be admitted by `egress` in the server's configuration.",
    )


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
