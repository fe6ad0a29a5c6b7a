"""Stored settings, and what is known of the usual providers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.identity.oidc.presets import ENTRA_ID, GOOGLE_WORKSPACE, KEYCLOAK, OKTA, OTHER, PRESETS, preset, steps_for
from onepam.identity.oidc.settings import GOOGLE, ClaimNames, OidcSettings, parse
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

CONSOLE = "https://pam.example.com/"
GOOD: dict[str, Any] = {"issuer": "https://idp.example.com", "client_id": "onepam"}
SECRET = Secret(b"s3cret")


def test_what_is_not_said_has_a_safe_default() -> None:
    found = parse("pro_1", CONSOLE, GOOD, SECRET)
    assert isinstance(found, OidcSettings)
    assert found.redirect_uri == "https://pam.example.com/sign-in/return/pro_1"
    assert found.post_logout_uri == "https://pam.example.com/sign-in"
    assert found.scopes == ("openid", "profile", "email")
    assert (found.trusts_email, found.userinfo, found.max_age, found.demands) == (False, False, None, ())
    assert found.claims == ClaimNames()
    assert "s3cret" not in repr(found)


def test_everything_said() -> None:
    said = GOOD | {
        "scopes": ["openid", "groups", "openid"], "claims": {"groups": "realm_access.roles", "email": ""},
        "trusts_email": True, "userinfo": True, "demands": {"hd": "example.com", "a": "b"}, "max_age": 0,
        "acr_values": ["phr"], "client_authentication": "client_secret_post",
    }  # fmt: skip
    found = parse("pro_1", CONSOLE, said, SECRET)
    assert isinstance(found, OidcSettings), found
    assert found.scopes == ("openid", "groups")
    assert found.claims == ClaimNames(groups="realm_access.roles", email="")
    assert found.demands == (("a", "b"), ("hd", "example.com"))
    assert (found.max_age, found.acr_values, found.client_authentication) == (0, ("phr",), "client_secret_post")


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": None}, {"issuer": "idp.example.com"}, {"issuer": "ftp://idp"}, {"issuer": "https://idp/?a=b"},
        {"issuer": "https://idp/#a"}, {"issuer": "https://a:b@idp"}, {"issuer": " https://idp"}, {"issuer": "https://[x"},
        {"issuer": "https://idp/" + "x" * 3000}, {"client_id": ""}, {"client_id": 5}, {"client_id": "a\nb"},
        {"scopes": "openid"}, {"scopes": ["profile"]}, {"scopes": ["openid", "two words"]}, {"scopes": [["openid"]]},
        {"scopes": ["openid"] * 30}, {"claims": []}, {"claims": {"colour": "x"}}, {"claims": {"name": 5}},
        {"claims": {"user_name": ""}}, {"claims": {"name": "x" * 300}}, {"trusts_email": "yes"}, {"userinfo": 1},
        {"demands": ["hd"]}, {"demands": {"hd": 5}}, {"demands": {"": "x"}}, {"demands": {5: "x"}}, {"max_age": -1},
        {"max_age": True}, {"max_age": 10**9}, {"acr_values": ["a b"]}, {"client_authentication": "private_key_jwt"},
        {"client_authentication": ["none"]}, {"redirect_uri": "https://evil.example"}, {"issuer": GOOGLE},
    ],
)  # fmt: skip
def test_settings_that_are_none(wrong: dict[str, Any]) -> None:
    refused = parse("pro_1", CONSOLE, GOOD | wrong, SECRET)
    assert isinstance(refused, Refused)
    assert refused.code == "oidc.settings"


def test_a_client_without_a_secret() -> None:
    assert isinstance(parse("pro_1", CONSOLE, GOOD, None), OidcSettings)
    assert isinstance(parse("pro_1", CONSOLE, GOOD | {"client_authentication": "client_secret_basic"}, None), Refused)
    for secret in (b"", b"x" * 5_000):
        assert isinstance(parse("pro_1", CONSOLE, GOOD, Secret(secret)), Refused)


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "scopes", "claims", "demands", "max_age", "acr_values", "client_authentication"]),
        st.recursive(
            st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        ),
    )
)
def test_any_json_as_settings(mapping: dict[str, Any]) -> None:
    assert isinstance(parse("pro_1", CONSOLE, GOOD | mapping, SECRET), OidcSettings | Refused)


@pytest.mark.parametrize("known", PRESETS, ids=lambda each: each.kind)
def test_a_preset_becomes_settings(known: Any) -> None:
    demands = dict.fromkeys(known.demands, "example.com")
    found = parse("pro_1", CONSOLE, GOOD | known.settings() | {"demands": demands}, SECRET)
    assert isinstance(found, OidcSettings), found
    assert (found.scopes, found.claims) == (known.scopes, known.claims)
    assert set(known.phishing_resistant) <= set(known.attests)
    steps = "\n".join(steps_for(known, CONSOLE, "pro_1"))
    assert "https://pam.example.com/sign-in/return/pro_1" in steps
    assert "{" not in steps
    assert preset(known.kind) is known


def test_a_single_factor_never_attests_two() -> None:
    """`pwd`, a text message, or Keycloak's `acr` 1 alone prove no second factor."""
    for known in PRESETS:
        assert not {"pwd", "1", "0", "sms", "urn:okta:loa:1fa:any", "urn:okta:loa:2fa:any:ifpossible"} & {
            *known.attests
        }
    assert GOOGLE_WORKSPACE.attests == ()


def test_which_issuer_is_whose() -> None:
    tenant = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"
    for known, issuer, fits in (
        (OKTA, "https://example.okta.com", True), (OKTA, "https://example.okta.com/oauth2/default", True),
        (OKTA, "https://example.okta.com.evil.example", False), (ENTRA_ID, tenant, True),
        (ENTRA_ID, "https://login.microsoftonline.com/common/v2.0", False), (ENTRA_ID, tenant[:-5], False),
        (GOOGLE_WORKSPACE, GOOGLE, True), (GOOGLE_WORKSPACE, "https://accounts-google.com", False),
        (KEYCLOAK, "https://sso.example.com/realms/staff", True), (KEYCLOAK, "https://sso.example.com/", False),
        (OTHER, "https://idp.example.com", True),
    ):  # fmt: skip
        assert known.fits(issuer) is fits, issuer
    assert preset("unheard of") is OTHER
