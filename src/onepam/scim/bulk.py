"""Bulk (RFC 7644, section 3.7): many operations in one message, each of them a command of its own."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from onepam.scim.errors import ScimError, invalid_path, invalid_syntax, invalid_value
from onepam.scim.filter import get
from onepam.scim.request import Answer, Call
from onepam.scim.schema import MAX_OPERATIONS, MAX_PAYLOAD_BYTES

REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
MAX_BULK_ID = 200
REFERENCE = "bulkId:"

_PATH = re.compile(r"/(Users|Groups)(?:/([^/?#]{1,300}))?", re.ASCII)

Run = Callable[[Call], Awaitable[Answer]]
"""Does one operation, and answers what goes wrong."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `kind` is Users or Groups, `name` the resource's id ("" for a new one) or `bulkId:` and another
    operation's."""

    method: str
    kind: str
    name: str
    bulk_id: str
    version: str
    data: Any

    def needs(self) -> set[str]:
        """The operations that must come first, by their bulkId."""
        named = {each for each in (self.name, *_texts(self.data)) if each.startswith(REFERENCE)}
        return {each.removeprefix(REFERENCE) for each in named}


async def bulk(call: Call, run: Run, url: str) -> Answer:
    """All operations, in the order of the message save where one refers to a later one; `url` is that of `/scim/v2`.
    Raises `ScimError`."""
    if len(call.body) > MAX_PAYLOAD_BYTES:
        raise ScimError(413, "", f"The size of the bulk operation exceeds the maxPayloadSize ({MAX_PAYLOAD_BYTES}).")
    message = call.json()
    fail_on_errors = get(message, "failOnErrors")
    if fail_on_errors is not None and (type(fail_on_errors) is not int or fail_on_errors < 1):
        raise invalid_syntax("failOnErrors is a number from 1 on.")
    schemas, given = get(message, "schemas"), get(message, "Operations")
    if not isinstance(schemas, list) or REQUEST not in schemas:
        raise invalid_syntax(f"The body is no {REQUEST}.")
    if not isinstance(given, list) or not given:
        raise invalid_syntax("Operations is missing or empty.")
    if len(given) > MAX_OPERATIONS:
        raise ScimError(413, "", f"At most {MAX_OPERATIONS:,} operations are taken at once (maxOperations).")
    job = _Job(call, run, url, [_read(each) for each in given])
    errors = 0
    for place in job.order:
        errors += not await job.do(place)
        if fail_on_errors is not None and errors >= fail_on_errors:
            break
    return Answer(200, {"schemas": [RESPONSE], "Operations": [job.done[each] for each in sorted(job.done)]})


class _Job:
    """The operations of one message: their order, what the made resources are called, and the answers so far."""

    def __init__(self, call: Call, run: Run, url: str, operations: list[Operation | ScimError]) -> None:
        self._call, self._run, self._url, self._operations = call, run, url, operations
        self._ids: dict[str, str] = {}
        self._places: dict[str, int] = {}
        for place, each in enumerate(operations):
            if isinstance(each, Operation) and each.bulk_id:
                if each.bulk_id in self._places:
                    raise invalid_value(f"bulkId {each.bulk_id[:80]} is there twice.")
                self._places[each.bulk_id] = place
        self.done: dict[int, dict[str, Any]] = {}
        self.order = self._ordered()

    def _ordered(self) -> list[int]:
        """As the message has them, each after those it refers to. What refers to each other in a circle stays as it
        is, and fails."""
        order: list[int] = []
        begun: set[int] = set()
        for first in range(len(self._operations)):
            waiting = [first]
            while waiting:
                place = waiting[-1]
                open_needs = [] if place in begun else [each for each in self._needs(place) if each not in begun]
                begun.add(place)
                if open_needs:
                    waiting += reversed(open_needs)
                    continue
                waiting.pop()
                if place not in order:
                    order.append(place)
        return order

    def _needs(self, place: int) -> list[int]:
        operation = self._operations[place]
        named = operation.needs() if isinstance(operation, Operation) else set()
        return sorted({self._places[each] for each in named if each in self._places} - {place})

    async def do(self, place: int) -> bool:
        """Whether the operation was done."""
        operation = self._operations[place]
        said: dict[str, Any] = {}
        if isinstance(operation, ScimError):
            answer = Answer(operation.status, operation.body())
        else:
            said["method"] = operation.method
            if operation.bulk_id:
                said["bulkId"] = operation.bulk_id
            try:
                one = self._one(operation)
                if len(one.path) > 1:
                    said["location"] = "/".join((self._url, *one.path))
                answer = await self._run(one)
            except ScimError as error:
                answer = Answer(error.status, error.body())
        if "content-location" in answer.headers:
            said["location"] = answer.headers["content-location"]
        if "etag" in answer.headers:
            said["version"] = answer.headers["etag"]
        said["status"] = str(answer.status)
        works = answer.status < 400
        if not works:
            said["response"] = answer.body
        elif isinstance(operation, Operation) and operation.bulk_id and answer.body is not None:
            self._ids[operation.bulk_id] = str(answer.body["id"])
        self.done[place] = said
        return works

    def _one(self, operation: Operation) -> Call:
        """The operation as a request of its own. Raises `ScimError` where it refers to what was not made."""
        name = self._resolved(operation.name)
        headers = {key: value for key, value in self._call.headers.items() if key not in ("if-match", "if-none-match")}
        if operation.version:
            headers["if-match"] = operation.version
        body = b"" if operation.data is None else json.dumps(self._resolved(operation.data)).encode()
        path = (operation.kind, name) if name else (operation.kind,)
        return replace(self._call, method=operation.method, path=path, query={}, headers=headers, body=body)

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._resolved(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._resolved(each) for each in value]
        if not isinstance(value, str) or REFERENCE not in value:
            return value
        if value.startswith(REFERENCE):
            return self._made(value.removeprefix(REFERENCE))
        return _IN_PATH.sub(lambda found: f'"{self._made(found[1])}"', value)

    def _made(self, bulk_id: str) -> str:
        if bulk_id not in self._ids:
            raise ScimError(409, "", f"Nothing was made by the operation with the bulkId {bulk_id[:80]!r}.")
        return self._ids[bulk_id]


_IN_PATH = re.compile(r'"bulkId:([^"]{1,200})"')
"""A reference in the filter of a path, such as `members[value eq "bulkId:ann"]`."""


def _read(given: Any) -> Operation | ScimError:
    """An operation, or why it is none."""
    if not isinstance(given, Mapping):
        return invalid_syntax("An operation is an object.")
    method, path = get(given, "method"), get(given, "path")
    bulk_id, version, data = get(given, "bulkId"), get(given, "version"), get(given, "data")
    if not isinstance(method, str) or method.upper() not in ("POST", "PUT", "PATCH", "DELETE"):
        return invalid_syntax("method is POST, PUT, PATCH or DELETE.")
    method = method.upper()
    found = _PATH.fullmatch(path) if isinstance(path, str) else None
    if found is None or (found[2] is None) != (method == "POST"):
        return invalid_path("path is /Users or /Groups for POST, else with an id after it.")
    if not all(each is None or (isinstance(each, str) and len(each) <= MAX_BULK_ID) for each in (bulk_id, version)):
        return invalid_syntax("bulkId and version are short texts.")
    if method == "POST" and not bulk_id:
        return invalid_syntax("POST needs a bulkId.")
    if method != "DELETE" and not isinstance(data, Mapping):
        return invalid_syntax(f"{method} needs data.")
    return Operation(
        method, found[1], found[2] or "", bulk_id or "", version or "", data if method != "DELETE" else None
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
        for found in _IN_PATH.findall(value) if REFERENCE in value else ():
            yield REFERENCE + found
