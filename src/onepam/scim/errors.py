"""What a SCIM client is told when something is not done (RFC 7644, section 3.12)."""

from dataclasses import dataclass

from onepam.kernel.errors import Refused

MESSAGE = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass(frozen=True, slots=True)
class ScimError(Exception):
    """An HTTP status, a `scimType` of RFC 7644 ("" where there is none) and words."""

    status: int
    scim_type: str
    detail: str

    def body(self) -> dict[str, object]:
        """The JSON of the answer."""
        found: dict[str, object] = {"schemas": [MESSAGE], "status": str(self.status), "detail": self.detail}
        if self.scim_type:
            found["scimType"] = self.scim_type
        return found


def invalid_value(detail: str) -> ScimError:
    """A value that cannot be taken."""
    return ScimError(400, "invalidValue", detail)


def invalid_path(detail: str) -> ScimError:
    """A path that names nothing."""
    return ScimError(400, "invalidPath", detail)


def invalid_syntax(detail: str) -> ScimError:
    """A message that is not what it should be."""
    return ScimError(400, "invalidSyntax", detail)


def not_found(what: str) -> ScimError:
    """An id that does not exist (any more)."""
    return ScimError(404, "", f"There is no {what}.")


_STATUS = {
    "scim.user_name": (409, "uniqueness"),
    "scim.address": (409, "uniqueness"),
    "scim.display_name": (409, "uniqueness"),
    "scim.token": (401, ""),
    "scim.gone": (404, ""),
    "scim.changed": (503, ""),
    "scim.too_many": (413, ""),
}


def refused(refusal: Refused) -> ScimError:
    """How a refusal of the domain is said in SCIM."""
    status, scim_type = _STATUS.get(refusal.code, (400, "invalidValue"))
    return ScimError(status, scim_type, f"{refusal.message} {refusal.hint}".strip())
