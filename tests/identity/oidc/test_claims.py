"""From claims to an assertion: what is believed, what is left out, what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.people.groups import MOST_GROUPS
from onepam.domain.providers.assertion import Assertion
from onepam.identity.oidc.claims import reduced
from onepam.identity.oidc.settings import ClaimNames, OidcSettings, parse
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused

NOW = Instant(1_772_000_000 * SECOND)


def settings(**fields: Any) -> OidcSettings:
    mapping = {"issuer": "https://idp.example.com", "client_id": "onepam", **fields}
    found = parse("pro_1", "https://pam.example.com", mapping, None)
    assert isinstance(found, OidcSettings), found
    return found


def said(fields: dict[str, Any] | None = None, **claims: Any) -> Assertion | Refused:
    return reduced(settings(**(fields or {})), {"sub": "s-1", "preferred_username": "bea", **claims}, "nonce", NOW)


def believed(fields: dict[str, Any] | None = None, **claims: Any) -> Assertion:
    found = said(fields, **claims)
    assert isinstance(found, Assertion), found
    return found


def code(outcome: Assertion | Refused) -> str:
    return outcome.code if isinstance(outcome, Refused) else "accepted"


def test_the_least_that_a_provider_says() -> None:
    assert believed() == Assertion("pro_1", "s-1", "bea", None, None, None, (), "", NOW, "nonce")


def test_when_the_factors_were_shown() -> None:
    assert believed(auth_time=1_771_999_000).authenticated_at == 1_771_999_000 * SECOND
    assert believed(auth_time=1_772_000_030).authenticated_at == NOW, "never in the future"


@pytest.mark.parametrize(
    ("trusts", "claims", "expected"),
    [
        (False, {"email_verified": True}, "bea@example.com"),
        (False, {"email_verified": "true"}, "bea@example.com"),
        (False, {"email_verified": False}, None),
        (False, {"email_verified": "yes, certainly"}, None),
        (False, {"email_verified": [True]}, None),
        (False, {}, None),
        (True, {}, "bea@example.com"),
        (True, {"email_verified": False}, None),
        (True, {"email_verified": None}, "bea@example.com"),
        (True, {"email": "bea"}, None),
        (True, {"email": "@example.com"}, None),
        (True, {"email": "a@b@example.com"}, None),
        (True, {"email": "a b@example.com"}, None),
        (True, {"email": "a\u200b@example.com"}, None),
        (True, {"email": ["bea@example.com"]}, None),
        (True, {"email": "a" * 250 + "@example.com"}, None),
    ],
)
def test_addresses_count_where_they_are_vouched_for(trusts: bool, claims: dict[str, Any], expected: str | None) -> None:
    found = believed({"trusts_email": trusts}, **{"email": "bea@example.com", **claims})
    assert found.email == expected


def test_another_claim_may_vouch() -> None:
    entra = {"claims": {"email_verified": "xms_edov"}}
    assert believed(entra, email="bea@example.com", xms_edov="1").email == "bea@example.com"
    assert believed(entra, email="bea@example.com", email_verified=True).email is None


def test_groups_wherever_they_are() -> None:
    for name, claims in (
        ("groups", {"groups": ["Ops", "Ops", "On call"]}),
        ("realm_access.roles", {"realm_access": {"roles": ["Ops", "On call"]}}),
        ("https://example.com/groups", {"https://example.com/groups": ["Ops", "On call"]}),
        ("a.b", {"a.b": ["Ops", "On call"], "a": {"b": ["Wrong"]}}),
    ):
        assert believed({"claims": {"groups": name}}, **claims).groups == ("Ops", "On call"), name
    assert believed({"claims": {"groups": "groups"}}, groups="Ops").groups == ("Ops",)


def test_no_groups_and_nothing_about_groups() -> None:
    assert believed(groups=["Ops"]).groups is None, "no claim is to say them"
    assert believed({"claims": {"groups": "groups"}}, groups=[]).groups == ()
    assert believed({"claims": {"groups": "groups"}}).groups == ()
    assert believed({"claims": {"groups": "a.b.c"}}, a={"b": 5}).groups == ()


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "x"}}}, "oidc.groups_overage"),
        ({"hasgroups": True}, "oidc.groups_overage"),
        ({"hasgroups": "true", "groups": []}, "oidc.groups_overage"),
        ({"_claim_names": {"address": "src1"}}, "accepted"),
    ],
)
def test_groups_that_cannot_be_relied_on(claims: dict[str, Any], expected: str) -> None:
    """Where the provider sends none of the groups that it knows of."""
    assert code(said({"claims": {"groups": "groups"}}, **claims)) == expected


@pytest.mark.parametrize(
    ("groups", "kept", "left_out"),
    [
        (["Ops", " x "], ("Ops",), 1),
        (["Ops", 5, "", None, {"name": "Dev"}, "x" * 300, "Ops\n", " Ops", "O\u202eps", "Dev"], ("Ops", "Dev"), 8),
        ({"Ops": True}, (), 1),
        ([f"team-{n}" for n in range(2_000)], tuple(f"team-{n}" for n in range(2_000)), 0),
        ([str(n) for n in range(MOST_GROUPS + 3)], tuple(str(n) for n in range(MOST_GROUPS)), 3),
    ],
)
def test_odd_groups_are_left_out_and_counted(groups: Any, kept: tuple[str, ...], left_out: int) -> None:
    found = believed({"claims": {"groups": "groups"}}, groups=groups)
    assert (found.groups, found.left_out) == (kept, left_out)


@pytest.mark.parametrize("name", [None, "", 5, ["bea"], "b\u202eea", "x" * 300, "  "])
def test_user_names_that_are_none(name: Any) -> None:
    assert code(said(preferred_username=name)) in ("oidc.claim_missing", "oidc.claim")


def test_names_are_for_people_and_never_stop_a_sign_in() -> None:
    assert believed(name="Bea  Lindt").name == "Bea Lindt"
    assert believed(name="Bea\u202eLindt").name is None
    assert believed(name=["Bea"]).name is None
    plain = replace(settings(), claims=ClaimNames(name=""))
    found = reduced(plain, {"sub": "s", "preferred_username": "bea", "name": "Bea"}, "n", NOW)
    assert isinstance(found, Assertion)
    assert found.name is None


def test_methods_and_context() -> None:
    assert believed(amr=["pwd", "mfa", "pwd"], acr="phr", sid="s-9").methods == ("pwd", "mfa")
    assert believed(amr="mfa").methods == ("mfa",)
    for odd in (5, [5], ["x" * 200], [["mfa"]], ["\n"], [""], None, {"mfa": True}):
        assert believed(amr=odd).methods == ()
    assert believed(amr=["otp", 5, " x\n"], acr=1).methods == ("otp",)
    assert len(believed(amr=[str(n) for n in range(40)]).methods) == 32
    assert (believed(acr=1).context, believed(acr="x" * 301).context, believed(acr="2").context) == ("", "", "2")
    assert code(said(sid=["a"])) == "oidc.claim"  # a logout message could never end this session
