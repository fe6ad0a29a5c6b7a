"""One request of a SCIM client, read within bounds, and its answer."""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope, Send

from onepam.kernel.clock import Instant
from onepam.scim.document import read_json
from onepam.scim.errors import ScimError, invalid_syntax, invalid_value
from onepam.store.read.provisioning import ScimToken

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_QUERY_BYTES = 8 * 1024
MAX_NAMES = 100
MEDIA = "application/scim+json"


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose token works. `path` are the parts after `/scim/v2`, `query` its parameters in lower case."""

    token: ScimToken
    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received: Instant

    def json(self) -> dict[str, Any]:
        """The body. Raises `ScimError`."""
        kind = self.headers.get("content-type", MEDIA).partition(";")[0].strip().lower()
        if kind not in (MEDIA, "application/json"):
            raise ScimError(415, "", f"The body is {MEDIA}.")
        return read_json(self.body)

    def names(self, parameter: str) -> tuple[str, ...]:
        """`attributes` or `excludedAttributes`."""
        found = tuple(each.strip() for each in self.query.get(parameter.lower(), "").split(",") if each.strip())
        if len(found) > MAX_NAMES:
            raise invalid_value(f"{parameter} names more than {MAX_NAMES}.")
        return found

    def number(self, parameter: str, usual: int) -> int:
        """`startIndex` or `count`."""
        text = self.query.get(parameter.lower())
        if text is None:
            return usual
        digits = text.strip().removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
            raise invalid_value(f"{parameter} is a number.")
        return int(text)

    def must_match(self, version: int) -> None:
        """Raises `ScimError` (412) when the client wants to change another version than this."""
        wanted = self.headers.get("if-match")
        if wanted is not None and not _names(wanted, version):
            raise ScimError(412, "", "The resource has changed since it was read.")

    def knows(self, version: int) -> bool:
        """Whether the client has this version already (If-None-Match)."""
        return _names(self.headers.get("if-none-match", ""), version)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with a body (None: nothing) and headers."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def from_there(scope: Scope, token: ScimToken) -> bool:
    """Whether the request comes from a network of the token."""
    if not token.networks:
        return True
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(each) for each in token.networks)


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'W/"{version}"'


def path_of(scope: Scope) -> tuple[str, ...]:
    """The parts of the path below the mount."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root):
        path = path[len(root) :]
    return tuple(unquote(each) for each in path.strip("/").split("/") if each)


def query_of(scope: Scope) -> dict[str, str]:
    """The parameters by lower-case name. Raises `ScimError`."""
    raw: bytes = scope.get("query_string", b"")
    if len(raw) > MAX_QUERY_BYTES:
        raise ScimError(414, "", f"The query has more than {MAX_QUERY_BYTES} bytes.")
    try:
        found = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise invalid_syntax("The query cannot be read.") from None
    return {name.lower(): value for name, value in found}


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def body_of(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The body. Raises `ScimError` (413) as soon as it is too large."""
    declared = headers.get("content-length", "0")
    if not declared.isdigit() or len(declared) > 12 or int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    taken, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise invalid_syntax("The body broke off.")
        part = message.get("body", b"")
        taken += len(part)
        if taken > MAX_BODY_BYTES:
            raise _too_large()
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


async def send(answer: Answer, out: Send) -> None:
    """Writes the answer."""
    body = b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False).encode("utf-8")
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff", **answer.headers}
    if answer.body is not None:
        headers["content-type"] = MEDIA
    if answer.status not in (204, 304):
        headers["content-length"] = str(len(body))
    raw = [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await out({"type": "http.response.start", "status": answer.status, "headers": raw})
    await out({"type": "http.response.body", "body": body})


def _names(header: str, version: int) -> bool:
    tags = [each.strip().removeprefix("W/").strip('"') for each in header.split(",")[:50]]
    return "*" in tags or str(version) in tags


def _too_large() -> ScimError:
    return ScimError(413, "", f"The body has more than {MAX_BODY_BYTES} bytes.")
