"""What each provider calls things, what it says of a second factor, and the steps in its own console, in words."""

from dataclasses import dataclass

from onepam.identity.saml.settings import PERSISTENT, Attributes

REFEDS_MFA = "https://refeds.org/profile/mfa"
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
ENTRA_METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
ENTRA_MFA = "http://schemas.microsoft.com/claims/multipleauthn"


@dataclass(frozen=True, slots=True)
class Preset:
    """What to begin with; an administrator may change all of it.

    `second_factor` are the values of `Assertion.methods` or `Assertion.context` by which this provider says that it saw
    a second factor; empty where it says nothing that can be relied on. `attestation` says so in words. `steps` may hold
    the words {acs}, {entity_id}, {metadata} and {slo}, for our addresses.
    """

    name: str
    attributes: Attributes
    name_id_format: str
    second_factor: tuple[str, ...]
    attestation: str
    steps: tuple[str, ...]


PRESETS: dict[str, Preset] = {
    "okta": Preset(
        "Okta",
        Attributes(subject="id", user_name="login", email="email", name="name", groups="groups", methods="amr"),
        "",
        ("mfa",),
        "Okta lists how somebody signed in once the attribute amr is added; mfa among it is a second factor. The "
        "AuthnContextClassRef is a fixed setting of the app and says nothing.",
        (
            "Applications → Create App Integration → SAML 2.0.",
            "Single sign-on URL: {acs}, used for recipient and destination too. Audience URI: {entity_id}",
            'Attribute statements: id = user.getInternalProperty("id"), login = user.login, email = user.email.',
            "Attribute statements, too: name = user.displayName, amr = session.amr.",
            "Group attribute statement: groups, with a filter for the groups that OnePAM needs.",
            "Advanced settings: response and assertion signed, RSA-SHA256, SHA256; signed requests on.",
            "Assign the people, then copy the metadata URL from Sign On → SAML 2.0 into the wizard.",
        ),
    ),
    "entra": Preset(
        "Microsoft Entra ID",
        Attributes(
            subject="http://schemas.microsoft.com/identity/claims/objectidentifier",
            user_name=_CLAIMS + "name",
            email=_CLAIMS + "emailaddress",
            name="http://schemas.microsoft.com/identity/claims/displayname",
            groups="http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
            methods=ENTRA_METHODS,
        ),
        "",
        (ENTRA_MFA,),
        "Entra ID lists how somebody signed in; multipleauthn among it is a second factor. The "
        "AuthnContextClassRef stays Password and says nothing.",
        (
            "Enterprise applications → New application → Create your own → not found in the gallery.",
            "Single sign-on → SAML. Identifier (Entity ID): {entity_id}",
            "Reply URL: {acs} and Logout URL: {slo}",
            "Attributes & Claims → Add a group claim: groups assigned to the application.",
            "SAML certificates: sign SAML response and assertion, SHA-256.",
            "Conditional Access: a policy that demands multifactor authentication for this application.",
            "Assign the people, then copy the App Federation Metadata Url into the wizard.",
        ),
    ),
    "google": Preset(
        "Google Workspace",
        Attributes(user_name="email", email="email", name="name", groups="groups"),
        "",
        (),
        "Google sends nothing about a second factor. People show one here, or the provider is declared to demand one.",
        (
            "Apps → Web and mobile apps → Add app → Add custom SAML app.",
            "Download the metadata and paste it into the wizard.",
            "ACS URL: {acs}. Entity ID: {entity_id}. Signed response: on.",
            "Name ID: Employee ID if everybody has one (an address may pass to somebody else), or primary email.",
            "Attributes: primary email = email, first name = name. Group membership: groups.",
            "Turn the app on for the organisational units that use it. Google offers no single logout.",
        ),
    ),
    "keycloak": Preset(
        "Keycloak",
        Attributes(email="email", name="name", groups="groups"),
        PERSISTENT,
        (),
        "Keycloak says nothing in SAML about a second factor, whatever its flow demanded. People show one here, or the "
        "realm is declared to demand one. OpenID Connect says it.",
        (
            "Clients → Create client → SAML. Client ID: {entity_id}. Valid redirect URI: {acs}",
            "Settings: Name ID format persistent, forced; Force POST binding on.",
            "Settings: sign documents and assertions, RSA_SHA256.",
            "Settings: Front channel logout on, so that signing out in the browser comes here.",
            "Advanced: Assertion Consumer Service POST Binding URL {acs}, Logout Service Redirect Binding URL {slo}",
            "Keys: Client signature required on; import our certificate from {metadata}",
            "Client scopes, the dedicated one: User Property email = email, firstName = name; Group list = groups.",
            "There, too: Single Group Attribute on, Full group path off; then remove the scope role_list.",
            "Metadata: https://HOST/realms/REALM/protocol/saml/descriptor",
        ),
    ),
    "any": Preset(
        "Any other SAML 2.0 provider",
        Attributes(user_name="email", email="email", name="name", groups="groups"),
        PERSISTENT,
        (
            REFEDS_MFA,
            "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
            "http://schemas.microsoft.com/claims/multipleauthn",
        ),
        "Where the provider names a context of its own for a second factor, enter that name.",
        (
            "Import our metadata at the provider: {metadata}",
            "Or by hand: entity id {entity_id}, assertion consumer service {acs} (POST), single logout {slo}",
            "Sign the assertion, the response or both, with RSA-SHA256 or better; check our signed requests.",
            "NameID persistent. Attributes: email, name, groups.",
            "Give the wizard the provider's metadata, by its address or as a file.",
        ),
    ),
}
"""In the order that a wizard shows."""
