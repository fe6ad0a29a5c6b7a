"""The ASGI application at `/scim/v2`: who may, which resource, and the answer to whatever goes wrong."""

import asyncio
import logging
import re
from weakref import WeakValueDictionary

from starlette.types import Receive, Scope, Send

from onepam.app.provisioning.traffic import ScimRequest
from onepam.identity.tokens import is_token, token_digest
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Unavailable
from onepam.kernel.secret import Secret
from onepam.scim import groups, users
from onepam.scim.bulk import bulk
from onepam.scim.document import projected
from onepam.scim.errors import ScimError, not_found
from onepam.scim.lists import MESSAGE, listed, needs_members, searched
from onepam.scim.oauth import opened
from onepam.scim.request import Answer, Call, body_of, etag, from_there, headers_of, path_of, query_of, send
from onepam.scim.schema import group_schema, provider_config, resource_types, schema_documents, user_schema
from onepam.scim.services import ScimServices
from onepam.store.read.provisioning import ScimToken, token_in_force, working_token

TOKEN_PREFIX = "scim"  # noqa: S105 - how a token of a SCIM client begins
RATE = 1_000
"""Requests a second of one token; as many may come at once."""

_ID = re.compile(r"[a-z]{3}_[a-z2-7]{16}", re.ASCII)
_DISCOVERY = ("ServiceProviderConfig", "ResourceTypes", "Schemas")
_log = logging.getLogger(__name__)


class ScimDoor:
    """The application to mount."""

    def __init__(self, services: ScimServices, rate: int = RATE) -> None:
        self._services, self._rate = services, rate
        self._buckets: dict[str, tuple[float, Instant]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, out: Send) -> None:
        if scope["type"] != "http":
            return
        answer = await self._answer(scope, receive)
        if scope["method"] == "HEAD" and answer.body is not None:
            answer = Answer(answer.status, None, answer.headers)
        await send(answer, out)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        received = self._services.clock()
        token: ScimToken | None = None
        answer, detail = Answer(500), ""
        try:
            headers = headers_of(scope)
            token = self._token(scope, headers.get("authorization", ""))
            if (wait := self._over(token.token, received)) is not None:
                raise ScimError(429, "", f"More than {self._rate} requests a second; try again in {wait} s.")
            call = Call(
                token=token,
                method="GET" if scope["method"] == "HEAD" else scope["method"],
                path=path_of(scope),
                query=query_of(scope),
                headers=headers,
                body=await body_of(headers, receive) if scope["method"] in ("POST", "PUT", "PATCH") else b"",
                received=received,
            )
            answer = await self._route(call)
        except ScimError as error:
            answer, detail = _failed(error), error.detail
        except Unavailable as error:
            detail = f"The ledger cannot be written just now ({error}); try again."
            answer = _failed(ScimError(503, "", detail))
        except Exception:
            _log.exception("a SCIM request failed")
            detail = "This is a fault of ours; it is in the log."
            answer = _failed(ScimError(500, "", detail))
        self._count(token, received, scope, answer, detail)
        return answer

    def _token(self, scope: Scope, authorization: str) -> ScimToken:
        """The token of the request, if it works, from where the request comes. Raises `ScimError` (401)."""
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        found = None
        if scheme.lower() == "bearer" and is_token(text, TOKEN_PREFIX):
            digest = token_digest(Secret(text.encode("ascii"))).hex()
            found = self._services.reader.now(working_token, None, digest)
        elif scheme.lower() == "bearer" and (name := opened(self._services.envelope, text, self._services.clock())):
            found = self._services.reader.now(token_in_force, None, name)
        # The secret of a client that exchanges it opens nothing by itself.
        if found is not None and found.oauth != text.startswith(f"{TOKEN_PREFIX}_") and from_there(scope, found):
            return found
        raise ScimError(401, "", "This needs the bearer token of a SCIM client that works here.")

    def _over(self, token: str, now: Instant) -> int | None:
        """Seconds to wait where a token asks too much (token bucket), else None."""
        left, last = self._buckets.get(token, (float(self._rate), now))
        left = min(float(self._rate), left + max(now - last, 0) * self._rate / SECOND)
        self._buckets[token] = (left - 1 if left >= 1 else left, now)
        return 1 if left < 1 else None

    async def _bulk(self, call: Call) -> Answer:
        """Each operation counts as a request: what goes beyond the rate is waited for after it."""

        async def one(part: Call) -> Answer:
            left, last = self._buckets[call.token.token]
            self._buckets[call.token.token] = (max(left - 1, -float(self._rate)), last)
            try:
                return await self._route(part)
            except Unavailable as error:
                raise ScimError(503, "", f"The ledger cannot be written just now ({error}); try again.") from error

        return await bulk(call, one, self._services.url)

    async def _route(self, call: Call) -> Answer:
        match call.path:
            case ("Users" | "Groups" as kind,) if call.method == "GET":
                return await listed(self._services, call, kind)
            case ("Users" | "Groups" as kind,) if call.method == "POST":
                return await self._created(call, kind)
            case ("Users" | "Groups" as kind, ".search") if call.method == "POST":
                return await searched(self._services, call, kind)
            case ("Users" | "Groups" as kind, name):
                return await self._one(call, kind, name)
            case ("Bulk",) if call.method == "POST":
                return await self._bulk(call)
            case ("Me", *_) | (".search",) | ():
                raise ScimError(501, "", "This is not offered here.")
            case (first, *_) if first in _DISCOVERY:
                return self._discovered(call)
            case ("Users" | "Groups" | "Bulk",):
                raise ScimError(405, "", f"{call.method} is not for this place.")
            case _:
                raise not_found("such place")

    async def _created(self, call: Call, kind: str) -> Answer:
        if kind == "Users":
            user = await users.create_user(self._services, call)
            return self._shown(call, kind, user.user, user.version, users.shown(self._services, user), 201)
        made = await groups.create_group(self._services, call)
        return await self._group(call, made.group, 201)

    async def _one(self, call: Call, kind: str, name: str) -> Answer:
        if not _ID.fullmatch(name):
            raise not_found(f"{kind[:-1].lower()} of this id")
        if call.method == "GET":
            return await self._read(call, kind, name)
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        async with lock:  # saves most of the repeated attempts; what is written is decided by the version
            return await self._changed(call, kind, name)

    async def _changed(self, call: Call, kind: str, name: str) -> Answer:
        services = self._services
        match kind, call.method:
            case "Users", "PUT":
                user = await users.replace_user(services, call, name)
            case "Users", "PATCH":
                user = await users.patch_user(services, call, name)
            case "Groups", "PUT":
                await groups.replace_group(services, call, name)
                return await self._group(call, name, 200)
            case "Groups", "PATCH":
                changed = await groups.patch_group(services, call, name)
                if not call.query.get("attributes") and not call.query.get("excludedattributes"):
                    return Answer(204, None, {"etag": etag(changed.version)})
                return await self._group(call, name, 200)
            case "Users", "DELETE":
                await users.delete_user(services, call, name)
                return Answer(204)
            case "Groups", "DELETE":
                await groups.delete_group(services, call, name)
                return Answer(204)
            case _:
                raise ScimError(405, "", f"{call.method} is not offered.")
        return self._shown(call, kind, name, user.version, users.shown(services, user), 200)

    async def _read(self, call: Call, kind: str, name: str) -> Answer:
        if kind == "Groups":
            return await self._group(call, name, 200)
        user = await users.read_user(self._services, call, name)
        return self._shown(call, kind, name, user.version, users.shown(self._services, user), 200)

    async def _group(self, call: Call, name: str, status: int) -> Answer:
        members = needs_members(group_schema(), None, call.names("attributes"), call.names("excludedAttributes"))
        found = await groups.read_group(self._services, call, name, members=members)
        return self._shown(call, "Groups", name, found.version, groups.shown(self._services, found), status)

    def _shown(
        self, call: Call, kind: str, name: str, version: int, resource: dict[str, object], status: int
    ) -> Answer:
        headers = {"etag": etag(version), "content-location": f"{self._services.url}/{kind}/{name}"}
        if status == 201:
            headers["location"] = f"{self._services.url}/{kind}/{name}"
        if call.method == "GET" and call.knows(version):
            return Answer(304, None, headers)
        schema = user_schema() if kind == "Users" else group_schema()
        body = projected(resource, schema, call.names("attributes"), call.names("excludedAttributes"))
        return Answer(status, body, headers)

    def _discovered(self, call: Call) -> Answer:
        if call.method != "GET":
            raise ScimError(405, "", f"{call.method} is not offered.")
        if "filter" in call.query:
            raise ScimError(403, "", "What this server offers is not filtered.")
        kind, *rest = call.path
        if kind == "ServiceProviderConfig":
            if rest:
                raise not_found("such place")
            return Answer(200, provider_config(self._services.url, self._services.documentation))
        found = (resource_types if kind == "ResourceTypes" else schema_documents)(self._services.url)
        if rest:
            one = next((each for each in found if each["id"] == rest[0] and len(rest) == 1), None)
            if one is None:
                raise not_found("such place")
            return Answer(200, one)
        body = {"schemas": [MESSAGE], "totalResults": len(found), "startIndex": 1, "itemsPerPage": len(found)}
        return Answer(200, {**body, "Resources": found})

    def _count(self, token: ScimToken | None, at: Instant, scope: Scope, answer: Answer, detail: str) -> None:
        if token is None:
            self._services.traffic.refused += 1
            return
        what = "/".join(path_of(scope)[:1])[:40]
        request = ScimRequest(at, str(scope["method"])[:10], what, answer.status, detail[:300])
        self._services.traffic.count(token.provider, token.token, request)


def _failed(error: ScimError) -> Answer:
    headers = {}
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="scim"'
    if error.status in (429, 503):
        headers["retry-after"] = "1"
    return Answer(error.status, error.body(), headers)
