"""What is known of the usual providers: the settings that fit them, what their word is worth, and what to click there.

Vendors move their pages; docs/providers has the same steps in more words.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

from onepam.identity.oidc.settings import GOOGLE, SCOPES, ClaimNames, backchannel_uri, post_logout_uri, redirect_uri


@dataclass(frozen=True, slots=True)
class Preset:
    """One kind of provider, for the wizard.

    `attests` are the values of `amr` or `acr` that count as a second factor, `phishing_resistant` those of a factor
    that cannot be phished: proposals for the provider's rule. `demands` are claims whose value the administrator gives.
    `gaps` are sentences on what this provider does not say or do. In `steps` stand `{redirect_uri}`,
    `{backchannel_uri}` and `{post_logout_uri}`, for `steps_for` to fill.
    """

    kind: str
    name: str
    issuer_hint: str
    issuer_pattern: str
    scopes: tuple[str, ...]
    claims: ClaimNames
    userinfo: bool
    attests: tuple[str, ...]
    phishing_resistant: tuple[str, ...]
    gaps: tuple[str, ...]
    steps: tuple[str, ...]
    demands: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """The fields for `settings.parse` that the administrator need not give."""
        return {"scopes": list(self.scopes), "claims": asdict(self.claims), "userinfo": self.userinfo}

    def fits(self, issuer: str) -> bool:
        """Whether an issuer looks like one of this provider's."""
        return re.fullmatch(self.issuer_pattern, issuer, re.ASCII) is not None


def steps_for(preset: Preset, console: str, provider: str) -> tuple[str, ...]:
    """The steps with the exact addresses to paste."""
    addresses = {
        "redirect_uri": redirect_uri(console, provider),
        "backchannel_uri": backchannel_uri(console, provider),
        "post_logout_uri": post_logout_uri(console),
    }
    return tuple(step.format(**addresses) for step in preset.steps)


OKTA = Preset(
    kind="okta",
    name="Okta",
    issuer_hint="https://COMPANY.okta.com",
    issuer_pattern=r"https://[\w.-]+\.(okta|oktapreview|okta-emea)\.com(/oauth2/\w+)?",
    scopes=(*SCOPES, "groups"),
    claims=ClaimNames(groups="groups"),
    userinfo=True,
    attests=("mfa", "urn:okta:loa:2fa:any", "phr", "phrh"),
    phishing_resistant=("phr", "phrh"),
    gaps=(
        (
            "amr says that two factors were used (mfa), but not that one of them withstands phishing: that is "
            "said by acr, and only where it is asked for, as phr or phrh."
        ),
        "No back-channel logout tokens: connect SCIM, so that leavers lose their access within seconds.",
        "A company's own domain instead of okta.com may be the issuer; take what the tab Sign On shows.",
    ),
    steps=(
        (
            "In the Admin Console open Applications, Applications, Create App Integration; choose OIDC - OpenID "
            "Connect and Web Application."
        ),
        "Grant type: Authorization Code only.",
        "Sign-in redirect URIs: {redirect_uri}",
        "Sign-out redirect URIs: {post_logout_uri}",
        "Controlled access: Limit access to selected groups.",
        (
            "On the tab General, at Client Credentials: Client authentication Client secret, and tick Require "
            "PKCE as additional verification. Copy client id and secret."
        ),
        (
            "On the tab Sign On, at OpenID Connect ID Token: Groups claim type Filter, name groups, and a filter"
            " that matches only the groups that are meant for this product."
        ),
    ),
)

ENTRA_ID = Preset(
    kind="entra-id",
    name="Microsoft Entra ID",
    issuer_hint="https://login.microsoftonline.com/TENANT-ID/v2.0",
    issuer_pattern=r"https://login\.microsoftonline\.(com|us)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0",
    scopes=SCOPES,
    claims=ClaimNames(email_verified="xms_edov", groups="roles"),
    userinfo=False,
    attests=("mfa",),
    phishing_resistant=(),
    gaps=(
        (
            "ID tokens of version 2.0 usually carry no amr, so a second factor is not proven: people step up "
            "here, or the provider is declared to demand one, with its Conditional Access policy as evidence."
        ),
        (
            "No email_verified: an address counts only with the optional claim xms_edov, since a guest's address"
            " is chosen elsewhere."
        ),
        (
            "Groups come as object ids, and none at all for somebody in more than 200; app roles (the claim "
            "roles) have neither problem."
        ),
        "No back-channel logout tokens: connect SCIM, so that leavers lose their access within seconds.",
        "common and organizations are no issuers: they would let in other companies.",
    ),
    steps=(
        (
            "In the Entra admin center open App registrations, New registration; Supported account types: "
            "Accounts in this organizational directory only."
        ),
        "Redirect URI: Web, {redirect_uri}",
        "On Overview, copy Application (client) ID and Directory (tenant) ID; the latter is part of the issuer.",
        "On Certificates & secrets, New client secret: copy its Value, and note when it expires.",
        (
            "On Token configuration, Add optional claim, ID: email, auth_time, sid and xms_edov (where it is not"
            " offered, add it to optionalClaims in the Manifest)."
        ),
        (
            "On App roles, Create app role for each group that access.yaml binds; then, in Enterprise "
            "applications, this application, Users and groups, assign groups to them."
        ),
        "In Enterprise applications, this application, Properties: Assignment required? Yes.",
    ),
)

GOOGLE_WORKSPACE = Preset(
    kind="google-workspace",
    name="Google Workspace",
    issuer_hint=GOOGLE,
    issuer_pattern=re.escape(GOOGLE),
    scopes=SCOPES,
    claims=ClaimNames(user_name="email"),
    userinfo=False,
    attests=(),
    phishing_resistant=(),
    gaps=(
        (
            "No amr and no acr: a second factor is never proven; people step up here, or the provider is "
            "declared to demand one, with the 2-Step Verification setting as evidence."
        ),
        "No groups in the sign-in: bring them by SCIM or with the roster.",
        "No way to sign out at Google from here, and no back-channel logout tokens.",
        "The issuer is the same for every Google account in the world: the claim hd must be your domain.",
    ),
    steps=(
        (
            "In the Google Cloud console, in a project of your organization, open Google Auth Platform, "
            "Audience: Internal."
        ),
        "On Clients, Create client; Application type: Web application.",
        "Authorized redirect URIs: {redirect_uri}",
        "Copy client ID and client secret; the secret is shown once.",
    ),
    demands=("hd",),
)

KEYCLOAK = Preset(
    kind="keycloak",
    name="Keycloak",
    issuer_hint="https://HOST/realms/REALM",
    issuer_pattern=r"https?://[^/?#]+(/auth)?/realms/[^/?#]+",
    scopes=SCOPES,
    claims=ClaimNames(groups="groups"),
    userinfo=False,
    attests=("mfa", "otp", "hwk"),
    phishing_resistant=("hwk",),
    gaps=(
        "amr is sent only with the mapper of the steps, and says what you write at each step of the browser flow.",
        (
            "acr is 1 for any full sign-in, by password alone too, so it proves nothing until ACR to LoA Mapping"
            " is set up."
        ),
    ),
    steps=(
        "In the realm open Clients, Create client; Client type OpenID Connect.",
        "Client authentication On; Authentication flow: Standard flow only.",
        "Valid redirect URIs: {redirect_uri}",
        "Valid post logout redirect URIs: {post_logout_uri}",
        (
            "Save. In Settings, Logout settings: Front channel logout Off; Backchannel logout URL "
            "{backchannel_uri}; Backchannel logout session required Off: one message then ends all."
        ),
        "In Advanced, Advanced settings: Proof Key for Code Exchange Code Challenge Method S256.",
        (
            "In Client scopes, the dedicated scope, Add mapper, By configuration: Group Membership with Token "
            "Claim Name groups, Full group path Off; and Authentication Method Reference (AMR)."
        ),
        (
            "In Authentication, the browser flow, at the settings of each step: Authenticator Reference otp for "
            "OTP Form, hwk for the WebAuthn authenticators, pwd for Username Password Form."
        ),
        (
            "There, too: Authenticator Reference Max Age 36000 for each. Empty, the reference is forgotten after a "
            "second, and whoever is signed in there already steps up here."
        ),
        "Copy the client secret from Credentials.",
    ),
)

OTHER = Preset(
    kind="any-oidc",
    name="Another OpenID provider",
    issuer_hint="https://HOST",
    issuer_pattern=r"https?://.+",
    scopes=SCOPES,
    claims=ClaimNames(groups="groups"),
    userinfo=True,
    attests=("mfa",),
    phishing_resistant=(),
    gaps=("What it attests is seen in the test: look for amr and acr in the claims received.",),
    steps=(
        "Register a confidential web client for the authorization code flow with PKCE (S256).",
        "Redirect URI: {redirect_uri}",
        "Post-logout redirect URI: {post_logout_uri}",
        "Back-channel logout URI, session required: {backchannel_uri}",
        "Have it send preferred_username, email, email_verified, name and, where they are to count, groups.",
        "Have it send amr or acr, and auth_time.",
    ),
)

PRESETS = (OKTA, ENTRA_ID, GOOGLE_WORKSPACE, KEYCLOAK, OTHER)


def preset(kind: str) -> Preset:
    """By its kind; `OTHER` where there is none."""
    return next((each for each in PRESETS if each.kind == kind), OTHER)
