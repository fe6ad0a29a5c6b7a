"""Identity providers: the list, one, a proposal, the wizard, a test."""

from dataclasses import replace

from onepam.console.providers.at_provider_page import AtProviderPage
from onepam.console.providers.provider_vendors import vendor_of, vendors
from onepam.console.providers.provider_words import addresses
from onepam.console.providers.providers_page import (
    ProviderFormPage,
    ProviderNewPage,
    ProviderPage,
    ProviderProposedPage,
    ProvidersPage,
    ProviderTestPage,
)
from onepam.domain.providers.assertion import ProviderKind
from onepam.kernel.clock import DAY, HOUR, MINUTE
from tests.console.samples.company import LENA, MINE_TO_WAIT, MIRA, TOMAS, Context, ago, ahead, decision

CONSOLE = "https://onepam.example.org"
OKTA, ANY_SAML = vendor_of(ProviderKind.OIDC, "okta"), vendor_of(ProviderKind.SAML, "any")
CERTIFICATE = {"what": "Signing certificate of the provider", "at": ahead(19 * DAY), "days": 19, "state": "due"}
OWN = {"what": "Our own certificate", "at": ahead(800 * DAY), "days": 800, "state": "proven"}


def provider_row(name: str, **more: object) -> Context:
    return {
        "id": f"idp_{name.lower()}",
        "name": name,
        "protocol": "OpenID Connect",
        "domains": ["example.com", "example.org"],
        "people": 214,
        "since": ago(90 * DAY),
        "last": {"person": TOMAS, "at": ago(4 * MINUTE), "basis": "second factor attested by the provider"},
        "failure": {"person": MIRA, "at": ago(2 * HOUR), "why": "no second factor"},
        "factor": {"state": "proven", "words": "by mfa, phr", "until": None},
        "expiries": [],
        "trouble": "",
        **more,
    }


_WAITS = {"id": "chg_7", "name": "Google Workspace", "new": True, "by": LENA, "at": ago(20 * MINUTE)}
_SHIBBOLETH = provider_row(
    "Shibboleth",
    protocol="SAML 2.0",
    domains=["lab.example.com"],
    people=31,
    last={"person": MIRA, "at": ago(3 * HOUR), "basis": "second factor declared"},
    factor={"state": "due", "words": "declared", "until": ahead(200 * DAY)},
    expiries=[CERTIFICATE, OWN],
)
PROVIDERS = ProvidersPage(
    providers=[
        provider_row("Okta"),
        _SHIBBOLETH,
        provider_row(
            "Vendors",
            domains=["northwind.example"],
            people=0,
            last=None,
            factor={"state": "plain", "words": "with a factor of OnePAM's own", "until": None},
            trouble="Our own key for this provider cannot be used.",
        ),
    ],
    proposals=[_WAITS],
    may_change=True,
)
_SET = [
    {"what": "Name", "is": "Okta"},
    {"what": "Protocol", "is": "OpenID Connect"},
    {"what": "Issuer", "is": "https://example.okta.com"},
    {"what": "Client id", "is": "0oa8f2kq1Zc4WvNbT5d7"},
    {"what": "Scopes", "is": "openid profile email groups"},
    {"what": "Mail domains", "is": "example.com, example.org"},
    {"what": "Attests a second factor", "is": "mfa, phr"},
    {"what": "Unknown people", "is": "are not let in"},
]
PROVIDER = ProviderPage(
    provider={**provider_row("Okta"), "change": "chg_2"},
    refusals=[
        {
            "why": "The provider does not take our client secret or code.",
            "what_to_do": "Compare client id, secret and redirect URI with the provider's; propose the new secret.",
            "cause": "oidc.exchange",
            "count": 14,
            "last": ago(3 * MINUTE),
        }
    ],
    facts=_SET,
    addresses=addresses(ProviderKind.OIDC, CONSOLE, "idp_okta"),
    proposals=[],
    set_by={"proposed": "Lena Vogel", "approved": "Mira Okafor", "at": ago(90 * DAY)},
    declaration=None,
    last_day="2027-11-19",
    may_change=True,
    stale=False,
)
DECLARED = replace(
    PROVIDER,
    provider={**_SHIBBOLETH, "change": "chg_3"},
    addresses=addresses(ProviderKind.SAML, CONSOLE, "idp_shibboleth"),
    declaration={
        "id": "dcl_1",
        "statement": "The laboratory's provider demands a second factor of everybody, at every sign-in.",
        "digest": "4be1d00c5f77a29f2c4a77d01be35581fa4be1d00c5f77a29f2c4a77d01be355",
        "policy": "MFA.Required = true\nMFA.Methods = totp, webauthn\nMFA.Exceptions = none",
        "by": MIRA,
        "at": ago(165 * DAY),
        "ends": ahead(200 * DAY),
    },
    stale=True,
)
PROPOSED = ProviderProposedPage(
    change={"id": "chg_7", "name": "Okta", "new": True, "by": LENA, "at": ago(20 * MINUTE)},
    provider={"id": "idp_okta", "name": "Okta", "protocol": "OpenID Connect"},
    differences=[{"what": each["what"], "before": "", "after": each["is"]} for each in _SET],
    trouble="",
    expiries=[],
    addresses=addresses(ProviderKind.OIDC, CONSOLE, "idp_okta"),
    may_change=True,
    decision=decision("chg_7"),
)
CHANGED = replace(
    PROPOSED,
    change={**PROPOSED.change, "new": False, "name": "Shibboleth"},
    provider={"id": "idp_shibboleth", "name": "Shibboleth", "protocol": "SAML 2.0"},
    addresses=addresses(ProviderKind.SAML, CONSOLE, "idp_shibboleth"),
    differences=[
        {"what": "Signing certificates", "before": "SHA-256 9f2c4a77d01be355… until 2026-12-09",
         "after": "SHA-256 9f2c4a77d01be355… until 2026-12-09, SHA-256 4be1d00c5f77a290… until 2029-11-20"},
        {"what": "Attests a second factor", "before": "nothing", "after": "https://refeds.org/profile/mfa"},
    ],
    expiries=[CERTIFICATE, OWN],
    decision=decision("chg_7", **MINE_TO_WAIT),
)  # fmt: skip
FORM = ProviderFormPage(
    vendor=OKTA.context(CONSOLE, "idp_okta"),
    provider="idp_okta",
    kind="oidc",
    called="Okta",
    addresses=addresses(ProviderKind.OIDC, CONSOLE, "idp_okta"),
    form=OKTA.form(),
    changes=False,
    has_secret=False,
    kept_secret="",
    replaces="",
    error=None,
)
FORM_SAML = replace(
    FORM,
    vendor=ANY_SAML.context(CONSOLE, "idp_shib"),
    kind="saml",
    called="Shibboleth",
    addresses=addresses(ProviderKind.SAML, CONSOLE, "idp_shib"),
    form={**ANY_SAML.form(), "name": "Shibboleth", "metadata_url": "https://127.0.0.1/metadata"},
    changes=True,
    has_secret=True,
    error={
        "message": "The metadata could not be read: 127.0.0.1 leads to an address this gateway does not connect to.",
        "hint": "",
        "link": "",
        "code": "fetch.address",
    },
)
VENDORS = ProviderNewPage(vendors=vendors())
TEST = ProviderTestPage(
    called="Okta",
    change="chg_7",
    back="/providers/proposed/chg_7",
    waits=True,
    mine=True,
    error=None,
    claims=[
        {"name": "sub", "value": "00u1f9zq2kXyWvTb5d7"},
        {"name": "preferred_username", "value": "lena.vogel@example.com"},
        {"name": "email", "value": "lena.vogel@example.com"},
        {"name": "email_verified", "value": "true"},
        {"name": "groups", "value": "Platform, Everyone"},
        {"name": "amr", "value": "pwd, otp, mfa"},
        {"name": "auth_time", "value": "1795269860"},
    ],
    who={
        "subject": "00u1f9zq2kXyWvTb5d7",
        "user_name": "lena.vogel@example.com",
        "email": "lena.vogel@example.com",
        "name": "",
        "person": LENA,
        "state": "proven",
        "words": "by the address, and would then be linked",
    },
    groups={"names": ["Platform", "Everyone"], "beyond": 0},
    factor={"methods": ["pwd", "otp", "mfa"], "context": "", "state": "proven", "words": "Attested by mfa."},
    missing=["No name: people would be called by their user name."],
)
TEST_FAILED = replace(
    TEST,
    error={
        "message": "The provider does not know this client secret.",
        "hint": "Type the secret once more: change the proposal.",
        "code": "oidc.exchange",
    },
    claims=[],
    who=None,
    groups=None,
    factor=None,
    missing=[],
)
GOING = AtProviderPage(
    called="Okta",
    says="You sign in there, and come back.",
    address="https://example.okta.com/authorize",
    fields=[],
)
GOING_BY_FORM = replace(GOING, address="https://example.okta.com/sso", fields=[("SAMLRequest", "PHNhbWxwOkE+")])
