"""`/Users`: the directory's people."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from onepam.app.provisioning.provision_user import deprovision_user, provision_user
from onepam.domain.people.adding import normalised_email
from onepam.domain.provisioning.users import Profile, PutUser
from onepam.kernel.clock import DAY, Instant, iso, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.scim.document import answered, canonical, read_resource
from onepam.scim.errors import ScimError, invalid_value, not_found, refused
from onepam.scim.filter import get, place_of, values_at
from onepam.scim.patch import apply, read_operations
from onepam.scim.request import Answer, Call, etag
from onepam.scim.schema import ENTERPRISE, user_schema
from onepam.scim.services import ScimServices
from onepam.store.read.provisioning import ScimUser, user

VENDORS = frozenset({"contractor", "vendor", "external"})
"""Values of userType, in lower case, that make somebody a vendor."""

MAX_NAME = 200
ATTEMPTS = 10


async def create_user(services: ScimServices, call: Call) -> ScimUser:
    """POST. Raises `ScimError`."""
    document = read_resource(call.json(), user_schema())
    document.setdefault("active", True)
    return await _write(services, call, new_id("usr", services.random), None, document)


async def replace_user(services: ScimServices, call: Call, user_id: str) -> ScimUser:
    """PUT: what is not sent goes, save whether the user is active. Raises `ScimError`."""
    new = read_resource(call.json(), user_schema())
    for _ in range(ATTEMPTS):
        found = await read_user(services, call, user_id)
        call.must_match(found.version)
        document = {**new, "active": new.get("active", found.active)}
        if _same(document, found):
            return found
        if (done := await _try(services, call, found, document)) is not None:
            return done
    raise _busy()


async def patch_user(services: ScimServices, call: Call, user_id: str) -> ScimUser:
    """PATCH. Raises `ScimError`."""
    schema = user_schema()
    operations = read_operations(call.json(), schema)
    for _ in range(ATTEMPTS):
        found = await read_user(services, call, user_id)
        call.must_match(found.version)
        old = json.loads(found.document)
        document = apply(old, operations, schema, shown(services, found))
        if _same(document, found):
            return found
        if (done := await _try(services, call, found, document)) is not None:
            return done
    raise _busy()


async def delete_user(services: ScimServices, call: Call, user_id: str) -> None:
    """DELETE. Raises `ScimError`."""
    found = await read_user(services, call, user_id)
    call.must_match(found.version)
    version = found.version if "if-match" in call.headers else None
    outcome = await deprovision_user(
        services.ledger, call.token.token, user_id, version, call.received, new_id("hld", services.random)
    )
    if isinstance(outcome, Refused):
        raise refused(outcome)


async def read_user(services: ScimServices, call: Call, user_id: str) -> ScimUser:
    """The user as it is. Raises `ScimError` (404)."""
    found = services.reader.now(user, None, call.token.provider, user_id)
    if found is None:
        raise not_found("user of this id")
    return found


def shown(services: ScimServices, found: ScimUser) -> dict[str, Any]:
    """The user as a client sees it."""
    location = f"{services.url}/Users/{found.user}"
    written: dict[str, Any] = {"id": found.user, "meta": meta(services, "User", found, location)}
    if found.groups:
        written["groups"] = [
            {"value": group, "$ref": f"{services.url}/Groups/{group}", "display": name, "type": "direct"}
            for group, name in found.groups
        ]
    return answered(json.loads(found.document), user_schema(), written)


def meta(services: ScimServices, kind: str, found: Any, location: str) -> dict[str, str]:
    """When, which version and where: for users and groups alike."""
    return {
        "resourceType": kind,
        "created": iso(found.created),
        "lastModified": iso(found.modified),
        "version": etag(found.version),
        "location": location,
    }


def with_etag(found: Any, status: int, body: Mapping[str, Any]) -> Answer:
    """The resource with its entity tag and its place."""
    headers = {"etag": etag(found.version)}
    if status == 201:
        headers["location"] = str(body["meta"]["location"]) if "meta" in body else ""
    return Answer(status, body, headers)


async def _try(services: ScimServices, call: Call, found: ScimUser, document: dict[str, Any]) -> ScimUser | None:
    """None when somebody else has changed the user meanwhile."""
    try:
        return await _write(services, call, found.user, found, document)
    except ScimError as error:
        if error.status == 503:
            return None
        raise


async def _write(
    services: ScimServices, call: Call, user_id: str, found: ScimUser | None, document: dict[str, Any]
) -> ScimUser:
    profile = profile_of(document, found.active if found else True, call.token.end_attribute)
    command = PutUser(
        user=user_id,
        version=found.version if found else None,
        person=new_id("per", services.random),
        received=call.received,
        profile=profile,
        hold=new_id("hld", services.random),
    )
    outcome = await provision_user(services.ledger, call.token.token, command)
    if isinstance(outcome, Refused):
        raise refused(outcome)
    if not outcome.result.kept:
        return await read_user(services, call, user_id)
    return ScimUser(
        user=user_id,
        provider=call.token.provider,
        person=outcome.result.person,
        active=outcome.result.active,
        version=outcome.result.version,
        trouble="",
        created=found.created if found else outcome.time,
        modified=outcome.time,
        document=profile.document,
        groups=found.groups if found else (),
    )


def _same(document: Mapping[str, Any], found: ScimUser) -> bool:
    """Whether nothing would change: then nothing is written. Somebody kept from working is looked at again."""
    return canonical(document) == found.document and not found.trouble


def _busy() -> ScimError:
    return ScimError(503, "", "Others change the same resource; try again.")


def profile_of(document: Mapping[str, Any], active: bool, end_attribute: str) -> Profile:
    """What we read of a user. Without `active` it stays as it was. Raises `ScimError` (invalidValue)."""
    user_name = str(document["userName"])
    if len(user_name) > MAX_NAME:
        raise invalid_value(f"userName has more than {MAX_NAME} characters.")
    external = document.get("externalId") or ""
    said = document.get("active")
    manager: Any = get(get(document, ENTERPRISE) or {}, "manager") or {}
    return Profile(
        user_name=user_name,
        external_id=str(external)[:MAX_NAME],
        active=said if isinstance(said, bool) else active,
        name=_name(document, user_name),
        email=_email(document, user_name),
        vendor=str(document.get("userType") or "").strip().casefold() in VENDORS,
        manager=str(manager.get("value") or "") if isinstance(manager, Mapping) else str(manager),
        ends=_ends(document, end_attribute),
        document=canonical(document),
    )


def _name(document: Mapping[str, Any], user_name: str) -> str:
    name = document.get("name")
    parts = name if isinstance(name, Mapping) else {}
    both = " ".join(str(part) for part in (parts.get("givenName"), parts.get("familyName")) if part)
    for each in (document.get("displayName"), parts.get("formatted"), both):
        if isinstance(each, str) and each.strip():
            return each[:MAX_NAME]
    return user_name


def _email(document: Mapping[str, Any], user_name: str) -> str | None:
    """The primary address, else the one for work, else the first, else a user name that is one."""
    emails = [each for each in document.get("emails") or () if isinstance(each, Mapping) and each.get("value")]
    emails.sort(key=lambda each: (each.get("primary") is not True, str(each.get("type")).lower() != "work"))
    if emails:
        found = normalised_email(str(emails[0]["value"]))
        if isinstance(found, Refused):
            raise invalid_value(f"emails: {found.message}")
        return found
    usual = normalised_email(user_name) if "@" in user_name else None
    return usual if isinstance(usual, str) else None


def _ends(document: Mapping[str, Any], attribute: str) -> Instant | None:
    """The end that the document says: a day counts to its last moment in UTC."""
    found = values_at(document, place_of(attribute, user_schema()))
    text = found[0] if found else None
    if text in (None, ""):
        return None
    if isinstance(text, str):
        try:
            if len(text) == 10:
                return Instant(parse(f"{date.fromisoformat(text).isoformat()}T00:00:00Z") + DAY)
            return parse(text)
        except (ValueError, OverflowError):
            pass
    raise invalid_value(f"{attribute} is a date or a time with a zone, such as 2027-01-31.")
