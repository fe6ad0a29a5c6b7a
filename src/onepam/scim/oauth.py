"""Client credentials (RFC 6749, section 4.4): a client's secret is exchanged for an access token of an hour.

The client is a SCIM token that two administrators have let in for it: its id is the client id, its secret the client
secret, which opens nothing else. An access token is sealed and names that SCIM token; nothing is kept of it, and it
ends with the SCIM token.
"""

import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from starlette.types import Receive, Scope, Send

from onepam.identity.tokens import is_token, same, token_digest
from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Fault
from onepam.kernel.secret import Secret
from onepam.scim.request import from_there, headers_of
from onepam.scim.services import ScimServices
from onepam.store.read.provisioning import ScimToken, token_in_force
from onepam.vault.envelope import Envelope

CLIENT_SECRET = "scim"  # noqa: S105 - how the secret of a SCIM client begins
ACCESS = "sca_"
"""How an access token begins."""

LASTS = HOUR
"""Of an access token (microseconds)."""

RATE = 10
"""Requests a second of one address; as many may come at once."""

MOST_ADDRESSES = 10_000
MAX_BODY_BYTES = 8 * 1024
MAX_ACCESS_CHARACTERS = 1_000
_ABOUT = b"scim/access"


@dataclass(frozen=True, slots=True)
class OAuthError(Exception):
    """An error code of RFC 6749, section 5.2, with a status and words."""

    code: str
    words: str
    status: int = 400


def access_token(envelope: Envelope, token: str, ends: Instant) -> str:
    """An access token of the SCIM token with this id."""
    sealed = envelope.seal(Secret(json.dumps([token, ends]).encode()), _ABOUT)
    return ACCESS + urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def opened(envelope: Envelope, text: str, now: Instant) -> str | None:
    """The id of the SCIM token that an access token names; None for one that is over, or not ours."""
    if not text.startswith(ACCESS) or len(text) > MAX_ACCESS_CHARACTERS or not text.isascii():
        return None
    body = text[len(ACCESS) :]
    try:
        token, ends = json.loads(envelope.open(urlsafe_b64decode(body + "=" * (-len(body) % 4)), _ABOUT).reveal())
    except (Fault, ValueError, Base64Error):
        return None
    return str(token) if now < int(ends) else None


class TokenDoor:
    """The ASGI application at `/scim/oauth/token`."""

    def __init__(self, services: ScimServices, rate: int = RATE) -> None:
        self._services, self._rate = services, rate
        self._buckets: OrderedDict[str, tuple[float, Instant]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, out: Send) -> None:
        headers = headers_of(scope)
        basic = "authorization" in headers
        more: dict[str, str] = {}
        try:
            if scope["method"] != "POST":
                more["allow"] = "POST"
                raise OAuthError("invalid_request", "This is for POST.", 405)
            if self._over(str((scope.get("client") or ("",))[0])):
                more["retry-after"] = "1"
                raise OAuthError("invalid_request", f"More than {self._rate} requests a second.", 429)
            status, body = 200, self._issued(scope, headers, await _form(headers, receive))
        except OAuthError as error:
            status, body = error.status, {"error": error.code, "error_description": error.words}
            if status == 401 and basic:
                more["www-authenticate"] = 'Basic realm="scim"'
        await _send(out, status, body, more)

    def _issued(self, scope: Scope, headers: dict[str, str], form: dict[str, str]) -> dict[str, object]:
        name, secret = _credentials(headers, form)
        if (kind := form.get("grant_type")) != "client_credentials":
            if not kind:
                raise OAuthError("invalid_request", "grant_type is missing.")
            raise OAuthError("unsupported_grant_type", "grant_type is client_credentials.")
        now = self._services.clock()
        client = self._client(scope, name, secret)
        if not client.oauth:
            raise OAuthError("unauthorized_client", "This token was not approved for client credentials.")
        ends = Instant(min(now + LASTS, client.ends))
        token = access_token(self._services.envelope, client.token, ends)
        return {"access_token": token, "token_type": "Bearer", "expires_in": max((ends - now) // SECOND, 1)}

    def _client(self, scope: Scope, name: str, secret: str) -> ScimToken:
        """The client, if the secret is its own and comes from where it may. Raises `OAuthError` (invalid_client)."""
        if is_token(secret, CLIENT_SECRET) and len(name) <= 64:
            found = self._services.reader.now(token_in_force, None, name)
            digest = token_digest(Secret(secret.encode("ascii"))).hex().encode("ascii")
            if found is not None and same(digest, found.digest.encode("ascii")) and from_there(scope, found):
                return found
        self._services.traffic.refused += 1
        raise OAuthError("invalid_client", "No client that works here has this id and secret.", 401)

    def _over(self, address: str) -> bool:
        """Whether an address asks too often (token bucket)."""
        now = self._services.clock()
        left, last = self._buckets.pop(address, (float(self._rate), now))
        left = min(float(self._rate), left + max(now - last, 0) * self._rate / SECOND)
        self._buckets[address] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return left < 1


async def _form(headers: dict[str, str], receive: Receive) -> dict[str, str]:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "The body is application/x-www-form-urlencoded.")
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False) and message["type"] == "http.request"
        if len(body) > MAX_BODY_BYTES:
            raise OAuthError("invalid_request", f"The body has more than {MAX_BODY_BYTES} bytes.", 413)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "The body cannot be read.") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise OAuthError("invalid_request", "A parameter is there twice.")
    return dict(pairs)


def _credentials(headers: dict[str, str], form: dict[str, str]) -> tuple[str, str]:
    """The client's id and secret: HTTP Basic, or in the form, never both (RFC 6749, section 2.3)."""
    if "authorization" not in headers:
        if not form.get("client_id") or not form.get("client_secret"):
            raise OAuthError("invalid_client", "The client's id and secret are missing.", 401)
        return form["client_id"], form["client_secret"]
    if "client_secret" in form:
        raise OAuthError("invalid_request", "The client authenticates in one way only.")
    scheme, _, text = headers["authorization"].partition(" ")
    try:
        name, colon, secret = b64decode(text.strip(), validate=True).decode("ascii").partition(":")
    except ValueError:
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client", "The Authorization header is not HTTP Basic.", 401)
    return unquote_plus(name), unquote_plus(secret)


async def _send(out: Send, status: int, body: dict[str, object], more: dict[str, str]) -> None:
    data = json.dumps(body).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(data)),
        "cache-control": "no-store",
        "pragma": "no-cache",
        "x-content-type-options": "nosniff",
        **more,
    }
    raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    await out({"type": "http.response.start", "status": status, "headers": raw})
    await out({"type": "http.response.body", "body": data})
