"""Policy documents: what is in force, publishing a version, and confirming that one has read it."""

import asyncio
from base64 import b64decode
from binascii import Error as BadBase64
from typing import Annotated

from fastapi.responses import Response
from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Digest, Done, Id, MaybeMoment, Moment, Name, Text
from onepam.api.routes.route import Route
from onepam.app.policies import keep_policy
from onepam.domain.access.model import ConsoleRight
from onepam.domain.policies.publishing import MOST_BYTES, UNKNOWN, Draft
from onepam.kernel.clock import parse
from onepam.kernel.errors import Corrupt, Refused
from onepam.store.read import policies as read

ADMINISTER = right(ConsoleRight.ADMINISTER)
OVERSEERS = (ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)


class PolicyOut(Answer):
    """A policy in force. `mine`: I am to confirm it, and did at `confirmed`; of `asked` people `done` have. `readers`
    are roles; none: everybody."""

    policy: str
    version: int
    title: str
    digest: str
    size: int
    media: str
    owner: str
    owner_name: str
    review_by: Moment
    looked_through: MaybeMoment
    readers: list[str]
    published: Moment
    published_by: str
    mine: bool
    confirmed: MaybeMoment
    asked: int
    done: int


class PoliciesOut(Answer):
    """All that are in force."""

    policies: list[PolicyOut]


class VersionOut(Answer):
    """A version that was in force from `published` on."""

    version: int
    title: str
    digest: str
    media: str
    published: Moment
    by_name: str


class MissingOut(Answer):
    """Somebody who has not confirmed it, and how often they were told."""

    person: str
    name: str
    times: int


class PolicyVersionsOut(Answer):
    """A policy (null: it is retired) with its versions, the newest first; and, for whoever oversees or answers for it,
    200 at most who have not confirmed the one in force."""

    policy: PolicyOut | None
    versions: list[VersionOut]
    missing: list[MissingOut]


class PolicyIn(Body):
    """A version: its bytes in base64, `ending` is md, txt, pdf, docx or odt. `owner` is an id, `review_by` RFC 3339."""

    policy: Annotated[str, StringConstraints(max_length=64)]
    title: Name
    ending: Annotated[str, StringConstraints(max_length=8)]
    owner: Id
    review_by: Annotated[str, StringConstraints(max_length=40)]
    data: Annotated[str, StringConstraints(max_length=MOST_BYTES // 3 * 4 + 8)]
    readers: list[Id] = Field(default_factory=list, max_length=100)
    note: Text = ""


class PublishedOut(Answer):
    """The number of the version that is in force now."""

    version: int


class ReadIn(Body):
    """The digest of what was read."""

    digest: Digest


async def list_policies(caller: Who, services: Services, at: AsOf) -> PoliciesOut:
    """What is in force."""
    found = await services.reader(read.policies, at, caller.actor.person)
    return PoliciesOut(policies=[PolicyOut.model_validate(each) for each in found])


async def read_policy(policy: Id, caller: Who, services: Services, at: AsOf) -> PolicyVersionsOut:
    """One, with its versions and who has not confirmed it."""
    versions = await services.reader(read.versions, at, policy)
    if not versions:
        raise ApiError(UNKNOWN)
    found = await services.reader(read.policy, at, policy, caller.actor.person)
    sees = caller.may(*OVERSEERS) or (found is not None and found.owner == caller.actor.person)
    missing = await services.reader(read.missing, at, policy) if sees and found is not None else ()
    return PolicyVersionsOut(
        policy=PolicyOut.model_validate(found) if found is not None else None,
        versions=[VersionOut.model_validate(each) for each in versions],
        missing=[MissingOut.model_validate(each) for each in missing],
    )


async def read_document(policy: Id, version: int, services: Services, at: AsOf) -> Response:
    """A version as it was published."""
    found = [each for each in await services.reader(read.versions, at, policy) if each.version == version]
    if not found:
        raise ApiError(UNKNOWN)
    try:
        data = await asyncio.to_thread(services.documents.read, found[0].digest)
    except (Corrupt, OSError):
        words = "This document is gone, or is not what was published any more."
        raise ApiError(Refused("policy.altered", words, "Restore it from a backup.")) from None
    return Response(data, media_type=found[0].media, headers={"X-Content-Type-Options": "nosniff"})


async def publish_policy(body: PolicyIn, caller: Who, services: Services) -> PublishedOut:
    """Publish a version; it is in force from now on."""
    try:
        data, review_by = b64decode(body.data, validate=True), parse(body.review_by)
    except (BadBase64, ValueError):
        words = "The document is base64, and the day RFC 3339 with a zone."
        raise ApiError(Refused("input.malformed", words, "Such as 2027-03-31T00:00:00Z."), 400) from None
    draft = Draft(
        body.policy, body.title, body.ending, "", 0, body.owner, review_by, tuple(body.readers), body.note
    )  # fmt: skip
    outcome = await keep_policy.publish_policy(services.ledger, services.documents, caller.actor, draft, data)
    if isinstance(outcome, Refused):
        raise ApiError(outcome)
    return PublishedOut(version=outcome)


async def confirm_policy(policy: Id, body: ReadIn, caller: Who, services: Services) -> Done:
    """Confirm that I have read the document with this digest, the one in force."""
    done(await keep_policy.confirm_policy(services.ledger, caller.actor, policy, body.digest))
    return Done()


ROUTES: tuple[Route, ...] = (
    Route("GET", "/policies", SIGNED_IN, list_policies),
    Route("GET", "/policies/{policy}", SIGNED_IN, read_policy),
    Route("GET", "/policies/{policy}/versions/{version}", SIGNED_IN, read_document, media="application/octet-stream"),
    Route("POST", "/policies", ADMINISTER, publish_policy),
    Route("POST", "/policies/{policy}/confirm", SIGNED_IN, confirm_policy),
)
