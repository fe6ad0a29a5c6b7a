"""The attributes of users and groups, and the documents in which a client looks them up.

The definitions are those of RFC 7643, less the password, which is never taken; `schemas.json` is taken from
scim2-models by scripts/scim_schemas.py. What a client sends under a schema or a name that is not defined here is kept
and answered as it came.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MOST_PAGE, USUAL_PAGE = 200, 100
MAX_OPERATIONS = 1_000
MAX_PAYLOAD_BYTES = 1024 * 1024
"""Of one bulk message."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `subs` are its sub-attributes by lower-case name, for type `complex`."""

    name: str
    type: str
    multi: bool = False
    read_only: bool = False
    immutable: bool = False
    required: bool = False
    case_exact: bool = False
    subs: Mapping[str, "Attribute"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of resource: its URN, its attributes by lower-case name, and the extensions by URN in lower case."""

    urn: str
    name: str
    endpoint: str
    attributes: Mapping[str, Attribute]
    extensions: Mapping[str, tuple[str, Mapping[str, Attribute]]]


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """The schema documents by URN."""
    found: dict[str, dict[str, Any]] = {}
    for document in json.loads(files("onepam.scim").joinpath("schemas.json").read_text("utf-8")):
        document["attributes"] = [each for each in document["attributes"] if each["name"] != "password"]
        found[document["id"]] = document
    for attribute in found[GROUP]["attributes"]:
        if attribute["name"] == "displayName":
            attribute["uniqueness"] = "server"
        if attribute["name"] == "members":
            _only_users(attribute)
    return found


def _only_users(members: dict[str, Any]) -> None:
    """Groups do not nest here, and what a member is called stands with the user (RFC 7643, 8.7.1)."""
    members["subAttributes"] = [each for each in members["subAttributes"] if each["name"] != "display"]
    for sub in members["subAttributes"]:
        if "referenceTypes" in sub:
            sub["referenceTypes"] = ["User"]
        if "canonicalValues" in sub:
            sub["canonicalValues"] = ["User"]


@cache
def user_schema() -> Schema:
    """What a user consists of."""
    extension = (ENTERPRISE, _attributes(schemas()[ENTERPRISE]))
    return Schema(USER, "User", "/Users", _attributes(schemas()[USER]) | _common(), {ENTERPRISE.lower(): extension})


@cache
def group_schema() -> Schema:
    """What a group consists of."""
    return Schema(GROUP, "Group", "/Groups", _attributes(schemas()[GROUP]) | _common(), {})


def schema_documents(base: str) -> list[dict[str, Any]]:
    """`/Schemas`."""
    return [
        document | {"meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{urn}"}}
        for urn, document in copy.deepcopy(schemas()).items()
    ]


def resource_types(base: str) -> list[dict[str, Any]]:
    """`/ResourceTypes`."""
    return [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": each.name,
            "name": each.name,
            "description": description,
            "endpoint": each.endpoint,
            "schema": each.urn,
            "schemaExtensions": [{"schema": urn, "required": False} for urn, _ in each.extensions.values()],
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{each.name}"},
        }
        for each, description in ((user_schema(), "A person's account"), (group_schema(), "A group of users"))
    ]


def provider_config(base: str, documentation: str) -> dict[str, Any]:
    """`/ServiceProviderConfig`."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": documentation,
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": MAX_PAYLOAD_BYTES},
        "filter": {"supported": True, "maxResults": MOST_PAGE},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token that two administrators of OnePAM have agreed on.",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
                "primary": True,
            },
            {
                "type": "oauth2",
                "name": "Client credentials",
                "description": f"An access token of an hour, from {base.removesuffix('/v2')}/oauth/token.",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6749",
            },
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def _common() -> dict[str, Attribute]:
    return {
        "schemas": Attribute("schemas", "string", multi=True, case_exact=True),
        "id": Attribute("id", "string", read_only=True, case_exact=True),
        "externalid": Attribute("externalId", "string", case_exact=True),
        "meta": Attribute(
            "meta",
            "complex",
            read_only=True,
            subs={
                each.lower(): Attribute(each, kind, read_only=True, case_exact=True)
                for each, kind in (
                    ("resourceType", "string"),
                    ("created", "dateTime"),
                    ("lastModified", "dateTime"),
                    ("location", "reference"),
                    ("version", "string"),
                )
            },
        ),
    }


def _attributes(document: Mapping[str, Any]) -> dict[str, Attribute]:
    return {each["name"].lower(): _attribute(each) for each in document["attributes"]}


def _attribute(found: Mapping[str, Any]) -> Attribute:
    return Attribute(
        name=found["name"],
        type=found["type"],
        multi=found["multiValued"],
        read_only=found["mutability"] == "readOnly",
        immutable=found["mutability"] == "immutable",
        required=bool(found.get("required")),
        case_exact=bool(found.get("caseExact")),
        subs={sub["name"].lower(): _attribute(sub) for sub in found.get("subAttributes") or ()},
    )
