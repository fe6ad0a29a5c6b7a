"""One assertion that is authentic already: is it for us, for now, for this request, and whom is it about?"""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.people.groups import kept_groups
from onepam.domain.providers.assertion import Assertion
from onepam.identity.saml.names import NameId, is_plain, read_name_id
from onepam.identity.saml.settings import TRANSIENT, SamlSettings
from onepam.identity.saml.xml import (
    SAML,
    Element,
    children,
    is_identifier,
    malformed,
    only,
    read_time,
    tag,
    text,
    word,
)
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.limits import MAX_NAME_CHARACTERS
from onepam.kernel.text import plain_text

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

MAX_ATTRIBUTES = 200
MAX_VALUES = 5_000
MAX_VALUE_CHARACTERS = 2_000
MAX_SUBJECT_CHARACTERS = 512

_KNOWN_CONDITIONS = frozenset(tag(SAML, name) for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction"))


@dataclass(frozen=True, slots=True)
class Received:
    """What a provider said. `attributes` are all of them by name, for an administrator's test page.

    `session_ends` is until when the provider wants a session to live, where it says so.
    """

    assertion: Assertion
    attributes: Mapping[str, tuple[str, ...]]
    name_id: NameId
    session_ends: Instant | None


def read_assertion(settings: SamlSettings, assertion: Element, request_id: str, now: Instant) -> Received | Refused:
    """What an authentic assertion says, if it is for us, for `now` and for `request_id`."""
    if assertion.get("Version") != "2.0" or not is_identifier(assertion.get("ID", "")):
        return malformed("has an assertion that is not one of SAML 2.0")
    for name in ("Issuer", "Subject", "Conditions", "AuthnStatement"):
        if only(assertion, SAML, name) is None:
            return malformed(f"has an assertion without {name}, or with several")
    if word(only(assertion, SAML, "Issuer")) != settings.idp.entity_id:
        return Refused(
            "saml.issuer",
            "The assertion is from another provider than the one that was asked.",
            "An administrator should read the metadata of the provider again: its entity id differs.",
        )
    times = _Times(now, settings.skew_seconds * SECOND)
    refused = times.refuse(assertion.get("IssueInstant"), None, required=True) or _conditions(
        settings, assertion, times
    )
    if refused:
        return refused
    subject = assertion.find(tag(SAML, "Subject"))
    assert subject is not None
    refused = _confirmation(settings, subject, request_id, times)
    if refused:
        return refused
    return _received(settings, assertion, subject, times)


class _Times:
    """The provider's clock against ours, which may differ by `skew` microseconds."""

    def __init__(self, now: Instant, skew: int) -> None:
        self.now, self.skew = now, skew

    def refuse(self, start: str | None, end: str | None, *, required: bool = False) -> Refused | None:
        """Why it is not yet so, or no longer; a time that cannot be read refuses too."""
        if start is None and end is None:
            return malformed("has no time where one belongs") if required else None
        starts = None if start is None else read_time(start)
        ends = None if end is None else read_time(end)
        if (start is not None and starts is None) or (end is not None and ends is None):
            return malformed("has a time that is not one in UTC")
        if starts is not None and starts > self.now + self.skew:
            return Refused(
                "saml.early",
                "The provider's message is not valid yet.",
                "The clock of the provider is ahead of ours, or ours is behind. Both should follow NTP.",
            )
        if ends is not None and ends <= self.now - self.skew:
            return Refused(
                "saml.expired",
                "The provider's message is no longer valid.",
                "Sign in again without waiting. If it happens at once, the clocks of both sides differ.",
            )
        return None


def _conditions(settings: SamlSettings, assertion: Element, times: _Times) -> Refused | None:
    conditions = assertion.find(tag(SAML, "Conditions"))
    assert conditions is not None
    if any(child.tag not in _KNOWN_CONDITIONS for child in conditions):
        return malformed("sets a condition that we do not understand")
    refused = times.refuse(conditions.get("NotBefore"), conditions.get("NotOnOrAfter"))
    if refused:
        return refused
    restrictions = children(conditions, SAML, "AudienceRestriction")
    for restriction in restrictions:
        if settings.entity_id not in {word(audience) for audience in children(restriction, SAML, "Audience")}:
            restrictions = []
            break
    if restrictions:
        return None
    return Refused(
        "saml.audience",
        "The provider's message is meant for another application.",
        f"At the provider, the entity id (audience) of this application is {settings.entity_id}",
    )


def _confirmation(settings: SamlSettings, subject: Element, request_id: str, times: _Times) -> Refused | None:
    """One confirmation that holds is enough (profiles, section 4.1.4.3); if none does, what the first one lacked."""
    first: Refused | None = None
    for confirmation in children(subject, SAML, "SubjectConfirmation"):
        if confirmation.get("Method") != BEARER:
            continue
        refused = _bearer(settings, only(confirmation, SAML, "SubjectConfirmationData"), request_id, times)
        if refused is None:
            return None
        first = first or refused
    return first or malformed("confirms its subject in no way that we accept (bearer)")


def _bearer(settings: SamlSettings, data: Element | None, request_id: str, times: _Times) -> Refused | None:
    if data is None or data.get("NotBefore") is not None:
        return malformed("confirms its subject in a way that we do not accept")
    if data.get("Recipient") != settings.acs_url:
        return Refused(
            "saml.recipient",
            "The assertion was made for another address.",
            f"At the provider, the assertion consumer service (reply URL) is {settings.acs_url}",
        )
    if not request_id or data.get("InResponseTo") != request_id:
        return Refused(
            "saml.in_response_to",
            "The assertion answers another sign-in than the one of this browser.",
            "Start again at the sign-in page, in one tab.",
        )
    return times.refuse(None, data.get("NotOnOrAfter"), required=True)


def _received(settings: SamlSettings, assertion: Element, subject: Element, times: _Times) -> Received | Refused:
    statement = assertion.find(tag(SAML, "AuthnStatement"))
    assert statement is not None
    refused = times.refuse(statement.get("AuthnInstant"), statement.get("SessionNotOnOrAfter"), required=True)
    authenticated_at = read_time(statement.get("AuthnInstant", ""))
    if refused or authenticated_at is None:
        return refused or malformed("does not say when the provider authenticated somebody")
    context = only(statement, SAML, "AuthnContext")
    class_ref = "" if context is None else word(only(context, SAML, "AuthnContextClassRef"))
    index = statement.get("SessionIndex", "")
    if not is_plain(class_ref) or not is_plain(index):
        return malformed("has a context or a session with characters that do not belong in a name")
    attributes = _attributes(assertion)
    if isinstance(attributes, Refused):
        return attributes
    name_id = read_name_id(subject)
    if isinstance(name_id, Refused):
        return name_id
    who = _Who(settings, attributes, name_id)
    identifier = who.subject()
    if isinstance(identifier, Refused):
        return identifier
    user_name = who.user_name(identifier)
    if isinstance(user_name, Refused):
        return user_name
    groups, left_out = who.groups()
    found = Assertion(
        provider=settings.provider,
        subject=identifier,
        user_name=user_name,
        email=who.email(),
        name=who.full_name(),
        groups=groups,
        methods=tuple(each for each in attributes.get(settings.attributes.methods, ()) if each and is_plain(each)),
        context=class_ref,
        authenticated_at=authenticated_at,
        unique=assertion.get("ID", ""),
        provider_session=index,
        name_id=name_id.encoded(),
        left_out=left_out,
    )
    return Received(found, attributes, name_id, read_time(statement.get("SessionNotOnOrAfter", "")))


class _Who:
    """Which of the received names is which, as the administrator chose."""

    def __init__(self, settings: SamlSettings, attributes: Mapping[str, tuple[str, ...]], name_id: NameId) -> None:
        self.settings, self.attributes, self.name_id = settings, attributes, name_id

    def subject(self) -> str | Refused:
        attribute = self.settings.attributes.subject
        if attribute:
            return self._single(attribute, "that identifies people")
        if self.name_id.format == TRANSIENT:
            return Refused(
                "saml.transient",
                "The provider gives a name that changes with each sign-in, so we cannot tell who you are.",
                "An administrator should ask for a persistent NameID, or choose an attribute that identifies people.",
            )
        return self.name_id.value

    def user_name(self, subject: str) -> str | Refused:
        attribute = self.settings.attributes.user_name
        if attribute:
            return self._single(attribute, "for user names")
        return subject if self.name_id.format == TRANSIENT else self.name_id.value

    def email(self) -> str | None:
        """One address; of several, or of an odd one, none."""
        values = self.attributes.get(self.settings.attributes.email, ())
        odd = len(values) != 1 or not is_plain(values[0]) or values[0].count("@") != 1 or " " in values[0]
        return None if odd else values[0]

    def full_name(self) -> str | None:
        """One full name on one line; of several, or of an odd one, none."""
        values = self.attributes.get(self.settings.attributes.name, ())
        name = plain_text(values[0], MAX_NAME_CHARACTERS, what="name") if len(values) == 1 else None
        return name if isinstance(name, str) else None

    def groups(self) -> tuple[tuple[str, ...] | None, int]:
        """Each group once, in the order sent (None where nothing is said of groups), and how many are left out."""
        values = self.attributes.get(self.settings.attributes.groups)
        return (None, 0) if values is None else kept_groups([each for each in values if each])

    def _single(self, attribute: str, purpose: str) -> str | Refused:
        values = self.attributes.get(attribute, ())
        if len(values) == 1 and is_plain(values[0]) and 0 < len(values[0]) <= MAX_SUBJECT_CHARACTERS:
            return values[0]
        return Refused(
            "saml.attribute",
            f"The provider did not send one usable value of the attribute {purpose}.",
            f"An administrator should let the provider send {attribute}, or choose another attribute.",
        )


def _attributes(assertion: Element) -> dict[str, tuple[str, ...]] | Refused:
    """All attributes by name. Values that are not plain text (nested elements) are left out."""
    found: dict[str, tuple[str, ...]] = {}
    count = 0
    for statement in children(assertion, SAML, "AttributeStatement"):
        for attribute in children(statement, SAML, "Attribute"):
            name = attribute.get("Name", "")
            if not name:  # "" is how the settings say that nothing was chosen
                return malformed("has an attribute without a name")
            values = tuple(text(each) for each in children(attribute, SAML, "AttributeValue") if not len(each))
            count += len(values)
            found[name] = found.get(name, ()) + values
            if len(found) > MAX_ATTRIBUTES or count > MAX_VALUES:
                return Refused(
                    "saml.too_many_attributes",
                    f"The provider sent more than {MAX_ATTRIBUTES} attributes or {MAX_VALUES:,} values.",
                    "An administrator should let the provider send only the groups that this application needs.",
                )
            if any(len(value) > MAX_VALUE_CHARACTERS for value in values):
                return malformed(f"has an attribute with more than {MAX_VALUE_CHARACTERS:,} characters")
    return found
